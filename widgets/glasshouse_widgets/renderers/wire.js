// Controls, numbers and words of a lab, drawn from plain data. One file for Panel and for ipywidgets (anywidget).
// Whatever comes from a person or a model is set as text, never as markup.

const FOCUSED = new Set(["input", "select", "textarea", "button", "summary"]);

function h(tag, attributes = {}, ...children) {
  const node = document.createElement(tag);
  if (FOCUSED.has(tag)) node.dataset.lmSuppressShortcuts = "true";     // or JupyterLab takes the arrow keys
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith("on")) node.addEventListener(name.slice(2), value);
    else if (name === "value" || name === "checked" || name === "disabled") node[name] = value;
    else if (value !== undefined && value !== null && value !== false) node.setAttribute(name, value === true ? "" : value);
  }
  node.append(...children.filter((c) => c !== null && c !== undefined && c !== false));
  return node;
}

let unique = 0;
const id = () => `gh-${++unique}`;
const hint = (text) => h("span", { class: "sr" }, text);

// One wire for both toolkits. At most one message of a drag is under way; the newest value waits for its turn.
class Wire {
  constructor(model) {
    this.panel = typeof model.send_msg === "function";
    this.model = model;
    this.sent = 0;
    this.at = 0;
    this.waiting = new Map();
    this.last = new Map();
    this.flying = new Map();
    this.read();
    this.mark = () => {};                       // shows whether an answer is awaited
    this.line = lineOf(this.board.line);
    this.line.watch(() => this.line.whole || this.ground());
  }
  read() {
    this.board = JSON.parse(this.panel ? this.model.board : this.model.get("board"));
    for (const n of this.flying.keys()) if (n <= (this.board.ack ?? 0)) this.flying.delete(n);
  }
  watch(callback) {
    this.model.on(this.panel ? "board" : "change:board", () => { this.read(); this.line.heard(); callback(); this.next(); });
  }
  listen(callback) { this.model.on("msg:custom", (message) => { this.line.heard(); callback(message); }); }
  beat() { this.line.beat(() => this.post({ do: "beat" })); }
  once() { if (this.line.whole && this.line.asked === null) { this.line.asking(); this.post({ do: "beat" }); } }
  post(message) { this.panel ? this.model.send_msg(message) : this.model.send(message); }
  // The line is cut: what was not answered, and what waited, is kept for when it is whole again.
  ground() {
    const kept = [...this.flying.values(), ...[...this.waiting].map(([key, message]) => ({ message, key }))];
    this.flying.clear();
    this.waiting.clear();
    this.last.clear();
    this.sent = this.board.ack ?? 0;
    kept.forEach(({ message, key }) => this.line.hold(message, key));
    this.mark();
  }
  get busy() { return this.behind || this.waiting.size > 0; }
  get behind() { return (this.board.ack ?? 0) < this.sent; }
  ask(message, key) {
    if (!this.line.whole) return this.line.hold(message, key);
    if (key === undefined || !this.behind || performance.now() - this.at > 2000) return this.transmit(message, key);
    this.waiting.set(key, message);
    this.last.set(key, Infinity);
    this.mark();
    setTimeout(() => this.next(), 2100);
  }
  transmit(message, key) {
    this.sent += 1;
    this.at = performance.now();
    if (key !== undefined) { this.waiting.delete(key); this.last.set(key, this.sent); }
    this.flying.set(this.sent, { message, key });
    this.line.asking();
    this.post({ ...message, n: this.sent });
    this.mark();
  }
  next() {
    if (this.waiting.size && (!this.behind || performance.now() - this.at > 2000)) {
      const [key, message] = this.waiting.entries().next().value;
      this.transmit(message, key);
    }
  }
  moving(key) { return (this.last.get(key) ?? 0) > (this.board.ack ?? 0); }
}
