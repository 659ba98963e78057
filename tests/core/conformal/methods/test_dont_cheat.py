"""Pairs: counts against their closed form, the network against what is hidden from it."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
import pytest

from glasshouse.families.conformal.knowing.drive import drive, look
from glasshouse.families.conformal.knowing.interface import Look
from glasshouse.families.conformal.knowing.problems import Digits, Logistic, Tables, Tiny
from glasshouse.families.conformal.methods.knowing.dont_cheat import DontCheat
from glasshouse.numerics.seeds import Seeds
from glasshouse.schema.errors import Unsupported
from glasshouse.schema.events.conformal_knowing import Epoch


@lru_cache
def run(method: DontCheat, problem: Logistic | Digits | Tables | Tiny, seed: int = 0) -> tuple[Epoch, ...]:
    return tuple(e for e in drive(method, problem, Seeds(seed)) if isinstance(e, Epoch))


def test_counts_are_the_shares_of_symmetrised_pairs() -> None:
    """Recounted in plain Python, portion by portion."""
    problem = Tables(points=200)
    data = problem.open()
    events = run(DontCheat(model="counts", passes=4, prior=0.5), problem)
    assert [e.phase for e in events] == ["untrained", "counting", "counting", "counting", "kept"]
    for portion, event in enumerate(events):
        rows = data.train[:50 * portion]
        for kind in range(6):
            pairs = data.labels[rows][data.kind[rows] == kind]
            n = np.array([[sum((tuple(p) == (a, b)) + (tuple(p) == (b, a)) for p in pairs.tolist()) / 2 + 0.5 for b in range(4)]
                          for a in range(4)])
            joint = n / n.sum()
            at = np.flatnonzero(data.kind[data.test] == kind)[0]
            assert event.mu[at] == pytest.approx(joint.sum(axis=1), abs=1e-12)
            assert event.cheat[at] == pytest.approx(joint / joint.sum(axis=1, keepdims=True), abs=1e-12)


def test_counting_finds_the_variance_of_the_twins() -> None:
    """V against the variance of the tables, kind by kind and answer by answer: within 4 standard errors of counting 800 pairs each."""
    known = run(DontCheat(model="counts"), Tables(points=5000))[-1]
    v = [look([known], Look(answer=k)).variance for k in range(4)]
    off = np.abs(np.array(v).T - known.world.spread)
    assert off.max() < 4 * 0.5 / np.sqrt(700)
    assert off.mean() < 0.015
    assert np.corrcoef(np.array(v).T.ravel(), known.world.spread.ravel())[0, 1] > 0.95


@pytest.mark.parametrize("method", [DontCheat(model="counts"), DontCheat(passes=12)])
def test_twins_are_within_the_interval_as_often_as_promised(method: DontCheat) -> None:
    """Over all answers; a variance near 0 is counted as 0 here and there, and that interval misses (so the promise has its assumption)."""
    kept = run(method, Tables(points=5000))
    for beta in (0.1, 0.3):
        assert np.mean([look(kept, Look(answer=answer, beta=beta)).inside for answer in range(4)]) >= 1 - beta


def test_who_can_see_everything_says_so() -> None:
    """One twin a kind: the claimed error shrinks towards nothing, and far below that of a model that cannot tell four twins apart."""
    seeing, blind = (run(DontCheat(model="counts"), Tables(twins=t, points=5000))[-1] for t in (1, 4))
    assert seeing.claimed < 0.1 * blind.claimed
    assert blind.claimed == pytest.approx(blind.world.spread.mean(), rel=0.1)


@pytest.mark.parametrize("hidden", [0, 5, 9, 14])
def test_the_network_says_how_far_off_it_is(hidden: int) -> None:
    """The claimed squared error is within a third and 0.004 of the actual one, whatever is hidden."""
    kept = run(DontCheat(passes=10), Logistic(hidden=hidden))[-1]
    assert kept.claimed == pytest.approx(kept.error, rel=1 / 3, abs=0.004)


def test_more_hidden_more_claimed_and_the_intervals_hold() -> None:
    kept = [run(DontCheat(passes=10), Logistic(hidden=h)) for h in (0, 5, 9, 14)]
    claims = [k[-1].claimed for k in kept]
    assert claims == sorted(claims)
    for one in kept[1:]:
        assert look(one, Look(beta=0.1)).inside >= 0.9


def test_the_claim_follows_from_input_to_input() -> None:
    """Bins by claimed error: the actual error rises with it, and pairs alone tell the same."""
    known = look(run(DontCheat(passes=10), Logistic(hidden=9)), Look(bins=4))
    claimed, actual, pairs = known.spread_bins
    assert (np.diff(claimed) > 0).all()
    assert actual[-1] > actual[0]
    assert actual == pytest.approx(claimed, abs=0.03)
    assert pairs == pytest.approx(claimed, abs=4 * 0.25 / np.sqrt(500))


def test_the_kept_network_is_the_best_by_validation() -> None:
    events = run(DontCheat(passes=10), Logistic(hidden=9))
    assert [e.phase for e in events] == ["untrained", *["learning"] * 10, "kept"]
    best = min(events, key=lambda e: e.valid_loss)
    assert (best.mu == events[-1].mu).all()


def test_counts_need_inputs_that_repeat() -> None:
    with pytest.raises(Unsupported, match="network") as error:
        next(iter(drive(DontCheat(model="counts"), Tiny(), Seeds(0))))
    assert error.value.argument == "model"
