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
    mine = weighted_limits(scores, np.exp(1.5 * x - 1.125), np.exp(1.5 * series.x[-50:] - 1.125), 0.2)
    assert (mine == theirs).all()


@pytest.mark.parametrize("n", [0, 8, 9, 30, 99])
def test_equal_weights_are_split_conformal_prediction(n: int) -> None:
    scores = RNG.random(n)
    for alpha in (0.1, 0.3, 0.7):
        limit = weighted_limits(scores, np.ones(n), np.ones(4), alpha)
        assert (limit == split_limit(np.sort(scores), Fraction(str(alpha)))).all()


def test_weights_of_zero_count_for_nothing() -> None:
    scores = RNG.random(40)
    half = np.repeat([0, 1], 20)
    assert weighted_limits(scores, half, [1.0], 0.2)[0] == split_limit(np.sort(scores[20:]), Fraction(1, 5))
    assert weighted_limits(scores, np.zeros(40), [1.0, 0.0]).tolist() == [math.inf, math.inf]
    assert weighted_limits(scores, np.ones(40), [1e9])[0] == math.inf


@pytest.mark.parametrize(("call", "argument"), [
    (lambda: adaptive_limits([-1.0], [1.0]), "calibration"), (lambda: adaptive_limits([1.0], [math.nan]), "scores"),
    (lambda: adaptive_limits([1.0], [[1.0]]), "scores"), (lambda: adaptive_limits([1.0], [1.0], gamma=2), "gamma"),
    (lambda: adaptive_limits([1.0], [1.0], gamma=True), "gamma"), (lambda: adaptive_limits([1.0], [1.0], alpha=10), "alpha"),
    (lambda: weighted_limits([1.0], [1.0, 2.0], [1.0]), "weights"), (lambda: weighted_limits([1.0], [math.inf], [1.0]), "weights"),
    (lambda: weighted_limits([1.0], [1.0], [math.inf]), "own"), (lambda: weighted_limits(["a"], [1.0], [1.0]), "calibration")])
def test_bad_input_is_named(call: Callable[[], Any], argument: str) -> None:
    with pytest.raises((BadValue, BadType), match=argument) as caught:
        call()
    assert caught.value.argument == argument
