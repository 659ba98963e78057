"""Looks answer from what is computed; summaries and errors say what they are about."""

from __future__ import annotations

import time

import numpy as np
import pytest

from glasshouse.families.conformal.decisions import drive, laws
from glasshouse.families.conformal.decisions.interface import Look
from glasshouse.families.conformal.decisions.problems import DigitLooks, Tiny
from glasshouse.families.conformal.methods.decisions.conformal_abstention import ConformalAbstention
from glasshouse.families.conformal.methods.decisions.sgr import SGR
from glasshouse.families.conformal.methods.decisions.window_exit import WindowExit
from glasshouse.numerics.seeds import Seeds
from glasshouse.schema.errors import BadValue
from glasshouse.schema.events.base import Event
from glasshouse.schema.events.conformal_decisions import Cascaded, Walked

METHODS = (ConformalAbstention, WindowExit, SGR)


def events(method: object, problem: object) -> list[Event]:
    return [e for e in drive.drive(method, problem, Seeds(1)) if isinstance(e, Event)]  # type: ignore[arg-type]


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("law", laws.LAWS, ids=lambda law: law.__name__)
def test_the_rooms_laws(method: type, law: object) -> None:
    assert law(method)  # type: ignore[operator]


def test_the_path_is_walked_by_looking() -> None:
    path = events(ConformalAbstention(steps=20), Tiny())
    assert len(path) == 6
    for step in (-1, 0, 3):
        seen = drive.look(path, Look(step=step))
        assert isinstance(seen, Walked)
        assert seen.index == (step if step >= 0 else 5)
        assert seen.now is path[seen.index]
        assert seen.coverage == pytest.approx(1 - seen.now.silent)
        assert seen.risk == pytest.approx(seen.now.risk)


def test_the_published_accuracy_counts_silence_as_right() -> None:
    seen = drive.look(events(ConformalAbstention(protocol="as published", steps=4), DigitLooks()), Look())
    assert isinstance(seen, Walked)
    assert seen.published_accuracy == pytest.approx(seen.now.silent + (1 - seen.now.silent) * (1 - seen.risk))
    assert seen.published_accuracy > 1 - seen.risk


def test_the_plain_rule_it_is_compared_with_answers_as_many() -> None:
    seen = drive.look(events(ConformalAbstention(), DigitLooks()), Look())
    assert isinstance(seen, Walked)
    k = round(seen.coverage * seen.tested.m)
    surest = np.argsort(-seen.tested.confidence, kind="stable")[:k]
    assert seen.plain_risk == pytest.approx(float((~seen.tested.right[surest]).mean()))


@pytest.mark.parametrize(("method", "look", "name"), [
    (ConformalAbstention(steps=4), Look(step=5), "step"), (WindowExit(), Look(image=160), "image"),
    (ConformalAbstention(steps=4), Look(image=160), "image"), (SGR(), Look(step=8), "step")])
def test_what_is_not_there_is_named(method: object, look: Look, name: str) -> None:
    with pytest.raises(BadValue) as error:
        drive.look(events(method, Tiny()), look)
    assert error.value.argument == name


def test_risks_of_all_four_curves_are_at_one_share() -> None:
    seen = drive.look(events(WindowExit(), DigitLooks()), Look())
    assert isinstance(seen, Cascaded)
    k = round(seen.coverage * seen.stages.m)
    assert seen.risks.tolist() == [curve[k - 1] for curve in seen.curves]
    assert seen.risks[2] == pytest.approx(seen.risk)


@pytest.mark.parametrize("method", METHODS)
def test_summaries_name_their_rivals(method: type) -> None:
    path = events(method(), Tiny())
    numbers = drive.summary([*path, drive.look(path, Look())])
    assert {"m", "coverage", "risk"} <= set(numbers)
    own = {ConformalAbstention: {"start_cost", "best_cost", "plain_risk"}, WindowExit: {"least_risk", "window_aurc", "passed"},
           SGR: {"bound", "limit", "threshold"}}
    assert own[method] <= set(numbers)
    assert drive.guarantee(method(), Tiny(), path).kind == ("PAC" if method is SGR else "heuristic")


@pytest.mark.parametrize("method", METHODS)
def test_looks_are_quick(method: type) -> None:
    path = events(method(), DigitLooks())
    took = []
    for i in range(9):
        begun = time.thread_time()
        drive.look(path, Look(coverage=0.3 + 0.05 * i, half_width=0.02 * i))
        took.append(time.thread_time() - begun)
    assert min(took) < 0.2
