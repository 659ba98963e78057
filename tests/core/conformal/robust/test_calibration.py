"""Robust sets of a person's own noisy probabilities: the strongest attack on a linear model is known, so coverage under it is measured."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from scipy.special import expit

from glasshouse.families.conformal import calibrate_robust
from glasshouse.schema.errors import GlasshouseError

SIGMA, COPIES, RADIUS = 0.5, 256, 0.2
TOWARDS = np.array([0.6, 0.8])                  # the unit normal of the line between two classes


def _points(rng: np.random.Generator, n: int) -> tuple[np.ndarray, np.ndarray]:
    labels = rng.integers(2, size=n)
    return (2 * labels - 1)[:, None] * TOWARDS * 0.7 + rng.normal(size=(n, 2)) * 0.4, labels


def _copies(rng: np.random.Generator, x: np.ndarray) -> np.ndarray:
    noisy = x[:, None] + SIGMA * rng.normal(size=(len(x), COPIES, 2))
    yes = expit(4 * noisy @ TOWARDS)
    return np.stack((1 - yes, yes), axis=-1)


@pytest.mark.parametrize("base", ["hps", "aps"])
@pytest.mark.parametrize("transform", ["ptt", "none"])
def test_coverage_under_the_strongest_attack(base: str, transform: str) -> None:
    """The attack along the normal moves every copy's score the most. Mean coverage over 40 draws, 4 standard errors of slack."""
    rng = np.random.default_rng(0)
    covered, clean_sizes = [], []
    for seed in range(40):
        (x, y), (xh, yh), (xt, yt) = (_points(rng, n) for n in (150, 100, 150))
        holdout = _copies(rng, xh)[:, 0]
        knobs: dict[str, Any] = {"holdout": holdout, "holdout_labels": yh} if transform == "ptt" else {}
        found = calibrate_robust(_copies(rng, x), y, SIGMA, seed=seed, base=base, **knobs)
        attacked = xt - RADIUS * (2 * yt - 1)[:, None] * TOWARDS
        covered.append(found.sets(_copies(rng, attacked), RADIUS, alpha=0.2)[np.arange(len(yt)), yt].mean())
        clean_sizes.append(found.sets(_copies(rng, xt), 0.0, alpha=0.2).sum(axis=1).mean())
        assert found.guarantee.kind == "adversarial"
    assert np.mean(covered) >= 0.8 - 4 * np.std(covered) / np.sqrt(40)
    assert base == "aps" or np.mean(clean_sizes) < 1.9      # not by being full


def test_a_larger_radius_only_adds_labels_and_plain_rscp_promises_nothing() -> None:
    rng = np.random.default_rng(1)
    x, y = _points(rng, 200)
    found, probs = calibrate_robust(_copies(rng, x), y, SIGMA), _copies(rng, x[:20])
    rows = [found.sets(probs, radius, u=np.full(20, 0.5)) for radius in (0.0, 0.1, 0.3)]
    assert (rows[0] <= rows[1]).all()
    assert (rows[1] <= rows[2]).all()
    assert calibrate_robust(probs, y[:20], SIGMA, variant="rscp").guarantee.kind == "heuristic"


@pytest.mark.parametrize(("values", "argument"), [
    ({"copies": np.full((3, 20), 0.5)}, "copies"), ({"copies": np.full((3, 8, 2), 0.5)}, "copies"), ({"copies": np.full((3, 20, 2), 0.7)}, "copies"),
    ({"labels": [0, 1]}, "labels"), ({"labels": [0, 1, 2]}, "labels"), ({"sigma": -1}, "sigma"),
    ({"holdout": np.full((2, 2), 0.5)}, "holdout_labels"),
    ({"transform": "ptt"}, "transform"), ({"n_mc": 20}, "n_mc"), ({"seed": 0.5}, "seed"), ({"base": "raps"}, "base")])
def test_bad_arguments_are_named(values: dict[str, Any], argument: str) -> None:
    with pytest.raises(GlasshouseError) as caught:
        calibrate_robust(**{"copies": np.full((3, 20, 2), 0.5), "labels": [0, 1, 0], "sigma": 0.5, **values})
    assert caught.value.argument == argument


def test_bad_test_points_are_named() -> None:
    found = calibrate_robust(np.full((30, 20, 2), 0.5), np.zeros(30, int), 0.5)
    for values, argument in (({"copies": np.full((3, 16, 2), 0.5)}, "copies"), ({"radius": -1.0}, "radius"), ({"radius": "far"}, "radius"),
                             ({"alpha": 0}, "alpha"), ({"beta": 2}, "beta"), ({"u": [2.0] * 3}, "u")):
        with pytest.raises(GlasshouseError) as caught:
            found.sets(**{"copies": np.full((3, 20, 2), 0.5), "radius": 0.1, **values})  # type: ignore[arg-type]
        assert caught.value.argument == argument
