"""Detectors and rules for one image, with their intervals under attack; what is certified, and what sets cost, radius by radius."""

from __future__ import annotations

from typing import Any

import numpy as np

from glasshouse.schema.events.conformal_rules import Attacked, Reasoned, RobustSets
from glasshouse_widgets.figures.palette import (
    GREEN,
    GREY,
    ON_HUE,
    ORANGE,
    VERMILION,
    Figure,
    Theme,
    axis,
    bare,
    color_scale,
    layout,
    note,
)

CLASS, PROPERTY, SCALE, WIDE = 30.0, 79.0, 26.0, 18.0       # where scales from 0 to 1 begin, and how long they are
PICTURE = 16.0
NO, YES = 0.02, 0.25                                        # a detector at less is silent; edges of one above the other are thick
BEFORE, AFTER = -0.17, 0.17                                 # rows of the two intervals
COLUMNS, ROWS, CELL = 20, 3, 10                             # the page of images; a cell in pixels of an image
PAGE = COLUMNS * ROWS


def circuit(seen: RobustSets, theme: Theme) -> Figure:
    """One image: each digit's and property's probability before the rules (above) and after (below), with rules as edges between."""
    reasoned = seen.reasoned
    k, total = reasoned.classes, reasoned.classes + len(reasoned.properties)
    rows = np.append(np.arange(k, dtype=float), _property_rows(reasoned))
    starts, lengths = np.repeat((CLASS, PROPERTY), (k, total - k)), np.repeat((SCALE, WIDE), (k, total - k))
    data = [_picture(seen, theme), *_edges(seen, rows, theme), _segments(starts, starts + lengths, rows, theme.grid, 6)]
    for values, box, offset, color, symbol in ((reasoned.before, reasoned.before_box, BEFORE, GREY, "circle-open"),
                                               (reasoned.after, reasoned.after_box, AFTER, theme.accent, "diamond")):
        low, high = box[0, seen.at, seen.image].astype(float), box[1, seen.at, seen.image].astype(float)
        data.append(_segments(starts + lengths * low, starts + lengths * high, rows + offset, color, 5))
        p = values[seen.image]
        data.append({"type": "scatter", "mode": "markers", "x": starts + lengths * p, "y": rows + offset, "cliponaxis": False,
                     "marker": {"size": 8, "symbol": symbol, "color": color, "line": {"width": 1.5, "color": color if offset < 0 else theme.ink}},
                     "hovertext": [f"{name}: {v:.3f}" for name, v in zip(_names(reasoned), p.tolist(), strict=True)], "hoverinfo": "text"})
    data += [_limits(seen, rows), _chips(seen, theme)]
    return {"data": data, "layout": layout(
        theme, left=6, right=8, top=26, bottom=22, xaxis=bare(range=[0, 100], fixedrange=True), yaxis=bare(range=[k - 0.3, -0.9], fixedrange=True),
        annotations=_words(seen, rows, theme))}


def _property_rows(reasoned: Reasoned) -> np.ndarray:
    each = len(reasoned.properties)
    return (np.arange(each) + 0.5) * reasoned.classes / max(each, 1) - 0.3


def _names(reasoned: Reasoned) -> list[str]:
    return [str(k) for k in range(reasoned.classes)] + list(reasoned.properties)


def _picture(seen: RobustSets, theme: Theme) -> dict[str, Any]:
    reasoned, high = seen.reasoned, 2.6 * seen.reasoned.classes / 10
    z = reasoned.images[seen.image] if len(reasoned.images) else np.full((1, 1), np.nan)
    return {"type": "heatmap", "z": z, "x": 0.5 + (np.arange(z.shape[1]) + 0.5) * PICTURE / z.shape[1],
            "y": -0.5 + (np.arange(z.shape[0]) + 0.5) * high / z.shape[0], "zmin": 0, "zmax": 255, "showscale": False, "hoverinfo": "skip",
            "colorscale": color_scale((theme.tints[0], theme.ink))}


def _segments(left: np.ndarray, right: np.ndarray, rows: np.ndarray, color: str, width: float) -> dict[str, Any]:
    gap = np.full(len(left), np.nan)
    return {"type": "scatter", "mode": "lines", "x": np.stack((left, right, gap), axis=1).ravel(), "y": np.repeat(rows, 3),
            "line": {"color": color, "width": width}, "hoverinfo": "skip"}


def _edges(seen: RobustSets, rows: np.ndarray, theme: Theme) -> list[dict[str, Any]]:
    """Every rule; thick where a digit speaks: blue to a property that agrees with it, red (dashed) to one that speaks against it."""
    reasoned = seen.reasoned
    k, p = reasoned.classes, reasoned.before[seen.image]
    kinds: dict[str, list[tuple[int, int]]] = {"silent": [], "agrees": [], "against": [], "weak": []}
    for number, has in enumerate(reasoned.implies):
        kept = np.where(has, p[k + number], 1 - p[k + number])
        for c in range(k):
            kind = "silent" if p[c] < NO else "weak" if p[c] < YES and kept[c] >= 0.5 else "agrees" if kept[c] >= 0.5 else "against"
            kinds[kind].append((c, number))
    style = {"silent": (theme.grid, 1, "solid"), "weak": (theme.tints[3], 1.5, "solid"), "agrees": (theme.accent, 3, "solid"),
             "against": (VERMILION, 2.5, "dot")}
    found = []
    for kind, (color, width, dash) in style.items():
        x: list[float | None] = []
        y: list[float | None] = []
        for c, number in kinds[kind]:
            x += [CLASS + SCALE + 1.5, PROPERTY - 2, None]
            y += [float(rows[c]), float(rows[k + number]), None]
        found.append({"type": "scatter", "mode": "lines", "x": x, "y": y, "hoverinfo": "skip",
                      "line": {"color": color, "width": width, "dash": dash}})
    return found


def _limits(seen: RobustSets, rows: np.ndarray) -> dict[str, Any]:
    """The probability from which a digit is in the set; as published there is none, for the score is not monotone in it."""
    reasoned = seen.reasoned
    least = 1.0 - seen.thresholds[1, reasoned.cell]
    shown = np.isfinite(least) & (reasoned.calibration != "as published")
    at = CLASS + SCALE * np.clip(np.where(shown, least, 0.0), 0.0, 1.0)
    at[~shown] = np.nan
    y = rows[: reasoned.classes]
    return {"type": "scatter", "mode": "lines", "x": np.repeat(at, 3), "y": np.stack((y - 0.42, y + 0.42, np.full(len(y), np.nan)), axis=1).ravel(),
            "line": {"color": VERMILION, "width": 2}, "hoverinfo": "skip"}


def _chips(seen: RobustSets, theme: Theme) -> dict[str, Any]:
    """Every digit's name: filled in the set, framed where only the robust set has it, bare elsewhere; the truth is underlined."""
    reasoned = seen.reasoned
    true = int(reasoned.labels[seen.image])
    fill, frame, ink, text = [], [], [], []
    for c, (inside, robust) in enumerate(zip(seen.sets[1, seen.image].tolist(), seen.robust[1, seen.image].tolist(), strict=True)):
        fill.append(GREEN if inside and c == true else theme.tints[3] if inside else theme.surface)
        frame.append(GREEN if inside and c == true else theme.accent if robust else theme.surface)
        ink.append(ON_HUE if inside and c == true else theme.no if c == true and not robust else theme.ink if robust else theme.muted)
        text.append(f"<u><b>{c}</b></u>" if c == true else str(c))
    return {"type": "scatter", "mode": "markers+text", "x": np.full(len(text), CLASS - 5), "y": np.arange(len(text)), "text": text,
            "textfont": {"size": 13, "color": ink}, "hoverinfo": "skip", "cliponaxis": False,
            "marker": {"symbol": "square", "size": 20, "color": fill, "line": {"width": 2, "color": frame}}}


def _words(seen: RobustSets, rows: np.ndarray, theme: Theme) -> list[dict[str, Any]]:
    reasoned = seen.reasoned
    at: dict[str, Any] = {"xref": "x", "yref": "y", "font": {"size": 12, "color": theme.ink}}
    high = -0.5 + 2.6 * reasoned.classes / 10
    inside, robust = (np.flatnonzero(s[1, seen.image]).tolist() for s in (seen.sets, seen.robust))
    said = (f"image {seen.image}, truth {reasoned.labels[seen.image]}", f"set: {_listed(inside)}", f"under attack: {_listed(robust)}")
    found = [note(words, 0.5, high + 0.55 * (i + 1), theme, **at) for i, words in enumerate(said)]
    found += [note(name, PROPERTY, float(row) - 0.35, theme, **at) for name, row in zip(reasoned.properties, rows[reasoned.classes:], strict=True)]
    found += [note("digit's detector: 0 to 1", CLASS, 1, theme, xref="x"), note("property's", PROPERTY, 1, theme, xref="x"),
              note(f'○ votes  <span style="color:{theme.accent}">◆</span> after the rules, with what an attack of {seen.radius:.2f} could do   '
                   f'<span style="color:{VERMILION}">|</span> threshold   <span style="color:{VERMILION}">┄</span> rule broken', 0, 0, theme,
                   yanchor="top")]
    return found


def _listed(labels: list[int]) -> str:
    return " ".join(map(str, labels)) if labels else "empty"


def certified(seen: RobustSets, attacked: Attacked | None, theme: Theme) -> Figure:
    """What ordinary sets cover at least at each radius, with rules and without, and what they covered in attacks that were tried."""
    radii = seen.reasoned.radii
    data = [_curve(seen, side, seen.certified[side], "at least %{y:.3f}", theme) for side in (0, 1)]
    hit = np.full((2, len(radii)), np.nan)
    if attacked is not None:
        limit = seen.thresholds[:, None, None, seen.reasoned.cell[seen.reasoned.labels]]
        hit[:, : attacked.done] = (attacked.scores <= limit).all(axis=2).mean(axis=-1)
    for side, color in ((0, GREY), (1, ORANGE)):
        data.append({"type": "scatter", "mode": "markers", "x": radii, "y": hit[side], "marker": {
            "size": 8, "symbol": "x-thin", "line": {"width": 2, "color": color}},
            "hovertemplate": "attacked, radius %{x:.2f}: %{y:.3f}<extra></extra>"})
    data.append(_at(seen, (0.0, 1.0)))
    said = _legend(theme) + (f'  <span style="color:{ORANGE}">×</span> attacked' if attacked is not None else "")
    return {"data": data, "layout": layout(
        theme, left=46, right=10, top=24, annotations=[note(said, 0, 1, theme, xshift=-36, yshift=2)],
        xaxis=axis(theme, "radius of the attack", range=[-0.01, radii[-1] + 0.01], fixedrange=True),
        yaxis=axis(theme, "share covered at least", range=[0, 1.02], fixedrange=True, nticks=6))}


def sizes(seen: RobustSets, theme: Theme) -> Figure:
    """How many labels the sets need that hold under attack, with rules and without."""
    radii, k = seen.reasoned.radii, seen.reasoned.classes
    data = [_curve(seen, side, seen.robust_sizes[side], "%{y:.2f} labels", theme) for side in (0, 1)]
    return {"data": [*data, _at(seen, (0.0, float(k)))], "layout": layout(
        theme, left=46, right=10, top=24, annotations=[note(_legend(theme), 0, 1, theme, xshift=-36, yshift=2)],
        xaxis=axis(theme, "radius of the attack", range=[-0.01, radii[-1] + 0.01], fixedrange=True),
        yaxis=axis(theme, "labels in a robust set", range=[0, k + 0.2], fixedrange=True, nticks=6))}


def _curve(seen: RobustSets, side: int, y: np.ndarray, said: str, theme: Theme) -> dict[str, Any]:
    """Over the radii, without rules (0) or with them (1)."""
    color, dash, symbol, name = (theme.accent, "solid", "diamond", "with rules") if side else (GREY, "dash", "circle", "without rules")
    return {"type": "scatter", "mode": "lines+markers", "name": name, "x": seen.reasoned.radii, "y": y, "marker": {"size": 6, "symbol": symbol},
            "line": {"color": color, "width": 3 if side else 2, "dash": dash}, "hovertemplate": f"{name}, radius %{{x:.2f}}: {said}<extra></extra>"}


def _legend(theme: Theme) -> str:
    return f'<span style="color:{theme.accent}">━◆</span> with rules  <span style="color:{GREY}">┅●</span> without'


def _at(seen: RobustSets, ends: tuple[float, float]) -> dict[str, Any]:
    return {"type": "scatter", "mode": "lines", "x": [seen.radius] * 2, "y": list(ends), "hoverinfo": "skip",
            "line": {"color": VERMILION, "width": 1.5, "dash": "dot"}}


def covered(seen: RobustSets, theme: Theme) -> Figure:
    """How often unattacked sets held the truth, with rules and without, against what was promised."""
    start = max(0.0, np.floor((min(float(seen.covered.min()), 1 - seen.alpha) - 0.05) * 20) / 20)
    band = [None, None] if np.isnan(seen.band_low) else [seen.band_low, seen.band_high]
    data: list[dict[str, Any]] = [
        {"type": "scatter", "mode": "lines", "x": band, "y": [0.25, 0.25], "line": {"color": theme.tints[3], "width": 14},
         "hovertemplate": "98 % of splits cover %{x:.3f}<extra></extra>"},
        {"type": "scatter", "mode": "lines", "x": [1 - seen.alpha] * 2, "y": [0, 0.5], "line": {"color": VERMILION, "width": 2, "dash": "dash"},
         "hovertemplate": "promised %{x:.2f}<extra></extra>"}]
    for side, color, symbol in ((0, GREY, "circle"), (1, theme.accent, "diamond")):
        data.append({"type": "scatter", "mode": "markers", "x": [float(seen.covered[side])], "y": [0.25],
                     "marker": {"symbol": symbol, "size": 13 if side else 11, "color": color, "line": {"width": 1.5, "color": theme.ink}},
                     "hovertemplate": ("with rules" if side else "without rules") + " %{x:.3f}<extra></extra>"})
    return {"data": data, "layout": layout(
        theme, top=22, left=12, right=12, bottom=36, xaxis=axis(theme, "", range=[start, 1.005], fixedrange=True),
        yaxis=bare(range=[0, 0.6], fixedrange=True), annotations=[note("◆ with rules  ● without  ┆ 1 - alpha", 0, 1, theme)])}


def images(seen: RobustSets, theme: Theme) -> Figure:
    """The page of test images that has the chosen one; those whose set misses the truth are framed."""
    reasoned, first = seen.reasoned, seen.image // PAGE * PAGE
    shown = np.arange(first, min(first + PAGE, reasoned.m))
    z, number = np.full((ROWS * CELL, COLUMNS * CELL), np.nan, np.float32), np.full((ROWS * CELL, COLUMNS * CELL), -1, np.int32)
    for i, image in enumerate(shown.tolist()):
        y, x = i // COLUMNS * CELL, i % COLUMNS * CELL
        z[y : y + 8, x : x + 8] = reasoned.images[image][:8, :8] if len(reasoned.images) else 0
        number[y : y + 8, x : x + 8] = image
    missed = ~seen.sets[1, shown, reasoned.labels[shown]]
    lines = {"type": "scatter", "mode": "lines", "hoverinfo": "skip"}
    frames = [lines | {**_frames(np.flatnonzero(missed), 0.3), "line": {"color": VERMILION, "width": 2}},
              lines | {**_frames(np.array([seen.image - first]), 0.7), "line": {"color": theme.ink, "width": 3}}]
    picture = {"type": "heatmap", "z": z, "customdata": number, "zmin": 0, "zmax": 255, "showscale": False, "hoverinfo": "skip",
               "colorscale": color_scale((theme.tints[0], theme.ink))}
    return {"data": [picture, *frames], "layout": layout(
        theme, left=6, right=6, top=22, bottom=4, xaxis=bare(range=[-1.5, COLUMNS * CELL - 0.5], fixedrange=True),
        yaxis=bare(range=[ROWS * CELL - 0.5, -1.5], fixedrange=True),
        annotations=[note("red frame: its set misses the truth; heavy frame: the image above", 0, 1, theme)])}


def _frames(places: np.ndarray, out: float) -> dict[str, Any]:
    """Squares around the places of a page, as one broken line."""
    left, top = places % COLUMNS * CELL - 0.5 - out, places // COLUMNS * CELL - 0.5 - out
    side, gap = 8 + 2 * out, np.full(len(places), np.nan)
    return {"x": np.stack((left, left + side, left + side, left, left, gap), axis=1).ravel(),
            "y": np.stack((top, top, top + side, top + side, top, gap), axis=1).ravel()}
