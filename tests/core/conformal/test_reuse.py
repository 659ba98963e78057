"""Predicting what was calibrated on is noticed; rows that are merely alike are not."""

from __future__ import annotations

import pickle

import numpy as np
import pytest

from glasshouse.families.conformal import calibrate
from glasshouse.families.conformal.reuse import Reuse


def softmax_rows(n: int, classes: int, seed: int) -> np.ndarray:
    return np.random.default_rng(seed).dirichlet(np.ones(classes), n)


def tree_rows(n: int, classes: int, seed: int, leaves: int) -> np.ndarray:
    """What a tree says: one of few rows, some of them rare."""
    said = np.random.default_rng(0).dirichlet(np.ones(classes), leaves)
    return said[np.minimum(np.random.default_rng(seed).geometric(3 / leaves, n) - 1, leaves - 1)]


def forest_rows(n: int, seed: int, trees: int) -> np.ndarray:
    """Two classes, votes of that many trees."""
    rng = np.random.default_rng(seed)
    p = rng.binomial(trees, rng.beta(0.5, 0.5, n)) / trees
    return np.stack((p, 1 - p), axis=1)


@pytest.mark.parametrize("classes", [2, 3, 10, 1000])
@pytest.mark.parametrize("size", [1, 20, 300])
def test_the_same_rows_again_are_noticed_and_new_ones_are_not(classes: int, size: int) -> None:
    known, new = softmax_rows(300, classes, 1), softmax_rows(300, classes, 2)
    reuse = Reuse(known)
    assert not any(reuse.noticed(new[i:i + size]) for i in range(0, 300, size))
    shuffled = np.random.default_rng(0).permutation(known)
    assert any(reuse.noticed(shuffled[i:i + size]) for i in range(0, 300, size))
    mixed = np.concatenate((known[:150], new[:150]))
    assert Reuse(known).noticed(mixed), "half of them are enough"
    assert not Reuse(known).noticed(new[:0])


@pytest.mark.parametrize("n", [30, 200, 2000])
def test_equal_rows_of_trees_and_forests_never_cry(n: int) -> None:
    """New points of the same model, 200 draws each."""
    for seed in range(200):
        for known, new in ((tree_rows(n, 3, seed, 12), tree_rows(100, 3, 1000 + seed, 12)),
                           (forest_rows(n, seed, 100), forest_rows(100, 1000 + seed, 100)),
                           (tree_rows(n, 3, seed, 400), tree_rows(100, 3, 1000 + seed, 400))):
            reuse = Reuse(known)
            assert not reuse.noticed(new)
            assert not any(reuse.noticed(row[None]) for row in new[:30])


def test_half_certain_rows_are_noticed_by_the_others() -> None:
    rows = np.concatenate((np.repeat(np.eye(3), 50, axis=0), softmax_rows(150, 3, 3)))
    assert Reuse(rows).noticed(rows)
    assert not Reuse(np.repeat(np.eye(3), 50, axis=0)).noticed(np.repeat(np.eye(3), 50, axis=0))


def test_it_is_said_by_rank_and_survives_a_pickle(caplog: pytest.LogCaptureFixture) -> None:
    probs = softmax_rows(50, 2, 4)
    c = pickle.loads(pickle.dumps(calibrate(probs, np.arange(50) % 2)))
    c.rank(softmax_rows(50, 2, 5))
    assert not caplog.records
    c.rank(probs)
    assert "calibrated on" in caplog.text
