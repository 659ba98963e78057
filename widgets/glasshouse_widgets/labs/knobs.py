"""Knobs as ``param`` objects: one cached Parameterized class per class of knobs, held as instances."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any

import param

from glasshouse.schema.build import build, unknown
from glasshouse.schema.knob import KnobField, knobs_of


def _parameter(field: KnobField) -> param.Parameter:
    words: dict[str, Any] = {"default": field.default, "label": field.label, "doc": field.knob.help or None}
    if field.kind == "bool":
        return param.Boolean(allow_None=field.optional, **words)
    if field.kind == "choice":
        return param.Selector(objects=list(field.choices), **words)
    if field.kind == "text":
        return param.String(allow_None=field.optional, **words)
    if field.kind == "vector":
        return param.Parameter(**words)
    number = param.Integer if field.kind == "int" else param.Number
    return number(bounds=(field.low, field.high), inclusive_bounds=(not field.low_open, not field.high_open),
                  step=field.knob.step, allow_None=field.optional, **words)


@cache
def holder_class(cls: type) -> type[param.Parameterized]:
    """The Parameterized class whose parameters are the knobs of the frozen dataclass ``cls``."""
    return param.parameterized_class(cls.__name__, {f.name: _parameter(f) for f in knobs_of(cls)})


class Holder:
    """The current values of one class of knobs.

    ``box`` is the Parameterized instance whose parameters move; ``cls`` the frozen dataclass that bounds them.
    """

    def __init__(self, cls: type) -> None:
        self.cls = cls
        self.fields = {f.name: f for f in knobs_of(cls)}
        self.box = holder_class(cls)()

    def values(self) -> dict[str, Any]:
        return {name: getattr(self.box, name) for name in self.fields}

    def changed(self) -> dict[str, Any]:
        """Values that are not the default."""
        return {n: v for n, v in self.values().items() if v != self.fields[n].default}

    def read(self, values: Mapping[str, Any]) -> dict[str, Any]:
        """``values`` as the knobs' types, checked together with those that stay.

        Raises: BadValue naming the knob, its value and what is allowed.
        """
        for name in values:
            if name not in self.fields:
                raise unknown("knob", name, self.fields)
        built: Any = build(self.cls, {**self.values(), **values})
        return {name: getattr(built, name) for name in values}

    def defaults(self) -> dict[str, Any]:
        return {name: field.default for name, field in self.fields.items()}
