// What the page says of a line that is not whole, in the place of its status, and how the state goes on. Follows wire.js.

const SAYS = {
  waiting: () => "The kernel is busy; this lab answers when that is done.",
  silent: ({ whom }) => `The ${whom} does not answer: it is busy, or out of reach. The figures may be old.`,
  cut: ({ whom, held }) => `Cut off from the ${whom}: the figures are old. What you ${held.length ? "changed" : "change"} is kept until it is back.`,
  back: () => "The server is back, but not this lab: the figures are old.",
  gone: () => "The kernel has ended or was restarted, and this lab with it: the figures are old.",
};
const RELOAD = "Reload with this state", COPY = "Copy the line that opens this state", BAG = "glasshouse-kept";

function severed(wire) {
  const { line } = wire, text = h("span", { role: "status" });
  const button = h("button", { type: "button", onclick: async () => {
    if (button.textContent === COPY) text.textContent = await copied(opening(line)) ? "Copied. Run it in a cell." : opening(line);
    else if (await there(line)) reload(line);
    else text.textContent = "The server does not answer yet.";
  } });
  const node = h("div", { class: "severed", hidden: true }, h("span", { class: "cross", "aria-hidden": "true" }), text, button);
  const show = (status) => {
    status.classList.toggle("adrift", line.state !== "open");
    node.hidden = line.state === "open";
    node.dataset.line = line.state;
    if (!node.hidden) text.textContent = SAYS[line.state](line);
    button.textContent = offer(line);
    button.hidden = !button.textContent;
  };
  return { node, show };
}

function offer({ state, whom, knobs }) {
  if (!knobs) return "";
  const reloads = whom === "server" ? state === "back" && knobs.address : knobs.link.startsWith("?") && (state === "gone" || state === "cut");
  return reloads ? RELOAD : whom === "kernel" && state === "gone" ? COPY : "";
}

async function copied(text) {
  try { await navigator.clipboard.writeText(text); return true; }
  catch { return false; }
}

// A page of ours asks its door before it offers to reload; Voilà's has no door.
async function there({ whom }) {
  if (whom === "server") return true;
  const base = JSON.parse(document.getElementById("jupyter-config-data")?.textContent ?? "{}").baseUrl ?? "/";
  try { return (await fetch(`${base}voila/static/voila.js`, { cache: "no-store", signal: AbortSignal.timeout(2000) })).ok; }
  catch { return false; }
}

// The address carries the state, as far as links may; what was typed, and what was said into the cut line, stays in this browser.
function reload(line) {
  const { link, groups, values } = line.knobs;
  const typed = groups.flatMap((g) => [...g.controls, ...g.folded]).filter((c) => c.widget === "text" && values[c.key])
    .map((c) => ({ message: { do: "set", key: c.key, value: values[c.key] }, key: c.key }));
  typed.filter(({ key }) => !line.held.some((one) => one.key === key)).reverse().forEach((one) => line.held.unshift(one));
  try { sessionStorage.setItem(BAG, JSON.stringify({ link, held: line.held })); }
  catch { /* a browser that keeps nothing */ }
  location.replace(location.pathname + link);
}

function unpack(line) {
  try {
    const { link, held } = JSON.parse(sessionStorage.getItem(BAG) ?? "{}");
    if (link !== location.search) return;
    sessionStorage.removeItem(BAG);
    line.held.unshift(...held);
  } catch { /* as above */ }
}

// The line of Python that opens the state which the page knew last, with what was moved since.
function opening({ knobs, held }) {
  const state = structuredClone(knobs.state);
  for (const { message: { do: verb, key, what, value } } of held) {
    const [name, second] = (key ?? "").split("~");
    if (verb === "set") (second ? (state.other ??= {}) : state.values)[name] = value;
    else if (verb === "choose") state[what] = value;
  }
  return `${knobs.opener}.from_state(${python(state)})`;
}

function python(value) {
  if (value === null || value === undefined) return "None";
  if (typeof value === "boolean") return value ? "True" : "False";
  if (Array.isArray(value)) return `[${value.map(python).join(", ")}]`;
  if (typeof value === "object") return `{${Object.entries(value).map(([k, v]) => `${JSON.stringify(k)}: ${python(v)}`).join(", ")}}`;
  return JSON.stringify(value);
}
