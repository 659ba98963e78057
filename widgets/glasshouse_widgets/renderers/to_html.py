"""A lab at its state as a page that needs no server and no network: its own figures, numbers and words, and one look that still moves."""

from __future__ import annotations

import html
import json
from collections.abc import Iterable
from typing import Any

from plotly.offline import get_plotlyjs

from glasshouse_widgets.labs.base import Export, Lab, Slot
from glasshouse_widgets.labs.snapshot import MOST, Snapshot, snapshot
from glasshouse_widgets.renderers import boards
from glasshouse_widgets.renderers.arrays import to_json
from glasshouse_widgets.renderers.difference import difference
from glasshouse_widgets.renderers.view import CONNECTION, ISLAND, STYLES, text


def part(name: str, module: str) -> str:
    """A module of a live page as the constant ``name``: pages that are opened from a folder may load no modules."""
    return f"const {name} = (() => {{\n{module.replace('export default { render };', 'return { render };')}\n}})();"


LIVE = 'pip install "glasshouse[widgets]"'
SHEETS = STYLES + text("browser/still.css")
PARTS = "\n".join((part("Island", ISLAND), part("Plot", text(CONNECTION, "words.js", "bring.js", "plot.js"))))
PROGRAM = text("browser/still.js")


def export(lab: Lab, look: str | None = None, states: int = MOST) -> Export:
    """``look``: which one moves; by default the player's, else the first that is a share, else none. Errors as for ``snapshot``."""
    return Export(f"glasshouse-{lab.method.replace('.', '-')}-seed{lab.seed}.html", "text/html", page(lab, taken(lab, look, states)))


def taken(lab: Lab, look: str | None = None, states: int = MOST) -> Snapshot:
    """The snapshot of :func:`export`."""
    default = lab.sequence or next((f.name for f in lab.looks.fields.values() if f.kind == "float"), "")
    return snapshot(lab, default if look is None else look, states)


def page(lab: Lab, recorded: Snapshot, home: str = "", shared: Iterable[str] | None = None) -> str:
    """The whole document. Text is escaped; data stands in scripts in which no tag can end.

    ``home``: the address of the gallery, if there is one. ``shared``: addresses of :func:`assets` beside the page; else all is in it.
    """
    info, look = lab.infos[lab.method], recorded.look
    changed = [(f"{lab.named(1)}: " if name.endswith("~b") else "") + f"{name.removesuffix('~b')} = {value}"
               for name, value in lab.changed.items() if look is None or name != look.name]     # never a path or a prompt
    fixed = ", ".join([f"Problem {lab.problem}, seed {lab.seed}", *changed]) + "; every other knob at its default, "
    fixed += "but for files and texts of one's own."
    moves = f"Of the looks, {look.label} moves through {len(recorded.states)} values; " if look is not None else "Nothing moves here; "
    body = _BODY.format(
        home=f'<a class="home" href="{html.escape(home, quote=True)}">Glasshouse</a>' if home else "", title=html.escape(lab.title),
        method=html.escape(lab.named(0) + (f" and {lab.named(1)}" if len(lab.sides) > 1 else "")), question=html.escape(lab.question),
        paper=html.escape(f"{info.paper.authors} {info.paper.year}: {info.paper.title}"), url=html.escape(info.paper.url, quote=True),
        look=html.escape(look.label if look is not None else ""), moves=html.escape(moves), fixed=html.escape(fixed), live=html.escape(LIVE))
    data = f'<script type="application/json" id="recording">{script(_data(lab, recorded))}</script>'
    return document(f"{lab.title}: {lab.named(0)}", body + data, shared, PROGRAM)


def assets() -> dict[str, str]:
    """What pages of one folder share, by file name: a style sheet, then programs in their order."""
    return {"glasshouse.css": SHEETS, "plotly.min.js": get_plotlyjs(), "parts.js": PARTS, "still.js": PROGRAM}


def document(title: str, body: str, shared: Iterable[str] | None, program: str = "") -> str:
    """A page whose styles and programs stand in it, or beside it under the addresses ``shared``."""
    if shared is None:
        head = f"{_ALONE}<style>{SHEETS}</style>"
        ends = "".join(f"<script>{source}</script>" for source in (get_plotlyjs(), PARTS, program))
    else:
        addresses = list(shared)
        head = "".join(f'<link rel="stylesheet" href="{a}">' for a in addresses if a.endswith(".css"))
        ends = "".join(f'<script src="{a}"></script>' for a in addresses if a.endswith(".js"))
    return _PAGE.format(title=html.escape(title), head=head, body=body, ends=ends)


def script(value: Any) -> str:
    """JSON that can stand in a script element."""
    return to_json(value).replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")


def _data(lab: Lab, recorded: Snapshot) -> dict[str, Any]:
    """The first figure of every pane, then what each different one has else: many look the same in many states."""
    figures: dict[str, list[Any]] = {}
    known: dict[tuple[str, str], int] = {}
    bases: dict[str, Any] = {}

    def number(name: str, figure: dict[str, Any]) -> int:
        drawn = to_json(figure)
        if (name, drawn) not in known:
            plain, mine = json.loads(drawn), figures.setdefault(name, [])
            mine.append(difference(bases[name], plain) if name in bases else plain)
            bases.setdefault(name, plain)
            known[name, drawn] = len(mine) - 1
        return known[name, drawn]

    which = {theme: [{name: number(name, figure) for name, figure in state.themed[theme].items()} for state in recorded.states]
             for theme in recorded.states[0].themed}
    panes = [{"name": s.name, "place": s.place, "wide": bool(s.stacked), "board": _board(lab, s)} for s in recorded.panes]
    states = [{"where": _where(lab, recorded, s.value), "readout": boards.numbers(s.readout), "badge": boards.badge(s.badge) if s.badge else None,
               "story": {"see": s.story.see, "attempt": ""}} for s in recorded.states]
    return {"start": recorded.start, "panes": panes, "figures": figures, "which": which, "states": states}


def _board(lab: Lab, slot: Slot) -> dict[str, Any]:
    """As on a live page, but for what a title asks a hand to do."""
    board = boards.plot(lab, slot)
    return board | {"status": "live", "title": board["title"].partition(";")[0], "config": board["config"] | {"edits": {}}}


def _where(lab: Lab, recorded: Snapshot, value: Any) -> str:
    look = recorded.look
    if look is None:
        return ""
    if look.name == lab.sequence and lab.player is not None:
        return f"{value + 1} of {lab.player.length}"
    return f"{value} {look.knob.unit}".strip()


_ALONE = """<meta http-equiv="Content-Security-Policy"
 content="default-src 'none'; script-src 'unsafe-inline' 'unsafe-eval'; style-src 'unsafe-inline'; img-src data: blob:">"""
_PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>{title}</title>{head}</head>
<body>{body}{ends}</body></html>
"""
_BODY = """<main class="gh still"><header class="still-head">{home}<h1>{title}</h1><b>{method}</b>
<details class="badge" hidden><summary></summary><div class="card"><p></p></div></details>
<button type="button" class="plain still-shade">Dark</button><p class="question">{question}</p>
<a class="still-paper" href="{url}">{paper}</a></header>
<div class="still-look"><label><span>{look}</span><input type="range" min="0" step="1"></label><span class="still-where"></span>
<button type="button" class="still-play">Play</button></div>
<div class="still-stage"></div><div class="still-readout"></div><div class="still-aside"></div><div class="still-second"></div>
<footer class="still-foot"><p><b>This is a recording.</b> {moves}everything else is as it was, and nothing is computed. Clicks do nothing.
The live lab, with every knob: <code>{live}</code>, then <code>glasshouse</code>.</p><p>{fixed}</p></footer></main>
"""
