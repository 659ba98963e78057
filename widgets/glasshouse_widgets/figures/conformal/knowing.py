"""What a model says beside what is true: the plane of both, how often it came true, and what training does to them."""

from __future__ import annotations

import itertools
import math
from typing import Any

import numpy as np

from glasshouse.schema.events.conformal_knowing import Epoch, Known
from glasshouse_widgets.figures.palette import (
    GREEN,
    ORANGE,
    PURPLE,
    VERMILION,
    Figure,
    Theme,
    axis,
    layout,
    note,
)
from glasshouse_widgets.figures.tokens import cut, escaped

WHISKERS = 80           # intervals that can be told apart
UNIT = [-0.02, 1.02]
LOW, HIGH = -3.5, -0.3   # of errors, as powers of ten

DOING = {"untrained": "not trained yet", "learning": "learning outcomes", "soft targets": "learning soft targets",
         "outcomes": "learning outcomes again", "counting": "counting pairs", "kept": "the model that is kept"}


def truth(seen: Known, theme: Theme, wide: bool = True) -> Figure:
    """Every test input: what the model says against what is true; bins as rings; intervals of some, where the model claims any.

    A dot carries the number of its input; a cross is one whose true probability is outside its interval.
    """
    said, true = seen.state.mu[:, seen.answer], seen.state.world.truth[:, seen.answer]
    number = np.arange(len(said))
    outside = np.abs(said - true) > seen.radius                 # False where there is no interval
    name = _answer(seen)
    hover = f"says %{{x:.3f}}, true %{{y:.3f}}<extra>input %{{customdata}}: {name}</extra>"
    dots: dict[str, Any] = {"type": "scatter", "mode": "markers", "hovertemplate": hover}
    data = [
        _whiskers(seen, said, theme),
        dots | {"x": said[~outside], "y": true[~outside], "customdata": number[~outside],
                "marker": {"size": 5, "color": theme.accent, "opacity": 0.45}},
        dots | {"x": said[outside], "y": true[outside], "customdata": number[outside],
                "marker": {"size": 6, "symbol": "x-thin", "opacity": 0.8, "line": {"width": 1.5, "color": VERMILION}}},
        _diagonal(1, theme),
        {"type": "scatter", "mode": "lines+markers", "x": _full(seen.predicted), "y": _full(seen.true), "line": {"color": ORANGE, "width": 2},
         "marker": {"size": 12, "color": theme.surface, "line": {"color": ORANGE, "width": 3}},
         "hovertemplate": "inputs rated %{x:.3f} on average: truly %{y:.3f}<extra></extra>"},
        {"type": "scatter", "mode": "markers", "x": [said[seen.point]], "y": [true[seen.point]], "customdata": [seen.point], "hovertemplate": hover,
         "marker": {"size": 15, "symbol": "diamond-open", "color": theme.ink, "line": {"width": 3}}}]
    return {"data": data, "layout": layout(
        theme, top=42 if wide else 59, left=56, right=16, bottom=48,
        xaxis=axis(theme, f"the model's probability of “{name}”", range=UNIT, fixedrange=True, dtick=0.2),
        yaxis=axis(theme, "the true probability, known to the simulation only", range=UNIT, fixedrange=True, dtick=0.2),
        annotations=[note(_key(seen, theme, wide), 0, 1, theme, yshift=3, xshift=-40),
                     *((_corner("truly more likely than it says", 0.02, 0.97, theme), _corner("truly less likely than it says", 0.98, 0.03, theme))
                       if wide else ())])}


def _whiskers(seen: Known, said: np.ndarray, theme: Theme) -> dict[str, Any]:
    """|p - mu| <= radius of the first inputs, from low to high in one trace, and of the chosen one."""
    rows = sorted({*range(min(WHISKERS, len(said))), seen.point}) if not np.isnan(seen.radius).any() else []
    low, high = np.maximum(said - seen.radius, 0.0), np.minimum(said + seen.radius, 1.0)
    return {"type": "scatter", "mode": "lines", "hoverinfo": "skip", "line": {"color": theme.faint, "width": 1.2},
            "x": [v for i in rows for v in (said[i], said[i], None)], "y": [v for i in rows for v in (low[i], high[i], None)]}


def _key(seen: Known, theme: Theme, wide: bool) -> str:
    """What the marks mean; beside a second stage, on one more line."""
    where = f"epoch {seen.state.epoch}: {DOING[seen.state.phase]}"
    keys = f'<span style="color:{theme.accent}">●</span> a test input   <span style="color:{ORANGE}">◯</span> mean of a bin   ┄ the truth'
    if not np.isnan(seen.inside):
        keys += "   " if wide else "<br>"
        keys += f'┃ its interval   <span style="color:{VERMILION}">✕</span> truth outside it'
    return f"<b>{where}</b><br>{keys}"


def _corner(words: str, x: float, y: float, theme: Theme) -> dict[str, Any]:
    return note(words, x, y, theme, xanchor="left" if x < 0.5 else "right", yanchor="top" if y > 0.5 else "bottom", bgcolor=theme.surface,
                opacity=0.85)


def came_true(seen: Known, theme: Theme) -> Figure:
    """The same bins without the truth: how often the answer came, which anybody can count."""
    x, y = _full(seen.predicted), _full(seen.observed)
    gaps: list[float | None] = [v for a in x for v in (a, a, None)]
    data = [
        _diagonal(1, theme),
        {"type": "scatter", "mode": "lines", "x": gaps, "y": [v for a, b in zip(x, y, strict=True) for v in (a, b, None)], "hoverinfo": "skip",
         "line": {"color": VERMILION, "width": 3}},
        {"type": "scatter", "mode": "markers", "x": x, "y": y, "marker": {"size": 9, "symbol": "square", "color": GREEN},
         "hovertemplate": "rated %{x:.3f} on average, came %{y:.3f} of the time<extra></extra>"}]
    said = f'<span style="color:{GREEN}">■</span> a bin   <span style="color:{VERMILION}">┃</span> its gap   mean gap (ECE) {seen.ece:.3f}'
    return {"data": data, "layout": layout(
        theme, top=24, left=48, right=10, bottom=42, annotations=[note(said, 0, 1, theme, xshift=-36, yshift=2)],
        xaxis=axis(theme, f"said probability of “{_answer(seen)}”", range=UNIT, fixedrange=True, dtick=0.5),
        yaxis=axis(theme, "how often it came", range=UNIT, fixedrange=True, dtick=0.5))}


def curves(epochs: list[Epoch], index: int, others: list[Epoch], theme: Theme) -> Figure:
    """Error and what can be computed, epoch by epoch on a log axis; the compared method's error beside it."""
    end = max(10, math.ceil((max(len(epochs), len(others)) - 1) / 10) * 10)
    series = (("hidden error", [e.error for e in epochs], theme.accent, "solid"), ("Brier", [e.brier for e in epochs], ORANGE, "dash"),
              ("ECE", [e.ece for e in epochs], GREEN, "dot"), ("claimed", [e.claimed for e in epochs], PURPLE, "dashdot"),
              ("second method", [e.error for e in others], theme.muted, "longdash"))
    data: list[dict[str, Any]] = [
        {"type": "scatter", "mode": "lines", "x": list(range(len(y))), "y": _above(y), "line": {"color": colour, "width": 2, "dash": dash},
         "hovertemplate": f"epoch %{{x}}: {name} %{{y:.4f}}<extra></extra>"} for name, y, colour, dash in series]
    turns = [i + 0.5 for i, (a, b) in enumerate(itertools.pairwise(epochs)) if a.phase == "learning" and b.phase not in ("learning", "kept")]
    data += [
        {"type": "scatter", "mode": "lines", "x": [v for t in turns for v in (t, t, None)], "y": [10**LOW, 10**HIGH, None] * len(turns),
         "line": {"color": theme.muted, "width": 1.5, "dash": "dot"}, "hoverinfo": "skip"},
        {"type": "scatter", "mode": "markers", "x": [index], "y": _above([epochs[index].error]), "hoverinfo": "skip",
         "marker": {"size": 11, "symbol": "diamond", "color": theme.accent, "line": {"width": 1.5, "color": theme.ink}}}]
    paired = not np.isnan(epochs[-1].claimed)
    shown = [s for i, s in enumerate(series) if i < 3 or (i == 3 and paired) or (i == 4 and others)]
    glyphs = {"solid": "━", "dash": "╍", "dot": "┈", "dashdot": "╌", "longdash": "╾"}
    keys = [f'<span style="color:{colour}">{glyphs[dash]}</span> {name}' for name, _, colour, dash in shown]
    keys += ["┊ restart"] if turns else []
    lines = ["   ".join(keys[:4]), "   ".join(keys[4:])]
    return {"data": data, "layout": layout(
        theme, top=24 if len(keys) < 5 else 41, left=56, right=10, bottom=42,
        annotations=[note("<br>".join(filter(None, lines)), 0, 1, theme, xshift=-44, yshift=2)],
        xaxis=axis(theme, "epoch", range=[-0.5, end + 0.5], fixedrange=True),
        yaxis=axis(theme, "error (log scale)", type="log", range=[LOW, HIGH], fixedrange=True, dtick=1, tickformat=".3~g"))}


def tell(seen: Known, theme: Theme) -> Figure:
    """Whether what can be computed follows what is hidden: the model's own claim where it makes one, else Brier score and ECE over epochs."""
    return _ranks(seen, theme) if np.isnan(seen.inside) else _claims(seen, theme)


def _ranks(seen: Known, theme: Theme) -> Figure:
    """Epochs from the truest to the falsest, by the hidden error and by two numbers that anybody can compute."""
    by = [np.argsort(np.argsort(row, kind="stable"), kind="stable") + 1 for row in seen.history]
    end = max(10, math.ceil(seen.epochs / 10) * 10) + 1
    data = [
        _diagonal(end, theme),
        *({"type": "scatter", "mode": "markers", "x": by[0], "y": by[k], "customdata": list(range(seen.epochs)),
           "marker": {"size": 8, "symbol": symbol, "color": colour},
           "hovertemplate": f"epoch %{{customdata}}: {name} ranks it %{{y}}, the truth %{{x}}<extra></extra>"}
          for k, symbol, colour, name in ((1, "circle", ORANGE, "Brier"), (2, "x", GREEN, "ECE")))]
    said = (f'<span style="color:{ORANGE}">●</span> Brier score, agrees {_signed(seen.agreement)}   '
            f'<span style="color:{GREEN}">✕</span> ECE, {_signed(seen.agreement_ece)}')
    return {"data": data, "layout": layout(
        theme, top=24, left=48, right=10, bottom=42, annotations=[note(said, 0, 1, theme, xshift=-36, yshift=2)],
        xaxis=axis(theme, "epochs by hidden error, truest first", range=[0, end], fixedrange=True),
        yaxis=axis(theme, "rank by what you see", range=[0, end], fixedrange=True))}


def _claims(seen: Known, theme: Theme) -> Figure:
    """Bins by claimed error: the actual one, and what pairs tell of it without the truth. As roots, in points; of less than 0, minus the root."""
    claimed, actual, pairs = (_full(np.sign(row) * np.sqrt(np.abs(row)) * 100) for row in seen.spread_bins)
    top = 50                                        # no probability is further off than that, as a root mean square
    data = [
        _diagonal(top, theme),
        {"type": "scatter", "mode": "lines+markers", "x": claimed, "y": actual, "line": {"color": ORANGE, "width": 2},
         "marker": {"size": 10, "color": theme.surface, "line": {"color": ORANGE, "width": 3}},
         "hovertemplate": "claims %{x:.1f} points, is %{y:.1f} off<extra></extra>"},
        {"type": "scatter", "mode": "markers", "x": claimed, "y": pairs, "marker": {"size": 8, "symbol": "square", "color": GREEN},
         "hovertemplate": "claims %{x:.1f} points, pairs tell %{y:.1f}<extra></extra>"}]
    said = f'<span style="color:{ORANGE}">◯</span> actual (hidden)   <span style="color:{GREEN}">■</span> told by pairs alone'
    return {"data": data, "layout": layout(
        theme, top=24, left=48, right=10, bottom=42, annotations=[note(said, 0, 1, theme, xshift=-36, yshift=2)],
        xaxis=axis(theme, "points off, as the model claims", range=[-1.5, top], fixedrange=True),
        yaxis=axis(theme, "points off", range=[-20, top], fixedrange=True))}


def _diagonal(end: float, theme: Theme) -> dict[str, Any]:
    return {"type": "scatter", "mode": "lines", "x": [0, end], "y": [0, end], "hoverinfo": "skip",
            "line": {"color": theme.ink, "width": 1.5, "dash": "dash"}}


def _answer(seen: Known) -> str:
    return escaped(cut(seen.state.world.answers[seen.answer], 16))


def _full(values: np.ndarray) -> list[float]:
    """Of bins, those that hold something."""
    return [v for v in values.tolist() if v == v]


def _above(values: list[float]) -> list[float | None]:
    """What a log axis can show; less than it has stands at its foot."""
    return [max(v, 10**LOW) if v == v else None for v in values]


def _signed(value: float) -> str:
    return f"{value:+.2f}" if value == value else "not yet"
