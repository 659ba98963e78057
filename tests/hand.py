"""The clock of tests whose subject is time: it stands still until somebody turns its hand."""

from __future__ import annotations

import threading
from collections.abc import Callable

from glasshouse_widgets.labs.jobs import Clock


class Hand(Clock):
    """For whatever takes a ``clock``."""

    def __init__(self) -> None:
        self._now = 1000.0
        self._due: dict[object, tuple[float, Callable[[], object]]] = {}
        self._lock = threading.Lock()

    def now(self) -> float:
        return self._now

    def after(self, seconds: float, call: Callable[[], object]) -> Callable[[], object]:
        key = object()
        with self._lock:
            self._due[key] = (self._now + seconds, call)
        return lambda: self._due.pop(key, None)

    @property
    def waiting(self) -> int:
        """How many calls are still to come."""
        return len(self._due)

    def turn(self, seconds: float) -> None:
        """Let ``seconds`` pass; what falls due is called here, in order."""
        end = self._now + seconds
        while True:
            with self._lock:
                key = min(self._due, key=lambda k: self._due[k][0], default=None)
                if key is None or self._due[key][0] > end:
                    self._now = end
                    return
                self._now, call = self._due.pop(key)
            call()
