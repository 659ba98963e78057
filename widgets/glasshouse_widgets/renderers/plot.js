// One figure and what surrounds it. The element is made once; every update is a fresh figure, drawn by the page's one Plotly.

const rest = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

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

function takes(box, graph, get) {
  const tools = element("span", "take", box);
  for (const format of ["png", "svg"]) {
    const button = element("button", "", tools), name = format.toUpperCase();
    button.type = "button";
    button.textContent = name;
    button.setAttribute("aria-label", `Download ${get("board").title} as ${name}`);
    button.onclick = () => window.Plotly.downloadImage(graph, { format, filename: get("board").filename,
      width: graph.clientWidth, height: graph.clientHeight, scale: format === "png" ? 2 : 1 });
  }
  return tools;
}

function render({ model, el }) {
  const panel = typeof model.send_msg === "function";
  const get = (name) => (panel ? model[name] : model.get(name));
  const watch = (name, callback) => model.on(panel ? name : `change:${name}`, callback);
  const send = (message) => (panel ? model.send_msg(message) : model.send(message));
  const box = document.createElement("figure");
  box.className = "gh plot";
  el.replaceChildren(box);
  const title = element("h2", "caption", box), said = element("p", "sr", box), graph = element("div", "graph", box);
  const tools = takes(box, graph, get);
  graph.setAttribute("role", "img");

  const words = () => {
    const now = get("board");
    box.dataset.theme = now.theme;
    box.dataset.status = now.status;
    title.textContent = now.title;
    said.textContent = now.describe;
    graph.setAttribute("aria-label", now.describe || now.title);
    tools.hidden = !!now.still;
    graph.style.height = `${now.height}px`;
  };
  const click = ({ points: [p] }) => send({ do: "click", point: { curve: p.curveNumber ?? null, index: p.pointNumber ?? p.pointIndex ?? null,
    x: p.x ?? null, y: p.y ?? null, customdata: p.customdata ?? null } });

  let drawing = false, again = false, listening = false;
  const draw = async () => {
    if (drawing) { again = true; return; }
    drawing = true;
    while (!window.Plotly) await rest(20);
    do {
      again = false;
      const { data, layout } = get("figure");
      if (!layout) break;
      await window.Plotly.react(graph, data, { ...layout, width: graph.clientWidth || undefined }, get("board").config);
      if (!listening) { listening = true; adopt(graph.getRootNode()); graph.on("plotly_click", click); }
    } while (again);
    drawing = false;
  };
  const sized = new ResizeObserver(() => { if (graph.clientWidth && graph.layout && graph.layout.width !== graph.clientWidth) draw(); });
  sized.observe(graph);
  watch("board", words);
  watch("figure", draw);
  words();
  draw();
  return () => sized.disconnect();
}

export default { render };
