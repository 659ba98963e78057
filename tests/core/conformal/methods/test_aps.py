"""APS against its definition, its law under a perfect model, and exact coverage."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import kstest

from glasshouse.families.conformal import calibrate
from glasshouse.families.conformal.methods.aps import APS

GOLDEN = np.array([[0.5, 0.3, 0.2]])
U = np.array([0.4])


def test_golden_vector() -> None:
    assert APS().score(GOLDEN, U)[0] == pytest.approx([0.2, 0.62, 0.88], abs=1e-15)
    assert APS(randomized=False).score(GOLDEN, U)[0] == pytest.approx([0.5, 0.8, 1.0], abs=1e-15)


def by_definition(p: np.ndarray, u: float, y: int) -> float:
    """Mass of the labels before y (larger p, or equal p and a smaller number), plus u of its own."""
    before = [k for k in range(len(p)) if p[k] > p[y] or (p[k] == p[y] and k < y)]
    return float(sum(p[k] for k in before) + u * p[y])


def test_definition_also_with_ties() -> None:
    rng = np.random.default_rng(0)
    probs = rng.multinomial(8, np.full(5, 0.2), 200) / 8
    u = rng.random(200)
    scores = APS().score(probs, u)
    for i in range(200):
        assert scores[i] == pytest.approx([by_definition(probs[i], u[i], y) for y in range(5)], abs=1e-12)


def test_score_of_the_truth_is_uniform_when_the_model_is_the_law() -> None:
    rng = np.random.default_rng(1)
    probs = rng.dirichlet(np.full(6, 0.5), 20_000)
    labels = (rng.random((20_000, 1)) > probs.cumsum(axis=1)[:, :-1]).sum(axis=1)
    scores = APS().score(probs, rng.random(20_000))[np.arange(20_000), labels]
    assert kstest(scores, "uniform").pvalue > 0.01


def test_sets_are_prefixes_of_the_ranking() -> None:
    rng = np.random.default_rng(2)
    probs = rng.dirichlet(np.full(50, 0.1), 500)
    labels = rng.integers(50, size=500)
    for randomized in (True, False):
        sets = calibrate(probs[:200], labels[:200], "aps", randomized=randomized).predict(probs[200:], 0.3)
        order = np.argsort(-probs[200:], axis=1, kind="stable")
        inside = np.take_along_axis(sets, order, axis=1)
        assert (inside[:, 1:] <= inside[:, :-1]).all()


@pytest.mark.parametrize("randomized", [True, False])
def test_covers_nine_tenths_neither_more_nor_less(randomized: bool) -> None:
    """2,000 draws of 500 calibration and 100 test points: the bar is .897 to .903, for both forms."""
    rng = np.random.default_rng(3)
    covered = 0.0
    for _ in range(2000):
        probs = rng.dirichlet(np.full(4, 0.7), 600)
        labels = (rng.random((600, 1)) > probs.cumsum(axis=1)[:, :-1]).sum(axis=1)
        scores = APS(randomized=randomized).score(probs, rng.random(600))[np.arange(600), labels]
        covered += float((scores[500:] <= np.sort(scores[:500])[450]).mean())      # k = ceil(501 * 0.9) = 451
    assert 0.897 <= covered / 2000 <= 0.903
