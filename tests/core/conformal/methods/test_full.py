"""Full conformal: closed form against a refit for every candidate of a grid, and its exact coverage."""

from __future__ import annotations

import itertools
import math
from fractions import Fraction

import numpy as np
import pytest
from sklearn.kernel_ridge import KernelRidge
from sklearn.linear_model import Ridge as TheirRidge
from sklearn.neighbors import KNeighborsRegressor
from sklearn.tree import DecisionTreeRegressor

from glasshouse.families.conformal.intervals import Ridge, calibrate_regression
from glasshouse.families.conformal.intervals.ridge import OneMore
from glasshouse.families.conformal.methods.intervals.full import ties
from glasshouse.families.conformal.ranks import threshold_rank
from glasshouse.schema.errors import Unsupported


def drawn(n: int, p: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(n, p))
    return x, x @ np.linspace(1, 2, p) + rng.standard_t(4, n)


def p_by_refit(x: np.ndarray, y: np.ndarray, model: object, row: np.ndarray, candidate: float) -> float:
    both, targets = np.vstack((x, row)), np.append(y, candidate)
    residuals = np.abs(targets - np.ravel(model.fit(both, targets).predict(both)))  # type: ignore[attr-defined]
    return (1 + int((residuals[:-1] >= residuals[-1]).sum())) / (len(y) + 1)


@pytest.mark.parametrize(("penalty", "far"), [(1.0, 1.0), (0.01, 1.0), (0.01, 5.0)])
def test_equals_a_refit_for_every_candidate(penalty: float, far: float) -> None:
    """Also at points of great leverage (far), where the set may have gaps: the interval is the hull of what the grid keeps."""
    (x, y), (new, _) = drawn(17, 3), drawn(4, 3, 1)
    c = calibrate_regression(method="full", fit=(x, y, Ridge(penalty)))
    finite = 0
    for row in new * far:
        for alpha in (0.1, 0.2, 0.35, 0.6):
            low, high = c.interval(row[None], alpha)[0]
            for end, outwards in ((low, -1.0), (high, 1.0)):
                if np.isinf(end):
                    assert p_by_refit(x, y, Ridge(penalty), row, outwards * 1e7) > alpha
                    continue
                finite += 1
                beyond = end + outwards * np.geomspace(1e-7, 100, 120)
                assert p_by_refit(x, y, Ridge(penalty), row, end - outwards * 1e-7) > alpha
                assert all(p_by_refit(x, y, Ridge(penalty), row, v) <= alpha for v in beyond)
            if far == 1.0:
                assert all(p_by_refit(x, y, Ridge(penalty), row, v) > alpha for v in np.linspace(low, high, 102)[1:-1]), "no gaps"
    assert finite > 8


def by_counting(r: list[Fraction], g: list[Fraction], at_least: int) -> tuple[float, float]:
    """Hull of {t: #{|r - g t| >= |t|} >= at_least} in rationals: counted at every tie, between ties and beyond them."""
    roots = sorted({a / (1 + b) for a, b in zip(r, g, strict=True) if b != -1} | {-a / (1 - b) for a, b in zip(r, g, strict=True) if b != 1}
                   | {Fraction(0)})
    between = [(a + b) / 2 for a, b in itertools.pairwise(roots)]
    ts = sorted([roots[0] - 1, *roots, *between, roots[-1] + 1])
    kept = [t for t in ts if sum(abs(a - b * t) >= abs(t) for a, b in zip(r, g, strict=True)) >= at_least]
    return (-math.inf if kept[0] == ts[0] else float(kept[0])), (math.inf if kept[-1] == ts[-1] else float(kept[-1]))


def test_gaps_half_lines_and_touching_sets_by_counting() -> None:
    """Pulls above, at and below 1, residuals of 0 included: every case of the closed form, hull and all, exactly."""
    rng = np.random.default_rng(3)
    for _ in range(200):
        n = 6
        g = rng.choice([-2.5, -1.0, -0.5, 0.0, 0.75, 1.0, 1.5], n)
        r = rng.choice([-1.0, 0.0, 0.5, 2.0], n)
        ladder = ties(OneMore(r[None], g[None], np.zeros(1), np.ones(1)))
        for at_least in range(1, n + 1):
            found = tuple(float(v[0]) for v in ladder.ends(n + 1 - at_least))
            assert found == by_counting([Fraction(v) for v in r], [Fraction(v) for v in g], at_least)


@pytest.mark.parametrize("model", [TheirRidge(alpha=0.5), KernelRidge(alpha=0.3, kernel="rbf"), KNeighborsRegressor(4)],
                         ids=["ridge", "kernel", "knn"])
def test_any_linear_smoother_by_two_fits_a_point(model: object) -> None:
    (x, y), (new, _) = drawn(15, 2), drawn(3, 2, 1)
    c = calibrate_regression(method="full", fit=(x, y, model))
    for row in new:
        low, high = c.interval(row[None], 0.2)[0]
        for v, inside in ((low + 1e-6, True), (high - 1e-6, True), (low - 1e-6, False), (high + 1e-6, False)):
            assert (p_by_refit(x, y, model, row, v) > 0.2) == inside


def test_closed_form_equals_two_fits_a_point() -> None:
    (x, y), (new, _) = drawn(30, 4), drawn(8, 4, 1)
    ours, theirs = (calibrate_regression(method="full", fit=(x, y, m)) for m in (Ridge(0.5), TheirRidge(alpha=0.5)))
    for alpha in (0.05, 0.1, 0.5):
        assert ours.interval(new, alpha) == pytest.approx(theirs.interval(new, alpha), abs=1e-8)


def test_estimators_it_cannot_use_are_refused() -> None:
    x, y = drawn(15, 2)
    for model, word in ((DecisionTreeRegressor(max_depth=2, random_state=0), "not linear"), (KNeighborsRegressor(1), "goes through")):
        with pytest.raises(Unsupported, match=word):
            calibrate_regression(method="full", fit=(x, y, model)).interval(x[:2] + 0.1)
    with pytest.raises(Unsupported, match="no threshold"):
        calibrate_regression(method="full", fit=(x, y, Ridge())).threshold(0.1)


def test_covers_exactly_as_promised() -> None:
    """One test point a sample, so that 1,200 tosses are independent: between 1 - alpha and 1 - alpha + 1 / (n + 1), with 4 standard errors."""
    n, total = 24, 1200
    held = {0.1: 0, 0.3: 0}
    for seed in range(total):
        x, y = drawn(n + 1, 5, seed)
        c = calibrate_regression(method="full", fit=(x[:n], y[:n], Ridge(0.1)))
        for alpha in held:
            low, high = c.interval(x[n:], alpha)[0]
            held[alpha] += bool(low <= y[n] <= high)
    for alpha, count in held.items():
        se = math.sqrt(alpha * (1 - alpha) / total)
        assert 1 - alpha - 4 * se <= count / total <= threshold_rank(n, alpha) / (n + 1) + 4 * se
