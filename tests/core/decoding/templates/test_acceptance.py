"""The measured acceptance vector against V3's own table, exact laws, and its edges."""

from __future__ import annotations

from itertools import permutations

import numpy as np
import pytest
import torch

from glasshouse.families.decoding.interface import Sampling
from glasshouse.families.decoding.templates import measured_acceptance, sibling_acceptance
from glasshouse.families.decoding.verification.rule import table
from glasshouse.families.decoding.verification.without_replacement import without_replacement
from glasshouse.models.language.tabular import TabularLM
from glasshouse.numerics.seeds import Seeds
from glasshouse.schema.events.base import Progress

RANDOM = Sampling(temperature=1.0)


def rows(seed: int, n: int = 50, v: int = 5) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    return rng.dirichlet(np.ones(v), n), rng.dirichlet(np.ones(v), n), rng.gumbel(size=(n, v))


def test_it_sums_the_table_of_v3() -> None:
    p, q, gumbel = rows(0)
    q[:10, 2] = 0.0
    q /= q.sum(1, keepdims=True)
    expected = np.zeros(4)
    for i in range(len(p)):
        with np.errstate(divide="ignore"):
            drawn = np.argsort(-(np.log(q[i]) + gumbel[i]))[:4]
        drawn = drawn[q[i, drawn] > 0]
        accept = table(without_replacement, p[i], drawn.tolist(), [q[i]] * len(drawn)).accept
        alive = np.concatenate([[1.0], np.cumprod(1 - accept)[:-1]])
        expected[:len(accept)] += alive * accept
    assert sibling_acceptance(p, q, gumbel, 4, RANDOM) == pytest.approx(expected, abs=1e-12)


def exact(p: np.ndarray, q: np.ndarray) -> np.ndarray:
    """P(the b-th sibling is accepted) by enumerating every order of three draws without replacement."""
    found = np.zeros(3)
    for order in permutations(range(len(q)), 3):
        drawn, mass, left = 1.0, 1.0, q.copy()
        accept = table(without_replacement, p, list(order), [q] * 3).accept
        for c in order:
            drawn *= left[c] / left.sum()
            left[c] = 0.0
        for b, a in enumerate(accept):
            found[b] += drawn * mass * a
            mass *= 1 - a
    return found


def test_the_measured_vector_is_the_exact_one_where_the_models_forget_the_context() -> None:
    p, q = np.array([0.5, 0.25, 0.15, 0.1]), np.array([0.25, 0.4, 0.05, 0.3])
    target, draft = (TabularLM(torch.tensor(x).expand(5, 4)) for x in (p, q))
    texts = [Seeds(1).numpy("text", i).integers(0, 4, 500).tolist() for i in range(10)]
    *progress, a = measured_acceptance(target.fork(), draft.fork(), texts, RANDOM, Seeds(0), (0.0,) * 3, 0)
    assert isinstance(a, tuple)
    assert np.array(a) == pytest.approx(exact(p, q), abs=0.015)
    assert a[0] == pytest.approx(np.minimum(p, q).sum(), abs=0.015)     # 1 - TV
    assert all(isinstance(x, Progress) for x in progress)
    assert isinstance(progress[-1], Progress)
    assert progress[-1].share == 1.0


def test_the_prior_counts_as_so_many_positions() -> None:
    lm = TabularLM.random(4)
    *_, a = measured_acceptance(lm.fork(), lm.fork(), [[0, 1, 2]], RANDOM, Seeds(0), (0.5, 0.25), 6)
    assert a == pytest.approx(((3 + 6 * 0.5) / 9, 6 * 0.25 / 9))


def test_greedy_it_counts_how_often_the_targets_choice_is_the_drafts_bth() -> None:
    p, q, gumbel = rows(1, n=200)
    a = sibling_acceptance(p, q, gumbel, 5, Sampling())
    order = np.argsort(-q, 1)
    assert a.tolist() == [(order[:, b] == p.argmax(1)).sum() for b in range(5)]
    assert a.sum() == 200


def test_coupled_it_shares_the_noise() -> None:
    p, q, gumbel = rows(2, n=200)
    shared = Sampling(temperature=1.0, coupled=True)
    assert sibling_acceptance(p, p, gumbel, 3, shared).tolist() == [200, 0, 0]
    assert sibling_acceptance(p, q, gumbel, 5, shared).sum() == 200


def test_a_perfect_draft_is_accepted_at_once() -> None:
    p, _, gumbel = rows(3)
    assert sibling_acceptance(p, p, gumbel, 3, RANDOM) == pytest.approx([50, 0, 0])


def test_more_siblings_than_tokens_and_empty_texts_give_zeros() -> None:
    p, q, gumbel = rows(4, v=2)
    a = sibling_acceptance(p, q, gumbel, 4, RANDOM)
    assert a[2:].tolist() == [0, 0]
    assert a.sum() == pytest.approx(50)                                 # every token tried: V3 always accepts one
    lm = TabularLM.random(4)
    for weight in (0, 10):
        assert list(measured_acceptance(lm.fork(), lm.fork(), [[]], RANDOM, Seeds(0), (0.5, 0.25), weight)) == [(0.5, 0.25)]
