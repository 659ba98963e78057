"""Clustered conformal prediction against what it must find, and its promise cluster by cluster."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest

import glasshouse as gh
from glasshouse.families.conformal.calibration import fit
from glasshouse.families.conformal.methods.clustered import LEVELS, Clustered, k_means, quantiles
from glasshouse.families.conformal.methods.lac import LAC
from glasshouse.families.conformal.ranks import threshold_rank
from glasshouse.numerics.seeds import Seeds

K = 6
EASY = np.array([0, 2, 4])           # classes whose true label gets much probability; the others get little


def drawn(n: int, purpose: int, count: np.ndarray | None = None) -> tuple[np.ndarray, np.ndarray]:
    """Two kinds of classes: p of the true label is Beta(8, 2) for the easy ones and Beta(2, 4) for the others."""
    rng = Seeds(purpose).numpy("clustered test")
    labels = rng.integers(K, size=n) if count is None else np.repeat(np.arange(K), count)
    p = np.where(np.isin(labels, EASY), rng.beta(8, 2, len(labels)), rng.beta(2, 4, len(labels)))
    probs = np.repeat((1 - p)[:, None] / (K - 1), K, axis=1)
    probs[np.arange(len(labels)), labels] = p
    return probs, labels


def made(method: Clustered, probs: np.ndarray, labels: np.ndarray, seed: int = 0):  # type: ignore[no-untyped-def]
    zeros = np.zeros(len(labels), np.int64)
    return fit(method, probs, labels, np.full(len(labels), 0.5), zeros, 1, Seeds(seed)).cells


def test_quantiles_are_order_statistics_by_count() -> None:
    scores = np.random.default_rng(1).random(37)
    for q, found in zip(LEVELS, quantiles(scores), strict=True):
        assert (scores <= found).sum() == math.ceil(round(37 * q, 9))
    assert quantiles(np.arange(1.0, 11)) == [5, 6, 7, 8, 9]


@pytest.mark.parametrize("k", [2, 3])
def test_k_means_finds_the_best_partition(k: int) -> None:
    """Against every partition of seven points."""
    rng = np.random.default_rng(k)
    points, weights = rng.random((7, 2)), rng.random(7) + 0.2

    def cost(of: np.ndarray) -> float:
        return sum(float((weights[of == c, None] * (points[of == c] - np.average(points[of == c], axis=0, weights=weights[of == c])) ** 2).sum())
                   for c in set(of.tolist()))

    best = min(cost(np.array(of)) for of in itertools.product(range(k), repeat=7))
    assert cost(k_means(points, weights, k, Seeds(0))) == pytest.approx(best)


def test_the_paper_s_numbers_of_points_and_clusters() -> None:
    share, clusters = Clustered().sizes(np.full(100, 40))           # floor(40 * 100 / 175) = 22 points of each, 11 clusters
    assert (share, clusters) == (22 / 40, 11)
    share, clusters = Clustered().sizes(np.array([5, *[40] * 99]))  # the rarest is below ``rare``: 9 count, floor(9 * 99 / 174) = 5
    assert (share, clusters) == (5 / 9, 2)


def test_two_kinds_of_classes_make_two_clusters() -> None:
    cells = made(Clustered(clusters=2), *drawn(1200, 3))
    assert cells.kind == "cluster"
    assert cells.names == ("0, 2, 4", "1, 3, 5")
    assert cells.of_class is not None
    assert cells.of_class.tolist() == [0, 1] * 3


def test_clusters_use_only_points_that_did_not_make_them() -> None:
    probs, labels = drawn(1200, 3)
    cells = made(Clustered(clusters=2), probs, labels)
    placed = Seeds(0).numpy("clustering part").random(len(labels)) < Clustered(clusters=2).sizes(np.bincount(labels))[0]
    assert 0 < placed.sum() < len(labels)
    true = 1 - probs[np.arange(len(labels)), labels]
    for number, classes in enumerate(([0, 2, 4], [1, 3, 5])):
        assert np.array_equal(cells.scores[number], np.sort(true[~placed & np.isin(labels, classes)]))


def test_one_cluster_is_split_conformal() -> None:
    probs, labels = drawn(300, 5)
    one = made(Clustered(clusters=1), probs, labels)
    plain = fit(LAC(), probs, labels, np.full(300, 0.5), np.zeros(300, np.int64), 1, Seeds(0)).cells
    assert (one.kind, len(one.scores)) == ("all", 1)
    assert np.array_equal(one.scores[0], plain.scores[0])


def test_rare_classes_take_the_threshold_of_all_and_are_promised_nothing() -> None:
    probs, labels = drawn(0, 6, np.array([100, 100, 3, 100, 100, 0]))
    zeros = np.zeros(len(labels), np.int64)
    fitted = fit(Clustered(clusters=2, rare=9), probs, labels, np.full(len(labels), 0.5), zeros, 1, Seeds(0))
    cells = fitted.cells
    assert cells.rare
    assert cells.names[-1] == "rare: 2, 5"
    assert cells.of_class is not None
    assert cells.of_class[2] == cells.of_class[5] == len(cells.scores) - 1
    rest = sum(len(s) for s in cells.scores[:-1])
    assert rest <= len(cells.scores[-1]) <= rest + 3               # all that calibrate, the rare ones among them
    assert fitted.n == len(cells.scores[-1]) == len(fitted.scores) < len(labels)
    assert "but that of the rare ones" in fitted.guarantee.statement
    assert fitted.guarantee.kind == "group"
    session = gh.open("conformal.clustered", rare=48, clusters=2)
    list(session.events())
    sets = session.look(alpha=0.1)
    assert sets.calibrated.n < 500
    assert np.isnan(sets.cell_band[-1]).all()
    assert np.isfinite(sets.cell_band[:-1]).all()
    assert "rare" in session.guarantee.statement


@pytest.mark.parametrize("asked", [2, 9, 10, 12, 50])
def test_however_many_clusters_are_asked_half_of_the_points_calibrate(asked: int) -> None:
    session = gh.open("conformal.clustered", clusters=asked)
    list(session.events())
    sets = session.look(alpha=0.1)
    assert len(sets.calibrated.cell_names) <= min(asked, 10)
    assert sets.calibrated.n > 200


def test_with_too_few_points_it_is_split_conformal_and_says_so() -> None:
    session = gh.open("conformal.clustered", "digits:calibration_size=60")
    list(session.events())
    assert (session.look(alpha=0.1).calibrated.cells, session.guarantee.kind) == ("all", "marginal")


def test_every_cluster_is_covered_and_the_hard_one_is_not_by_one_threshold() -> None:
    """400 draws of n = 240: the mean coverage of each kind is at least 1 - alpha - 4 standard errors; one threshold for all misses the hard."""
    alpha, covered, pooled = 0.2, [], []
    for draw in range(400):
        probs, labels = drawn(240, 1000 + draw)
        new, truth = drawn(300, 5000 + draw)
        true = 1 - new[np.arange(300), truth]
        cells = made(Clustered(clusters=2), probs, labels, seed=draw)
        assert cells.of_class is not None
        limit = np.array([s[k - 1] if (k := threshold_rank(len(s), alpha)) <= len(s) else np.inf for s in cells.scores])
        held = true <= limit[cells.of_class[truth]]
        hard = ~np.isin(truth, EASY)
        covered.append([held[hard].mean(), held[~hard].mean()])
        all_scores = np.sort(1 - probs[np.arange(240), labels])
        pooled.append((true <= all_scores[threshold_rank(240, alpha) - 1])[hard].mean())
    mean, error = np.mean(covered, axis=0), np.std(covered, axis=0) / 20
    assert (mean > 1 - alpha - 4 * error).all()
    assert np.mean(pooled) < 1 - alpha - 0.1


def test_the_run_says_its_clusters_and_its_promise() -> None:
    session = gh.open("conformal.clustered", clusters=3)
    list(session.events())
    sets = session.look(alpha=0.1)
    assert len(sets.calibrated.cell_names) == 3
    assert sorted(int(c) for name in sets.calibrated.cell_names for c in name.split(", ")) == list(range(10))
    assert session.guarantee.kind == "group"
    assert "cluster" in session.guarantee.statement
