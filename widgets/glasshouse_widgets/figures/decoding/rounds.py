"""What follows over rounds: tokens per target forward, and how acceptance falls with depth."""

from __future__ import annotations

from collections.abc import Sequence
from math import sqrt
from typing import Any

import numpy as np

from glasshouse.schema.events.decoding import Round
from glasshouse_widgets.figures.decoding.words import ended, walked
from glasshouse_widgets.figures.palette import ACCEPTED, FINAL, PURPLE, Figure, Theme, axis, layout, note, pattern
from glasshouse_widgets.figures.tokens import cut, escaped

Z = 1.96                                        # of a 95 % interval


def running_mean(values: Sequence[float]) -> np.ndarray:
    """float64 [n]: the mean of the first 1, 2, ... n."""
    return np.cumsum(values, dtype=float) / np.arange(1, len(values) + 1)


def per_round(rounds: Sequence[Round], current: int, theme: Theme, other: Sequence[Round] = (),
              names: tuple[str, str] = ("", "")) -> Figure:
    """Bars of accepted guesses with the target's own token on top, by round; the running mean of tokens; the other method's too.

    Words point at the ``current`` round: looking at another one leaves the drawing as it is.
    """
    mine, others = [r.tokens for r in rounds], [r.tokens for r in other]
    accepted = [r.accepted for r in rounds]
    x = list(range(1, len(rounds) + 1))
    bar: dict[str, Any] = {"type": "bar", "x": x, "customdata": x, "hovertemplate": "round %{x}: %{y} %{fullData.name}<extra></extra>"}
    data = [
        bar | {"name": "accepted guesses", "y": accepted, "marker": {"color": ACCEPTED.color, "opacity": 0.7}},
        bar | {"name": "the target's own", "y": [t - a for t, a in zip(mine, accepted, strict=True)],
               "marker": {"color": FINAL.color, "opacity": 0.7, "pattern": pattern("/", theme)}},
        _mean(mine, "mean", theme.ink, "solid"),
        _mean(others, "other mean", PURPLE, "dash"),
    ]
    key = (f'<span style="color:{ACCEPTED.color}">■</span> accepted   <span style="color:{FINAL.color}">▨</span> the target\'s own   ',
           "<b>━</b> mean")
    if other:
        key = key[0], f'{key[1]}{_named(names[0])}   <span style="color:{PURPLE}"><b>╍</b></span>{_named(names[1])}'
    highest = max([3, *mine, *others])
    across = max(12, len(rounds), len(other))
    return {"data": data, "layout": layout(
        theme, left=44, top=44 if other else 26, bottom=42, barmode="stack", bargap=0.15,
        annotations=[note(("<br>" if other else "").join(key), 0, 1, theme, xshift=-36, yshift=4),
                     note("<b>▼</b>", (current + 0.6) / (across + 0.2), 1, theme, xanchor="center", yanchor="top", font={"color": theme.ink})],
        xaxis=axis(theme, "round", range=[0.4, across + 0.6], showgrid=False, fixedrange=True),
        yaxis=axis(theme, "tokens a forward", range=[0, 1.1 * highest], fixedrange=True, dtick=max(1, -(-highest // 6))))}


def _named(name: str) -> str:
    return f" {escaped(cut(name, 24))}" if name else ""


def _mean(tokens: Sequence[int], name: str, color: str, dash: str) -> dict[str, Any]:
    return {"type": "scatter", "mode": "lines", "name": name, "x": list(range(1, len(tokens) + 1)), "y": running_mean(tokens).tolist(),
            "line": {"color": color, "width": 2.5, "dash": dash},
            "hovertemplate": "mean of the first %{x} rounds: %{y:.2f} tokens<extra></extra>"}


def acceptance(rounds: Sequence[Round]) -> tuple[np.ndarray, np.ndarray]:
    """(offered, kept), int64 [D]: rounds in which the text got to depth d - 1 and a guess was offered there; those that kept one."""
    deepest = max((int(r.depth.max()) for r in rounds if len(r.depth)), default=0)
    offered, kept = np.zeros(deepest, np.int64), np.zeros(deepest, np.int64)
    for r in rounds:
        if not len(r.parent):
            continue
        walk = walked(r)
        for d, node in enumerate(walk[:deepest]):
            if d + 1 < len(walk):
                offered[d] += 1
                kept[d] += 1
            elif not ended(r) and (r.parent == node).any():
                offered[d] += 1
    return offered, kept


def rates(rounds: Sequence[Round]) -> list[float]:
    """Acceptance by depth in [0, 1], NaN where nothing was offered: the header of the stage."""
    offered, kept = acceptance(rounds)
    return [k / n if n else float("nan") for n, k in zip(offered.tolist(), kept.tolist(), strict=True)]


def wilson(kept: int, offered: int, z: float = Z) -> tuple[float, float]:
    """Wilson's interval for a proportion (1927, score interval): it stays in [0, 1] and is honest for few trials."""
    if not offered:
        return 0.0, 1.0
    share, n = kept / offered, offered
    middle = (share + z * z / (2 * n)) / (1 + z * z / n)
    half = z / (1 + z * z / n) * sqrt(share * (1 - share) / n + z * z / (4 * n * n))
    return max(0.0, middle - half), min(1.0, middle + half)


def by_depth(rounds: Sequence[Round], theme: Theme, other: Sequence[Round] = (), names: tuple[str, str] = ("", "")) -> Figure:
    """The share of rounds that kept a guess at each depth, of those that got so far, with Wilson's 95 % interval."""
    data = [_shares(rounds, names[0] or "accepted", ACCEPTED.color, "circle", -0.06 if other else 0.0),
            _shares(other, names[1], PURPLE, "diamond", 0.06)]
    deepest = max(4, *(len(t["x"]) for t in data))
    key = "of rounds that got so far; 95 % interval"
    if other:
        key += (f'<br><span style="color:{ACCEPTED.color}">●</span>{_named(names[0])}   '
                f'<span style="color:{PURPLE}">◆</span>{_named(names[1])}')
    return {"data": data, "layout": layout(
        theme, left=52, top=44 if other else 26, bottom=42,
        xaxis=axis(theme, "guesses ahead", range=[0.5, deepest + 0.5], tickvals=list(range(1, deepest + 1)), showgrid=False, fixedrange=True),
        yaxis=axis(theme, "", range=[0, 1.06], tickformat=".0%", dtick=0.25, fixedrange=True),
        annotations=[note(key, 0, 1, theme, xshift=-44, yshift=4)])}


def _shares(rounds: Sequence[Round], name: str, color: str, symbol: str, aside: float) -> dict[str, Any]:
    offered, kept = (a.tolist() for a in acceptance(rounds))
    at = [d for d, n in enumerate(offered) if n]
    share = [kept[d] / offered[d] for d in at]
    bounds = [wilson(kept[d], offered[d]) for d in at]
    return {"type": "scatter", "mode": "markers+lines", "name": escaped(cut(name, 28)), "x": [d + 1 + aside for d in at], "y": share,
            "error_y": {"type": "data", "symmetric": False, "array": [b[1] - s for b, s in zip(bounds, share, strict=True)],
                        "arrayminus": [s - b[0] for b, s in zip(bounds, share, strict=True)], "color": color, "thickness": 1.5, "width": 4},
            "marker": {"color": color, "symbol": symbol, "size": 9}, "line": {"color": color, "width": 1, "dash": "dot"},
            "hovertext": [f"{d + 1} ahead: {kept[d]} of {offered[d]} kept" for d in at], "hoverinfo": "text"}
