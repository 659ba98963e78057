"""Contrast of text by WCAG 2: which colours a page's text has, and on what it stands."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import numpy as np

LETTER = re.compile(r"[^\W_]")         # without any it is a mark of a key, in the colour of what it stands for


def channels(color: str) -> tuple[float, float, float]:
    """Of ``#rgb``, ``#rrggbb`` or ``rgb(r, g, b)``, in [0, 1]."""
    if color.startswith("#"):
        digits = color[1:] if len(color) == 7 else "".join(2 * c for c in color[1:])
        return tuple(int(digits[i:i + 2], 16) / 255 for i in (0, 2, 4))  # type: ignore[return-value]
    return tuple(int(v) / 255 for v in re.findall(r"\d+", color)[:3])  # type: ignore[return-value]


def luminance(color: str) -> float:
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels(color)]
    return float(np.dot(linear, (0.2126, 0.7152, 0.0722)))


def contrast(one: str, two: str) -> float:
    """From 1 (the same) to 21 (black on white)."""
    high, low = sorted((luminance(one), luminance(two)), reverse=True)
    return (high + 0.05) / (low + 0.05)


def words_of(figure: dict[str, Any], surface: str) -> Iterator[tuple[str, str, str, str]]:
    """(where, words, their colour, what they stand on) of everything written in a figure.

    Text inside of bars and marks stands on their colour; all else on the ``surface`` behind the figure.
    """
    layout = figure["layout"]
    ink = layout["font"]["color"]
    for note in layout.get("annotations", ()):
        yield from _spans("annotation", note.get("text", ""), (note.get("font") or {}).get("color", ink), note.get("bgcolor") or surface)
    for name, axis in layout.items():
        if not name.startswith(("xaxis", "yaxis")) or not isinstance(axis, dict):
            continue
        title = axis.get("title") or {}
        yield from _spans(f"{name} title", title.get("text", ""), (title.get("font") or {}).get("color", ink), surface)
        if axis.get("showticklabels", True):
            for text in axis.get("ticktext") or ("0",):
                yield from _spans(f"{name} ticks", f"tick {text}", (axis.get("tickfont") or {}).get("color", axis.get("color", ink)), surface)
    for k, trace in enumerate(figure["data"]):
        yield from _trace(f"trace {k} {trace.get('name', '')}", trace, ink, surface)


def _trace(where: str, trace: dict[str, Any], ink: str, surface: str) -> Iterator[tuple[str, str, str, str]]:
    texts = trace.get("text")
    if texts is None or ("mode" in trace and "text" not in trace["mode"]) or trace.get("textposition") == "none":
        return
    texts = [str(t) for t in (np.ravel(np.asarray(texts, dtype=object)).tolist() if not isinstance(texts, str) else [texts])]
    chips = trace.get("mode") == "markers+text" and trace.get("textposition", "middle center") == "middle center"
    inside = chips or (trace["type"] == "bar" and trace.get("textposition") == "inside")
    font = trace.get("insidetextfont") or trace.get("textfont") or {}
    colors = _each(font.get("color", ink), len(texts))
    behind = _each((trace.get("marker") or {}).get("color", surface), len(texts)) if inside else [surface] * len(texts)
    for text, color, back in zip(texts, colors, behind, strict=True):
        yield from _spans(where, text, str(color), surface if str(back).startswith("rgba") else str(back))


def _each(value: Any, n: int) -> list[Any]:
    return [value] * n if isinstance(value, str) else [str(v) for v in value]


def _spans(where: str, text: str, color: str, back: str) -> Iterator[tuple[str, str, str, str]]:
    """The text and its stretches of another colour."""
    stack, at = [color], 0
    for tag in re.finditer(r"<(/?)(\w+)(?:\s+style=[\"']([^\"']*)[\"'])?\s*/?>", text):
        if piece := text[at:tag.start()]:
            yield where, piece, stack[-1], back
        at = tag.end()
        if tag[2] == "br":
            continue
        if tag[1]:
            stack.pop()
        else:
            own = re.search(r"(?:^|;)\s*color:\s*([^;]+)", tag[3] or "")
            stack.append(own[1].strip() if own else stack[-1])
    if piece := text[at:]:
        yield where, piece, stack[-1], back


def faint(figure: dict[str, Any], surface: str) -> list[tuple[str, str, str, str, float]]:
    """What is written below 4.5 : 1."""
    return [(where, words[:30], color, back, round(contrast(color, back), 2)) for where, words, color, back in words_of(figure, surface)
            if LETTER.search(words) and contrast(color, back) < 4.5]
