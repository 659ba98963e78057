"""Measures of probabilities against brute force, closed forms and another library."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import spearmanr
from sklearn.metrics import brier_score_loss

from glasshouse.families.conformal.knowing import probabilities as measure


def drawn(n: int = 500, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    p = rng.random(n)
    return p, (rng.random(n) < p**1.5).astype(float)


@pytest.mark.parametrize("bins", [2, 7, 15])
def test_calibration_errors_by_brute_force(bins: int) -> None:
    """Without ties and with n a multiple of the bins: sort, cut, compare."""
    p, y = drawn(15 * 14)
    order = np.argsort(p)
    gaps = [abs(p[part].mean() - y[part].mean()) for part in np.split(order, bins)]
    found = measure.binned(p, y, bins)
    assert found.ece == pytest.approx(np.mean(gaps), abs=1e-12)
    assert found.mce == pytest.approx(max(gaps), abs=1e-12)
    assert (found.count == len(p) / bins).all()


def test_equal_probabilities_stay_together() -> None:
    p = np.repeat([0.2, 0.5, 0.9], [50, 3, 47])
    y = np.zeros(100)
    found = measure.binned(p, y, 10)
    for value in (0.2, 0.5, 0.9):
        assert len(set(found.which[p == value].tolist())) == 1
    assert found.count.sum() == 100
    assert np.isnan(found.predicted[found.count == 0]).all()
    assert found.ece == pytest.approx(p.mean())
    assert found.mce == pytest.approx(0.9)


def test_a_perfect_model_is_calibrated_up_to_chance() -> None:
    rng = np.random.default_rng(1)
    p = rng.random(200_000)
    y = (rng.random(200_000) < p).astype(float)
    found = measure.binned(p, y, 10)
    standard_errors = np.sqrt([(p[found.which == b] * (1 - p[found.which == b])).sum() for b in range(10)]) / found.count
    assert (np.abs(found.predicted - found.observed) < 4 * standard_errors).all()
    assert measure.squared_error(p, p) == 0


def test_brier_is_the_hidden_error_plus_what_no_model_can_change() -> None:
    """Exactly, in expectation over the outcome: p^2 (1 - t) + (1 - p)^2 t = (p - t)^2 + t (1 - t)."""
    rng = np.random.default_rng(2)
    p, truth = rng.random(1000), rng.random(1000)
    expected = measure.brier(p, np.zeros(1000)) + np.mean(((1 - p) ** 2 - p**2) * truth)
    assert expected == pytest.approx(measure.squared_error(p, truth) + np.mean(truth * (1 - truth)), abs=1e-12)


def test_brier_parts_in_bins() -> None:
    """Murphy: with predictions that are equal within bins, Brier = reliability - resolution + uncertainty, exactly."""
    rng = np.random.default_rng(3)
    p = rng.choice([0.1, 0.3, 0.8], 600)
    y = (rng.random(600) < 0.7 * p + 0.1).astype(float)
    found = measure.binned(p, y, 30)
    full = found.count > 0
    weight, f, o = found.count[full] / 600, found.predicted[full], found.observed[full]
    whole = weight @ (f - o) ** 2 - weight @ (o - y.mean()) ** 2 + y.mean() * (1 - y.mean())
    assert measure.brier(p, y) == pytest.approx(whole, abs=1e-12)


def test_brier_equals_scikit_learn_and_two_columns_equal_one() -> None:
    p, y = drawn()
    assert measure.brier(p, y) == pytest.approx(brier_score_loss(y, p))
    both = np.stack((p, 1 - p), 1), np.stack((y, 1 - y), 1)
    assert measure.brier(*both) == pytest.approx(measure.brier(p, y))


def test_divergence_by_definition_and_at_the_corners() -> None:
    truth, p = np.array([[0.3, 0.7], [1.0, 0.0]]), np.array([[0.5, 0.5], [0.8, 0.2]])
    assert measure.divergence(p, truth) == pytest.approx((0.3 * np.log(0.6) + 0.7 * np.log(1.4) + np.log(1 / 0.8)) / 2)
    assert measure.divergence(truth, truth) == pytest.approx(0, abs=1e-12)
    assert np.isfinite(measure.divergence(np.array([[0.0, 1.0]]), np.array([[1.0, 0.0]])))


def test_rank_correlation_equals_scipy_also_with_ties() -> None:
    rng = np.random.default_rng(4)
    for _ in range(20):
        a, b = rng.integers(5, size=12).astype(float), rng.integers(5, size=12).astype(float)
        assert measure.rank_correlation(a, b) == pytest.approx(spearmanr(a, b).statistic)
    assert np.isnan(measure.rank_correlation(np.ones(3), np.arange(3.0)))
    assert np.isnan(measure.rank_correlation(np.ones(1), np.ones(1)))
