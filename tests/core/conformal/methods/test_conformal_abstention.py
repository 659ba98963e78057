"""Learned levels against the grid of all levels; the certificate against points whose risk is known; what each protocol may see."""

from __future__ import annotations

import math
from dataclasses import replace
from functools import lru_cache
from itertools import pairwise

import numpy as np
import pytest

from glasshouse.families.conformal.decisions.interface import Pool
from glasshouse.families.conformal.decisions.problems import DigitLooks, Tiny
from glasshouse.families.conformal.decisions.selective import risk_bound
from glasshouse.families.conformal.decisions.three_ways import Points, chances, draw, exact_threshold
from glasshouse.families.conformal.methods.decisions.conformal_abstention import START, ConformalAbstention
from glasshouse.numerics.seeds import Seeds
from glasshouse.schema.events.conformal_decisions import PolicyStep


@lru_cache(maxsize=64)
def run(method: ConformalAbstention, seed: int = 0, problem: object = None) -> tuple[PolicyStep, ...]:
    pool = (problem or DigitLooks()).open()  # type: ignore[attr-defined]
    return tuple(e for e in method.states(pool, Seeds(seed)) if isinstance(e, PolicyStep))


def test_the_path_starts_where_the_authors_start_and_stays_in_their_box() -> None:
    path = run(ConformalAbstention())
    assert (path[0].step, path[0].alpha, path[0].beta) == (0, *START)
    assert path[-1].step == path[-1].total == 200
    assert all(0.75 <= e.alpha <= 0.9 and 0.01 <= e.beta <= 0.05 for e in path)
    assert all(abs(b.alpha - a.alpha) < 0.15 for a, b in pairwise(path))


def test_given_time_it_learns_what_the_grid_knows() -> None:
    """600 updates, four seeds: cheaper than where it starts, never better than the best of the grid but for the grid's own coarseness."""
    ends = [run(ConformalAbstention(steps=600), seed)[-1] for seed in range(4)]
    start, best = run(ConformalAbstention())[0].cost, ends[0].surface.best_cost
    costs = np.array([e.cost for e in ends])
    assert costs.mean() + 4 * costs.std() / math.sqrt(4) < start
    assert (costs > best - 0.01).all()
    assert costs.mean() < best + 0.25 * (start - best)


def test_at_the_published_length_it_is_no_worse_than_its_start() -> None:
    """200 updates wander more than they learn: six seeds spread widely, their mean stays below the start within four standard errors."""
    costs = np.array([run(ConformalAbstention(), seed)[-1].cost for seed in range(6)])
    start = run(ConformalAbstention())[0]
    assert costs.mean() <= start.cost + 4 * costs.std() / math.sqrt(6)
    assert costs.min() > start.surface.best_cost - 0.01
    assert costs.std() > 0.1


def test_the_grids_best_cell_is_met_by_standing_there() -> None:
    surface = run(ConformalAbstention())[0].surface
    a, b = np.unravel_index(surface.cost.argmin(), surface.cost.shape)
    assert (surface.alphas[a], surface.betas[b], surface.cost[a, b]) == (surface.best_alpha, surface.best_beta, surface.best_cost)
    assert surface.cost.shape == (16, 9)
    at = np.argmin(np.abs(surface.alphas - START[0])), np.argmin(np.abs(surface.betas - START[1]))
    assert run(ConformalAbstention())[0].cost == pytest.approx(surface.cost[at], abs=1e-9)


def test_hard_rules_make_three_zones_of_doubt() -> None:
    last = run(ConformalAbstention(slope=500.0))[-1]
    doubt = 1 - last.tested.confidence
    clear = np.minimum(np.abs(doubt - last.q_single), np.abs(doubt - last.q_silent)) > 0.03       # 500 x 0.03: chances below 1e-6
    expected = np.where(doubt < last.q_single, 0, np.where(doubt > last.q_silent, 2, 1))
    assert clear.mean() > 0.7
    assert (last.decision[clear] == expected[clear]).all()


def test_only_the_published_protocol_learns_from_the_points_it_reports_on() -> None:
    pool = DigitLooks().open()
    labels = pool.labels.copy()
    labels[pool.test] = (labels[pool.test] + 3) % 10
    told = replace(pool, labels=labels)
    for protocol, same in (("strict", True), ("certified", True), ("as published", False)):
        method = ConformalAbstention(protocol=protocol, steps=20)
        here, there = ([(e.alpha, e.beta) for e in method.states(p, Seeds(0)) if isinstance(e, PolicyStep)] for p in (pool, told))
        assert (here == there) is same, protocol


def test_the_published_protocol_rewards_and_reports_on_one_half() -> None:
    last = run(ConformalAbstention(protocol="as published"))[-1]
    assert last.tested.m == 599
    assert last.cost == pytest.approx(last.test_cost)


def test_recalibrated_sets_hold_the_truth_as_often_as_beta_says() -> None:
    """Frozen beta, thresholds from fresh calibration points: P(y in {p >= 1 - q_silent}) >= 1 - beta, over resplits of one pool."""
    pool = DigitLooks().open()
    beta, n, m, rounds = 0.05, 250, 400, 300
    held = np.empty(rounds)
    for i in range(rounds):
        order = np.random.default_rng(i).permutation(len(pool.labels))
        known, new = (Points(pool.first[at], pool.labels[at]) for at in (order[:n], order[n:n + m]))
        sets = 1 - new.probs <= exact_threshold(known.scores, beta)
        held[i] = sets[np.arange(m), new.labels].mean()
    assert held.mean() >= 1 - beta - 4 * held.std() / math.sqrt(rounds)
    assert held.mean() < 1 - beta + 1 / (n + 1) + 4 * held.std() / math.sqrt(rounds)


def test_the_certified_risk_holds_as_often_as_promised() -> None:
    """A frozen policy on a finite population: its true risk is known, certificates are drawn from points with replacement (so: i.i.d.)."""
    pool, delta, rounds = DigitLooks().open(), 0.1, 1500
    everyone = Points(pool.first, pool.labels)
    q_single, q_silent, slope = 0.33, 0.92, 5.0
    ways = chances(everyone.doubt, q_single, q_silent, slope)
    inside = everyone.sets(q_silent)[np.arange(len(pool.labels)), pool.labels]
    answered, wrong = ways[0] + ways[1], ways[0] * ~everyone.single_right + ways[1] * ~inside
    risk = wrong.sum() / answered.sum()
    rng, missed = np.random.default_rng(0), 0
    for _ in range(rounds):
        at = rng.integers(len(pool.labels), size=125)
        kept = Points(pool.first[at], pool.labels[at])
        taken = draw(chances(kept.doubt, q_single, q_silent, slope), rng.random(125))
        said = kept.answers(taken, q_silent)
        errors = int(np.count_nonzero(said.any(axis=1) & ~said[np.arange(125), kept.labels]))
        missed += risk_bound(errors, int(np.count_nonzero(taken != 2)), delta) < risk
    assert missed / rounds <= delta + 4 * math.sqrt(delta * (1 - delta) / rounds)
    assert missed / rounds > delta / 4, "the bound is not idle either"


def test_the_certificate_is_on_the_result_and_counted_on_points_of_its_own() -> None:
    method = ConformalAbstention(protocol="certified", delta=0.05)
    path = run(method)
    last, promise = path[-1], method.promise(path)
    assert all(math.isnan(e.bound) for e in path[:-1])
    assert last.bound == risk_bound(last.errors, last.certified_on, 0.05)
    assert 60 < last.certified_on <= 125
    assert (promise.kind, promise.level) == ("PAC", 0.95)
    assert f"{100 * last.bound:.1f} %" in promise.statement
    assert method.promise(path[:-1]).kind == "heuristic"
    assert ConformalAbstention().promise(run(ConformalAbstention())).kind == "heuristic"


def test_certificates_hold_for_whole_runs_over_splits() -> None:
    """Learn, recalibrate, certify anew on 60 splits of the toy: the risk on the other points is below the bound often enough.

    The test points estimate the risk: their own binomial error is allowed for, at the worst split.
    """
    method, missed, rounds = ConformalAbstention(protocol="certified", steps=1, delta=0.2), 0, 60
    for split in range(rounds):
        last = run(method, split, Tiny(split=split))[-1]
        answered = last.tested.m * (1 - last.silent)
        missed += last.risk - math.sqrt(0.25 / answered) > last.bound
    assert missed / rounds <= 0.2 + 4 * math.sqrt(0.2 * 0.8 / rounds)


def test_a_pool_too_small_for_its_level_is_never_silent_and_says_all() -> None:
    pool = Tiny().open()
    few = replace(pool, calibration=pool.calibration[:10])
    last = [e for e in ConformalAbstention(steps=3).states(few, Seeds(0)) if isinstance(e, PolicyStep)][-1]
    assert math.isinf(last.q_silent)
    assert last.silent == 0
    assert last.answers[last.decision == 1].all()


def test_the_same_seed_walks_the_same_way() -> None:
    method = ConformalAbstention(steps=30)
    pool: Pool = Tiny().open()
    first, second = ([(e.alpha, e.beta) for e in method.states(pool, Seeds(7)) if isinstance(e, PolicyStep)] for _ in range(2))
    assert first == second
    assert first != [(e.alpha, e.beta) for e in method.states(pool, Seeds(8)) if isinstance(e, PolicyStep)]
