"""What every event is, and the progress of long work."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


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
