// Knobs: sliders with exact numbers beside them, choices, switches, texts; each named, each with its message below it.
// Follows wire.js in one module.

const decimals = (step) => (step >= 1 ? 0 : Math.min(6, Math.ceil(-Math.log10(step) - 1e-9)));
const same = (a, b) => JSON.stringify(a) === JSON.stringify(b);

// A slider in steps; a logarithmic one moves in 200 equal steps of the logarithm.
function scale(c) {
  if (!c.log) return { low: c.low, high: c.high, step: c.step, to: (v) => v, from: (x) => +x.toFixed(decimals(c.step)) };
  const [a, b] = [Math.log(c.low), Math.log(c.high)];
  return { low: 0, high: 200, step: 1, to: (v) => ((Math.log(v) - a) / (b - a)) * 200,
    from: (x) => +Math.exp(a + ((b - a) * x) / 200).toPrecision(3) };
}

function numeric(c, wire) {
  const name = id(), s = c.slides ? scale(c) : null;
  const box = h("input", { type: "number", class: "num", id: s ? undefined : name, step: c.step ?? "any", min: c.low, max: c.high,
    placeholder: c.optional ? "none" : undefined, "aria-label": s ? `${c.spoken}, exact` : undefined,
    onchange: () => wire.ask({ do: "set", key: c.key, value: box.value === "" ? null : +box.value }, c.key) });
  const slider = s && h("input", { type: "range", id: name, min: s.low, max: s.high, step: s.step,
    oninput: () => { box.value = s.from(+slider.value); say(); wire.ask({ do: "set", key: c.key, value: s.from(+slider.value) }, c.key); } });
  const say = () => slider && slider.setAttribute("aria-valuetext", `${box.value} ${c.unit}`.trim());
  const show = (value) => {
    if (wire.moving(c.key)) return;
    if (slider && value !== null) slider.value = s.to(value);
    if (!box.matches(":focus") || !box.validity.badInput) box.value = value ?? "";
    say();
  };
  const head = h("div", { class: "line" }, label(c, name), box);
  return { node: h("div", {}, head, slider), show, mark: slider || box };
}

const label = (c, name) => h("label", { for: name, title: c.help },
  c.label, c.unit && h("span", { class: "unit" }, ` ${c.unit}`), c.cost === "job" && h("span", { class: "unit", title: "starts a new run" }, " ↻"));

function choice(c, wire) {
  const name = id(), send = (value) => wire.ask({ do: "set", key: c.key, value }, c.key);
  if (c.choices.length <= 3 && c.choices.every((o) => o.text.length < 14)) {
    const radios = c.choices.map((o) => h("input", { type: "radio", name, onchange: () => send(o.value) }));
    const node = h("div", { role: "radiogroup", "aria-label": c.spoken, class: "segments" },
      ...c.choices.map((o, i) => h("label", {}, radios[i], h("span", {}, o.text))));
    return { node: h("div", {}, h("div", { class: "line" }, h("span", { title: c.help }, c.label)), node), mark: node,
      show: (value) => { if (!wire.moving(c.key)) radios.forEach((r, i) => { r.checked = same(c.choices[i].value, value); }); } };
  }
  const select = h("select", { id: name, onchange: () => send(c.choices[select.selectedIndex].value) },
    ...c.choices.map((o) => h("option", {}, o.text)));
  return { node: h("div", { class: "line" }, label(c, name), select), mark: select,
    show: (value) => { if (!wire.moving(c.key)) select.selectedIndex = c.choices.findIndex((o) => same(o.value, value)); } };
}

function toggle(c, wire) {
  const name = id();
  const box = h("input", { type: "checkbox", role: "switch", id: name, onchange: () => wire.ask({ do: "set", key: c.key, value: box.checked }, c.key) });
  return { node: h("div", { class: "line" }, label(c, name), box), mark: box,
    show: (value) => { if (!wire.moving(c.key)) box.checked = !!value; } };
}

function written(c, wire) {
  const name = id();
  const box = h(c.long ? "textarea" : "input", { id: name, rows: 4, maxlength: c.longest, spellcheck: "false",
    onchange: () => wire.ask({ do: "set", key: c.key, value: box.value }, c.key) });
  return { node: h("div", {}, label(c, name), box, c.file && chooser(c, wire)), mark: box,
    show: (value) => { if (!wire.moving(c.key) && !box.matches(":focus")) box.value = value ?? ""; } };
}

// A file goes up in pieces: a server takes no message of more than a megabyte.
const PIECE = 480 * 1024;
function chooser(c, wire) {
  const input = h("input", { type: "file", accept: c.file.join(","), "aria-label": `${c.spoken}: choose a file`, onchange: async () => {
    const [file] = input.files;
    if (!file) return;
    const end = file.size > 64e6 ? 1 : Math.max(file.size, 1);       // a larger one is refused at its first piece
    for (let at = 0; at < end; at += PIECE) {
      const bytes = new Uint8Array(await file.slice(at, at + PIECE).arrayBuffer());
      let text = "";
      for (let i = 0; i < bytes.length; i += 8192) text += String.fromCharCode(...bytes.subarray(i, i + 8192));
      wire.ask({ do: "upload", key: c.key, name: file.name, at, size: file.size, data: btoa(text) });
    }
    input.value = "";
  } });
  return input;
}

const MAKERS = { number: numeric, choice, toggle, text: written };

function control(c, wire, shows) {
  const made = MAKERS[c.widget](c, wire);
  const message = h("p", { class: "message", id: id(), role: "alert" });
  made.mark.setAttribute("aria-describedby", message.id);
  if (c.help) made.node.append(hint(c.help));
  shows.push((values, messages) => {
    made.show(values[c.key]);
    const said = messages[c.key] ?? "";
    if (message.textContent !== said) message.textContent = said;
    made.mark.toggleAttribute("aria-invalid", !!said);
  });
  made.node.append(message);
  made.node.classList.add("knob");
  return made.node;
}

function options(select, all, value) {
  if (!same(select.shown, all)) {
    select.shown = all;
    select.replaceChildren(...all.map((o) => h("option", { value: o.value }, o.text)));
  }
  select.value = value;
}

function picker(text, wire, what) {
  const name = id();
  const select = h("select", { id: name, onchange: () => wire.ask({ do: "choose", what, value: select.value }) });
  return [h("span", { class: "pick" }, h("label", { for: name }, text), select), select];
}

// What is computed on, and from which randomness.
function source(wire, shows) {
  const [problem, problems] = picker("problem", wire, "problem");
  const seed = h("input", { type: "number", class: "num", min: 0, max: 2147483647, step: 1, id: id(),
    onchange: () => wire.ask({ do: "choose", what: "seed", value: +seed.value }, "seed") });
  const message = h("p", { class: "message", role: "alert" });
  shows.push((_, messages, now) => {
    options(problems, now.problems, now.problem);
    if (!seed.matches(":focus")) seed.value = now.seed;
    message.textContent = messages.seed ?? "";
  });
  return h("fieldset", {}, h("legend", {}, "what it works on"), problem,
    h("div", { class: "line" }, h("label", { for: seed.id, title: "all randomness derives from it" }, "seed"), seed), message);
}

function knobs(board, wire) {
  const shows = [];
  const groups = board.groups.map((g) => h("fieldset", { class: g.looks ? "looks" : "" }, h("legend", {}, g.title),
    ...g.controls.map((c) => control(c, wire, shows)),
    g.folded.length > 0 && h("details", {}, h("summary", {}, "more"), ...g.folded.map((c) => control(c, wire, shows)))));
  const said = h("p", { class: "message quiet", role: "status" });
  const link = h("input", { class: "link", readonly: true, "aria-label": "Link to this state", hidden: true });
  const copy = async () => {
    const text = wire.board.link;
    link.value = text.startsWith("?") ? new URL(text, location.href).href : text;
    try { await navigator.clipboard.writeText(link.value); said.textContent = "Copied. It opens exactly this."; }
    catch { link.hidden = false; link.select(); said.textContent = "Copy the line above."; }
  };
  wire.listen((file) => {
    if (!file || file.filename === undefined) return;
    const url = URL.createObjectURL(new Blob([file.text], { type: file.mime }));
    h("a", { href: url, download: file.filename }).click();
    setTimeout(() => URL.revokeObjectURL(url), 10000);
  });
  const actions = board.actions.map((a) => {
    const message = h("p", { class: "message", role: "alert" });
    const button = h("button", { type: "button", title: a.help, onclick: () => wire.ask({ do: "act", name: a.name }) });
    shows.push((_, messages, now) => {
      const busy = now.acting.includes(a.name);
      button.textContent = busy ? a.busy || `${a.label}: stop` : a.label;
      button.classList.toggle("busy", busy);
      message.textContent = messages[a.name] ?? "";
    });
    return h("div", {}, button, hint(a.help), message);
  });
  const tools = h("div", { class: "tools", role: "group", "aria-label": "This state" },
    h("button", { type: "button", onclick: () => wire.ask({ do: "reset" }) }, "Reset"),
    h("button", { type: "button", onclick: copy }, "Copy link"),
    h("button", { type: "button", onclick: () => wire.ask({ do: "export", kind: "csv" }) }, "CSV"),
    h("button", { type: "button", onclick: () => wire.ask({ do: "export", kind: "json" }) }, "JSON"),
    h("button", { type: "button", title: "one file with these pictures, that opens without a server", onclick: () => wire.ask({ do: "export", kind: "html" }) }, "HTML"));
  const node = h("section", { class: "knobs", "aria-label": "Knobs" }, source(wire, shows), ...groups,
    actions.length > 0 && h("fieldset", {}, h("legend", {}, "to find out"), ...actions), tools, link, said);
  let later = 0;
  const show = (now) => {
    shows.forEach((f) => f(now.values, now.messages, now));
    wire.line.knobs = now;
    clearTimeout(later);        // browsers allow only so many changes of the address
    if (now.address && location.search !== now.link) later = setTimeout(() => history.replaceState(null, "", now.link), 400);
  };
  return { node, show };
}
