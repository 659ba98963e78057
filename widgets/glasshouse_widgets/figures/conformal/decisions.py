"""What is traded for what: risk against the share answered, and cost beside it, for a learned policy and for a two-stage cascade."""

from __future__ import annotations

from typing import Any

import numpy as np

from glasshouse.schema.events.conformal_decisions import Cascaded, Decisions, Selected, Walked
from glasshouse_widgets.figures.palette import GREEN, GREY, ORANGE, VERMILION, Figure, Theme, axis, color_scale, layout, note

CURVES = (("first look alone", "solid", "circle"), ("all go on", "dot", "square"), ("window goes on", "solid", "diamond"),
          ("least sure go on", "dash", "triangle-up"))
LEAST = 0.05            # of the images: a curve over fewer is all noise
LEFT, RIGHT = [0.0, 0.53], [0.68, 1.0]


def stage(seen: Decisions, theme: Theme) -> Figure:
    """Left the risk-coverage plane, right what it costs."""
    if isinstance(seen, Walked):
        return _walked(seen, theme)
    if isinstance(seen, Selected):
        return _selected(seen, theme)
    assert isinstance(seen, Cascaded)
    return _cascaded(seen, theme)


def _frame(theme: Theme, top: float, right_x: dict[str, Any], right_y: dict[str, Any], words: list[dict[str, Any]], **more: Any) -> dict[str, Any]:
    return layout(
        theme, left=52, right=14, top=52, bottom=46,
        xaxis=axis(theme, "images answered, %, the surest first", range=[0, 101], domain=LEFT, anchor="y", fixedrange=True, nticks=6),
        yaxis=axis(theme, "wrong among the answered, %", range=[-0.02 * top, top], fixedrange=True),
        xaxis2=right_x | {"domain": RIGHT, "anchor": "y2", "fixedrange": True}, yaxis2=right_y | {"anchor": "x2", "fixedrange": True},
        annotations=words, **more)


def _top(curve: np.ndarray) -> float:
    """A round percentage above what answering everything risks."""
    return float(5 * np.ceil(max(130 * float(curve[-1]), 5) / 5))


def _curve(risk: np.ndarray, **style: Any) -> dict[str, Any]:
    m = len(risk)
    k = np.arange(max(round(LEAST * m), 1), m + 1)
    return {"type": "scatter", "mode": "lines", "x": 100 * k / m, "y": 100 * risk[k - 1], **style}


# The cascade

def _colors(theme: Theme) -> tuple[str, ...]:
    return GREY, GREEN, theme.accent, ORANGE


def _cascaded(seen: Cascaded, theme: Theme) -> Figure:
    """Images stand from left to right as sure as the first look is; those in the band are looked at again."""
    top, at = _top(seen.curves[0]), 100 * seen.coverage
    data = [_curve(curve, name=name, line={"color": color, "width": 3.5 if i == 2 else 2, "dash": dash},
                   hovertemplate=f"{name}: %{{x:.0f}} % answered, %{{y:.1f}} % of them wrong<extra></extra>")
            for i, (curve, (name, dash, _), color) in enumerate(zip(seen.curves, CURVES, _colors(theme), strict=True))]
    data.append({"type": "scatter", "mode": "lines", "x": [at, at], "y": [0, top], "hoverinfo": "skip",
                 "line": {"color": VERMILION, "width": 2, "dash": "dash"}})
    data.append(_here(np.full(4, at), 100 * seen.risks, [s for _, _, s in CURVES], list(_colors(theme)), theme))
    side = -1 if at > 45 else 1
    words = [_key(theme), note(f"answer these: {at:.0f} %", at / 101 * LEFT[1], 0.985, theme, xanchor="right" if side < 0 else "left",
                               xshift=6 * side, yanchor="top", font={"size": 12, "color": theme.no})]
    x, y = _cost_axes(seen, theme)
    return {"data": data + _costs(seen, theme), "layout": _frame(theme, top, x, y, words, shapes=[_band(seen, theme)])}


def _key(theme: Theme) -> dict[str, Any]:
    glyphs = ("●━", "■⋯", "◆━", "▲┅")
    names = [f'<span style="color:{color}">{glyph}</span> {name}' for (name, _, _), glyph, color in zip(CURVES, glyphs, _colors(theme), strict=True)]
    return note("   ".join(names) + f'<br><span style="color:{theme.tints[3]}">■</span> the band: looked at again', 0, 1, theme, xshift=-40, yshift=8)


def _band(seen: Cascaded, theme: Theme) -> dict[str, Any]:
    """The window in the order of the first look's confidence; of no width where it is empty."""
    ends = [100 * min(max(seen.aim_first + side * seen.half_width, 0.0), 1.0) for side in (-1, 1)]
    return {"type": "rect", "xref": "x", "yref": "y domain", "x0": ends[0], "x1": ends[1], "y0": 0, "y1": 1, "layer": "below",
            "line": {"width": 0}, "fillcolor": theme.tints[2], "opacity": 0.6}


def _here(x: np.ndarray, y: np.ndarray, symbols: list[str], colors: list[str], theme: Theme, **more: Any) -> dict[str, Any]:
    return {"type": "scatter", "mode": "markers", "x": x, "y": y, "cliponaxis": False, "hovertemplate": "%{y:.1f} % wrong<extra></extra>",
            "marker": {"symbol": symbols, "color": colors, "size": 12, "line": {"width": 1.5, "color": theme.ink}}} | more


def _costs(seen: Cascaded, theme: Theme) -> list[dict[str, Any]]:
    """Risk at the share aimed at, over the cost that a wider and wider window runs up."""
    data = []
    for row, (name, dash, symbol), color, width in ((0, CURVES[2], theme.accent, 3.5), (1, CURVES[3], ORANGE, 2)):
        data.append({"type": "scatter", "mode": "lines+markers", "x": seen.costs_by_width[row], "y": 100 * seen.risks_by_width[row], "xaxis": "x2",
                     "yaxis": "y2", "line": {"color": color, "width": width, "dash": dash}, "marker": {"size": 5, "color": color, "symbol": symbol},
                     "customdata": [100 * w for w in seen.half_widths.tolist()],
                     "hovertemplate": f"{name}: ±%{{customdata:.0f}} % cost %{{x:.2f}} looks, %{{y:.1f}} % wrong<extra></extra>"})
    return [*data, _here(np.array([seen.cost]), 100 * seen.risks[2:3], ["diamond"], [theme.accent], theme, xaxis="x2", yaxis="y2",
                         hovertemplate="now: cost %{x:.2f}, %{y:.1f} % wrong<extra></extra>")]


def _cost_axes(seen: Cascaded, theme: Theme) -> tuple[dict[str, Any], dict[str, Any]]:
    first, second = seen.stages.first_cost, seen.stages.second_cost
    return (axis(theme, "cost an image, in looks", range=[first - 0.06 * second, first + 1.06 * second], nticks=5),
            axis(theme, f"wrong at {100 * seen.aim:.0f} % answered, %", range=[0, max(5.0, 1.15 * 100 * float(seen.risks_by_width.max()))], nticks=6))


# A limit that is certified

def _selected(seen: Selected, theme: Theme) -> Figure:
    """The curve of bounds is known before a test image is seen; where it crosses the limit, answering ends."""
    known, at, limit = seen.certificates, 100 * seen.coverage, 100 * seen.limit
    top = max(_top(seen.plain), 5 * np.ceil((limit + 3) / 5))
    share, said = 100 * known.answered / known.n, f"limit: {limit:.0f} % wrong"
    data: list[dict[str, Any]] = [
        _curve(seen.plain, line={"color": GREY, "width": 2}, hovertemplate="%{x:.0f} % of the test images: %{y:.1f} % wrong<extra></extra>"),
        {"type": "scatter", "mode": "lines", "x": share, "y": 100 * known.bounds, "line": {"color": theme.accent, "width": 3.5},
         "hovertemplate": "%{x:.0f} % answered: at most %{y:.1f} % wrong<extra></extra>"},
        {"type": "scatter", "mode": "lines", "x": [0, 101], "y": [limit, limit], "hoverinfo": "skip",
         "line": {"color": VERMILION, "width": 2, "dash": "dash"}}, _tests(seen, theme),
        {"type": "scatter", "mode": "lines", "x": [at, at], "y": [0, top], "hoverinfo": "skip",
         "line": {"color": theme.muted, "width": 1, "dash": "dot"}},
        _here(np.array([at]), np.array([100 * seen.risk]), ["diamond"], [GREY], theme, hovertemplate="test images: %{y:.1f} % wrong<extra></extra>")]
    key = "   ".join(f'<span style="color:{color}">{glyph}</span> {name}' for color, glyph, name in (
        (theme.accent, "━", f"certified, on {known.n} calibration images"), (GREY, "━◆", "counted, on test images"), (GREEN, "●", "passed"),
        (VERMILION, "✕", "failed")))
    words = [note(key, 0, 1, theme, xshift=-40, yshift=8),
             note(said, LEFT[1], (limit + 0.02 * top) / (1.02 * top), theme, xanchor="right", yshift=2, font={"size": 12, "color": theme.no})]
    x = axis(theme, "wrong answers allowed, %", range=[0, 51], nticks=6)
    y = axis(theme, "can be answered, % of calibration images", range=[-2, 102], nticks=6)
    return {"data": data + _by_limit(seen, theme), "layout": _frame(theme, top, x, y, words)}


def _tests(seen: Selected, theme: Theme) -> dict[str, Any]:
    """Thresholds tried so far, in their order; a cross where the bound was not below the limit."""
    known, at = seen.certificates, seen.tried - 1
    passed = [bool(b < seen.limit) for b in known.bounds[at].tolist()]
    shown = at[-12:]
    return {"type": "scatter", "mode": "markers", "x": 100 * known.answered[shown] / known.n, "y": 100 * known.bounds[shown],
            "hovertext": [f"test {seen.index - len(shown) + i + 2}" for i in range(len(shown))], "hoverinfo": "text",
            "marker": {"size": 10, "symbol": ["circle" if p else "x" for p in passed[-12:]], "line": {"width": 1.2, "color": theme.ink},
                       "color": [GREEN if p else VERMILION for p in passed[-12:]]}}


def _by_limit(seen: Selected, theme: Theme) -> list[dict[str, Any]]:
    on: dict[str, Any] = {"type": "scatter", "xaxis": "x2", "yaxis": "y2"}
    return [on | {"mode": "lines", "x": 100 * seen.limits, "y": 100 * seen.shares, "line": {"color": theme.accent, "width": 3, "shape": "hv"},
                  "hovertemplate": "%{x:.0f} % wrong allowed: %{y:.0f} % answered<extra></extra>"},
            on | {"mode": "lines", "x": [100 * seen.limit] * 2, "y": [0, 100], "hoverinfo": "skip",
                  "line": {"color": VERMILION, "width": 2, "dash": "dash"}},
            on | {"mode": "markers", "x": [100 * seen.limit], "y": [100 * seen.share], "cliponaxis": False, "hoverinfo": "skip",
                  "marker": {"symbol": "diamond", "size": 12, "color": theme.accent, "line": {"width": 1.5, "color": theme.ink}}}]


# The learned policy

def _walked(seen: Walked, theme: Theme) -> Figure:
    """Both ways of reading the policy lie on the plane: every answer, sets included, and single labels alone."""
    now, path = seen.now, seen.path[:seen.index + 1]
    top = max(_top(seen.plain), 5 * np.ceil(20 * max((e.single_risk for e in seen.path if e.single_risk == e.single_risk), default=0.0)))
    colors = [theme.accent, ORANGE]
    data = [_curve(seen.plain, line={"color": GREY, "width": 2}, hovertemplate="%{x:.0f} % answered with one label: %{y:.1f} % wrong<extra></extra>")]
    for shares, risks, color in (([1 - e.silent for e in path], [e.risk for e in path], colors[0]),
                                 ([e.single for e in path], [e.single_risk for e in path], colors[1])):
        data.append({"type": "scatter", "mode": "lines", "x": [100 * s for s in shares], "y": [100 * r for r in risks], "hoverinfo": "skip",
                     "line": {"color": color, "width": 1.2}, "opacity": 0.7})
    found, certified = 100 * np.array([now.risk, now.single_risk]), now.bound == now.bound
    data.append(_here(100 * np.array([1 - now.silent, now.single]), found, ["diamond", "triangle-up"], colors, theme, error_y={
        "type": "data", "symmetric": False, "array": [100 * (now.bound - now.risk) if certified else None, None], "arrayminus": [0, None],
        "color": theme.ink, "thickness": 2, "width": 9, "visible": certified}))
    bound = f"<br>⊤ certified: at most {100 * now.bound:.1f} % of the answers miss the truth" if certified else ""
    said = "   ".join(f'<span style="color:{color}">{glyph}</span> {name}' for color, glyph, name in (
        (GREY, "━", "surest first, one label"), (theme.accent, "◆", "policy: every answer, sets too"), (ORANGE, "▲", "its single labels"))) + bound
    words = [note(said, 0, 1, theme, xshift=-40, yshift=2)]
    return {"data": data + _surface(seen, theme), "layout": _frame(theme, top, *_level_axes(seen, theme), words)}


def _surface(seen: Walked, theme: Theme) -> list[dict[str, Any]]:
    """The expected cost of every pair of levels, and the way that learning took over it."""
    surface, path = seen.now.surface, seen.path[:seen.index + 1]
    on: dict[str, Any] = {"xaxis": "x2", "yaxis": "y2"}
    grid = {"type": "heatmap", "x": surface.alphas, "y": surface.betas, "z": surface.cost.T, "colorscale": color_scale(theme.sequential[::-1]),
            "showscale": False, "hovertemplate": "alpha %{x:.2f}, beta %{y:.3f}: cost %{z:.2f}<extra></extra>", **on}
    way = {"type": "scatter", "mode": "lines", "x": [e.alpha for e in path], "y": [e.beta for e in path], "hoverinfo": "skip", **on}
    both = [way | {"line": {"color": color, "width": width}} for color, width in (("#ffffff", 4), ("#1b1f24", 1.6))]     # seen on any cost
    ends = {"type": "scatter", "mode": "markers", "x": [path[0].alpha, surface.best_alpha, seen.now.alpha],
            "y": [path[0].beta, surface.best_beta, seen.now.beta], "cliponaxis": False,
            "hovertext": [f"start: cost {path[0].cost:.2f}", f"best of the grid: {surface.best_cost:.2f}", f"now: cost {seen.now.cost:.2f}"],
            "hoverinfo": "text",
            "marker": {"symbol": ["circle-open", "star", "diamond"], "size": [12, 15, 13], "color": ["#1b1f24", ORANGE, VERMILION],
                       "line": {"width": [2.5, 1.5, 1.5], "color": ["#1b1f24", "#1b1f24", "#ffffff"]}}, **on}
    return [grid, *both, ends]


def _level_axes(seen: Walked, theme: Theme) -> tuple[dict[str, Any], dict[str, Any]]:
    surface = seen.now.surface
    wide = surface.betas[-1] > 10 * surface.betas[0]
    half, said = (surface.alphas[1] - surface.alphas[0]) / 2, "beta (high: smaller sets, more silence)"
    ticks = [0.1, 0.3, 0.5, 0.7, 0.9] if wide else [0.75, 0.8, 0.85, 0.9]
    x = axis(theme, "alpha (low: more single labels)", range=[surface.alphas[0] - half, surface.alphas[-1] + half], showgrid=False, tickvals=ticks)
    if not wide:
        step = (surface.betas[1] - surface.betas[0]) / 2
        y = axis(theme, said, range=[surface.betas[0] - step, surface.betas[-1] + step], showgrid=False, nticks=6)
    else:
        ends = np.log10(surface.betas[[0, -1]])
        pad = (ends[1] - ends[0]) / (2 * (len(surface.betas) - 1))
        y = axis(theme, said, type="log", range=[ends[0] - pad, ends[1] + pad], showgrid=False,
                 tickvals=[0.01, 0.03, 0.1, 0.3], ticktext=["0.01", "0.03", "0.1", "0.3"])
    return x, y
