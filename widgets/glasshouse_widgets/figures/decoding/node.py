"""One node's arithmetic: what the draft gave (q, to the left), what the target gives (p, to the right), what is left of p
after every guess there has failed (the residual, inside p), and the drawn u against the chance of acceptance."""

from __future__ import annotations

from typing import Any

import numpy as np

from glasshouse.schema.events.decoding import NodeLook, NodeState
from glasshouse_widgets.figures.decoding.words import MARKS, ended, number
from glasshouse_widgets.figures.palette import ACCEPTED, FINAL, GREY, MONO, REJECTED, Figure, Theme, axis, bare, layout, note, pattern
from glasshouse_widgets.figures.tokens import cut, escaped, visible, wrapped

BARS = 10
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
        *_gauge(look, theme),
    ]
    return {"data": data, "layout": _layout(look, names, end, theme)}


def _gauge(look: NodeLook, theme: Theme) -> list[dict[str, Any]]:
    """Chance of acceptance as a bar over [0, 1], and u as a line in it."""
    accept, u = _test(look)
    there = [] if accept is None else [0]
    share = 0.0 if accept is None else min(accept, 1.0)
    bar: dict[str, Any] = {"type": "bar", "orientation": "h", "xaxis": "x2", "yaxis": "y2", "y": there, "width": 0.8, "hoverinfo": "text"}
    words = f"accepted where u falls below {number(share)}; u = {number(u)}"
    mark = ACCEPTED if u < share else REJECTED
    # One trace of these axes always holds a point, be it none: Plotly would drop the axes of empty traces, and draw their lines once more at NaN.
    return [
        bar | {"name": "accept", "x": [share] if there else [], "hovertext": words, "marker": {"color": ACCEPTED.color, "opacity": 0.55}},
        bar | {"name": "reject", "x": [1 - share] if there else [], "base": [share] if there else [], "hovertext": words,
               "marker": {"color": REJECTED.color, "opacity": 0.35, "pattern": pattern("x", theme)}},
        {"type": "scatter", "mode": "lines+markers", "name": "u", "xaxis": "x2", "yaxis": "y2", "x": [u, u] if there else [None, None],
         "y": [-0.75, 0.75], "hovertext": words, "hoverinfo": "text", "line": {"color": theme.ink, "width": 3},
         "marker": {"symbol": [mark.symbol, mark.symbol], "size": [0, 11], "color": mark.color}},
    ]


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


def _layout(look: NodeLook, names: list[str], end: float, theme: Theme) -> dict[str, Any]:
    event, glyphs = look.round, _glyphs(look)
    mine = event.pieces.get(int(event.token[look.node]), "") if look.node != look.at else None
    ticks = []
    for label in look.labels:
        word = escaped(cut(visible(label), 9))
        ticks.append(f"{f'<b>{word}</b>' if label == mine else word} {glyphs.get(label, '&#8199;')}")
    at = [-end, -end / 2, 0, end / 2, end]
    where = "shown at temperature 1" if event.rule == "V0" else "hatched: left of p" if np.isfinite(look.residual).any() else ""
    told = "u" if _test(look)[0] is not None else "no u: the target chose" if event.rule not in TESTED_IN_TURN else "no test here"
    return layout(
        theme, left=98, right=10, top=66, bottom=30, barmode="overlay",
        xaxis=axis(theme, "", range=[-end * 1.05, end * 1.05], tickvals=at, ticktext=[f"{abs(v):g}" for v in at], fixedrange=True,
                   anchor="y", zeroline=True, zerolinecolor=theme.ink),
        yaxis=axis(theme, "", range=[BARS - 0.4, -0.6], tickvals=list(range(len(ticks))), ticktext=ticks, showgrid=False, fixedrange=True,
                   domain=[0.27, 1], tickfont={"family": MONO, "size": 12, "color": theme.ink}),
        xaxis2=axis(theme, "", range=[0, 1], tickvals=[0, 0.5, 1], fixedrange=True, anchor="y2", showgrid=False),
        yaxis2=bare(range=[-1, 1], domain=[0, 0.11], fixedrange=True),
        annotations=[
            note(wrapped(look.sentence, 37), 0, 1, theme, xref="paper", xshift=-92, yshift=20, font={"size": 13, "color": theme.ink}),
            note("◂ draft q", 0.5, 1, theme, xanchor="right", xshift=-6, yshift=2),
            note(f'<span style="color:{theme.accent}">target p ▸</span>', 0.5, 1, theme, xshift=6, yshift=2),
            note(where, 1, 0.27, theme, xanchor="right", yanchor="top", yshift=-17),
            note(told, 0, 0.055, theme, xanchor="right", yanchor="middle", xshift=-8) if told == "u" else
            note(told, 0.5, 0.055, theme, xanchor="center", yanchor="middle"),
        ])
