"""What stands behind the holes: errors at every budget, what promises cost, and whether they are kept."""

from __future__ import annotations

from typing import Any

import numpy as np

from glasshouse.schema.events.conformal_code import Holed, Programs, Resamples
from glasshouse_widgets.figures.palette import GREY, ORANGE, VERMILION, Figure, Theme, axis, bare, layout, note

DASHES = ("dot", "dash", "dashdot", "solid")


def errors(seen: Holed, theme: Theme) -> Figure:
    """Wrong calibration programs at every budget, for every number of holes; up to the dashed line the promise is proved."""
    programs, last = seen.programs, len(seen.programs.budgets)
    x = np.arange(last + 1)
    data = []
    for m, counts in enumerate(programs.errors):
        mine = m == seen.holes - 1
        data.append({"type": "scatter", "mode": "lines+markers" if mine else "lines", "x": x, "y": counts[::-1], "name": f"{m + 1}",
                     "line": {"color": theme.accent if mine else theme.faint, "width": 2.5 if mine else 1.2, "shape": "hv", "dash": DASHES[m]},
                     "marker": {"size": 5}, "hovertemplate": f"{m + 1} holes at most: %{{y}} wrong<extra></extra>"})
    high = max(1.0, float(programs.errors.max(initial=0))) * 1.12
    k = seen.allowed
    data.append({"type": "scatter", "mode": "lines", "x": [-0.5, last + 0.5], "y": [k, k], "hoverinfo": "skip",
                 "line": {"color": VERMILION, "width": 2, "dash": "dash"}})
    at = last - seen.chosen
    data.append({"type": "scatter", "mode": "markers", "x": [at], "y": [int(programs.errors[seen.holes - 1, seen.chosen])],
                 "marker": {"symbol": "diamond", "size": 13, "color": ORANGE, "line": {"width": 1.5, "color": theme.ink}},
                 "hovertemplate": "the budget in use: %{y} wrong<extra></extra>"})
    ticks = _budget_ticks(programs)
    said = f"at most {k} may be wrong" if k >= 0 else "no number of<br>errors proves it"
    words = note(said if k <= high else f"{said}:<br>every budget passes", 0.03, 0.98, theme, yanchor="top", font={"size": 12, "color": theme.no})
    return {"data": data, "layout": layout(theme, top=10, left=52, bottom=44, xaxis=axis(
        theme, "budget: doubt a program may keep (nats)", tickvals=[last - t for t in ticks], showgrid=False,
        ticktext=list(ticks.values()), range=[-0.7, last + 0.7], fixedrange=True),
        yaxis=axis(theme, f"wrong, of {programs.n}", range=[-0.03 * high, high], fixedrange=True, nticks=5), annotations=[words])}


def _budget_ticks(programs: Programs) -> dict[int, str]:
    """Column -> label: the one in which all is a hole, and those next to powers of ten, where they are near enough to be called so."""
    found = {len(programs.budgets): "none"}
    for power in (0.01, 0.1, 1.0, 10.0, 100.0):
        away = np.abs(np.log(np.maximum(programs.budgets, 1e-12) / power))
        if away.min() < 0.3:
            found[int(away.argmin())] = f"{power:g}"
    return found


def removed(seen: Holed, other: Holed | None, theme: Theme) -> Figure:
    """How much of a program becomes holes for every promise at this delta, a line for each number of holes."""
    data = []
    for m, share in enumerate(seen.curve_removed):
        mine = m == seen.holes - 1
        data.append({"type": "scatter", "mode": "lines", "x": seen.curve_eps, "y": share * 100, "name": f"{m + 1}",
                     "line": {"color": theme.accent if mine else GREY, "width": 3 if mine else 1.3, "shape": "hv", "dash": DASHES[m]},
                     "hovertemplate": f"{m + 1} holes at most, eps %{{x:.2f}}: %{{y:.0f}} % removed<extra></extra>"})
    compared = [] if other is None else (other.curve_removed[other.holes - 1] * 100).tolist()
    data.append({"type": "scatter", "mode": "lines", "x": seen.curve_eps if compared else [], "y": compared,
                 "line": {"color": ORANGE, "width": 2, "shape": "hv", "dash": "dash"},
                 "hovertemplate": "compared: %{y:.0f} % removed<extra></extra>"})
    data.append({"type": "scatter", "mode": "markers", "x": [seen.eps], "y": [seen.removed * 100],
                 "marker": {"symbol": "diamond", "size": 13, "color": ORANGE, "line": {"width": 1.5, "color": theme.ink}},
                 "hovertemplate": "here: %{y:.1f} % removed<extra></extra>"})
    key = "holes: ┈ 1 ╌ 2 ╍ 3 ━ 4" + ("" if other is None else " · orange: compared")
    return {"data": data, "layout": layout(theme, top=24, left=46, right=10, bottom=42, xaxis=axis(
        theme, "eps: share that may be wrong", range=[0, 0.51], fixedrange=True, tickformat=".1f", nticks=6),
        yaxis=axis(theme, "% of nodes removed", range=[-3, 104], fixedrange=True, nticks=6),
        annotations=[note(key, 0, 1, theme, xshift=-30, yshift=4)])}


def kept_promise(seen: Holed, studied: Resamples | None, theme: Theme) -> Figure:
    """The share of test programs that is wrong against the share that may be; other calibrations above it, where they were drawn."""
    high = max(0.3, 1.5 * seen.eps, 1.15 * seen.error)
    rates = np.empty(0) if studied is None else chosen_rates(seen, studied)
    counts, edges = np.histogram(rates, 30, (0.0, high))
    colors = [VERMILION if edge >= seen.eps else theme.tints[3] for edge in edges[:-1].tolist()]
    data: list[dict[str, Any]] = [
        {"type": "bar", "x": (edges[:-1] + edges[1:]) / 2, "y": counts / max(int(counts.max()), 1) * 0.6, "base": 0.5,
         "width": float(edges[1] - edges[0]) * 0.9, "marker": {"color": colors}, "hoverinfo": "skip"},
        {"type": "scatter", "mode": "lines", "x": [seen.eps, seen.eps], "y": [0, 1.15], "line": {"color": VERMILION, "width": 2, "dash": "dash"},
         "hovertemplate": "promised: at most %{x:.2f}<extra></extra>"},
        {"type": "scatter", "mode": "markers", "x": [seen.error], "y": [0.25], "hovertemplate": "wrong on the test programs: %{x:.3f}<extra></extra>",
         "marker": {"symbol": "diamond", "size": 13, "color": ORANGE, "line": {"width": 1.5, "color": theme.ink}}}]
    said = "◆ test programs · ┆ promised at most"
    if studied is not None:
        over = float((rates > seen.eps).mean()) * 100
        said = f"{over:.1f} % of {studied.done} beyond ┆ ({100 * seen.delta:.0f} % may)"
    return {"data": data, "layout": layout(theme, top=22, left=12, right=12, bottom=38, bargap=0,
            xaxis=axis(theme, "share of programs that do not fit", range=[-0.03 * high, high], fixedrange=True, nticks=6),
            yaxis=bare(range=[0, 1.25], fixedrange=True), annotations=[note(said, 0, 1, theme, yshift=3)])}


def chosen_rates(seen: Holed, studied: Resamples) -> np.ndarray:
    """float64 [done]: the error over the whole pool of the budget that each drawn calibration would choose at what is promised now."""
    m, k = seen.holes - 1, seen.allowed
    fits = studied.errors[:, m, :] <= k
    fits[:, -1] = True                                              # the whole program as one hole needs no proof
    at = fits.shape[1] - np.argmin(np.concatenate((fits[:, ::-1], np.zeros((len(fits), 1), bool)), axis=1), axis=1)
    rate: np.ndarray = studied.rate[m][at]
    return rate
