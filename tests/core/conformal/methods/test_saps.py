"""SAPS against its definition: of all probabilities it believes only the largest."""

from __future__ import annotations

import numpy as np
import pytest

from core.conformal.methods.photos import photos, tried
from glasshouse.families.conformal import calibrate
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


def test_sets_are_smaller_than_those_of_aps_and_no_larger_than_those_of_raps() -> None:
    """The paper's claim where the tail is noise, each tuned as its paper does: over six draws, with a slack of a tenth against RAPS."""
    found = {name: np.mean([tried(name, seed, name != "aps") for seed in range(6)], axis=0) for name in ("aps", "raps", "saps")}
    assert found["saps"][0] < 0.6 * found["aps"][0]
    assert found["saps"][0] < 1.1 * found["raps"][0]
    assert abs(found["saps"][1] - 0.9) < 4 * np.sqrt(0.09 / 1200 + 0.09 / 1500) / np.sqrt(6)


def test_tuning_takes_the_step_of_the_smallest_sets() -> None:
    probs, labels = photos(0, 200, 30)
    u = np.random.default_rng(0).random(200)
    sizes = []
    for step in SAPS.steps:
        scores = SAPS(step=step).score(probs, u)
        sizes.append((scores <= np.sort(scores[np.arange(200), labels])[181 - 1]).sum())
    assert SAPS().tuned(probs, labels, u, 0.1).step == SAPS.steps[int(np.argmin(sizes))]
    assert SAPS.steps == (0.02, 0.05, 0.1, 0.15, 0.2, 0.25, 0.3, 0.35, 0.4, 0.45, 0.5, 0.55, 0.6)
    assert calibrate(*photos(0, 300, 30), "saps", tune=0.1).n == 240
