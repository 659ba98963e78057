"""RAPS against its definition; without a price it is APS."""

from __future__ import annotations

from decimal import Decimal

import numpy as np
import pytest

from core.conformal.methods.photos import photos, tried
from glasshouse.families.conformal import calibrate
from glasshouse.families.conformal.methods.aps import APS
from glasshouse.families.conformal.methods.raps import RAPS
from glasshouse.schema.errors import BadValue


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


def test_sets_are_far_smaller_than_those_of_aps_at_the_same_coverage() -> None:
    """The paper's claim where there are many classes: over six draws at most .7 of APS's size, both covering .9 within 4 standard errors."""
    found = {name: np.mean([tried(name, seed, name == "raps") for seed in range(6)], axis=0) for name in ("aps", "raps")}
    assert found["raps"][0] < 0.7 * found["aps"][0]
    for size_and_coverage in found.values():
        assert abs(size_and_coverage[1] - 0.9) < 4 * np.sqrt(0.09 / 1050 + 0.09 / 1500) / np.sqrt(6)


def test_tuning_is_the_authors_rule() -> None:
    """free: the higher 1 - alpha quantile of the true label's rank; penalty: of five the one of the smallest sets, counted by brute force."""
    probs, labels = photos(0, 200, 30)
    u = np.random.default_rng(0).random(200)
    tuned = RAPS().tuned(probs, labels, u, 0.1)
    ranks = (probs > probs[np.arange(200), labels][:, None]).sum(axis=1) + 1
    assert tuned.free == np.quantile(ranks, 0.9, method="higher")
    sizes = []
    for penalty in RAPS.penalties:
        scores = RAPS(penalty=penalty, free=tuned.free).score(probs, u)
        sizes.append((scores <= np.sort(scores[np.arange(200), labels])[181 - 1]).sum())
    assert tuned.penalty == RAPS.penalties[int(np.argmin(sizes))]


def test_points_that_tune_do_not_calibrate() -> None:
    probs, labels = photos(0, 300, 30)
    c = calibrate(probs, labels, "raps", randomized=True, tune=0.1)
    assert c.n == 210
    assert c.method == calibrate(probs, labels, "raps", randomized=True, tune=Decimal("0.1")).method
    groups = np.arange(300) % 2
    assert calibrate(probs, labels, "raps", tune=0.1, groups=groups).n == 210
    for wrong, word in (({"tune": 0.1, "penalty": 0.2}, "penalty is not allowed beside tune"), ({"tune": 0}, "alpha"),
                        ({"tune": 0.001}, "needs 999 points to tune on: 30 % of 300 are 90"), ({"score": "aps", "tune": 0.1}, "tunes nothing")):
        with pytest.raises(BadValue, match=word):
            calibrate(probs, labels, **{"score": "raps", **wrong})
