"""The three ways: their chances at the ends, their cost by hand, thresholds by definition."""

from __future__ import annotations

import math
from fractions import Fraction

import numpy as np
import pytest

from glasshouse.families.conformal.decisions.three_ways import (
    FLOOR,
    Points,
    Prices,
    Tally,
    chances,
    cost_surface,
    draw,
    entropy,
    exact_threshold,
    published_threshold,
    tally,
)

PRICES = Prices()


def test_entropy_is_ln_3_at_equal_shares_and_nothing_where_one_way_is_taken() -> None:
    assert entropy(np.full(3, 1 / 3)) == pytest.approx(math.log(3))
    assert entropy(np.array([1.0, 0.0, 0.0])) == 0.0


@pytest.mark.parametrize("slope", [1e6, math.inf])
def test_a_steep_slope_is_the_rule_of_three_zones(slope: float) -> None:
    doubt = np.array([0.0, 0.19, 0.21, 0.5, 0.79, 0.81, 1.0])
    ways = chances(doubt, 0.2, 0.8, slope)
    assert ways.argmax(axis=0).tolist() == [0, 0, 1, 1, 1, 2, 2]
    assert ways.max(axis=0) == pytest.approx(np.ones(7), abs=3 * FLOOR)


def test_chances_sum_to_one_and_the_set_gets_what_is_left() -> None:
    doubt = np.linspace(0, 1, 101)
    ways = chances(doubt, 0.3, 0.9, 5.0)
    assert ways.sum(axis=0) == pytest.approx(np.ones(101))
    at = 40                                         # doubt 0.4
    single, silent = 1 / (1 + math.exp(5 * 0.1)), 1 / (1 + math.exp(5 * 0.5))
    assert ways[:, at].tolist() == pytest.approx([single, 1 - single - silent, silent])
    crossed = chances(np.array([0.5]), 0.9, 0.1, 5.0)[:, 0]         # thresholds the wrong way round leave nothing for a set
    assert crossed[1] == pytest.approx(FLOOR / (2 / (1 + math.exp(-2.0))), rel=1e-4)


def test_an_infinite_threshold_never_stays_silent() -> None:
    ways = chances(np.array([0.0, 1.0]), 0.2, math.inf, 5.0)
    assert ways[2].max() < 2 * FLOOR


def test_draws_have_the_chances_they_are_drawn_from() -> None:
    n, p = 20_000, np.array([0.2, 0.5, 0.3])
    drawn = draw(np.repeat(p[:, None], n, axis=1), np.random.default_rng(0).random(n))
    assert np.abs(np.bincount(drawn, minlength=3) / n - p).max() < 4 * math.sqrt(0.25 / n)


POINTS = Points(np.array([[0.7, 0.2, 0.1], [0.4, 0.35, 0.25], [0.5, 0.3, 0.2], [0.34, 0.33, 0.33]]), np.array([0, 1, 2, 0]))


def test_a_hand_counted_cost() -> None:
    """Ways: label (right), set {0, 1} (right), set {0, 1} (wrong), silence; q_silent = 0.7, so sets are p >= 0.3."""
    done = tally(POINTS, np.eye(3)[:, [0, 1, 1, 2]], 0.7)
    assert done.shares.tolist() == [0.25, 0.5, 0.25]
    assert done.error == pytest.approx(1 / 3)
    assert done.set_size == 2.0
    by_hand = 1 / 3 + 0.3 * 2 + 0.3 * 0.25 - 0.4 * 0.75 - 0.2 * (0.5 * math.log(4) + 0.5 * math.log(2))
    assert done.cost(PRICES) == pytest.approx(by_hand)


def test_single_labels_beyond_four_fifths_are_charged() -> None:
    assert Tally(np.array([1.0, 0, 0]), 0.0, 0.0).cost(PRICES) == pytest.approx(-0.4 + 0.5 * 0.2)
    assert Tally(np.array([0.8, 0.2, 0]), 0.0, 0.0).cost(Prices(variety=0)) == pytest.approx(-0.4)


def test_all_silent_is_all_error_and_no_set() -> None:
    done = tally(POINTS, np.eye(3)[:, [2, 2, 2, 2]], 0.7)
    assert (done.error, done.set_size) == (1.0, 0.0)
    assert done.cost(PRICES) == pytest.approx(1.3)


def test_answers_are_the_label_the_set_or_nothing() -> None:
    said = POINTS.answers(np.array([0, 1, 2, 1]), 0.7)
    assert said.tolist() == [[True, False, False], [True, True, False], [False, False, False], [True, True, True]]
    assert POINTS.sets(0.1).tolist() == np.eye(3, dtype=bool)[[0, 0, 0, 0]].tolist(), "an empty set becomes the most probable label"


def test_expected_counts_are_the_mean_of_drawn_ones() -> None:
    rng = np.random.default_rng(1)
    points = Points(rng.dirichlet(np.ones(4), 300), rng.integers(4, size=300))
    ways = chances(points.doubt, 0.3, 0.7, 5.0)
    expected = tally(points, ways, 0.7)
    drawn = [tally(points, np.eye(3)[:, draw(ways, rng.random(300))], 0.7) for _ in range(400)]
    for name in ("error", "set_size"):
        found = np.array([getattr(d, name) for d in drawn])
        assert abs(found.mean() - getattr(expected, name)) < 4 * found.std() / 20 + 2e-3, name      # a ratio's mean is off by O(1/n)
    shares = np.array([d.shares for d in drawn])
    assert (np.abs(shares.mean(axis=0) - expected.shares) < 4 * shares.std(axis=0) / 20).all()


def test_the_exact_threshold_is_split_conformals_and_the_published_one_at_most_a_rank_above() -> None:
    scores = np.arange(1.0, 51.0)                                   # S_(k) = k
    for i in range(1, 100):
        level = i / 100
        k = math.ceil(51 * (1 - Fraction(i, 100)))
        assert exact_threshold(scores, level) == (k if k <= 50 else math.inf)
        assert published_threshold(scores, level) - min(k, 50) in (0, 1)


def test_the_surface_is_its_cells() -> None:
    rng = np.random.default_rng(2)
    points = Points(rng.dirichlet(np.ones(3), 60), rng.integers(3, size=60))
    alphas, betas = np.array([0.5, 0.8]), np.array([0.05, 0.1, 0.3])
    cost = cost_surface(points, points.scores, alphas, betas, 5.0, PRICES)
    assert cost.shape == (2, 3)
    q_single, q_silent = exact_threshold(points.scores, 0.8), exact_threshold(points.scores, 0.1)
    assert cost[1, 1] == tally(points, chances(points.doubt, q_single, q_silent, 5.0), q_silent).cost(PRICES)
