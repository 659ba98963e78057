"""A lab's state as data for a page that needs no server: its figures and words now, or at every stop of one look."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from glasshouse.schema.build import unknown
from glasshouse.schema.errors import bad_value
from glasshouse.schema.guarantee import Guarantee
from glasshouse.schema.knob import KnobField
from glasshouse_widgets.figures.palette import THEMES
from glasshouse_widgets.labs import painting
from glasshouse_widgets.labs.parts import Reading, Slot, Story

if TYPE_CHECKING:
    from glasshouse_widgets.labs.base import Lab

MOST = 30
Figures = dict[str, dict[str, Any]]         # by pane


@dataclass(frozen=True)
class State:
    """One stop: ``value`` of the look, and what the lab shows there; ``themed`` holds the figures in both themes' colours."""

    value: Any
    figures: Figures
    themed: Mapping[str, Figures]
    readout: tuple[Reading, ...]
    story: Story
    badge: Guarantee | None


@dataclass(frozen=True)
class Snapshot:
    """``look`` is the field that moves, None for a single state; ``start`` the index of the state that the lab is in."""

    look: KnobField | None
    states: tuple[State, ...]
    start: int
    panes: tuple[Slot, ...]


def snapshot(lab: Lab, look: str = "", states: int = MOST) -> Snapshot:
    """The lab as it is, or at up to ``states`` values of one of its looks. Nothing of the lab moves and nothing is recomputed.

    Raises: BadValue for an unknown look, a number of states that is not from 1 to 30, or before there is a picture.
    """
    if isinstance(states, bool) or not isinstance(states, int) or not 1 <= states <= MOST:
        raise bad_value("states", states, f"a whole number from 1 to {MOST}")
    if look and look not in lab.looks.fields:
        raise unknown("look", look, lab.looks.fields)
    if not lab.figures or lab.sides[0].session is None:
        raise bad_value("export", "nothing", "a result: wait for the first picture")
    field = lab.looks.fields[look] if look else None
    now = lab.looks.values().get(look)
    length = _length(lab) if look == lab.sequence else 0
    if length and now is not None and now < 0:          # the last, counted from the end
        now = length - 1
    values = stops(field, now, states, length) if field is not None else [None]
    found = tuple(one for value in values if (one := _state(lab, look, value)) is not None)
    start = next((i for i, one in enumerate(found) if one.value == now), 0)
    return Snapshot(field, found, start, lab.panes)


def stops(field: KnobField, now: Any, states: int, length: int = 0) -> list[Any]:
    """At most ``states`` values of a look, evenly over its range (half of it, for a share), that of now among them."""
    if field.kind == "choice" or field.kind == "bool":
        every = list(field.choices or (False, True))
        return every if len(every) <= states else [now, *(v for v in every if v != now)][:states]
    low, high = (0, length - 1) if length else (field.low, field.high)
    if low is None or high is None:
        return [now]
    even: set[float]
    if field.kind == "int":
        top = min(high, low + states - 1) if not length else high
        even = {round(low + i * (top - low) / max(states - 1, 1)) for i in range(states)}
    else:
        step = field.knob.step or (high - low) / 100
        end = low + (high - low) / 2
        even = {round(low + max(1, round((end - low) * (i + 1) / states / step)) * step, 10) for i in range(states)}
    nearest = min(even, key=lambda v: abs(v - now))
    return sorted(even - {nearest} | {now})


def _length(lab: Lab) -> int:
    return lab.player.length if lab.player is not None else 0


def _state(lab: Lab, look: str, value: Any) -> State | None:
    """The lab with the look at ``value``, without moving it; None where that cannot be looked at."""
    seen = []
    for side in lab.sides:
        one = painting.shown(lab, side)
        if one is None or side.session is None:
            return None
        if look:
            looks = lab.looks.values() | {look: value}
            one = dataclasses.replace(one, event=side.session.look(**looks), looks={**one.looks, look: value})
        seen.append(one)
    words = painting.words(lab, seen)
    themed = {name: painting.figures(lab, lab.panes, [dataclasses.replace(one, theme=theme) for one in seen]) for name, theme in THEMES.items()}
    return State(value, themed[lab.theme], themed, words["readout"], words["story"], words["badge"])
