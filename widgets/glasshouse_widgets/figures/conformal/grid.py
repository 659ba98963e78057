"""Test images in one grid, each with its prediction set as chips below it."""

from __future__ import annotations

from typing import Any

import numpy as np

from glasshouse.schema.events.conformal import Sets
from glasshouse_widgets.figures.palette import GREEN, ON_HUE, VERMILION, Figure, Theme, bare, color_scale, layout

COLUMNS, ROWS = 8, 4            # a stage that shares its row with another has half the columns
WIDE, HIGH = 12, 17             # of a cell, in pixels of an image
CHIPS = 4                       # in a line


def prediction_sets(seen: Sets, theme: Theme, columns: int = COLUMNS) -> Figure:
    """The page of images that has ``seen.image`` on it.

    A chip is a label in the set, the most plausible first; the true one is filled, and where it is missing it stands hollow in a
    frame. Every point carries the number of its image.
    """
    first = seen.image // (columns * ROWS) * (columns * ROWS)
    shown = np.arange(first, min(first + columns * ROWS, seen.calibrated.m))
    left, top = (shown - first) % columns * WIDE, (shown - first) // columns * HIGH
    return {"data": [_pictures(seen, shown, columns, theme), _chips(seen, shown, left, top, theme),
                     *_frames(seen, shown, left, top, theme)],
            "layout": layout(theme, left=4, right=4, top=4, bottom=4, xaxis=bare(range=[-0.8, columns * WIDE - 1.2], fixedrange=True),
                             yaxis=bare(range=[ROWS * HIGH - 0.8, -1.2], fixedrange=True))}


def _pictures(seen: Sets, shown: np.ndarray, columns: int, theme: Theme) -> dict[str, Any]:
    """All images as one: gaps are NaN. A problem without images has numbers instead."""
    images = seen.calibrated.images
    z = np.full((ROWS * HIGH, columns * WIDE), np.nan, np.float32)
    number = np.full(z.shape, -1, np.int32)
    for i, image in enumerate(shown):
        y, x = i // columns * HIGH, i % columns * WIDE + 1
        z[y:y + 8, x:x + 8] = images[image][:8, :8] if len(images) else 0
        number[y:y + 8, x:x + 8] = image
    return {"type": "heatmap", "z": z, "customdata": number, "zmin": 0, "zmax": 255, "showscale": False, "hoverinfo": "skip",
            "colorscale": color_scale((theme.tints[0], theme.ink))}


def _chips(seen: Sets, shown: np.ndarray, left: np.ndarray, top: np.ndarray, theme: Theme) -> dict[str, Any]:
    x, y, text, owner, hover = [], [], [], [], []
    fill, ink, line = [], [], []
    scores, truth, among = seen.calibrated.test_scores, seen.calibrated.labels, seen.calibrated
    for image, cx, cy in zip(shown.tolist(), left.tolist(), top.tolist(), strict=True):
        true = int(truth[image])
        less_plausible = among.ranks[image] / (1.0 + among.cell_n[among.cell[image]])       # 1 - p: cells differ in size
        labels = [k for k in np.lexsort((scores[image], less_plausible)).tolist() if seen.sets[image, k]]
        for j, label in enumerate(labels if true in labels else [*labels, true]):
            inside = bool(seen.sets[image, label])
            x.append(cx + 1.3 + j % CHIPS * 2.4)
            y.append(cy + 9.4 + j // CHIPS * 2.5)
            text.append(f"<u>{label}</u>" if label == true else str(label))
            owner.append(image)
            hover.append(f"image {image}: {label} " + ("is in the set" if inside else "was left out") + (", the truth" if label == true else ""))
            fill.append(GREEN if inside and label == true else theme.tints[2] if inside else theme.surface)
            ink.append(ON_HUE if inside and label == true else theme.ink if inside else theme.no)
            line.append(GREEN if inside and label == true else theme.tints[3] if inside else VERMILION)
    return {"type": "scatter", "mode": "markers+text", "x": x, "y": y, "text": text, "customdata": owner, "hovertext": hover,
             "hoverinfo": "text", "cliponaxis": False, "textfont": {"size": 12, "color": ink},
             "marker": {"symbol": "square", "size": 16, "color": fill, "line": {"width": 1, "color": line}}}


def _frames(seen: Sets, shown: np.ndarray, left: np.ndarray, top: np.ndarray, theme: Theme) -> list[dict[str, Any]]:
    """A frame around every image whose set misses the truth, and corners around the chosen one."""
    missed = ~seen.sets[shown, seen.calibrated.labels[shown]]
    x: list[float | None] = []
    y: list[float | None] = []
    for cx, cy in zip(left[missed].tolist(), top[missed].tolist(), strict=True):
        x += [cx + 0.2, cx + 8.8, cx + 8.8, cx + 0.2, cx + 0.2, None]
        y += [cy - 0.8, cy - 0.8, cy + 7.8, cy + 7.8, cy - 0.8, None]
    at = int(seen.image - shown[0])
    cx, cy = float(left[at]), float(top[at])
    lines = {"type": "scatter", "mode": "lines", "hoverinfo": "skip"}
    return [lines | {"x": x, "y": y, "line": {"color": VERMILION, "width": 2}},
            lines | {"x": [cx - 0.5, cx + 9.5], "y": [cy + 8.1, cy + 8.1], "line": {"color": theme.ink, "width": 3}}]
