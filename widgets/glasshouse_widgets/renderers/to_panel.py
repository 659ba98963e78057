"""Any lab as a Panel viewable: layout and transport are Panel's, controls and figures are small browser modules."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import nullcontext
from functools import partial
from typing import Any

import panel as pn
import param
from panel.custom import JSComponent
from panel.io import hold
from panel.models.plotly import PLOTLY_VERSION
from panel.reactive import Syncable

from glasshouse_widgets.labs.base import Lab, Slot
from glasshouse_widgets.renderers import cells
from glasshouse_widgets.renderers.arrays import to_json
from glasshouse_widgets.renderers.boards import Board
from glasshouse_widgets.renderers.view import CONNECTION, ISLAND, LINES, PLACES, STYLES, View, text

ENGINE = f"static/extensions/panel/bundled/plotlyplot/plotly-{PLOTLY_VERSION}.min.js"       # from this server, relative to its pages
DELAY = 5               # ms from an event in the browser to its callback; Panel's own is 50


class Island(JSComponent):
    """One part of the frame: its board goes down, messages come up."""

    board = param.String("{}")

    _esm = ISLAND
    _stylesheets = [STYLES]


class Plot(JSComponent):
    """One figure and what surrounds it."""

    board = param.String("{}")
    figure = param.String("{}")
    engine = param.String(ENGINE, constant=True)

    _esm = text(CONNECTION, "words.js", "bring.js", "plot.js")
    _stylesheets = [STYLES]


def hasten(delay: int = DELAY) -> bool:
    """Lower Panel's fixed delay of events. It is a private attribute: False, and nothing done, where it is not what we know."""
    if not isinstance(getattr(Syncable, "_debounce", None), int):
        return False
    Syncable._debounce = delay
    return True


class PanelView(View):
    """``root`` is the viewable."""

    def __init__(self, lab: Lab) -> None:
        super().__init__(lab)
        self._doc = pn.state.curdoc
        if self._doc is None or self._doc.session_context is None:
            self.line = ""                      # no server's page: nothing to be cut off from
        self.islands: dict[str, Island] = {}
        self.plots: dict[str, Plot] = {}
        self.places = {place: _box("gh-plots") for place in PLACES}
        self.root = _box("gh-outer")
        self.begin(post_here())
        self.root.objects = [self._grid()]
        self._opened = self._arranged
        if self._doc is not None and self._doc.session_context is not None:
            pn.state.onload(self._again)
            LINES.add(self.line)
            pn.state.on_session_destroyed(self._deserted)
        else:
            cells.show(self)

    def _deserted(self, _: Any) -> None:
        LINES.discard(self.line)
        self.lab.close()

    def together(self, callback: Callable[[], Any]) -> Any:
        """All that changes travels as one message: each costs milliseconds."""
        served = self._doc is not None and self._doc is pn.state.curdoc and pn.state.loaded
        with hold(self._doc) if served else nullcontext():
            return super().together(callback)

    def show_board(self, name: str, board: Board) -> None:
        island = self.islands.get(name)
        if island is None:
            island = self.islands[name] = Island(board=to_json(board), sizing_mode="stretch_width", margin=0)
            island.on_msg(partial(self._message, name))
        else:
            island.board = to_json(board)
        if name == "head":
            self.root.css_classes = ["gh-outer", f"gh-{self.lab.theme}"]

    def show_frame(self, slot: Slot, board: Board) -> None:
        plot = self.plots.get(slot.name)
        if plot is None:
            plot = self.plots[slot.name] = Plot(board=to_json(board), sizing_mode="stretch_width", margin=0,
                                                      styles={"flex-basis": "100%"} if slot.stacked else {})
            plot.on_msg(lambda event: self.said("", {**event.data, "pane": slot.name}))
        else:
            plot.board = to_json(board)

    def show_figure(self, slot: Slot, figure: dict[str, Any]) -> None:
        self.plots[slot.name].figure = to_json(figure)

    def arrange(self, places: dict[str, list[str]]) -> None:
        for place, names in places.items():
            self.places[place].objects = [self.plots[name] for name in names]
        self.plots = {name: self.plots[name] for names in places.values() for name in names}
        self._boards = {key: board for key, board in self._boards.items() if key in self.plots or key in self.islands}

    def _again(self) -> None:
        """Panel drops what its components change while their page is on its way: say all of it once more, in other words.

        New panes too: the page throws away every message that speaks of a pane it does not know.
        """
        if self._arranged != self._opened:
            for place in self.places.values():
                plots, place.objects = place.objects, []
                place.objects = plots
        for island in self.islands.values():
            island.board += " "
        for plot in self.plots.values():
            plot.param.update(board=plot.board + " ", figure=plot.figure + " ")

    def _message(self, name: str, event: Any) -> None:
        answer = self.said(name, event.data)
        if answer is not None:
            self.islands[name]._send_msg(answer)

    def _grid(self) -> pn.Column:
        part = self.islands
        areas = {"head": [part["head"]], "knobs": [part["knobs"]], "stage": [part["status"], self.places["stage"]],
                 "player": [part["player"]] if "player" in part else [], "readout": [part["readout"]],
                 "second": [self.places["second"]], "aside": [part["story"], self.places["state"]]}
        grid = _box("gh-grid")
        grid.objects = [_box(f"gh-{area}", *objects) for area, objects in areas.items() if objects]
        return grid


_STYLES = {
    "gh-outer": ":host { container-type: inline-size; width: 100%; background: #f6f7f9; } :host(.gh-dark) { background: #0f1114; }",
    "gh-grid": text("grid.css").replace("HOST", ":host"),
    "gh-plots": ":host { display: flex !important; flex-flow: row wrap; gap: 10px; } div { flex: 1 1 320px; min-width: 0; }"}
_STACK = ":host { display: flex !important; flex-flow: column; gap: 8px; width: 100%; }"
_PLAIN = ".scroll-button { display: none !important; }"     # Panel's columns bring one


def _box(name: str, *objects: Any) -> pn.Column:
    return pn.Column(*objects, css_classes=[name], stylesheets=[_STYLES.get(name, _STACK) + _PLAIN], sizing_mode="stretch_width",
                     margin=0)


def post_here() -> Callable[[Callable[[], Any]], Any] | None:
    """How to come back to where this is called: the page's document, the notebook's loop, or nowhere (the lab's own inbox).

    A worker must not speak to the document itself: while changes are held, what it adds at that moment can be lost.
    """
    try:
        loop = asyncio.get_running_loop()
    except RuntimeError:
        return None
    doc = pn.state.curdoc
    if doc is None or doc.session_context is None:
        return loop.call_soon_threadsafe

    def next_tick(callback: Callable[[], Any]) -> None:
        if doc.session_context is not None:     # a document whose browser has gone takes nothing more
            doc.add_next_tick_callback(callback)

    return lambda callback: loop.call_soon_threadsafe(next_tick, callback)


def render(lab: Lab) -> pn.Column:
    """The lab as a viewable."""
    hasten()
    return PanelView(lab).root
