"""Prediction intervals: a band that moves over points, its width, coverage on its band, and what one point could be."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np

from glasshouse.schema.events.conformal_intervals import Intervals, Learnt, Redraws
from glasshouse_widgets.figures.palette import CLEAR, GREY, ORANGE, VERMILION, Figure, Theme, axis, bare, layout, note, pattern

BINS = 30
WIDEST = 5.0            # standard deviations of the targets
ROOM = 0.15             # of the data's height, above and below it


def band(seen: Intervals, other: Intervals | None, theme: Theme) -> Figure:
    """Every test point and the interval at its x; misses are crosses, the other method's intervals an outline.

    With one input the intervals are a band, with many a bar for each point at its forecast. Axes depend on the points alone.
    """
    learnt, (low, high) = seen.learnt, heights(seen.learnt)
    held, missed = np.flatnonzero(seen.covered), np.flatnonzero(~seen.covered)
    draw = _over_the_grid if len(learnt.grid) else _point_by_point
    data = [*draw(seen, other, theme), _points(seen, held, theme, True), _points(seen, missed, theme, False), *_chosen(seen, theme)]
    words = f"● held  <span style='color:{VERMILION}'>✕</span> missed  ◯ chosen"
    if other is not None:
        words += f"  <span style='color:{ORANGE}'>┄</span> other method"
    said = [note(words, 0, 1, theme, yshift=4)]
    if seen.infinite_because:
        said.append(note("Every interval is the whole line:<br>too few calibration points.", 0.5, 0.97, theme, xanchor="center", yanchor="top",
                         align="center", font={"size": 15, "color": theme.no}))
    return {"data": data, "layout": layout(
        theme, top=26, left=48, xaxis=axis(theme, learnt.input_name, range=across(learnt), fixedrange=True),
        yaxis=axis(theme, learnt.target_name, range=[low, high], fixedrange=True), annotations=said)}


def heights(learnt: Learnt) -> tuple[float, float]:
    """From below the lowest to above the highest target: the same for every alpha and method."""
    low, high = (float(learnt.y.min()), float(learnt.y.max())) if learnt.m else (0.0, 1.0)
    room = max(ROOM * (high - low), 1e-9)
    return low - room, high + room


def across(learnt: Learnt) -> list[float]:
    """From left of the first to right of the last test point."""
    left, right = (float(learnt.at.min()), float(learnt.at.max())) if learnt.m else (0.0, 1.0)
    pad = max(0.02 * (right - left), 1e-9)
    return [left - pad, right + pad]


def _clipped(learnt: Learnt, ends: np.ndarray) -> np.ndarray:
    """Ends that the axis has room for: infinite ones lie just outside."""
    low, high = heights(learnt)
    found: np.ndarray = np.clip(ends, low - (high - low), high + (high - low))
    return found


def _over_the_grid(seen: Intervals, other: Intervals | None, theme: Theme) -> list[dict[str, Any]]:
    learnt = seen.learnt
    outline = _outline(other) if other is not None else ([None], [None])
    x, y = _outline(seen)
    return [{"type": "scatter", "mode": "lines", "x": x, "y": y, "fill": "toself", "fillcolor": theme.tints[2], "hoverinfo": "skip",
             "line": {"width": 1.5, "color": theme.accent}},
            {"type": "scatter", "mode": "lines", "x": learnt.grid, "y": learnt.grid_center, "hoverinfo": "skip",
             "line": {"width": 2, "color": theme.accent}},
            {"type": "scatter", "mode": "lines", "x": outline[0], "y": outline[1], "hoverinfo": "skip",
             "line": {"width": 2, "color": ORANGE, "dash": "dash"}}]


def _outline(seen: Intervals) -> tuple[list[float | None], list[float | None]]:
    """The band's edge, piece by piece: where intervals are empty there is none."""
    learnt = seen.learnt
    low, high = (_clipped(learnt, e[:, seen.k - 1]) for e in (learnt.grid_lower, learnt.grid_upper))
    some = low <= high
    edges = np.flatnonzero(np.diff(np.concatenate(([False], some, [False])).astype(int)))
    x: list[float | None] = []
    y: list[float | None] = []
    for start, stop in pairwise(edges[::1].tolist()):
        if not some[start]:
            continue
        piece = slice(start, stop)
        x += [*learnt.grid[piece].tolist(), *learnt.grid[piece][::-1].tolist(), float(learnt.grid[start]), None]
        y += [*low[piece].tolist(), *high[piece][::-1].tolist(), float(low[start]), None]
    return (x, y) if x else ([None], [None])


def _point_by_point(seen: Intervals, other: Intervals | None, theme: Theme) -> list[dict[str, Any]]:
    learnt = seen.learnt
    low, high = _clipped(learnt, seen.lower), _clipped(learnt, seen.upper)
    some = np.flatnonzero(low <= high)
    bars = {"type": "scatter", "mode": "lines", "x": [v for i in some for v in (learnt.at[i], learnt.at[i], None)] or [None],
            "y": [v for i in some for v in (low[i], high[i], None)] or [None], "hoverinfo": "skip", "line": {"width": 3, "color": theme.tints[2]}}
    ends = [learnt.at.min(), learnt.at.max()] if learnt.m else [0.0, 1.0]
    diagonal = {"type": "scatter", "mode": "lines", "x": ends, "y": ends, "hoverinfo": "skip", "line": {"width": 2, "color": theme.accent}}
    tips: list[Any] = [None] if other is None else np.concatenate((_clipped(learnt, other.lower), _clipped(learnt, other.upper))).tolist()
    marks = {"type": "scatter", "mode": "markers", "x": [None] if other is None else np.tile(learnt.at, 2), "y": tips, "hoverinfo": "skip",
             "marker": {"symbol": "line-ew-open", "size": 5, "color": ORANGE, "line": {"width": 1, "color": ORANGE}}}
    return [bars, diagonal, marks]


def _points(seen: Intervals, which: np.ndarray, theme: Theme, held: bool) -> dict[str, Any]:
    learnt = seen.learnt
    ends = [f"{_number(a)} to {_number(b)}" if a <= b else "empty" for a, b in zip(seen.lower[which], seen.upper[which], strict=True)]
    mark = {"symbol": "circle", "size": 5, "color": theme.muted} if held else {"symbol": "x", "size": 8, "color": VERMILION}
    return {"type": "scatter", "mode": "markers", "x": learnt.at[which], "y": learnt.y[which], "customdata": which.tolist(), "hovertext": ends,
            "hovertemplate": "point %{customdata}: %{y:.2f}, interval %{hovertext}<extra></extra>", "marker": mark}


def _chosen(seen: Intervals, theme: Theme) -> list[dict[str, Any]]:
    """The chosen point's interval as a thick bar with ends, and a ring around the point."""
    learnt, i = seen.learnt, seen.point
    low, high = _clipped(learnt, seen.lower[i:i + 1])[0], _clipped(learnt, seen.upper[i:i + 1])[0]
    x, y = ([learnt.at[i]] * 2, [low, high]) if low <= high else ([None], [None])
    return [{"type": "scatter", "mode": "lines+markers", "x": x, "y": y, "hoverinfo": "skip", "line": {"width": 3, "color": theme.ink},
             "marker": {"symbol": "line-ew-open", "size": 12, "color": theme.ink, "line": {"width": 3, "color": theme.ink}}},
            {"type": "scatter", "mode": "markers", "x": [learnt.at[i]], "y": [learnt.y[i]], "hoverinfo": "skip",
             "marker": {"symbol": "circle-open", "size": 15, "color": theme.ink, "line": {"width": 2.5, "color": theme.ink}}}]


def widths(seen: Intervals, other: Intervals | None, theme: Theme) -> Figure:
    """How wide the interval is at each x; the axis ends where it would hold nearly all targets, whatever their x."""
    learnt = seen.learnt
    top = max(WIDEST * float(learnt.y.std()), 1e-9) if learnt.m else 1.0
    data = [_width(seen, theme.accent, "solid", "circle", top), _width(other, ORANGE, "dash", "diamond-open", top)]
    return {"data": data, "layout": layout(theme, top=10, left=48, xaxis=axis(theme, learnt.input_name, range=across(learnt), fixedrange=True),
                                           yaxis=axis(theme, f"width ({learnt.target_name})", range=[0, top], fixedrange=True))}


def _width(seen: Intervals | None, color: str, dash: str, symbol: str, top: float) -> dict[str, Any]:
    if seen is None:
        return {"type": "scatter", "mode": "lines", "x": [None], "y": [None]}
    learnt, k = seen.learnt, seen.k - 1
    over = len(learnt.grid) > 0
    width = learnt.grid_upper[:, k] - learnt.grid_lower[:, k] if over else seen.upper - seen.lower
    return {"type": "scatter", "mode": "lines" if over else "markers", "x": learnt.grid if over else learnt.at, "y": np.clip(width, 0, 0.985 * top),
            "line": {"width": 2.5, "color": color, "dash": dash}, "marker": {"size": 4, "color": color, "symbol": symbol},
            "hovertemplate": "%{y:.2f} wide at %{x:.2f}<extra></extra>"}


def scores(seen: Intervals, name: str, theme: Theme) -> Figure:
    """How strange the truth was on the points that calibrate, ``name`` its measure; the threshold leaves 1 - alpha of them below it."""
    values, learnt = seen.learnt.scores, seen.learnt
    low, high = (float(values[0]), float(values[-1])) if len(values) else (0.0, 1.0)
    high = max(high, low + 1e-9)
    counts, edges = np.histogram(values, BINS, (low, high))
    middle = (edges[:-1] + edges[1:]) / 2
    at = min(seen.threshold, high + 0.05 * (high - low))
    top = float(max(counts.max(initial=1), 1)) * 1.2
    known = learnt.has_threshold
    words = f"┃ threshold {_number(seen.threshold)}: score {seen.k} of {learnt.n}" if seen.k <= learnt.n else "no threshold: the whole line"
    bars = {"type": "bar", "x": middle, "y": counts, "width": float(edges[1] - edges[0]) * 0.9,
            "marker": {"color": [theme.accent if not known or m <= seen.threshold else GREY for m in middle.tolist()],
                       "pattern": pattern("", theme) | {"shape": ["" if not known or m <= seen.threshold else "/" for m in middle.tolist()]}},
            "hovertemplate": "%{y} points around %{x:.3f}<extra></extra>"}
    line = {"type": "scatter", "mode": "lines", "x": [at, at] if known else [low, low], "y": [0, top * 0.95], "hoverinfo": "skip",
            "line": {"color": VERMILION if known else CLEAR, "width": 3}}
    said = [note(words if known else "no threshold: every candidate has its own fit", 0, 1, theme, yshift=2,
                 font={"size": 12, "color": theme.no if known else theme.muted})]
    return {"data": [bars, line], "layout": layout(
        theme, top=24, left=44, bargap=0, annotations=said,
        xaxis=axis(theme, name, range=[low - 0.05 * (high - low), high + 0.08 * (high - low)], fixedrange=True),
        yaxis=axis(theme, "points", range=[0, top], fixedrange=True))}


def covered(seen: Intervals, studied: Redraws | None, theme: Theme) -> Figure:
    """Coverage of this sample: what was aimed at, what is proven, and the band that chance allows."""
    aimed = 1 - seen.alpha
    low = min(seen.band_low, seen.coverage, aimed, seen.claimed)
    start = max(0.0, float(np.floor((low - 0.02) * 20) / 20))
    counts, edges = np.zeros(BINS), np.linspace(start, 1.0, BINS + 1)
    if studied is not None:
        counts = np.histogram(studied.coverage[:, seen.k - 1], edges)[0].astype(float)
    data: list[dict[str, Any]] = [
        {"type": "bar", "x": (edges[:-1] + edges[1:]) / 2, "y": counts / max(counts.max(), 1.0) * 0.65, "width": float(edges[1] - edges[0]),
         "base": 0.5, "marker": {"color": theme.tints[3]}, "hoverinfo": "skip"},
        {"type": "scatter", "mode": "lines", "x": [seen.band_low, seen.band_high], "y": [0.25, 0.25], "line": {"color": theme.tints[3], "width": 14},
         "hovertemplate": "98 % by chance: to %{x:.3f}<extra></extra>"},
        {"type": "scatter", "mode": "lines", "x": [aimed] * 2, "y": [0, 0.5], "line": {"color": VERMILION, "width": 2, "dash": "dash"},
         "hovertemplate": "1 - alpha: %{x:.2f}<extra></extra>"},
        {"type": "scatter", "mode": "markers", "x": [seen.claimed], "y": [0.05], "hovertemplate": "proven: %{x:.3f}<extra></extra>",
         "marker": {"symbol": "triangle-up", "size": 11, "color": theme.ink}},
        {"type": "scatter", "mode": "markers", "x": [seen.coverage], "y": [0.25], "hovertemplate": "covered %{x:.3f}<extra></extra>",
         "marker": {"symbol": "diamond", "size": 13, "color": ORANGE, "line": {"width": 1.5, "color": theme.ink}}}]
    chance = "98 % of samples" if seen.learnt.band_law == "beta-binomial" else "98 % of tosses"
    said = f"{studied.done} of {studied.total} other samples above" if studied is not None else f"◆ here ┆ aim ▲ proven ▬ {chance}"
    return {"data": data, "layout": layout(theme, top=22, left=12, right=12, bottom=24, bargap=0,
            xaxis=axis(theme, "", range=[start, 1.005], fixedrange=True), yaxis=bare(range=[0, 1.25], fixedrange=True),
            annotations=[note(said, 0, 1, theme)])}


def plausible(seen: Intervals, theme: Theme) -> Figure:
    """The p-value of every candidate y at the chosen point; those above alpha are its interval."""
    learnt, (low, high) = seen.learnt, heights(seen.learnt)
    half, floor = len(seen.candidates) // 2, 1 / (learnt.n + 1)
    x, p = seen.candidates, seen.p_values
    up = ([low, *x[:half], *x[half:half + 1]], [floor, *p[:half], *p[half:half + 1]])
    down = ([*x[half:], high], [*p[half:], floor])
    curve = {"type": "scatter", "mode": "lines", "fill": "tozeroy", "fillcolor": theme.tints[1],
             "hovertemplate": "y = %{x:.2f}: p = %{y:.3f}<extra></extra>"}
    style = {"width": 2, "color": theme.accent}
    ends = _clipped(learnt, np.array((seen.lower[seen.point], seen.upper[seen.point])))
    inside = ends.tolist() if ends[0] <= ends[1] else [None]
    return {"data": [
        curve | {"x": up[0], "y": up[1], "line": style | {"shape": "hv"}}, curve | {"x": down[0], "y": down[1], "line": style | {"shape": "vh"}},
        {"type": "scatter", "mode": "lines", "x": [low, high], "y": [seen.alpha] * 2, "hoverinfo": "skip",
         "line": {"color": VERMILION, "width": 2, "dash": "dash"}},
        {"type": "scatter", "mode": "lines+markers", "x": inside, "y": [seen.alpha] * len(inside), "hoverinfo": "skip",
         "line": {"width": 4, "color": theme.ink},
         "marker": {"symbol": "line-ns-open", "size": 12, "color": theme.ink, "line": {"width": 3, "color": theme.ink}}},
        {"type": "scatter", "mode": "markers", "x": [learnt.y[seen.point]], "y": [0.04], "hovertemplate": "the truth: %{x:.2f}<extra></extra>",
         "marker": {"symbol": "diamond", "size": 12, "color": ORANGE, "line": {"width": 1.5, "color": theme.ink}}}],
        "layout": layout(theme, top=22, left=44, xaxis=axis(theme, f"candidate {learnt.target_name} at test point {seen.point}", range=[low, high],
                                                            fixedrange=True), yaxis=axis(theme, "p-value", range=[0, 1.02], fixedrange=True),
                         annotations=[note(f"◆ truth   ┄ alpha {seen.alpha:.2f}   ━ its interval", 0, 1, theme, yshift=2)])}


def _number(value: float) -> str:
    return f"{value:.2f}" if np.isfinite(value) else "∞" if value > 0 else "-∞"
