"""Limits for a person's own scores, and what they may hand over."""

from __future__ import annotations

import math
from collections.abc import Callable
from fractions import Fraction
from typing import Any

import numpy as np
import pytest

from glasshouse.families.conformal.drift import adaptive_limits, weighted_limits
from glasshouse.families.conformal.drift.drive import split_limit
from glasshouse.families.conformal.drift.problems import DriftingCovariate
from glasshouse.families.conformal.methods.drift.aci import ACI
from glasshouse.families.conformal.methods.drift.weighted import Weighted
from glasshouse.schema.errors import BadType, BadValue

RNG = np.random.default_rng(0)


@pytest.mark.parametrize("memory", ["calibration", "recent"])
def test_adaptive_limits_are_those_of_the_run(memory: str) -> None:
    series = DriftingCovariate(calibration_size=60).open()
    theirs = ACI(gamma=0.05, memory=memory).follow(series, {}, Fraction(1, 5))  # type: ignore[arg-type]
    mine = adaptive_limits(series.calibration_scores[series.arrival], series.scores, 0.2, 0.05, memory == "recent")
    assert (mine.limit == theirs.limit).all()
    assert (mine.level == theirs.level).all()


def test_weighted_limits_are_those_of_the_run_in_any_order() -> None:
    series = DriftingCovariate(calibration_size=60, speed=50).open()
    theirs = Weighted().follow(series, Weighted().begin(series), Fraction(1, 5)).limit[-50:]
    shuffled = RNG.permutation(60)
    x, scores = series.calibration_x[shuffled], series.calibration_scores[shuffled]
    mine = weighted_limits(scores, np.exp(1.5 * x - 1.125), np.exp(1.5 * series.x[-50:] - 1.125), 0.2).limit
    assert (mine == theirs).all()


@pytest.mark.parametrize("n", [0, 8, 9, 30, 99])
def test_equal_weights_are_split_conformal_prediction(n: int) -> None:
    scores = RNG.random(n)
    for alpha in (0.1, 0.3, 0.7):
        limit = weighted_limits(scores, np.ones(n), np.ones(4), alpha).limit
        assert (limit == split_limit(np.sort(scores), Fraction(str(alpha)))).all()


def test_weights_of_zero_count_for_nothing() -> None:
    scores = RNG.random(40)
    half = np.repeat([0, 1], 20)
    assert weighted_limits(scores, half, [1.0], 0.2).limit[0] == split_limit(np.sort(scores[20:]), Fraction(1, 5))
    assert weighted_limits(scores, np.zeros(40), [1.0, 0.0]).limit.tolist() == [math.inf, math.inf]
    assert weighted_limits(scores, np.ones(40), [1e9]).limit[0] == math.inf


def by_rationals(scores: np.ndarray, weights: np.ndarray, own: float, alpha: Fraction) -> float:
    """The definition, in whole numbers of any size."""
    exact = [Fraction(float(w)) for w in weights]
    need = (1 - alpha) * (sum(exact) + Fraction(own))
    reached_so_far = Fraction(0)
    for i in np.argsort(scores, kind="stable"):
        reached_so_far += exact[i]
        if need and reached_so_far >= need:
            return float(scores[i])
    return math.inf


@pytest.mark.parametrize("power", [-1074, -1070, -1000, 0, 500, 1000, 1018])
@pytest.mark.filterwarnings("error")
def test_weights_are_up_to_a_constant(power: int) -> None:
    """From subnormals to the largest floats, against the definition in rationals; scores of both signs."""
    rng = np.random.default_rng(5)
    scores, weights = rng.normal(size=60), np.ldexp(rng.integers(0, 4, 60).astype(float), power)
    own = np.ldexp([0.0, 1.0, 3.0, 40.0], power)
    for alpha in (0.05, 0.1, 0.3, 0.75):
        expected = [by_rationals(scores, weights, v, Fraction(repr(alpha))) for v in own]
        assert weighted_limits(scores, weights, own, alpha).limit.tolist() == expected


@pytest.mark.parametrize("constant", [1e-320, 1e-300, 1e300, 1e308])
def test_equal_weights_of_any_size_are_split_conformal_prediction(constant: float) -> None:
    scores = RNG.random(1000)
    limit = weighted_limits(scores, np.full(1000, constant), [constant], 0.058).limit[0]
    assert limit == split_limit(np.sort(scores), Fraction("0.058"))


@pytest.mark.filterwarnings("error")
def test_weights_of_very_different_size() -> None:
    """Each test point is judged on its own: one of a huge or infinite weight takes nothing from the others."""
    scores, weights = RNG.random(40), np.full(40, 1e-5)
    alone = weighted_limits(scores, weights, [1e-5], 0.1).limit[0]
    assert weighted_limits(scores, weights, [1e-5, 1e308, math.inf], 0.1).limit.tolist() == [alone, math.inf, math.inf]
    assert weighted_limits(scores, np.append(weights[1:], 1e308), [1e-5], 0.1).limit[0] == scores[-1]
    assert weighted_limits(scores, np.append(weights[1:], 5e-324), [0.0], 0.1).limit[0] < math.inf
    assert weighted_limits(scores, np.zeros(40), [math.inf, 0.0], 0.1).limit.tolist() == [math.inf, math.inf]
    assert weighted_limits(scores, np.ones(40), [1.0], 1e-320).limit[0] == math.inf


def test_scores_may_have_either_sign() -> None:
    """A quantity moved by a constant has limits moved by it: with conformalised quantiles, scores below 0 are within the band."""
    calibration, scores = RNG.normal(size=50), RNG.normal(size=80)
    one, moved = (adaptive_limits(calibration - by, scores - by, 0.2, 0.2) for by in (0.0, 64.0))
    assert np.isinf(one.limit).any()
    assert one.limit - 64.0 == pytest.approx(moved.limit)
    assert (one.level == moved.level).all()
    one, moved = (weighted_limits(calibration - by, np.ones(50), [1.0], 0.2).limit for by in (0.0, 64.0))
    assert moved == pytest.approx(one - 64.0)
    empty = adaptive_limits(np.zeros(5), np.full(3, -math.inf), 0.5, 1.0)
    assert empty.limit.tolist() == [0.0, -math.inf, 0.0]


@pytest.mark.parametrize(("call", "argument"), [
    (lambda: adaptive_limits([math.nan], [1.0]), "calibration"), (lambda: adaptive_limits([1.0], [math.nan]), "scores"),
    (lambda: adaptive_limits([1.0], [[1.0]]), "scores"), (lambda: adaptive_limits([1.0], [1.0], gamma=2), "gamma"),
    (lambda: adaptive_limits([1.0], [1.0], gamma=True), "gamma"), (lambda: adaptive_limits([1.0], [1.0], alpha=10), "alpha"),
    (lambda: weighted_limits([1.0], [1.0, 2.0], [1.0]), "weights"), (lambda: weighted_limits([1.0], [math.inf], [1.0]), "weights"),
    (lambda: weighted_limits([1.0], [1.0], [math.nan]), "own"), (lambda: weighted_limits([1.0], [-1.0], [1.0]), "weights"),
    (lambda: weighted_limits([1.0], [1.0], [-1e-9]), "own"), (lambda: weighted_limits([math.nan], [1.0], [1.0]), "calibration"),
    (lambda: weighted_limits(["a"], [1.0], [1.0]), "calibration")])
def test_bad_input_is_named(call: Callable[[], Any], argument: str) -> None:
    with pytest.raises((BadValue, BadType), match=argument) as caught:
        call()
    assert caught.value.argument == argument


def test_a_guarantee_comes_with_the_limits() -> None:
    scores = np.arange(50.0)
    found = adaptive_limits(scores, np.zeros(400), gamma=0.05)
    assert found.guarantee.kind == "adversarial"
    assert f"{1.05 / (0.05 * 400):.3f}" in found.guarantee.statement
    assert adaptive_limits(scores, scores, gamma=0).guarantee.kind == "none"
    assert weighted_limits(scores, scores, [1.0], 0.25).guarantee.level == 0.75
