"""The lab of certified training, on the real core: a run that is played, and looks that recompute nothing."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from glasshouse.schema.events.certification import Checkpoint, Inspected
from glasshouse_widgets import labs
from glasshouse_widgets.labs.certification import OUTCOME, CertificationLab
from rested import at_rest


@pytest.fixture(scope="module")
def lab() -> Iterator[CertificationLab]:
    """On the tiny problem, at the end of its training."""
    with at_rest(CertificationLab(problem="tiny")) as one:
        yield one


def seen(lab: CertificationLab) -> Inspected:
    event = lab.sides[0].event
    assert isinstance(event, Inspected)
    return event


def test_it_is_found_without_a_list() -> None:
    assert CertificationLab in labs.found().values()


def test_first_picture_and_promise(lab: CertificationLab) -> None:
    lab.update({"eps": 0.05, "image": 4, "moment": -1})
    assert lab.wait()
    assert lab.status == "live"
    assert {"region", "pair", "layers", "accuracy", "tightness", "radii", "view-0", "view-1"} == set(lab.figures)
    assert lab.badge.kind == "adversarial"
    assert lab.readout[0].value == f"{100 * seen(lab).certified:5.1f}"
    assert lab.player is not None
    assert lab.player.length == seen(lab).moments
    assert all(len(text.split()) <= 80 for text in [lab.story.see, *OUTCOME.values()])


def test_eps_recomputes_nothing_and_proves_less(lab: CertificationLab) -> None:
    session, shares = lab.sides[0].session, []
    for eps in (0.0, 0.03, 0.1, 0.3):
        lab.set("eps", eps)
        assert lab.wait()
        shares.append(seen(lab).certified)
    assert lab.sides[0].session is session
    assert shares == sorted(shares, reverse=True)
    assert shares[0] > shares[-1]


def test_a_promise_to_nobody_is_none(lab: CertificationLab) -> None:
    lab.set("eps", 0.5)
    assert lab.wait()
    assert seen(lab).certified == 0
    assert lab.badge.kind == "none"
    assert "0.5" in lab.badge.statement
    lab.set("eps", 0.05)
    assert lab.wait()
    assert lab.badge.kind == "adversarial"


def test_the_player_moves_through_the_training(lab: CertificationLab) -> None:
    assert lab.player is not None
    lab.player.scrub(0)
    assert lab.wait()
    assert seen(lab).step == 0
    lab.click("accuracy", {"customdata": 6})
    assert lab.wait()
    assert seen(lab).moment == 6
    checkpoints = [e for e in lab.sides[0].session.computed if isinstance(e, Checkpoint)]
    assert seen(lab).checkpoint is checkpoints[6]


def test_a_click_chooses_an_image(lab: CertificationLab) -> None:
    for nothing in (-1, None, True, "3"):
        lab.set("image", 5)
        lab.click("radii", {"customdata": nothing})
        assert lab.values["image"] == 5
    lab.click("radii", {"customdata": 11})
    assert lab.values["image"] == 11


def test_an_image_that_is_not_there_is_told_beside_its_knob(lab: CertificationLab) -> None:
    lab.set("image", 5)
    lab.set("image", 4000)
    assert lab.message is not None
    assert lab.message.knob == "image"
    assert seen(lab).image == 5


@pytest.mark.long
def test_compare_overlays_the_second_row() -> None:
    lab = CertificationLab(problem="tiny", compare="certification.ibp-tightness")
    assert lab.wait()
    assert {"region", "region~b", "pair~b", "radii~b"} <= set(lab.figures)
    assert not {"accuracy~b", "tightness~b", "layers~b"} & set(lab.figures)
    assert len(lab.figures["accuracy"]["data"]) == 4
    assert "same batches" in lab.story.see
    lab.close()
