"""Lanes: the newest wins, nothing stale is painted, what is cancelled is closed. The clock is in the test's hand."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from glasshouse_widgets.labs import jobs
from glasshouse_widgets.labs.jobs import PAINT_EVERY, Clock, Inbox, Lane
from hand import Hand
from patience import PATIENCE, until


class Watched:
    """Work that yields its name, one item per :meth:`let`; knows what was drawn of it and whether it was closed."""

    def __init__(self, name: str, items: int = 10_000, let: int = 10_000) -> None:
        self.name, self.items = name, items
        self.drawn, self.asked, self.closed = 0, 0, threading.Event()
        self._steps = threading.Semaphore(let)

    def __call__(self) -> Iterator[str]:
        try:
            for _ in range(self.items):
                self.asked += 1                 # the item before has been taken in
                assert self._steps.acquire(timeout=PATIENCE)
                self.drawn += 1
                yield self.name
        finally:
            self.closed.set()

    def let(self, n: int = 1) -> None:
        """Let ``n`` more items come, and return when the lane has them."""
        asked = self.asked + n
        self._steps.release(n)
        until(lambda: self.asked >= asked or self.closed.is_set())


class Desk:
    """A lane with an inbox, a clock in the hand, and all that was painted."""

    def __init__(self) -> None:
        self.inbox, self.clock = Inbox(), Hand()
        self.lane = Lane(self.inbox, lambda: None, self.clock)
        self.painted: list[str] = []
        self.ends: list[tuple[str, BaseException | None]] = []

    def start(self, work: Callable[[], Iterator[Any]], **how: Any) -> None:
        name = getattr(work, "name", "")
        self.lane.start(work, self._paint, lambda error: self.ends.append((name, error)), **how)

    def _paint(self, items: list[str]) -> None:
        self.painted.append(items[-1])

    def run(self, true: Callable[[], object]) -> None:
        until(true, lambda: self.inbox.drain(0.01))

    def rest(self) -> None:
        self.run(lambda: not self.lane.busy)
        self.inbox.drain()


def held(desk: Desk, name: str, **how: Any) -> Watched:
    """Work under way, its first picture painted, its second item held back."""
    work = Watched(name, let=1)
    desk.start(work, **how)
    desk.run(lambda: name in desk.painted and work.asked == 2)
    return work


def test_all_items_arrive_in_order_and_the_end_is_told() -> None:
    desk = Desk()
    got: list[int] = []
    desk.lane.start(lambda: iter(range(1000)), got.extend, lambda error: desk.ends.append(("", error)))
    desk.rest()
    assert got == list(range(1000))
    assert desk.ends == [("", None)]


def test_a_newer_job_cancels_the_older_and_closes_its_iterator() -> None:
    desk = Desk()
    old, new = held(desk, "old"), Watched("new", items=3)
    desk.start(new)
    old.let()
    desk.rest()
    assert old.closed.is_set()
    assert desk.painted == ["old", "new"], "stale results were painted over newer ones"
    assert [name for name, _ in desk.ends] == ["new"]


def test_a_result_already_on_its_way_is_not_painted_once_a_newer_job_has_begun() -> None:
    desk, old = Desk(), Watched("old", let=1)
    desk.start(old)
    until(lambda: old.asked == 2)           # posted, not yet taken out of the inbox
    desk.start(Watched("new", items=1))
    old.let()
    desk.rest()
    assert desk.painted == ["new"]


def test_of_many_live_moves_the_last_is_painted_last_and_the_drag_shows_something() -> None:
    desk, work = Desk(), Watched("0", items=3, let=1)
    desk.start(work, gentle=True)
    for step in range(1, 20):
        held_back = Watched(str(step), items=3, let=1)
        desk.start(held_back, gentle=True)
        if step % 4 == 0:                   # the work under way ends, and of those that wait the newest takes its turn
            work.let(2)
            desk.run(lambda name=str(step): name in desk.painted)       # type: ignore[misc]
            work = held_back
    work.let(2)
    held_back.let(2)
    desk.rest()
    assert list(dict.fromkeys(desk.painted)) == ["0", "4", "8", "12", "16", "19"]
    assert sorted(desk.painted, key=int) == desk.painted


@pytest.mark.parametrize(("passed", "last"), [(0.9, True), (1.1, False)])
def test_a_live_computation_that_takes_long_is_given_up_for_the_newest(passed: float, last: bool) -> None:
    desk = Desk()
    slow = held(desk, "slow", gentle=True)
    new = Watched("new", items=1)
    desk.start(new, gentle=True)
    desk.clock.turn(passed * jobs.LIVE_GRACE)
    slow.let()
    assert slow.closed.is_set() is not last
    slow.let(3)
    assert slow.drawn == (5 if last else 2)
    desk.clock.turn(jobs.LIVE_GRACE)
    slow.let()
    desk.rest()
    assert slow.closed.is_set()
    assert desk.painted[-1] == "new"


def test_a_drag_of_thirty_steps_runs_a_debounced_job_once_and_ends_right() -> None:
    desk = Desk()
    for step in range(30):
        desk.start(Watched(str(step), items=40), delay=0.08)
        desk.clock.turn(0.079)
    assert desk.lane.started == 0
    assert desk.lane.busy
    desk.clock.turn(0.002)
    desk.rest()
    assert desk.lane.started == 1
    assert set(desk.painted) == {"29"}
    assert desk.ends == [("29", None)]


def test_partial_pictures_come_at_once_and_then_at_most_ten_a_second() -> None:
    desk = Desk()
    work = held(desk, "x")
    for n in range(2, 12):
        work.let(7)                         # within a turn of the clock: no picture for any of them
        desk.inbox.drain()
        desk.clock.turn(0.9 * PAINT_EVERY)
        desk.inbox.drain()
        assert len(desk.painted) == n - 1
        desk.clock.turn(0.1 * PAINT_EVERY)
        desk.inbox.drain()
        assert len(desk.painted) == n
    desk.lane.cancel()
    work.let()


def test_what_paints_nothing_keeps_no_picture_waiting() -> None:
    """The first item of a run says only that it has begun: the first picture must not wait for the next turn because of it."""
    desk, work, seen = Desk(), Watched("x", items=30, let=1), []

    def paint(items: list[str]) -> bool:
        seen.append(len(items))
        return len(seen) > 1

    desk.lane.start(work, paint, lambda error: None)
    desk.run(lambda: len(seen) == 1 and work.asked == 2)
    work.let()
    desk.run(lambda: len(seen) == 2)        # the clock stands still
    work.let()
    assert not desk.inbox.drain()
    desk.clock.turn(PAINT_EVERY)
    desk.run(lambda: len(seen) == 3)
    work.let(27)
    desk.rest()
    assert sum(seen) == 30


def test_cancelled_work_is_closed_and_never_heard_of_again() -> None:
    desk = Desk()
    work = held(desk, "x")
    desk.lane.cancel()
    work.let()
    desk.clock.turn(PAINT_EVERY)
    desk.rest()
    assert work.closed.is_set()
    assert desk.painted == ["x"]
    assert desk.ends == []


def test_a_cancelled_wait_never_starts() -> None:
    desk, work = Desk(), Watched("x")
    desk.start(work, delay=0.05)
    desk.lane.cancel()
    desk.clock.turn(0.1)
    desk.rest()
    assert desk.lane.started == work.drawn == 0


def test_closing_stops_the_work_and_then_cleans_up_off_the_calling_thread() -> None:
    desk = Desk()
    work = held(desk, "x")
    where: list[str] = []
    desk.lane.close(lambda: where.append(threading.current_thread().name))
    work.let()
    assert work.closed.wait(PATIENCE)
    desk.run(lambda: where)
    assert where[0] != threading.current_thread().name
    desk.start(Watched("late"))
    desk.run(lambda: not desk.lane.busy)
    assert "late" not in desk.painted


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
    until(lambda: not lane.busy, lambda: inbox.drain(0.01))
    assert told
    assert threading.current_thread().name not in told


def test_the_limit_holds_for_all_lanes_together() -> None:
    n, gate = jobs._workers, threading.Semaphore(0)
    desks, inside, most = [Desk() for _ in range(n + 3)], list[int](), list[int]()

    def work() -> Iterator[str]:
        inside.append(1)
        most.append(len(inside))
        assert gate.acquire(timeout=PATIENCE)
        inside.pop()
        yield "x"

    for desk in desks:
        desk.start(work)
    until(lambda: len(inside) == n)
    gate.release(len(desks))
    for desk in desks:
        desk.rest()
    assert (len(most), max(most)) == (n + 3, n)
    with pytest.raises(RuntimeError, match="have begun"):
        jobs.limit(1)


def test_the_clock_on_the_wall_runs_and_calls() -> None:
    clock, came, off = Clock(), threading.Event(), threading.Event()
    begun = clock.now()
    clock.after(3600.0, off.set)()                                  # called off
    clock.after(0.01, came.set)
    assert came.wait(PATIENCE)
    assert clock.now() - begun >= 0.01
    assert not off.is_set()
