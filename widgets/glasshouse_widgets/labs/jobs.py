"""Work off the event loop: iterators drawn on worker threads, their items brought back in order, the newest winning.

A *lane* does one thing at a time. Starting something new either cancels what runs (a job) or lets it finish for a moment and
then goes on with the newest (live). Results of a generation older than the one painted last never come back.
"""

from __future__ import annotations

import os
import queue
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from typing import Any

Post = Callable[[Callable[[], object]], object]
Deliver = Callable[[list[Any]], object]         # False where nothing of it could be painted yet
PAINT_EVERY = 0.1       # seconds between two partial pictures
LIVE_GRACE = 0.1        # seconds that a superseded live computation may still run, so that a drag shows something


class Clock:
    """Seconds, and calls that come after some of them. Whoever tests what time decides brings a clock of their own."""

    def now(self) -> float:
        """Seconds since some moment; never runs backwards."""
        return time.monotonic()

    def after(self, seconds: float, call: Callable[[], object]) -> Callable[[], object]:
        """``call()`` on a thread of its own after ``seconds``. Returns what calls it off."""
        timer = threading.Timer(seconds, call)
        timer.daemon = True
        timer.start()
        return timer.cancel


CLOCK = Clock()

_pool: ThreadPoolExecutor | None = None
_pool_lock = threading.Lock()
_workers = max(2, os.cpu_count() or 1)


def limit(workers: int) -> None:
    """At most this many computations at once in this process. Call before the first."""
    global _workers
    if _pool is not None:
        raise RuntimeError("computations have begun: set the limit before")
    _workers = workers


def _submit(task: Callable[[], object]) -> None:
    global _pool
    with _pool_lock:
        if _pool is None:
            _pool = ThreadPoolExecutor(_workers, thread_name_prefix="glasshouse")
    _pool.submit(task)


class Inbox:
    """Where results land when nobody has said how to post: :meth:`drain` runs them on the calling thread."""

    def __init__(self) -> None:
        self._queue: queue.SimpleQueue[Callable[[], object]] = queue.SimpleQueue()

    def __call__(self, callback: Callable[[], object]) -> None:
        self._queue.put(callback)

    def drain(self, seconds: float = 0.0) -> bool:
        """Run what has come, waiting at most ``seconds`` for the first. True if anything ran."""
        ran = False
        try:
            while True:
                self._queue.get(timeout=0 if ran else seconds)() if seconds and not ran else self._queue.get_nowait()()
                ran = True
        except queue.Empty:
            return ran


@dataclass
class _Task:
    generation: int
    make: Callable[[], Iterator[Any]]
    deliver: Deliver
    finish: Callable[[BaseException | None], None]
    cancelled: bool = False                 # nothing of it may be painted any more
    deadline: float = float("inf")          # stop drawing then, but what came may be painted
    items: list[Any] = field(default_factory=list)
    posted: float = float("-inf")           # when its last picture was painted
    waiting: bool = False                   # a flush is on its way


class Lane:
    """One thing at a time, the newest wins. All methods are called on the thread that owns the lab."""

    def __init__(self, post: Post, prepare: Callable[[], None], clock: Clock = CLOCK) -> None:
        self.post = post
        self._prepare, self._clock = prepare, clock
        self._lock = threading.Lock()
        self._generation = 0
        self._painted = 0
        self._now: _Task | None = None
        self._next: _Task | None = None
        self._call_off: Callable[[], object] | None = None      # of what waits for its delay
        self._closed = False
        self.started = 0

    @property
    def busy(self) -> bool:
        with self._lock:
            return self._now is not None or self._next is not None or self._call_off is not None

    def start(self, make: Callable[[], Iterator[Any]], deliver: Deliver,
              finish: Callable[[BaseException | None], None], delay: float = 0.0, gentle: bool = False) -> None:
        """Draw ``make()`` on a worker after ``delay`` seconds without another start.

        ``deliver`` gets lists of items, ``finish`` the error or None, both through ``post``. After a picture the next waits a moment,
        after what ``deliver`` says (False) is none it does not. ``gentle`` lets a running task end
        by itself for a moment and paint (live); else it is cancelled at once (job).
        """
        with self._lock:
            if self._closed:
                return
            self._generation += 1
            task = _Task(self._generation, make, deliver, finish)
            self._drop_waiting()
            self._retire(gentle)
            if delay:
                self._call_off = self._clock.after(delay, partial(self._enqueue, task))
                return
        self._enqueue(task)

    def cancel(self) -> None:
        """Nothing more comes from what was started; the iterator is closed at its next item."""
        with self._lock:
            self._generation += 1
            self._drop_waiting()
            self._retire(gentle=False)

    def close(self, then: Callable[[], object]) -> None:
        """For good. ``then`` may wait for a step under way, so it runs on a worker."""
        self.cancel()
        self._closed = True
        _submit(then)

    def _drop_waiting(self) -> None:
        if self._call_off is not None:
            self._call_off()
        self._call_off = self._next = None

    def _retire(self, gentle: bool) -> None:
        if self._now is None:
            return
        if gentle:
            self._now.deadline = min(self._now.deadline, self._clock.now() + LIVE_GRACE)
        else:
            self._now.cancelled = True

    def _enqueue(self, task: _Task) -> None:
        with self._lock:
            if self._closed or task.generation != self._generation:
                return
            self._call_off = None
            if self._now is not None:
                self._next = task
                return
            self._now = task
        _submit(self._serve)

    def _serve(self) -> None:
        """On a worker: draw tasks until none waits."""
        while True:
            with self._lock:
                task = self._now
            if task is None:
                return
            error = self._draw(task)
            with self._lock:
                self._now, self._next = self._next, None
                self.post(partial(self._finish, task, error))

    def _draw(self, task: _Task) -> BaseException | None:
        if task.cancelled:
            return None
        self.started += 1
        iterator: Iterator[Any] | None = None
        try:
            iterator = task.make()
            for item in iterator:
                self._prepare()
                if task.cancelled or self._clock.now() > task.deadline:
                    break
                self._collect(task, item)
        except Exception as error:
            return error
        finally:
            close = getattr(iterator, "close", None)
            if close is not None:
                close()
        return None

    def _collect(self, task: _Task, item: Any) -> None:
        with self._lock:
            task.items.append(item)
            if task.waiting:
                return
            task.waiting = True
            early = PAINT_EVERY - (self._clock.now() - task.posted)
        if early <= 0:
            self._knock(task)
            return
        self._clock.after(early, partial(self._knock, task))    # the next item may take long

    def _knock(self, task: _Task) -> None:
        if task.items and not task.cancelled:
            self.post(partial(self._flush, task))

    def _flush(self, task: _Task) -> None:
        """On the lab's thread."""
        with self._lock:
            items, task.items = task.items, []
            before, task.posted, task.waiting = task.posted, self._clock.now(), False
            if task.cancelled or self._closed or task.generation < self._painted or not items:
                return
            self._painted = task.generation
        if task.deliver(items) is False:
            with self._lock:
                task.posted = before
            self._knock(task)

    def _finish(self, task: _Task, error: BaseException | None) -> None:
        self._flush(task)
        if not task.cancelled and not self._closed and task.generation == self._generation:
            task.finish(error)
