"""How a lab computes: what moving a knob costs, one lane per method, results taken in order, stop and go on."""

from __future__ import annotations

import logging
import time
from functools import partial
from typing import Any

import param

from glasshouse.schema.errors import GlasshouseError
from glasshouse.schema.events.base import Event, Progress
from glasshouse.schema.knob import Cost
from glasshouse_widgets.labs.choices import Choices
from glasshouse_widgets.labs.jobs import Inbox, Lane, Post
from glasshouse_widgets.labs.parts import Message, Shown
from glasshouse_widgets.labs.player import Player
from glasshouse_widgets.labs.side import Request, Side
from glasshouse_widgets.labs.uploads import Uploads

log = logging.getLogger(__name__)
JOB_DELAY = 0.08        # seconds without another move before a job starts
DRAG = 0.25             # moves closer than this are one drag: where they come slowly, a job waits twice as long as they lie apart


class Running(Choices):
    """A look is answered at once from what is computed; a live knob recomputes in place; a job waits for the hand to rest."""

    status = param.Selector(objects=["empty", "loading", "live", "stale", "failed", "cancelled"], default="empty")
    running = param.Boolean(False, doc="work is under way and can be stopped")
    progress = param.Parameter(None, doc="Progress or None")
    acting = param.Parameter((), doc="names of the side jobs under way")

    def __init__(self, **choices: Any) -> None:
        self.inbox = Inbox()
        self.deliver_by: Post = self.inbox
        self.started = self.closed = False
        self.studies: dict[str, Event] = {}
        self.studied: dict[str, Request] = {}       # what each of them was asked of
        self.player: Player | None = None
        self.uploads = Uploads()
        self._study_lanes: dict[str, Lane] = {}
        self._seen: list[Shown] = []                # what the pictures show, one per method
        super().__init__(lambda callback: self.deliver_by(callback), **choices)
        if self.sequence:
            self.player = Player(self._go, lambda: self.running, lambda callback: self.deliver_by(callback), self.clock)

    def attach(self, post: Post) -> None:
        """From now on results come back by ``post``, which runs a callable on the lab's thread, soon and in order."""
        self.deliver_by = post
        post(self.inbox.drain)

    def start(self) -> None:
        """Begin to compute, once; a renderer calls it when the lab is shown."""
        if not self.started:
            self.started = True
            self._change("live", list(self.sides))

    def wait(self, seconds: float = 120.0) -> bool:
        """Without a screen: start, and take results until all is at rest. False if it was not after ``seconds``."""
        self.start()
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            busy = any(lane.busy for lane in self._lanes())
            if not self.inbox.drain(0.02 if busy else 0.0) and not busy:
                return True
        return False

    def stop(self) -> None:
        """Stop what runs; what is computed stays."""
        for side in self.sides:
            side.lane.cancel()
        for name in list(self.acting):
            self.stop_study(name)
        if self.running:
            self.param.update(running=False, progress=None, status="cancelled")

    def resume(self) -> None:
        """Go on after :meth:`stop`, or try again after a failure."""
        if self.closed:
            return
        for side in self.sides:
            if side.session is not None and side.request == self._request(side):
                self._announce("live")
                side.lane.start(side.more, partial(self._take, side), partial(self._finish, side))
            else:
                self._launch(side, "live")

    def close(self) -> None:
        """Stop all work for good; a renderer calls it when the browser has gone."""
        self.closed = True
        self.uploads.close()
        if self.player is not None:
            self.player.pause()
        for side in self.sides:
            side.close()
        for lane in self._study_lanes.values():
            lane.close(lambda: None)

    def study(self, name: str, **options: Any) -> None:
        """Start a side job of the family for the first method; its latest event is ``studies[name]``."""
        if self.closed:
            return
        lane = self._study_lanes.setdefault(name, Lane(self._post, self.core.worker, self.clock))
        asked = self._request(self.sides[0])
        self.acting = (*(a for a in self.acting if a != name), name)
        lane.start(lambda: self.core.study(asked.info.id, name, asked.problem, asked.seed, options, asked.values),
                   partial(self._take_study, name, asked), partial(self._finish_study, name))

    def stop_study(self, name: str) -> None:
        if name in self._study_lanes:
            self._study_lanes[name].cancel()
        self.acting = tuple(a for a in self.acting if a != name)

    # Inside

    def _look(self) -> None:
        """Look again at what is computed, and paint. The base fills this in."""

    def _repaint(self) -> None:
        """Paint again what was looked at. The base fills this in."""

    def _go(self, position: int) -> None:
        self.set(self.sequence, position)

    def _lanes(self) -> list[Lane]:
        return [*(side.lane for side in self.sides), *self._study_lanes.values()]

    def _request(self, side: Side) -> Request:
        values = side.knobs.values() | self.setting.values()
        return Request(side.info, self.problem, self.seed, values)

    def _change(self, cost: Cost, sides: list[Side]) -> None:
        if not self.started or self.closed:
            return
        if not sides:                               # the compared method has gone, and with it perhaps all that ran
            self.running = any(s.lane.busy for s in self.sides)
            if not self.running and self.status == "stale":
                self.status = "live"
        if cost == "look" or not sides:
            self._look()
            return
        if len(self._seen) > len(self.sides):
            self._look()                            # a compared method has just gone
        for side in sides:
            self._launch(side, cost)

    def _launch(self, side: Side, cost: Cost) -> None:
        self._announce(cost)
        now = self.clock.now()
        pause, side.launched = now - side.launched, now
        delay = max(JOB_DELAY, 2 * pause if pause < DRAG else 0.0)
        side.lane.start(partial(side.work, self._request(side)), partial(self._take, side), partial(self._finish, side),
                        delay=delay if cost == "job" else 0.0, gentle=cost == "live")

    def _announce(self, cost: Cost) -> None:
        pictured = any(side.event is not None for side in self.sides)
        status = "loading" if not pictured else "stale" if cost == "job" else "live"
        self.param.update(running=True, progress=None, status=status)

    def _take(self, side: Side, items: list[Any]) -> bool:
        """Results of one method have come, in order, the newest last. False where they changed no picture."""
        new, progress = side.take(items)
        if progress is not None:
            self.progress = progress
        before = self._seen
        if new:
            self._look()
        if self._seen is not before and self.status in ("loading", "stale"):
            self.status = "live"
        return self._seen is not before or progress is not None

    def _finish(self, side: Side, error: BaseException | None) -> None:
        self.running = any(s.lane.busy for s in self.sides)
        if not self.running:
            self.progress = None
        if error is not None:
            self.status = "failed"
            self._fail(error)
        elif self.player is not None or not self.running:
            self._look()                            # ``done`` and the summary are known only now
            if self.sequence and self.message is not None and self.message.knob == self.sequence:
                self.set(self.sequence, self.looks.defaults()[self.sequence])       # it was a place in a longer run
            if not self.running and self.status in ("loading", "stale"):
                self.status = "live"                # a run without a picture has ended well too

    def _take_study(self, name: str, asked: Request, items: list[Any]) -> None:
        for item in items:
            if isinstance(item, Progress):
                self.progress = item
            else:
                self.studies = {**self.studies, name: item}
                self.studied = {**self.studied, name: asked}
        self._repaint()

    def _finish_study(self, name: str, error: BaseException | None) -> None:
        self.acting = tuple(a for a in self.acting if a != name)
        if not self.running and not self.acting:
            self.progress = None
        if error is not None:
            self._fail(error, name)
        self._repaint()

    def _fail(self, error: BaseException, where: str = "") -> None:
        """A person's error in its own words, beside its knob; ours in one sentence, with the rest in the log."""
        if isinstance(error, GlasshouseError):
            self.message = Message(str(error), where or error.argument)
            return
        log.error("%s failed", type(self).__name__, exc_info=error)
        self.message = Message(f"Something of ours broke ({type(error).__name__}). The last good picture is kept.", where)
