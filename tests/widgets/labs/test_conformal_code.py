"""Code with holes: everything by looks, on the real core."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from glasshouse.schema.events.conformal_code import Holed
from glasshouse_widgets import labs
from glasshouse_widgets.labs.conformal_code import CodeHolesLab
from rested import at_rest


@pytest.fixture
def lab() -> Iterator[CodeHolesLab]:
    with at_rest(CodeHolesLab()) as one:
        yield one


def seen(lab: CodeHolesLab) -> Holed:
    event = lab.sides[0].event
    assert isinstance(event, Holed)
    return event


def test_it_is_found_without_a_list() -> None:
    assert labs.found()["conformal-code"] is CodeHolesLab


def test_first_picture_and_promise(lab: CodeHolesLab) -> None:
    assert lab.status == "live"
    assert {"program", "promise", "removed", "errors", "statements", "view-0"} == set(lab.figures)
    assert lab.badge.kind == "PAC"
    assert lab.badge.level == pytest.approx(0.9)
    assert "500 programs" in lab.badge.statement
    assert [r.value for r in lab.readout][:2] == [" 10.0", f"{100 * seen(lab).error:5.1f}"]
    assert lab.player is None
    assert len(lab.story.see.split()) <= 80


def test_looks_recompute_nothing_and_stricter_promises_remove_more(lab: CodeHolesLab) -> None:
    session, shares = lab.sides[0].session, []
    for eps in (0.4, 0.2, 0.1, 0.05):
        lab.set("eps", eps)
        assert lab.wait()
        shares.append(seen(lab).removed)
    assert shares == sorted(shares)
    assert shares[0] < shares[-1]
    lab.set("holes", 4)
    assert lab.wait()
    assert seen(lab).removed < shares[-1] + 0.02
    assert lab.sides[0].session is session


def test_the_method_s_own_view_follows_the_statement(lab: CodeHolesLab) -> None:
    assert lab.figures["view-0"]["data"][0]["z"].shape == (32, len(seen(lab).guess))
    lab.set("statement", 5)
    assert lab.wait()
    assert (lab.figures["view-0"]["data"][0]["z"] == seen(lab).programs.kept[5][1, :-1]).all()
    assert lab.figures["view-0"]["data"][0]["z"].shape == (32, len(seen(lab).guess))


def test_a_click_on_the_list_chooses_a_statement(lab: CodeHolesLab) -> None:
    lab.click("statements", {"customdata": 4})
    assert lab.values["statement"] == 4
    lab.click("statements", {"customdata": None})
    lab.click("errors", {"customdata": 3})
    assert lab.values["statement"] == 4


def test_a_statement_that_is_not_there_is_told_beside_its_knob(lab: CodeHolesLab) -> None:
    lab.set("statement", 5000)
    assert lab.message is not None
    assert lab.message.knob == "statement"
    assert seen(lab).statement != 5000


def test_too_few_programs_say_so(lab: CodeHolesLab) -> None:
    lab.choose_preset("Twenty programs")
    assert lab.wait()
    assert seen(lab).why_none in lab.story.see
    assert "22 are needed" in lab.badge.statement
    assert len(lab.story.see.split()) <= 80


def test_other_calibrations_are_shown_only_where_they_were_drawn(lab: CodeHolesLab) -> None:
    lab.act("resamples")
    assert lab.wait()
    assert lab.studies["resamples"].done == 500
    assert max(lab.figures["promise"]["data"][0]["y"]) > 0
    lab.set("eps", 0.2)
    assert lab.wait()
    assert max(lab.figures["promise"]["data"][0]["y"]) > 0
    lab.set("calibration_size", 300)
    assert lab.wait()
    assert max(lab.figures["promise"]["data"][0]["y"]) == 0


def test_compare_text_with_words(lab: CodeHolesLab) -> None:
    lab.choose(compare="conformal.pac-code")
    lab.update({"cost_of": "text"}, side=1)
    assert lab.wait()
    assert {"program", "program~b", "removed"} <= set(lab.figures)
    assert len(lab.figures["removed"]["data"][4]["y"]) == 50
    assert "same statements" in lab.story.see
