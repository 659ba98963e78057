"""SAPS against its definition: of all probabilities it believes only the largest."""

from __future__ import annotations

import numpy as np
import pytest

from glasshouse.families.conformal.methods.saps import SAPS


def test_golden_vector() -> None:
    scores = SAPS(step=0.2).score(np.array([[0.5, 0.3, 0.2]]), np.array([0.4]))
    assert scores[0] == pytest.approx([0.2, 0.58, 0.78], abs=1e-15)


def test_only_the_largest_probability_and_the_ranks_matter() -> None:
    rng = np.random.default_rng(0)
    top, u = rng.uniform(0.5, 0.9, 50), rng.random(50)
    rest = np.sort(rng.dirichlet(np.ones(4), (2, 50)), axis=2)[:, :, ::-1]
    one, two = (np.concatenate((top[:, None], (1 - top)[:, None] * r), axis=1) for r in rest)
    assert SAPS().score(one, u) == pytest.approx(SAPS().score(two, u), abs=1e-12)
