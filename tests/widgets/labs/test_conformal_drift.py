"""The lab of drift, on the real core."""

from __future__ import annotations

import time
from collections.abc import Iterator

import numpy as np
import pytest

from glasshouse.schema.events.conformal_drift import Tracked
from glasshouse_widgets import labs
from glasshouse_widgets.labs.conformal_drift import DriftLab
from rested import at_rest


@pytest.fixture
def lab() -> Iterator[DriftLab]:
    with at_rest(DriftLab()) as one:
        yield one


def seen(lab: DriftLab) -> Tracked:
    event = lab.sides[0].event
    assert isinstance(event, Tracked)
    return event


def test_it_is_found_without_a_list() -> None:
    assert DriftLab in labs.found().values()


def test_first_picture_and_promise(lab: DriftLab) -> None:
    assert lab.status == "live"
    assert {"stream", "calibration", "coverage", "view-0"} == set(lab.figures)
    assert lab.badge.kind == "adversarial"
    assert [r.value for r in lab.readout][:2] == [f"{100 * seen(lab).coverage:5.1f}", f"{100 * seen(lab).fixed_coverage:5.1f}"]
    assert len(lab.story.see.split()) <= 80
    assert "imulated" in lab.story.see


def test_the_player_moves_through_time_and_computes_nothing(lab: DriftLab) -> None:
    player, session = lab.player, lab.sides[0].session
    assert player is not None
    assert (player.position, player.length) == (59, 60)
    player.scrub(10)
    assert lab.wait()
    assert (seen(lab).block, seen(lab).now) == (10, 110)
    player.step()
    assert seen(lab).block == 11
    assert np.isnan(lab.figures["coverage"]["data"][1]["y"][120:]).all()
    assert lab.sides[0].session is session
    player.newest()
    assert seen(lab).now == 600


def test_looks_are_quick_and_move_the_methods_own_view(lab: DriftLab) -> None:
    session, slowest = lab.sides[0].session, 0.0
    for alpha in (0.05, 0.1, 0.3):
        begun = time.thread_time()
        lab.set("alpha", alpha)
        assert lab.wait()
        slowest = max(slowest, time.thread_time() - begun)
        assert lab.figures["view-0"]["data"][0]["y"][0] == alpha
    assert lab.sides[0].session is session
    assert slowest < 0.5


def test_a_click_goes_to_that_time(lab: DriftLab) -> None:
    lab.click("stream", {"customdata": None, "x": 255.0, "y": 0.1})
    assert lab.wait()
    assert seen(lab).block == 25
    lab.click("coverage", {"customdata": None, "x": 600.0, "y": 0.9})
    assert seen(lab).block == 59


def test_the_badge_knows_what_weights_can_do(lab: DriftLab) -> None:
    lab.choose(method="conformal.weighted")
    assert lab.wait()
    assert lab.badge.kind == "marginal"
    lab.set("believed", 0.5)
    assert lab.wait()
    assert lab.badge.kind == "heuristic"
    lab.choose_preset("The wrong cure")
    assert lab.wait()
    assert lab.badge.kind == "none"
    assert "cannot see it" in lab.story.see


def test_other_streams_are_drawn_at_the_alpha_looked_at(lab: DriftLab) -> None:
    lab.set("alpha", 0.2)
    lab.act("streams")
    assert lab.wait()
    assert "at alpha 0.20" in lab.figures["coverage"]["layout"]["annotations"][0]["text"]
    assert len(lab.figures["coverage"]["data"]) == 6
    lab.set("gamma", 0.1)
    assert lab.wait()
    assert len(lab.figures["coverage"]["data"]) == 4, "drawn with another step size"


@pytest.mark.parametrize("method", ["conformal.aci", "conformal.weighted"])
def test_every_preset_is_told_in_few_words(lab: DriftLab, method: str) -> None:
    lab.choose(method=method)
    assert lab.wait()
    for preset in lab.presets:
        lab.choose_preset(preset.name)
        assert lab.wait()
        assert lab.message is None
        assert lab.status == "live"
        assert len(lab.story.see.split()) <= 80


def test_compare_shows_both(lab: DriftLab) -> None:
    lab.choose(compare="conformal.weighted")
    assert lab.wait()
    assert {"stream", "stream~b", "calibration~b", "coverage"} <= set(lab.figures)
    assert np.isfinite(lab.figures["coverage"]["data"][3]["y"]).any()
    assert "same stream" in lab.story.see
    assert len(lab.story.see.split()) <= 80
