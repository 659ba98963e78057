"""The pictures of drift: the stream of errors with its interval, coverage over time, calibration points by what they count."""

from __future__ import annotations

from typing import Any

import numpy as np

from glasshouse.schema.events.conformal_drift import Stream, Streams, Tracked
from glasshouse_widgets.figures.palette import GREY, ORANGE, VERMILION, Figure, Theme, axis, layout, note

BINS = 36


def stream(seen: Tracked, theme: Theme) -> Figure:
    """Every step's error y - forecast inside its interval, up to now; misses are crosses, intervals without an end fill the height."""
    base, now = seen.stream, seen.now
    top = reach(base)
    t = np.arange(1.0, base.steps + 1)
    there = np.arange(base.steps) < now
    limit = np.where(there, seen.limit.clip(0, 1.2 * top), np.nan)
    shown, held = base.errors.clip(-0.985 * top, 0.985 * top), there & ~seen.missed
    out = there & seen.missed
    edge = {"type": "scatter", "mode": "lines", "x": t, "line": {"color": theme.accent, "width": 1.5, "shape": "hvh"}, "hoverinfo": "skip"}
    fixed = min(seen.fixed_limit, 1.2 * top)
    data: list[dict[str, Any]] = [
        edge | {"y": -limit},
        edge | {"y": limit, "fill": "tonexty", "fillcolor": theme.tints[1]},
        {"type": "scatter", "mode": "lines", "x": [t[0], t[-1], None, t[0], t[-1]], "y": [fixed, fixed, None, -fixed, -fixed], "hoverinfo": "skip",
         "line": {"color": GREY, "width": 1.5, "dash": "dash"}},
        _dots(t, shown, held, base, "held", {"symbol": "circle", "size": 3.5, "color": theme.ink, "opacity": 0.55}),
        _dots(t, shown, out, base, "missed", {"symbol": "x-thin", "size": 8, "color": VERMILION, "line": {"width": 2, "color": VERMILION}}),
        {"type": "scatter", "mode": "lines", "x": [now + 0.5] * 2, "y": [-1.04 * top, 1.04 * top], "hoverinfo": "skip",
         "line": {"color": theme.ink, "width": 1 if now < base.steps else 0}}]
    return {"data": data, "layout": layout(
        theme, top=26, left=52, right=12, xaxis=axis(theme, "step", range=[0, base.steps + 1], fixedrange=True, showgrid=False),
        yaxis=axis(theme, "error: truth minus forecast", range=[-1.04 * top, 1.04 * top], fixedrange=True),
        shapes=_changed(base, theme), annotations=[note(
            f"▬ interval · ╌ fixed interval · <span style='color:{VERMILION}'>✕</span> missed · shaded: when {base.changes} changed"
            if base.changes != "nothing" else "▬ interval · ╌ fixed interval · ✕ missed · nothing changes here", 0, 1, theme, xshift=-40)])}


def reach(base: Stream) -> float:
    """Half the height of the stage: the same for every alpha and method of a stream."""
    return max(2.0, float(np.ceil(np.quantile(np.abs(base.errors), 0.985) * 2.4) / 2))


def _dots(t: np.ndarray, shown: np.ndarray, which: np.ndarray, base: Stream, word: str, marker: dict[str, Any]) -> dict[str, Any]:
    """The errors of ``which`` steps, cut at the edge of the stage; hovering tells the true one."""
    return {"type": "scatter", "mode": "markers", "x": t[which], "y": shown[which], "customdata": base.errors[which], "marker": marker,
            "hovertemplate": f"step %{{x:.0f}}: {word}, error %{{customdata:.2f}}<extra></extra>"}


def _changed(base: Stream, theme: Theme) -> list[dict[str, Any]]:
    """Shades the time in which the stream is not like the calibration points, the more the further: in at most eight strips."""
    how = np.maximum(base.shift, base.scale - 1)
    if not how.any():
        return []
    level = np.ceil(4 * how / max(float(how.max()), 1e-9)).astype(int)
    ends = np.flatnonzero(np.diff(level)) + 1
    found = []
    for start, end in zip([0, *ends.tolist()], [*ends.tolist(), len(level)], strict=True):
        if level[start]:
            found.append({"type": "rect", "xref": "x", "yref": "paper", "x0": start + 0.5, "x1": end + 0.5, "y0": 0, "y1": 1, "layer": "below",
                          "line": {"width": 0}, "fillcolor": ORANGE, "opacity": 0.035 * int(level[start])})
    return found


def coverage(seen: Tracked, other: Tracked | None, studied: Streams | None, theme: Theme) -> Figure:
    """Coverage of the last steps against the promise: of the method, of the fixed interval; once drawn, the share of other streams."""
    base, t = seen.stream, np.arange(1.0, seen.stream.steps + 1)
    there = np.arange(base.steps) < seen.now
    line: dict[str, Any] = {"type": "scatter", "mode": "lines", "x": t}
    data = [
        line | {"y": np.where(there, seen.fixed_rolling, np.nan), "line": {"color": GREY, "width": 2, "dash": "dash"},
                "hovertemplate": "step %{x:.0f}: fixed interval %{y:.3f}<extra></extra>"},
        line | {"y": np.where(there, seen.rolling, np.nan), "line": {"color": theme.accent, "width": 2.5},
                "hovertemplate": "step %{x:.0f}: %{y:.3f}<extra></extra>"},
        line | {"x": [0, base.steps + 1], "y": [1 - seen.alpha] * 2, "line": {"color": VERMILION, "width": 2, "dash": "dash"},
                "hoverinfo": "skip"},
        line | {"y": np.where(there, other.rolling, np.nan) if other else np.full(base.steps, np.nan),
                "line": {"color": ORANGE, "width": 2.5, "dash": "dot"}, "hovertemplate": "step %{x:.0f}: compared %{y:.3f}<extra></extra>"}]
    said = f"━ last {seen.window} steps · ╌ fixed interval · ┄ promised" + (" · ┅ compared" if other else "")
    if studied is not None:
        smooth = _smoothed(studied.coverage), _smoothed(studied.fixed_coverage)
        data += [line | {"y": y, "line": {"color": color, "width": 1.5, "dash": "longdash"}, "opacity": 0.75,
                         "hovertemplate": "step %{x:.0f}: %{y:.3f} of streams<extra></extra>"}
                 for y, color in zip(smooth, (theme.accent, GREY), strict=True)]
        said = f"thin: share of {studied.done} other streams, at alpha {studied.alpha:.2f}"
    return {"data": data, "layout": layout(
        theme, top=24, left=48, right=12, xaxis=axis(theme, "step", range=[0, base.steps + 1], fixedrange=True),
        yaxis=axis(theme, "share covered", range=[0.3 if seen.alpha <= 0.3 else 0.0, 1.02], fixedrange=True),
        annotations=[note(said, 0, 1, theme, xshift=-38)])}


def _smoothed(share: np.ndarray, width: int = 15) -> np.ndarray:
    """The running mean of the nearest steps: one step of a hundred streams is too ragged to read."""
    padded = np.concatenate((np.full(width // 2, share[0]), share, np.full(width // 2, share[-1])))
    found: np.ndarray = np.convolve(padded, np.full(width, 1 / width), "valid")
    return found


def calibration(seen: Tracked, theme: Theme) -> Figure:
    """The calibration points by their error: plain as they are, filled by what they count now, with the limit of this step."""
    base = seen.stream
    high = float(np.quantile(base.scores, 0.995)) * 1.5 + 1e-9
    plain, edges = np.histogram(base.scores.clip(0, high), BINS, (0, high))
    now = np.histogram(base.scores.clip(0, high), edges, weights=seen.weights)[0]
    middle, width = (edges[:-1] + edges[1:]) / 2, float(edges[1] - edges[0])
    limit = float(seen.limit[seen.now - 1])
    top = 1.15 * float(max(plain.max(initial=1), 1))
    words = "all" if np.isposinf(limit) else "none" if np.isneginf(limit) else f"{limit:.2f}"
    at = min(max(limit, 0.0), 0.99 * high)
    data = [
        {"type": "bar", "x": middle, "y": plain, "width": width * 0.96, "marker": {"color": "rgba(0,0,0,0)", "line": {"width": 1.2, "color": GREY}},
         "hovertemplate": "%{y} points around %{x:.2f}<extra></extra>"},
        {"type": "bar", "x": middle, "y": np.minimum(now, top), "width": width * 0.7, "marker": {"color": theme.accent, "opacity": 0.85},
         "hovertemplate": "they count %{y:.1f}<extra></extra>"},
        {"type": "scatter", "mode": "lines", "x": [at, at], "y": [0, top], "hoverinfo": "skip", "line": {"color": VERMILION, "width": 3}}]
    return {"data": data, "layout": layout(
        theme, top=24, left=40, barmode="overlay", bargap=0, xaxis=axis(theme, "error of a calibration point", range=[0, high], fixedrange=True),
        yaxis=axis(theme, "points", range=[0, top], fixedrange=True, nticks=4),
        annotations=[note(f"□ points · ■ weighed · ┃ limit: {words}", 0, 1, theme, xshift=-30)])}
