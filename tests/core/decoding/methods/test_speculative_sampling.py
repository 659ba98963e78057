"""Speculative sampling: the acceptance and the tokens per round that the paper derives, the views, and the law end to end."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from core.decoding.chi_square import assert_lossless
from glasshouse.families.decoding.interface import Sampling, Setting
from glasshouse.families.decoding.laws import run, setting
from glasshouse.families.decoding.methods.speculative_sampling import SpeculativeSampling, expected_tokens
from glasshouse.families.decoding.rounds import cold, rounds
from glasshouse.models.language.tabular import TabularLM
from glasshouse.numerics.seeds import Seeds

RANDOM = Sampling(1.0)


def memoryless(p: list[float], q: list[float]) -> tuple[TabularLM, TabularLM, float]:
    """Target and draft that draw every token alike, so that acceptances are independent; and alpha = 1 - TV."""
    target, draft = (TabularLM(torch.tensor([row] * (len(row) + 1), dtype=torch.float64)) for row in (p, q))
    return target, draft, float(np.minimum(p, q).sum())


@pytest.mark.parametrize("gamma", [1, 3, 6])
def test_tokens_per_round_are_as_the_paper_derives(gamma: int) -> None:
    """E[tau] = (1 - alpha^(gamma+1)) / (1 - alpha) for independent acceptances: eq. 1; five standard errors of the mean."""
    target, draft, alpha = memoryless([0.5, 0.3, 0.2, 0.0], [0.2, 0.3, 0.4, 0.1])
    events = list(rounds(SpeculativeSampling(gamma), Setting(target, draft, (0,), 8_000, RANDOM), Seeds(1), cold(SpeculativeSampling(gamma), 4)))
    tokens = np.asarray([e.tokens for e in events[:-gamma - 1]])
    expected = (1 - alpha ** (gamma + 1)) / (1 - alpha)
    assert abs(tokens.mean() - expected) < 5 * tokens.std() / np.sqrt(len(tokens))
    assert expected_tokens(np.asarray(alpha), gamma) == pytest.approx(expected)
    assert expected_tokens(np.asarray(1.0), gamma) == gamma + 1


def test_a_guess_is_accepted_with_the_overlap_of_p_and_q() -> None:
    target, draft, alpha = memoryless([0.1, 0.6, 0.3], [0.5, 0.25, 0.25])
    events = list(rounds(SpeculativeSampling(1), Setting(target, draft, (0,), 8_000, RANDOM), Seeds(2), cold(SpeculativeSampling(1), 3)))
    accepted = np.mean([e.accepted for e in events[:-1]])
    assert abs(accepted - alpha) < 5 * np.sqrt(alpha * (1 - alpha) / len(events))


def test_a_round_is_one_chain() -> None:
    events, _ = run(SpeculativeSampling(5), setting(RANDOM), keep="full")
    for event in events[:-2]:
        assert event.parent.tolist() == [-1, 0, 1, 2, 3, 4]
        assert event.nodes == 6
        assert event.draft_calls in (5, 6)
        rejected = event.accepted < 5
        assert (event.final_kind == "correction") == rejected
        if rejected:                                                 # the replacement comes from norm((p - q)+)
            p, q = event.p.full[event.final_node], event.q.full[event.final_node]       # type: ignore[index]
            left = np.maximum(p - q, 0)
            np.testing.assert_allclose(event.residual.full[event.final_node], left / left.sum(), atol=1e-12)    # type: ignore[index]
            assert left[event.final] > 0


def test_the_views_show_the_overlaps_of_the_round_and_the_share_accepted_before() -> None:
    events, memory = run(SpeculativeSampling(3), setting(RANDOM), keep="full")
    for event in events:
        p, q = event.p.full, event.q.full
        assert p is not None
        assert q is not None
        overlap = [np.minimum(p[n], q[n]).sum() for n in range(event.nodes - 1)]
        np.testing.assert_allclose(event.extra["overlap"], [*overlap, *[np.nan] * (3 - len(overlap))], atol=1e-12)
    curve, text = events[-1].extra["tokens"]
    np.testing.assert_allclose(curve[[0, -1]], [1, 4])
    alpha = events[-1].extra["alpha"]
    seen = events[:-1]
    share = sum(e.accepted for e in seen) / sum(e.accepted + (e.final_kind == "correction") for e in seen)
    np.testing.assert_array_equal(np.isfinite(text), alpha <= share)
    assert memory.accepted == sum(e.accepted for e in events)


def test_no_more_guesses_than_room() -> None:
    events, _ = run(SpeculativeSampling(16), replace(setting(RANDOM), max_new_tokens=4))
    assert events[0].nodes <= 4
    assert sum(e.tokens for e in events) == 4


@pytest.mark.long
def test_lossless() -> None:
    assert_lossless(SpeculativeSampling(2))


@pytest.mark.slow
@pytest.mark.parametrize("gamma", [1, 4])
def test_lossless_with_many_draws(gamma: int) -> None:
    assert_lossless(SpeculativeSampling(gamma), 100_000, seed=7)
