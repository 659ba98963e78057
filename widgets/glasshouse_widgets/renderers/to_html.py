"""A lab at its state as one HTML file that needs no server and no network: figures, numbers, words, and one look that still moves."""

from __future__ import annotations

import html
import json
from typing import Any

from plotly.offline import get_plotlyjs

from glasshouse_widgets.labs.base import Export, Lab
from glasshouse_widgets.labs.snapshot import MOST, Snapshot, snapshot
from glasshouse_widgets.renderers import boards
from glasshouse_widgets.renderers.arrays import to_json
from glasshouse_widgets.renderers.view import text


def export(lab: Lab, look: str | None = None, states: int = MOST) -> Export:
    """``look``: which one moves; by default the player's, else the first that is a share, else none. Errors as for ``snapshot``."""
    chosen = _default(lab) if look is None else look
    return Export(f"glasshouse-{lab.method.replace('.', '-')}-seed{lab.seed}.html", "text/html", page(lab, snapshot(lab, chosen, states)))


def _default(lab: Lab) -> str:
    return lab.sequence or next((f.name for f in lab.looks.fields.values() if f.kind == "float"), "")


def page(lab: Lab, taken: Snapshot) -> str:
    """The whole document. Text is escaped; data stands in scripts in which no tag can end."""
    info, look = lab.infos[lab.method], taken.look
    moved = [f"{lab.named(1)}: " * name.endswith("~b") + f"{name.removesuffix('~b')} = {value}"
             for name, value in lab.changed.items() if look is None or name != look.name]     # never a path or a prompt
    fixed = f"Problem {lab.problem}, seed {lab.seed}" + "".join(f", {one}" for one in moved) + "; every other knob at its default, "
    fixed += "but for files and texts of one's own."
    absent = (f"Of the looks, {look.label} moves through {len(taken.states)} values; " if look is not None else "Nothing moves here; ") + (
        "everything else is as it was, and nothing is computed. Clicks do nothing.")
    paper = info.paper
    return _PAGE.format(
        title=html.escape(f"{lab.title}: {lab.named(0)}"), theme=lab.theme, css=text("islands.css") + _CSS, head=html.escape(lab.title),
        method=html.escape(lab.named(0) + (f" and {lab.named(1)}" if len(lab.sides) > 1 else "")),
        paper=html.escape(f"{paper.authors} {paper.year}: {paper.title}"), url=html.escape(paper.url, quote=True),
        fixed=html.escape(fixed), absent=html.escape(absent),
        plotly=get_plotlyjs(), data=_script(_data(lab, taken)), program=_PROGRAM)


def _data(lab: Lab, taken: Snapshot) -> dict[str, Any]:
    """Every different figure once: many look the same in many states."""
    figures: dict[str, list[Any]] = {}
    which: list[dict[str, int]] = []
    known: dict[tuple[str, str], int] = {}
    for state in taken.states:
        at = {}
        for name, figure in state.figures.items():
            drawn = to_json(figure)
            if (name, drawn) not in known:
                figures.setdefault(name, []).append(json.loads(drawn))
                known[name, drawn] = len(figures[name]) - 1
            at[name] = known[name, drawn]
        which.append(at)
    panes = [{"name": s.name, "title": boards.title(lab, s), "place": s.place, "height": s.height, "describe": s.describe, "wide": bool(s.stacked)}
             for s in taken.panes]
    words = [{"value": s.value, "readout": [[r.label, r.value, r.unit, r.other] for r in s.readout], "see": s.story.see, "try": s.story.attempt,
              "badge": boards.badge(s.badge) if s.badge else None} for s in taken.states]
    return {"look": taken.look.label if taken.look else "", "start": taken.start, "panes": panes, "figures": figures, "which": which, "states": words}


def _script(value: Any) -> str:
    """JSON that can stand in a script element."""
    return to_json(value).replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")


_CSS = """
body { margin: 0; }
.gh.page { display: grid; gap: 12px; padding: 16px; background: var(--page); min-height: 100vh; align-content: start;
  grid-template: "head head" "move move" "stage state" "second state" 1fr "foot foot" / minmax(0, 7fr) minmax(0, 3fr); }
.gh.page header { grid-area: head; } .gh.page .move { grid-area: move; } .gh.page footer { grid-area: foot; color: var(--muted); }
.gh.page .stage { grid-area: stage; } .gh.page .second { grid-area: second; } .gh.page .state { grid-area: state; }
.gh.page section { display: flex; flex-wrap: wrap; gap: 12px; align-content: start; }
.gh.page section > * { flex: 1 1 320px; min-width: 0; } .gh.page section > .wide { flex-basis: 100%; }
.gh.page .state > * { flex-basis: 100%; }
.gh.page h1 { font-size: 22px; } .gh.page h2 { font-size: 13px; margin-bottom: 4px; }
.gh.page .box, .gh.page figure { background: var(--surface); border: 1px solid var(--line); border-radius: 8px; padding: 10px; }
.gh.page .numbers { display: flex; flex-wrap: wrap; gap: 8px 24px; } .gh.page .numbers b { font-size: 20px; }
.gh.page .move input { width: 100%; accent-color: var(--accent); }
@media (max-width: 900px) { .gh.page { grid-template: "head" "move" "stage" "state" "second" "foot" / minmax(0, 1fr); } }
"""
_PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<meta http-equiv="Content-Security-Policy"
 content="default-src 'none'; script-src 'unsafe-inline' 'unsafe-eval'; style-src 'unsafe-inline'; img-src data: blob:">
<title>{title}</title><style>{css}</style></head>
<body><main class="gh page" data-theme="{theme}"><header><h1>{head}</h1><p><b>{method}</b> <span id="badge"></span></p>
<p>{paper} <a href="{url}">{url}</a></p></header>
<label class="box move" hidden><span id="look"></span><input type="range" min="0" step="1"></label>
<section class="stage"></section><section class="state"><div class="box" id="words"></div></section>
<section class="second"></section><footer><p>{fixed}</p><p>{absent}</p></footer></main>
<script>{plotly}</script><script type="application/json" id="data">{data}</script><script>{program}</script></body></html>
"""
_PROGRAM = """
const data = JSON.parse(document.getElementById("data").textContent), graphs = {};
const make = (tag, text, parent) => { const e = document.createElement(tag); e.textContent = text; parent.append(e); return e; };
for (const pane of data.panes) {
  const box = make("figure", "", document.querySelector("." + pane.place));
  if (pane.wide) box.className = "wide";
  make("h2", pane.title, box);
  graphs[pane.name] = make("div", "", box);
  graphs[pane.name].style.height = pane.height + "px";
  graphs[pane.name].setAttribute("role", "img");
  graphs[pane.name].setAttribute("aria-label", pane.describe || pane.title);
}
const stage = document.querySelector(".stage"), numbers = make("div", "", stage);
numbers.className = "box numbers wide";
function show(i) {
  const state = data.states[i], words = document.getElementById("words");
  for (const [name, k] of Object.entries(data.which[i])) {
    const figure = data.figures[name][k];
    Plotly.react(graphs[name], figure.data, figure.layout, { responsive: true, displaylogo: false, displayModeBar: false });
  }
  numbers.replaceChildren();
  for (const [label, value, unit, other] of state.readout) {
    const one = make("span", label + " ", numbers);
    make("b", value.trim(), one); make("span", " " + (other ? "(" + other.trim() + ") " : "") + unit, one);
  }
  words.replaceChildren();
  make("p", state.see, words);
  document.getElementById("badge").textContent = state.badge ? state.badge.sign + " " + state.badge.kind + ": " + state.badge.statement : "";
  document.getElementById("look").textContent = data.look ? data.look + " " + state.value : "";
}
const move = document.querySelector(".move"), input = move.querySelector("input");
move.hidden = data.states.length < 2;
input.max = data.states.length - 1;
input.value = data.start;
input.setAttribute("aria-label", data.look);
input.addEventListener("input", () => show(+input.value));
show(data.start);
"""
