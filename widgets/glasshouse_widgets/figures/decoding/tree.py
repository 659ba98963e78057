"""The stage: the tree of one round, from the text so far to the token that the target adds.

A mark says what verification decided, by colour and shape; the thickness of the line into a chip is the draft's q, the
chip's tint the target's p. The accepted path is one bold line that ends in the star of the correction or bonus token.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from glasshouse.schema.events.decoding import NodeLook, NodeState, Round
from glasshouse.schema.piece import running
from glasshouse_widgets.figures.decoding import placing
from glasshouse_widgets.figures.decoding.placing import Chips, Extent, Line, Places
from glasshouse_widgets.figures.decoding.words import END, MARKS, TWIN, Columns, ended, final_hover, headline, hover, piece, twins, walked
from glasshouse_widgets.figures.palette import (
    ACCEPTED,
    FINAL,
    MONO,
    REJECTED,
    UNTESTED,
    Figure,
    Theme,
    axis,
    bare,
    empty,
    layout,
    note,
)
from glasshouse_widgets.figures.tokens import cut, escaped, visible, wrapped

Q_EDGES = (0.05, 0.2, 0.5)
Q_WIDTHS = (1.0, 2.2, 3.8, 6.0)
Q_NAMES = ("q < 0.05", "q 0.05 to 0.2", "q 0.2 to 0.5", "q ≥ 0.5", "no q")


def stage(look: NodeLook, before: Sequence[str], acceptance: Sequence[float], theme: Theme, room: Extent | None = None) -> Figure:
    """The tree of ``look.round``. ``before``: display texts of the tokens up to the root. ``acceptance[d - 1]``: share of
    accepted guesses at depth d so far, NaN where none was offered. ``room``: shared by the rounds of a run."""
    event = look.round
    if not len(event.token):
        return empty(theme, "this run kept no trees: run it again with events kept")
    columns = Columns.of(event)
    at = placing.places(event, columns)
    room = at.extent if room is None else room.joined(at.extent)
    at = _centred(at, room)
    drawn = placing.chips(_labels(event, columns, at, room, look.node), at, room)
    data = [*_edges(columns, at, drawn, room, theme), _path(event, at, drawn, room), _ribbon(before, at, room, theme),
            *_tints(event, columns, at, drawn, room, theme), _chosen(look.node, at, drawn, room, theme),
            _marks(event, columns, at, drawn, room, theme)]
    return {"data": data, "layout": _layout(look, columns, acceptance, room, theme)}


def _centred(at: Places, room: Extent) -> Places:
    """The root stays in the middle as long as nothing falls off the stage."""
    shift = min(max((room.rows - 1) / 2 - at.row[0], 0.0), room.rows - 1 - max(at.row))
    return Places(tuple(r + shift for r in at.row), at.parent, at.depth)


def _labels(event: Round, columns: Columns, at: Places, room: Extent, chosen: int) -> list[str]:
    """Words for all marks of a small tree; in a large one only where the eye follows: the path and the chosen branch."""
    words = [*(piece(event, t) for t in columns.token), "end" if ended(event) else piece(event, event.final)]
    words = [cut(w, min(most, 14)) if most > 2 else w[:most] for w, most in zip(words, placing.letters(at, room), strict=True)]
    star = len(columns.token)
    if star <= placing.LABELS_UP_TO and room.px_row >= 13:
        return words
    kept = {*walked(event), star}
    node = chosen if 0 <= chosen < star else event.final_node
    while node >= 0:
        kept.add(node)
        node = columns.parent[node]
    return [w if i in kept else "" for i, w in enumerate(words)]


def _line(parts: Iterable[Line], **more: Any) -> dict[str, Any]:
    """One trace of many strokes."""
    xs: list[float | None] = []
    ys: list[float | None] = []
    for x, y in parts:
        xs += x
        ys += y
    return {"type": "scatter", "mode": "lines", "x": xs, "y": ys, "hoverinfo": "skip", "showlegend": False} | more


def _path(event: Round, at: Places, drawn: Chips, room: Extent) -> dict[str, Any]:
    steps = [*walked(event)[1:], len(at.row) - 1]
    parts = [placing.edge(i, at, drawn, room) for i in steps]
    return _line(parts, name="accepted path", opacity=0.75, line={"color": ACCEPTED.color, "width": 9})


def _edges(columns: Columns, at: Places, drawn: Chips, room: Extent, theme: Theme) -> list[dict[str, Any]]:
    """One trace per thickness; a guess that no distribution gave is a dotted line."""
    bins: list[list[Line]] = [[] for _ in Q_NAMES]
    for i in range(1, len(columns.token)):
        q = columns.q[i]
        which = len(Q_EDGES) + 1 if q != q else sum(q >= e for e in Q_EDGES)
        bins[which].append(placing.edge(i, at, drawn, room))
    return [_line(part, name=name, line={"color": theme.faint, "width": width, "dash": "dot" if name == "no q" else "solid"})
            for part, name, width in zip(bins, Q_NAMES, (*Q_WIDTHS, 1.5), strict=True)]


def _ribbon(before: Sequence[str], at: Places, room: Extent, theme: Theme) -> dict[str, Any]:
    """The end of the text so far, read into the root."""
    fits = int((room.ribbon - 24) / placing.LETTER)
    said = cut(visible("".join(running(before[:-1]))), fits, keep_end=True)
    return {"type": "scatter", "mode": "text", "name": "text so far", "x": [-12 / room.px_column], "y": [at.row[0]],
            "text": [escaped(said)], "textposition": "middle left", "hoverinfo": "skip", "showlegend": False,
            "textfont": {"family": MONO, "size": 12, "color": theme.muted}}


def _tints(event: Round, columns: Columns, at: Places, drawn: Chips, room: Extent, theme: Theme) -> list[dict[str, Any]]:
    """The chips, one trace per tint of p; the root and the star have no p of their own and take the palest."""
    bins: list[list[Line]] = [[] for _ in theme.tints]
    p = [float("nan"), *columns.p[1:], float("nan")]
    for i, row in enumerate(at.row):
        left = at.depth[i] - placing.PAD / room.px_column
        bins[theme.tint(p[i])].append(placing.rounded(left, drawn.right[i], row, drawn.half[i], room))
    return [_line(part, name=f"p tint {k + 1}", fill="toself", fillcolor=theme.tints[k], line={"color": theme.faint, "width": 1})
            for k, part in enumerate(bins)]


def _chosen(node: int, at: Places, drawn: Chips, room: Extent, theme: Theme) -> dict[str, Any]:
    held = 0 <= node < len(at.row) - 1
    outline = placing.rounded(at.depth[node] - placing.PAD / room.px_column, drawn.right[node], at.row[node],
                              drawn.half[node], room) if held else ([], [])
    return _line([outline], name="chosen", line={"color": theme.accent, "width": 3})


def _marks(event: Round, columns: Columns, at: Places, drawn: Chips, room: Extent, theme: Theme) -> dict[str, Any]:
    """Every node once, the star last. ``customdata`` is the node to look at when clicked."""
    n = len(columns.token)
    same = twins(event, columns)
    marks = [*(TWIN if i in same else MARKS[NodeState(s)] for i, s in enumerate(columns.state)), END if ended(event) else FINAL]
    quiet = [m is UNTESTED for m in marks]
    most = min(11.0, max(6.0, room.px_row))
    size = [14 if m is FINAL else (11 if word else most) * (0.8 if m is UNTESTED else 1) for m, word in zip(marks, drawn.label, strict=True)]
    return {"type": "scatter", "mode": "markers+text", "name": "nodes", "showlegend": False,
            "x": list(at.depth), "y": list(at.row), "customdata": [*range(n), walked(event)[-1]],
            "marker": {"symbol": [m.symbol for m in marks], "color": [m.color for m in marks], "size": size, "opacity": 1,
                       "line": {"width": [1 if m is FINAL else 0 for m in marks], "color": theme.ink}},
            "text": [*(escaped(s) for s in drawn.label[:-1]), "\u2009" + escaped(drawn.label[-1])],
            "textposition": "middle right",
            "textfont": {"family": MONO, "size": 12, "color": [theme.muted if q else theme.ink for q in quiet]},
            "hovertext": [*(hover(event, columns, i, same) for i in range(n)), final_hover(event)], "hoverinfo": "text"}


def _layout(look: NodeLook, columns: Columns, acceptance: Sequence[float], room: Extent, theme: Theme) -> dict[str, Any]:
    depths = range(1, room.columns + 1)
    rate = [acceptance[d - 1] if d <= len(acceptance) else float("nan") for d in depths]
    sign = " %" if room.px_column > 46 else "%"
    said = [f"{100 * r:.0f}{sign}" if r == r and room.px_column > 38 else "" for r in rate]
    ticks = [f"+{d}<br>{share}" for d, share in zip(depths, said, strict=True)]
    left = room.ribbon / room.px_column
    guessed, bought = headline(look.round, look.index, look.rounds)
    words = [f'<span style="color:{m.color}">{m.glyph}</span> {m.word}' for m in (ACCEPTED, REJECTED, UNTESTED, FINAL)]
    words += ["thick line: draft's q", f"{'dark' if theme.name == 'light' else 'bright'} tint: target's p"]
    return layout(
        theme, left=8, right=8, top=78, bottom=60, hoverdistance=30,
        xaxis=axis(theme, side="top", linecolor=theme.grid, range=[-left, room.columns + 0.8], tickvals=[-left / 2, *depths],
                   ticktext=["tokens ahead<br>accepted there", *ticks], showgrid=False, tickangle=0,
                   tickfont={"size": 12, "color": theme.muted}),
        yaxis=bare(range=[room.rows - 0.4, -0.6]),
        annotations=[note(f"{guessed} {bought}", 0, 1, theme, yshift=46,
                          font={"size": 14, "color": theme.ink}),
                     note(wrapped(look.sentence, int(placing.WIDTH / 6.9)), 0, 0, theme, yanchor="top", yshift=-4,
                          font={"size": 13, "color": theme.ink}),
                     note("   ".join(words), 0, 0, theme, yanchor="top", yshift=-36)])
