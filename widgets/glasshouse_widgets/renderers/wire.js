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
    this.read();
    this.sent = 0;
    this.at = 0;
    this.waiting = new Map();
    this.last = new Map();
  }
  read() { this.board = JSON.parse(this.panel ? this.model.board : this.model.get("board")); }
  watch(callback) {
    this.model.on(this.panel ? "board" : "change:board", () => { this.read(); callback(); this.next(); });
  }
  listen(callback) { this.model.on("msg:custom", callback); }
  get behind() { return (this.board.ack ?? 0) < this.sent; }
  ask(message, key) {
    if (key === undefined || !this.behind || performance.now() - this.at > 2000) return this.transmit(message, key);
    this.waiting.set(key, message);
    this.last.set(key, Infinity);
    setTimeout(() => this.next(), 2100);
  }
  transmit(message, key) {
    this.sent += 1;
    this.at = performance.now();
    if (key !== undefined) { this.waiting.delete(key); this.last.set(key, this.sent); }
    const full = { ...message, n: this.sent };
    this.panel ? this.model.send_msg(full) : this.model.send(full);
  }
  next() {
    if (this.waiting.size && (!this.behind || performance.now() - this.at > 2000)) {
      const [key, message] = this.waiting.entries().next().value;
      this.transmit(message, key);
    }
  }
  moving(key) { return (this.last.get(key) ?? 0) > (this.board.ack ?? 0); }
}
