"""What a card of the gallery shows: a few pictures that the lab itself drew, made once per process."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from typing import Any

from glasshouse_widgets.labs.base import Lab
from glasshouse_widgets.renderers.arrays import encode

log = logging.getLogger(__name__)

FRAMES = 8
PATIENCE = 120.0        # seconds that a lab may take for its miniature

Frames = dict[str, list[dict[str, Any]]]        # by theme


class Miniatures:
    """Frames by lab as they become ready; :meth:`when` tells whoever waits."""

    def __init__(self, labs: dict[str, type[Lab]]) -> None:
        self._labs = labs
        self._ready: dict[str, Frames] = {}
        self._waiting: list[Callable[[str, Frames], None]] = []
        self._lock = threading.Lock()

    def start(self) -> None:
        """Draw them all on a thread of their own: it also loads what the first visitor would wait for."""
        threading.Thread(target=self._draw_all, name="glasshouse-miniatures", daemon=True).start()

    def when(self, callback: Callable[[str, Frames], None]) -> Callable[[], None]:
        """Call back for each that is ready and each that becomes so, on any thread. Returns how to stop."""
        with self._lock:
            ready = dict(self._ready)
            self._waiting.append(callback)
        for name, frames in ready.items():
            callback(name, frames)
        return lambda: self._waiting.remove(callback)

    def _draw_all(self) -> None:
        for name, cls in self._labs.items():
            try:
                frames = draw(cls)
            except Exception:
                log.exception("miniature of %s", name)
                continue
            with self._lock:
                self._ready[name] = frames
                waiting = list(self._waiting)
            for callback in waiting:
                callback(name, frames)


def draw(cls: type[Lab]) -> Frames:
    """The stage as its sequence is played, or as its first look sweeps its range."""
    lab = cls()
    stage = next(slot.name for slot in lab.slots if slot.place == "stage")
    found: Frames = {"light": [], "dark": []}
    try:
        lab.wait(PATIENCE)
        for name, value in _stops(lab):
            lab.set(name, value)
            for theme, frames in found.items():
                lab.theme = theme
                lab.wait(PATIENCE)
                if stage in lab.figures:
                    frames.append(encode(lab.figures[stage]))
    finally:
        lab.close()
    return found


def _stops(lab: Lab) -> list[tuple[str, Any]]:
    if lab.player is not None:
        n = lab.player.length
        return [(lab.sequence, round(i * (n - 1) / max(FRAMES - 1, 1))) for i in range(min(FRAMES, n))]
    for field in lab.looks.fields.values():
        if field.kind == "float" and field.low is not None and field.high is not None:
            start, end = field.default, field.low + 0.4 * (field.high - field.low)
            return [(field.name, round(start + i * (end - start) / (FRAMES - 1), 4)) for i in range(FRAMES)]
    return [(name, value) for name, value in list(lab.looks.values().items())[:1]]
