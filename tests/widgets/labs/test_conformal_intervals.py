"""The lab of prediction intervals on the real core: everything by looks, every method live."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from glasshouse.schema.events.conformal_intervals import Intervals
from glasshouse_widgets import labs
from glasshouse_widgets.labs.conformal_intervals import IntervalLab
from rested import at_rest

METHODS = ("split", "cqr", "jackknife-plus", "cv-plus", "full")


@pytest.fixture
def lab() -> Iterator[IntervalLab]:
    with at_rest(IntervalLab()) as one:
        yield one


def seen(lab: IntervalLab, side: int = 0) -> Intervals:
    event = lab.sides[side].event
    assert isinstance(event, Intervals)
    return event


def test_it_is_found_and_has_the_room_s_methods() -> None:
    assert IntervalLab in labs.found().values()
    assert {f"conformal.{name}" for name in METHODS} == set(IntervalLab().infos)


def test_first_picture_and_promise(lab: IntervalLab) -> None:
    assert lab.status == "live"
    assert {"band", "coverage", "widths", "scores", "plausible", "view-0"} == set(lab.figures)
    assert lab.badge.kind == "marginal"
    assert [r.value for r in lab.readout][:2] == [" 90.0", f"{100 * seen(lab).coverage:5.1f}"]
    assert 3 <= len(lab.readout) <= 5
    assert lab.player is None


@pytest.mark.parametrize("name", METHODS)
@pytest.mark.parametrize("problem", ["curve", "patients", "tiny"])
def test_every_method_tells_its_story(name: str, problem: str) -> None:
    lab = IntervalLab(method=f"conformal.{name}", problem=problem, compare="conformal.jackknife-plus")
    assert lab.wait()
    assert lab.status == "live"
    for alpha in (0.1, 0.9):
        lab.set("alpha", alpha)
        assert lab.wait()
        assert len(lab.story.see.split()) <= 80
        assert lab.story.attempt
        assert "{" not in lab.story.see
    lab.close()


def test_alpha_recomputes_nothing(lab: IntervalLab) -> None:
    session, widths = lab.sides[0].session, []
    for alpha in (0.05, 0.1, 0.2, 0.4):
        lab.set("alpha", alpha)
        assert lab.wait()
        widths.append(seen(lab).mean_width)
    assert lab.sides[0].session is session
    assert widths == sorted(widths, reverse=True)


def test_clicks_choose_a_point_and_an_alpha(lab: IntervalLab) -> None:
    lab.click("band", {"customdata": 17})
    assert lab.values["point"] == 17
    lab.click("band", {"customdata": None})
    assert lab.values["point"] == 17
    for alpha in (0.08, 0.3):
        lab.set("alpha", alpha)
        at = seen(lab).threshold
        lab.set("alpha", 0.5)
        lab.click("scores", {"x": at})
        assert lab.values["alpha"] == pytest.approx(alpha, abs=0.02)
    lab.choose(method="conformal.full")
    assert lab.wait()
    lab.click("scores", {"x": 0.1})
    assert lab.values["alpha"] == pytest.approx(alpha, abs=0.02)


def test_too_few_points_are_told(lab: IntervalLab) -> None:
    lab.update({"labelled": 20, "alpha": 0.05})
    assert lab.wait()
    assert seen(lab).infinite_because in lab.story.see
    assert "19 are needed" in lab.story.see
    assert lab.readout[3].value.strip() == "∞"


def test_a_point_that_is_not_there_is_told_beside_its_knob(lab: IntervalLab) -> None:
    lab.set("point", 5000)
    assert lab.message is not None
    assert lab.message.knob == "point"


def test_compare_shows_both(lab: IntervalLab) -> None:
    lab.choose(compare="conformal.cqr")
    assert lab.wait()
    assert {"band", "band~b", "coverage~b", "widths"} <= set(lab.figures)
    assert "widths~b" not in lab.figures
    assert len(lab.figures["widths"]["data"][1]["x"]) > 1
    assert (seen(lab).learnt.y == seen(lab, 1).learnt.y).all()
    assert "same labelled points" in lab.story.see


def test_other_samples_are_shown_only_where_they_were_drawn(lab: IntervalLab) -> None:
    lab.act("redraws")
    assert lab.wait()
    assert lab.studies["redraws"].done == 100
    assert lab.figures["coverage"]["data"][0]["y"].max() > 0
    lab.set("alpha", 0.3)
    assert lab.wait()
    assert lab.figures["coverage"]["data"][0]["y"].max() > 0
    lab.set("uneven", 0.2)
    assert lab.wait()
    assert lab.figures["coverage"]["data"][0]["y"].max() == 0


def test_its_link_opens_the_same(lab: IntervalLab) -> None:
    lab.choose(method="conformal.cqr")
    lab.update({"alpha": 0.25, "labelled": 90})
    assert lab.wait()
    again = IntervalLab.from_state(lab.state())
    assert again.wait()
    assert seen(again).coverage == seen(lab).coverage
    assert seen(again).mean_width == seen(lab).mean_width
    again.close()
