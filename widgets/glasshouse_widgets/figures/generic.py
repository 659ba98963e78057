"""The closed set of drawings that a method's declared views use: one drawing per kind, for every family.

A view names keys of an event's ``extra``; what is missing is said in words, what is too much is thinned to 20,000 points.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from glasshouse.schema.piece import running
from glasshouse.schema.view import View, ViewKind
from glasshouse_widgets.figures import tidy
from glasshouse_widgets.figures.extras import LABELS, Extra, Missing, is_text, labelled, numbers, read, thinning, words
from glasshouse_widgets.figures.palette import (
    CLEAR,
    MONO,
    POINTS,
    Figure,
    Theme,
    axis,
    bare,
    color_scale,
    empty,
    layout,
    note,
    pattern,
)
from glasshouse_widgets.figures.tokens import across, cut, escaped, fitting, wrapped

DASHES = ("solid", "dash", "dot", "dashdot", "longdash", "longdashdot")
PATTERNS = ("", "/", "x", ".", "\\", "+")
SYMBOLS = ("circle", "diamond", "square", "cross", "triangle-up", "x", "star")
GLYPHS = "●◆■✚▲✕★"                              # the same in running text
WIDE, MONO_WIDE = 44, 34                        # letters in a line of a narrow pane, of our usual font and of equal widths
TALL = 20                                       # letters of a y title that a low pane's axis has room for; a longer one stands above
LETTER, WIDTH = 7.5, 240                        # px: a monospaced letter; a narrow pane's plotting area


def draw(view: View, extra: Extra, theme: Theme) -> Figure:
    """The drawing of ``view`` from ``extra``."""
    try:
        figure = _KINDS[view.kind](view, extra, theme)
    except Missing as missing:
        return empty(theme, f"nothing to show yet: no {missing.args[0]} in this state")
    if view.note:
        frame = figure["layout"]
        lines = wrapped(view.note, 40).split("<br>")
        frame["margin"] = frame["margin"] | {"b": frame["margin"]["b"] + 16 * len(lines)}
        frame["annotations"] = [*frame.get("annotations", []), note(
            "<br>".join(lines), 0, 0, theme, xanchor="left", xref="paper", yanchor="top",
            xshift=8 - frame["margin"]["l"], yshift=4 - frame["margin"]["b"] + 16 * len(lines))]
    return figure


def _matrix(view: View, extra: Extra, theme: Theme) -> Figure:
    z = np.atleast_2d(np.asarray(read(extra, view.z), float))
    step = max(1, int(np.ceil(np.sqrt(z.size / POINTS))))
    shown = z[::step, ::step]
    trace: dict[str, Any] = {
        "type": "heatmap", "z": shown, "colorscale": color_scale(theme.sequential), "xgap": 1 if max(shown.shape) <= 32 else 0,
        "ygap": 1 if max(shown.shape) <= 32 else 0, "hoverongaps": False, "hovertemplate": "row %{y}, column %{x}: %{z:.4g}<extra></extra>",
        "showscale": False}
    if view.text and view.text in extra:
        texts = np.atleast_2d(np.asarray(extra[view.text], dtype=object))[::step, ::step]
        trace |= {"text": [words(row, 40) for row in texts], "hovertemplate": "%{text}: %{z:.4g}<extra></extra>"}
    x = words(extra[view.x], 9)[::step] if view.x in extra else []
    y = words(extra[view.y], 12)[::step] if view.y in extra else []
    longest = max(map(len, x), default=0)
    slanted = longest * len(x) > 28
    title, key = view.x_label + (f" (every {step}th)" if step > 1 else ""), _scale(z, theme)
    return {"data": [trace], "layout": layout(
        theme, left=96 if y else 48, top=10 + 17 * len(key), bottom=32 + 5 * min(longest, 9) if slanted else 44,
        annotations=_above(key, theme),
        xaxis=axis(theme, title, showgrid=False, tickangle=-45 if slanted else 0, **(labelled(x) if x else {})),
        yaxis=axis(theme, "" if y else view.y_label, showgrid=False, autorange="reversed", **(labelled(y, 12) if y else {})))}


def _rows(view: View, extra: Extra) -> list[tuple[str, list[float | None]]]:
    """(name, values) of each series."""
    y = np.atleast_2d(np.asarray(read(extra, view.y), float))
    return [(view.series[i] if i < len(view.series) else "", numbers(row)) for i, row in enumerate(y)]


def _key(names: Sequence[str], glyphs: str, theme: Theme) -> list[str]:
    """The series by glyph and colour, in as many lines as a narrow pane needs; none for a single series."""
    lines: list[str] = []
    used = 0
    for i, name in enumerate(names if len(names) > 1 else ()):
        item = f'<span style="color:{theme.series[i % 7]}">{glyphs[i % len(glyphs)]}</span> {escaped(cut(name, 40))}'
        if lines and used + len(name) < WIDE - 4:
            lines[-1], used = f"{lines[-1]}   {item}", used + len(name) + 5
        else:
            lines, used = [*lines, item], len(name)
    return lines


def _titled(view: View, lines: list[str]) -> tuple[str, list[str]]:
    """(the y axis's title, the lines above): a title longer than the axis goes to the lines."""
    if len(view.y_label) <= TALL:
        return view.y_label, lines
    return "", [f"↑ {escaped(view.y_label)}", *lines]


def _above(lines: Sequence[str], theme: Theme) -> list[dict[str, Any]]:
    return [note("<br>".join(lines), 0, 1, theme, xshift=-48, yshift=3)] if lines else []


def _bars(view: View, extra: Extra, theme: Theme) -> Figure:
    rows = _rows(view, extra)
    x = words(read(extra, view.x), 16) if view.x else [str(i) for i in range(len(rows[0][1]))]
    told = words(extra[view.text], 40) if view.text in extra else x
    room = POINTS // max(len(rows), 1)
    data = [{"type": "bar", "name": escaped(name), "x": list(range(len(x[:room]))), "y": row[:room], "hovertext": told[:room],
             "hovertemplate": "%{hovertext}: %{y:.4g}<extra></extra>",
             "marker": {"color": theme.series[i % 7], "pattern": pattern(PATTERNS[i % 6], theme)}}
            for i, (name, row) in enumerate(rows)]
    longest = max(map(len, x), default=0)
    slanted = longest > 3 and longest * len(x) > 36
    most = 12 if slanted else min(LABELS, int(WIDTH / LETTER / (longest + 1)))
    title, key = _titled(view, _key([name for name, _ in rows], "■▨▩▦▧▤", theme))
    return {"data": data, "layout": layout(
        theme, left=56, top=10 + 17 * len(key), bottom=28 + 5 * min(longest, 16) if slanted else 44, bargap=0.2,
        annotations=_above(key, theme),
        xaxis=axis(theme, view.x_label, showgrid=False, tickangle=-45 if slanted else 0, range=[-0.6, max(len(x), 1) - 0.4],
                   **labelled(x, most)),
        yaxis=axis(theme, title))}


def _line(view: View, extra: Extra, theme: Theme) -> Figure:
    rows = _rows(view, extra)
    x = numbers(read(extra, view.x)) if view.x else [float(i) for i in range(len(rows[0][1]))]
    step = thinning(len(x), len(rows))
    few = len(x) <= 40
    title, key = _titled(view, _key([name for name, _ in rows], GLYPHS, theme))
    data = [{"type": "scatter", "mode": "lines+markers" if few else "lines", "name": escaped(name), "x": x[::step], "y": row[::step],
             "line": {"color": theme.series[i % 7], "width": 2, "dash": DASHES[i % 6]},
             "marker": {"size": 6, "color": theme.series[i % 7], "symbol": SYMBOLS[i % 7]},
             "hovertemplate": "%{x:.4g}: %{y:.4g}<extra></extra>"} for i, (name, row) in enumerate(rows)]
    return {"data": data, "layout": layout(
        theme, left=56, top=10 + 17 * len(key), annotations=_above(key, theme),
        xaxis=axis(theme, view.x_label, nticks=6), yaxis=axis(theme, title))}


def _coloured(view: View, extra: Extra, theme: Theme, step: int) -> dict[str, Any]:
    """Marker colours: a scale for numbers; colour and shape for names."""
    if not view.color or view.color not in extra:
        return {"color": theme.accent}
    values = np.asarray(extra[view.color]).ravel()[::step]
    if is_text(values):
        names = _names(values)
        which = [names.index(str(v)) for v in values]
        return {"color": [theme.series[k % 7] for k in which], "symbol": [SYMBOLS[k % 7] for k in which]}
    return {"color": values.astype(float), "colorscale": color_scale(theme.sequential), "showscale": False}


def _scale(values: Any, theme: Theme) -> list[str]:
    """What the colours say, as lines of text: from the least to the greatest of ``values``, or the names. None where all are equal."""
    found = np.asarray(values)
    if is_text(found):
        return _key(_names(found), GLYPHS, theme)
    if not np.isfinite(found := found.astype(float)).any():
        return []
    low, high = np.nanmin(found), np.nanmax(found)
    ramp = "".join(f'<span style="color:{color}">█</span>' for color in theme.sequential)
    return [f"{low:.3g} {ramp} {high:.3g}"] if low < high else []


def _names(values: Any) -> list[str]:
    return sorted({str(v) for v in values})


def _sizes(view: View, extra: Extra, step: int) -> Any:
    """Areas in proportion to the values, 5 to 22 px across."""
    if not view.size or view.size not in extra:
        return 7
    values = np.nan_to_num(np.asarray(extra[view.size], float).ravel()[::step], nan=0.0).clip(0)
    return (5 + 17 * np.sqrt(values / max(float(values.max(initial=0.0)), 1e-300))).tolist()


def _points(view: View, extra: Extra, theme: Theme, keys: Sequence[str]) -> dict[str, Any]:
    """What a cloud of points in two and three dimensions has in common."""
    columns = [numbers(read(extra, key)) for key in keys]
    step = thinning(len(columns[0]))
    trace: dict[str, Any] = {name: column[::step] for name, column in zip("xyz", columns, strict=False)}
    marker = _coloured(view, extra, theme, step) | {"size": _sizes(view, extra, step), "line": {"width": 1, "color": theme.muted}}
    trace |= {"mode": "markers", "marker": marker}
    if view.text and view.text in extra:
        trace |= {"hovertext": words(extra[view.text], 60)[::step], "hoverinfo": "text"}
    return trace


def _scatter(view: View, extra: Extra, theme: Theme) -> Figure:
    trace = {"type": "scatter", **_points(view, extra, theme, (view.x, view.y))}
    title, key = _titled(view, _scale(extra.get(view.color, ()), theme))
    return {"data": [trace], "layout": layout(theme, left=56, top=10 + 17 * len(key), annotations=_above(key, theme),
                                              xaxis=axis(theme, view.x_label, nticks=5), yaxis=axis(theme, title))}


def _scene3d(view: View, extra: Extra, theme: Theme) -> Figure:
    trace = {"type": "scatter3d", **_points(view, extra, theme, (view.x, view.y, view.z))}
    trace["marker"] |= {"size": 4}
    labels = (view.x_label, view.y_label, "")
    axes = {f"{name}axis": {"title": {"text": label}, "gridcolor": theme.grid, "color": theme.muted, "showbackground": False,
                            "tickfont": {"size": 12}} for name, label in zip("xyz", labels, strict=True)}
    key = _scale(extra.get(view.color, ()), theme)
    return {"data": [trace], "layout": layout(
        theme, left=0, right=0, top=20 * len(key), bottom=0, dragmode="turntable",
        annotations=[note(line, 0, 1, theme, xshift=8, yshift=2) for line in key], scene={**axes, "bgcolor": CLEAR, "aspectmode": "cube"})}


def _tree(view: View, extra: Extra, theme: Theme) -> Figure:
    parent = np.asarray(read(extra, view.parent), int).ravel().tolist()[: POINTS // 8]
    depth = [0] * len(parent)
    for i, above in enumerate(parent[1:], 1):
        depth[i] = depth[above] + 1
    row = tidy.rows(parent, list(range(len(parent))))
    xs: list[float | None] = []
    ys: list[float | None] = []
    for i, above in enumerate(parent[1:], 1):
        xs += [depth[above], depth[above] + 0.5, depth[i], None]
        ys += [row[above], row[i], row[i], None]
    texts = words(extra[view.text], 12) if view.text in extra else [""] * len(parent)
    colours, key = _coloured(view, extra, theme, 1), _scale(extra.get(view.color, ()), theme)
    fits = max(map(len, texts)) * LETTER * (max(depth) + 1) < WIDTH and max(row) < 12
    nodes = {"type": "scatter", "mode": "markers+text" if fits else "markers", "x": depth, "y": row,
             "text": texts, "textposition": "top center", "textfont": {"family": MONO, "size": 12, "color": theme.ink},
             "hovertext": texts, "hoverinfo": "text", "marker": colours | {"size": 9, "line": {"width": 1, "color": theme.muted}}}
    edges = {"type": "scatter", "mode": "lines", "x": xs, "y": ys, "hoverinfo": "skip", "line": {"color": theme.faint, "width": 1.2}}
    return {"data": [edges, nodes], "layout": layout(
        theme, left=12, right=12, top=8 + 17 * len(key), bottom=8, annotations=[note(line, 0, 1, theme, yshift=3) for line in key],
        xaxis=bare(range=[-0.5, max(depth) + 0.5]), yaxis=bare(range=[max(row) + 0.7, -0.9]))}


def _table(view: View, extra: Extra, theme: Theme) -> Figure:
    columns = read(extra, view.y)
    room = POINTS // max(len(columns), 1)
    cells = [words(np.asarray(values, dtype=object)[:room], 40) for values in columns.values()]
    font = {"size": 12, "color": theme.ink}
    trace = {"type": "table",
             "header": {"values": words(list(columns), 24), "align": "left", "fill": {"color": theme.tints[1]},
                        "line": {"color": theme.grid}, "font": font},
             "cells": {"values": cells, "align": "left", "fill": {"color": CLEAR}, "line": {"color": theme.grid}, "font": font, "height": 24}}
    return {"data": [trace], "layout": layout(theme, left=4, right=4, top=4, bottom=4)}


def _text(view: View, extra: Extra, theme: Theme) -> Figure:
    found = read(extra, view.text)
    if view.color and view.color in extra:
        pieces = running(v if isinstance(v, str) else str(v) for v in np.asarray(found, dtype=object).ravel().tolist())
        body = _marked(pieces, np.asarray(extra[view.color], int).ravel().tolist(), theme)
    else:
        lines = found.split("\n") if isinstance(found, str) else [str(v) for v in found]
        body = "<br>".join(_spaced(cut(line, 90)) for line in lines[:60])
    said = note(body, 0, 1, theme, yanchor="top", font={"family": MONO, "size": 12, "color": theme.ink})
    return {"data": [], "layout": layout(theme, left=8, right=8, top=8, bottom=8, xaxis=bare(range=[0, 1]), yaxis=bare(range=[0, 1]),
                                         annotations=[said])}


def _spaced(text: str) -> str:
    return escaped(text).replace(" ", "\u00a0")


def _marked(pieces: Sequence[str], marks: Sequence[int], theme: Theme) -> str:
    """One text of which stretches are marked 1, 2, ...: by colour, and by the mark's number in front. 0 is plain and shortened."""
    stretches: list[tuple[str, int]] = []
    for piece, mark in zip(pieces, marks, strict=False):
        if stretches and stretches[-1][1] == mark:
            stretches[-1] = (stretches[-1][0] + piece, mark)
        else:
            stretches.append((piece, mark))
    body, column = "", 0
    for text, mark in stretches:
        text = text if mark or len(text) <= 3 * MONO_WIDE else f"{text[:MONO_WIDE]} … {text[-MONO_WIDE:]}"
        body += f"<sup>{mark}</sup>" if mark else ""
        for k, line in enumerate(text.split("\n")):
            if k:
                body, column = body + "<br>", 0
            while line:
                end = fitting(line, MONO_WIDE - column) or int(not column)
                part, line = line[:end], line[end:]
                color = theme.marks[(mark - 1) % len(theme.marks)] if mark else theme.muted
                word = f"<b>{_spaced(part)}</b>" if mark else _spaced(part)
                body, column = f'{body}<span style="color:{color}">{word}</span>', column + across(part)
                if line:
                    body, column = body + "<br>", 0
    return body


_KINDS: Mapping[ViewKind, Callable[[View, Extra, Theme], Figure]] = {
    "matrix": _matrix, "bars": _bars, "line": _line, "scatter": _scatter, "tree": _tree, "table": _table, "text": _text,
    "scene3d": _scene3d}
