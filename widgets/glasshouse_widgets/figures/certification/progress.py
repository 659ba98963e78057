"""All images: accuracy and tightness while training goes on, and how far each image can be trusted."""

from __future__ import annotations

from typing import Any

import numpy as np

from glasshouse.schema.events.certification import History, Inspected
from glasshouse_widgets.figures.palette import GREEN, ORANGE, VERMILION, Figure, Theme, axis, layout, note

TOP = 0.4               # the largest radius on the axis of images


def accuracies(seen: Inspected, other: Inspected | None, theme: Theme) -> Figure:
    """Read rightly, spared by the attack, certified: three curves that can never cross. Between the last two nobody knows."""
    h = seen.history
    data = [_curve(h, h.clean * 100, GREEN, "dot", "circle", "%{y:.1f} % read rightly"),
            _curve(h, h.attacked * 100, ORANGE, "dash", "diamond", "%{y:.1f} % spared by the attack"),
            _curve(h, h.certified * 100, theme.accent, "solid", "square", "%{y:.1f} % certified")]
    key = [(GREEN, "●", "right"), (ORANGE, "◆", "spared"), (theme.accent, "■", "certified")]
    if other is not None:
        data.append(_curve(other.history, other.history.certified * 100, theme.muted, "dashdot", "triangle-up", "the other: %{y:.1f} % certified"))
        key.append((theme.muted, "▲", "the other"))
    return _over_training(data, key, seen, theme, axis(theme, "% of test images", range=[0, 101], fixedrange=True))


def tightness(seen: Inspected, other: Inspected | None, theme: Theme) -> Figure:
    """Best over propagated radius: of each image's linear piece, and with all ReLUs passed over."""
    h = seen.history
    data = [_curve(h, h.local_tightness, theme.accent, "solid", "square", "around images: %{y:.3f}"),
            _curve(h, h.tightness, ORANGE, "dash", "circle", "without ReLUs: %{y:.3f}")]
    key = [(theme.accent, "■", "around images"), (ORANGE, "●", "no ReLUs")]
    if other is not None:
        data.append(_curve(other.history, other.history.local_tightness, theme.muted, "dashdot", "triangle-up", "the other: %{y:.3f}"))
        key.append((theme.muted, "▲", "the other"))
    return _over_training(data, key, seen, theme, axis(theme, "tightness", range=[0, 1.02], fixedrange=True))


def radii(seen: Inspected, theme: Theme) -> Figure:
    """Every test image from the radius up to which it is certified to the radius at which it was broken; only the line moves with eps."""
    certified, broken = seen.checkpoint.certified_radius, seen.checkpoint.broken_radius
    order = np.lexsort((np.minimum(broken, 1.0), certified))
    place = np.empty(len(order), np.int64)
    place[order] = np.arange(len(order))
    low, high = certified[order], broken[order]
    right = low >= 0
    x = np.arange(len(order))
    gaps = np.stack([np.clip(low, 0, TOP), np.clip(high, 0, TOP), np.full(len(order), np.nan)], 1)[right].ravel()
    at = int(place[seen.image])
    last = len(order) - 0.5
    data: list[dict[str, Any]] = [
        {"type": "scatter", "mode": "lines", "x": np.repeat(x[right], 3), "y": gaps, "line": {"color": theme.faint, "width": 1}, "hoverinfo": "skip"},
        _dots(x[right], high[right], order[right], ["triangle-up" if h > TOP else "diamond" for h in high[right].tolist()], ORANGE,
              "image %{customdata}: broken at %{text}"),
        _dots(x[right], low[right], order[right], "square", theme.accent, "image %{customdata}: certified up to %{text}"),
        _dots(x[~right], np.zeros(int((~right).sum())), order[~right], "x", VERMILION, "image %{customdata}: misread"),
        {"type": "scatter", "mode": "lines", "x": [-1, last], "y": [seen.eps] * 2, "hoverinfo": "skip", "line": {"color": theme.ink, "width": 2}},
        {"type": "scatter", "mode": "lines", "x": [at, at], "y": [0, TOP], "hoverinfo": "skip",
         "line": {"color": theme.muted, "width": 1, "dash": "dot"}}]
    key = (f'<span style="color:{theme.accent}">■</span> proved   <span style="color:{ORANGE}">◆</span> broken   '
           f'<span style="color:{VERMILION}">✕</span> misread')
    below = seen.eps > 0.12 * TOP                # where there is room for words, right under the easiest images
    said = note(f"test eps {seen.eps:.3g}", 1, min(seen.eps, TOP), theme, yref="y", xanchor="right", yanchor="top" if below else "bottom",
                font={"size": 12, "color": theme.ink})
    return {"data": data, "layout": layout(theme, top=24, left=52, bottom=36, annotations=[note(key, 0, 1, theme), said], xaxis=axis(
        theme, "test images, the hardest first", range=[-1, last], fixedrange=True, showgrid=False, showticklabels=False),
        yaxis=axis(theme, "radius", range=[-0.012, TOP + 0.012], fixedrange=True))}


def _dots(x: np.ndarray, y: np.ndarray, image: np.ndarray, symbol: Any, color: str, hover: str) -> dict[str, Any]:
    return {"type": "scatter", "mode": "markers", "x": x, "y": np.minimum(y, TOP), "customdata": image,
            "text": [f"{v:.3f}" if np.isfinite(v) else "no radius tried" for v in y.tolist()],
            "marker": {"size": 5, "symbol": symbol, "color": color},
            "hovertemplate": f"{hover}<extra></extra>"}


def _curve(h: History, y: np.ndarray, color: str, dash: str, symbol: str, hover: str) -> dict[str, Any]:
    return {"type": "scatter", "mode": "lines+markers", "x": h.step, "y": y, "customdata": list(range(len(h.step))),
            "line": {"color": color, "width": 2, "dash": dash}, "marker": {"size": 6, "symbol": symbol, "color": color},
            "hovertemplate": f"step %{{x}}: {hover}<extra></extra>"}


def _over_training(data: list[dict[str, Any]], key: list[tuple[str, str, str]], seen: Inspected, theme: Theme, y: dict[str, Any]) -> Figure:
    """Curves over the steps, with a line where one looks and a band from where boxes are trained on."""
    steps = seen.checkpoint.steps
    begun = seen.history.step[seen.history.train_eps > 0]
    shapes = [{"type": "line", "xref": "x", "yref": "paper", "x0": seen.step, "x1": seen.step, "y0": 0, "y1": 1,
               "line": {"color": theme.ink, "width": 1.5}}]
    if len(begun):
        shapes.append({"type": "line", "xref": "x", "yref": "paper", "x0": float(begun[0]), "x1": float(begun[0]), "y0": 0, "y1": 1,
                       "line": {"color": theme.muted, "width": 1, "dash": "dot"}})
    words = "   ".join(f'<span style="color:{color}">{glyph}</span> {word}' for color, glyph, word in key)
    return {"data": data, "layout": layout(theme, top=24, left=52, bottom=40, shapes=shapes, annotations=[note(words, 0, 1, theme)],
            xaxis=axis(theme, "training step; dotted: boxes begin", range=[-0.02 * steps, 1.02 * steps], fixedrange=True), yaxis=y)}
