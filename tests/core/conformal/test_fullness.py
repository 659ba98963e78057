"""Sets that hold every label: none that need not be, and the others say why and what to do."""

from __future__ import annotations

import logging
from fractions import Fraction

import numpy as np
import pytest

from glasshouse import runs
from glasshouse.families.conformal import calibrate, scores
from glasshouse.schema.events.conformal import Sets


def confident(classes: int, gain: float, errors: float, n: int = 1000, sure: bool = False) -> tuple[np.ndarray, np.ndarray]:
    """float32 softmax rows of a model that is very sure and errs with that probability; ``sure``: equally so everywhere."""
    rng = np.random.default_rng(0)
    labels = rng.integers(classes, size=n)
    logits = (rng.normal(size=(n, classes)) * (not sure)).astype(np.float32)
    said = np.where(rng.random(n) < errors, (labels + rng.integers(1, classes, n)) % classes, labels)
    logits[np.arange(n), said] += np.float32(gain)
    e = np.exp(logits - logits.max(axis=1, keepdims=True))
    return e / e.sum(axis=1, keepdims=True), labels


@pytest.mark.parametrize("score", ["aps", "raps"])
def test_confident_float32_rows_do_not_tie_at_one(score: str) -> None:
    """A thousand classes, tails of 1e-9, sums above 1 by float32: cut at 1, all labels but the first would tie, and every set be full."""
    probs, labels = confident(1000, 30, 0.15)
    assert (probs.sum(axis=1, dtype=np.float64) > 1).any()
    for randomized in (False, True):
        c = calibrate(probs[:500], labels[:500], score, randomized=randomized)
        ranked = c.rank(probs[500:])
        sets = ranked.sets(0.1)
        assert not (sets.sum(axis=1) == 1000).any()
        held = sets[np.arange(500), labels[500:]].mean()
        assert abs(held - 0.9) < 4 * np.sqrt(0.09 / 500 + 0.09 / 500)


def test_masses_add_up_exactly() -> None:
    """Every row's last label scores exactly 1, and sums equal those of rational arithmetic on the normalised row within a rounding of it."""
    rng = np.random.default_rng(1)
    for classes in (2, 3, 50, 1000):
        probs = rng.dirichlet(np.full(classes, 0.1), 40).astype(np.float32).astype(np.float64)
        found = scores.aps(probs)
        assert (found.max(axis=1) == 1).all()
        for row in range(3):
            exact = [Fraction(float(p)) for p in probs[row]]
            order = np.argsort(-probs[row], kind="stable")
            total, own = Fraction(0), sum(exact)
            for label in order.tolist():
                total += exact[label]
                assert abs(float(total / own) - found[row, label]) < classes * 2.0**-52


def test_scores_do_not_depend_on_the_order_of_the_classes() -> None:
    rng = np.random.default_rng(2)
    probs = rng.dirichlet(np.full(200, 0.3), 50).astype(np.float32).astype(np.float64)
    order, u = rng.permutation(200), rng.random(50)
    for share in (None, u):
        assert (scores.aps(probs[:, order], share) == scores.aps(probs, share)[:, order]).all()


def test_two_classes_and_too_many_errors_say_why_and_what_to_do(caplog: pytest.LogCaptureFixture) -> None:
    """K = 2: the second label always scores 1. Equally sure rows and 15 % errors put the threshold there, so that every set is full."""
    probs, labels = confident(2, 3, 0.15, sure=True)
    c = calibrate(probs[:500], labels[:500], "aps")
    with caplog.at_level(logging.WARNING):
        assert c.predict(probs[500:], 0.1).all()
        c.predict(probs[500:510], 0.1)
    assert len(caplog.records) == 1, "said once a level"
    full = c.fullness(0.1)
    assert full.why in caplog.text
    assert "hold every label at alpha = 0.1" in full.why
    assert "without a random share" in full.why
    assert "randomized" in full.advice
    assert not c.fullness(0.3)
    exact = calibrate(probs[:500], labels[:500], "aps", randomized=True)
    assert not exact.fullness(0.1)
    sets = exact.predict(probs[500:], 0.1)
    assert abs(sets[np.arange(500), labels[500:]].mean() - 0.9) < 4 * np.sqrt(0.09 / 250)


def test_most_of_many_labels_is_said_too_and_usual_sets_are_not() -> None:
    probs, labels = confident(1000, 30, 0.15)
    full = calibrate(probs[:500], labels[:500], "aps").fullness(0.1)
    assert "% of the 1000 labels on average" in full.why
    assert "temperature" in full.advice
    rng = np.random.default_rng(3)
    usual = rng.dirichlet(np.full(30, 0.1), 300)
    truth = (rng.random((300, 1)) > usual.cumsum(axis=1)[:, :-1]).sum(axis=1)
    for score in ("lac", "aps", "mondrian"):
        few = calibrate(usual, truth, score).fullness(0.2)
        assert not few or "too few" in few.why
    assert calibrate(usual[:5], truth[:5], "lac").fullness(0.1).why == "5 calibration points are too few for alpha = 0.1: 9 are needed"


def test_the_screen_says_the_same() -> None:
    session = runs.open("conformal.aps", "digits", randomized=False, noise=2.0, temperature=20.0)
    list(session.events())
    sets = session.look(alpha=0.01)
    assert isinstance(sets, Sets)
    assert (sets.sizes == 10).mean() > 0.5
    assert "hold every label" in sets.full_because
    assert "randomized" in sets.full_advice
