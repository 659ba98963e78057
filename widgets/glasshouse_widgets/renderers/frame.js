// What stands around the pictures: head, status, readout, player, story. Ends the module that wire.js and controls.js begin.

function head(board, wire) {
  const [method, methods] = picker("method", wire, "method"), [other, others] = picker("compare with", wire, "compare");
  const theme = h("button", { type: "button", class: "plain", onclick: () => wire.ask({ do: "theme" }) });
  const kind = h("summary", {}), promise = h("div", { class: "card" });
  const badge = h("details", { class: "badge" }, kind, promise);
  const presets = h("div", { class: "presets", role: "group", "aria-label": "Presets" }), question = h("p", { class: "question", role: "status" });
  const paper = h("a", { class: "paper", target: "_blank", rel: "noopener" });
  const node = h("header", { class: "head" },
    h("div", { class: "top" }, board.home && h("a", { class: "home", href: board.home }, "Glasshouse"), h("h1", {}, board.title), method, badge, other, theme),
    h("div", { class: "under" }, presets, question, paper));
  const show = (now) => {
    options(methods, now.methods, now.method);
    options(others, now.others, now.compare);
    theme.textContent = now.theme === "dark" ? "Light" : "Dark";
    theme.setAttribute("aria-label", `${theme.textContent} colours`);
    badge.hidden = !now.badge;
    if (now.badge) {
      badge.dataset.tone = now.badge.tone;
      kind.textContent = `${now.badge.sign} ${now.badge.kind}`;
      kind.setAttribute("aria-label", `Guarantee: ${now.badge.kind}`);
      promise.replaceChildren(h("p", {}, now.badge.statement), ...now.badge.assumptions.map((a) => h("p", { class: "soft" }, `if ${a}`)),
        now.badge.scope ? h("p", { class: "soft" }, `holds ${now.badge.scope}`) : "");
    }
    if (!same(presets.shown, now.presets)) {
      presets.shown = now.presets;
      presets.replaceChildren(...now.presets.map((p) =>
        h("button", { type: "button", title: p.question, onclick: () => wire.ask({ do: "preset", name: p.name }) }, p.name)));
    }
    [...presets.children].forEach((b) => b.setAttribute("aria-pressed", b.textContent === now.preset));
    question.textContent = now.presets.find((p) => p.name === now.preset)?.question ?? "";
    paper.textContent = now.paper.text;
    now.paper.url ? paper.setAttribute("href", now.paper.url) : paper.removeAttribute("href");
  };
  return { node, show };
}

function status(board, wire) {
  const text = h("span", {}), bar = h("progress", { max: 1, "aria-label": "Progress" });
  const button = h("button", { type: "button", onclick: () => wire.ask({ do: button.what }) });
  const problem = h("p", { class: "message", role: "alert" }), away = severed(wire);
  const node = h("div", { class: "status" }, h("span", { class: "dot", "aria-hidden": "true" }), h("span", { role: "status" }, text), bar, button, away.node, problem);
  const show = (now) => {
    node.dataset.status = now.status;
    node.classList.toggle("running", now.running);
    text.textContent = now.text;
    bar.hidden = !now.running;
    now.share === null ? bar.removeAttribute("value") : (bar.value = now.share);
    button.hidden = !now.offer;
    button.what = now.offer?.do;
    button.textContent = now.offer?.text ?? "";
    if (problem.textContent !== now.message) problem.textContent = now.message;
    away.show(node);
  };
  wire.line.watch(() => away.show(node));
  return { node, show };
}

function readout() {
  const node = h("dl", { class: "readout", "aria-label": "Readout" });
  const show = (now) => {
    if (node.children.length !== now.items.length) {
      node.replaceChildren(...now.items.map(() => h("div", {}, h("dt", {}), h("dd", {}, h("b", {}), h("i", {}), h("span", { class: "unit" })))));
    }
    now.items.forEach((r, i) => {
      const [name, value] = node.children[i].children;
      name.textContent = r.label;
      node.children[i].title = r.meaning;
      const [first, second, unit] = value.children;
      first.textContent = r.value;
      second.textContent = r.other;
      unit.textContent = r.unit ? ` ${r.unit}` : "";
    });
  };
  return { node, show };
}

function player(board, wire) {
  const go = (what, key) => (value) => wire.ask({ do: "player", what, value: typeof value === "number" ? value : 0 }, key);
  const button = (text, name, what) => h("button", { type: "button", "aria-label": name, title: name, onclick: go(what) }, text);
  const play = h("button", { type: "button", class: "play", onclick: () => go(play.what)() });
  const slider = h("input", { type: "range", min: 0, step: 1, "aria-label": board.look, oninput: () => go("scrub", "scrub")(+slider.value) });
  const where = h("span", { class: "where" });
  const speed = h("select", { "aria-label": "Speed", onchange: () => go("speed")(+speed.value) },
    ...board.speeds.map((s) => h("option", { value: s }, `×${s}`)));
  const node = h("div", { class: "player", role: "group", "aria-label": "Player" },
    button("|◀", "First", "first"), button("◀", "Step back", "back"), play, button("▶", "Step", "step"), button("▶|", "Newest", "newest"), slider, where, speed);
  const show = (now) => {
    play.what = now.playing ? "pause" : "play";
    play.textContent = now.playing ? "Pause" : "Play";
    slider.max = Math.max(now.length - 1, 0);
    slider.disabled = now.length < 2;
    if (!wire.moving("scrub")) slider.value = now.position;
    where.textContent = now.where;
    slider.setAttribute("aria-valuetext", now.where);
    speed.value = now.speed;
  };
  return { node, show };
}

function story() {
  const see = h("p", {}), attempt = h("p", { class: "try" });
  const node = h("aside", { class: "story", "aria-label": "What you see" }, h("h2", {}, "What you see"), see, attempt);
  return { node, show: (now) => { see.textContent = now.see; attempt.textContent = now.attempt ? `Try: ${now.attempt}` : ""; } };
}

const KINDS = { head, knobs, status, readout, player, story };

// What the page says of its reader: colours first, movement too.
function greet(wire) {
  const jupyter = document.body.dataset.jpThemeLight;
  const dark = jupyter === undefined ? matchMedia("(prefers-color-scheme: dark)").matches : jupyter === "false";
  wire.ask({ do: "hello", dark });
}

// The status is the part that asks whether anybody is there, and that sends what was kept.
function attend(wire, el, model, view) {
  const { line } = wire;
  line.keeper = wire;                     // a page drawn anew has another
  unpack(line);
  wire.listen(() => {});                  // the answer to a beat is heard by whoever asked
  if (wire.panel) {
    watchServer(line, view.model.document);
    line.become("open");
    wire.beat();
  } else {
    watchKernel(line, model.widget_manager?.kernel);
    const lab = el.closest(".gh-outer") ?? el;
    for (const come of ["pointerenter", "focusin"]) lab.addEventListener(come, () => wire.once());
  }
  line.watch((state) => { if (state === "open" && line.keeper === wire) line.release((message, key) => wire.ask(message, key)); });
}

// Seen from JupyterLab, a key pressed inside a shadow root comes from its outermost host.
function keepKeys(el) {
  for (let root = el.getRootNode(); root instanceof ShadowRoot; root = root.host.getRootNode()) root.host.dataset.lmSuppressShortcuts = "true";
}

function render({ model, el, view }) {
  const wire = new Wire(model);
  requestAnimationFrame(() => keepKeys(el));
  let shape = null, made = null;
  const draw = () => {
    const board = wire.board;
    if (!same(board.shape, shape)) {
      shape = board.shape;
      made = KINDS[board.kind](board, wire);
      made.node.classList.add("gh");
      const open = [...el.querySelectorAll("details[open] > summary")].map((s) => s.closest("fieldset")?.firstChild.textContent);
      el.replaceChildren(made.node);
      el.querySelectorAll("fieldset > details").forEach((d) => { d.open = open.includes(d.parentNode.firstChild.textContent); });
    }
    made.node.dataset.theme = board.theme;
    made.show(board);
    wire.mark();
  };
  wire.mark = () => made.node.setAttribute("aria-busy", wire.busy || !!wire.board.painting);
  wire.watch(draw);
  draw();
  if (wire.board.kind === "head") greet(wire);
  if (wire.board.kind === "readout" || wire.board.kind === "story") wire.line.watch(() => el.firstChild.classList.toggle("faded", !wire.line.fresh));
  if (wire.board.kind === "status" && wire.board.line) requestAnimationFrame(() => attend(wire, el, model, view));
}

export default { render };
