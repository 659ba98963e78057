"""From plain values to a validated frozen dataclass of knobs: the one gate through which all outside input passes."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping
from functools import cache
from typing import Any, TypeVar

from glasshouse.schema.errors import BadValue, bad_value, shown
from glasshouse.schema.knob import KnobField, knobs_of

T = TypeVar("T")
MOST_TOLD = 24         # names in a message


@cache
def _adapter(cls: type) -> Any:
    from pydantic import TypeAdapter  # 0.1 s to import: only once something is validated

    return TypeAdapter(cls)


def unknown(argument: str, given: str, known: Iterable[str]) -> BadValue:
    """The error for a name that does not exist, with the nearest that does. Of very many names only the nearer ones are told."""
    names = sorted(known)
    near = difflib.get_close_matches(given, names, 1)
    hint = f"; did you mean {near[0]}?" if near else ""
    listed = ", ".join(names) or "none"
    if len(names) > MOST_TOLD:
        nearer = sorted(difflib.get_close_matches(given, names, MOST_TOLD // 2, 0.2)) or names[:MOST_TOLD // 2]
        listed = f"{len(names)}, among them {', '.join(nearer)}"
    return BadValue(f"{argument} = {shown(given)} is not known: it is one of {listed}{hint}", argument)


def build(cls: type[T], values: Mapping[str, Any]) -> T:
    """``cls(**values)`` with names, types and bounds checked first.

    Text is read as the knob's type ("4" as 4, "true" as True), as the command line and links need it.

    Raises: BadValue naming the first knob that is unknown or out of bounds, its value and what is allowed.
    """
    from pydantic import ValidationError

    plain: type = cls  # a cache's key: to mypy, type[T] is not hashable
    fields: dict[str, KnobField] = {f.name: f for f in knobs_of(plain)}
    for name in values:
        if name not in fields:
            raise unknown("knob", name, fields)
    given = {n: _read(fields[n], v) for n, v in values.items()}
    try:
        return _adapter(plain).validate_python(given)  # type: ignore[no-any-return]
    except ValidationError as error:
        first = error.errors()[0]
        name = str(first["loc"][0]) if first["loc"] else ""
        field = fields.get(name)
        if field is None:  # a check of the class itself, across knobs
            raise BadValue(str(first["msg"]).removeprefix("Value error, "), name) from None
        raise bad_value(name, values.get(name), field.allowed()) from None


def _read(field: KnobField, value: Any) -> Any:
    """Text forms that pydantic does not take: lists as ``2-2-1``, nothing as ``none``; and no bool where a number belongs."""
    if isinstance(value, bool) and field.kind in ("int", "float"):
        raise bad_value(field.name, value, field.allowed())
    if not isinstance(value, str):
        return tuple(value) if field.kind == "vector" and isinstance(value, list) else value
    if field.optional and value.lower() in ("none", "null", ""):
        return None
    if field.kind == "vector":
        return tuple(value.replace("-", " ").replace(",", " ").split())
    return value
