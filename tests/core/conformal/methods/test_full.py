"""Full conformal: closed form against a refit for every candidate of a grid, and its exact coverage."""

from __future__ import annotations

import itertools
import math
import warnings
from collections.abc import Callable
from fractions import Fraction

import numpy as np
import pytest
from sklearn.ensemble import RandomForestRegressor
from sklearn.feature_selection import SelectKBest, f_regression
from sklearn.kernel_approximation import RBFSampler
from sklearn.kernel_ridge import KernelRidge
from sklearn.linear_model import HuberRegressor, Lasso, RidgeCV, SGDRegressor
from sklearn.linear_model import Ridge as TheirRidge
from sklearn.neighbors import KNeighborsRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import SplineTransformer, StandardScaler
from sklearn.svm import SVR
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


class ByPlace:
    """Least squares that goes by the places of its rows: the last ones count for nothing, so a point put there is never learnt from."""

    def fit(self, x: np.ndarray, y: np.ndarray) -> None:
        self.model = Ridge(1e-3).fit(x[:-2], y[:-2])

    def predict(self, x: np.ndarray) -> np.ndarray:
        return self.model.predict(x)


def coverage(model: Callable[[int], object], alpha: float, draws: int, n: int = 16, **given: object) -> tuple[float, float]:
    """(observed coverage of one test point a sample, its claim less four standard errors); the sample that is refused is covered."""
    held, accepted = 0, 0
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for seed in range(draws):
            x, y = drawn(n + 1, 5, seed)
            try:
                low, high = calibrate_regression(method="full", fit=(x[:n], y[:n], model(seed)), **given).interval(x[n:], alpha)[0]  # type: ignore[arg-type]
            except Unsupported:
                continue
            accepted += 1
            held += bool(low <= y[n] <= high)
    found = held / accepted if accepted else 1.0
    return found, 1 - alpha - 4 * math.sqrt(alpha * (1 - alpha) / max(accepted, 1))


UNFIT = {
    "forest": lambda seed: RandomForestRegressor(3, random_state=seed),
    "small forest": lambda seed: RandomForestRegressor(3, max_depth=2, random_state=0),
    "tree": lambda seed: DecisionTreeRegressor(max_depth=3), "stump": lambda seed: DecisionTreeRegressor(max_depth=1),
    "random tree": lambda seed: DecisionTreeRegressor(max_depth=3, splitter="random", max_features=1, random_state=0),
    "one feature": lambda seed: make_pipeline(SelectKBest(f_regression, k=1), TheirRidge()),
    "four features": lambda seed: make_pipeline(SelectKBest(f_regression, k=4), TheirRidge()),
    "lasso": lambda seed: Lasso(0.1), "penalty by the data": lambda seed: RidgeCV(), "huber": lambda seed: HuberRegressor(),
    "support vectors": lambda seed: SVR(), "descent": lambda seed: SGDRegressor(random_state=seed), "by place": lambda seed: ByPlace()}


@pytest.mark.parametrize("name", UNFIT)
def test_refused_or_covered(name: str) -> None:
    """Forests, trees, chosen features: where one passes for linear, what it gives must cover. By place covers, its rows having no place here."""
    alpha = 0.2
    observed, claim = coverage(UNFIT[name], alpha, 200 if name == "by place" else 60 if name == "random tree" else 12)
    assert observed >= claim, name


def test_the_closed_form_is_for_ridge_itself_only() -> None:
    """A descendant may fit in any way: it is asked, not computed past."""
    class Halved(Ridge):
        def fit(self, x: np.ndarray, y: np.ndarray) -> Halved:
            super().fit(x, y)
            self.coefficients = self.coefficients / 2
            return self

    (x, y), (new, _) = drawn(20, 2), drawn(2, 2, 1)
    for row in new:
        low, high = calibrate_regression(method="full", fit=(x, y, Halved(0.5))).interval(row[None], 0.2)[0]
        assert p_by_refit(x, y, Halved(0.5), row, low + 1e-6) > 0.2 >= p_by_refit(x, y, Halved(0.5), row, low - 1e-6)
        assert p_by_refit(x, y, Halved(0.5), row, high - 1e-6) > 0.2 >= p_by_refit(x, y, Halved(0.5), row, high + 1e-6)
    left_out = [calibrate_regression(method="jackknife-plus", fit=(x, y, m(0.5))).interval(new) for m in (Halved, Ridge)]
    assert (left_out[0] != left_out[1]).any()


def test_why_an_estimator_is_refused() -> None:
    x, y = drawn(25, 5)
    for name, word in (("forest", "not linear"), ("four features", "not linear"), ("penalty by the data", "not linear")):
        with pytest.raises(Unsupported, match=word) as error:
            calibrate_regression(method="full", fit=(x, y, UNFIT[name](0)))
        assert "candidates" in str(error.value)
    for restless in (RandomForestRegressor(3), make_pipeline(RBFSampler(), TheirRidge())):
        with pytest.raises(Unsupported, match="each time"):
            calibrate_regression(method="full", fit=(x, y, restless))


def test_what_is_linear_passes() -> None:
    (x, y), (new, _) = drawn(25, 3), drawn(3, 3, 1)
    for model in (KernelRidge(kernel="rbf"), KNeighborsRegressor(4), make_pipeline(StandardScaler(), TheirRidge()),
                  make_pipeline(SplineTransformer(), TheirRidge()), make_pipeline(RBFSampler(random_state=0), TheirRidge()), ByPlace()):
        assert np.isfinite(calibrate_regression(method="full", fit=(x, y, model)).interval(new, 0.2)).all()


def test_refits_are_the_definition() -> None:
    """A fit for every candidate, on rounded targets, by hand: the hull of what is kept, between and beyond candidates; close ones come to ridge."""
    (x, y), (new, _) = drawn(15, 2), drawn(3, 2, 1)
    candidates = np.array([-6.0, -1.0, 0.0, 1.5, 7.0])
    nearest = candidates[np.abs(y[:, None] - candidates).argmin(axis=1)]
    model = Lasso(0.3, tol=1e-10)
    c = calibrate_regression(method="full", fit=(x, y, model), candidates=candidates[::-1])
    for row in new:
        kept, both = [], np.vstack((x, row))
        fits = [model.fit(both, np.append(nearest, to)).predict(both) for to in candidates]
        for t in np.linspace(-40, 40, 4001):
            f = fits[np.abs(t - candidates).argmin()]
            p = (1 + int((np.abs(y - f[:-1]) >= abs(t - f[-1])).sum())) / 16
            kept += [t] if p > 0.2 else []
        low, high = c.interval(row[None], 0.2)[0]
        assert low == pytest.approx(kept[0], abs=0.021)
        assert high == pytest.approx(kept[-1], abs=0.021)
    fine = calibrate_regression(method="full", fit=(x, y, Ridge(0.5)), candidates=np.linspace(-20, 20, 2001)).interval(new[:1], 0.2)
    assert fine == pytest.approx(calibrate_regression(method="full", fit=(x, y, Ridge(0.5))).interval(new[:1], 0.2), abs=0.02)
    assert (c.rank(new).interval(0.35) == c.interval(new, 0.35)).all()
    assert "candidates" in c.guarantee.statement
    assert "candidates" in c.guarantee.assumptions[-1]


@pytest.mark.parametrize(("name", "draws"), [("tree", 400), ("by place", 400), ("forest", 60), ("small forest", 60), ("four features", 120)])
def test_refits_cover_for_any_estimator(name: str, draws: int) -> None:
    """Truths fall between the candidates and beyond them; the forest's seed is fixed, so that without an order of their own rows would count."""
    observed, claim = coverage(UNFIT[name], 0.25, draws, candidates=np.linspace(-4, 4, 5))
    assert observed >= claim


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
