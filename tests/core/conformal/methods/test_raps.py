"""RAPS against its definition; without a price it is APS."""

from __future__ import annotations

import numpy as np
import pytest

from glasshouse.families.conformal.methods.aps import APS
from glasshouse.families.conformal.methods.raps import RAPS


def test_golden_vector() -> None:
    scores = RAPS(penalty=0.1, free=1).score(np.array([[0.5, 0.3, 0.2]]), np.array([0.4]))
    assert scores[0] == pytest.approx([0.2, 0.72, 1.08], abs=1e-15)


def test_no_price_is_aps() -> None:
    rng = np.random.default_rng(0)
    probs, u = rng.dirichlet(np.ones(7), 100), rng.random(100)
    for randomized in (True, False):
        assert (RAPS(penalty=0.0, randomized=randomized).score(probs, u) == APS(randomized=randomized).score(probs, u)).all()


def test_each_rank_beyond_the_free_ones_costs_the_penalty() -> None:
    rng = np.random.default_rng(1)
    probs, u = rng.dirichlet(np.ones(7), 100), rng.random(100)
    price = RAPS(penalty=0.25, free=3).score(probs, u) - APS().score(probs, u)
    rank = (-probs).argsort(axis=1).argsort(axis=1) + 1
    assert price == pytest.approx(0.25 * np.maximum(0, rank - 3), abs=1e-12)
