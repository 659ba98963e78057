"""CV+: the jackknife+ at one point a fold, brute force with fewer, and the theorem's claim."""

from __future__ import annotations

import math

import numpy as np
import pytest
from sklearn.linear_model import Ridge as TheirRidge

from glasshouse import runs
from glasshouse.families.conformal.intervals import Ridge, calibrate_regression
from glasshouse.families.conformal.methods.intervals.cv_plus import CVPlus
from glasshouse.numerics.seeds import Seeds
from glasshouse.schema.events.conformal_intervals import Redraws


def drawn(n: int, p: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(n, p))
    return x, x @ np.linspace(1, 2, p) + rng.normal(size=n)


def test_one_point_a_fold_is_the_jackknife() -> None:
    (x, y), (new, _) = drawn(24, 3), drawn(9, 3, 1)
    for model in (Ridge(0.5), TheirRidge(alpha=0.5)):
        for folds in (24, 400):
            cv, jackknife = (calibrate_regression(method=m, fit=(x, y, model), **k)  # type: ignore[arg-type]
                             for m, k in (("cv-plus", {"folds": folds}), ("jackknife-plus", {})))
            for alpha in (0.05, 0.1, 0.4):
                assert cv.interval(new, alpha) == pytest.approx(jackknife.interval(new, alpha), abs=1e-9)


@pytest.mark.parametrize(("n", "folds"), [(20, 5), (23, 5), (9, 2)])
def test_equals_brute_force(n: int, folds: int) -> None:
    (x, y), (new, _) = drawn(n, 2), drawn(5, 2, 1)
    fold = np.empty(n, int)
    fold[Seeds(7).numpy("folds").permutation(n)] = [i % folds for i in range(n)]
    assert max(np.bincount(fold)) - min(np.bincount(fold)) <= 1
    c = calibrate_regression(method="cv-plus", fit=(x, y, Ridge(0.2)), seed=7, folds=folds)
    models = [Ridge(0.2).fit(x[fold != k], y[fold != k]) for k in range(folds)]
    r = [abs(y[i] - float(models[fold[i]].predict(x[i:i + 1])[0])) for i in range(n)]
    k = math.ceil((n + 1) * 0.8 - 1e-9)
    for row, (low, high) in zip(new, c.interval(new, 0.2), strict=True):
        f = [float(models[fold[i]].predict(row[None])[0]) for i in range(n)]
        assert low == pytest.approx(sorted(a - b for a, b in zip(f, r, strict=True))[n - k])
        assert high == pytest.approx(sorted(a + b for a, b in zip(f, r, strict=True))[k - 1])


@pytest.mark.parametrize("folds", [2, 3, 5, 40])
def test_covers_at_least_as_claimed(folds: int) -> None:
    for alpha in (0.1, 0.25):
        covered = []
        for seed in range(150):
            (x, y), (new, truth) = drawn(40, 8, 2 * seed), drawn(50, 8, 2 * seed + 1)
            c = calibrate_regression(method="cv-plus", fit=(x, y, Ridge(0.01)), folds=folds, seed=seed)
            low, high = c.interval(new, alpha).T
            covered.append(((low <= truth) & (truth <= high)).mean())
        times, less = c.method.claim(40)
        assert np.mean(covered) >= 1 - times * alpha - less - 4 * np.std(covered) / math.sqrt(150)
        assert np.mean(covered) >= 1 - alpha - 0.03


def test_the_theorem_s_term() -> None:
    """It vanishes at K = n and is at most sqrt(2 / n) at any K that divides n; folds of several sizes have the first term alone."""
    assert CVPlus(folds=50).short_of(50) == 0
    assert CVPlus(folds=10).short_of(100) == pytest.approx(min(1.8 / 11, 0.9 / 11))
    for n in (4, 10, 40, 160, 1000):
        for k in range(2, min(n, 400) + 1):
            found, first = CVPlus(folds=k).short_of(n), 2 * (1 - 1 / k) / (n / k + 1)
            assert 0 <= found <= (math.sqrt(2 / n) if n % k == 0 else first + 1e-12)
            assert found == pytest.approx(first) or n % k == 0


def test_a_truth_outside_has_few_as_strange_in_its_folds() -> None:
    """What the proof for folds of several sizes counts: outside the interval, at most alpha (n + 1) - 1 residuals reach the new point's own."""
    for seed in range(40):
        (x, y), (new, _) = drawn(23, 4, seed), drawn(4, 4, 100 + seed)
        fold = np.empty(23, int)
        fold[Seeds(seed).numpy("folds").permutation(23)] = np.arange(23) % 5
        c = calibrate_regression(method="cv-plus", fit=(x, y, Ridge(0.1)), seed=seed, folds=5)
        models = [Ridge(0.1).fit(x[fold != k], y[fold != k]) for k in range(5)]
        r = np.array([abs(y[i] - float(models[fold[i]].predict(x[i:i + 1])[0])) for i in range(23)])
        for row, (low, high) in zip(new, c.interval(new, 0.25), strict=True):
            f = np.array([float(models[k].predict(row[None])[0]) for k in fold])
            for outside in (low - 1e-9, high + 1e-9, low - 3.0, high + 3.0):
                assert (r >= abs(outside - f)).sum() <= 0.25 * 24 - 1


def test_unequal_folds_are_told() -> None:
    x, y = drawn(23, 2)
    unequal = calibrate_regression(method="cv-plus", fit=(x, y, Ridge()), folds=5).guarantee
    assert unequal.kind == "marginal"
    assert "not all of one size, an interval holds the truth with probability at least 1 - 2 alpha - 0.286" in unequal.statement
    assert "not" not in calibrate_regression(method="cv-plus", fit=(x, y, Ridge()), folds=23).guarantee.statement


def test_redraws_of_the_curve_cover() -> None:
    *_, found = runs.study("conformal.cv-plus", "redraws", "curve", options={"total": 60}, labelled=80)
    assert isinstance(found, Redraws)
    covered = found.coverage[:, math.ceil(81 * 0.9) - 1]
    assert covered.mean() == pytest.approx(0.9, abs=0.03)
