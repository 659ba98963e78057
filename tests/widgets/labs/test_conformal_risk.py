"""The lab of risk control, on the real core."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest

from glasshouse.schema.events.conformal_risk import Chosen
from glasshouse_widgets import labs
from glasshouse_widgets.labs.conformal_risk import RiskLab
from rested import at_rest


@pytest.fixture
def lab() -> Iterator[RiskLab]:
    with at_rest(RiskLab()) as one:
        yield one


def seen(lab: RiskLab) -> Chosen:
    event = lab.sides[0].event
    assert isinstance(event, Chosen)
    return event


def test_it_is_found_without_a_list() -> None:
    assert RiskLab in labs.found().values()


def test_first_picture_and_promise(lab: RiskLab) -> None:
    assert lab.status == "live"
    assert {"pages", "samples", "risk", "evidence", "page", "view-0"} == set(lab.figures)
    assert lab.badge.kind == "risk"
    assert [r.value for r in lab.readout] == [f"{seen(lab).risk:5.3f}", f"{seen(lab).calibration_risk:5.3f}", f"{seen(lab).lambda_hat:5.3f}",
                                              f"{seen(lab).mean_size:5.2f}"]
    assert len(lab.story.see.split()) <= 80
    assert lab.player is None


def test_looks_compute_nothing_and_are_quick(lab: RiskLab) -> None:
    session, sizes, slowest = lab.sides[0].session, [], 0.0
    for alpha in (0.05, 0.1, 0.2, 0.4):
        begun = time.thread_time()
        lab.set("alpha", alpha)
        assert lab.wait()
        slowest = max(slowest, time.thread_time() - begun)
        sizes.append(seen(lab).mean_size)
    assert lab.sides[0].session is session
    assert sizes == sorted(sizes, reverse=True)
    assert slowest < 0.5


def test_a_loss_of_all_or_nothing_asks_for_larger_sets(lab: RiskLab) -> None:
    session, size = lab.sides[0].session, seen(lab).mean_size
    lab.set("loss", "missed-any")
    assert lab.wait()
    assert lab.sides[0].session is not session
    assert seen(lab).mean_size > size


def test_clicks_choose_a_page_and_move_alpha(lab: RiskLab) -> None:
    lab.click("pages", {"customdata": 7, "x": 1, "y": 1})
    lab.click("risk", {"customdata": None, "x": 0.5, "y": 0.331})
    assert lab.wait()
    assert (seen(lab).page, seen(lab).alpha) == (7, 0.33)
    lab.click("pages", {"customdata": -1, "x": 1, "y": 1})
    assert seen(lab).page == 7


def test_nothing_certified_is_said_and_promised_nothing(lab: RiskLab) -> None:
    lab.choose(method="conformal.ltt")
    assert lab.wait()
    assert (lab.badge.kind, lab.badge.level) == ("PAC", 0.9)
    lab.choose_preset("Too few pages")
    assert lab.wait()
    assert not seen(lab).certified
    assert lab.badge.kind == "none"
    assert seen(lab).why_not in lab.story.see
    assert lab.readout[2].value.strip() == "none"


def test_other_samples_are_counted_and_kept_while_alpha_moves(lab: RiskLab) -> None:
    lab.act("resamples")
    assert lab.wait()
    for alpha in (0.1, 0.25):
        lab.set("alpha", alpha)
        assert lab.wait()
        assert "100 samples" in lab.figures["samples"]["layout"]["annotations"][0]["text"]
    lab.set("calibration_size", 100)
    assert lab.wait()
    assert "samples:" not in lab.figures["samples"]["layout"]["annotations"][0]["text"]


def test_compare_shows_both(lab: RiskLab) -> None:
    lab.choose(compare="conformal.ltt")
    assert lab.wait()
    assert {"pages", "pages~b", "evidence~b", "risk"} <= set(lab.figures)
    assert "risk~b" not in lab.figures
    assert len(lab.figures["risk"]["data"]) == 5
    assert "same pages" in lab.story.see
    assert len(lab.story.see.split()) <= 80


@pytest.mark.parametrize("method", ["conformal.crc", "conformal.ltt"])
def test_every_preset_is_told_in_few_words(lab: RiskLab, method: str) -> None:
    lab.choose(method=method)
    assert lab.wait()
    for preset in lab.presets:
        lab.choose_preset(preset.name)
        assert lab.wait()
        assert lab.message is None
        assert lab.status == "live"
        assert len(lab.story.see.split()) <= 80
