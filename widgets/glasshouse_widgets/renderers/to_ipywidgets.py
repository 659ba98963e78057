"""Any lab as an ipywidget, for JupyterLab and Voilà: figures are FigureWidgets, controls the same browser module as in Panel."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable
from functools import partial
from typing import Any

import anywidget
import ipywidgets
import numpy as np
import plotly.graph_objects as go
import traitlets
from plotly.offline import get_plotlyjs

from glasshouse_widgets.labs.base import Lab, Slot
from glasshouse_widgets.renderers import cells
from glasshouse_widgets.renderers.arrays import to_json
from glasshouse_widgets.renderers.boards import Board
from glasshouse_widgets.renderers.view import CONNECTION, ISLAND, PLACES, STYLES, View, text

_PLACES_CSS = """
.gh-outer { container-type: inline-size; width: 100%; background: #f6f7f9; color-scheme: light; }
.gh-outer.gh-dark { background: #0f1114; color-scheme: dark; }
.gh-outer, .gh-outer .widget-box { overflow: visible; }
.gh-grid .widget-box { gap: 8px; }
.gh-plots { flex-flow: row wrap !important; }
.gh-plots > * { flex: 1 1 320px; min-width: 0; }
.gh-plots > .gh-wide { flex-basis: 100%; }
.gh-outer.jupyter-widgets-disconnected::before, .gh-outer .jupyter-widgets-disconnected::before { content: none; }
"""
_CSS = STYLES + text("grid.css").replace("HOST", ".gh-grid") + _PLACES_CSS


class Island(anywidget.AnyWidget):
    """One part of the frame: its board goes down, messages come up."""

    board = traitlets.Unicode("{}").tag(sync=True)

    _esm = ISLAND
    _css = _CSS


class Engine(anywidget.AnyWidget):
    """Plotly's code, once for all figures of a page: a plain FigureWidget brings its own 5 MB each."""

    source = traitlets.Unicode().tag(sync=True)

    _esm = text("engine.js")


class Figure(go.FigureWidget):
    """A FigureWidget whose picture travels as one trait: what was changed before a browser came, or while it came, is not lost."""

    board = traitlets.Unicode("{}").tag(sync=True)
    figure = traitlets.Unicode("{}").tag(sync=True)

    _esm = text(CONNECTION, "words.js", "bring.js", "plot.js")
    _css = ""
    _held = False
    data: Any

    def draw(self, before: dict[str, Any] | None, after: dict[str, Any]) -> None:
        """Become ``after``; ``before`` is what was drawn last, so that only what differs is set and checked."""
        self._held = True
        if before is not None and [t.get("type") for t in before["data"]] == [t.get("type") for t in after["data"]]:
            with self.batch_update():
                self.update_layout(_changes(before["layout"], after["layout"]), overwrite=True)
                for trace, old, new in zip(self.data, before["data"], after["data"], strict=True):
                    trace.update(_changes(old, new), overwrite=True)
        else:
            self.data = []
            fresh = _changes(before["layout"] if before is not None else {}, after["layout"])
            self.update_layout({**fresh, "template": "none"}, overwrite=True)
            self.add_traces(after["data"])
        self._held = False
        self._show()

    def _show(self, *_: Any, **__: Any) -> None:
        if not self._held:
            drawn = self.to_dict()
            drawn["layout"].pop("template", None)
            self.figure = to_json(drawn)

    _send_update_msg = _send_restyle_msg = _send_relayout_msg = _show
    _send_addTraces_msg = _send_deleteTraces_msg = _send_moveTraces_msg = _show


class IpywidgetsView(View):
    """``root`` is the widget."""

    def __init__(self, lab: Lab) -> None:
        super().__init__(lab)
        self.islands: dict[str, Island] = {}
        self.figures: dict[str, Figure] = {}
        self._drawn: dict[str, dict[str, Any]] = {}
        self.places = {place: _box("gh-plots") for place in PLACES}
        self.root = _box("gh-outer")
        query = os.environ.get("QUERY_STRING", "")
        if f"lab={lab.page()}" in query.split("&"):
            lab.open_link(query)
        self.begin(_post_here())
        self.root.children = [Engine(source=get_plotlyjs()), self._grid()]
        cells.show(self)

    def close(self) -> None:
        super().close()
        _close(self.root)

    def link(self) -> str:
        if os.environ.get("SERVER_SOFTWARE", "").startswith("voila/"):
            return self.lab.link()
        return f"{type(self.lab).__name__}.from_state({self.lab.state()!r})"

    def show_board(self, name: str, board: Board) -> None:
        if name not in self.islands:
            self.islands[name] = Island(board=to_json(board))
            self.islands[name].on_msg(partial(self._message, name))
        self.islands[name].board = to_json(board)
        if name == "head":
            (self.root.add_class if self.lab.theme == "dark" else self.root.remove_class)("gh-dark")

    def show_frame(self, slot: Slot, board: Board) -> None:
        if slot.name not in self.figures:
            figure = self.figures[slot.name] = Figure()
            figure.add_class("gh-wide" if slot.stacked else "gh-plain")
            figure.on_msg(lambda _widget, message, _buffers: self.said("", {**message, "pane": slot.name}))
        self.figures[slot.name].board = to_json(board)

    def show_figure(self, slot: Slot, figure: dict[str, Any]) -> None:
        self.figures[slot.name].draw(self._drawn.get(slot.name), figure)
        self._drawn[slot.name] = figure

    def arrange(self, places: dict[str, list[str]]) -> None:
        for place, names in places.items():
            self.places[place].children = [self.figures[name] for name in names]
        kept = {name for names in places.values() for name in names}
        self.figures = {name: figure for name, figure in self.figures.items() if name in kept}
        self._drawn = {name: figure for name, figure in self._drawn.items() if name in kept}
        self._boards = {key: board for key, board in self._boards.items() if key in kept or key in self.islands}

    def _message(self, name: str, widget: Island, message: Any, _buffers: Any) -> None:
        answer = self.said(name, message)
        if answer is not None:
            widget.send(answer)

    def _grid(self) -> ipywidgets.VBox:
        part = self.islands
        areas = {"head": [part["head"]], "knobs": [part["knobs"]], "stage": [part["status"], self.places["stage"]],
                 "player": [part["player"]] if "player" in part else [], "readout": [part["readout"]],
                 "second": [self.places["second"]], "aside": [part["story"], self.places["state"]]}
        return _box("gh-grid", *(_box(f"gh-{area}", *parts) for area, parts in areas.items() if parts))


def _changes(before: dict[str, Any], after: dict[str, Any]) -> dict[str, Any]:
    """What to set so that ``before`` becomes ``after``: checking every unchanged property would cost most of the time."""
    fresh = {k: v for k, v in after.items() if k not in before or not _same(before[k], v)}
    return fresh | {k: None for k in before if k not in after}


def _same(a: Any, b: Any) -> bool:
    if isinstance(a, np.ndarray) or isinstance(b, np.ndarray):
        return type(a) is type(b) and a.dtype == b.dtype and np.array_equal(a, b, equal_nan=a.dtype.kind == "f")
    if isinstance(a, dict) and isinstance(b, dict):
        return a.keys() == b.keys() and all(_same(v, b[k]) for k, v in a.items())
    if isinstance(a, (list, tuple)) and isinstance(b, (list, tuple)):
        return len(a) == len(b) and all(map(_same, a, b))
    return bool(a == b)


def _box(name: str, *children: Any) -> ipywidgets.VBox:
    box = ipywidgets.VBox(children, layout=ipywidgets.Layout(width="100%", min_width="0"))
    box.add_class(name)
    return box


def _close(widget: Any) -> None:
    """With all that stands in it: a widget lives until it is closed, whoever has forgotten it."""
    for part in (*getattr(widget, "children", ()), getattr(widget, "layout", None)):
        if isinstance(part, ipywidgets.Widget):
            _close(part)
    widget.close()


def _post_here() -> Callable[[Callable[[], Any]], Any] | None:
    """Back to the kernel's loop, or nowhere (the lab's own inbox) where none runs."""
    try:
        return asyncio.get_running_loop().call_soon_threadsafe
    except RuntimeError:
        return None


def render(lab: Lab) -> ipywidgets.VBox:
    """The lab as a widget."""
    return IpywidgetsView(lab).root
