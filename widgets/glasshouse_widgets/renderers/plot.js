// One figure and what surrounds it. The element is made once; every update is a fresh figure, drawn by the page's one Plotly.
// Follows connection.js, words.js and bring.js in one module.

const rest = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

// The stage is drawn at once. The other figures follow together, once the stage is on the screen, and cost one frame.
const frame = () => new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(resolve)));
let shown = Promise.resolve(), queue = shown;
const first = (work) => work().finally(() => { shown = frame(); });
function later(work) {
  queue = Promise.allSettled([queue, shown]).then(work);
  return queue;
}

function element(tag, name, parent) {
  const node = document.createElement(tag);
  node.className = name;
  parent.append(node);
  return node;
}

// Plotly puts its styles into the page's head, where a shadow root does not see them.
function adopt(root) {
  const own = document.getElementById("plotly.js-style-global");
  if (!own || !(root instanceof ShadowRoot)) return;
  const sheet = new CSSStyleSheet();
  sheet.replaceSync([...own.sheet.cssRules].map((rule) => rule.cssText).join("\n"));
  root.adoptedStyleSheets = [...root.adoptedStyleSheets, sheet];
}

// What is downloaded has the words that stand beside the drawing here.
const whole = (graph, { annotations }, { config }) => ({ data: graph.data, layout: { ...graph.layout, annotations }, config });

function takes(box, graph, get, layout) {
  const tools = element("span", "take", box);
  for (const format of ["png", "svg"]) {
    const button = element("button", "", tools), name = format.toUpperCase();
    button.type = "button";
    button.textContent = name;
    button.setAttribute("aria-label", `Download ${get("board").title} as ${name}`);
    button.onclick = () => window.Plotly.downloadImage(whole(graph, layout(), get("board")), { format, filename: get("board").filename,
      width: graph.clientWidth, height: graph.clientHeight, scale: format === "png" ? 2 : 1 });
  }
  return tools;
}

function render({ model, el }) {
  const panel = typeof model.send_msg === "function";
  if (panel) bring(model.engine);
  const get = (name) => JSON.parse(panel ? model[name] : model.get(name));
  const watch = (name, callback) => model.on(panel ? name : `change:${name}`, callback);
  const line = lineOf(get("board").line);
  const send = (message) => line.whole && (panel ? model.send_msg(message) : model.send(message));
  const box = document.createElement("figure");
  box.className = "gh plot";
  el.replaceChildren(box);
  const title = element("h2", "caption", box), said = element("p", "sr", box), graph = element("div", "graph", box);
  const say = setter(element("div", "words", graph));
  const tools = takes(box, graph, get, () => full);
  let wide = 0, drawn = "", full = {}, grown = [0, 0];
  graph.setAttribute("role", "img");

  const tall = () => get("board").height + grown[0] + grown[1];
  const words = () => {
    const now = get("board");
    box.dataset.theme = now.theme;
    box.dataset.status = now.status;
    title.textContent = now.title;
    said.textContent = now.describe;
    graph.setAttribute("aria-label", now.describe || now.title);
    tools.hidden = !!now.still || !drawn;
    graph.style.height = `${tall()}px`;
  };
  const click = ({ points: [p] }) => send({ do: "click", point: { curve: p.curveNumber ?? null, index: p.pointNumber ?? p.pointIndex ?? null,
    x: p.x ?? null, y: p.y ?? null, customdata: p.customdata ?? null } });

  // A shape that can be dragged is a handle: where it was put is a click there, and the next picture says where it belongs.
  let edits = 0;
  const dragged = (change) => {
    const moved = Object.entries(change ?? {}).find(([key]) => /^shapes\[\d+\]\.x0$/.test(key));
    if (!moved) return;
    edits += 1;
    send({ do: "click", point: { curve: null, index: null, x: moved[1], y: null, customdata: null } });
    draw(true);
  };

  // What is out of sight is drawn when it comes into sight, or when nothing has moved for a while.
  let drawing = false, again = false, listening = false, sight = false, waiting = false, timer = 0;
  const draw = async (anyway = false) => {
    clearTimeout(timer);
    box.setAttribute("aria-busy", true);
    if (!sight && anyway !== true) { waiting = true; timer = setTimeout(draw, 600, true); return; }
    if (drawing) { again = true; return; }
    drawing = true;
    waiting = false;
    while (!window.Plotly) await rest(20);
    do {
      again = false;
      const { data, layout } = get("figure");
      if (!layout) break;
      const now = get("board");
      const paint = async () => {                 // the width is that of now, however long this has waited
        [full, grown] = fitted(layout, wide, grown);
        const [under, texts] = parted({ ...full, editrevision: edits, width: wide || undefined, height: tall() });
        graph.style.height = `${tall()}px`;
        say(texts, full);
        const next = JSON.stringify([data, under]);
        if (next !== drawn) await window.Plotly.react(graph, data, under, now.config);
        drawn = next;
        tools.hidden = !!now.still;
        graph.dispatchEvent(new Event("drawn"));
      };
      await (now.first ? first : later)(paint);
      if (!listening) { listening = true; adopt(graph.getRootNode()); graph.on("plotly_click", click); graph.on("plotly_relayout", dragged); }
    } while (again);
    drawing = false;
    box.setAttribute("aria-busy", false);
  };
  const sized = new ResizeObserver(([entry]) => {
    const now = Math.round(entry.contentRect.width);         // asked of the page in mid-drawing, it would lay out everything once more
    if (now !== wide) grown = [0, 0];
    wide = now;
    if (wide && graph.layout && graph.layout.width !== wide) draw();
  });
  sized.observe(graph);
  const seen = new IntersectionObserver(([entry]) => { sight = entry.isIntersecting; if (sight && waiting) draw(); }, { rootMargin: "100px" });
  seen.observe(box);
  line.watch(() => box.classList.toggle("faded", !line.fresh));
  watch("board", words);
  watch("figure", draw);
  words();
  draw();
  return () => { sized.disconnect(); seen.disconnect(); clearTimeout(timer); };
}

export default { render };
