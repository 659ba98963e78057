// The gallery: cards with pictures that the labs drew, and a search. Follows wire.js and bring.js in one module.

function miniature(frames, theme) {
  const stage = h("div", { class: "mini-stage", "aria-hidden": "true" });
  const box = h("div", { class: "mini" }, stage);
  let at = -1, timer = 0;
  const calm = matchMedia("(prefers-reduced-motion: reduce)").matches;
  const draw = async () => {
    while (!window.Plotly) await new Promise((done) => setTimeout(done, 30));
    const all = frames()?.[theme()];
    if (!all?.length || !box.isConnected) return;
    at = calm ? 0 : (at + 1) % all.length;
    const { data, layout } = all[at];
    await window.Plotly.react(stage, data, { ...layout, width: 720, height: 480 }, { staticPlot: true });
    adopt(stage.getRootNode());
    box.classList.add("drawn");
    if (!calm && all.length > 1) timer = setTimeout(draw, at === all.length - 1 ? 3000 : 900);
  };
  const again = () => { clearTimeout(timer); draw(); };
  return { box, again };
}

function adopt(root) {
  const own = document.getElementById("plotly.js-style-global");
  if (!own || !(root instanceof ShadowRoot) || root.adoptedByUs) return;
  const sheet = new CSSStyleSheet();
  sheet.replaceSync([...own.sheet.cssRules].map((rule) => rule.cssText).join("\n"));
  root.adoptedStyleSheets = [...root.adoptedStyleSheets, sheet];
  root.adoptedByUs = true;
}

function results(board, list, said, typed) {
  const words = typed.toLowerCase().split(/\s+/).filter(Boolean);
  const hits = words.length ? board.methods.filter((m) => words.every((w) => `${m.id} ${m.paper} ${m.summary}`.toLowerCase().includes(w))) : [];
  list.replaceChildren(...hits.slice(0, 20).map((m) => h("li", {}, h("a", { href: m.href }, h("b", {}, m.id), h("span", {}, ` ${m.summary}`),
    h("span", { class: "unit" }, m.paper)))));
  said.textContent = !words.length ? "" : hits.length ? `${hits.length} of ${board.methods.length} methods` : "No method or paper has these words.";
}

function render({ model, el }) {
  bring(model.engine);
  const board = JSON.parse(model.board);
  let frames = JSON.parse(model.frames);
  const dark = matchMedia("(prefers-color-scheme: dark)");
  const theme = () => (dark.matches ? "dark" : "light");
  const list = h("ul", { class: "found" }), said = h("p", { class: "unit", role: "status" });
  const field = id();
  const search = h("input", { type: "search", id: field, placeholder: "a method, an author, a word of a title",
    oninput: () => results(board, list, said, search.value) });
  const minis = new Map();
  const card = (row) => {
    const mini = miniature(() => frames[row.lab], theme);
    minis.set(row.lab, mini);
    return h("a", { class: "lab", href: row.href }, mini.box, h("span", { class: "about" }, h("b", {}, row.title),
      h("span", { class: "ask" }, row.question), h("span", {}, row.sentence), h("span", { class: "open" }, "Open the lab")));
  };
  const families = [...new Set(board.rows.map((row) => row.family))];
  const rows = families.map((family) => {
    const labs = board.rows.filter((row) => row.family === family), n = labs.reduce((sum, row) => sum + row.methods, 0);
    return h("section", { class: labs.length > 1 ? "several" : "" }, h("h2", {}, family, h("span", { class: "count" }, ` ${n} ${n === 1 ? "method" : "methods"}`)),
      h("div", { class: "labs" }, ...labs.map(card)));
  });
  const node = h("main", { class: "gh gallery" }, h("header", {}, h("h1", {}, "Glasshouse"),
    h("p", {}, "Published algorithms that show what they do, step by step, while you turn their knobs."),
    h("div", { class: "search" }, h("label", { for: field }, "Find"), search)), said, list, ...rows);
  const paint = () => { node.dataset.theme = theme(); minis.forEach((mini) => mini.again()); };
  el.replaceChildren(node);
  dark.addEventListener("change", paint);
  model.on("frames", () => { frames = JSON.parse(model.frames); paint(); });
  paint();
}

export default { render };
