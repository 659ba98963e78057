"""The second client: no sequence, everything by looks, on the real core."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from glasshouse.schema.events.conformal import Sets
from glasshouse_widgets import labs
from glasshouse_widgets.labs.conformal import ConformalLab
from rested import at_rest


@pytest.fixture
def lab() -> Iterator[ConformalLab]:
    with at_rest(ConformalLab()) as one:
        yield one


def seen(lab: ConformalLab) -> Sets:
    event = lab.sides[0].event
    assert isinstance(event, Sets)
    return event


def test_it_is_found_without_a_list() -> None:
    assert labs.found()["conformal"] is ConformalLab


def test_first_picture_and_promise(lab: ConformalLab) -> None:
    assert lab.status == "live"
    assert {"sets", "scores", "p-values", "coverage", "sizes", "view-0"} == set(lab.figures)
    assert lab.badge.kind == "marginal"
    assert [r.value for r in lab.readout][:2] == [" 90.0", f"{100 * seen(lab).coverage:5.1f}"]
    assert lab.player is None
    assert len(lab.story.see.split()) <= 80


def test_alpha_recomputes_nothing(lab: ConformalLab) -> None:
    session, sizes = lab.sides[0].session, []
    for alpha in (0.05, 0.1, 0.2, 0.4):
        lab.set("alpha", alpha)
        assert lab.wait()
        sizes.append(seen(lab).mean_size)
    assert lab.sides[0].session is session
    assert sizes == sorted(sizes, reverse=True)


def test_noise_computes_anew(lab: ConformalLab) -> None:
    session, size = lab.sides[0].session, seen(lab).mean_size
    lab.set("noise", 1.0)
    assert lab.wait()
    assert lab.sides[0].session is not session
    assert seen(lab).mean_size > size


def test_a_click_on_an_image_chooses_it_and_one_on_the_scores_moves_alpha(lab: ConformalLab) -> None:
    lab.click("sets", {"customdata": 5})
    assert lab.values["image"] == 5
    lab.click("sets", {"customdata": -1})
    lab.click("sets", {"customdata": None})
    assert lab.values["image"] == 5
    for alpha in (0.08, 0.3):
        lab.set("alpha", alpha)
        at = seen(lab).threshold
        lab.set("alpha", 0.5)
        lab.click("scores", {"x": at})
        assert lab.values["alpha"] == pytest.approx(alpha, abs=0.011)


def test_an_image_that_is_not_there_is_told_beside_its_knob(lab: ConformalLab) -> None:
    lab.set("image", 5000)
    assert lab.message is not None
    assert lab.message.knob == "image"
    assert seen(lab).image == 0


def test_splits_are_counted_and_kept_while_alpha_moves(lab: ConformalLab) -> None:
    lab.act("resplits")
    assert lab.wait()
    assert lab.studies["resplits"].done == 100
    for alpha in (0.1, 0.3):
        lab.set("alpha", alpha)
        assert lab.wait()
        assert lab.figures["coverage"]["data"][0]["type"] == "bar"
    lab.set("calibration_size", 100)
    assert lab.wait()
    assert lab.figures["coverage"]["data"][0]["type"] != "bar", "counted at another size"


def test_a_promise_that_needs_more_points_says_why(lab: ConformalLab) -> None:
    lab.choose_preset("Nine points")
    assert lab.wait()
    assert seen(lab).full_because in lab.story.see
    assert seen(lab).full_because


def test_compare_shows_both(lab: ConformalLab) -> None:
    lab.choose(compare="conformal.lac")
    lab.update({"temperature": 4.0}, side=1)
    assert lab.wait()
    assert {"sets", "sets~b", "sizes"} <= set(lab.figures)
    assert "sizes~b" not in lab.figures
    assert len(lab.figures["sizes"]["data"]) == 2
    assert "same images" in lab.story.see


def test_other_splits_are_shown_only_where_they_were_drawn(lab: ConformalLab) -> None:
    """A hundred splits of another noise, score or split say nothing about this one."""
    lab.act("resplits")
    assert lab.wait()
    assert lab.figures["coverage"]["data"][0]["type"] == "bar"
    lab.set("alpha", 0.2)
    assert lab.wait()
    assert lab.figures["coverage"]["data"][0]["type"] == "bar"
    lab.set("noise", 1.0)
    assert lab.wait()
    assert lab.figures["coverage"]["data"][0]["type"] == "scatter"
