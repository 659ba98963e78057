// The words of a figure: annotations that are nothing but text at a place of the paper. The page sets them ten times as fast as Plotly,
// which draws every one anew with every picture; downloads get them back from Plotly. Stands before plot.js in one module.

const ONLY = new Set(["text", "x", "y", "xref", "yref", "showarrow", "xanchor", "yanchor", "align", "font", "xshift", "yshift"]);
const AT = { left: 0, center: -50, right: -100, top: 0, middle: -50, bottom: -100 };
const TAG = /<(\/?)(b|i|u|s|em|strong|sub|sup|span|br)(?:\s+style="([^"<>]*)")?\s*\/?>/;
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
