"""The window at its ends, its share and cost by definition, and the paper's claim against passing on the least confident."""

from __future__ import annotations

import math
from functools import lru_cache

import numpy as np
import pytest

from glasshouse.families.conformal.decisions import cascade
from glasshouse.families.conformal.decisions.confidence import sureness
from glasshouse.families.conformal.decisions.drive import look
from glasshouse.families.conformal.decisions.interface import Look
from glasshouse.families.conformal.decisions.problems import DigitLooks, Tiny
from glasshouse.families.conformal.methods.decisions.window_exit import WindowExit
from glasshouse.numerics.seeds import Seeds
from glasshouse.schema.events.conformal_decisions import Cascaded, Stages


@lru_cache(maxsize=64)
def stages(method: WindowExit | None = None, split: int = 0) -> Stages:
    return next(e for e in (method or WindowExit()).states(DigitLooks(split=split).open(), Seeds(0)) if isinstance(e, Stages))


def seen(at: Stages, **values: float) -> Cascaded:
    found = look((at,), Look(**values))  # type: ignore[arg-type]
    assert isinstance(found, Cascaded)
    return found


@pytest.mark.parametrize("coverage", [0.05, 0.5, 0.8, 1.0])
def test_an_empty_window_is_the_first_stage_and_the_whole_line_the_second(coverage: float) -> None:
    none, whole = seen(stages(), coverage=coverage, half_width=0.0), seen(stages(), coverage=coverage, half_width=1.0)
    assert (none.curves[2] == none.curves[0]).all()
    assert (none.passed, none.cost) == (0, 1)
    assert (whole.curves[2] == whole.curves[1]).all()
    assert (whole.passed, whole.cost) == (1, 4)
    assert (whole.low, whole.high) == (-math.inf, math.inf)
    assert (none.curves[3] == none.curves[0]).all()
    assert (whole.curves[3] == whole.curves[1]).all()


def test_the_window_holds_the_share_asked_for_on_the_validation_points() -> None:
    at = stages()
    for coverage in (0.3, 0.5, 0.7):
        for half_width in (0.05, 0.1, 0.2):
            low, high = cascade.window(at, 1 - coverage, half_width)
            share = float(cascade.inside(at.known_first, low, high).mean())
            assert abs(share - 2 * half_width) <= 2 / at.n, "quantiles between two points"
            below = float((at.known_first <= cascade.least_confident(at, 1 - coverage, half_width)).mean())
            assert abs(below - 2 * half_width) <= 2 / at.n
            assert low < cascade.boundary(at, coverage)[1] < high


def test_the_operating_threshold_leaves_the_share_answered() -> None:
    at = stages()
    for coverage in (0.1, 0.5, 0.9):
        pi, tau = cascade.boundary(at, coverage)
        assert pi == pytest.approx(1 - coverage)
        assert abs(float((at.known_first >= tau).mean()) - coverage) <= 2 / at.n
        assert abs(seen(at, coverage=coverage).coverage - coverage) < 0.1, "on other points only roughly"


@pytest.mark.parametrize(("aim", "risk"), [("5 % risk", 0.05), ("10 % risk", 0.1)])
def test_a_risk_that_is_held_is_held_on_the_validation_points_by_as_many_as_can_be(aim: str, risk: float) -> None:
    at = stages(WindowExit(aim=aim))  # type: ignore[arg-type]
    _, tau = cascade.boundary(at, 0.6)
    order = np.argsort(-at.known_first, kind="stable")
    k = int((at.known_first >= tau).sum())
    risks = [float((~at.known_right_first[order[:i]]).mean()) for i in range(1, at.n + 1)]
    most = max(i + 1 for i, r in enumerate(risks) if r <= risk)
    assert abs(k - most) <= 1
    found = seen(at, half_width=0.15)
    assert found.aim > most / at.n, "the cascade answers more at the same risk"
    assert abs(found.risk - risk) < 0.06


def test_cost_is_c1_and_the_share_passed_on_times_c2() -> None:
    found = seen(stages(), coverage=0.6, half_width=0.1)
    count = int(((found.stages.first.confidence >= found.low) & (found.stages.first.confidence <= found.high)).sum())
    assert found.passed == count / found.stages.m
    assert found.cost == pytest.approx(1 + 3 * count / found.stages.m)
    assert found.passed_on.sum() == count
    assert (found.decision // 2 == found.passed_on).all()


def test_those_outside_keep_the_first_models_word_and_those_inside_the_seconds() -> None:
    found = seen(stages(), coverage=0.6, half_width=0.2)
    said = found.answers.argmax(axis=1)
    answered = found.answers.any(axis=1)
    for which, model in ((~found.passed_on, found.stages.first), (found.passed_on, found.stages.second)):
        assert (said[which & answered] == model.answer[which & answered]).all()
        assert (model.confidence[which & answered] >= found.threshold).all()
        assert (model.confidence[which & ~answered] < found.threshold).all()


@pytest.mark.parametrize(("coverage", "half_width"), [(0.5, 0.1), (0.6, 0.1), (0.7, 0.1), (0.8, 0.05)])
def test_at_equal_cost_the_window_risks_less_than_the_least_confident_share(coverage: float, half_width: float) -> None:
    """The paper's claim, here with simulated looks: mean over 24 splits, within two standard errors of the difference."""
    risk, cost = np.empty((2, 24)), np.empty((2, 24))
    at = int(np.flatnonzero(half_width == cascade.HALF_WIDTHS)[0])
    for split in range(24):
        found = stages(split=split)
        costs, risks = cascade.by_width(found, 1 - coverage, coverage)
        risk[:, split], cost[:, split] = risks[:, at], costs[:, at]
    gain = risk[1] - risk[0]
    assert gain.mean() > -2 * gain.std() / math.sqrt(24)
    assert abs(cost[0].mean() - cost[1].mean()) < 0.06
    if coverage <= 0.7:
        assert gain.mean() > 2 * gain.std() / math.sqrt(24), "well inside, the gain is plain"


def test_where_everything_is_answered_the_two_are_one() -> None:
    """The operating threshold lies below all points: the window is the least confident share."""
    found = seen(stages(), coverage=1.0, half_width=0.3)
    assert (found.curves[2] == found.curves[3]).all()


@pytest.mark.parametrize("doubt", ["largest p", "margin", "entropy"])
def test_confidences_are_between_nothing_and_certainty(doubt: str) -> None:
    probs = np.vstack((np.eye(4), np.full((1, 4), 0.25), np.random.default_rng(0).dirichlet(np.ones(4), 50)))
    found = sureness(probs, doubt)
    assert found[:4] == pytest.approx(np.ones(4))
    assert found[4] == pytest.approx(0.25 if doubt == "largest p" else 0.0)
    assert ((found[5:] > 0) & (found[5:] < 1)).all()
    half = np.array([[0.6, 0.3, 0.1]])
    expected = {"largest p": 0.6, "margin": 0.3, "entropy": 1 + (0.6 * math.log(0.6) + 0.3 * math.log(0.3) + 0.1 * math.log(0.1)) / math.log(3)}
    assert sureness(half, doubt)[0] == pytest.approx(expected[doubt])


def test_the_second_stage_is_the_mean_of_the_looks() -> None:
    one, nine = DigitLooks(further_looks=1).open(), DigitLooks(further_looks=8).open()
    assert (one.first == nine.first).all()
    assert one.costs == (1.0, 1.0)
    right = [(p.second.argmax(axis=1) == p.labels).mean() for p in (one, nine)]
    assert (one.first.argmax(axis=1) == one.labels).mean() < right[0] < right[1]
    assert nine.second.sum(axis=1) == pytest.approx(np.ones(len(nine.labels)))
    parts = np.concatenate((one.train, one.policy, one.calibration, one.test))
    assert sorted(parts.tolist()) == list(range(1197))


def test_labels_of_the_toy_come_from_its_dear_model() -> None:
    pool = Tiny().open()
    p = pool.second[np.arange(400), pool.labels]
    expected = (pool.second**2).sum(axis=1)
    assert abs(p.mean() - expected.mean()) < 4 * p.std() / 20
