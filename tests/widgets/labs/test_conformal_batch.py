"""The lab of batches, on the real core."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest

from glasshouse.schema.events.conformal_batch import Claim, Redraws
from glasshouse_widgets import labs
from glasshouse_widgets.labs.conformal_batch import BatchLab
from rested import at_rest


@pytest.fixture
def lab() -> Iterator[BatchLab]:
    with at_rest(BatchLab()) as one:
        yield one


def seen(lab: BatchLab) -> Claim:
    event = lab.sides[0].event
    assert isinstance(event, Claim)
    return event


def test_it_is_found_without_a_list() -> None:
    assert BatchLab in labs.found().values()


def test_first_picture_and_promise(lab: BatchLab) -> None:
    assert lab.status == "live"
    assert {"ranks", "held", "alpha", "points", "view-0"} == set(lab.figures)
    assert lab.badge.kind == "marginal"
    assert "batch of 20" in lab.badge.statement
    assert [r.value for r in lab.readout][:3] == [" 90.0", " 91.0", f"{seen(lab).bound:5.3f}"]


@pytest.mark.parametrize("statement", ["most", "quantile", "interval", "select", "mean"])
def test_every_claim_is_told_in_few_words(lab: BatchLab, statement: str) -> None:
    lab.set("statement", statement)
    assert lab.wait()
    assert seen(lab).batched.statement == statement
    for size in (2, 100):
        lab.set("calibration_size", size)
        assert lab.wait()
        assert len(lab.story.see.split()) <= 80
        assert lab.story.attempt
        assert 3 <= len(lab.readout) <= 5


def test_looks_compute_nothing_and_are_quick(lab: BatchLab) -> None:
    session, bounds, slowest = lab.sides[0].session, [], 0.0
    for alpha in (0.05, 0.1, 0.2, 0.4):
        begun = time.thread_time()
        lab.set("alpha", alpha)
        assert lab.wait()
        slowest = max(slowest, time.thread_time() - begun)
        bounds.append(seen(lab).bound)
    assert lab.sides[0].session is session
    assert bounds == sorted(bounds, reverse=True)
    assert slowest < 1.0


def test_clicks(lab: BatchLab) -> None:
    lab.click("held", {"customdata": 7})
    assert lab.values["batch"] == 7
    lab.click("held", {"customdata": None})
    lab.click("alpha", {"x": 0.2549})
    assert (lab.values["batch"], lab.values["alpha"]) == (7, 0.25)
    lab.click("ranks", {"x": 3.0, "customdata": 3})
    assert lab.values["batch"] == 7


def test_redraws_are_shown_only_where_they_were_drawn(lab: BatchLab) -> None:
    lab.act("redraws")
    assert lab.wait()
    studied = lab.studies["redraws"]
    assert isinstance(studied, Redraws)
    assert studied.done == 300
    assert lab.figures["held"]["data"][-1]["x"][0] == pytest.approx(seen(lab).chance, abs=0.07)
    lab.set("alpha", 0.3)
    assert lab.wait()
    assert lab.figures["held"]["data"][-1]["x"][0] == pytest.approx(seen(lab).chance, abs=0.11)
    lab.set("batch_size", 5)
    assert lab.wait()
    assert lab.figures["held"]["data"][-1]["x"] == [None]


def test_what_cannot_be_promised_is_said(lab: BatchLab) -> None:
    lab.choose_preset("All of them")
    assert lab.wait()
    assert not seen(lab).informative
    assert "cannot be promised" in lab.story.see


def test_a_batch_that_is_not_there_is_told_beside_its_knob(lab: BatchLab) -> None:
    lab.set("batch", 500)
    assert lab.message is not None
    assert lab.message.knob == "batch"


def test_compare_shows_both(lab: BatchLab) -> None:
    lab.choose(compare="conformal.batch-pi")
    lab.update({"statement": "mean"}, side=1)
    assert lab.wait()
    assert {"ranks", "ranks~b", "held~b", "alpha"} <= set(lab.figures)
    assert "same points" in lab.story.see
