"""Test images by what is done with them, and one of them with what the models say."""

from __future__ import annotations

from typing import Any

import numpy as np

from glasshouse.schema.events.conformal_decisions import Cascaded, Decisions, Selected, Walked
from glasshouse_widgets.figures.palette import GREEN, GREY, ORANGE, VERMILION, Figure, Theme, axis, bare, color_scale, layout, note, pattern
from glasshouse_widgets.figures.tokens import wrapped

COLUMNS, LINES = 12, 4
WIDE, HIGH = 12, 15             # of a cell, in pixels of an image
MARGIN = 132                    # px for the names of the rows
NAMED = 2                       # labels of a set that are written out


def strip(seen: Decisions, theme: Theme) -> Figure:
    """One row a decision, two where there are but two, with the first images that it was taken on; the chosen image is among them."""
    lines = max(LINES // len(seen.names), 1)
    rows = [part for kind in range(len(seen.names)) for part in _members(seen, kind, lines)]
    high, each = len(rows) * HIGH, lines * HIGH
    shares = [100 * float((seen.decision == k).mean()) for k in range(len(seen.names))]
    words = [note(f"<b>{wrapped(name, 13)}</b><br>{share:.0f} % of images", 0, 1 - (k + 0.45) * each / (high + 0.4), theme, xshift=8 - MARGIN,
                  yanchor="middle", font={"size": 12, "color": theme.ink}) for k, (name, share) in enumerate(zip(seen.names, shares, strict=True))]
    return {"data": [_pictures(seen, rows, theme), _said(seen, rows, theme), _frames(seen, rows, theme)], "layout": layout(
        theme, left=MARGIN, right=6, top=6, bottom=4, annotations=words, xaxis=bare(range=[-0.8, COLUMNS * WIDE - 0.8], fixedrange=True),
        yaxis=bare(range=[high - 0.6, -1.0], fixedrange=True))}


def _members(seen: Decisions, kind: int, lines: int) -> list[np.ndarray]:
    """The images of one decision, in as many rows."""
    room = lines * COLUMNS
    shown = np.flatnonzero(seen.decision == kind)[:room]
    if seen.decision[seen.image] == kind and seen.image not in shown:
        shown = np.append(shown[:room - 1], seen.image)
    return [shown[i * COLUMNS:(i + 1) * COLUMNS] for i in range(lines)]


def _places(rows: list[np.ndarray]) -> list[tuple[int, int, int]]:
    """(image, x, y) of the upper left corner."""
    return [(int(image), i * WIDE + 1, k * HIGH) for k, row in enumerate(rows) for i, image in enumerate(row)]


def _pictures(seen: Decisions, rows: list[np.ndarray], theme: Theme) -> dict[str, Any]:
    """All images as one; a problem without images has blank squares."""
    images = seen.tested.images
    z = np.full((len(rows) * HIGH, COLUMNS * WIDE), np.nan, np.float32)
    number = np.full(z.shape, -1, np.int32)
    for image, x, y in _places(rows):
        z[y:y + 8, x:x + 8] = images[image][:8, :8] if len(images) else 0
        number[y:y + 8, x:x + 8] = image
    return {"type": "heatmap", "z": z, "customdata": number, "zmin": 0, "zmax": 255, "showscale": False, "hoverinfo": "skip",
            "colorscale": color_scale((theme.tints[0], theme.ink))}


def _words(labels: list[int]) -> str:
    shown = "".join(map(str, labels[:NAMED])) if max(labels, default=0) < 10 else " ".join(map(str, labels[:NAMED]))
    return shown + (f"+{len(labels) - NAMED}" if len(labels) > NAMED else "")


def _said(seen: Decisions, rows: list[np.ndarray], theme: Theme) -> dict[str, Any]:
    places = _places(rows)
    text, color, hover = [], [], []
    for image, _, _ in places:
        labels = [k for k in np.argsort(-seen.tested.probs[image], kind="stable").tolist() if seen.answers[image, k]]
        right, truth = bool(seen.right[image]), int(seen.tested.labels[image])
        text.append(f"{'' if right else '✕'}{_words(labels)}" if labels else "–")
        color.append(theme.yes[0] if right else theme.no if labels else theme.muted)
        what = f"says {', '.join(map(str, labels))}: {'right' if right else 'wrong'}" if labels else "says nothing"
        hover.append(f"image {image}, truly {truth}: {seen.names[int(seen.decision[image])]}; {what}")
    return {"type": "scatter", "mode": "text", "x": [x + 3.5 for _, x, _ in places], "y": [y + 10.3 for _, _, y in places], "text": text,
            "textfont": {"size": 12, "color": color}, "customdata": [image for image, _, _ in places], "hovertext": hover, "hoverinfo": "text",
            "cliponaxis": False}


def _frames(seen: Decisions, rows: list[np.ndarray], theme: Theme) -> dict[str, Any]:
    at = next((place for place in _places(rows) if place[0] == seen.image), (0, -20, 0))
    x, y = at[1] - 1, at[2] - 1
    return {"type": "scatter", "mode": "lines", "x": [x, x + 9, x + 9, x, x], "y": [y, y, y + 9, y + 9, y], "hoverinfo": "skip",
            "line": {"color": theme.ink, "width": 2}}


def one(seen: Decisions, theme: Theme) -> Figure:
    """The chosen image: what each model believes, where the line for a set lies, and what follows."""
    p, truth = seen.tested.probs[seen.image], int(seen.tested.labels[seen.image])
    labels = list(range(len(p)))
    inside = [bool(a) for a in seen.answers[seen.image].tolist()]
    colors = [GREEN if a and k == truth else theme.accent if a else GREY for k, a in zip(labels, inside, strict=True)]
    data: list[dict[str, Any]] = [
        {"type": "bar", "x": labels, "y": p, "name": "first look", "marker": {"color": colors, "pattern": pattern("", theme)},
         "hovertemplate": "first look: %{x} with %{y:.2f}<extra></extra>"}]
    if isinstance(seen, Cascaded):
        data.append({"type": "bar", "x": labels, "y": seen.stages.second.probs[seen.image], "name": "all looks", "opacity": 1 if
                     seen.passed_on[seen.image] else 0.35, "marker": {"color": ORANGE, "pattern": pattern("/", theme)},
                     "hovertemplate": "all looks: %{x} with %{y:.2f}<extra></extra>"})
    line = _line(seen)
    data.append({"type": "scatter", "mode": "lines", "x": [-0.6, len(p) - 0.4], "y": [line, line], "hoverinfo": "skip",
                 "line": {"color": VERMILION, "width": 2, "dash": "dash"}})
    ticks = [f"<b><u>{k}</u></b>" if k == truth else str(k) for k in labels]
    return {"data": data, "layout": layout(
        theme, left=44, right=10, top=56, bottom=40, bargap=0.15, annotations=[note(_why(seen), 0, 1, theme, xshift=-34, yshift=2)],
        xaxis=axis(theme, f"label of image {seen.image} (true one underlined)", tickvals=labels, ticktext=ticks, range=[-0.6, len(p) - 0.4],
                   fixedrange=True, showgrid=False), yaxis=axis(theme, "probability", range=[0, 1.02], fixedrange=True, nticks=4))}


def _line(seen: Decisions) -> float:
    """Labels above are in a set; or: the final confidence must reach it."""
    if isinstance(seen, Walked):
        return max(1 - seen.now.q_silent, 0.0) if np.isfinite(seen.now.q_silent) else 0.0
    assert isinstance(seen, (Cascaded, Selected))
    return seen.threshold if np.isfinite(seen.threshold) else 1.0


def _why(seen: Decisions) -> str:
    kind = seen.names[int(seen.decision[seen.image])]
    if isinstance(seen, Walked):
        doubt = 1 - float(seen.tested.confidence[seen.image])
        return f"doubt {doubt:.2f}: {kind}<br>┅ a set is all above the line"
    if isinstance(seen, Selected):
        return f"sure to {float(seen.tested.confidence[seen.image]):.2f}: {kind}<br>┅ needed to answer"
    assert isinstance(seen, Cascaded)
    sure = float(seen.tested.confidence[seen.image])
    place = "in" if seen.passed_on[seen.image] else "above" if sure > seen.high or (sure >= seen.boundary and seen.low > seen.high) else "below"
    return (f"first look sure to {sure:.2f}: {place} the window<br>{kind}   ▨ all looks   ┅ needed")
