// The gallery on a page of its own: what a server would send stands in the page.
(() => {
  const board = document.getElementById("board").textContent;
  Gallery.render({ model: { engine: "", board }, el: document.getElementById("gallery") });
  const note = document.querySelector(".still-note"), dark = matchMedia("(prefers-color-scheme: dark)");
  const shade = () => { note.dataset.theme = document.documentElement.dataset.theme = dark.matches ? "dark" : "light"; };
  dark.addEventListener("change", shade);
  shade();
})();
