"""The pictures of risk control: pages with their label sets, risk and evidence along lambda, one page's labels, other samples."""

from __future__ import annotations

from typing import Any

import numpy as np

from glasshouse.schema.events.conformal_risk import Chosen, RiskResplits
from glasshouse_widgets.figures.palette import GREEN, GREY, ON_HUE, ORANGE, VERMILION, Figure, Theme, axis, bare, color_scale, layout, note

COLUMNS, ROWS = 4, 5
WIDE, HIGH = 39.0, 19.0         # of a page, in pixels of a digit
DIGIT, PLACE = 8, 9             # a digit's side, and its step on a page
CHIP = 3.7
FLOOR = 1e-6                    # of evidence on its log axis


def pages(seen: Chosen, theme: Theme, columns: int = COLUMNS) -> Figure:
    """The test pages around ``seen.page``: digits, and below them the set of labels as chips.

    A true label is filled, and where it is missing it stands hollow in red and its page is framed. Every point carries its page's number.
    """
    each = columns * ROWS
    first = seen.page // each * each
    shown = np.arange(first, min(first + each, seen.losses.m))
    left, top = (shown - first) % columns * WIDE, (shown - first) // columns * HIGH
    return {"data": [_pictures(seen, shown, theme, columns), _chips(seen, shown, left, top, theme), *_frames(seen, shown, left, top, theme)],
            "layout": layout(theme, left=4, right=4, top=4, bottom=4, xaxis=bare(range=[-1.2, columns * WIDE - 0.8], fixedrange=True),
                             yaxis=bare(range=[ROWS * HIGH - 0.6, -1.4], fixedrange=True))}


def _pictures(seen: Chosen, shown: np.ndarray, theme: Theme, columns: int) -> dict[str, Any]:
    """All digits as one image: gaps are NaN. A problem without pictures has only its chips."""
    z = np.full((int(ROWS * HIGH), int(columns * WIDE)), np.nan, np.float32)
    number = np.full(z.shape, -1, np.int32)
    for i, page in enumerate(shown.tolist()):
        y, x = i // columns * int(HIGH), i % columns * int(WIDE) + 1
        number[y:y + int(HIGH) - 1, x:x + int(WIDE) - 2] = page
        for place in range(int(seen.losses.used[page])):
            at = x + place * PLACE
            z[y:y + DIGIT, at:at + DIGIT] = seen.losses.pictures[page, place][:DIGIT, :DIGIT]
    return {"type": "heatmap", "z": z, "customdata": number, "zmin": 0, "zmax": 255, "showscale": False, "hoverinfo": "skip",
            "colorscale": color_scale((theme.tints[0], theme.ink))}


def _chips(seen: Chosen, shown: np.ndarray, left: np.ndarray, top: np.ndarray, theme: Theme) -> dict[str, Any]:
    x, y, text, owner, hover, fill, ink, line = ([] for _ in range(8))
    for page, cx, cy in zip(shown.tolist(), left.tolist(), top.tolist(), strict=True):
        order = np.lexsort((-seen.losses.probs[page], seen.losses.entry[page])).tolist()
        labels = [k for k in order if seen.sets[page, k] or seen.losses.truth[page, k]]
        for j, label in enumerate(labels):
            inside, true = bool(seen.sets[page, label]), bool(seen.losses.truth[page, label])
            x.append(cx + 2.4 + j * CHIP)
            y.append(cy + 11.4)
            text.append(f"<u>{label}</u>" if true else str(label))
            owner.append(page)
            hover.append(f"page {page}: {label} " + ("is in the set" if inside else "was left out") + (", and on the page" if true else ""))
            fill.append(GREEN if inside and true else theme.tints[2] if inside else theme.surface)
            ink.append(ON_HUE if inside and true else theme.ink if inside else theme.no)
            line.append(GREEN if inside and true else theme.tints[3] if inside else VERMILION)
    return {"type": "scatter", "mode": "markers+text", "x": x, "y": y, "text": text, "customdata": owner, "hovertext": hover,
            "hoverinfo": "text", "cliponaxis": False, "textfont": {"size": 12, "color": ink},
            "marker": {"symbol": "square", "size": 14, "color": fill, "line": {"width": 1, "color": line}}}


def _frames(seen: Chosen, shown: np.ndarray, left: np.ndarray, top: np.ndarray, theme: Theme) -> list[dict[str, Any]]:
    """A frame around every page that misses a label, and a line below the chosen one."""
    x: list[float | None] = []
    y: list[float | None] = []
    missed = seen.missed[shown].any(axis=1)
    for cx, cy in zip(left[missed].tolist(), top[missed].tolist(), strict=True):
        x += [cx, cx + WIDE - 2, cx + WIDE - 2, cx, cx, None]
        y += [cy - 1, cy - 1, cy + 14.4, cy + 14.4, cy - 1, None]
    at = int(seen.page - shown[0])
    cx, cy = float(left[at]), float(top[at])
    lines = {"type": "scatter", "mode": "lines", "hoverinfo": "skip"}
    return [lines | {"x": x, "y": y, "line": {"color": VERMILION, "width": 2}},
            lines | {"x": [cx, cx + WIDE - 2], "y": [cy + 15.3, cy + 15.3], "line": {"color": theme.ink, "width": 3}}]


def risk(seen: Chosen, other: Chosen | None, theme: Theme) -> Figure:
    """What every lambda costs: on the calibration pages, and on all pages there are, which only a simulation knows."""
    losses = seen.losses
    lines: dict[str, Any] = {"type": "scatter", "mode": "lines"}
    table = losses.total / (losses.unit * max(losses.n, 1))
    data = [
        lines | {"x": losses.grid, "y": losses.true_risk, "line": {"color": GREY, "width": 2, "dash": "dot"},
                 "hovertemplate": "lambda %{x:.3f}: all pages %{y:.3f}<extra></extra>"},
        lines | {"x": losses.grid, "y": table, "line": {"color": theme.accent, "width": 2.5},
                 "hovertemplate": "lambda %{x:.3f}: calibration %{y:.3f}<extra></extra>"},
        lines | {"x": [0, 1], "y": [seen.alpha] * 2, "line": {"color": VERMILION, "width": 2, "dash": "dash"}, "hoverinfo": "skip"},
        _marker(seen, ORANGE, "diamond", theme)]
    if other is not None:
        data.append(_marker(other, theme.surface, "square", theme))
    said = "━ calibration · ┄ all pages · ◆ chosen" + (" · □ compared" if other else "")
    return {"data": data, "layout": layout(theme, top=24, left=48, xaxis=axis(theme, "lambda: larger sets to the right", range=[0, 1.01],
            fixedrange=True), yaxis=axis(theme, "mean loss of a page", range=[0, 1.03], fixedrange=True),
            annotations=[note(said, 0, 1, theme, xshift=-38)])}


def _marker(seen: Chosen, color: str, symbol: str, theme: Theme) -> dict[str, Any]:
    return {"type": "scatter", "mode": "markers", "x": [seen.lambda_hat, seen.lambda_hat], "y": [seen.calibration_risk, None],
            "hovertemplate": "chosen: lambda %{x:.3f}<extra></extra>", "cliponaxis": False,
            "marker": {"symbol": symbol, "size": 13, "color": color, "line": {"width": 1.5, "color": theme.ink}}}


def evidence(seen: Chosen, theme: Theme) -> Figure:
    """What the method computes for every lambda against what it may at most be, on a logarithmic axis."""
    losses, value = seen.losses, np.maximum(seen.evidence, FLOOR)
    passes = seen.evidence <= seen.limit
    used = passes & (np.arange(len(value)) >= seen.index) if seen.certified else np.zeros(len(value), bool)
    what = "p-value" if seen.p_values else "corrected risk"
    words = {"hovertemplate": f"lambda %{{x:.3f}}: {what} %{{y:.2g}}<extra></extra>"}
    data: list[dict[str, Any]] = [
        {"type": "scatter", "mode": "lines", "x": losses.grid, "y": value, "line": {"color": GREY, "width": 2, "dash": "dot"}} | words,
        {"type": "scatter", "mode": "lines", "x": losses.grid, "y": np.where(used, value, np.nan), "connectgaps": False,
         "line": {"color": GREEN, "width": 4}} | words,
        {"type": "scatter", "mode": "lines", "x": losses.grid[[0, -1]], "y": seen.limit[[0, -1]], "hoverinfo": "skip",
         "line": {"color": VERMILION, "width": 2, "dash": "dash"}}]
    said = f"━ may be used · ┄ may not · ╌ at most {seen.limit[0]:.3g}"
    ticks = [-6, -4, -2, 0] if seen.p_values else [-3, -2, -1, 0]
    return {"data": data, "layout": layout(theme, top=24, left=58, xaxis=axis(theme, "lambda", range=[0, 1.01], fixedrange=True),
            yaxis=axis(theme, what, type="log", range=[ticks[0] - 0.2, 0.15], fixedrange=True,
            tickvals=[10.0**t for t in ticks], ticktext=["1" if t == 0 else f"0.{'0' * (-t - 1)}1" if t > -4 else f"1e{t}" for t in ticks]),
            annotations=[note(said, 0, 1, theme, xshift=-48)])}


def one_page(seen: Chosen, theme: Theme) -> Figure:
    """The chosen page label by label: bars that reach 1 - lambda are its set."""
    p, truth, inside = seen.losses.probs[seen.page], seen.losses.truth[seen.page], seen.sets[seen.page]
    labels = list(range(len(p)))
    color = [GREEN if i and t else theme.accent if i else VERMILION if t else GREY for i, t in zip(inside.tolist(), truth.tolist(), strict=True)]
    bars = {"type": "bar", "x": labels, "y": p, "hovertemplate": "label %{x}: p = %{y:.3f}<extra></extra>",
            "marker": {"color": color, "pattern": {"shape": ["" if i else "/" for i in inside.tolist()]}}}
    need = 1 - seen.lambda_hat
    line = {"type": "scatter", "mode": "lines", "x": [-0.6, len(p) - 0.4], "y": [need, need], "hoverinfo": "skip",
            "line": {"color": VERMILION, "width": 2, "dash": "dash"}}
    ticks = [f"<b><u>{k}</u></b>" if t else str(k) for k, t in zip(labels, truth.tolist(), strict=True)]
    return {"data": [bars, line], "layout": layout(theme, top=24, left=48, xaxis=axis(
        theme, f"label of page {seen.page} (on the page: underlined)", tickvals=labels, ticktext=ticks, range=[-0.6, len(p) - 0.4],
        fixedrange=True, showgrid=False), yaxis=axis(theme, "probability", range=[0, 1.03], fixedrange=True),
        annotations=[note(f"╌ needed: 1 - lambda = {need:.3f}", 0, 1, theme, xshift=-38)])}


def samples(seen: Chosen, studied: RiskResplits | None, theme: Theme) -> Figure:
    """The true risk of what this calibration sample chose and, once drawn, of what others chose at the same alpha."""
    end = next(e for e in (0.05, 0.1, 0.2, 0.4, 0.8, 1.0) if e >= min(2 * seen.alpha, 1.0))
    edges = np.linspace(0, end, 31)
    found = None if studied is None else at_alpha(studied, seen.alpha)
    height, said = np.zeros(30), "◆ this sample · ╌ alpha"
    if studied is not None and found is not None:
        values, certified = found
        counts = np.histogram(values[certified].clip(0, end), edges)[0]
        height = counts / max(int(counts.max(initial=0)), 1)
        none = f" · none: {100 * (1 - certified.mean()):.0f} %" if not certified.all() else ""
        said = f"{studied.done} samples: mean {values.mean():.3f}<br>above alpha: {100 * (values > seen.alpha).mean():.0f} %{none}"
    elif studied is not None:
        said = "other samples: at alpha<br>0.01, 0.02 ... 0.50"
    data: list[dict[str, Any]] = [
        {"type": "bar", "x": (edges[:-1] + edges[1:]) / 2, "y": height, "width": end / 30 * 0.92, "hoverinfo": "skip",
         "marker": {"color": [theme.tints[3] if m <= seen.alpha else VERMILION for m in ((edges[:-1] + edges[1:]) / 2).tolist()],
                    "pattern": {"shape": ["" if m <= seen.alpha else "/" for m in ((edges[:-1] + edges[1:]) / 2).tolist()]}}},
        {"type": "scatter", "mode": "lines", "x": [seen.alpha] * 2, "y": [0, 1.1], "hovertemplate": "alpha %{x:.2f}<extra></extra>",
         "line": {"color": VERMILION, "width": 2, "dash": "dash"}},
        {"type": "scatter", "mode": "markers", "x": [seen.risk], "y": [0.12], "hovertemplate": "this sample: true risk %{x:.3f}<extra></extra>",
         "cliponaxis": False, "marker": {"symbol": "diamond", "size": 13, "color": ORANGE, "line": {"width": 1.5, "color": theme.ink}}}]
    return {"data": data, "layout": layout(theme, top=40, left=12, right=14, bottom=42, bargap=0,
            xaxis=axis(theme, "true risk of what was chosen", range=[0, end], fixedrange=True, nticks=5),
            yaxis=bare(range=[0, 1.15], fixedrange=True), annotations=[note(said, 0, 1, theme)])}


def at_alpha(studied: RiskResplits, alpha: float) -> tuple[np.ndarray, np.ndarray] | None:
    """(true risks, whether certified) of all samples at ``alpha``; None at one that was not asked for."""
    at = int(np.argmin(np.abs(studied.alphas - alpha)))
    if abs(studied.alphas[at] - alpha) > 1e-9:
        return None
    return studied.risk[:, at], studied.certified[:, at]
