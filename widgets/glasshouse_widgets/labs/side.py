"""One method in a lab: its knobs, its session, what of it is shown. A lab has one side, or two in compare."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from glasshouse.schema.events.base import Event, Progress
from glasshouse_widgets.labs.core import Core, Session
from glasshouse_widgets.labs.jobs import CLOCK, Clock, Lane, Post
from glasshouse_widgets.labs.knobs import Holder

if TYPE_CHECKING:
    from glasshouse.catalogue import MethodInfo


@dataclass(frozen=True)
class Request:
    """What a run was asked for: fixed when the knob moved, whatever moves later."""

    info: MethodInfo
    problem: str
    seed: int
    values: Mapping[str, Any]


@dataclass(frozen=True)
class Opened:
    """The first item of a run: its session exists, nothing is computed."""

    session: Session
    request: Request


class Side:
    """``session`` is the one shown; it is exchanged only when another has its first event, so the last good picture stays."""

    def __init__(self, core: Core, info: MethodInfo, post: Post, clock: Clock = CLOCK) -> None:
        self.core = core
        self.info = info
        self.knobs = Holder(core.load(info.id))
        self.lane = Lane(post, core.worker, clock)
        self.session: Session | None = None
        self.request: Request | None = None
        self.event: Event | None = None
        self.launched = float("-inf")           # when work was asked for last
        self._opened: Opened | None = None
        self._alive: list[Session] | None = []  # every session opened and not closed, in order; None once the side is
        self._lock = threading.Lock()

    def switch(self, info: MethodInfo) -> None:
        """Another method from now on; what is shown stays that of the old one until the new has its first event."""
        self.info = info
        self.knobs = Holder(self.core.load(info.id))

    def work(self, request: Request) -> Iterator[Any]:
        """On a worker: open and compute."""
        session = self.core.open(request.info.id, request.problem, request.seed, request.values)
        with self._lock:                        # it may be cancelled before anybody hears of it
            late = self._alive is None
            if self._alive is not None:
                self._alive.append(session)
        if late:
            session.close()
            return
        yield Opened(session, request)
        yield from session.events()

    def more(self) -> Iterator[Any]:
        """On a worker: go on with the session shown."""
        if self.session is not None:
            yield from self.session.events()

    def take(self, items: list[Any]) -> tuple[bool, Progress | None]:
        """Note what came. Returns (is there something new to see, the latest progress)."""
        progress, new = None, False
        for item in items:
            if isinstance(item, Opened):
                self._opened = item
            elif isinstance(item, Progress):
                progress = item
            else:
                new = True
        if new and self._opened is not None:
            self.session, self.request = self._opened.session, self._opened.request
            self._opened = None
            self._end(before=self.session)
        return new, progress

    def _end(self, before: Session | None = None) -> None:
        """Close the sessions opened before this one, whether they were ever shown or not; without one all, for good."""
        with self._lock:
            alive = self._alive or []
            n = len(alive) if before is None else next((i for i, session in enumerate(alive) if session is before), 0)
            over, self._alive = alive[:n], None if before is None else alive[n:]
        for session in over:
            session.close()

    def close(self) -> None:
        self.lane.close(self._end)
        self.session = self._opened = self.event = None
