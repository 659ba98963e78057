"""A lab: one view-model that knows no toolkit. It holds what a person chose, runs the method and offers figures as plain dicts.

To make a lab, subclass :class:`Lab`, declare ``family, title, question, sentence, home, slots, sequence, dials, actions`` and
fill in the hooks. To draw one, a renderer reads and watches the parameters and calls the verbs (``set, act, click, stop ...``).
Everything of a lab happens on the thread that built it; work runs on others and comes back through ``post``.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Iterable, Mapping
from types import MappingProxyType
from typing import Any, ClassVar, Self

import param

from glasshouse.schema.errors import GlasshouseError, bad_value
from glasshouse.schema.events.base import Event
from glasshouse.schema.guarantee import Guarantee
from glasshouse_widgets.labs import exports, painting
from glasshouse_widgets.labs.core import Session
from glasshouse_widgets.labs.parts import (
    Action,
    Control,
    Export,
    Group,
    Message,
    Place,
    Reading,
    Shown,
    Slot,
    Status,
    Story,
)
from glasshouse_widgets.labs.player import SPEEDS, Player
from glasshouse_widgets.labs.running import Running

__all__ = ["SPEEDS", "Action", "Control", "Export", "Group", "Lab", "Message", "Place", "Player", "Reading", "Shown", "Slot",
           "Status", "Story"]


class Lab(Running):
    """A family's lab: hooks for its author, then what renderers, notebooks and tests call.

    ``Lab(method=..., problem=..., seed=..., compare=..., **knobs_and_looks)`` opens with these; what is not allowed raises.
    """

    slots: ClassVar[tuple[Slot, ...]] = ()           # figures by place; the first "stage" is the idea
    actions: ClassVar[tuple[Action, ...]] = ()       # side jobs offered as buttons; the name is a study of the family

    # Each is replaced whole, never changed in place.
    # Seen through a proxy: of two dicts param would compare every number, at more than the cost of drawing them.
    figures = param.Parameter(MappingProxyType({}), doc="pane name -> Plotly dict; panes of the compared method end in ~b")
    panes = param.Parameter((), doc="tuple of Slot, named as in figures: every pane there is, the method's own views included")
    readout = param.Parameter((), doc="tuple of Reading")
    badge = param.Parameter(None, doc="Guarantee, or None before the first picture")
    story = param.Parameter(Story(""), doc="what you see, and one thing to try")
    theme = param.Selector(objects=["light", "dark"], default="light")

    # Hooks, for a lab's author. They read ``shown``, return plain values and never block.

    def draw(self, name: str, shown: Shown, other: Shown | None) -> dict[str, Any]:
        """The figure of the slot ``name`` as ``{"data": [...], "layout": {...}}``.

        ``other`` is the compared method or None. Slots that split (stage and state) are asked once per method, with the two
        exchanged; the others once, and may overlay both. Height, ``uirevision`` and transparent background are added by the base.
        """
        raise NotImplementedError

    def read(self, shown: Shown) -> tuple[Reading, ...]:
        """Three to five numbers of one method; in compare the base asks for both and pairs them by position."""
        return ()

    def explain(self, shown: Shown, other: Shown | None) -> Story:
        """*What you see* in at most 80 words, and one *try this*."""
        return Story("")

    def promise(self, shown: Shown, actual: Guarantee) -> Guarantee:
        """The guarantee to show: the run's own, downgraded where a person's looks break an assumption."""
        return actual

    def table(self, shown: Shown) -> Mapping[str, Iterable[Any]]:
        """What the stage shows as columns of equal length, under names that no look has: by default a row per event so far."""
        return exports.events(shown)

    def own_state(self, shown: Shown) -> Mapping[str, Any]:
        """What the method's declared views read: by default the ``extra`` of the event."""
        return shown.event.extra

    def span(self, shown: Shown) -> tuple[int, int]:
        """(position, length) of the sequence that the player moves in; asked only where ``sequence`` is set."""
        return 0, 0

    def coupling(self, shown: Shown, other: Shown) -> str:
        """One sentence for compare: which noise the two share, or that they share none."""
        return ""

    def clicked(self, slot: str, point: Mapping[str, Any]) -> None:
        """A click on a point of the figure: map it to a look with :meth:`set`.

        ``point`` has ``curve, index, x, y, customdata`` (None where absent) and ``side`` (1 for the compared method).
        """

    def act(self, name: str) -> None:
        """A button was pressed: start the study of that name, or stop it while it runs. Override to pass options."""
        if name in self.acting:
            self.stop_study(name)
        else:
            self.study(name)

    # For renderers, notebooks and tests

    def __init__(self, **choices: Any) -> None:
        self.home_url = ""                              # where the gallery is, if this lab is a page of it
        self.rest_waits = False         # the stage is on its way, the other figures are still to be painted
        super().__init__(**choices)
        self.param.watch(lambda _: self._repaint(), ["theme"])

    def click(self, pane: str, point: Mapping[str, Any]) -> None:
        """A renderer saw a click on a pane."""
        slot, _, second = pane.partition("~")
        self.clicked(slot, {**point, "side": int(bool(second))})

    def figure_config(self, pane: str) -> dict[str, Any]:
        """Plotly's own settings: a quiet bar with download as PNG and SVG, under a filename that says what it is."""
        name = f"glasshouse-{self.method.replace('.', '-')}-{pane.replace('~', '-')}"
        return {"displaylogo": False, "displayModeBar": False, "toImageButtonOptions": {"format": "png", "filename": name, "scale": 2},
                "modeBarButtonsToRemove": ["select2d", "lasso2d", "autoScale2d", "zoomIn2d", "zoomOut2d"]}

    def export_data(self, kind: str = "csv") -> Export:
        """What is on the screen, as ``csv`` (the stage's table, with looks and readout beside it) or as ``json`` (the run's record
        too); or the pictures themselves as a page that needs no server, ``html``.

        Raises: BadValue for another kind, and before anything is computed.
        """
        if kind == "html":
            return self.export_html()
        if kind not in ("csv", "json"):
            raise bad_value("kind", kind, "csv, json or html")
        if not self._seen or self.sides[0].session is None:
            raise bad_value("export", "nothing", "a result: wait for the first picture")
        text = (exports.csv if kind == "csv" else exports.to_json)(self, self._seen)
        name = f"glasshouse-{self.method.replace('.', '-')}-seed{self.seed}.{kind}"
        return Export(name, "text/csv" if kind == "csv" else "application/json", text)

    def export_html(self, look: str | None = None, states: int = 30) -> Export:
        """The lab as it is in one HTML file, in which one look still moves through up to 30 ``states``.

        ``look``: its name, "" for none; by default the player's, else the first that is a share.
        Raises: BadValue for an unknown look or number of states, and before anything is computed.
        """
        exported: Export = _renderer("to_html").export(self, look, states)
        return exported

    @classmethod
    def from_state(cls, state: Mapping[str, Any], **options: Any) -> Self:
        """The lab as :meth:`state` said; where that cannot be had, a fresh one whose ``message`` says why."""
        lab = cls(**options)
        lab.open_state(state)
        return lab

    def panel(self) -> Any:
        """The lab as a Panel viewable."""
        return _renderer("to_panel").render(self)

    def ipywidget(self) -> Any:
        """The lab as an ipywidget."""
        return _renderer("to_ipywidgets").render(self)

    def __repr__(self) -> str:
        return f"{type(self).__name__}.from_state({self.state()!r})"

    def _repr_mimebundle_(self, **kwargs: Any) -> dict[str, Any]:
        shown: dict[str, Any] = self.ipywidget()._repr_mimebundle_(**kwargs)
        return shown | {"text/plain": repr(self)}

    # Inside

    def _look(self) -> None:
        """Ask every session for what is looked at now; nothing is recomputed."""
        for side in self.sides:
            if side.session is None or not side.session.computed:
                continue
            try:
                side.event = self._looked(side.session)
            except GlasshouseError as error:
                self._fail(error)
                return
        self._repaint()

    def _looked(self, session: Session) -> Event:
        """What is looked at. A place that a run has yet to reach is no mistake: until then its newest."""
        try:
            return session.look(**self.looks.values())
        except GlasshouseError as error:
            if session.done or not self.sequence or error.argument != self.sequence:
                raise
        defaults = self.looks.defaults()
        try:
            return session.look(**self.looks.values() | {self.sequence: defaults[self.sequence]})
        except GlasshouseError:                     # what was chosen at that place need not be here
            return session.look(**defaults)

    def _repaint(self) -> None:
        """The stage now, so that it is drawn first; the rest as soon as the stage is on its way."""
        if self.closed:
            return
        self._seen = [one for side in self.sides if (one := painting.shown(self, side)) is not None]
        if not self._seen or self.sides[0].event is None:
            return
        waited, self.rest_waits = self.rest_waits, True
        if not self._paint(lambda place: place == "stage"):
            self.rest_waits = waited
        elif not waited:
            self._post(self._paint_rest)

    def _paint_rest(self) -> None:
        self.rest_waits = False
        if not self.closed and self._paint(lambda place: place != "stage"):
            self.param.update(**painting.words(self, self._seen))

    def _paint(self, wanted: Callable[[Place], bool]) -> bool:
        """False where a figure could not be drawn: the last good one stays."""
        try:
            panes = painting.panes(self, self._seen)
            fresh = painting.figures(self, [p for p in panes if wanted(p.place)], self._seen)
            if self.player is not None:
                self.player.seen(*self.span(self._seen[0]))
        except Exception as error:
            self.status = "failed"
            self._fail(error)
            return False
        kept = {p.name: self.figures[p.name] for p in panes if p.name in self.figures}
        self.param.update(panes=panes, figures=MappingProxyType(kept | fresh))
        return True


def _renderer(module: str) -> Any:
    """Labs know renderers by name only: they stand below them."""
    return importlib.import_module(f"glasshouse_widgets.renderers.{module}")
