"""Randomness by address: equal addresses agree, different ones do not, and the numbers are uniform."""

from __future__ import annotations

import numpy as np
from scipy.stats import kstest

from glasshouse.numerics.seeds import Seeds


def test_an_address_is_a_stream() -> None:
    a, b = Seeds(3), Seeds(3)
    assert a.uniform("accept", 5, 1) == b.uniform("accept", 5, 1)
    assert a.numpy("draft", 2).random(4).tolist() == b.numpy("draft", 2).random(4).tolist()
    assert a.torch("x", 1).initial_seed() == b.torch("x", 1).initial_seed()
    others = {a.key("accept", 5, 1), a.key("accept", 51), a.key("accept", 5), a.key("target", 5, 1), Seeds(4).key("accept", 5, 1)}
    assert len(others) == 5


def test_addressed_numbers_are_uniform_and_independent_of_their_neighbours() -> None:
    u = np.asarray([[Seeds(0).uniform("accept", i, j) for j in range(2)] for i in range(4000)])
    assert ((u >= 0) & (u < 1)).all()
    assert kstest(u.ravel(), "uniform").pvalue > 1e-3
    assert abs(np.corrcoef(u.T)[0, 1]) < 5 / np.sqrt(len(u))
