"""The jackknife+ against brute force, its theorem, and what is known of its middle."""

from __future__ import annotations

import copy
import math
from typing import Any

import numpy as np
import pytest
from sklearn.linear_model import Ridge as TheirRidge
from sklearn.neighbors import KNeighborsRegressor

from glasshouse import runs
from glasshouse.families.conformal.intervals import Ridge, calibrate_regression
from glasshouse.schema.events.conformal_intervals import Redraws


def drawn(n: int, p: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(n, p))
    return x, x @ np.linspace(1, 2, p) + rng.standard_t(3, n)


def brute(x: np.ndarray, y: np.ndarray, model: Any, new: np.ndarray, alpha: float) -> np.ndarray:
    """n fits, then order statistics by counting: the definition with loops."""
    n, found = len(y), []
    fits = []
    for i in range(n):
        rest = [j for j in range(n) if j != i]
        own = copy.deepcopy(model)
        own.fit(x[rest], y[rest])
        fits.append((own, abs(y[i] - float(np.ravel(own.predict(x[i:i + 1]))[0]))))
    low_at, high_at = math.floor(alpha * (n + 1) + 1e-9), math.ceil((1 - alpha) * (n + 1) - 1e-9)
    for row in new:
        f = [(float(np.ravel(own.predict(row[None]))[0]), r) for own, r in fits]
        low = sorted(v - r for v, r in f)
        high = sorted(v + r for v, r in f)
        found.append((low[low_at - 1] if low_at >= 1 else -math.inf, high[high_at - 1] if high_at <= n else math.inf))
    return np.array(found)


@pytest.mark.parametrize("model", [Ridge(0.7), TheirRidge(alpha=0.7), KNeighborsRegressor(3)], ids=["ours", "ridge", "knn"])
def test_equals_brute_force(model: Any) -> None:
    (x, y), (new, _) = drawn(23, 3), drawn(6, 3, 1)
    c = calibrate_regression(method="jackknife-plus", fit=(x, y, model))
    for alpha in (0.02, 0.05, 0.1, 0.25, 0.5, 0.9):
        assert c.interval(new, alpha) == pytest.approx(brute(x, y, model, new, alpha), abs=1e-9)


def test_closed_form_equals_the_same_model_by_duck_typing() -> None:
    (x, y), (new, _) = drawn(40, 20), drawn(15, 20, 1)
    ours, theirs = (calibrate_regression(method="jackknife-plus", fit=(x, y, m)) for m in (Ridge(0.3), TheirRidge(alpha=0.3)))
    assert ours.interval(new, 0.1) == pytest.approx(theirs.interval(new, 0.1), abs=1e-8)
    assert ours.threshold(0.1) == pytest.approx(theirs.threshold(0.1))


def test_the_median_of_the_left_out_forecasts_is_inside_up_to_one_half() -> None:
    (x, y), (new, _) = drawn(31, 4), drawn(50, 4, 1)
    c = calibrate_regression(method="jackknife-plus", fit=(x, y, Ridge(0.1)))
    middle = c.rule.center(new)
    for alpha in (0.05, 0.2, 0.5):
        low, high = c.interval(new, alpha).T
        assert ((low <= middle) & (middle <= high)).all()


def test_covers_at_least_as_claimed_and_about_as_aimed() -> None:
    """200 samples of 40 points with 20 features, where the plain jackknife of a bad fit would be at risk."""
    for alpha in (0.1, 0.3):
        covered = []
        for seed in range(200):
            (x, y), (new, truth) = drawn(40, 20, 2 * seed), drawn(50, 20, 2 * seed + 1)
            low, high = calibrate_regression(method="jackknife-plus", fit=(x, y, Ridge(0.01))).interval(new, alpha).T
            covered.append(((low <= truth) & (truth <= high)).mean())
        se = np.std(covered) / math.sqrt(200)
        assert np.mean(covered) >= 1 - 2 * alpha - 4 * se
        assert abs(np.mean(covered) - (1 - alpha)) < 0.03


def test_on_the_curve_it_is_narrower_than_split_with_few_points() -> None:
    width = {}
    for name in ("split", "jackknife-plus"):
        *_, found = runs.study(f"conformal.{name}", "redraws", "curve", options={"total": 60}, labelled=40)
        assert isinstance(found, Redraws)
        width[name] = found.mean_width[:, math.ceil((found.n + 1) * 0.8 - 1e-9) - 1].mean()
    assert width["jackknife-plus"] < 0.9 * width["split"]


def test_the_claim_and_the_caller_s_model() -> None:
    x, y = drawn(30, 2)
    model = TheirRidge(alpha=1.0)
    c = calibrate_regression(method="jackknife-plus", fit=(x, y, model))
    assert "1 - 2 alpha" in c.guarantee.statement
    assert c.method.claim(30) == (2, 0.0)
    assert not hasattr(model, "coef_")
