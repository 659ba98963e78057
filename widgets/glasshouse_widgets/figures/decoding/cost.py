"""The cost dial: tokens per target forward times what a forward costs. Where the product is below 1, guessing ahead loses."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from glasshouse.schema.events.decoding import CostCurve, Round
from glasshouse_widgets.figures.decoding.words import ended
from glasshouse_widgets.figures.palette import FINAL, PURPLE, VERMILION, Figure, Theme, axis, layout, note


@dataclass(frozen=True)
class Dial:
    """Everything over the tree size m = 1 ... M, float64 [M]. ``here`` was measured on this machine, ``assumed`` was not.

    ``tokens``: mean tokens per target forward had each tree of this run been cut to its first m nodes. A cut tree keeps the
    accepted path as far as it has its nodes, then the target adds one, exactly as in the run; but the texts between rounds are
    this run's, and a method that plans for m nodes may plan a better tree.
    ``cost_*``: target forward plus draft calls of such a round, in plain forwards of one token. ``speed = tokens / cost``.
    """

    size: np.ndarray
    tokens: np.ndarray
    forward_here: np.ndarray
    forward_low: np.ndarray
    forward_high: np.ndarray
    forward_assumed: np.ndarray
    cost_here: np.ndarray
    cost_assumed: np.ndarray
    own: float                                  # mean nodes of the run

    @property
    def speed_here(self) -> np.ndarray:
        return np.asarray(self.tokens / self.cost_here)

    @property
    def speed_assumed(self) -> np.ndarray:
        return np.asarray(self.tokens / self.cost_assumed)


def tokens_by_size(event: Round, most: int) -> np.ndarray:
    """float64 [most]: tokens of this round had its tree been cut to its first 1, 2, ... nodes in the order of creation."""
    # Parents come first, so the accepted path survives up to its first node outside the cut.
    newest = np.maximum.accumulate(np.asarray(event.path[1:] or (most,)))
    return np.asarray(1.0 + np.searchsorted(newest, np.arange(1, most + 1), side="left"))


def draft_calls_by_size(event: Round, most: int) -> np.ndarray:
    """float64 [most]: the round's draft calls in proportion to what the cut tree needs: its levels where the draft ran once a
    level, else its nodes with children."""
    if not event.draft_calls or not len(event.parent):
        return np.full(most, float(event.draft_calls))
    levels = int(event.depth.max())
    if event.draft_calls <= levels + 1:
        work = np.maximum.accumulate(event.depth).astype(float)
    else:
        first = np.isin(np.arange(event.nodes), np.unique(event.parent[1:], return_index=True)[1] + 1)
        work = np.cumsum(first).astype(float)
    grown = np.concatenate([work, np.full(max(0, most - len(work)), work[-1])])[:most]
    return np.asarray(event.draft_calls * grown / max(work[-1], 1.0))


def assumed_forward(size: np.ndarray, knee: float) -> np.ndarray:
    """An accelerator's forward in units of one token: flat while weights are what is moved, linear from ``knee`` tokens on."""
    return np.asarray(np.maximum(1.0, np.asarray(size, float) / knee))


def dial(rounds: Sequence[Round], curve: CostCurve, knee: float) -> Dial | None:
    """None where no round can be used. A round in which the text ended says nothing about cutting and is left out."""
    used = [r for r in rounds if not ended(r)]
    if not used:
        return None
    most = max(r.nodes for r in used)
    size = np.arange(1, most + 1)
    own = np.asarray([r.nodes for r in used])
    cut = np.minimum(size, own[:, None])                                    # nodes in each round's cut tree, [rounds, most]
    one = float(np.interp(1, curve.nodes, curve.seconds))

    def forward(seconds: np.ndarray) -> np.ndarray:
        return np.asarray(np.interp(cut, curve.nodes, seconds).mean(0) / one)

    calls = np.mean([draft_calls_by_size(r, most) for r in used], axis=0)
    known = np.isfinite(curve.draft_seconds)
    per_call = float(np.interp(1, curve.nodes[known], curve.draft_seconds[known])) / one if known.any() else 0.0
    here, assumed = forward(curve.seconds), assumed_forward(cut, knee).mean(0)
    return Dial(size=size.astype(float), tokens=np.mean([tokens_by_size(r, most) for r in used], axis=0), forward_here=here,
                forward_low=forward(curve.low), forward_high=forward(curve.high), forward_assumed=assumed,
                cost_here=here + calls * per_call, cost_assumed=assumed + calls * per_call, own=float(own.mean()))


def figure(found: Dial, theme: Theme) -> Figure:
    """Three curves over the tree size: tokens per forward, the cost of a forward, and what comes out of both."""
    x = found.size.tolist()

    def line(y: np.ndarray, name: str, color: str, dash: str, row: str, **more: Any) -> dict[str, Any]:
        return {"type": "scatter", "mode": "lines", "name": name, "x": x, "y": y.tolist(), "yaxis": f"y{row}", "xaxis": "x",
                "line": {"color": color, "width": 2.5, "dash": dash}, "hovertemplate": f"%{{x}} nodes: %{{y:.2f}} {name}<extra></extra>"} | more

    data = [
        line(found.tokens, "tokens per forward", theme.ink, "solid", ""),
        line(found.forward_low, "lower quartile", theme.accent, "solid", "2", line={"width": 0, "color": theme.accent}, hoverinfo="skip"),
        line(found.forward_high, "quartiles", theme.accent, "solid", "2", line={"width": 0, "color": theme.accent}, fill="tonexty",
             fillcolor="rgba(86,140,200,0.3)", hoverinfo="skip"),
        line(found.forward_here, "forward here", theme.accent, "solid", "2"),
        line(found.forward_assumed, "forward assumed", PURPLE, "dash", "2"),
        line(found.speed_here, "x faster here", theme.accent, "solid", "3"),
        line(found.speed_assumed, "x faster, assumed", PURPLE, "dash", "3"),
        _best(found, theme),
    ]
    for trace in data[1:3]:
        del trace["hovertemplate"]
    return {"data": data, "layout": _layout(found, theme)}


def best(found: Dial) -> tuple[tuple[int, float], tuple[int, float]]:
    """((nodes, speed) here, (nodes, speed) assumed): the smallest of the best sizes."""
    pairs = []
    for speed in (found.speed_here, found.speed_assumed):
        i = int(speed.argmax())
        pairs.append((int(found.size[i]), float(speed[i])))
    return pairs[0], pairs[1]


def _best(found: Dial, theme: Theme) -> dict[str, Any]:
    pairs = best(found)
    return {"type": "scatter", "mode": "markers", "name": "best size", "x": [p[0] for p in pairs], "y": [p[1] for p in pairs],
            "xaxis": "x", "yaxis": "y3", "hovertemplate": "best: %{x} nodes, %{y:.2f} x<extra></extra>",
            "marker": {"symbol": FINAL.symbol, "size": 14, "color": [theme.accent, PURPLE], "line": {"width": 1, "color": theme.ink}}}


def _layout(found: Dial, theme: Theme) -> dict[str, Any]:
    most = float(found.size[-1])
    ticks = [2**k for k in range(11) if 2**k <= max(most, 8)]
    top = max(1.5, 1.1 * float(max(found.speed_here.max(), found.speed_assumed.max())))
    dear = max(2.0, 1.1 * float(max(found.forward_high.max(), found.forward_assumed.max())))
    here, assumed = best(found)
    end = float(np.log10(max(most, 8)) + 0.03)

    def row(title: str, low: float, high: float, domain: list[float], **more: Any) -> dict[str, Any]:
        return axis(theme, title, range=[low, high], domain=domain, nticks=4, fixedrange=True, anchor="x", **more)

    def heading(text: str, y: float) -> dict[str, Any]:
        return note(text, 0, y, theme, xshift=-36, yshift=3, font={"size": 12, "color": theme.ink})

    blue, purple = f'<b style="color:{theme.accent}">here</b>', f'<b style="color:{PURPLE}">assumed</b>'
    outcome = f"speed-up {blue} {here[1]:.2f} x ({here[0]} nodes), {purple} {assumed[1]:.2f} x ({assumed[0]})"
    losing = {"type": "rect", "xref": "paper", "x0": 0, "x1": 1, "yref": "y3", "y0": 0, "y1": 1, "fillcolor": VERMILION, "opacity": 0.1,
              "line": {"width": 0}, "layer": "below"}
    even = {"type": "line", "xref": "paper", "x0": 0, "x1": 1, "yref": "y3", "y0": 1, "y1": 1, "line": {"color": VERMILION, "width": 1.5}}
    return layout(
        theme, left=44, right=14, top=22, bottom=42,
        xaxis=axis(theme, "nodes in the tree, root included", type="log", range=[-0.03, end], tickvals=ticks, fixedrange=True, anchor="y3"),
        yaxis=row("", 0.8, max(2.0, 1.1 * float(found.tokens.max())), [0.76, 1]),
        yaxis2=row("", 0, dear, [0.41, 0.65]), yaxis3=row("", 0, top, [0, 0.30]),
        shapes=[losing, even],
        annotations=[heading("tokens per target forward, trees cut to n nodes", 1),
                     heading(f"cost of a forward: {blue} measured, {purple}", 0.65),
                     heading(outcome, 0.30),
                     note("slower than no guessing", 1, 0, theme, xanchor="right", yshift=1, font={"size": 12, "color": theme.ink})])
