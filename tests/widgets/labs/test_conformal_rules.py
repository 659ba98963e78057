"""The lab of rules, on the real core."""

from __future__ import annotations

import time
from collections.abc import Iterator

import numpy as np
import pytest

from glasshouse.schema.events.conformal_rules import Attacked, RobustSets
from glasshouse_widgets import labs
from glasshouse_widgets.labs.conformal_rules import RulesLab
from rested import at_rest


@pytest.fixture
def lab() -> Iterator[RulesLab]:
    with at_rest(RulesLab()) as one:
        yield one


def seen(lab: RulesLab) -> RobustSets:
    event = lab.sides[0].event
    assert isinstance(event, RobustSets)
    return event


def test_it_is_found_without_a_list() -> None:
    assert RulesLab in labs.found().values()


def test_first_picture_and_promise(lab: RulesLab) -> None:
    assert lab.status == "live"
    assert {"circuit", "covered", "sizes", "certified", "images", "view-0"} == set(lab.figures)
    assert lab.badge.kind == "adversarial"
    assert [r.value for r in lab.readout][:2] == [f"{100 * seen(lab).coverage:5.1f}", f"{seen(lab).mean_size:5.2f}"]
    assert len(lab.story.see.split()) <= 80


def test_looks_compute_nothing(lab: RulesLab) -> None:
    session, certified, slowest = lab.sides[0].session, [], 0.0
    for radius in (0.0, 0.1, 0.25, 0.5):
        begun = time.thread_time()
        lab.set("radius", radius)
        assert lab.wait()
        slowest = max(slowest, time.thread_time() - begun)
        certified.append(seen(lab).certified_coverage)
    assert lab.sides[0].session is session
    assert certified == sorted(certified, reverse=True)
    assert slowest < 1.0


def test_rules_lower_and_say_so(lab: RulesLab) -> None:
    assert seen(lab).sizes[1] < seen(lab).sizes[0]
    lab.set("weight", 0.0)
    assert lab.wait()
    assert "say nothing" in lab.story.see
    assert seen(lab).sizes[1] == pytest.approx(float(seen(lab).sizes[0]))


@pytest.mark.parametrize(("name", "words"), [("As published", "asked for apart"), ("Sure properties", "smaller with rules"),
                                             ("Guessed properties", "larger with rules"), ("Rules that help", "smaller with rules")])
def test_presets_answer_their_questions(lab: RulesLab, name: str, words: str) -> None:
    lab.choose_preset(name)
    assert lab.wait()
    assert words in lab.story.see
    assert len(lab.story.see.split()) <= 80


def test_clicks_choose_an_image_and_a_radius(lab: RulesLab) -> None:
    lab.click("images", {"customdata": 17})
    assert lab.values["image"] == 17
    lab.click("images", {"customdata": -1})
    lab.click("sizes", {"x": 0.34})
    assert (lab.values["image"], lab.values["radius"]) == (17, 0.35)
    lab.click("circuit", {"x": 3.0})
    assert lab.values["radius"] == 0.35


def test_an_attack_stays_above_the_certificate(lab: RulesLab) -> None:
    lab.act("attack")
    assert lab.wait()
    studied = lab.studies["attack"]
    assert isinstance(studied, Attacked)
    assert studied.done == studied.total
    for alpha in (0.1, 0.3):
        lab.set("alpha", alpha)
        assert lab.wait()
        data = lab.figures["certified"]["data"]
        assert all((np.asarray(data[side]["y"]) <= np.asarray(data[2 + side]["y"])).all() for side in (0, 1))
    lab.set("spoil", 0.5)
    assert lab.wait()
    assert np.isnan(np.asarray(lab.figures["certified"]["data"][2]["y"])).all(), "attacked with other detectors"


def test_the_promise_weakens_with_the_knobs(lab: RulesLab) -> None:
    lab.set("counted", False)
    assert lab.wait()
    assert lab.badge.kind == "heuristic"


def test_compare_shows_both(lab: RulesLab) -> None:
    lab.choose(compare="conformal.colep")
    lab.update({"bound": "decoupled"}, side=1)
    assert lab.wait()
    assert {"circuit", "circuit~b", "sizes~b", "certified~b"} <= set(lab.figures)
    assert "same images" in lab.story.see
