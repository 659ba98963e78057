"""Lanes: the newest wins, nothing stale is painted, what is cancelled is closed."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from glasshouse_widgets.labs import jobs
from glasshouse_widgets.labs.jobs import Inbox, Lane


class Watched:
    """Work that yields its name until told to end; knows whether it was closed, and when it was drawn."""

    def __init__(self, name: str, items: int = 10_000, pause: float = 0.005) -> None:
        self.name, self.items, self.pause = name, items, pause
        self.drawn, self.closed = 0, threading.Event()

    def __call__(self) -> Iterator[str]:
        try:
            for _ in range(self.items):
                time.sleep(self.pause)
                self.drawn += 1
                yield self.name
        finally:
            self.closed.set()


class Desk:
    """A lane with an inbox and all that was painted."""

    def __init__(self) -> None:
        self.inbox = Inbox()
        self.lane = Lane(self.inbox, lambda: None)
        self.painted: list[str] = []
        self.times: list[float] = []
        self.ends: list[tuple[str, BaseException | None]] = []

    def start(self, work: Callable[[], Iterator[Any]], **how: Any) -> None:
        name = getattr(work, "name", "")
        self.lane.start(work, self._paint, lambda error: self.ends.append((name, error)), **how)

    def _paint(self, items: list[str]) -> None:
        self.painted.append(items[-1])
        self.times.append(time.monotonic())

    def run(self, until: Callable[[], bool], seconds: float = 5.0) -> None:
        end = time.monotonic() + seconds
        while not until() and time.monotonic() < end:
            self.inbox.drain(0.01)
        assert until(), "it did not happen in time"

    def rest(self) -> None:
        self.run(lambda: not self.lane.busy)
        self.inbox.drain()


def test_all_items_arrive_in_order_and_the_end_is_told() -> None:
    desk = Desk()
    got: list[int] = []
    desk.lane.start(lambda: iter(range(1000)), got.extend, lambda error: desk.ends.append(("", error)))
    desk.rest()
    assert got == list(range(1000))
    assert desk.ends == [("", None)]


def test_a_newer_job_cancels_the_older_and_closes_its_iterator() -> None:
    desk, old, new = Desk(), Watched("old"), Watched("new", items=3)
    desk.start(old)
    desk.run(lambda: "old" in desk.painted)
    desk.start(new)
    after = len(desk.painted)
    desk.rest()
    assert old.closed.is_set()
    assert set(desk.painted[after:]) == {"new"}, "stale results were painted over newer ones"
    assert [name for name, _ in desk.ends] == ["new"]


def test_a_result_already_on_its_way_is_not_painted_once_a_newer_job_has_begun() -> None:
    desk, old = Desk(), Watched("old")
    desk.start(old)
    while old.drawn == 0:
        time.sleep(0.01)
    time.sleep(0.05)                        # posted, not yet taken out of the inbox
    desk.start(Watched("new", items=1))
    desk.rest()
    assert desk.painted == ["new"]


def test_of_many_live_moves_the_last_is_painted_last_and_the_drag_shows_something() -> None:
    desk = Desk()
    for step in range(20):
        desk.start(Watched(str(step), items=3, pause=0.01), gentle=True)
        desk.inbox.drain(0.02)
    desk.rest()
    numbers = [int(name) for name in desk.painted]
    assert numbers[-1] == 19
    assert numbers == sorted(numbers)
    assert len(set(numbers)) > 2, "nothing was shown while the knob was dragged"


def test_a_live_computation_that_takes_long_is_given_up_for_the_newest() -> None:
    desk, slow = Desk(), Watched("slow")
    desk.start(slow, gentle=True)
    desk.run(lambda: slow.drawn > 2)
    desk.start(Watched("new", items=1), gentle=True)
    desk.run(lambda: "new" in desk.painted, jobs.LIVE_GRACE * 20)
    assert slow.closed.is_set()


def test_a_drag_of_thirty_steps_runs_a_debounced_job_at_most_three_times_and_ends_right() -> None:
    desk = Desk()
    for step in range(30):
        desk.start(Watched(str(step), items=40), delay=0.08)
        desk.inbox.drain(0.03)
    desk.rest()
    assert desk.lane.started <= 3
    assert desk.painted[-1] == "29"
    assert desk.ends == [("29", None)]


def test_partial_pictures_come_soon_and_at_most_ten_a_second() -> None:
    desk, work = Desk(), Watched("x", items=150)
    begun = time.monotonic()
    desk.start(work)
    desk.rest()
    took = time.monotonic() - begun
    assert desk.times[0] - begun < 0.3
    assert len(desk.times) <= took / jobs.PAINT_EVERY + 2


def test_what_paints_nothing_keeps_no_picture_waiting() -> None:
    """The first item of a run says only that it has begun: the first picture must not wait for the next turn because of it."""
    desk, work, seen = Desk(), Watched("x", items=30, pause=0.01), []

    def paint(items: list[str]) -> bool:
        seen.append((time.monotonic(), len(items)))
        return len(seen) > 1

    begun = time.monotonic()
    desk.lane.start(work, paint, lambda error: None)
    desk.rest()
    assert seen[1][0] - begun < jobs.PAINT_EVERY
    assert seen[2][0] - seen[1][0] > 0.9 * jobs.PAINT_EVERY
    assert sum(n for _, n in seen) == 30


def test_cancelled_work_is_closed_and_never_heard_of_again() -> None:
    desk, work = Desk(), Watched("x")
    desk.start(work)
    desk.run(lambda: bool(desk.painted))
    desk.lane.cancel()
    before = list(desk.painted)
    desk.rest()
    assert work.closed.wait(2)
    assert desk.painted == before
    assert desk.ends == []


def test_a_cancelled_wait_never_starts() -> None:
    desk, work = Desk(), Watched("x")
    desk.start(work, delay=0.05)
    desk.lane.cancel()
    time.sleep(0.1)
    desk.rest()
    assert work.drawn == 0


def test_closing_stops_the_work_and_then_cleans_up_off_the_calling_thread() -> None:
    desk, work = Desk(), Watched("x")
    desk.start(work)
    desk.run(lambda: bool(desk.painted))
    where: list[str] = []
    desk.lane.close(lambda: where.append(threading.current_thread().name))
    assert work.closed.wait(2)
    desk.run(lambda: bool(where))
    assert where[0] != threading.current_thread().name
    desk.start(Watched("late"))
    assert not desk.lane.busy


def test_an_error_reaches_the_desk_and_the_lane_goes_on() -> None:
    desk = Desk()

    def broken() -> Iterator[str]:
        yield "one"
        raise ValueError("broken")

    desk.start(broken)
    desk.rest()
    assert isinstance(desk.ends[0][1], ValueError)
    assert desk.painted == ["one"]
    desk.start(Watched("two", items=1))
    desk.rest()
    assert desk.painted == ["one", "two"]


def test_what_is_told_to_computing_threads_is_told_there() -> None:
    inbox, told = Inbox(), set[str]()
    lane = Lane(inbox, lambda: told.add(threading.current_thread().name))
    lane.start(lambda: iter([1, 2]), lambda _: None, lambda _: None)
    while lane.busy:
        inbox.drain(0.01)
    assert told
    assert threading.current_thread().name not in told


def test_the_limit_holds_for_all_lanes_together() -> None:
    desks = [Desk() for _ in range(jobs._workers + 3)]
    works = [Watched("x") for _ in desks]
    for desk, work in zip(desks, works, strict=True):
        desk.start(work)
    time.sleep(0.3)
    assert sum(work.drawn > 0 for work in works) == jobs._workers
    for desk in desks:
        desk.lane.close(lambda: None)
    with pytest.raises(RuntimeError, match="have begun"):
        jobs.limit(1)
