"""What both toolkits share: which parts a lab has, and bringing each up to date after anything happened."""

from __future__ import annotations

import logging
import uuid
from abc import ABC, abstractmethod
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from glasshouse_widgets.labs.base import Lab, Slot
from glasshouse_widgets.renderers import boards
from glasshouse_widgets.renderers.wire import handle

log = logging.getLogger(__name__)

def text(*names: str) -> str:
    """Files of this folder, one after the other."""
    return "\n".join((Path(__file__).parent / name).read_text("utf-8") for name in names)


CONNECTION = "browser/connection.js"
ISLAND = text(CONNECTION, "wire.js", "controls.js", "browser/severed.js", "frame.js")
STYLES = text("islands.css", "browser/connection.css")
LINES: set[str] = set()         # of views that a browser may come back to
ISLANDS = ("head", "knobs", "status", "player", "readout", "story")
PLACES = ("stage", "second", "state")
WATCHED = ["figures", "panes", "readout", "badge", "story", "status", "running", "progress", "acting", "message", "moved", "theme",
           "preset", "method", "problem", "seed", "compare"]


class View(ABC):
    """One showing of a lab. A toolkit fills in how a board or a figure is shown and how panes are arranged."""

    def __init__(self, lab: Lab) -> None:
        self.lab = lab
        self.line = f"{lab.page()}-{uuid.uuid4().hex}"      # what a page calls this view when it asks whether it is still there
        self._within = False
        self._watchers: list[tuple[Any, Any]] = []
        self._acks = dict.fromkeys(ISLANDS, 0)
        self._boards: dict[str, Any] = {}
        self._figures: dict[str, Any] = {}
        self._arranged: tuple[tuple[str, str], ...] = ()

    @abstractmethod
    def show_board(self, name: str, board: boards.Board) -> None:
        """Show the part ``name`` of the frame."""

    @abstractmethod
    def show_figure(self, slot: Slot, figure: dict[str, Any]) -> None:
        """Show a fresh figure in the pane of that name."""

    @abstractmethod
    def show_frame(self, slot: Slot, board: boards.Board) -> None:
        """Show what surrounds the figure: title, description, state. Makes the pane where there is none yet."""

    @abstractmethod
    def arrange(self, places: dict[str, list[str]]) -> None:
        """Put panes, by name, in their places; those no longer named go."""

    def link(self) -> str:
        """What "copy link" copies: a query that the browser adds to its address, or a line of Python."""
        return self.lab.link()

    def begin(self, post: Callable[[Callable[[], Any]], Any] | None) -> None:
        """Listen, draw what there is, and let the lab start."""
        watched: list[tuple[Any, list[str]]] = [(self.lab, WATCHED)]
        if self.lab.player is not None:
            watched.append((self.lab.player, ["position", "length", "playing", "speed"]))
        self._watchers = [(one, one.param.watch(lambda *_: self.refresh(), names)) for one, names in watched]
        if post is not None:
            self.lab.attach(lambda callback: post(lambda: self.together(callback)))
        self.refresh()
        self.together(self.lab.start)

    def close(self) -> None:
        """This showing has gone; the lab may have others."""
        self._within = True                         # nothing is shown any more
        for one, watcher in self._watchers:
            one.param.unwatch(watcher)
        self._watchers = []

    def together(self, callback: Callable[[], Any]) -> Any:
        """Run ``callback`` and show all that it changed at once. Others who show the lab see it for themselves."""
        outermost, self._within = not self._within, True
        try:
            return callback()
        finally:
            if outermost:
                self._within = False
                self.refresh()

    def said(self, name: str, message: Any) -> dict[str, Any] | None:
        """A message came from the browser. Returns what to send back: a file to save, or that somebody is here."""
        if isinstance(message, dict) and message.get("do") == "beat":
            return {"beat": True}

        def answer() -> dict[str, Any] | None:
            try:
                return handle(self.lab, message)
            except Exception:   # a mistake of ours must not take the session with it
                log.exception("message %r", message)
                return None
            finally:
                if name in self._acks and isinstance(message, dict) and isinstance(message.get("n"), int):
                    self._acks[name] = message["n"]

        result = self.together(answer)
        return result if isinstance(result, dict) else None

    def refresh(self) -> None:
        """Show what has changed: figures first."""
        if self._within or self.lab.closed:
            return
        lab = self.lab
        for slot in lab.panes:
            self._changed(slot.name, boards.plot(lab, slot) | {"line": self.line}, partial(self.show_frame, slot))
        arranged = tuple((slot.name, slot.place) for slot in lab.panes)
        if arranged != self._arranged:
            self._arranged = arranged
            self._figures = {n: f for n, f in self._figures.items() if n in dict(arranged)}
            self.arrange({place: [n for n, p in arranged if p == place] for place in PLACES})
        for slot in lab.panes:
            figure = lab.figures.get(slot.name)
            if figure is not None and figure is not self._figures.get(slot.name):
                self._figures[slot.name] = figure
                self.show_figure(slot, figure)
        self._refresh_boards()

    def _refresh_boards(self) -> None:
        lab = self.lab
        knobs = boards.knobs(lab) | {"link": self.link(), "address": bool(lab.home_url), "state": lab.state(), "opener": type(lab).__name__}
        # What says that a message has been answered comes last: by then all that it changed is there.
        found = {"status": boards.status(lab, knobs["messages"]), "readout": boards.readout(lab), "story": boards.story(lab),
                 "head": boards.head(lab)}
        if lab.player is not None:
            found["player"] = boards.player(lab)
        found["knobs"] = knobs
        for name, board in found.items():
            self._changed(name, board | {"ack": self._acks[name], "line": self.line}, partial(self.show_board, name))

    def _changed(self, key: str, board: boards.Board, show: Callable[[boards.Board], None]) -> None:
        if board != self._boards.get(key):
            self._boards[key] = board
            show(board)
