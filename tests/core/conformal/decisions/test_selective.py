"""Risk curves against counting, and the bound against the law it comes from."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy.stats import binom, binomtest

from glasshouse.families.conformal.decisions.selective import area, at_coverage, risk_bound, risk_curve
from glasshouse.schema.errors import BadValue


def brute_force(confidence: np.ndarray, right: np.ndarray) -> list[float]:
    """Answer where the confidence is at least the k-th largest, k = 1 .. m; without ties."""
    found = []
    for k in range(1, len(right) + 1):
        threshold = sorted(confidence.tolist(), reverse=True)[k - 1]
        answered = [bool(r) for c, r in zip(confidence, right, strict=True) if c >= threshold]
        found.append(answered.count(False) / len(answered))
    return found


@pytest.mark.parametrize("seed", range(5))
def test_curve_and_area_are_what_counting_gives(seed: int) -> None:
    rng = np.random.default_rng(seed)
    confidence, right = rng.random(40), rng.random(40) < 0.7
    curve = risk_curve(confidence, right)
    assert curve.tolist() == pytest.approx(brute_force(confidence, right))
    assert area(curve) == pytest.approx(sum(brute_force(confidence, right)) / 40)
    assert curve[-1] == pytest.approx((~right).mean())


def test_the_area_of_a_perfect_ranking_has_a_closed_form() -> None:
    """Right ones first: (1/m) sum over k > m - e of (k - m + e) / k."""
    m, e = 50, 12
    confidence = np.linspace(1, 0, m)
    right = np.arange(m) < m - e
    assert area(risk_curve(confidence, right)) == pytest.approx(sum((k - m + e) / k for k in range(m - e + 1, m + 1)) / m)
    assert area(risk_curve(-confidence, right)) > area(risk_curve(confidence, right))


def test_equal_confidences_stay_in_the_order_given() -> None:
    assert risk_curve(np.full(3, 0.5), np.array([False, True, True])).tolist() == pytest.approx([1.0, 0.5, 1 / 3])


def test_a_coverage_is_rounded_to_whole_points() -> None:
    curve = np.array([0.0, 0.5, 1 / 3, 0.5])
    assert at_coverage(curve, 0.5) == 0.5
    assert at_coverage(curve, 1.0) == 0.5
    assert math.isnan(at_coverage(curve, 0.01))


@pytest.mark.parametrize(("errors", "n", "delta"), [(0, 10, 0.1), (3, 50, 0.05), (17, 110, 0.1), (9, 10, 0.2)])
def test_the_bound_is_clopper_and_pearsons(errors: int, n: int, delta: float) -> None:
    bound = risk_bound(errors, n, delta)
    assert binom.cdf(errors, n, bound) == pytest.approx(delta)
    assert bound == pytest.approx(binomtest(errors, n, alternative="less").proportion_ci(1 - delta, "exact").high)


def test_the_bound_fails_at_most_as_often_as_allowed_exactly() -> None:
    """Summed over the binomial law, no simulation: at every true risk the chance that the bound lies below it is at most delta."""
    n, delta = 60, 0.1
    bounds = np.array([risk_bound(e, n, delta) for e in range(n + 1)])
    worst = max(binom.pmf(np.arange(n + 1), n, risk)[bounds < risk].sum() for risk in np.linspace(0.005, 0.995, 199))
    assert 0.08 < worst <= delta + 1e-12


def test_no_answers_or_only_wrong_ones_promise_nothing() -> None:
    assert risk_bound(0, 0, 0.1) == 1.0
    assert risk_bound(7, 7, 0.1) == 1.0


@pytest.mark.parametrize("delta", [0.0, 1.0, -0.1, math.nan])
def test_a_delta_that_is_no_probability_is_refused(delta: float) -> None:
    with pytest.raises(BadValue, match="delta"):
        risk_bound(1, 10, delta)


def test_more_errors_than_answers_are_refused() -> None:
    with pytest.raises(BadValue, match="errors"):
        risk_bound(11, 10, 0.1)
