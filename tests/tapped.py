"""The lab of tests over a core that a test opens and shuts like a tap."""

from __future__ import annotations

import threading
from collections.abc import Callable

import patience
from fake_lab import FakeCore, FakeLab, FakeSession

Make = Callable[..., FakeLab]


class Tap(FakeCore):
    """Events come one per :meth:`let`; an open tap lets all through."""

    def __init__(self) -> None:
        super().__init__()
        self.drops, self.open_, self.waiting = threading.Semaphore(0), True, threading.Event()

    def pause(self, session: FakeSession) -> None:
        if not self.open_:
            self.waiting.set()
            self.drops.acquire(timeout=patience.PATIENCE)

    def shut(self) -> None:
        self.open_ = False
        self.waiting.clear()

    def let(self, n: int) -> None:
        self.drops.release(n)

    def flow(self) -> None:
        self.open_ = True
        self.let(1000)

    @property
    def iterators(self) -> int:
        return sum(s.open_iterators for s in self.sessions)


def tap(lab: FakeLab) -> Tap:
    assert isinstance(lab.core, Tap)
    return lab.core


def until(lab: FakeLab, true: Callable[[], object]) -> None:
    """Take results until ``true()``."""
    patience.until(true, lambda: lab.inbox.drain(0.01))


def title(lab: FakeLab, pane: str = "wave") -> str:
    return str(lab.figures[pane]["layout"]["title"]["text"])
