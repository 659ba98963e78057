from __future__ import annotations

import math
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from glasshouse import assets, catalogue, runs
from glasshouse.families.conformal import calibrate
from glasshouse.schema.errors import BadType, BadValue
from glasshouse.schema.events.conformal import Calibrated, Sets

ROOT = Path(__file__).resolve().parents[3]


def _digits(**values: object) -> tuple[runs.Session, Calibrated]:
    session = runs.open("conformal.lac", "digits", **values)
    (event,) = session.events()
    assert isinstance(event, Calibrated)
    return session, event


def _look(session: runs.Session, **looks: object) -> Sets:
    seen = session.look(**looks)
    assert isinstance(seen, Sets)
    return seen


def test_run_is_one_event_that_agrees_with_calibrate() -> None:
    session, event = _digits(calibration_size=100, temperature=1.5)
    pool = session.problem.open()
    c = calibrate(pool.probs[pool.calibration], pool.labels[pool.calibration], "lac", temperature=1.5)
    ranked = c.rank(pool.probs[pool.test])
    assert (event.n, event.m, event.classes) == (100, 697, 10)
    assert (event.scores == c.scores).all()
    assert (event.ranks == ranked.ranks).all()
    assert event.images.shape == (697, 8, 8)
    for alpha in (0.05, 0.1, 0.5):
        seen = _look(session, alpha=alpha, image=3)
        assert (seen.sets == ranked.sets(alpha)).all()
        assert seen.threshold == c.threshold(alpha)
        assert (seen.sizes == seen.sets.sum(axis=1)).all()
        assert seen.coverage == seen.sets[np.arange(697), event.labels].mean()
        assert (seen.p_values == ranked.p_values()[3]).all()
        assert seen.band_low <= 1 - alpha <= seen.band_high
        assert (seen.sets == (event.test_scores <= seen.threshold)).all()


def test_looks_move_sets_and_recompute_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    session, event = _digits()

    def no(*_: object) -> None:
        raise AssertionError("a look must not score again")

    monkeypatch.setattr(type(session.method), "score", no)
    assert _look(session, alpha=0.2).calibrated is event
    assert _look(session, alpha=0.05).mean_size > _look(session, alpha=0.3).mean_size


def test_too_few_points_are_explained() -> None:
    session, _ = _digits(calibration_size=9)
    seen = _look(session, alpha=0.05)
    assert seen.sets.all()
    assert seen.threshold == math.inf
    assert (seen.band_low, seen.band_high, seen.coverage) == (1.0, 1.0, 1.0)
    assert seen.full_because == "9 calibration points are too few for alpha = 0.05: 19 are needed"
    assert _look(session, alpha=0.1).full_because == ""
    assert '"threshold": "Infinity"' in session.record(alpha=0.05).to_json()


def test_bad_looks() -> None:
    session, _ = _digits()
    for looks in ({"alpha": 0}, {"alpha": 1}, {"alpha": 10}, {"alpha": math.nan}, {"alpha": "x"}, {"image": -1}, {"image": 697}):
        with pytest.raises((BadValue, BadType), match=next(iter(looks))):
            session.look(**looks)


def test_guarantee_is_of_this_run_and_record_tells_the_sets() -> None:
    session, _ = _digits(calibration_size=50)
    assert session.guarantee.kind == "marginal"
    assert "50 calibration points" in session.guarantee.statement
    record = session.record(alpha=0.2)
    assert record.looks == {"alpha": 0.2, "image": 0}
    assert record.summary["alpha"] == 0.2
    assert {"coverage", "mean_size", "k", "threshold", "empty", "singletons"} <= set(record.summary)
    assert record.columns == {"n": [50], "m": [697], "classes": [10], "cells": ["all"], "rare": [False], "deterministic": [False]}


def test_moving_the_size_keeps_the_test_points_and_only_adds_calibration() -> None:
    small, large = (catalogue.problem("conformal", "digits", {"calibration_size": n}).open() for n in (9, 500))
    assert (small.test == large.test).all()
    assert (small.calibration == large.calibration[:9]).all()
    assert not set(large.calibration) & set(large.test)
    other = catalogue.problem("conformal", "digits:split=1").open()
    assert set(other.test) != set(large.test)
    assert (other.images == large.images).all()


def test_pool_was_never_trained_on() -> None:
    with np.load(assets.path("models", "digits-logistic", "weights.npz")) as model:
        train, pool = set(model["train"]), set(model["pool"])
    assert (len(train), len(pool), len(train | pool)) == (600, 1197, 1797)


def test_noise_makes_it_harder() -> None:
    sizes = [_look(_digits(noise=noise)[0], alpha=0.1).mean_size for noise in (0.0, 0.45, 1.0, 2.0)]
    assert sizes == sorted(sizes)


def test_tiny_has_a_perfect_model() -> None:
    """Its labels are drawn from the very probabilities: the mean probability of the true label is that of a draw."""
    pool = catalogue.problem("conformal", "tiny").open()
    true = pool.probs[np.arange(60), pool.labels]
    expected, spread = (pool.probs**2).sum(axis=1), np.sqrt((pool.probs**3).sum(axis=1) - (pool.probs**2).sum(axis=1) ** 2)
    assert abs(true.sum() - expected.sum()) < 3 * np.sqrt((spread**2).sum())


def test_bad_resplits() -> None:
    for total, error in ((0, BadValue), (10_001, BadValue), (1.5, BadType), (True, BadType), ("3", BadType)):
        with pytest.raises(error, match="total"):
            runs.study("conformal.lac", "resplits", "tiny", options={"total": total})


@pytest.mark.recipe
def test_recipes_remake_what_ships(tmp_path: Path) -> None:
    pytest.importorskip("sklearn")
    for folder, name in (("datasets/digits", "digits.npz"), ("models/digits-logistic", "weights.npz")):
        subprocess.run([sys.executable, str(ROOT / "data" / folder / "recipe.py"), "--out", str(tmp_path)], check=True)
        with np.load(tmp_path / name) as made, np.load(ROOT / "data" / folder / name) as shipped:
            assert set(made) == set(shipped)
            for key in shipped:
                np.testing.assert_allclose(made[key], shipped[key], atol=1e-5)
