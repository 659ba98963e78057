"""CaPE: its targets against their definition, its promise to stay truer than what is learned by heart, and which number tells."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
import pytest
from scipy.stats import norm

from glasshouse.families.conformal.knowing.drive import drive, look
from glasshouse.families.conformal.knowing.interface import Look
from glasshouse.families.conformal.knowing.problems import Logistic, Tables
from glasshouse.families.conformal.methods.knowing.deep_probability import DeepProbability
from glasshouse.numerics.seeds import Seeds
from glasshouse.schema.events.conformal_knowing import Epoch


def drawn(n: int = 60) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(0)
    p = rng.random(n)
    return p, (rng.random(n) < p).astype(float)


@pytest.mark.parametrize("groups", [2, 7, 10, 50])
def test_bin_targets_are_the_mean_outcomes_of_equally_full_bins(groups: int) -> None:
    p, y = drawn()
    target = DeepProbability(targets="bin", groups=groups).soft(p, y)
    ranked = np.argsort(p)
    for b in range(groups):
        rows = ranked[b * 60 // groups:(b + 1) * 60 // groups]
        assert target[rows] == pytest.approx(y[rows].mean())
    assert target.mean() == pytest.approx(y.mean())


def test_kernel_targets_are_gaussian_means_of_sorted_neighbours() -> None:
    rng = np.random.default_rng(1)
    p = rng.random(1300)
    y = (rng.random(1300) < p).astype(float)
    target = DeepProbability(targets="kde", kernel=0.05).soft(p, y)
    order = np.argsort(p)
    for i in (0, 3, 600, 1299):
        near = order[max(0, i - 500):i + 500]
        weight = norm.pdf(p[near], p[order[i]], 0.05)
        assert target[order[i]] == pytest.approx(weight @ y[near] / weight.sum())


def test_limits_of_the_targets() -> None:
    """One bin for everything, or a kernel as wide as everything: the base rate. A narrow kernel: the outcomes themselves."""
    p, y = drawn()
    assert DeepProbability(targets="kde", kernel=1.0).soft(p * 1e-6, y) == pytest.approx(y.mean())
    assert DeepProbability(targets="kde", kernel=1e-5).soft(p, y) == pytest.approx(y, abs=1e-6)
    assert DeepProbability(targets="bin", groups=50).soft(p[:0], y[:0]).shape == (0,)
    few = DeepProbability(targets="bin", groups=50).soft(p[:7], y[:7])
    assert few == pytest.approx(y[:7])


def test_more_bins_than_inputs_and_fewer_never_fail() -> None:
    p, y = drawn(5)
    assert DeepProbability(targets="bin", groups=50).soft(p, y).tolist() == y.tolist()


@lru_cache
def run(targets: str, seed: int, between: int = 1) -> tuple[Epoch, ...]:
    method = DeepProbability(targets=targets, between=between, memorise=14, epochs=8)  # type: ignore[arg-type]
    return tuple(e for e in drive(method, Logistic(world=seed), Seeds(seed)) if isinstance(e, Epoch))


def errors(events: tuple[Epoch, ...]) -> tuple[float, float, float, float]:
    """(early stopped, by heart, last of the second phase, kept): mean squared error of the probabilities."""
    first = [e for e in events if e.phase in ("untrained", "learning")]
    return min(first, key=lambda e: e.valid_loss).error, first[-1].error, events[-2].error, events[-1].error


def test_phases_come_in_order() -> None:
    events = run("kde", 0)
    assert [e.phase for e in events] == ["untrained", *["learning"] * 14, *["soft targets", "outcomes"] * 4, "kept"]
    assert [e.epoch for e in events] == list(range(24))
    assert "soft targets" not in {e.phase for e in run("outcomes", 0)}
    assert any((events[-1].mu == e.mu).all() for e in events[15:-1])


def test_the_control_is_the_same_up_to_the_second_phase() -> None:
    assert all((a.mu == b.mu).all() for a, b in zip(run("kde", 0)[:15], run("outcomes", 0)[:15], strict=True))


def test_less_wrong_than_early_stopping_and_far_less_than_by_heart() -> None:
    """The paper's claim on three worlds: the mean of CaPE is at most 1.1 times early stopping's; by heart is at least twice as wrong."""
    found = np.mean([errors(run("kde", s)) for s in range(3)], axis=0)
    early, by_heart, _, kept = found
    assert kept <= 1.1 * early
    assert by_heart > 2 * max(early, kept)
    assert 0.002 < early < 0.02


@pytest.mark.long
def test_going_on_with_soft_targets_alone_spoils_less_than_with_outcomes() -> None:
    soft = np.mean([errors(run("bin", s, 0))[2] for s in range(3)])
    plain = np.mean([errors(run("outcomes", s))[2] for s in range(3)])
    assert soft < plain


def test_brier_follows_the_hidden_error_closer_than_ece() -> None:
    """Spearman's correlations over the epochs of three worlds."""
    seen = [look(run("kde", s), Look()) for s in range(3)]
    brier, ece = np.mean([k.agreement for k in seen]), np.mean([k.agreement_ece for k in seen])
    assert brier > 0.85
    assert brier > ece


def test_where_nothing_can_be_learned_by_heart_the_best_is_found() -> None:
    """Six kinds of inputs, 250 outcomes each: after training, each kind's probability is within 4 standard errors of the best there is."""
    events = [e for e in drive(DeepProbability(memorise=15, epochs=10), Tables(), Seeds(0)) if isinstance(e, Epoch)]
    kept = events[-1]
    assert np.abs(kept.mu[:, 0] - kept.world.best[:, 0]).max() < 4 * 0.5 / np.sqrt(200)


@pytest.mark.slow
def test_as_it_comes_it_is_no_worse_than_early_stopping_on_eight_worlds() -> None:
    """The knobs as they are; the same on plain outcomes is the control. MSE_p of each world, and both rank correlations."""
    found = []
    for seed in range(8):
        events = tuple(e for e in drive(DeepProbability(), Logistic(world=seed), Seeds(seed)) if isinstance(e, Epoch))
        known = look(events, Look())
        found.append((*errors(events), known.agreement, known.agreement_ece))
    early, by_heart, _, kept, brier, ece = np.mean(found, axis=0)
    assert kept <= early
    assert by_heart > 2 * early
    assert brier > ece
