"""CRC against its definition, split conformal prediction and its theorem."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest

from glasshouse import runs
from glasshouse.families.conformal.methods.risk.crc import CRC
from glasshouse.families.conformal.ranks import threshold_rank
from glasshouse.families.conformal.risk.table import GRID, STEPS, Table, entries, tabled, units

ALPHAS = [Fraction(i, 50) for i in range(1, 50)]


def drawn(n: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Probabilities with ties, and pages with one to four labels."""
    rng = np.random.default_rng(seed)
    probs = rng.integers(0, 65, (n, 4)) / 64
    truth = rng.random((n, 4)) < 0.4
    truth[np.arange(n), rng.integers(0, 4, n)] = True
    return probs, truth


@pytest.mark.parametrize("n", [0, 1, 9, 19, 50, 101])
def test_with_loss_0_or_1_it_is_split_conformal_at_the_same_order_statistic(n: int) -> None:
    probs, truth = drawn(n, n)
    table = tabled(entries(probs), truth, "missed-any", units(truth))
    needed = np.sort(np.where(truth, entries(probs), 0).max(axis=1, initial=0))        # the score of a page: where its last label enters
    for alpha in ALPHAS:
        k = threshold_rank(n, alpha)
        assert CRC().choose(table, alpha).index == (needed[k - 1] if k <= n else STEPS)


@pytest.mark.parametrize("loss", ["missed-share", "missed-any"])
def test_it_is_its_definition_by_brute_force(loss: str) -> None:
    """inf{lambda : n/(n + 1) R-hat + B/(n + 1) <= alpha}, page by page in rationals from the probabilities themselves."""
    n = 23
    probs, truth = drawn(n, 7)
    table = tabled(entries(probs), truth, loss, units(truth))  # type: ignore[arg-type]
    risk = []
    for lam in GRID:
        missed = truth & (1 - probs > lam)
        shares = [Fraction(int(a), int(b)) if loss == "missed-share" else Fraction(int(a > 0))
                  for a, b in zip(missed.sum(1), truth.sum(1), strict=True)]
        risk.append(sum(shares) / n)
    for alpha in ALPHAS:
        fits = [j for j, r in enumerate(risk) if Fraction(n, n + 1) * r + Fraction(1, n + 1) <= alpha]
        choice = CRC().choose(table, alpha)
        assert choice.index == (fits[0] if fits else STEPS)
        assert bool(choice.why_not) == (not fits)


def three_labels(n: int, rng: np.random.Generator, steps: int = 3000) -> Table:
    """Pages of three labels which enter at uniform places: the expected share missed is 1 - lambda exactly."""
    places = np.ceil(rng.random(3 * n) * steps).astype(int)
    entered = np.cumsum(np.bincount(places, minlength=steps + 1))
    return Table(n, 3, 3 * n - entered, entered, False)


@pytest.mark.parametrize(("n", "alpha"), [(20, Fraction(1, 5)), (50, Fraction(1, 10)), (9, Fraction(2, 9))])
def test_the_expected_loss_lies_between_the_bounds_of_the_theorems(n: int, alpha: Fraction) -> None:
    """At most alpha, and at least alpha - 2 B / (n + 1) where losses are continuous. Without the correction it is above alpha: the test sees it."""
    rng = np.random.default_rng(0)
    tables = [three_labels(n, rng) for _ in range(3000)]
    risk = np.array([1 - CRC().choose(t, alpha).index / 3000 for t in tables])
    error = 4 * risk.std() / np.sqrt(len(risk))
    assert float(alpha) - 2 / (n + 1) - 1 / 3000 - error <= risk.mean() <= float(alpha) + error
    plain = np.array([1 - np.argmax(t.risk <= float(alpha)) / 3000 for t in tables])
    assert plain.mean() > float(alpha) + error


@pytest.mark.parametrize("loss", ["missed-share", "missed-any"])
def test_on_pages_of_digits_the_expected_risk_is_at_most_alpha(loss: str) -> None:
    """Samples are independent draws of a finite population whose risk is known exactly: 400 samples at five alphas, four standard errors."""
    *_, last = runs.study("conformal.crc", "resamples", options={"total": 400}, loss=loss, calibration_size=50)
    for alpha in (0.05, 0.1, 0.2, 0.3, 0.5):
        risk = last.risk[:, round(alpha * 100) - 1]  # type: ignore[union-attr]
        assert risk.mean() <= alpha + 4 * risk.std() / 20
        assert risk.mean() >= alpha - 2 / 51 - 0.02                    # and no idle promise: a step of the grid is worth about 0.01
        assert risk.max() > alpha                                       # an expectation, not a promise for each sample


def test_too_few_pages_say_how_many_are_needed() -> None:
    session = runs.open("conformal.crc", calibration_size=9)
    list(session.events())
    assert session.look(alpha=0.1).why_not == ""  # type: ignore[attr-defined]
    seen = session.look(alpha=0.09)
    assert seen.why_not == "9 calibration pages are too few for alpha = 0.09: 11 are needed"  # type: ignore[attr-defined]
    assert seen.sets.all()  # type: ignore[attr-defined]
