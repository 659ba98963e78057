"""From what a lab has computed to what it shows: panes, figures, numbers, words. Functions of a lab, without effects."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

from glasshouse_widgets.figures import generic
from glasshouse_widgets.figures.palette import THEMES
from glasshouse_widgets.labs.parts import Reading, Shown, Slot, Story
from glasshouse_widgets.labs.side import Side

if TYPE_CHECKING:
    from glasshouse_widgets.labs.base import Lab

VIEW = "view-"          # panes of a method's declared views: view-0, view-1 ...
SECOND = "~b"           # ends the name of a pane of the compared method


def shown(lab: Lab, side: Side) -> Shown | None:
    """What the hooks may look at, or None before the first event."""
    if side.session is None or side.request is None or side.event is None:
        return None
    looks = lab.looks.values() | (lab.dial.values() if lab.dial else {})
    return Shown(side.event, side.request.info, THEMES[lab.theme], tuple(side.session.computed), side.session.done, looks,
                 dict(side.request.values), lab.studies, frozenset(n for n, asked in lab.studied.items() if asked == side.request))


def panes(lab: Lab, seen: Sequence[Shown]) -> tuple[Slot, ...]:
    """Every pane there is: the lab's slots and the methods' views, those that split once per method."""
    found = []
    for slot in lab.slots:
        if slot.stacked and len(seen) > 1:
            slot = dataclasses.replace(slot, height=slot.stacked)
        found.append(slot)
        if slot.split and len(seen) > 1:
            found.append(dataclasses.replace(slot, name=slot.name + SECOND))
    for end, one in zip(("", SECOND), seen, strict=False):
        found += [Slot(f"{VIEW}{i}{end}", view.title, "state", 260, view.note) for i, view in enumerate(one.info.views)]
    return tuple(found)


def figures(lab: Lab, wanted: Iterable[Slot], seen: Sequence[Shown]) -> dict[str, dict[str, Any]]:
    """Fresh figures for the panes ``wanted``."""
    found = {}
    for slot in wanted:
        name, _, second = slot.name.partition("~")
        mine, other = (seen[1], seen[0]) if second else (seen[0], seen[1] if len(seen) > 1 else None)
        if name.startswith(VIEW):
            view = mine.info.views[int(name.removeprefix(VIEW))]
            figure = generic.draw(view, lab.own_state(mine), mine.theme)
        else:
            figure = lab.draw(name, mine, other)
        layout = {"autosize": True, "uirevision": name, "paper_bgcolor": "rgba(0,0,0,0)", "plot_bgcolor": "rgba(0,0,0,0)",
                  **figure["layout"], "height": slot.height}
        found[slot.name] = {"data": figure["data"], "layout": layout}
    return found


def words(lab: Lab, seen: Sequence[Shown]) -> dict[str, Any]:
    """Readout, badge and story."""
    other = seen[1] if len(seen) > 1 else None
    readout: tuple[Reading, ...] = lab.read(seen[0])
    story: Story = lab.explain(seen[0], other)
    if other is not None:
        readout = tuple(dataclasses.replace(a, other=b.value) for a, b in zip(readout, lab.read(other), strict=False))
        story = dataclasses.replace(story, see=f"{story.see} {lab.coupling(seen[0], other)}".strip())
    session = lab.sides[0].session
    badge = lab.promise(seen[0], session.guarantee) if session is not None else None
    return {"readout": readout, "story": story, "badge": badge}
