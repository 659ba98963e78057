"""A batch among the calibration points: where its scores land, the law of that, the bound, and how often the claim holds."""

from __future__ import annotations

from typing import Any

import numpy as np

from glasshouse.schema.events.conformal_batch import Claim, Redraws
from glasshouse_widgets.figures.palette import GREEN, GREY, ORANGE, PURPLE, VERMILION, Figure, Theme, axis, bare, layout, note, pattern

BARS = 200
STRIP = 20                      # batches in a row of the strip
BONFERRONI, CUT = "Bonferroni", "calibration cut up"


def about(seen: Claim) -> str:
    """What is bounded, in words."""
    return "confidence" if seen.batched.statement == "select" else "error"


def ranks(seen: Claim, theme: Theme) -> Figure:
    """Above, calibration scores by rank with the batch in their gaps and the bounds; below, the law of the rank with the one chosen."""
    batched, top = seen.batched, 1.08 * seen.batched.upper
    frame = layout(
        theme, left=58, right=14, top=26, bottom=42, bargap=0.08,
        xaxis=axis(theme, f"rank among {batched.n} calibration points", range=[0, batched.n + 2], domain=[0, 1], anchor="y", fixedrange=True,
                   showgrid=False),
        yaxis=axis(theme, about(seen), range=[-0.03 * top, top], domain=[0.43, 1], fixedrange=True),
        xaxis2=axis(theme, _law_title(seen), range=_law_range(seen), anchor="y2", fixedrange=True, showgrid=False),
        yaxis2=axis(theme, "chance, %", range=[0, 1.25 * _bars(seen)[1].max()], domain=[0, 0.25], fixedrange=True, nticks=4),
        annotations=[note(_legend(seen), 0, 1, theme, xshift=-40, yshift=4), note(_kept(seen), 0, 0.25, theme, yshift=-1, xshift=8)])
    return {"data": [_known(seen), *_batch(seen, theme), *_limits(seen, theme), *_law(seen, theme)], "layout": frame}


def _legend(seen: Claim) -> str:
    if seen.batched.statement == "select":
        return "· false claims when calibrating   batch: ● true  ✕ false  (filled: claimed)"
    ring = "" if seen.zeta == 0 else f"   ◯ its {seen.zeta}{ordinal(seen.zeta)} smallest, which the claim is about"
    return f"· calibration points   ◆ the batch of {seen.batched.m}{ring}"


def ordinal(number: int) -> str:
    return "th" if 10 <= number % 100 <= 20 else {1: "st", 2: "nd", 3: "rd"}.get(number % 10, "th")


def _kept(seen: Claim) -> str:
    what = "rank sums" if seen.zeta == 0 else "ranks"
    ends = f"{seen.low_rank} to {seen.rank}" if seen.low_rank else f"up to {seen.rank}"
    return f"{what} {ends}: {100 * seen.chance:.1f} % of all rankings, ▲ this batch"


def _law_title(seen: Claim) -> str:
    if seen.batched.statement == "select":
        passing = seen.batched.m - seen.zeta + 1
        return f"rank of the batch's {passing}{ordinal(passing)} surest false claim"
    return "sum of the batch's ranks" if seen.zeta == 0 else f"rank of the batch's {seen.zeta}{ordinal(seen.zeta)} smallest"


def _law_range(seen: Claim) -> list[float]:
    last = seen.law.first + len(seen.law.cumulative) - 1
    return [0, last + 1] if seen.zeta else [seen.law.first - 0.01 * last, 1.01 * last]


def _known(seen: Claim) -> dict[str, Any]:
    n = seen.batched.n
    return {"type": "scatter", "mode": "markers", "x": list(range(1, n + 1)), "y": seen.batched.scores, "marker": {"size": 5, "color": GREY},
            "hovertemplate": "calibration point %{x}: %{y:.3f}<extra></extra>"}


def _batch(seen: Claim, theme: Theme) -> list[dict[str, Any]]:
    """The batch's points in the gaps they fall into, within and beyond the bound, and a ring around the one that is spoken of."""
    batched = seen.batched
    if batched.statement == "select":
        score = batched.confidence[seen.batch]
        first, wrong = score > seen.bound, batched.wrong[seen.batch]
        marker = {"size": 10, "symbol": [{(0, 0): "circle-open", (0, 1): "x-open", (1, 0): "circle", (1, 1): "x"}[int(c), int(w)]
                                         for c, w in zip(first, wrong, strict=True)],
                  "color": [VERMILION if w else GREEN for w in wrong.tolist()]}
    else:
        score = batched.batch_scores[seen.batch]
        past = (score > seen.bound) if seen.zeta else np.zeros(len(score), bool)
        marker = {"size": 10, "symbol": ["x" if p else "diamond" for p in past.tolist()],
                  "color": [VERMILION if p else theme.accent for p in past.tolist()]}
    at = np.searchsorted(batched.scores, score, side="left") + 0.5
    points = {"type": "scatter", "mode": "markers", "x": at, "y": score, "marker": marker | {"line": {"width": 1, "color": theme.ink}},
              "cliponaxis": False, "hovertemplate": f"{about(seen)} %{{y:.3f}}<extra>batch {seen.batch}</extra>"}
    one = np.argsort(score, kind="stable")[seen.zeta - 1 : seen.zeta] if seen.zeta and batched.statement != "select" else np.empty(0, int)
    return [points, {"type": "scatter", "mode": "markers", "x": at[one], "y": score[one], "hoverinfo": "skip", "cliponaxis": False,
                     "marker": {"size": 19, "symbol": "circle-open", "color": theme.ink, "line": {"width": 2}}}]


def _limits(seen: Claim, theme: Theme) -> list[dict[str, Any]]:
    """The bound, an interval's lower end or a batch's own mean, and two baselines; what has no bound lies on the limit and says so."""
    n, upper = seen.batched.n, seen.batched.upper
    own: tuple[str, float | None] = ("", None)
    if seen.low_rank or not seen.zeta:
        own = (f"from {seen.low:.3f}", seen.low) if seen.low_rank else (f"its mean {seen.statistic:.3f}", seen.statistic)
    lines: list[tuple[str, float | None, str, str, float]] = [
        (f"bound {seen.bound:.3f}" if seen.informative else "bound: the limit", seen.bound, VERMILION, "solid", 0.02),
        (*own, VERMILION, "dot", 0.02)]
    for name, bound, color, dash, place in ((BONFERRONI, seen.bonferroni, ORANGE, "dash", 0.26), (CUT, seen.partition, PURPLE, "dashdot", 0.52)):
        lines.append((f"{name} {bound:.3f}" if np.isfinite(bound) else f"{name}: no bound", min(bound, upper), color, dash, place))
    crowded = 0 < min(seen.bonferroni, seen.partition) - seen.bound < 0.1 * upper        # the next line's words are just above
    return [{"type": "scatter", "mode": "lines+text", "x": [0, place * (n + 2), n + 2], "y": [y, y, y], "text": ["", said, ""],
             "textposition": "bottom right" if crowded and dash == "solid" else "top right",
             "textfont": {"size": 12, "color": theme.ink}, "hoverinfo": "skip", "cliponaxis": False,
             "line": {"color": color, "width": 3 if dash == "solid" else 2, "dash": dash}} for said, y, color, dash, place in lines]


def _bars(seen: Claim) -> tuple[np.ndarray, np.ndarray, int]:
    """(values, chance in %, values a bar)."""
    chances = 100.0 * seen.law.chances()
    step = -(-len(chances) // BARS)
    padded = np.append(chances, np.zeros(-len(chances) % step)).reshape(-1, step).sum(axis=1)
    return seen.law.first + step * np.arange(len(padded)) + (step - 1) / 2, padded, step


def _law(seen: Claim, theme: Theme) -> list[dict[str, Any]]:
    values, chance, step = _bars(seen)
    kept = (values - (step - 1) / 2 <= seen.rank) & (values + (step - 1) / 2 >= seen.low_rank)
    bars = {"type": "bar", "x": values, "y": chance, "width": 0.9 * step, "xaxis": "x2", "yaxis": "y2",
            "marker": {"color": [theme.accent if k else VERMILION for k in kept.tolist()], "line": {"width": 0},
                       "pattern": pattern("", theme) | {"shape": ["" if k else "/" for k in kept.tolist()]}},
            "hovertemplate": "%{x}: %{y:.2f} % of all rankings<extra></extra>"}
    own = seen.batched.ranks[seen.batch]
    at = int(own.sum()) if seen.zeta == 0 else 1 + int((seen.batched.scores < seen.statistic).sum())
    return [bars, {"type": "scatter", "mode": "markers", "x": [at], "y": [0], "xaxis": "x2", "yaxis": "y2", "cliponaxis": False,
                   "marker": {"symbol": "triangle-up", "size": 13, "color": theme.ink}, "hovertemplate": "this batch: %{x}<extra></extra>"}]


def by_alpha(seen: Claim, theme: Theme) -> Figure:
    """The bound that each way gives at every alpha; the top edge is the score's own limit."""
    batched, upper = seen.batched, seen.batched.upper
    sides = 2.0 if batched.statement == "interval" else 1.0
    cdf = np.array([c / seen.law.total for c in seen.law.cumulative])
    keep = np.unique(np.linspace(0, len(cdf) - 1, min(len(cdf), 400)).astype(int))
    at = max(seen.zeta - 1, 0)
    groups, passing = batched.groups[:, at], batched.m - seen.zeta + 1 if seen.zeta else 1
    curves = ((sides * (1 - cdf[keep]), batched.bounds[keep], VERMILION, "solid", "batch PI"),
              (sides * (1 - np.arange(1, batched.n + 1) / (batched.n + 1)) * batched.m / passing, batched.scores, ORANGE, "dash", BONFERRONI),
              (sides * (1 - np.arange(1, len(groups) + 1) / (len(groups) + 1)), groups, PURPLE, "dashdot", CUT))
    data: list[dict[str, Any]] = []
    for past, y, color, dash, name in curves:
        x = np.minimum(past, 1.0)
        order = np.argsort(x, kind="stable")
        data.append({"type": "scatter", "mode": "lines", "name": name, "x": np.concatenate(([0.0], x[order], [1.0])),
                     "y": np.concatenate(([upper], y[order], [y[order][-1] if len(y) else upper])),
                     "line": {"color": color, "width": 3 if dash == "solid" else 2, "dash": dash, "shape": "hv"},
                     "hovertemplate": f"{name} at alpha %{{x:.2f}}: %{{y:.3f}}<extra></extra>"})
    data.append({"type": "scatter", "mode": "markers", "x": [seen.alpha], "y": [seen.bound], "hoverinfo": "skip", "cliponaxis": False,
                 "marker": {"symbol": "diamond", "size": 12, "color": VERMILION, "line": {"width": 1.5, "color": theme.ink}}})
    said = "  ".join(f'<span style="color:{color}">{line}</span> {name}' for (*_, color, _, name), line in zip(curves, ("━", "┅", "┄"), strict=True))
    return {"data": data, "layout": layout(
        theme, left=48, right=10, top=24, annotations=[note(said, 0, 1, theme, xshift=-36, yshift=2)],
        xaxis=axis(theme, "alpha: how often the claim may be false", range=[0, 0.6], fixedrange=True),
        yaxis=axis(theme, f"bound on the {about(seen)}", range=[0, 1.04 * upper], fixedrange=True, nticks=5))}


def points(seen: Claim, theme: Theme) -> Figure:
    """The batch on its curve with the bound as a tube, where there is a curve; else its scores point by point."""
    batched, select = seen.batched, seen.batched.statement == "select"
    past = (batched.confidence if select else batched.batch_scores)[seen.batch] > seen.bound
    speaks = bool(seen.zeta) and not select
    own: dict[str, Any] = {"type": "scatter", "mode": "markers", "hovertemplate": "%{y:.3f}<extra></extra>", "marker": {
        "size": 9, "line": {"width": 1, "color": theme.ink},
        "symbol": ["circle-open" if select and not p else "x" if speaks and p else "diamond" for p in past.tolist()],
        "color": [GREY if select and not p else VERMILION if speaks and p else theme.accent for p in past.tolist()]}}
    return _on_curve(seen, own, theme) if batched.spread.size else _one_by_one(seen, own, theme)


def _on_curve(seen: Claim, own: dict[str, Any], theme: Theme) -> Figure:
    batched, statement = seen.batched, seen.batched.statement
    start = batched.n + seen.batch * batched.m
    x, y, _ = batched.spread[:, start : start + batched.m]
    cx, cy = batched.spread[::2, np.argsort(batched.spread[0])]
    gap = np.array([np.nan])
    edges = (np.r_[cx, gap, cx], np.r_[cy + seen.bound, gap, cy - seen.bound])
    if statement in ("select", "mean"):
        edges = (np.array([0.0, 1.0]), np.full(2, seen.bound if statement == "select" else np.nan))
    said = {"select": "claimed: predictions above the red line", "mean": "line: the prediction"}.get(statement, "prediction, and the bound around it")
    data = [{"type": "scatter", "mode": "markers", "x": batched.spread[0, : batched.n], "y": batched.spread[1, : batched.n], "hoverinfo": "skip",
             "marker": {"size": 4, "color": GREY, "opacity": 0.6}},
            {"type": "scatter", "mode": "lines", "x": cx, "y": cy, "hoverinfo": "skip", "line": {"color": theme.ink, "width": 2}},
            {"type": "scatter", "mode": "lines", "x": edges[0], "y": edges[1], "hoverinfo": "skip", "line": {"color": VERMILION, "width": 2}},
            own | {"x": x, "y": y}]
    return {"data": data, "layout": layout(
        theme, left=48, right=10, top=24, annotations=[note(said, 0, 1, theme, xshift=-36, yshift=2)],
        xaxis=axis(theme, "x", range=[-0.01, 1.01], fixedrange=True, showgrid=False),
        yaxis=axis(theme, "y", range=[-0.25, 1.25], fixedrange=True, nticks=4))}


def _one_by_one(seen: Claim, own: dict[str, Any], theme: Theme) -> Figure:
    batched = seen.batched
    score = (batched.confidence if batched.statement == "select" else batched.batch_scores)[seen.batch]
    ends = [0.4, batched.m + 0.6]
    line = {"type": "scatter", "mode": "lines", "x": ends, "y": [seen.bound] * 2, "hoverinfo": "skip", "line": {"color": VERMILION, "width": 2}}
    return {"data": [line, own | {"x": np.arange(1, batched.m + 1), "y": score}], "layout": layout(
        theme, left=48, right=10, top=12, xaxis=axis(theme, "point of the batch", range=ends, fixedrange=True, showgrid=False),
        yaxis=axis(theme, about(seen), range=[0, 1.04 * batched.upper], fixedrange=True, nticks=5))}


def held(seen: Claim, redrawn: Redraws | None, theme: Theme) -> Figure:
    """Above, the claim batch by batch; below, how often it holds: promised, exact, and over redraws."""
    found = seen.batched.statistics[:, max(seen.zeta - 1, 0)]
    good = ((found <= seen.bound) & (found >= seen.low)).tolist()
    start = max(0.0, np.floor((1 - 2.2 * seen.alpha - 0.1) * 20) / 20)
    words = "┆ promised   | exact" + (f"   ◆ over {redrawn.done} redraws" if redrawn is not None else "")
    rows = max(-(-len(good) // STRIP), 3)
    return {"data": [_strip(seen, good, theme), *_shares(seen, redrawn, theme)], "layout": layout(
        theme, left=12, right=12, top=20, bottom=38, xaxis=bare(range=[-0.7, STRIP - 0.3], fixedrange=True, anchor="y"),
        yaxis=bare(range=[0.4 - rows, 0.6], domain=[0.52, 1], fixedrange=True),
        xaxis2=axis(theme, "share of draws in which the claim holds", range=[start, 1.005], anchor="y2", fixedrange=True, nticks=6),
        yaxis2=bare(range=[0, 1], domain=[0, 0.25], fixedrange=True),
        annotations=[note(f"{sum(good)} of {len(good)} batches here: ■ true  ✕ false", 0, 1, theme), note(words, 0, 0.26, theme)])}


def _strip(seen: Claim, good: list[bool], theme: Theme) -> dict[str, Any]:
    number = np.arange(len(good))
    chosen = [i == seen.batch for i in number.tolist()]
    return {"type": "scatter", "mode": "markers", "x": number % STRIP, "y": -(number // STRIP), "customdata": number, "cliponaxis": False,
            "hovertext": [f"batch {i}: the claim is {'true' if g else 'false'}" for i, g in enumerate(good)], "hoverinfo": "text",
            "marker": {"size": [14 if c else 10 for c in chosen], "symbol": ["square" if g else "x" for g in good], "opacity": 1,
                       "color": [GREEN if g else VERMILION for g in good], "line": {"width": [2 if c else 0 for c in chosen], "color": theme.ink}}}


def _shares(seen: Claim, redrawn: Redraws | None, theme: Theme) -> list[dict[str, Any]]:
    """Promised, exact, and what redraws show with a bar for 98 % of chance."""
    share, reach = None, None
    if redrawn is not None:
        needed = redrawn.needed[:, max(seen.zeta - 1, 0)]
        share = float(((needed <= seen.rank) & (needed >= seen.low_rank)).mean())
        reach = 2.33 * float(np.sqrt(seen.chance * (1 - seen.chance) / redrawn.done))
    on: dict[str, Any] = {"type": "scatter", "xaxis": "x2", "yaxis": "y2", "cliponaxis": False}
    return [on | {"mode": "lines", "x": [1 - seen.alpha] * 2, "y": [0, 1], "line": {"color": VERMILION, "width": 2, "dash": "dash"},
                  "hovertemplate": "promised %{x:.2f}<extra></extra>"},
            on | {"mode": "markers", "x": [seen.chance], "y": [0.5], "hovertemplate": "exact %{x:.4f}<extra></extra>",
                  "marker": {"symbol": "line-ns", "size": 18, "line": {"width": 3, "color": theme.ink}}},
            on | {"mode": "markers", "x": [share], "y": [0.5], "hovertemplate": "held in %{x:.3f} of the redraws<extra></extra>",
                  "error_x": {"type": "data", "array": [reach], "color": ORANGE, "thickness": 2},
                  "marker": {"symbol": "diamond", "size": 12, "color": ORANGE, "line": {"width": 1.5, "color": theme.ink}}}]
