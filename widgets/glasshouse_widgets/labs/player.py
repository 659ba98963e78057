"""Play, pause, step, back, scrub, speed: moves one look through a sequence."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import param

from glasshouse_widgets.labs.jobs import CLOCK, Clock, Post

SPEEDS = (0.5, 1.0, 2.0, 4.0)
STEPS_PER_SECOND = 2.0


class Player(param.Parameterized):
    """``position`` is where one is in a sequence of ``length``; setting it is to scrub.

    While ``follow`` the position is always the newest. The next tick is set only when the last has been drawn, so a slow
    machine plays slower and never falls behind.
    """

    position = param.Integer(0, bounds=(0, None))
    length = param.Integer(0, bounds=(0, None))
    playing = param.Boolean(False)
    speed = param.Selector(objects=list(SPEEDS), default=1.0)
    follow = param.Boolean(True)

    def __init__(self, go: Callable[[int], None], more: Callable[[], bool], post: Post, clock: Clock = CLOCK) -> None:
        """``go(position)`` moves the look (-1: the newest); ``more()`` tells whether the sequence still grows."""
        super().__init__()
        self._go, self._more, self._post, self._clock = go, more, post, clock
        self._call_off: Callable[[], object] | None = None

    def seen(self, position: int, length: int) -> None:
        """The lab has drawn this position."""
        self.param.update(position=min(position, max(length - 1, 0)), length=length)

    def play(self) -> None:
        """From here on, or from the start where it stood at the end of what will not grow."""
        if self.length == 0 or self.playing:
            return
        if self.position >= self.length - 1 and not self._more():
            self.scrub(0)
        self.playing = True
        self._again()

    def pause(self) -> None:
        self.playing = False
        if self._call_off is not None:
            self._call_off()
            self._call_off = None

    def step(self, by: int = 1) -> None:
        self.pause()
        self.scrub(self.position + by)

    def scrub(self, position: int) -> None:
        """Go to a position, held within the sequence."""
        if self.length:
            self.follow = False
            self._go(max(0, min(position, self.length - 1)))

    def newest(self) -> None:
        """Follow what comes."""
        self.pause()
        self.follow = True
        self._go(-1)

    def tick(self) -> None:
        """One step of playing."""
        if not self.playing:
            return
        if self.position < self.length - 1:
            self.scrub(self.position + 1)
        elif not self._more():
            self.pause()
            return
        self._again()

    def _again(self) -> None:
        self._call_off = self._clock.after(1 / (STEPS_PER_SECOND * self.speed), partial(self._post, self.tick))
