"""The decision lab without a screen: looks recompute nothing, the player walks, promises stand where they hold."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from glasshouse.schema.events.conformal_decisions import Cascaded, Walked
from glasshouse_widgets import labs
from glasshouse_widgets.labs.conformal_decisions import DecisionLab
from rested import at_rest

POLICY = "conformal.conformal-abstention"


@pytest.fixture
def lab() -> Iterator[DecisionLab]:
    with at_rest(DecisionLab(method="conformal.window-exit")) as one:
        yield one


@pytest.fixture
def policy() -> Iterator[DecisionLab]:
    with at_rest(DecisionLab(method=POLICY, steps=40)) as one:
        yield one


def cascade(lab: DecisionLab) -> Cascaded:
    event = lab.sides[0].event
    assert isinstance(event, Cascaded)
    return event


def path(lab: DecisionLab) -> Walked:
    event = lab.sides[0].event
    assert isinstance(event, Walked)
    return event


def names(lab: DecisionLab) -> set[str]:
    return {c.name for g in lab.controls() for c in (*g.controls, *g.folded)}


def test_it_is_found_without_a_list() -> None:
    assert DecisionLab in labs.found().values()


def test_it_opens_on_the_simplest_question() -> None:
    one = DecisionLab()
    assert one.wait()
    assert one.method == "conformal.sgr"
    assert [r.label for r in one.readout] == ["answered", "wrong answers", "limit", "certified", "tests"]
    assert one.badge.kind == "PAC"
    one.close()


def test_the_first_picture_says_what_is_traded(lab: DecisionLab) -> None:
    assert lab.status == "live"
    assert {"plane", "image", "strip", "view-0"} == set(lab.figures)
    assert lab.badge.kind == "heuristic"
    assert [r.label for r in lab.readout][:2] == ["answered", "wrong answers"]
    assert len(lab.story.see.split()) <= 80
    assert lab.story.attempt


def test_looks_recompute_nothing(lab: DecisionLab) -> None:
    session, costs = lab.sides[0].session, []
    for half_width in (0.0, 0.1, 0.3, 1.0):
        lab.set("half_width", half_width)
        assert lab.wait()
        costs.append(cascade(lab).cost)
    assert lab.sides[0].session is session
    assert costs == sorted(costs)
    assert (costs[0], costs[-1]) == (1, 4)


def test_only_looks_that_do_something_are_offered(lab: DecisionLab, policy: DecisionLab) -> None:
    assert {"coverage", "half_width", "image"} <= names(lab)
    assert "image" in names(policy)
    assert not {"coverage", "half_width", "further_looks"} & names(policy)
    assert "further_looks" in names(lab)
    assert "step" not in names(lab) | names(policy), "the player moves it"
    policy.choose(compare="conformal.window-exit")
    assert {"coverage", "half_width"} <= names(policy)


def test_playing_widens_the_window(lab: DecisionLab) -> None:
    assert lab.player is not None
    assert (lab.player.position, lab.player.length) == (2, 21)
    lab.player.step()
    assert lab.wait()
    assert cascade(lab).half_width == pytest.approx(0.15)
    lab.player.newest()
    assert lab.wait()
    assert cascade(lab).half_width == 1.0


def test_playing_walks_the_learned_path(policy: DecisionLab) -> None:
    assert policy.player is not None
    assert (policy.player.position, policy.player.length) == (10, 11)
    policy.player.scrub(0)
    assert policy.wait()
    assert path(policy).now.step == 0
    assert "authors start" in policy.story.see
    policy.player.step()
    assert policy.wait()
    assert path(policy).now.step == 4
    assert len(policy.story.see.split()) <= 80


def test_clicks_choose_an_image_a_share_and_a_width(lab: DecisionLab) -> None:
    lab.click("strip", {"customdata": 7})
    assert lab.values["image"] == 7
    lab.click("strip", {"customdata": -1})
    assert lab.values["image"] == 7
    lab.click("plane", {"curve": 2, "x": 40.3, "y": 5.0})
    assert lab.values["coverage"] == pytest.approx(0.4)
    lab.click("plane", {"curve": 6, "x": 2.0, "y": 5.0, "customdata": 25.0})
    assert lab.values["half_width"] == pytest.approx(0.25)


def test_a_certificate_stands_at_the_end_of_the_path_alone(policy: DecisionLab) -> None:
    assert policy.badge.kind == "heuristic"
    policy.set("protocol", "certified")
    assert policy.wait()
    assert policy.badge.kind == "PAC"
    assert policy.badge.level == 0.9
    assert policy.player is not None
    policy.player.scrub(3)
    assert policy.wait()
    assert policy.badge.kind == "heuristic"
    assert "end of the path" in policy.badge.statement


def test_a_limit_is_tested_step_by_step_and_keeps_its_promise() -> None:
    lab = DecisionLab(method="conformal.sgr")
    assert lab.wait()
    assert lab.badge.kind == "PAC"
    assert {"limit", "image"} <= names(lab)
    assert not {"coverage", "half_width", "step"} & names(lab)
    session = lab.sides[0].session
    shares = []
    for limit in (0.01, 0.1, 0.2):
        lab.set("limit", limit)
        assert lab.wait()
        assert len(lab.story.see.split()) <= 80
        shares.append(lab.sides[0].event.coverage)  # type: ignore[union-attr]
    assert lab.sides[0].session is session
    assert shares == sorted(shares)
    assert shares[0] == 0
    assert lab.player is not None
    lab.player.scrub(0)
    assert lab.wait()
    assert (lab.player.position, lab.player.length) == (0, 10)
    lab.click("plane", {"curve": 6, "x": 12.0, "y": 3.0})
    assert lab.values["limit"] == pytest.approx(0.12)
    lab.close()


def test_every_preset_opens(policy: DecisionLab) -> None:
    for preset in (p for p in policy.presets if p.name in ("Hard rules", "Certified")):
        policy.choose_preset(preset.name)
        assert policy.wait()
        assert policy.status == "live"
        assert policy.message is None


def test_cascade_presets_answer_their_question(lab: DecisionLab) -> None:
    for preset in lab.presets:
        lab.choose_preset(preset.name)
        assert lab.wait()
        assert lab.message is None
    assert "risk is met" in lab.story.see


def test_an_image_that_is_not_there_is_told_beside_its_knob(lab: DecisionLab) -> None:
    lab.set("image", 5000)
    assert lab.message is not None
    assert lab.message.knob == "image"


def test_two_windows_stand_below_each_other(lab: DecisionLab) -> None:
    lab.choose(compare="conformal.window-exit")
    lab.update({"doubt": "entropy"}, side=1)
    assert lab.wait()
    assert {"plane", "plane~b", "image~b", "strip"} <= set(lab.figures)
    assert "strip~b" not in lab.figures
    assert "same dice" in lab.story.see
    assert all(r.other for r in lab.readout)


def test_of_two_kinds_only_what_they_share_is_compared(policy: DecisionLab) -> None:
    assert len(policy.readout) == 5
    policy.choose(compare="conformal.window-exit")
    assert policy.wait()
    assert [r.label for r in policy.readout] == ["answered", "wrong answers", "surest first"]
    assert all(r.other for r in policy.readout)
    policy.choose(compare="")
    assert policy.wait()
    assert len(policy.readout) == 5


def test_the_published_count_is_told_where_it_is_used(policy: DecisionLab) -> None:
    assert "silence counts as right" not in policy.story.see
    policy.set("protocol", "as published")
    assert policy.wait()
    assert f"silence counts as right: {100 * path(policy).published_accuracy:.0f} %" in policy.story.see
    assert len(policy.story.see.split()) <= 80


def test_a_state_opens_as_it_was(lab: DecisionLab) -> None:
    lab.update({"coverage": 0.45, "half_width": 0.2, "image": 12})
    again = DecisionLab.from_state(lab.state())
    assert again.wait()
    assert again.figures["plane"]["data"][0]["x"] is not None
    assert again.values["coverage"] == 0.45
    assert again.state() == lab.state()
    again.close()


def test_a_place_in_a_longer_run_is_left_with_it(policy: DecisionLab) -> None:
    last = policy.span(policy._seen[0])[1] - 1
    policy.set("step", last)
    assert policy.message is None
    policy.choose(method="conformal.sgr")
    assert policy.wait()
    assert (policy.message, policy.status) == (None, "live")
    assert policy.looks.values()["step"] < policy.span(policy._seen[0])[1]
    policy.set("step", 9999)                    # asked for by hand, it is told
    assert policy.message is not None
    assert policy.message.knob == "step"
