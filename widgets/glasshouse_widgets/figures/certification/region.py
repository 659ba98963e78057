"""One image: all that bounds allow within the radius, and what real images reach."""

from __future__ import annotations

from typing import Any

import numpy as np

from glasshouse.schema.events.certification import Inspected
from glasshouse_widgets.figures.palette import CLEAR, ORANGE, VERMILION, Figure, Theme, axis, bare, color_scale, layout, note

VERDICT = {
    "certified": "certified: nothing within {eps:.3g} is read otherwise",
    "unknown": "not known: the box leaves room, no attack was found",
    "broken": "broken: an image within {eps:.3g} is read as {read}",
    "wrong": "misread as it is: nothing to certify",
}
SHORT = {"certified": "certified within {eps:.3g}", "unknown": "not known within {eps:.3g}", "broken": "broken: read as {read}",
         "wrong": "misread as it is"}
STEPS = (1, 1.5, 2, 3, 4, 6, 8)         # of an axis, so that it does not tremble while training goes on
SMALLEST, LARGEST = -3, 4               # powers of ten on the axis of radii


def region(seen: Inspected, theme: Theme, narrow: bool = False) -> Figure:
    """The plane of the leads over the two nearest rivals: left of 0 or below it the answer is another. The range does not depend on eps."""
    span = _eased(float(np.abs(seen.leads[0]).max()))
    low, high = (-0.75 * span, 1.75 * span) if seen.leads[0].min() >= 0 else (-1.5 * span, span)
    (x0, y0), (x1, y1) = seen.lead_box.tolist()
    far = 10 * span
    outline = _hull(seen.leads)
    data: list[dict[str, Any]] = [
        _area([-far, 0, 0, far, far, -far], [far, far, 0, 0, -far, -far], "rgba(213,94,0,0.10)", CLEAR, "another answer",
              fillpattern={"shape": "/", "fgcolor": VERMILION, "fgopacity": 0.35, "size": 9, "solidity": 0.12, "bgcolor": "rgba(213,94,0,0.06)"}),
        _area([x0, x1, x1, x0, x0], [y0, y0, y1, y1, y0], _faded(theme.accent), theme.accent,
              "what bounds allow: %{x:.2f}, %{y:.2f}", width=3),
        {"type": "scatter", "mode": "markers", "x": seen.leads[1:, 0], "y": seen.leads[1:, 1],
         "marker": {"size": 4, "color": ORANGE, "opacity": 0.55}, "hovertemplate": "an image within eps: %{x:.2f}, %{y:.2f}<extra></extra>"},
        {"type": "scatter", "mode": "lines", "x": outline[:, 0], "y": outline[:, 1], "hoverinfo": "skip",
         "line": {"color": ORANGE, "width": 2, "dash": "dash"}},
        {"type": "scatter", "mode": "markers", "x": seen.leads[:1, 0], "y": seen.leads[:1, 1],
         "marker": {"symbol": "star", "size": 15, "color": theme.ink, "line": {"width": 1, "color": theme.surface}},
         "hovertemplate": "the image itself: %{x:.2f}, %{y:.2f}<extra></extra>"}]
    words = (SHORT if narrow else VERDICT)[seen.verdict].format(eps=seen.eps, read=seen.read_as)
    key = (f'<span style="color:{theme.accent}">□</span> {"bounds" if narrow else "what bounds allow"}   '
           f'<span style="color:{ORANGE}">●</span> real images{"<br>" if narrow else " within eps   "}'
           f'★ the image   <span style="color:{VERMILION}">▨</span> another answer')
    sign = {"certified": "✓", "unknown": "?", "broken": "✕", "wrong": "✕"}[seen.verdict]
    said = [note(f"<b>{sign} {words}</b>", 0, 1, theme, yshift=36 if narrow else 20, font={"size": 14, "color": theme.ink}),
            note(key, 0, 1, theme, yshift=2)]
    if x0 < low or x1 > high or y0 < low or y1 > high:
        said.append(note(f"the box goes on: {_number(x0)} to {_number(x1)} across, {_number(y0)} to {_number(y1)} up", 1, 0, theme,
                         xanchor="right", yshift=4, bgcolor=theme.surface, font={"size": 12, "color": theme.ink}))
    axes = [axis(theme, f"lead of {seen.label} over {rival} (logits)", range=[low, high], fixedrange=True, zeroline=True, zerolinecolor=VERMILION,
                 zerolinewidth=2) for rival in seen.rivals]
    return {"data": data, "layout": layout(theme, top=74 if narrow else 58, left=52, xaxis=axes[0], yaxis=axes[1], annotations=said)}


def layers(seen: Inspected, other: Inspected | None, theme: Theme) -> Figure:
    """How the mean radius of the box grows from the input to the leads; the best box there could be lies between the two lines."""
    count = len(seen.ibp_radius)
    floor = 10.0**SMALLEST

    def line(radii: np.ndarray, color: str, dash: str, symbol: str, word: str, width: float = 2.5) -> dict[str, Any]:
        return {"type": "scatter", "mode": "lines+markers", "x": list(range(len(radii))), "y": np.maximum(radii, floor), "customdata": radii,
                "line": {"color": color, "width": width, "dash": dash}, "marker": {"size": 8, "symbol": symbol, "color": color},
                "hovertemplate": f"{word}: %{{customdata:.4g}}<extra></extra>"}

    data = [line(seen.reached_radius, ORANGE, "dash", "circle", "reached"), line(seen.ibp_radius, theme.accent, "solid", "square", "bounds")]
    data[1] |= {"fill": "tonexty", "fillcolor": _faded(theme.accent)}
    key = f'<span style="color:{theme.accent}">■</span> bounds   <span style="color:{ORANGE}">●</span> reached'
    if other is not None:
        data.append(line(other.ibp_radius, theme.muted, "dot", "diamond", "bounds of the other", 2))
        key += f'   <span style="color:{theme.muted}">◆</span> the other'
        count = max(count, len(other.ibp_radius))
    names = ["input", *[f"layer {i}" if count < 6 else str(i) for i in range(1, len(seen.ibp_radius) - 1)], "leads"]
    names += [""] * (count - len(names))
    powers = list(range(SMALLEST, LARGEST + 1))
    return {"data": data, "layout": layout(theme, top=24, left=62, bottom=30, annotations=[note(key, 0, 1, theme)], xaxis=axis(
        theme, "", tickvals=list(range(count)), ticktext=names, range=[-0.3, count - 0.7], fixedrange=True, showgrid=False),
        yaxis=axis(theme, "mean radius", type="log", range=[SMALLEST, LARGEST], fixedrange=True,
                   tickvals=[10.0**p for p in powers[::2]], ticktext=[f"{10.0**p:g}" for p in powers[::2]]))}


def pair(seen: Inspected, theme: Theme) -> Figure:
    """The image, and the worst one that the attack found within eps."""
    side = seen.original.shape[0]
    z = np.full((side, 2 * side + 2), np.nan)
    z[:, :side], z[:, side + 2:] = seen.original, seen.attacked_image
    trace = {"type": "heatmap", "z": z, "zmin": 0, "zmax": 1, "showscale": False, "hoverongaps": False, "xgap": 1, "ygap": 1,
             "colorscale": color_scale(("#000000", "#ffffff")), "hovertemplate": "pixel %{z:.2f}<extra></extra>"}
    titles = [note(f"image {seen.image}: a {seen.label}", 0.0, 1, theme),
              note(f"attacked: read as {seen.read_as}", (side + 1) / (2 * side + 2), 1, theme)]
    return {"data": [trace], "layout": layout(theme, top=24, left=8, right=8, bottom=8, annotations=titles,
            xaxis=bare(range=[-0.5, 2 * side + 1.5], fixedrange=True), yaxis=bare(range=[side - 0.5, -0.5], fixedrange=True))}


def _area(x: list[float], y: list[float], fill: str, line: str, hover: str, width: float = 0, **more: Any) -> dict[str, Any]:
    return {"type": "scatter", "mode": "lines", "x": x, "y": y, "fill": "toself", "fillcolor": fill, "line": {"color": line, "width": width},
            "hovertemplate": f"{hover}<extra></extra>", **more}


def _faded(color: str) -> str:
    r, g, b = (int(color[i:i + 2], 16) for i in (1, 3, 5))
    return f"rgba({r},{g},{b},0.13)"


def _eased(value: float) -> float:
    """The next larger of STEPS times a power of ten."""
    power = 10.0 ** np.floor(np.log10(max(value, 1e-6)))
    return float(next((s * power for s in STEPS if s * power >= value), 10 * power))


def _number(value: float) -> str:
    return f"{value:.0f}" if abs(value) >= 10 else f"{value:.1f}"


def _hull(points: np.ndarray) -> np.ndarray:
    """The convex hull of [p, 2] as a closed line (Andrew's monotone chain)."""
    ordered = np.unique(np.round(points, 9), axis=0).tolist()
    if len(ordered) < 3:
        return np.array(ordered)

    def half(rows: list[list[float]]) -> list[list[float]]:
        kept: list[list[float]] = []
        for p in rows:
            while len(kept) > 1 and _turn(kept[-2], kept[-1], p) <= 0:
                kept.pop()
            kept.append(p)
        return kept

    lower, upper = half(ordered), half(ordered[::-1])
    return np.array([*lower[:-1], *upper])


def _turn(a: list[float], b: list[float], c: list[float]) -> float:
    return (b[0] - a[0]) * (c[1] - a[1]) - (b[1] - a[1]) * (c[0] - a[0])
