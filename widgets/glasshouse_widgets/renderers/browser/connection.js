// Does the page still have its Python? One line per lab that is shown, shared by its parts: they are modules of their own.
// Stands before wire.js. A line is "open"; "waiting" while a kernel computes in another cell; "silent" when questions stay without an
// answer; "cut" when there is no connection; "back" when the server is there again without this lab; "gone" when the kernel is another.

const BEAT = 1000;              // ms between two questions of a page that nobody touches
const PATIENCE = 1800;          // ms after which a question counts as unanswered: said within BEAT + PATIENCE, less than 3 s
const DEAF = 5000;              // ms of silence after which the socket is given up, if the server answers otherwise
const CLOCK = { now: () => performance.now(), later: (work, ms) => setTimeout(work, ms), stop: (timer) => clearTimeout(timer) };
const KEPT = new Set(["set", "choose", "preset", "reset"]);      // what makes sense later too

class Line {
  constructor(name = "", clock = CLOCK) {
    this.name = name;
    this.clock = clock;
    this.state = "open";
    this.watchers = [];
    this.held = [];
    this.asked = null;          // when the oldest question without an answer was asked
    this.busy = () => false;    // is Python known to do something else
    this.whom = "server";
  }
  get whole() { return this.state === "open" || this.state === "waiting" || this.state === "silent"; }
  get fresh() { return this.state === "open" || this.state === "waiting"; }
  watch(callback) { this.watchers.push(callback); callback(this.state); }
  become(state) {
    if (state === this.state || this.state === "gone") return;
    this.state = state;
    if (!this.whole) this.settle();
    for (const callback of this.watchers) callback(state);
  }
  settle() { this.clock.stop(this.timer); this.asked = null; }
  asking() {
    if (this.asked !== null || !this.whole) return;
    this.asked = this.clock.now();
    this.expect(PATIENCE);
  }
  expect(ms) {
    const due = this.clock.now() + ms;
    this.timer = this.clock.later(() => {
      if (this.asked === null) return;
      if (this.clock.now() - due > BEAT) return this.expect(PATIENCE);      // the page itself was held up, or slept: what has come is yet to be read
      this.become(this.busy() ? "waiting" : "silent");
      this.expect(BEAT);
    }, ms);
  }
  heard() {
    if (!this.whole) return;
    this.settle();
    this.become("open");
  }
  // Questions without end while somebody may look.
  beat(ask, seen = () => !document.hidden) {
    const once = () => {
      if (this.whole && this.asked === null && seen()) { this.asking(); ask(); }
      this.clock.later(once, BEAT);
    };
    once();
  }
  // What is said into a cut line: of each control the last.
  hold(message, key) {
    if (!KEPT.has(message.do)) return;
    if (key !== undefined) this.held = this.held.filter((one) => one.key !== key);
    this.held.push({ message, key });
    for (const callback of this.watchers) callback(this.state);
  }
  release(send) {
    const held = this.held;
    this.held = [];
    held.forEach(({ message, key }) => send(message, key));
  }
}

function lineOf(name) {
  const lines = (window.glasshouseLines ??= new Map());
  if (!name) return new Line();           // a page without Python
  if (!lines.has(name)) lines.set(name, new Line(name));
  return lines.get(name);
}

// A page of our server. Bokeh says when its socket is closed and can open it again; whether the lab is still there, the server's door says.
function watchServer(line, document) {
  if (line.document === document) return;
  line.document = document;
  const ask = async () => {
    try {
      const answer = await fetch(`door?line=${line.name}`, { cache: "no-store", signal: AbortSignal.timeout(2000) });
      return answer.ok ? await answer.json() : { alive: true };           // another server's page: what is left is to try
    } catch { return null; }
  };
  let looking = false, tries = 0;
  const look = async (event) => {
    const found = await ask();
    if (line.state === "cut" && found?.alive && tries < 3) { tries += 1; event.reconnect(); }
    else if (line.state === "cut" && found) line.become("back");
    looking = line.state === "cut";
    if (looking) line.clock.later(() => look(event), BEAT);
  };
  document.on_event("connection_lost", (_, event) => {
    if (line.state !== "cut") tries = 0;
    line.become("cut");
    if (!looking) { looking = true; look(event); }
  });
  const deaf = async () => {              // a socket can be dead without being closed
    if (line.state === "silent" && line.clock.now() - line.asked > DEAF && (await ask()) && line.state === "silent") window.glasshouseSocket?.close();
    line.clock.later(deaf, DEAF);
  };
  deaf();
}

// A notebook. Jupyter says what becomes of its kernel; questions of ours would only make it look busy, and keep it from being culled.
const ENDED = new Set(["restarting", "autorestarting", "terminating", "dead"]);

function watchKernel(line, kernel) {
  line.whom = "kernel";
  if (!kernel?.statusChanged) return;
  line.busy = () => kernel.status === "busy";
  const look = () => {
    if (kernel.isDisposed || ENDED.has(kernel.status)) line.become("gone");
    else if (kernel.connectionStatus === "connected") line.become(line.state === "cut" ? "open" : line.state);
    else line.become("cut");
  };
  kernel.statusChanged.connect(look);
  kernel.connectionStatusChanged.connect(look);
  kernel.disposed?.connect(look);
  look();
}
