"""Batch PI against enumeration of every sequence of ranks, brute force over them, and simulation."""

from __future__ import annotations

import itertools
from fractions import Fraction
from math import comb

import numpy as np
import pytest

from glasshouse.families.conformal.batch.interface import Batches
from glasshouse.families.conformal.methods.batch.batch_pi import BatchPI, largest_sums, one_rank, rank_sum
from glasshouse.families.conformal.ranks import threshold_rank
from glasshouse.schema.events.conformal_batch import RankLaw

TENTH = Fraction(1, 10)


def sequences(n: int, m: int) -> list[tuple[int, ...]]:
    return list(itertools.combinations_with_replacement(range(1, n + 2), m))


def counted(law: RankLaw) -> dict[int, int]:
    counts = np.diff([0, *law.cumulative])
    return {law.first + i: int(c) for i, c in enumerate(counts) if c}


def test_six_and_three_have_84_sequences_and_their_law_is_uniform_on_them() -> None:
    every = sequences(6, 3)
    assert len(every) == 84 == comb(9, 3)
    for zeta in (1, 2, 3):
        assert counted(one_rank(6, 3, zeta)) == {k: sum(r[zeta - 1] == k for r in every) for k in range(1, 8)}
    assert counted(rank_sum(6, 3)) == {h: sum(sum(r) == h for r in every) for h in range(3, 22)}


@pytest.mark.parametrize(("n", "m"), [(1, 1), (1, 5), (5, 1), (4, 4), (7, 3), (3, 6)])
def test_laws_equal_enumeration(n: int, m: int) -> None:
    every = sequences(n, m)
    for zeta in range(1, m + 1):
        assert one_rank(n, m, zeta).total == len(every)
        assert counted(one_rank(n, m, zeta)) == {k: c for k in range(1, n + 2) if (c := sum(r[zeta - 1] == k for r in every))}
    assert counted(rank_sum(n, m)) == {h: c for h in range(m, m * (n + 1) + 1) if (c := sum(sum(r) == h for r in every))}


def test_ranks_of_exchangeable_scores_are_uniform_on_the_sequences() -> None:
    """Every order of n + m different scores, counted: the theorem itself for n = 4, m = 2."""
    seen: dict[tuple[int, ...], int] = {}
    for order in itertools.permutations(range(6)):
        known = sorted(order[:4])
        ranks = tuple(sorted(1 + sum(k < t for k in known) for t in order[4:]))
        seen[ranks] = seen.get(ranks, 0) + 1
    assert set(seen) == set(sequences(4, 2))
    assert set(seen.values()) == {720 // 15}


def test_golden_rank() -> None:
    law = one_rank(100, 20, 18)
    assert law.quantile(1 - TENTH) == 96
    assert float(law.reached(96)) == pytest.approx(0.9103, abs=5e-5)
    assert law.reached(95) < 1 - TENTH


def test_all_of_a_batch_in_closed_form() -> None:
    law = one_rank(200, 50, 50)
    for k in (1, 100, 189, 200, 201):
        assert law.reached(k) == Fraction(comb(k + 49, 50), comb(250, 50))
    assert law.quantile(1 - TENTH) == 201                              # nothing can be said of all fifty
    assert one_rank(200, 50, 45).quantile(1 - TENTH) == 189            # but of 45 of them


def test_a_batch_of_one_is_split_conformal() -> None:
    for n in range(1, 120):
        for a in (0.01, 0.05, 0.1, 0.3, 0.7):
            assert one_rank(n, 1, 1).quantile(1 - Fraction(repr(a))) == threshold_rank(n, a) == rank_sum(n, 1).quantile(1 - Fraction(repr(a)))


def test_rank_sum_is_mann_and_whitneys() -> None:
    from scipy.stats import mannwhitneyu

    n, m = 9, 7
    law, rng = rank_sum(n, m), np.random.default_rng(0)
    for _ in range(20):
        test, known = rng.random(m), rng.random(n)
        u = int((test[:, None] > known[None, :]).sum())
        exact = mannwhitneyu(test, known, alternative="less", method="exact").pvalue
        assert float(law.reached(u + m)) == pytest.approx(float(exact), abs=1e-12)


@pytest.mark.parametrize("m", [1, 2, 3, 4])
def test_dynamic_programme_equals_brute_force(m: int) -> None:
    for seed in range(5):
        known = np.append(np.sort(np.random.default_rng(seed).random(6) ** 3), 1.0)
        found = largest_sums(known, m)
        for h in range(m, 7 * m + 1):
            best = max(sum(known[r - 1] for r in ranks) for ranks in sequences(6, m) if sum(ranks) <= h)
            assert abs(found[h - m] - best) <= 1e-12


def test_independent_ranks_are_not_the_law() -> None:
    """The authors' code draws the ranks independently and uniformly: its rank sum for 90 % is kept with probability .878 only."""
    n, m = 40, 10
    one = np.ones(n + 1)
    independent = np.array([1.0])
    for _ in range(m):
        independent = np.convolve(independent, one)
    q = m + int(np.searchsorted(np.cumsum(independent) / independent.sum(), 0.9))
    law = rank_sum(n, m)
    assert q == 258
    assert law.quantile(1 - TENTH) == 263
    assert float(law.reached(q)) == pytest.approx(0.8782, abs=5e-5)
    assert float(law.reached(q - 1)) == pytest.approx(0.8732, abs=5e-5)
    rng = np.random.default_rng(0)
    draws = rng.random((20_000, n + m))
    held = (draws[:, None, n:] > draws[:, :n, None]).sum(axis=(1, 2)) + m <= q
    assert abs(held.mean() - 0.8782) < 4 * np.sqrt(0.9 * 0.1 / 20_000)


def simulated(statement: str, n: int, m: int, at: int, alpha: Fraction, runs: int = 4000) -> float:
    """How often the claim held over ``runs`` draws of calibration points and a batch of exponential errors cut at 1."""
    method = BatchPI(statement=statement)  # type: ignore[arg-type]
    law, rng, held = method.laws(n, m)[at], np.random.default_rng(1), 0
    q = law.quantile(1 - alpha) - law.first
    for _ in range(runs):
        scores = np.minimum(rng.exponential(0.2, n + m), 1.0)
        bound = method.bounds(np.sort(scores[:n]), 1.0, m)[q]
        held += bool(method.statistics(np.sort(scores[n:])[None])[0, at] <= bound)
    return held / runs


def test_coverage_by_simulation_is_that_of_the_law() -> None:
    exact = float(one_rank(100, 20, 18).reached(96))
    assert abs(simulated("most", 100, 20, 17, TENTH) - exact) < 4 * np.sqrt(exact * (1 - exact) / 4000)
    exact = float(one_rank(30, 6, 3).reached(one_rank(30, 6, 3).quantile(1 - TENTH)))
    assert abs(simulated("quantile", 30, 6, 2, TENTH) - exact) < 4 * np.sqrt(exact * (1 - exact) / 4000)


def test_the_mean_is_covered_and_more() -> None:
    assert simulated("mean", 40, 5, 0, TENTH, 1500) >= 0.9


def test_selection_makes_no_more_false_claims_than_allowed_in_nine_of_ten_batches() -> None:
    """Confidences and truths that go together; claims are false for a third of the points."""
    rng, n, m, allowed, broken, claimed = np.random.default_rng(2), 80, 15, 2, 0, 0
    method = BatchPI("select")
    law = method.laws(n, m)[m - allowed - 1]
    q = law.quantile(1 - TENTH)
    for _ in range(3000):
        confidence = rng.random(n + m)
        wrong = rng.random(n + m) > 0.25 + 0.65 * confidence
        pool = Batches(confidence, confidence, wrong, 1.0, np.arange(n), np.arange(n, n + m)[None], np.empty((0, 0)))
        bound = method.bounds(np.sort(method.score(pool)[:n]), 1.0, m)[q - 1]
        chosen = confidence[n:] > bound
        broken += int((chosen & wrong[n:]).sum() > allowed)
        claimed += int(chosen.sum())
    exact = 1 - float(law.reached(q))
    assert claimed > 0
    assert abs(broken / 3000 - exact) < 4 * np.sqrt(exact * (1 - exact) / 3000)
