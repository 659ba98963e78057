"""The "lossless?" badge: is the text's law the target's? The two-token law on the toy model, counted against the exact one."""

from __future__ import annotations

import numpy as np

from glasshouse.schema.events.decoding import LosslessCheck
from glasshouse_widgets.figures.palette import ACCEPTED, REJECTED, Figure, Theme, axis, layout, note, pattern
from glasshouse_widgets.figures.tokens import cut, escaped, wrapped

ALARM = 1e-4                                    # p-values below this are no accident


def fails(check: LosslessCheck) -> bool:
    return check.p_value < ALARM


def verdict(check: LosslessCheck) -> str:
    """The result in one line."""
    return f"NOT lossless: p = {check.p_value:.1g}" if fails(check) else f"no difference found: p = {check.p_value:.2f}"


def badge(check: LosslessCheck, theme: Theme, method: str = "") -> Figure:
    """Of ``method``, or of the planted bug: counted texts as bars, expected ones as ticks with two standard deviations.
    Where the test fails, the bars too far off are crossed in red."""
    expected = np.asarray(check.expected, float)
    spread = 2 * np.sqrt(expected)
    out = np.abs(check.observed - expected) > spread
    bad = fails(check)
    mark = REJECTED if bad else ACCEPTED
    labels = [escaped(cut(c.replace("\n", "⏎"), 10)) for c in check.cells]
    x = list(range(len(labels)))
    hover = [f"{label}: {o} counted, {e:.1f} expected" for label, o, e in zip(labels, check.observed.tolist(), expected.tolist(), strict=True)]
    far = (out & bad).tolist()
    counted = check.observed.tolist()
    bar = {"type": "bar", "x": x, "hovertext": hover, "hoverinfo": "text"}
    data = [
        bar | {"name": "counted", "y": [None if f else c for f, c in zip(far, counted, strict=True)],
               "marker": {"color": theme.accent, "opacity": 0.75}},
        bar | {"name": "counted, too far off", "y": [c if f else None for f, c in zip(far, counted, strict=True)],
               "marker": {"color": REJECTED.color, "opacity": 0.75, "pattern": pattern("x", theme)}},
        {"type": "scatter", "mode": "markers", "name": "expected ± 2 sd", "x": x, "y": expected.tolist(), "hoverinfo": "skip",
         "error_y": {"type": "data", "array": spread.tolist(), "color": theme.ink, "thickness": 1.5, "width": 3},
         "marker": {"symbol": "line-ew-open", "size": 12, "color": theme.ink, "line": {"width": 2, "color": theme.ink}}},
    ]
    tail = f"{check.draws:,} texts by {check.planted + ', a planted bug' if check.planted else method or 'this method'}"
    words = f'<b><span style="color:{mark.color}">{mark.glyph}</span> {escaped(verdict(check))}</b><br>{wrapped(tail, 56)}'
    key = f'<span style="color:{theme.accent}">■</span> counted   <b>━</b> expected, ± 2 sd'
    return {"data": data, "layout": layout(
        theme, left=52, top=74, bottom=58, bargap=0.25, barmode="overlay",
        xaxis=axis(theme, "first two tokens of the text", tickvals=x if len(x) <= 32 else [], ticktext=labels if len(x) <= 32 else [],
                   range=[-0.6, max(len(x), 1) - 0.4], showgrid=False, tickangle=-90),
        yaxis=axis(theme, "texts", rangemode="tozero"),
        annotations=[note(words, 0, 1, theme, xshift=-46, yshift=24, font={"size": 13, "color": theme.ink}),
                     note(key, 0, 1, theme, xshift=-46, yshift=4)])}
