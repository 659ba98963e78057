"""How a drawing reads an event's ``extra``: what is there, as escaped words or as numbers, and not too much of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from glasshouse_widgets.figures.palette import POINTS
from glasshouse_widgets.figures.tokens import cut, escaped

LABELS = 24                                     # tick labels and node labels that stay legible
Extra = Mapping[str, Any]


class Missing(KeyError):
    """A key that the view names and the event lacks."""


def read(extra: Extra, key: str) -> Any:
    """What the key holds. Raises: Missing where there is nothing."""
    if key not in extra or extra[key] is None or np.size(extra[key]) == 0:
        raise Missing(key or "key")
    return extra[key]


def words(values: Any, most: int = 14) -> list[str]:
    """Escaped texts of one row."""
    return [escaped(cut(plain(v), most)) for v in np.asarray(values, dtype=object).ravel().tolist()]


def plain(value: Any) -> str:
    """A value on one line, not escaped."""
    if isinstance(value, float):
        return f"{value:.4g}"
    return str(value).replace("\n", "⏎").replace("\t", "⇥")


def numbers(values: Any) -> list[float | None]:
    """Floats with None where there is no number, which is a gap in a drawing."""
    return [v if v == v and abs(v) != float("inf") else None for v in np.asarray(values, float).ravel().tolist()]


def is_text(values: Any) -> bool:
    return np.asarray(values).dtype.kind in "USO"


def thinning(count: int, series: int = 1) -> int:
    """Every how many-th of ``count`` points is drawn, so that all series together stay within the limit."""
    return max(1, -(-count // max(POINTS // series, 1)))


def labelled(words: Sequence[str], most: int = LABELS) -> dict[str, Any]:
    """Tick labels at 0, 1, ...; of many only some."""
    every = max(1, -(-len(words) // most))
    return {"tickvals": list(range(0, len(words), every)), "ticktext": list(words[::every])}
