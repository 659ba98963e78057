"""What stands behind the sets: calibration scores with the threshold, one image's p-values, coverage on its band, sizes."""

from __future__ import annotations

from typing import Any

import numpy as np

from glasshouse.schema.events.conformal import Resplits, Sets
from glasshouse_widgets.figures.palette import GREEN, GREY, ORANGE, VERMILION, Figure, Theme, axis, bare, layout, note
from glasshouse_widgets.figures.tokens import cut

BINS = 40


def scores(seen: Sets, theme: Theme) -> Figure:
    """How strange the true labels of the calibration points were; what is left of the threshold stays below it.

    With a threshold a cell, a line for each, and no colours: which side a point is on depends on its cell.
    """
    values, cells = seen.calibrated.scores, seen.calibrated.cells != "all"
    low, high = (float(values[0]), float(values[-1])) if len(values) else (0.0, 1.0)
    high = max(high, low + 1e-9)
    counts, edges = np.histogram(values, BINS, (low, high))
    middle = (edges[:-1] + edges[1:]) / 2
    at = min(seen.threshold, high + 0.03 * (high - low))
    top = float(max(counts.max(initial=1), 1)) * 1.18
    words = "no threshold: every label enters" if np.isinf(seen.threshold) else f"threshold {seen.threshold:.3f}"
    limits = np.minimum(seen.thresholds, high + 0.03 * (high - low)) if cells else np.array([at])
    if cells:
        words, at = f"{len(limits)} cells, {len(limits)} thresholds", float(limits.max())
    right = at > (low + high) / 2
    bars = {"type": "bar", "x": middle, "y": counts, "width": float(edges[1] - edges[0]) * 0.9,
            "marker": {"color": [theme.accent if cells or m <= seen.threshold else GREY for m in middle.tolist()]},
            "hovertemplate": "%{y} calibration points around %{x:.3f}<extra></extra>"}
    line = {"type": "scatter", "mode": "lines+text",
            "x": [v for t in sorted(limits.tolist()) for v in (t, t, None)], "y": [0, top * 0.93, None] * len(limits),
            "text": ["", "", None] * (len(limits) - 1) + ["", words, None], "hoverinfo": "skip",
            "textposition": "top left" if right else "top right", "textfont": {"size": 12, "color": theme.no}, "cliponaxis": False,
            "line": {"color": VERMILION, "width": 1.5 if cells else 3}}
    handle = [] if cells else [{"type": "line", "x0": at, "x1": at, "y0": 0, "y1": top * 0.93,
                                "line": {"color": VERMILION, "width": 3}}]
    return {"data": [bars, line], "layout": layout(theme, top=22, left=44, shapes=handle,
            xaxis=axis(theme, "score of the true label: how strange it was",
            range=[low - 0.05 * (high - low), high + 0.06 * (high - low)], fixedrange=True),
            yaxis=axis(theme, "calibration points", range=[0, top], fixedrange=True), bargap=0)}


def p_values(seen: Sets, theme: Theme) -> Figure:
    """Labels of the chosen image by p-value: those above alpha are its set. ``y`` stays fixed; alpha is the line that moves."""
    p = seen.p_values
    labels = list(range(len(p)))
    inside = [bool(v > seen.alpha) for v in p.tolist()]
    true = int(seen.calibrated.labels[seen.image])
    bars = {"type": "bar", "x": labels, "y": p, "hovertemplate": "label %{x}: p = %{y:.3f}<extra></extra>",
            "marker": {"color": [GREEN if i and k == true else theme.accent if i else GREY for k, i in zip(labels, inside, strict=True)],
                       "pattern": {"shape": ["" if i else "/" for i in inside]}}}
    line = {"type": "scatter", "mode": "lines", "x": [-0.6, len(p) - 0.4], "y": [seen.alpha] * 2, "hoverinfo": "skip",
            "line": {"color": VERMILION, "width": 2, "dash": "dash"}}
    words = note(f"┅ alpha {seen.alpha:.2f}", 1, 1, theme, xanchor="right", font={"size": 12, "color": theme.no})
    ticks = [f"<b><u>{k}</u></b>" if k == true else str(k) for k in labels]
    return {"data": [bars, line], "layout": layout(theme, top=22, left=44, annotations=[words], xaxis=axis(
        theme, f"label of image {seen.image} (true one underlined)", tickvals=labels, ticktext=ticks, range=[-0.6, len(p) - 0.4],
        fixedrange=True, showgrid=False), yaxis=axis(theme, "p-value", range=[0, 1.02], fixedrange=True))}


def covered(seen: Sets, studied: Resplits | None, theme: Theme) -> Figure:
    """Coverage of this split against what chance allows: the thick band holds 98 % of all splits."""
    if seen.calibrated.cells != "all":
        return _covered_by_cell(seen, theme)
    low = min(seen.band_low, seen.coverage, 1 - seen.alpha)
    start = max(0.0, np.floor((low - 0.02) * 20) / 20)
    data: list[dict[str, Any]] = []
    if studied is not None:
        counts, edges = np.histogram(studied.coverage[:, seen.k], 30, (start, 1.0))
        data.append({"type": "bar", "x": (edges[:-1] + edges[1:]) / 2, "y": counts / max(int(counts.max()), 1) * 0.7 + 0.0,
                     "width": float(edges[1] - edges[0]), "base": 0.45, "marker": {"color": theme.tints[3]}, "hoverinfo": "skip"})
    data += [
        {"type": "scatter", "mode": "lines", "x": [seen.band_low, seen.band_high], "y": [0.25, 0.25], "line": {"color": theme.tints[3], "width": 14},
         "hovertemplate": "98 % of splits cover %{x:.3f}<extra></extra>"},
        {"type": "scatter", "mode": "lines+text", "x": [1 - seen.alpha] * 2, "y": [0, 0.5], "text": ["", ""],
         "line": {"color": VERMILION, "width": 2, "dash": "dash"}, "hovertemplate": "promised %{x:.2f}<extra></extra>"},
        {"type": "scatter", "mode": "markers", "x": [seen.coverage], "y": [0.25], "hovertemplate": "covered %{x:.3f}<extra></extra>",
         "marker": {"symbol": "diamond", "size": 13, "color": ORANGE, "line": {"width": 1.5, "color": theme.ink}}}]
    said = "◆ this split · ┆ promised · ▬ 98 % of splits"
    if studied is not None:
        said = f"{studied.done} of {studied.total} other splits above"
    return {"data": data, "layout": layout(theme, top=22, left=12, right=12, bottom=36, bargap=0,
            xaxis=axis(theme, "", range=[start, 1.005], fixedrange=True), yaxis=bare(range=[0, 1.25], fixedrange=True),
            annotations=[note(said, 0, 1, theme)])}


def _covered_by_cell(seen: Sets, theme: Theme) -> Figure:
    """The same cell by cell: each is promised what the whole was promised before."""
    known = np.isfinite(seen.cell_coverage)
    lowest = float(np.nanmin(np.r_[seen.cell_coverage[known], seen.cell_band[known, 0], 1 - seen.alpha]))
    at, lawful = np.flatnonzero(known), np.flatnonzero(np.isfinite(seen.cell_band[:, 0]))
    names = [cut(name, 8) for name in seen.calibrated.cell_names]
    bands = [v for i in lawful.tolist() for v in (i, i, None)]
    data = [
        {"type": "scatter", "mode": "lines", "x": bands, "y": [v for i in lawful.tolist() for v in (*seen.cell_band[i].tolist(), None)],
         "line": {"color": theme.tints[3], "width": 9}, "hoverinfo": "skip"},
        {"type": "scatter", "mode": "lines", "x": [-0.6, len(names) - 0.4], "y": [1 - seen.alpha] * 2, "hoverinfo": "skip",
         "line": {"color": VERMILION, "width": 2, "dash": "dash"}},
        {"type": "scatter", "mode": "markers", "x": at, "y": seen.cell_coverage[known], "text": [names[i] for i in at],
         "hovertemplate": "%{text}: covered %{y:.3f}<extra></extra>",
         "marker": {"symbol": "diamond", "size": 10, "color": ORANGE, "line": {"width": 1.5, "color": theme.ink}}}]
    return {"data": data, "layout": layout(theme, top=22, left=40, right=6, bottom=26, xaxis=axis(
        theme, "", tickvals=list(range(len(names))), ticktext=names, range=[-0.6, len(names) - 0.4], fixedrange=True, showgrid=False),
        yaxis=axis(theme, "", range=[max(0.0, lowest - 0.03), 1 + 0.03 * (1.03 - lowest)], fixedrange=True, nticks=4),
        annotations=[note("◆ each cell · ┆ promised · ▬ 98 % of splits", 0, 1, theme, xshift=-30)])}


def sizes(seen: Sets, other: Sets | None, theme: Theme) -> Figure:
    """How many sets have how many labels; the compared method as outlines."""
    k = seen.calibrated.classes
    data = []
    for one, style in ((seen, {"color": theme.accent}), (other, {"color": "rgba(0,0,0,0)", "line": {"width": 2, "color": ORANGE}})):
        if one is not None:
            data.append({"type": "bar", "x": list(range(k + 1)), "y": np.bincount(one.sizes, minlength=k + 1) / max(one.calibrated.m, 1) * 100,
                         "marker": style, "hovertemplate": "%{y:.1f} % of sets have %{x} labels<extra></extra>"})
    return {"data": data, "layout": layout(theme, top=10, left=44, barmode="overlay", xaxis=axis(
        theme, "labels in a set", dtick=1, range=[-0.6, k + 0.6], fixedrange=True, showgrid=False),
        yaxis=axis(theme, "% of sets", range=[0, 101], fixedrange=True))}
