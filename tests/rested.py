"""A lab for a test: started, at rest with its picture, and closed at the end."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TypeVar

from glasshouse_widgets.labs.base import Lab

L = TypeVar("L", bound=Lab)


@contextmanager
def at_rest(lab: L) -> Iterator[L]:
    assert lab.wait()
    yield lab
    lab.close()
