"""Which controls a lab offers, by the question they answer, and what its methods are called."""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Iterable
from typing import TYPE_CHECKING

from glasshouse.schema.knob import KnobField, knobs_of
from glasshouse_widgets.labs.knobs import Holder
from glasshouse_widgets.labs.parts import Control, Group

if TYPE_CHECKING:
    from glasshouse.catalogue import MethodInfo
    from glasshouse_widgets.labs.choices import Choices


def groups(lab: Choices) -> tuple[Group, ...]:
    """The problem's and the method's knobs, the compared method's, then the looks and the lab's own dials."""
    mine = [*_grouped(lab, "problem", lab.setting, 0), *_grouped(lab, "method", lab.sides[0].knobs, 0)]
    others = [dataclasses.replace(group, title=f"{lab.named(1)}: {group.title}")
              for side in lab.sides[1:] for group in _grouped(lab, "method", side.knobs, 1)]
    looks = [dataclasses.replace(group, looks=True) for holder in (lab.looks, lab.dial) if holder is not None
             for group in _grouped(lab, "where you look", holder, 0)]
    return (*mine, *others, *looks)


def _grouped(lab: Choices, title: str, holder: Holder, side: int) -> Iterable[Group]:
    found: dict[str, list[Control]] = {}
    for field in (offered(field, lab.own, lab.models) for field in holder.fields.values()):
        if field is not None and not (holder is lab.looks and field.name == lab.sequence):
            found.setdefault(field.knob.group or title, []).append(Control(field, holder.box, side))
    for name, controls in found.items():
        yield Group(name, tuple(c for c in controls if not c.field.knob.more), tuple(c for c in controls if c.field.knob.more))


def offered(field: KnobField, own: bool, models: tuple[str, ...]) -> KnobField | None:
    """The field as it may be moved here: where own text is off, a model is chosen from a list and other text not at all."""
    if field.kind != "text" or own:
        return field
    if field.knob.unit == "model" and models:
        return dataclasses.replace(field, kind="choice", choices=(field.default, *models))
    return None


def needs_a_file(problem: type) -> bool:
    """Whether the problem is a file of a person's own."""
    return any(field.knob.unit == "file" for field in knobs_of(problem))


def short_name(info: MethodInfo) -> str:
    """The class's name, with blanks where the id has hyphens (``TokenRecycling``: Token Recycling, ``DySpec``)."""
    parts = info.id.partition(".")[2].split("-")
    if info.name.lower() != "".join(parts):
        return " ".join(parts).capitalize()
    ends = list(itertools.accumulate(map(len, parts)))
    return " ".join(info.name[start:end] for start, end in zip([0, *ends], ends, strict=False))
