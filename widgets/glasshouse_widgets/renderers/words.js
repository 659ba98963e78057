// The words of a figure: annotations that are nothing but text at a place of the paper. The page sets them ten times as fast as Plotly,
// which draws every one anew with every picture; downloads get them back from Plotly. Stands before plot.js in one module.

const ONLY = new Set(["text", "x", "y", "xref", "yref", "showarrow", "xanchor", "yanchor", "align", "font", "xshift", "yshift"]);
const AT = { left: 0, center: -50, right: -100, top: 0, middle: -50, bottom: -100 };
const TAG = /<(\/?)(b|i|u|s|em|strong|sub|sup|span|br)(?:\s+style=["']([^"'<>]*)["'])?\s*\/?>/;
const NAMED = { lt: "<", gt: ">", amp: "&", quot: '"', nbsp: "\u00a0" };

function isWords(a) {
  return a.xref === "paper" && a.yref === "paper" && a.showarrow === false && a.xanchor in AT && a.yanchor in AT && Object.keys(a).every((key) => ONLY.has(key));
}

// [the layout without its words, the words]
function parted(layout) {
  const all = layout.annotations ?? [];
  if (layout.margin?.autoexpand !== false || !all.some(isWords)) return [layout, []];
  return [{ ...layout, annotations: all.filter((a) => !isWords(a)) }, all.filter(isWords)];
}

const plain = (text) => text.replace(/&(?:#(\d+)|([a-z]+));/g, (whole, code, name) => (code ? String.fromCodePoint(+code) : NAMED[name] ?? whole));

// Words above or below the drawing break where the figure ends; the words further out and the margin make room for the new lines.
// [the layout that holds them all, the pixels it is taller above and below: never fewer than ``least``, so that nothing jumps]
const SIDES = [["bottom", 1], ["top", 0]], pen = document.createElement("canvas").getContext("2d");

function fitted(layout, width, least = [0, 0]) {
  const { margin: m, font } = layout, annotations = [...(layout.annotations ?? [])];
  if (!width || m?.autoexpand !== false) return [layout, [0, 0]];
  const grown = SIDES.map(([anchor, y], side) => {
    const up = y || -1, out = (a) => up * (a.yshift ?? 0);
    const order = [...annotations.keys()].filter((i) => isWords(annotations[i]) && annotations[i].y === y && annotations[i].yanchor === anchor)
      .sort((i, j) => out(annotations[i]) - out(annotations[j]));
    let pushed = 0, level = 0, at = null;          // by the rows nearer to the drawing; by this row
    for (const i of order) {
      const a = annotations[i], text = broken(a, m, font, width), added = text.split("<br>").length - a.text.split("<br>").length;
      if (out(a) !== at) { pushed += level; level = 0; at = out(a); }
      level = Math.max(level, Math.round(added * 1.3 * (a.font?.size ?? font.size)));
      annotations[i] = { ...a, text, yshift: (a.yshift ?? 0) + up * pushed };
    }
    return Math.max(least[side], pushed + level);
  });
  return [{ ...layout, annotations, margin: { ...m, t: m.t + grown[0], b: m.b + grown[1] } }, grown];
}

// Its text with breaks: between the items of a key where each fits, else between words.
function broken(a, m, font, width) {
  const set = { ...font, ...a.font }, x = m.l + a.x * (width - m.l - m.r) + (a.xshift ?? 0);
  const room = { left: width - x, right: x, center: 2 * Math.min(x, width - x) }[a.xanchor] - 4;
  const fits = (text) => {
    pen.font = `${/<(b|strong)>/.test(text) ? "bold " : ""}${set.size}px ${set.family}`;
    return pen.measureText(plain(text.replace(/<[^>]*>/g, ""))).width <= room;
  };
  const GAP = "   ", words = (text) => text.match(/(?:<[^>]*>|[^\s<])+/g) ?? [];
  return a.text.split("<br>").flatMap((line) => {
    if (fits(line)) return [line];
    const pieces = line.split(GAP).flatMap((item) => (fits(item) ? [[GAP, item]] : words(item).map((word, j) => [j ? " " : GAP, word])));
    return pieces.reduce((made, [gap, piece]) => {
      const longer = made.length && made.at(-1) + gap + piece;
      return longer && fits(longer) ? [...made.slice(0, -1), longer] : [...made, piece];
    }, []);
  }).join("<br>");
}

// Plotly's few tags become elements; whatever else looks like one is text.
function write(node, text) {
  const parts = text.split(TAG), open = [node];
  const put = (piece) => { if (piece) open.at(-1).append(plain(piece)); };
  put(parts[0]);
  for (let i = 1; i < parts.length; i += 4) {
    const [closing, tag, style, after] = parts.slice(i, i + 4);
    if (tag === "br") open.at(-1).append(document.createElement("br"));
    else if (!closing) {
      const inner = document.createElement(tag);
      const [, color] = /(?:^|;)\s*color:\s*(#?\w+)/.exec(style ?? "") ?? [];
      if (color) inner.style.color = color;
      open.at(-1).append(inner);
      open.push(inner);
    } else if (open.length > 1 && open.at(-1).localName === tag) open.pop();
    put(after);
  }
}

// Sets words in a sheet that covers the figure. What did not change since the last call is left alone.
function setter(sheet) {
  let last = [];
  return (words, { margin: m, font }) => {
    const now = words.map((a) => JSON.stringify([a, m, font]));
    while (sheet.children.length > words.length) sheet.lastChild.remove();
    words.forEach((a, i) => {
      if (now[i] === last[i]) return;
      const line = document.createElement("div"), set = { ...font, ...a.font };
      Object.assign(line.style, {
        left: `calc(${m.l + (a.xshift ?? 0)}px + ${a.x} * (100% - ${m.l + m.r}px))`,
        top: `calc(${m.t - (a.yshift ?? 0)}px + ${1 - a.y} * (100% - ${m.t + m.b}px))`,
        transform: `translate(${AT[a.xanchor]}%, ${AT[a.yanchor]}%)`, textAlign: a.align ?? "center",
        color: set.color, fontFamily: set.family, fontSize: `${set.size}px` });
      write(line, a.text);
      if (sheet.children[i]) sheet.children[i].replaceWith(line);
      else sheet.append(line);
    });
    last = now;
  };
}
