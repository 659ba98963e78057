"""Knobs: bounds live once, on dataclass fields, and everything else reads them from there.

    bits: Annotated[int, Ge(2), Le(8), Knob(cost="live", unit="bits")] = 4
"""

from __future__ import annotations

import dataclasses
import types
from dataclasses import dataclass
from functools import cache
from typing import Annotated, Any, Literal, Union, get_args, get_origin, get_type_hints

from annotated_types import Ge, Gt, Interval, Le, Lt, MaxLen, MultipleOf

Cost = Literal["look", "live", "job"]


@dataclass(frozen=True)
class Knob:
    """How a field is shown and what moving it costs.

    ``group`` is the question it answers ("how it drafts"); ``more`` folds it away; ``step`` is the slider's step.
    """

    cost: Cost = "live"
    unit: str = ""
    label: str = ""
    help: str = ""
    group: str = ""
    step: float | None = None
    log: bool = False
    more: bool = False


@dataclass(frozen=True)
class KnobField:
    """One knob as read from its field: everything a slider, a validator or a property test needs."""

    name: str
    kind: Literal["int", "float", "bool", "choice", "text", "vector"]
    default: Any
    low: float | None = None
    high: float | None = None
    low_open: bool = False
    high_open: bool = False
    choices: tuple[Any, ...] = ()
    optional: bool = False
    max_length: int | None = None
    knob: Knob = Knob()

    @property
    def label(self) -> str:
        return self.knob.label or self.name.replace("_", " ")

    def allowed(self) -> str:
        """What may be given, in words: the end of every message about this knob."""
        if self.kind == "choice":
            return "one of " + ", ".join(map(str, self.choices))
        if self.kind == "bool":
            return "true or false"
        if self.kind == "text":
            return "text" if self.max_length is None else f"text of at most {self.max_length} characters"
        noun = {"int": "a whole number", "float": "a number", "vector": "a list of whole numbers, each"}[self.kind]
        parts = [noun]
        if self.low is not None:
            parts.append(f"{'above' if self.low_open else 'at least'} {self.low:g}")
        if self.high is not None:
            parts.append(f"{'below' if self.high_open else 'at most'} {self.high:g}")
        unit = f" ({self.knob.unit})" if self.knob.unit else ""
        words = parts[0] + (" " + " and ".join(parts[1:]) if parts[1:] else "") + unit
        return words + (", or none" if self.optional else "")


def _bounds(metadata: tuple[Any, ...]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    flat = [m for item in metadata for m in (item if isinstance(item, Interval) else (item,))]
    for m in flat:
        if isinstance(m, Ge):
            found |= {"low": m.ge}
        elif isinstance(m, Gt):
            found |= {"low": m.gt, "low_open": True}
        elif isinstance(m, Le):
            found |= {"high": m.le}
        elif isinstance(m, Lt):
            found |= {"high": m.lt, "high_open": True}
        elif isinstance(m, MaxLen):
            found |= {"max_length": m.max_length}
        elif isinstance(m, MultipleOf):
            raise TypeError("use Knob(step=...) instead of MultipleOf: sliders and validation would differ")
    return found


def _kind(hint: Any) -> tuple[str, tuple[Any, ...], bool, tuple[Any, ...]]:
    """(kind, choices, optional, metadata found inside) of a type hint."""
    metadata: tuple[Any, ...] = ()
    if get_origin(hint) is Annotated:
        hint, *inner = get_args(hint)
        metadata = tuple(inner)
    if get_origin(hint) in (Union, types.UnionType):
        arms = [a for a in get_args(hint) if a is not type(None)]
        if len(arms) == 1:
            kind, choices, _, inside = _kind(arms[0])
            return kind, choices, True, metadata + inside
    if get_origin(hint) is Literal:
        return "choice", get_args(hint), False, metadata
    if get_origin(hint) is tuple:
        _, _, _, inside = _kind(get_args(hint)[0])
        return "vector", (), False, metadata + inside
    for python, kind in ((bool, "bool"), (int, "int"), (float, "float"), (str, "text")):
        if hint is python:
            return kind, (), False, metadata
    raise TypeError(f"{hint!r} cannot be a knob: use bool, int, float, str, Literal or a tuple of int")


@cache
def knobs_of(cls: type) -> tuple[KnobField, ...]:
    """The knobs of a frozen dataclass, in the order of its fields."""
    hints = get_type_hints(cls, include_extras=True)
    found = []
    for field in dataclasses.fields(cls):
        kind, choices, optional, metadata = _kind(hints[field.name])
        knob = next((m for m in metadata if isinstance(m, Knob)), Knob())
        found.append(KnobField(field.name, kind, field.default, choices=choices, optional=optional, knob=knob,  # type: ignore[arg-type]
                               **_bounds(metadata)))
    return tuple(found)
