// The gallery: cards with pictures that the labs drew beforehand, and a search. Follows wire.js in one module; nothing here needs Plotly.

function picture(strip, theme) {
  const box = h("div", { class: "gallery-picture", "aria-hidden": "true" });
  if (!strip) return { box, paint() {} };
  const image = h("img", { class: "gallery-strip", alt: "", decoding: "async" });
  image.style.setProperty("--frames", strip.frames);
  image.style.setProperty("--still", strip.still);
  box.append(image);
  return { box, paint() { if (image.getAttribute("src") !== strip[theme()]) image.src = strip[theme()]; } };
}

function results(board, list, said, typed) {
  const words = typed.toLowerCase().split(/\s+/).filter(Boolean);
  const hits = words.length ? board.methods.filter((m) => words.every((w) => `${m.id} ${m.paper} ${m.summary}`.toLowerCase().includes(w))) : [];
  list.replaceChildren(...hits.slice(0, 20).map((m) => h("li", {}, h("a", { href: m.href }, h("b", {}, m.id), h("span", {}, m.summary),
    h("span", { class: "gallery-paper" }, m.paper)))));
  said.textContent = !words.length ? "" : hits.length ? `${hits.length} of ${board.methods.length} methods` : "No method or paper has these words.";
}

function render({ model, el }) {
  const board = JSON.parse(model.board);
  const dark = matchMedia("(prefers-color-scheme: dark)");
  const theme = () => (dark.matches ? "dark" : "light");
  const list = h("ul", { class: "gallery-found" }), said = h("p", { class: "gallery-said", role: "status" });
  const field = id();
  const search = h("input", { type: "search", id: field, placeholder: "a method, an author, a word of a title",
    oninput: () => results(board, list, said, search.value) });
  const pictures = [];
  const card = (row) => {
    const shown = picture(row.picture, theme);
    pictures.push(shown);
    return h("a", { class: "gallery-card", href: row.href }, shown.box, h("span", { class: "gallery-words" }, h("b", {}, row.title),
      h("span", { class: "gallery-question" }, row.question), h("span", {}, row.sentence), h("span", { class: "gallery-open" }, "Open the lab")));
  };
  const families = [...new Set(board.rows.map((row) => row.family))];
  const rows = families.map((family) => {
    const labs = board.rows.filter((row) => row.family === family), n = labs.reduce((sum, row) => sum + row.methods, 0);
    return h("section", { class: labs.length > 1 ? "gallery-several" : "" },
      h("h2", {}, family, h("span", { class: "gallery-count" }, ` ${n} ${n === 1 ? "method" : "methods"}`)),
      h("div", { class: "gallery-cards" }, ...labs.map(card)));
  });
  const node = h("main", { class: "gh gallery" }, h("header", {}, h("h1", {}, "Glasshouse"),
    h("p", {}, "Published algorithms that show what they do, step by step, while you turn their knobs."),
    h("div", { class: "gallery-search" }, h("label", { for: field }, "Find"), search)), said, list, ...rows);
  const paint = () => { node.dataset.theme = theme(); for (const one of pictures) one.paint(); };
  if (model.engine) node.append(h("link", { rel: "prefetch", href: model.engine }));        // what the first lab will ask for
  el.replaceChildren(node);
  dark.addEventListener("change", paint);
  paint();
}

export default { render };
