"""Split regression: order statistics in rationals, the exact law of coverage, and the variant whose width follows."""

from __future__ import annotations

import math
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from scipy import stats

from glasshouse import runs
from glasshouse.families.conformal.intervals import Ridge, calibrate_regression
from glasshouse.families.conformal.intervals.ladders import Widening
from glasshouse.families.conformal.methods.intervals.split import Split
from glasshouse.schema.events.conformal_intervals import Intervals, Redraws


def in_rationals(predictions: list[int], targets: list[int], new: list[int], alpha: str) -> list[tuple[Fraction | float, Fraction | float]]:
    """Nothing but the definition: sort, count, add."""
    residuals = sorted(abs(Fraction(y) - f) for f, y in zip(predictions, targets, strict=True))
    n = len(residuals)
    k = math.ceil((n + 1) * (1 - Fraction(alpha)))
    q = residuals[k - 1] if k <= n else math.inf
    return [(f - q, f + q) for f in new]


@pytest.mark.parametrize("n", [1, 2, 9, 10, 19, 99])
def test_equals_the_definition_in_rationals_with_ties(n: int) -> None:
    rng = np.random.default_rng(n)
    predictions, targets, new = (rng.integers(-20, 20, size).tolist() for size in (n, n, 7))
    c = calibrate_regression(predictions, targets)
    for alpha in ("0.01", "0.05", "0.1", "0.3", "0.5", "0.7", "0.95"):
        expected = [[float(a), float(b)] for a, b in in_rationals(predictions, targets, new, alpha)]
        assert c.interval(new, float(alpha)).tolist() == expected


def test_the_rank_that_floats_get_wrong() -> None:
    """n = 9, alpha = .7: ceil(10 * .3) is 3, in floats 4."""
    c = calibrate_regression(np.zeros(9), np.arange(1.0, 10.0))
    assert c.threshold(0.7) == 3.0
    assert c.threshold(0.1) == 9.0


def test_normalised_is_the_definition() -> None:
    rng = np.random.default_rng(0)
    f, sigma, y = rng.normal(size=60), rng.uniform(0.5, 2, 60), rng.normal(size=60)
    c = calibrate_regression(np.stack((f, sigma), axis=1), y, residual="normalised")
    q = np.sort(np.abs(y - f) / sigma)[math.ceil(61 * 0.8) - 1]
    assert c.threshold(0.2) == q
    new = np.array([[1.0, 0.5], [-2.0, 3.0]])
    assert c.interval(new, 0.2) == pytest.approx(np.array([[1 - q / 2, 1 + q / 2], [-2 - 3 * q, -2 + 3 * q]]))


def ks(counts: np.ndarray, law: Any, m: int) -> float:
    """P-value of the Kolmogorov-Smirnov test on whole numbers, where it is conservative: distribution functions compared at 0 .. m."""
    at = np.arange(m + 1)
    found = np.searchsorted(np.sort(counts), at, side="right") / len(counts)
    return float(stats.kstwo.sf(np.abs(found - law.cdf(at)).max(), len(counts)))


@pytest.mark.parametrize(("n", "alpha", "residual"), [(40, 0.1, "absolute"), (200, 0.05, "absolute"), (100, 0.3, "normalised")])
def test_coverage_over_resplits_follows_the_beta_binomial(n: int, alpha: float, residual: str) -> None:
    """Fixed forecasts, 2,000 random splits of one pool: mean within 4 standard errors, and KS at 1 % shared by the three tests."""
    rng = np.random.default_rng(1)
    pool, m = 700, 150
    f, sigma = rng.normal(size=pool), rng.uniform(0.5, 2, pool)
    y = f + sigma * rng.standard_t(4, pool)
    forecasts = f[:, None] if residual == "absolute" else np.stack((f, sigma), axis=1)
    covered = np.empty(2000)
    for i in range(2000):
        order = rng.permutation(pool)
        at, test = order[:n], order[n:n + m]
        low, high = calibrate_regression(forecasts[at], y[at], residual=residual).interval(forecasts[test], alpha).T
        covered[i] = ((low <= y[test]) & (y[test] <= high)).sum()
    k = math.ceil((n + 1) * (1 - alpha) - 1e-9)
    law = stats.betabinom(m, k, n + 1 - k)
    assert abs(covered.mean() - law.mean()) <= 4 * law.std() / math.sqrt(2000)
    assert ks(covered, law, m) > 0.01 / 3
    for off in (-1, 1):
        assert ks(covered, stats.betabinom(m, k + off, n + 1 - k - off), m) < 1e-4, "a rank that is off by one would be seen"


def test_on_the_curve_it_covers_on_average_and_is_equally_wide() -> None:
    *_, drawn = runs.study("conformal.split", "redraws", "curve", options={"total": 200}, labelled=60)
    assert isinstance(drawn, Redraws)
    covered = drawn.coverage[:, math.ceil(31 * 0.9) - 1]
    assert covered.mean() >= 0.9 - 4 * covered.std() / math.sqrt(200)
    assert covered.mean() <= 0.9 + 1 / 31 + 4 * covered.std() / math.sqrt(200)


def test_normalised_width_follows_the_noise_where_absolute_does_not() -> None:
    widths = {}
    for residual in ("absolute", "normalised"):
        session = runs.open("conformal.split", "curve", residual=residual, labelled=400)
        list(session.events())
        seen = session.look(alpha=0.1)
        assert isinstance(seen, Intervals)
        left, right = seen.learnt.at < 3, seen.learnt.at > 7
        width = seen.upper - seen.lower
        widths[residual] = width[right].mean() / width[left].mean()
        missed = (~seen.covered[right]).mean() - (~seen.covered[left]).mean()
        assert missed > 0.1 if residual == "absolute" else abs(missed) < 0.1
    assert widths["absolute"] == pytest.approx(1)
    assert widths["normalised"] > 2


def test_learning_uses_the_first_part_only() -> None:
    """Forecasts do not change with the targets that calibrate."""
    from glasshouse.families.conformal.intervals.rules import learn
    from glasshouse.numerics.seeds import Seeds

    rng = np.random.default_rng(2)
    x, y = rng.normal(size=(40, 2)), rng.normal(size=40)
    rest = Seeds(0).numpy("which points to learn from").permutation(40)[20:]
    other = y.copy()
    other[rest] += 100
    (rule,), (shifted,) = (list(learn(Split(), x, t, Ridge(1.0), Seeds(0), np.arange(40.0))) for t in (y, other))
    assert (rule.center(x) == shifted.center(x)).all()  # type: ignore[union-attr]
    assert (rule.scores != shifted.scores).all()  # type: ignore[union-attr]
    assert isinstance(rule.at(x), Widening)  # type: ignore[union-attr]
