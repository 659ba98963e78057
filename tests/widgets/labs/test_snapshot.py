"""A lab taken as data: what it shows now, and at every stop of one look, without moving it."""

from __future__ import annotations

from typing import Any

import pytest

from fake_lab import FakeCore, FakeLab
from glasshouse.schema.errors import BadValue
from glasshouse_widgets.labs.snapshot import MOST, snapshot, stops
from glasshouse_widgets.renderers.arrays import to_json


@pytest.fixture
def lab() -> Any:
    made = FakeLab(core=FakeCore(), steps=20)
    assert made.wait()
    yield made
    made.close()


def test_one_state_is_what_the_lab_shows(lab: Any) -> None:
    taken = snapshot(lab)
    assert (taken.look, len(taken.states), taken.start) == (None, 1, 0)
    assert taken.states[0].figures.keys() == lab.figures.keys()
    for name, figure in taken.states[0].figures.items():
        assert to_json(figure) == to_json(lab.figures[name])
    assert (taken.states[0].readout, taken.states[0].story, taken.states[0].badge) == (lab.readout, lab.story, lab.badge)
    assert taken.panes == lab.panes


def test_a_look_moves_in_the_snapshot_and_not_in_the_lab(lab: Any) -> None:
    lab.set("round", 7)
    before, figures = lab.values, lab.figures
    taken = snapshot(lab, "round", 10)
    assert [s.value for s in taken.states] == sorted({s.value for s in taken.states})
    assert len(taken.states) == 10
    assert taken.states[taken.start].value == 7
    assert lab.values == before
    assert lab.figures is figures
    stage = next(slot.name for slot in lab.slots if slot.place == "stage")
    for state in taken.states:          # each as the lab itself shows it there
        lab.set("round", state.value)
        assert lab.wait()
        assert lab.figures[stage]["layout"]["title"] == state.figures[stage]["layout"]["title"]
        assert lab.readout == state.readout


@pytest.mark.parametrize("states", [0, MOST + 1, True, 1.5])
def test_a_wrong_number_of_states_is_refused(lab: Any, states: Any) -> None:
    with pytest.raises(BadValue, match="states"):
        snapshot(lab, "round", states)


def test_an_unknown_look_and_an_empty_lab_are_refused(lab: Any) -> None:
    with pytest.raises(BadValue, match="look"):
        snapshot(lab, "indx")
    empty = FakeLab(core=FakeCore())
    with pytest.raises(BadValue, match="wait for the first picture"):
        snapshot(empty)
    empty.close()


def test_stops_of_a_share_lie_on_its_steps_within_its_bounds() -> None:
    from glasshouse.families.conformal.interface import Look
    from glasshouse.schema.knob import knobs_of

    alpha = next(f for f in knobs_of(Look) if f.name == "alpha")
    found = stops(alpha, 0.1, 30)
    assert len(found) == 30
    assert found == sorted(set(found))
    assert 0.1 in found
    assert all(0 < a <= 0.5 and round(a * 100, 8) == round(a * 100) for a in found)
    assert stops(alpha, 0.93, 5)[-1] == 0.93
