"""The attack lab on the real core: looks answer at once, attacks arrive one by one, the promise is not oversold."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from glasshouse.schema.events.conformal_robust import RobustSets
from glasshouse_widgets import labs
from glasshouse_widgets.labs.conformal_robust import AttackLab
from rested import at_rest


@pytest.fixture
def lab() -> Iterator[AttackLab]:
    with at_rest(AttackLab(problem="tiny")) as one:
        yield one


def seen(lab: AttackLab, side: int = 0) -> RobustSets:
    event = lab.sides[side].event
    assert isinstance(event, RobustSets)
    return event


def test_it_is_found_without_a_list() -> None:
    assert labs.found()["conformal-robust"] is AttackLab


def test_first_picture_and_promise(lab: AttackLab) -> None:
    assert lab.status == "live"
    assert set(lab.figures) == {"attacked", "survival", "reach", "sizes", "view-0"}
    assert seen(lab).attack == 0.2, "the nearest to 0.25"
    assert lab.badge.kind == "adversarial"
    assert len(lab.readout) == 5
    assert lab.player is None


def test_radius_alpha_and_attack_recompute_nothing(lab: AttackLab) -> None:
    session, sizes = lab.sides[0].session, []
    for radius in (0.0, 0.2, 0.5, 1.0):
        lab.set("radius", radius)
        assert lab.wait()
        sizes.append(seen(lab).mean_size)
    assert sizes == sorted(sizes)
    assert sizes[0] < sizes[-1]
    lab.set("alpha", 0.3)
    assert lab.wait()
    assert seen(lab).mean_size <= sizes[-1]
    lab.set("attack", 0.0)
    assert lab.wait()
    assert seen(lab).attack == 0
    assert lab.sides[0].session is session


def test_an_attack_beyond_the_radius_takes_the_promise_away(lab: AttackLab) -> None:
    lab.update({"radius": 0.25, "attack": 0.2})
    assert lab.wait()
    assert lab.badge.kind == "adversarial"
    lab.update({"radius": 0.05})
    assert lab.wait()
    assert lab.badge.kind == "none"
    assert "0.05" in lab.badge.statement
    assert "nothing is promised" in lab.story.see


def test_plain_rscp_is_called_a_heuristic(lab: AttackLab) -> None:
    lab.set("variant", "rscp")
    assert lab.wait()
    assert lab.badge.kind == "heuristic"
    assert [r.label for r in lab.readout][2] == "claimed"
    assert "not proved" in lab.story.see
    assert "claimed" in lab.figures["survival"]["layout"]["annotations"][0]["text"]


def test_full_sets_say_why(lab: AttackLab) -> None:
    lab.update({"transform": "none", "base": "aps", "radius": 0.5, "n_mc": 16})
    assert lab.wait()
    assert seen(lab).full_because
    assert seen(lab).full_because in lab.story.see
    lab.update({"base": "hps", "n_mc": 256, "radius": 1.0})
    assert lab.wait()
    assert seen(lab).sets.all()
    assert not seen(lab).full_because
    assert "holds every label" in lab.story.see


def test_stories_are_short_for_every_look(lab: AttackLab) -> None:
    for radius, attack in ((0.25, 0.0), (0.25, 0.2), (0.0, 0.2)):
        lab.update({"radius": radius, "attack": attack})
        assert lab.wait()
        assert len(lab.story.see.split()) <= 80


def test_a_click_on_an_image_chooses_it_and_one_on_the_curve_its_attack(lab: AttackLab) -> None:
    lab.click("attacked", {"customdata": 5})
    assert lab.values["image"] == 5
    for other in (-1, None, 2.5):
        lab.click("attacked", {"customdata": other})
    assert lab.values["image"] == 5
    lab.click("survival", {"x": 0.1})
    assert lab.wait()
    assert seen(lab).attack == 0.1


def test_compare_shows_both(lab: AttackLab) -> None:
    lab.choose(compare="conformal.rscp-plus")
    lab.update({"transform": "none"}, side=1)
    assert lab.wait()
    assert {"attacked", "attacked~b", "survival~b", "sizes"} <= set(lab.figures)
    assert "sizes~b" not in lab.figures
    assert len(lab.figures["sizes"]["data"]) == 3
    assert "same images" in lab.story.see
    assert seen(lab, 1).limit != seen(lab).limit


def test_other_splits_are_drawn_where_the_sets_are_made_for(lab: AttackLab) -> None:
    dots = lab.figures["survival"]["data"][5]
    assert dots["y"] == [None]
    lab.act("resplits")
    assert lab.wait()
    dots = lab.figures["survival"]["data"][5]
    assert len(dots["y"]) == 100
    assert abs(sum(dots["x"]) / 100 - 0.25) < 0.02
    lab.set("radius", 0.4)
    assert lab.wait()
    assert len(lab.figures["survival"]["data"][5]["y"]) == 100
    lab.set("n_mc", 64)
    assert lab.wait()
    assert lab.figures["survival"]["data"][5]["y"] == [None], "counted with other copies"
