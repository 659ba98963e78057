"""A method's own view: which values of its event go on which axis of one of a closed set of drawings."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

ViewKind = Literal["matrix", "bars", "line", "scatter", "tree", "table", "text", "scene3d"]


@dataclass(frozen=True)
class View:
    """One drawing of an event's ``extra``.

    ``x, y, z, text, color, size, parent`` are keys of ``Event.extra``. What each kind reads:
    ``matrix`` z [r, c], optional x [c] and y [r] (tick labels), text [r, c] (hover);
    ``bars`` x [n] (labels), y [n] or [series, n], optional text [n] (hover); ``line`` x [n], y [n] or [series, n];
    ``scatter`` x, y [n], optional color, size, text; ``tree`` parent [n], text [n], optional color;
    ``table`` y: a mapping key -> column is read from the extra whose key is given; ``text`` text, optional color (marks 0, 1, ... of its pieces);
    ``scene3d`` x, y, z [n], optional color, text. ``series`` names the rows of a two-row ``y``.
    """

    kind: ViewKind
    title: str
    x: str = ""
    y: str = ""
    z: str = ""
    text: str = ""
    color: str = ""
    size: str = ""
    parent: str = ""
    series: tuple[str, ...] = ()
    x_label: str = ""
    y_label: str = ""
    note: str = ""


@dataclass(frozen=True)
class Preset:
    """A named situation that asks a question. ``values`` sets knobs, looks and fields of the problem by name."""

    name: str
    question: str
    values: Mapping[str, Any] = field(default_factory=dict)
    problem: str = ""
