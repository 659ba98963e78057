"""What a lab is made of, as plain data: slots for figures, readings, stories, messages, controls."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

from glasshouse.schema.events.base import Event
from glasshouse.schema.knob import KnobField

if TYPE_CHECKING:
    from glasshouse.catalogue import MethodInfo
    from glasshouse_widgets.figures.palette import Theme

Place = Literal["stage", "state", "second"]
Status = Literal["empty", "loading", "live", "stale", "failed", "cancelled"]


@dataclass(frozen=True)
class Slot:
    """A named place for one figure. ``height`` in px is fixed, so that nothing jumps; ``describe`` is read to the blind.

    ``place``: the *stage* is the one picture that is the idea, *state* is the method's own, *second* is what follows over time.
    ``twice``: in compare the figure is drawn once more for the second method (stage and state are by default), beside the first; a
    figure that needs the whole width says in ``stacked`` how high (px) it is when the two stand below each other instead.
    """

    name: str
    title: str
    place: Place = "stage"
    height: int = 320
    describe: str = ""
    twice: bool | None = None
    stacked: int = 0

    @property
    def split(self) -> bool:
        return self.place != "second" if self.twice is None else self.twice


@dataclass(frozen=True)
class Reading:
    """One number of the readout. ``value`` is text of fixed width and decimals; ``meaning`` one sentence shown on hover.

    ``other`` is the same number of the compared method, empty without one (the base fills it in).
    """

    label: str
    value: str
    unit: str = ""
    meaning: str = ""
    other: str = ""


@dataclass(frozen=True)
class Story:
    """*What you see*, at most 80 words, and one thing to try."""

    see: str
    attempt: str = ""


@dataclass(frozen=True)
class Message:
    """One clear sentence; ``knob`` is the control that it is shown beside, empty for the whole lab."""

    text: str
    knob: str = ""


@dataclass(frozen=True)
class Action:
    """A side job that a person can start. ``name`` is passed to :meth:`Lab.act`; ``busy`` is the label while it runs."""

    name: str
    label: str
    help: str = ""
    busy: str = ""


@dataclass(frozen=True)
class Control:
    """One knob as a renderer needs it: ``holder`` is the Parameterized instance whose parameter ``field.name`` it moves.

    ``side`` is 1 for the knobs of the compared method. ``field`` carries label, unit, help, bounds, step, choices and cost.
    """

    field: KnobField
    holder: Any
    side: int = 0

    @property
    def name(self) -> str:
        return self.field.name

    @property
    def key(self) -> str:
        return self.name if self.side == 0 else f"{self.name}~b"


@dataclass(frozen=True)
class Group:
    """Controls that answer one question. ``folded`` ones stand under "more"."""

    title: str
    controls: tuple[Control, ...]
    folded: tuple[Control, ...] = ()
    looks: bool = False


@dataclass(frozen=True, eq=False)
class Shown:
    """Everything that the hooks of a lab may look at, for one method.

    ``event`` is what ``Session.look`` returned; ``computed`` are all events so far and ``done`` whether the run has ended;
    ``looks`` holds the family's looks and the lab's dials, ``values`` the knobs and the problem's fields; ``studies`` maps the
    name of a side job to its latest event, ``fresh`` holds those asked of exactly this method, problem, seed and knobs.
    """

    event: Event
    info: MethodInfo
    theme: Theme
    computed: tuple[Event, ...] = ()
    done: bool = False
    looks: Mapping[str, Any] = field(default_factory=dict)
    values: Mapping[str, Any] = field(default_factory=dict)
    studies: Mapping[str, Event] = field(default_factory=dict)
    fresh: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Export:
    """A file to download."""

    filename: str
    mime: str
    text: str
