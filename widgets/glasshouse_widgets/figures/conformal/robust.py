"""Robust sets in pictures: images before and after the attack, coverage against its strength, how far a score can be pushed, sizes."""

from __future__ import annotations

from typing import Any

import numpy as np

from glasshouse.schema.events.conformal_robust import ProvedResplits, RobustSets
from glasshouse_widgets.figures.palette import (
    CLEAR,
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
    pattern,
)

COLUMNS, ROWS = 4, 4
WIDE, HIGH, SECOND, CHIP = 25, 18.4, 10, 2.45       # of a cell, the attacked image and a chip, in pixels of an image
GAP = 0.7                                           # above the first row
LINES = ((10.2, "ordinary", "square"), (13.8, "robust", "circle"))
END = 4.0                                           # of the axis of Phi^-1, beyond which values are drawn at its end


def before_and_after(seen: RobustSets, theme: Theme, columns: int = COLUMNS) -> Figure:
    """The page of images that has ``seen.image`` on it: as it was, as the attack left it, and what both kinds of sets then say.

    A chip is a label in the set; the true one is filled green, and where it is missing it stands hollow and red. Every point carries the
    number of its image.
    """
    page = columns * ROWS
    first = seen.image // page * page
    shown = np.arange(first, min(first + page, len(seen.sets)))
    left, top = (shown - first) % columns * WIDE, (shown - first) // columns * HIGH
    after = f"attacked within radius {seen.attack:g}" if seen.attack else "not yet attacked"
    head = f"left as it was, right {after} · sets made for radius {seen.radius:.2f}" if columns == COLUMNS else f"right {after}"
    words = [note(head, 0, 1, theme, yshift=3)]
    words += [note(name, 0, 1 - (row * HIGH + line + 1.2 + GAP) / (ROWS * HIGH + GAP), theme, xanchor="right", yanchor="middle", xshift=-4)
              for row in range(ROWS) for line, name, _ in LINES]
    at = int(seen.image - first)
    chosen = {"type": "scatter", "mode": "lines", "hoverinfo": "skip", "line": {"color": theme.ink, "width": 3},
              "x": [float(left[at]) - 0.3, float(left[at]) + 18.3], "y": [float(top[at]) + 8.2] * 2}
    return {"data": [_pictures(seen, shown, columns, theme), _chips(seen, shown, left, top, 14 if columns == COLUMNS else 11, theme), chosen],
            "layout": layout(theme, left=62, right=2, top=22, bottom=2, annotations=words,
                             xaxis=bare(range=[-0.8, columns * WIDE - 0.8], fixedrange=True),
                             yaxis=bare(range=[ROWS * HIGH, -GAP], fixedrange=True))}


def _pictures(seen: RobustSets, shown: np.ndarray, columns: int, theme: Theme) -> dict[str, Any]:
    """All images as one; gaps are NaN. Rows of cells are no whole number of pixels apart, so each row of pixels has its own place."""
    clean, moved = seen.smoothed.clean.images, seen.under.images
    z = np.full((ROWS * 9, columns * WIDE), np.nan, np.float32)
    number = np.full(z.shape, -1, np.int32)
    for i, image in enumerate(shown):
        y, x = i // columns * 9, i % columns * WIDE
        for start, source in ((0, clean), (SECOND, moved)):
            z[y:y + 8, x + start:x + start + 8] = source[image][:8, :8] if len(source) else 0
            number[y:y + 8, x + start:x + start + 8] = image
    edges = [row * HIGH + min(line, 8) + (line == 9) * 0.01 for row in range(ROWS) for line in range(9)] + [ROWS * HIGH]
    return {"type": "heatmap", "z": z, "x": [float(v) for v in range(z.shape[1] + 1)], "y": edges, "customdata": number, "zmin": 0, "zmax": 255,
            "showscale": False, "hoverinfo": "skip", "colorscale": color_scale((theme.tints[0], theme.ink))}


def _chips(seen: RobustSets, shown: np.ndarray, left: np.ndarray, top: np.ndarray, size: int, theme: Theme) -> dict[str, Any]:
    x, y, text, owner, hover, symbol = [], [], [], [], [], []
    fill, ink, line = [], [], []
    for image, cx, cy in zip(shown.tolist(), left.tolist(), top.tolist(), strict=True):
        true = int(seen.smoothed.labels[image])
        for (place, name, shape), sets in zip(LINES, (seen.plain_sets, seen.sets), strict=True):
            labels = np.flatnonzero(sets[image]).tolist()
            for j, label in enumerate(labels if true in labels else [*labels, true]):
                inside, truth = bool(sets[image, label]), label == true
                x.append(cx + 1.0 + j * CHIP)
                y.append(cy + place + 1.2)
                text.append(f"<u>{label}</u>" if truth else str(label))
                owner.append(image)
                symbol.append(shape)
                hover.append(f"image {image}: {label} {'is in' if inside else 'is missing from'} the {name} set{', the truth' if truth else ''}")
                fill.append(GREEN if inside and truth else theme.tints[2] if inside else theme.surface)
                ink.append(ON_HUE if inside and truth else theme.ink if inside else theme.no)
                line.append(GREEN if inside and truth else theme.tints[3] if inside else VERMILION)
    return {"type": "scatter", "mode": "markers+text", "x": x, "y": y, "text": text, "customdata": owner, "hovertext": hover,
            "hoverinfo": "text", "cliponaxis": False, "textfont": {"size": 12, "color": ink},
            "marker": {"symbol": symbol, "size": size, "color": fill, "line": {"width": 1, "color": line}}}


def survival(seen: RobustSets, studied: ProvedResplits | None, theme: Theme) -> Figure:
    """Coverage by strength of attack. The shaded part is proved: no attack of that radius can bring the robust sets below it. Where the error
    of the noise means is ignored it is only claimed. At the radius that sets are made for, a bar says where it lies in 98 % of all splits,
    and a dot where it lay in each of those ``studied``.
    """
    word = "claimed" if seen.smoothed.error == "ignored" else "proved"
    most = max(1.0, *seen.smoothed.radii, seen.radius)
    radius = np.linspace(0, most, 161)
    certified = (seen.withstood[None, :] >= radius[:, None]).mean(axis=1)
    promised = 1 - seen.alpha
    splits: list[float | None] = [None] if studied is None else studied.proved[:, seen.k].tolist()
    line = {"type": "scatter", "mode": "lines+markers"}
    data = [
        {"type": "scatter", "mode": "lines", "x": radius, "y": certified, "fill": "tozeroy", "fillcolor": theme.tints[2],
         "line": {"color": theme.tints[4], "width": 1.5, "shape": "hv"},
         "hovertemplate": "radius %{x:.2f}: at least %{y:.3f}" + f"<extra>{word}</extra>"},
        {"type": "scatter", "mode": "lines", "x": [0, seen.radius, seen.radius], "y": [promised, promised, 0], "hoverinfo": "skip",
         "line": {"color": VERMILION, "width": 2, "dash": "dash"}},
        line | {"x": seen.radii, "y": seen.plain_coverages, "line": {"color": ORANGE, "width": 2, "dash": "dot"},
                "marker": {"symbol": "square", "size": 8, "color": ORANGE}, "hovertemplate": "radius %{x:.3g}: %{y:.3f}<extra>ordinary</extra>"},
        line | {"x": seen.radii, "y": seen.coverages, "line": {"color": theme.accent, "width": 2},
                "marker": {"symbol": "circle", "size": 8, "color": theme.accent}, "hovertemplate": "radius %{x:.3g}: %{y:.3f}<extra>robust</extra>"},
        {"type": "scatter", "mode": "markers", "x": [seen.attack] * 2, "y": [seen.plain_coverage, seen.coverage], "hoverinfo": "skip",
         "marker": {"symbol": "circle-open", "size": 15, "color": theme.ink, "line": {"width": 2}}},
        {"type": "scatter", "mode": "markers", "hoverinfo": "skip", "marker": {"symbol": "circle", "size": 3, "color": theme.ink},
         "x": [seen.radius + most * 0.05 * ((i * 0.618034) % 1 - 0.5) for i in range(len(splits))], "y": splits},
        {"type": "scatter", "mode": "lines", "x": [seen.radius] * 2, "y": [seen.band_low, seen.band_high], "line": {"color": VERMILION, "width": 5},
         "hovertemplate": "98 % of splits prove a share between the ends: %{y:.3f}<extra></extra>"}]
    said = (f'<span style="color:{theme.accent}">●</span> robust <span style="color:{ORANGE}">■</span> ordinary '
            f'<span style="color:{theme.tints[4]}">▆</span> {word} <span style="color:{VERMILION}">╌</span> promised')
    return {"data": data, "layout": layout(
        theme, top=22, left=46, right=10, bottom=40, annotations=[note(said, 0, 1, theme, xshift=-40, yshift=2)],
        xaxis=axis(theme, "radius of the attack (l2)", range=[-0.02 * most, 1.03 * most], fixedrange=True),
        yaxis=axis(theme, "sets that hold the truth", range=[0, 1.04], tickformat=".0%", fixedrange=True))}


def reach(seen: RobustSets, theme: Theme) -> Figure:
    """Every label's score for the chosen image, and how low it may have been before the noise of the mean and the attack.

    In the set where the low end is at most the threshold. The scale is Phi^-1, in standard deviations; its ends stand for all beyond.
    """
    low = np.clip(seen.least - seen.reach, -END, END)
    high = np.clip(seen.measured, -END, END)
    inside = seen.least <= seen.limit
    limit = float(np.clip(seen.limit - seen.reach, -END, END))
    true = int(seen.smoothed.labels[seen.image])
    labels = list(range(len(low)))

    def bars(which: np.ndarray, colour: str, dash: str, name: str) -> dict[str, Any]:
        return {"type": "scatter", "mode": "lines", "x": [v for k in np.flatnonzero(which).tolist() for v in (k, k, None)] or [None],
                "y": [v for k in np.flatnonzero(which).tolist() for v in (float(low[k]), float(high[k]), None)] or [None],
                "line": {"color": colour, "width": 7, "dash": dash}, "hoverinfo": "skip", "name": name}

    dots = {"type": "scatter", "mode": "markers", "x": labels, "y": high, "customdata": low,
            "hovertemplate": "label %{x}: measured %{y:.2f}, may have been %{customdata:.2f}<extra></extra>",
            "marker": {"symbol": ["circle" if i else "x" for i in inside.tolist()], "size": 9, "line": {"width": 1, "color": theme.ink},
                       "color": [(GREEN if k == true else theme.accent) if i else GREY for k, i in zip(labels, inside.tolist(), strict=True)]}}
    said = (f'<span style="color:{VERMILION}">╌</span> {"no threshold: all enter" if np.isinf(seen.limit) else "threshold"}  '
            f'● in  ✕ out  <span style="color:{theme.tints[4]}">┃</span> possible shift')
    line = {"type": "scatter", "mode": "lines", "x": [-0.6, len(labels) - 0.4], "y": [limit] * 2, "hoverinfo": "skip",
            "line": {"color": VERMILION, "width": 2, "dash": "dash"}}
    ticks = [f"<b><u>{k}</u></b>" if k == true else str(k) for k in labels]
    return {"data": [bars(inside, theme.tints[4], "solid", "in"), bars(~inside, theme.faint, "solid", "out"), dots, line],
            "layout": layout(theme, top=22, left=44, bottom=40, annotations=[note(said, 0, 1, theme, xshift=-38, yshift=2)],
                             xaxis=axis(theme, f"label of image {seen.image} (true one underlined)", tickvals=labels, ticktext=ticks,
                                        range=[-0.6, len(labels) - 0.4], fixedrange=True, showgrid=False),
                             yaxis=axis(theme, "strangeness (st. deviations)", range=[-END - 0.3, END + 0.3], fixedrange=True))}


def sizes(seen: RobustSets, other: RobustSets | None, theme: Theme) -> Figure:
    """How many sets have how many labels under the attack shown; the compared method's robust sets as outlines."""
    k = seen.smoothed.classes
    x = list(range(k + 1))

    def share(of: np.ndarray) -> np.ndarray:
        found: np.ndarray = np.bincount(of, minlength=k + 1) / max(len(of), 1) * 100
        return found

    kinds: list[tuple[str, np.ndarray, dict[str, Any], float]] = [
        ("ordinary", seen.plain_sizes, {"color": ORANGE, "pattern": pattern("/", theme)}, -0.2),
        ("robust", seen.sizes, {"color": theme.accent}, 0.2)]
    if other is not None:
        kinds.append(("robust, compared", other.sizes, {"color": CLEAR, "line": {"width": 2, "color": theme.ink}}, 0.2))
    data = [{"type": "bar", "x": x, "y": share(of), "marker": style, "offset": at - 0.2, "width": 0.4,
             "hovertemplate": f"%{{y:.1f}} % of {name} sets have %{{x}} labels<extra></extra>"} for name, of, style, at in kinds]
    said = f'<span style="color:{ORANGE}">▨</span> ordinary  <span style="color:{theme.accent}">■</span> robust' + ("  □ compared" if other else "")
    return {"data": data, "layout": layout(theme, top=22, left=44, bottom=40, barmode="overlay", annotations=[note(said, 0, 1, theme, yshift=2)],
            xaxis=axis(theme, "labels in a set, under the attack shown", dtick=1, range=[-0.6, k + 0.6], fixedrange=True, showgrid=False),
            yaxis=axis(theme, "% of sets", range=[0, 101], fixedrange=True))}
