"""One node's arithmetic: what the draft gave (q, to the left), what the target gives (p, to the right), what is left of p
after every guess there has failed (the residual, inside p), and the drawn u against the chance of acceptance."""

from __future__ import annotations

from typing import Any

import numpy as np

from glasshouse.schema.events.decoding import NodeLook, NodeState
from glasshouse_widgets.figures.decoding.words import MARKS, ended, number
from glasshouse_widgets.figures.palette import ACCEPTED, FINAL, GREY, MONO, REJECTED, Figure, Theme, bare, layout, note, pattern
from glasshouse_widgets.figures.tokens import cut, escaped, visible, wrapped

BARS = 10
GAUGE, FLOOR = 12.6, 13.4                       # rows: where the gauge stands, and where the picture ends
STEPS = (0.25, 0.5, 1.0)                        # ends of the axis: few, so that it rarely moves
TESTED_IN_TURN = ("V1", "V2", "V3", "V5")


def bars(look: NodeLook, theme: Theme) -> Figure:
    """The ten tokens that matter at the node where the chosen guess was decided, and the draw that decided it."""
    highest = max((float(np.nanmax(a)) for a in (look.p, look.q, look.residual) if np.isfinite(a).any()), default=1.0)
    end = next((s for s in STEPS if highest <= s), 1.0)
    rows = list(range(len(look.labels)))
    names = [escaped(visible(label)) for label in look.labels]
    p, q, left = ([0.0 if x != x else x for x in a.tolist()] for a in (look.p, look.q, look.residual))
    hover = [f"<b>{name}</b><br>target p {number(a)}<br>draft q {number(b)}<br>left of p {number(c)}" for name, a, b, c in
             zip(names, look.p.tolist(), look.q.tolist(), look.residual.tolist(), strict=True)]
    bar: dict[str, Any] = {"type": "bar", "orientation": "h", "y": rows, "hovertext": hover, "hoverinfo": "text"}
    data = [
        bar | {"name": "draft q", "x": [-x for x in q], "width": 0.72, "marker": {"color": GREY}},
        bar | {"name": "target p", "x": p, "width": 0.72, "marker": {"color": theme.accent, "opacity": 0.8}},
        bar | {"name": "left of p", "x": left, "width": 0.34,
               "marker": {"color": FINAL.color, "pattern": pattern("/", theme)}},
        *_gauge(look, end, theme),
    ]
    return {"data": [_lines(end, theme), *data], "layout": _layout(look, end, theme)}


def _lines(end: float, theme: Theme) -> dict[str, Any]:
    """Both scales in one trace, and their labels as words: drawn with every round, axes of Plotly's would cost half of the picture's time."""
    x: list[float | None] = []
    y: list[float | None] = []
    for at in (-end, -end / 2, 0.0, end / 2, end):
        x += [at, at, None]
        y += [-0.6, BARS - 0.4, None]
    return {"type": "scatter", "mode": "lines", "name": "scales", "x": [*x, -end, end], "y": [*y, FLOOR, FLOOR], "hoverinfo": "skip",
            "line": {"color": theme.grid, "width": 1}}


def _gauge(look: NodeLook, end: float, theme: Theme) -> list[dict[str, Any]]:
    """Chance of acceptance as a bar over [0, 1], which is as wide as the picture, and u as a line in it."""
    accept, u = _test(look)
    there = accept is not None
    share = 0.0 if accept is None else min(accept, 1.0)
    words = f"accepted where u falls below {number(share)}; u = {number(u)}"
    mark = ACCEPTED if u < share else REJECTED

    def bar(name: str, low: float, high: float, marker: dict[str, Any]) -> dict[str, Any]:
        return {"type": "bar", "orientation": "h", "name": name, "y": [GAUGE] if there else [], "base": [at(low)] if there else [],
                "x": [at(high) - at(low)] if there else [], "width": 0.65, "hovertext": words, "hoverinfo": "text", "marker": marker}

    def at(share: float) -> float:
        return (2 * share - 1) * end

    return [bar("accept", 0.0, share, {"color": ACCEPTED.color, "opacity": 0.55}),
            bar("reject", share, 1.0, {"color": REJECTED.color, "opacity": 0.35, "pattern": pattern("x", theme)}),
            {"type": "scatter", "mode": "lines+markers", "name": "u", "x": [at(u)] * 2 if there else [],
             "y": [GAUGE + 0.6, GAUGE - 0.6] if there else [], "hovertext": words, "hoverinfo": "text", "line": {"color": theme.ink, "width": 3},
             "marker": {"symbol": [mark.symbol, mark.symbol], "size": [0, 11], "color": mark.color}}]


def _test(look: NodeLook) -> tuple[float | None, float]:
    """(chance of acceptance, u) where the chosen guess was tested against a uniform of its own; else (None, NaN)."""
    event = look.round
    if look.node == look.at or event.rule not in TESTED_IN_TURN or event.u[look.node] != event.u[look.node]:
        return None, float("nan")
    return float(event.accept[look.node]), float(event.u[look.node])


def _glyphs(look: NodeLook) -> dict[str, str]:
    """What became of the tokens guessed or said at this node, by label; of equal guesses the luckiest."""
    event = look.round
    found: dict[str, str] = {}
    for child in np.flatnonzero(event.parent == look.at).tolist():
        label = event.pieces.get(int(event.token[child]), "")
        mark = MARKS[NodeState(int(event.state[child]))]
        if label not in found or mark is ACCEPTED:
            found[label] = f'<span style="color:{mark.color}">{mark.glyph}</span>'
    if look.at == event.final_node and not ended(event):
        found[event.pieces.get(event.final, "")] = f'<span style="color:{FINAL.color}">{FINAL.glyph}</span>'
    return found


def _labels(look: NodeLook) -> list[str]:
    """The tokens, the chosen guess's in bold, each with what became of it."""
    event, glyphs = look.round, _glyphs(look)
    mine = event.pieces.get(int(event.token[look.node]), "") if look.node != look.at else None
    found = []
    for label in look.labels:
        word = escaped(cut(visible(label), 9))
        found.append(f"{f'<b>{word}</b>' if label == mine else word} {glyphs.get(label, '&#8199;')}")
    return found


def _layout(look: NodeLook, end: float, theme: Theme) -> dict[str, Any]:
    event = look.round
    where = "shown at temperature 1" if event.rule == "V0" else "hatched: left of p" if np.isfinite(look.residual).any() else ""
    told = "u" if _test(look)[0] is not None else "no u: the target chose" if event.rule not in TESTED_IN_TURN else "no test here"
    bottom, gauge = _row(BARS - 0.4), _row(GAUGE)

    def scale(labels: list[str], y: float) -> list[dict[str, Any]]:
        places = [0.5 + (k / (len(labels) - 1) - 0.5) / 1.05 for k in range(len(labels))]
        return [note(label, x, y, theme, xanchor="center", yanchor="top", yshift=-2, font={"color": theme.ink})
                for label, x in zip(labels, places, strict=True)]

    return layout(
        theme, left=98, right=10, top=66, bottom=30, barmode="overlay", xaxis=bare(range=[-end * 1.05, end * 1.05], fixedrange=True),
        yaxis=bare(range=[FLOOR, -0.6], fixedrange=True), annotations=[
            note(wrapped(look.sentence, 37), 0, 1, theme, xshift=-92, yshift=20, font={"size": 13, "color": theme.ink}),
            note("◂ draft q", 0.5, 1, theme, xanchor="right", xshift=-6, yshift=2),
            note(f'<span style="color:{theme.accent}">target p ▸</span>', 0.5, 1, theme, xshift=6, yshift=2),
            note(where, 1, bottom, theme, xanchor="right", yanchor="top", yshift=-17),
            note(told, 0, gauge, theme, xanchor="right", yanchor="middle", xshift=-8) if told == "u" else
            note(told, 0.5, gauge, theme, xanchor="center", yanchor="middle"),
            *scale([f"{abs(k) * end / 2:g}" for k in range(-2, 3)], bottom), *scale(["0", "0.5", "1"], 0.0),
            *(note(label, 0, _row(i), theme, xanchor="right", yanchor="middle", xshift=-4, font={"family": MONO, "color": theme.ink})
              for i, label in enumerate(_labels(look)))])


def _row(row: float) -> float:
    """Where a row stands on the paper."""
    return (FLOOR - row) / (FLOOR + 0.6)
