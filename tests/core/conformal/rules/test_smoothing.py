from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import binom, norm

from glasshouse.families.conformal.methods.rules.colep import COLEP
from glasshouse.families.conformal.rules.drive import boxes
from glasshouse.families.conformal.rules.interface import RADII
from glasshouse.families.conformal.rules.problems import Digits, Tiny
from glasshouse.families.conformal.rules.smoothing import counted, true_share


@pytest.mark.parametrize("draws", [10, 1000, 100_000])
@pytest.mark.parametrize("tail", [0.05, 1e-4])
def test_true_share_contains_clopper_and_pearson(draws: int, tail: float) -> None:
    """Their ends invert the exact binomial tails."""
    from scipy.special import betaincinv

    votes = np.unique(np.linspace(0, draws, 41).round().astype(int))
    exact_low = np.where(votes == 0, 0.0, betaincinv(np.maximum(votes, 1), draws - votes + 1, tail))
    exact_high = np.where(votes == draws, 1.0, betaincinv(votes + 1, np.maximum(draws - votes, 1), 1 - tail))
    low, high = true_share(votes / draws, draws, tail)
    assert (low <= exact_low + 1e-12).all()
    assert (high >= exact_high - 1e-12).all()
    assert (low >= 0).all()
    assert (high <= 1).all()
    if draws == 100_000:
        assert (high - low).max() < (1.2 if tail < 0.01 else 1.6) * (exact_high - exact_low).max()


@pytest.mark.parametrize("p", [0.0, 1e-4, 0.03, 0.5, 0.9, 0.9999, 1.0])
@pytest.mark.parametrize("draws", [20, 1000])
def test_a_new_count_stays_within_its_ends(p: float, draws: int) -> None:
    """Exact tails of the binomial, for every true share in an interval that reaches up or down to p."""
    tail = 0.01
    low, high = counted(np.array([p]), np.array([p]), draws, tail)
    for q in np.linspace(0, p, 7):
        assert binom.sf(np.floor(high[0] * draws + 1e-9), draws, q) <= tail
    for q in np.linspace(p, 1, 7):
        assert binom.cdf(np.ceil(low[0] * draws - 1e-9) - 1, draws, q) <= tail


def test_an_attack_moves_a_linear_detector_as_far_as_it_may() -> None:
    """Along its own weights the normal quantile moves by exactly delta / sigma: the bound is attained."""
    problem = Digits()
    evidence = problem.open()
    own = evidence.pushes[0][np.arange(len(evidence.labels)), evidence.labels]
    assert own == pytest.approx(-1 / problem.sigma)
    assert (np.abs(evidence.pushes) <= 1 / problem.sigma + 1e-9).all()


def test_boxes_hold_true_shares_and_attacked_counts() -> None:
    problem = Tiny(draws=1000)
    evidence = problem.open()
    lows, highs = boxes(problem, True)
    share = norm.cdf(evidence.margins)
    assert ((evidence.low <= share) & (share <= evidence.high)).all()
    rng = np.random.default_rng(0)
    for d, radius in enumerate(RADII.tolist()):
        moved = rng.binomial(1000, norm.cdf(evidence.margins + radius * evidence.pushes[0])) / 1000
        assert ((lows[d] <= moved) & (moved <= highs[d])).all()


def test_without_radius_and_votes_error_there_is_no_width() -> None:
    evidence = Tiny().open()
    lows, highs = boxes(Tiny(), False)
    assert (lows[0] == evidence.votes).all()
    assert (highs[0] == evidence.votes).all()
    ends = COLEP().bounds(lows[0], highs[0], evidence.implies)
    assert ends[0] == pytest.approx(ends[1], abs=1e-12)


def test_detectors_are_good_where_they_are_not_spoiled() -> None:
    for spoil, least, most in ((0.0, 0.92, 1.0), (1.2, 0.4, 0.8)):
        evidence = Digits(spoil=spoil).open()
        best = (evidence.votes[:, :10].argmax(axis=1) == evidence.labels).mean()
        assert least < best <= most
    right = (evidence.votes[:, 10:] > 0.5) == evidence.implies[:, evidence.labels].T
    assert (right.mean(axis=0) > 0.85).all()
    told = Digits(properties="told").open()
    assert ((told.votes[:, 10:] > 0.5) == told.implies[:, told.labels].T).all()
    guessed = Digits(properties="guessed").open()
    assert abs(((guessed.votes[:, 10:] > 0.5) == guessed.implies[:, guessed.labels].T).mean() - 0.5) < 0.05
