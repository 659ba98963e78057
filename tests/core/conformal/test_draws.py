"""u of predictions: uniform, and fresh however rows come: singly, in batches, from threads, from copies, again and again."""

from __future__ import annotations

import copy
import pickle
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import pytest
from scipy.stats import kstest

from glasshouse.families.conformal import calibrate, calibrate_robust, calibrate_rules
from glasshouse.families.conformal.draws import Draws, row_keys

SCORES: dict[str, dict[str, Any]] = {
    "aps": {}, "raps": {"penalty": 0.05, "free": 1}, "saps": {"step": 0.1}, "mondrian": {"base": "aps"}, "clustered": {"base": "aps"}}


def drawn(n: int, seed: int, classes: int = 5) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    probs = rng.dirichlet(np.full(classes, 0.7), n)
    return probs, (rng.random((n, 1)) > probs.cumsum(axis=1)[:, :-1]).sum(axis=1)


@pytest.mark.parametrize("rows", ["different", "equal", "certain"])
def test_numbers_are_uniform_and_follow_no_neighbour(rows: str) -> None:
    given = {"different": drawn(50_000, 0)[0], "equal": np.full((50_000, 4), 0.25), "certain": np.repeat(np.eye(4), 12_500, axis=0)}[rows]
    u = Draws(3).take(given)
    assert kstest(u, "uniform").pvalue > 0.001
    assert len(np.unique(u)) > 49_990
    for lag in (1, 2, 7):
        assert abs(np.corrcoef(u[:-lag], u[lag:])[0, 1]) < 4 / np.sqrt(50_000)


def test_a_number_says_nothing_of_its_row() -> None:
    probs, _ = drawn(50_000, 1)
    u = Draws(5).take(probs)
    assert np.abs(np.corrcoef(u, probs.T)[0, 1:]).max() < 4 / np.sqrt(50_000)
    assert kstest(u[probs[:, 0] > 0.5], "uniform").pvalue > 0.001


def test_calls_of_any_size_are_one_stream_and_keys_are_many() -> None:
    probs, _ = drawn(100, 2)
    whole, draws = Draws(7).take(probs), Draws(7)
    assert np.concatenate([draws.take(probs[i:i + 7]) for i in range(0, 100, 7)]).tolist() == whole.tolist()
    assert not set(whole) & set(Draws(8).take(probs))
    assert not set(whole) & set(draws.take(probs))
    assert draws.take(probs[:0]).shape == (0,)


def test_threads_never_get_the_same_number() -> None:
    draws, row = Draws(1), np.full((1, 3), 1 / 3)
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda _: draws.take(row)[0], range(4000)))
    assert len(set(found)) == 4000


def test_a_count_that_starts_again_is_made_up_for_by_the_row() -> None:
    """A copy of the object for every row, as a pool of processes makes them, and a calibration anew for every request."""
    probs, labels = drawn(700, 3)
    c = calibrate(probs[:200], labels[:200], "aps", randomized=True)
    u = [pickle.loads(pickle.dumps(c)).draws.take(row[None])[0] for row in probs[200:]]
    assert kstest(u, "uniform").pvalue > 0.001
    u = [calibrate(probs[:20], labels[:20], "aps", randomized=True).draws.take(row[None])[0] for row in probs[200:]]
    assert kstest(u, "uniform").pvalue > 0.001
    u = [calibrate(probs[i:i + 20], labels[i:i + 20], "aps", randomized=True).draws.take(probs[:1])[0] for i in range(500)]
    assert kstest(u, "uniform").pvalue > 0.001


def test_copies_go_on_where_they_were_made() -> None:
    probs, _ = drawn(20, 4)
    draws = Draws(2)
    draws.take(probs)
    for other in (copy.copy(draws), copy.deepcopy(draws), pickle.loads(pickle.dumps(draws))):
        assert other.take(probs).tolist() == Draws(2, 20).take(probs).tolist()


def test_row_keys_tell_rows_apart() -> None:
    for classes in (1, 2, 3, 16, 17, 1000):
        probs = np.random.default_rng(classes).random((5000, classes)).astype(np.float32).astype(np.float64)
        keys = row_keys(probs)
        assert len(np.unique(keys)) == len(np.unique(probs, axis=0))
        assert (row_keys(probs[7:9]) == keys[7:9]).all()
        assert (row_keys(np.asfortranarray(probs)) == keys).all()


@pytest.mark.parametrize("score", SCORES)
def test_sets_row_by_row_are_those_of_one_call(score: str) -> None:
    """The same seed and the same order of rows give the same sets, whatever the calls."""
    probs, labels = drawn(400, 5)

    def ranks(size: int, order: Any = slice(None)) -> np.ndarray:
        c = calibrate(probs[:150], labels[:150], score, randomized=True, seed=3, **SCORES[score])
        rows = probs[150:][order]
        return np.concatenate([c.rank(rows[i:i + size]).ranks for i in range(0, len(rows), size)])

    whole = ranks(250)
    assert (ranks(1) == whole).all()
    assert (ranks(7) == whole).all()
    assert (ranks(250, slice(None, None, -1))[::-1] != whole).any(), "u belongs to the prediction, not to the row alone"


def coverages(score: str, seed: int, alphas: tuple[float, ...], m: int) -> dict[str, np.ndarray]:
    """Coverage of m points by one call with a u from elsewhere, and one row at a time, by sevens, shuffled: float64 [alphas] each."""
    probs, labels = drawn(m + 300, 1000 + seed)
    known, rows, truth = (probs[:300], labels[:300]), probs[300:], labels[300:]
    order = np.random.default_rng(seed).permutation(m)

    def held(size: int, at: np.ndarray, u: Any = None) -> np.ndarray:
        c = calibrate(*known, score, randomized=True, seed=seed, **SCORES[score])
        found = np.zeros((len(alphas), m), bool)
        for start in range(0, m, size):
            some = at[start:start + size]
            ranked = c.rank(rows[some], u=None if u is None else u[some])
            for a, alpha in enumerate(alphas):
                found[a, some] = ranked.sets(alpha)[np.arange(len(some)), truth[some]]
        return np.asarray(found.mean(axis=1))

    own = np.arange(m)
    return {"one call": held(m, own, np.random.default_rng(9000 + seed).random(m)), "singly": held(1, own), "by sevens": held(7, own),
            "shuffled": held(7, order)}


def check(score: str, seeds: range, m: int) -> None:
    alphas = (0.07, 0.3)
    gaps = []
    for seed in seeds:
        found = coverages(score, seed, alphas, m)
        for a, alpha in enumerate(alphas):
            error = np.sqrt(2 * alpha * (1 - alpha) / m)
            gaps.append([(found[way][a] - found["one call"][a]) / error for way in ("singly", "by sevens", "shuffled")])
    assert np.abs(gaps).max() < 4
    assert np.abs(np.mean(gaps, axis=0)).max() < 4 / np.sqrt(len(gaps))


@pytest.mark.long
@pytest.mark.parametrize("score", SCORES)
def test_coverage_does_not_depend_on_how_rows_come(score: str) -> None:
    check(score, range(4), 1500)


@pytest.mark.slow
@pytest.mark.parametrize("score", SCORES)
def test_coverage_does_not_depend_on_how_rows_come_by_forty_seeds(score: str) -> None:
    check(score, range(40), 1500)


def test_doors_of_other_rooms_draw_afresh_too() -> None:
    """RSCP+ over APS, and the published sets of rules: row by row the sets are those of one call, and equal rows get other shares."""
    rng = np.random.default_rng(6)
    probs, labels = drawn(120, 6, 4)
    copies = np.repeat(probs[:, None], 16, axis=1)
    votes, implies = rng.random((120, 2)), np.array([[1, 0, 1, 0], [0, 1, 1, 0]], bool)
    makes: tuple[tuple[Any, Any], ...] = (
        (lambda: calibrate_robust(copies[:60], labels[:60], 0.5, base="aps", variant="rscp"), lambda c, at: c.sets(copies[at], 0.0, 0.3)),
        (lambda: calibrate_rules(probs[:60], votes[:60], labels[:60], implies, calibration="as published"),
         lambda c, at: c.sets(probs[at], votes[at], 0.3)))
    for make, sets in makes:
        whole, singly, again = make(), make(), make()
        one_call = sets(whole, np.arange(60, 120))
        assert (np.concatenate([sets(singly, np.array([i])) for i in range(60, 120)]) == one_call).all()
        assert len({sets(again, np.array([60])).tobytes() for _ in range(60)}) > 1
