"""What every event is, and the progress of long work."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any


class Lazy(Mapping[Any, Any]):
    """A mapping that is computed when it is first read, from the few numbers that ``make`` holds on to.

    So recording costs nothing that nobody looks at. A pickle or a copy is a plain dict.
    """

    def __init__(self, make: Callable[[], Mapping[Any, Any]]) -> None:
        self._make = make
        self._made: Mapping[Any, Any] | None = None

    @property
    def _content(self) -> Mapping[Any, Any]:
        if self._made is None:
            self._made = self._make()
        return self._made

    def __getitem__(self, key: Any) -> Any:
        return self._content[key]

    def __iter__(self) -> Iterator[Any]:
        return iter(self._content)

    def __len__(self) -> int:
        return len(self._content)

    def __repr__(self) -> str:
        return repr(dict(self))

    def __reduce__(self) -> tuple[type, tuple[dict[Any, Any]]]:
        return dict, (dict(self),)


@dataclass(frozen=True, kw_only=True, eq=False)
class Event:
    """One state of an algorithm. ``extra`` holds the method's own state by name: arrays, or lists of text."""

    extra: Mapping[str, Any] = field(default_factory=dict)

    def row(self) -> dict[str, int | float | str | bool]:
        """The event's scalars by field name: one row of a :class:`~glasshouse.schema.record.RunRecord`."""
        pairs = ((f.name, getattr(self, f.name)) for f in dataclasses.fields(self))
        return {name: value for name, value in pairs if isinstance(value, (int, float, str, bool))}


@dataclass(frozen=True, kw_only=True)
class Progress:
    """How far long work has come; ``total`` None where it cannot be known."""

    done: float
    total: float | None = None
    message: str = ""

    @property
    def share(self) -> float | None:
        return None if not self.total else min(1.0, self.done / self.total)
