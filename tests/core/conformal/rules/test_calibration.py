"""Rules on a person's own probabilities: the correction is the run's, which equals enumeration over all bits; coverage is counted."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import glasshouse as gh
from glasshouse import catalogue
from glasshouse.families.conformal import calibrate_rules
from glasshouse.schema.errors import GlasshouseError

HAS = np.array([[True, True, False], [True, False, False]])


def _points(rng: np.random.Generator, n: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    labels = rng.integers(3, size=n)
    doubt = 1 / (1 + np.exp(-(np.where(labels[:, None] == np.arange(3), 0.8, -0.8) + rng.normal(size=(n, 3)))))
    has = 1 / (1 + np.exp(-(np.where(HAS[:, labels].T, 2.0, -2.0) + rng.normal(size=(n, 2)))))
    return doubt, has, labels


def test_sets_are_those_of_the_run() -> None:
    session = gh.open("conformal.colep", problem="tiny")
    events = list(session.events())
    seen = session.look(alpha=0.2, radius=0.0)
    evidence = catalogue.problem("conformal.rules", "tiny").open()
    known, test = evidence.calibration, evidence.test
    found = calibrate_rules(evidence.votes[known, :3], evidence.votes[known, 3:], evidence.labels[known], evidence.implies)
    assert np.array_equal(found.sets(evidence.votes[test, :3], evidence.votes[test, 3:], 0.2), seen.sets[1])
    assert np.array_equal(found.corrected(evidence.votes[test, :3], evidence.votes[test, 3:]), events[-1].after)


@pytest.mark.parametrize("calibration", ["one threshold", "one a class", "as published"])
def test_coverage_is_as_promised(calibration: str) -> None:
    rng = np.random.default_rng(0)
    covered = []
    for seed in range(100):
        found = calibrate_rules(*_points(rng, 90), HAS, seed=seed, calibration=calibration)
        probs, has, labels = _points(rng, 90)
        covered.append(found.sets(probs, has, 0.1)[np.arange(90), labels].mean())
        assert found.guarantee.kind == ("class" if calibration == "one a class" else "marginal")
        assert not any("attack" in a for a in found.guarantee.assumptions)
    least = 0.7 if calibration == "as published" else 0.9
    assert np.mean(covered) >= least - 4 * np.std(covered) / 10
    if calibration == "one threshold":
        assert np.mean(covered) < 0.9 + 1 / 91 + 4 * np.std(covered) / 10


def test_rules_make_sets_smaller_where_properties_are_sure() -> None:
    rng = np.random.default_rng(2)
    known, (probs, has, _) = _points(rng, 500), _points(rng, 500)
    sizes = [calibrate_rules(*known, HAS, blend=blend).sets(probs, has, 0.1).sum() for blend in (0.0, 1.0)]
    assert sizes[1] < sizes[0]


@pytest.mark.parametrize(("values", "argument"), [
    ({"probs": np.full((3, 2), 0.5)}, "probs"), ({"probs": np.full((3, 3), 1.5)}, "probs"), ({"properties": np.full((2, 2), 0.5)}, "properties"),
    ({"properties": np.full((3, 3), 0.5)}, "properties"), ({"labels": [0, 1]}, "labels"), ({"labels": [0, 1, 3]}, "labels"),
    ({"implies": [0.5, 1]}, "implies"), ({"implies": [[0.5, 1, 0], [0, 1, 1]]}, "implies"), ({"weight": -1}, "weight"), ({"bound": "exact"}, "bound"),
    ({"seed": True}, "seed")])
def test_bad_arguments_are_named(values: dict[str, Any], argument: str) -> None:
    good: dict[str, Any] = {"probs": np.full((3, 3), 0.5), "properties": np.full((3, 2), 0.5), "labels": [0, 1, 2], "implies": HAS}
    with pytest.raises(GlasshouseError) as caught:
        calibrate_rules(**{**good, **values})
    assert caught.value.argument == argument
