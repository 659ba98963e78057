"""The badge is honest about a person who tries one setting after another on the same calibration points."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from glasshouse_widgets.labs.conformal import ConformalLab
from glasshouse_widgets.labs.conformal_batch import BatchLab
from glasshouse_widgets.labs.conformal_code import CodeHolesLab
from glasshouse_widgets.labs.conformal_decisions import DecisionLab
from glasshouse_widgets.labs.conformal_risk import RiskLab
from glasshouse_widgets.labs.conformal_robust import AttackLab
from glasshouse_widgets.labs.conformal_rules import RulesLab
from glasshouse_widgets.labs.peeking import Watched
from rested import at_rest


@pytest.fixture
def lab() -> Iterator[ConformalLab]:
    with at_rest(ConformalLab(method="conformal.aps")) as one:
        yield one


def kind(lab: Watched) -> str:
    assert lab.wait()
    return str(lab.badge.kind)


def test_looking_breaks_nothing(lab: ConformalLab) -> None:
    for alpha in (0.05, 0.2, 0.1):
        lab.set("alpha", alpha)
        assert kind(lab) == "marginal"


def test_trying_a_second_setting_does_and_says_how_to_mend_it(lab: ConformalLab) -> None:
    lab.set("temperature", 2.0)
    assert kind(lab) == "heuristic"
    assert "2 settings" in lab.badge.statement
    assert "split" in lab.badge.statement
    lab.set("temperature", 1.0)                     # going back does not unsee it
    assert kind(lab) == "heuristic"
    lab.set("split", 5)                             # points that nobody has seen
    assert kind(lab) == "marginal"
    lab.set("randomized", False)
    assert kind(lab) == "heuristic"


def test_another_method_a_preset_and_other_data_begin_anew(lab: ConformalLab) -> None:
    lab.set("temperature", 2.0)
    assert kind(lab) == "heuristic"
    lab.choose(method="conformal.mondrian")
    assert kind(lab) == "class"
    lab.choose_preset("Thin and bold")
    assert kind(lab) == "group"
    lab.set("base", "aps")
    assert kind(lab) == "heuristic"
    lab.set("noise", 0.6)
    assert kind(lab) == "group"


def test_the_compared_method_s_knobs_do_not_count(lab: ConformalLab) -> None:
    lab.choose(compare="conformal.aps")
    assert lab.wait()
    lab.set("temperature", 3.0, side=1)
    assert kind(lab) == "marginal"


def test_an_exported_page_says_the_same(lab: ConformalLab) -> None:
    lab.set("temperature", 2.0)
    assert kind(lab) == "heuristic"
    assert "You have tried 2 settings" in lab.export_html(look="").text


@pytest.mark.parametrize(("cls", "method", "promised", "knob", "value"), [
    (RiskLab, "conformal.ltt", "PAC", "delta", 0.2), (DecisionLab, "conformal.sgr", "PAC", "search", "fixed sequence"),
    (CodeHolesLab, "conformal.pac-code", "PAC", "count", 16), (AttackLab, "conformal.rscp-plus", "adversarial", "sigma", 0.3),
    (RulesLab, "conformal.colep", "adversarial", "weight", 1.0), (BatchLab, "conformal.batch-pi", "marginal", "statement", "mean")])
def test_promises_of_other_kinds_are_watched_too(cls: type[Watched], method: str, promised: str, knob: str, value: object) -> None:
    with at_rest(cls(method=method, problem="tiny")) as lab:
        assert kind(lab) == promised
        lab.set(knob, value)
        assert kind(lab) == "heuristic"
        assert "2 settings" in lab.badge.statement
        assert f"move {lab.setting.fields['split'].label} for" in lab.badge.statement, "the name that stands beside the knob"
        lab.set("split", 3)
        assert kind(lab) == promised
