// A page that plays a recording of a lab. Its parts are those of the live page (Island, Plot); what a server would say stands in the page.

class Recorded {                    // what such a part takes for its connection
  constructor(values) { this.values = values; this.watchers = {}; }
  get(name) { return JSON.stringify(this.values[name]); }
  set(values) {
    Object.assign(this.values, values);
    for (const name of Object.keys(values)) (this.watchers[`change:${name}`] ?? []).forEach((told) => told());
  }
  on(name, told) { (this.watchers[name] ??= []).push(told); }
  send() {}
}

// A copy of what was, with what a difference says is new: see difference.py.
function patched(was, change) {
  if (change === null) return was;
  if ("new" in change) return change.new;
  const now = Array.isArray(was) ? [...was] : { ...was };
  for (const key of change.gone ?? []) delete now[key];
  for (const [key, part] of Object.entries(change.at)) now[key] = patched(now[key], part);
  return now;
}

const Recording = (() => {
  const data = JSON.parse(document.getElementById("recording").textContent);
  const figure = (name, theme, state) => {
    const all = data.figures[name], k = data.which[theme][state][name];
    return k ? patched(all[0], all[k]) : all[0];
  };
  const page = document.querySelector(".still"), at = (name) => page.querySelector(`.still-${name}`);
  const input = at("look").querySelector("input"), where = at("where"), play = at("play"), shade = at("shade"), badge = page.querySelector(".badge");
  const dark = matchMedia("(prefers-color-scheme: dark)");
  let theme = dark.matches ? "dark" : "light", state = data.start, timer = 0;

  const place = (name) => at(name).appendChild(document.createElement("div"));
  const island = (kind, into) => {
    const model = new Recorded({ board: { kind, shape: [], theme, items: [] } });
    Island.render({ model, el: place(into) });
    return (board) => model.set({ board: { kind, shape: [], theme, ...board } });
  };
  const readout = island("readout", "readout"), story = island("story", "aside");
  const panes = data.panes.map((pane) => {
    const el = place({ state: "aside" }[pane.place] ?? pane.place);
    el.className = pane.wide ? "still-wide" : "";
    const model = new Recorded({ board: { ...pane.board, theme }, figure: figure(pane.name, theme, state) });
    Plot.render({ model, el });
    return { name: pane.name, board: pane.board, model };
  });

  function show(next, shaded = theme) {
    const recoloured = shaded !== theme;
    [state, theme] = [next, shaded];
    page.dataset.theme = document.documentElement.dataset.theme = theme;
    shade.textContent = theme === "dark" ? "Light" : "Dark";
    shade.setAttribute("aria-label", `${shade.textContent} colours`);
    const now = data.states[state];
    for (const { name, board, model } of panes) {
      if (recoloured) model.set({ board: { ...board, theme } });
      model.set({ figure: figure(name, theme, state) });
    }
    readout({ items: now.readout });
    story(now.story);
    where.textContent = now.where;
    input.value = state;
    input.setAttribute("aria-valuetext", now.where);
    badge.dataset.tone = now.badge?.tone ?? "";
    badge.querySelector("summary").textContent = now.badge ? `${now.badge.sign} ${now.badge.kind}` : "";
    badge.querySelector("p").textContent = now.badge?.statement ?? "";
    badge.hidden = !now.badge;
  }

  const last = data.states.length - 1;
  const rest = () => { clearTimeout(timer); timer = 0; play.textContent = "Play"; };
  const step = () => {
    show(Math.min(state + 1, last));
    if (state === last) rest(); else timer = setTimeout(step, 800);
  };
  play.addEventListener("click", () => {
    if (timer) { rest(); return; }
    play.textContent = "Pause";
    show(state === last ? 0 : state);
    timer = setTimeout(step, 800);
  });
  input.max = last;
  input.addEventListener("input", () => { rest(); show(+input.value); });
  shade.addEventListener("click", () => show(state, theme === "dark" ? "light" : "dark"));
  dark.addEventListener("change", () => show(state, dark.matches ? "dark" : "light"));
  at("look").hidden = last < 1;
  show(state);
  return { figure, states: data.states.length, get state() { return state; } };
})();
