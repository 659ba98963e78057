"""The lab of what a model knows, on the real core."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from glasshouse.schema.events.conformal_knowing import Known
from glasshouse_widgets import labs
from glasshouse_widgets.figures.conformal.knowing import DOING
from glasshouse_widgets.labs.conformal_knowing import KnowingLab

SHORT = {"problem": "tiny", "memorise": 6, "epochs": 4}
PAIRS = {"method": "conformal.dont-cheat", "problem": "tiny", "passes": 8}


def ready(**choices: object) -> KnowingLab:
    one = KnowingLab(**choices)
    assert one.wait()
    return one


@pytest.fixture
def lab() -> Iterator[KnowingLab]:
    one = ready(**SHORT)
    yield one
    one.close()


@pytest.fixture
def pairs() -> Iterator[KnowingLab]:
    one = ready(**PAIRS)
    yield one
    one.close()


def seen(lab: KnowingLab, side: int = 0) -> Known:
    event = lab.sides[side].event
    assert isinstance(event, Known)
    return event


def test_it_is_found_without_a_list() -> None:
    assert labs.found()["conformal-knowing"] is KnowingLab


def test_it_rests_on_the_kept_model(lab: KnowingLab) -> None:
    assert lab.status == "live"
    assert set(lab.figures) == {"truth", "came-true", "curves", "tell", "view-0"}
    assert seen(lab).state.phase == "kept"
    assert seen(lab).epochs == 12
    assert lab.badge.kind == "heuristic"
    assert [r.label for r in lab.readout] == ["typically off by", "Brier score", "ECE"]
    assert float(lab.readout[0].value) == pytest.approx(100 * seen(lab).state.error**0.5, abs=0.06)
    assert len(lab.story.see.split()) <= 80


def test_the_player_moves_through_the_training(lab: KnowingLab) -> None:
    assert lab.player is not None
    session, told = lab.sides[0].session, set()
    for position, phase in ((0, "untrained"), (6, "learning"), (7, "soft targets"), (8, "outcomes"), (11, "kept")):
        lab.player.scrub(position)
        assert lab.wait()
        assert seen(lab).state.phase == phase
        assert lab.player.position == position
        assert DOING[phase] in lab.figures["truth"]["layout"]["annotations"][0]["text"]
        assert len(lab.story.see.split()) <= 80
        told.add(lab.story.see)
    assert lab.sides[0].session is session
    assert len(told) == 5


def test_clicks_choose_an_input_and_an_epoch(lab: KnowingLab) -> None:
    lab.click("truth", {"customdata": 17})
    assert seen(lab).point == 17
    lab.click("truth", {"customdata": None})
    assert seen(lab).point == 17
    lab.click("curves", {"x": 3.2})
    assert seen(lab).index == 3
    lab.click("tell", {"customdata": 5})
    assert seen(lab).index == 5


def test_pairs_say_how_far_off_they_are(pairs: KnowingLab) -> None:
    now = seen(pairs)
    assert [r.label for r in pairs.readout][3:] == ["says it is off by", "truth in its interval"]
    assert float(pairs.readout[3].value) == pytest.approx(100 * now.state.claimed**0.5, abs=0.06)
    assert f"{100 * now.state.claimed**0.5:.0f} points off" in pairs.story.see
    assert len(pairs.story.see.split()) <= 80
    wide = now.inside
    pairs.set("beta", 0.9)
    assert seen(pairs).inside < wide


def test_the_heat_map_is_that_of_the_chosen_input(pairs: KnowingLab) -> None:
    shown = []
    for point in (0, 5):
        pairs.set("point", point)
        assert pairs.wait()
        z = pairs.figures["view-0"]["data"][0]["z"]
        assert z == pytest.approx(seen(pairs).state.cheat[point] - seen(pairs).state.mu[point])
        shown.append(z.tolist())
    assert shown[0] != shown[1]


def test_a_promise_that_the_simulation_refutes_is_taken_back(pairs: KnowingLab) -> None:
    for beta in (0.02, 0.5, 0.98):
        pairs.set("beta", beta)
        assert pairs.wait()
        broken = seen(pairs).inside < 1 - beta
        assert ("it is not" in pairs.badge.statement) == broken
        assert pairs.badge.kind == "heuristic"


def test_what_is_not_there_is_told_beside_its_knob(lab: KnowingLab) -> None:
    lab.set("answer", 3)
    assert lab.message is not None
    assert lab.message.knob == "answer"
    assert seen(lab).answer == 0
    lab.update({"answer": 1})
    assert lab.message is None
    assert seen(lab).answer == 1


def test_counts_where_no_input_repeats_are_refused_beside_their_knob(pairs: KnowingLab) -> None:
    pairs.set("model", "counts")
    assert pairs.wait()
    assert pairs.message is not None
    assert pairs.message.knob == "model"


def test_compare_shows_both() -> None:
    lab = ready(**SHORT, compare="conformal.dont-cheat")
    assert {"truth", "truth~b", "came-true~b", "tell~b", "view-0~b"} <= set(lab.figures)
    assert "curves~b" not in lab.figures
    assert lab.figures["curves"]["data"][4]["y"], "the second method's error"
    assert [r.label for r in lab.readout] == ["typically off by", "Brier score", "ECE"]
    assert all(r.other for r in lab.readout)
    assert "same inputs" in lab.story.see
    assert lab.player is not None
    lab.set("passes", 2, side=1)
    assert lab.wait()
    lab.player.scrub(8)
    assert lab.message is None
    assert (seen(lab).index, seen(lab, 1).index) == (8, 3), "the shorter training stays at its end"
    lab.close()


def test_every_problem_has_a_picture() -> None:
    for problem in ("digits", "tables"):
        for method, few in (("conformal.deep-probability", {"memorise": 2, "epochs": 1}), ("conformal.dont-cheat", {"passes": 2})):
            lab = ready(method=method, problem=problem, **few)
            assert lab.status == "live"
            assert lab.message is None
            lab.close()
