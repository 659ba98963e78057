"""SpecInfer: the tree's law, the paper's two drafts, equal siblings, and V2 end to end."""

from __future__ import annotations

from collections import Counter
from itertools import product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.decoding.chi_square import assert_lossless
from core.decoding.methods.decoded import COUPLED, DRAWS, EXAMPLES, GREEDY, RANDOM, decoded, plain, text, toy
from core.decoding.methods.exact_law import largest_z, propose, text_law
from glasshouse.families.decoding.drafting import DraftModel
from glasshouse.families.decoding.interface import Context, Sampling
from glasshouse.families.decoding.methods.specinfer import MOST_NODES, SpecInfer
from glasshouse.families.decoding.verification.rule import table
from glasshouse.families.decoding.verification.with_replacement import with_replacement
from glasshouse.families.decoding.verification.without_replacement import without_replacement
from glasshouse.models.language.tabular import TabularLM
from glasshouse.numerics.seeds import Seeds


def context(draft: TabularLM, sampling: Sampling = RANDOM, room: int = 100, seed: int = 0) -> Context:
    return Context([1, 0], 2, room, draft.vocab_size, sampling, Seeds(seed), DraftModel(draft.fork(), sampling))


@pytest.mark.parametrize(("expansion", "sizes"), [((3, 2, 1, 1), (3, 6, 6, 6)), ((1, 1, 3, 1, 1, 1, 1, 1), (1, 1, 3, 3, 3, 3, 3, 3)), ((1,), (1,))])
@pytest.mark.parametrize("sampling", [GREEDY, RANDOM], ids=["greedy", "sampled"])
def test_every_node_of_a_depth_has_its_number_of_draws(expansion: tuple[int, ...], sizes: tuple[int, ...], sampling: Sampling) -> None:
    draft = toy()[1]
    tree = SpecInfer(expansion).propose(None, context(draft, sampling)).tree
    assert tuple(np.bincount(tree.depth)[1:].tolist()) == sizes
    assert all(len(tree.children[i]) == expansion[d] for i, d in enumerate(tree.depth) if d < len(expansion))


def test_siblings_are_independent_draws_from_their_parents_q() -> None:
    _, draft = toy(vocab_size=3, order=1)
    q = draft.next([0]).numpy()
    seen: Counter[tuple[int, int]] = Counter()
    for seed in range(2000):
        tree = SpecInfer((2, 1)).propose(None, context(draft, seed=seed)).tree
        seen[int(tree.token[1]), int(tree.token[2])] += 1
        assert tree.q[tree.q_index[1]] == pytest.approx(q)
        assert tree.q[tree.q_index[3]] == pytest.approx(draft.next([int(tree.token[1])]).numpy())
    expected = np.outer(q, q) * 2000
    observed = np.array([[seen[i, j] for j in range(3)] for i in range(3)])
    assert ((observed - expected) ** 2 / expected).sum() < 26.1               # chi-square, 8 degrees of freedom, 99.9 %


def test_greedy_siblings_are_the_likeliest_tokens_and_all_different() -> None:
    draft = toy()[1]
    tree = SpecInfer((4, 2)).propose(None, context(draft, GREEDY)).tree
    order = np.argsort(-draft.next([1, 0]).numpy())
    assert tree.token[1:5].tolist() == order[:4].tolist()


def test_each_candidate_is_tested_against_the_draft_it_came_from() -> None:
    # Two drafts with different q, as in the paper's merged trees: the law that leaves the node is p, for every pair of draws together.
    rng = np.random.default_rng(0)
    p, first, second = rng.dirichlet(np.ones(5), 3)
    law = sum(first[i] * second[j] * table(with_replacement, p, [i, j], [first, second]).law([i, j]) for i in range(5) for j in range(5))
    assert law == pytest.approx(p, abs=1e-12)


def test_the_law_of_two_tokens_is_the_targets_and_a_wrong_residual_is_found_out() -> None:
    target, draft = toy(vocab_size=4, divergence=0.3)
    exact = target.law((0, 1), 2)
    trees = [propose(SpecInfer((3, 2)), draft, seed).tree for seed in range(1500)]
    assert largest_z([text_law(tree, target, with_replacement, 2) for tree in trees], exact) < 4.5
    assert largest_z([text_law(tree, target, without_replacement, 2) for tree in trees], exact) > 5.5


@pytest.mark.parametrize("k", [1, 2, 3])
def test_its_verification_keeps_more_guesses_than_one_sample_of_the_target_would(k: int) -> None:
    """The paper's claim (section 4.3) against naive sampling, which draws from p and looks for it among the guesses: exactly, by enumeration
    of all draws. Equal only where the guesses are the whole vocabulary."""
    gained = []
    for seed in range(40):
        p, q = np.random.default_rng(seed).dirichlet(np.full(4, 0.7), 2)
        draws = [(tokens, float(np.prod(q[list(tokens)]))) for tokens in product(range(4), repeat=k)]
        ours = sum(w * table(with_replacement, p, tokens, [q] * k).acceptance for tokens, w in draws)
        naive = sum(w * p[sorted(set(tokens))].sum() for tokens, w in draws)
        assert ours >= naive - 1e-12
        gained.append(ours - naive)
    assert np.mean(gained) > 0.03


def test_the_tree_ends_at_its_most_nodes() -> None:
    target, draft = toy(vocab_size=16)
    for sampling in (GREEDY, RANDOM):
        tree = SpecInfer((8,) * 8).propose(None, context(draft, sampling)).tree
        assert tree.size == MOST_NODES
    found = decoded(SpecInfer((8,) * 8), (target, draft), GREEDY, 20)
    assert text(found) == plain(target, GREEDY, 20)


@pytest.mark.parametrize("room", [1, 2, 3])
def test_no_guess_beyond_the_room(room: int) -> None:
    proposal = SpecInfer((2, 2, 2)).propose(None, context(toy()[1], room=room))
    assert proposal.tree.depth.max() == room - 1
    assert len(proposal.extra()["depth_label"]) == room - 1


def test_a_vocabulary_smaller_than_the_draws() -> None:
    models = toy(vocab_size=2, order=1, divergence=0.1)
    for sampling in (GREEDY, COUPLED, RANDOM):
        assert len(text(decoded(SpecInfer((8, 8)), models, sampling, 15))) == 15
    assert SpecInfer((8,)).propose(None, context(models[1], GREEDY)).tree.size == 3


@pytest.mark.parametrize("expansion", [(3, 2, 1, 1), (1, 1, 3, 1), (8, 4)])
@pytest.mark.parametrize("sampling", [GREEDY, COUPLED], ids=["greedy", "coupled"])
def test_the_text_is_the_plain_one(expansion: tuple[int, ...], sampling: Sampling) -> None:
    for seed in range(3):
        models = toy(seed=seed)
        assert text(decoded(SpecInfer(expansion), models, sampling, 50, seed=seed)) == plain(models[0], sampling, 50, seed=seed)


def test_a_perfect_draft_is_always_accepted() -> None:
    target, _ = toy()
    found = decoded(SpecInfer((2, 1, 1)), (target, target), RANDOM, 80)
    assert {r.tokens for r in found} == {4}


def test_more_draws_are_accepted_more_often() -> None:
    models = toy(divergence=0.4)
    rounds = [sum(len(decoded(SpecInfer((k,)), models, RANDOM, 100, seed=s)) for s in range(5)) for k in (1, 3, 8)]
    assert rounds[0] > rounds[1] > rounds[2]


def test_its_view_counts_the_repeats() -> None:
    draft = TabularLM.random(4, 1, 0, temperature=0.1)
    proposal = SpecInfer((6, 2)).propose(None, context(draft))
    extra, tree = proposal.extra(), proposal.tree
    assert extra["draws"][0].tolist() == [6, 12]
    assert extra["draws"][1][0] == len(set(tree.token[tree.depth == 1].tolist())) < 6
    assert extra["depth_label"] == ["depth 1", "depth 2"]


@DRAWS
def test_end_to_end_its_law_is_the_targets(draws: int) -> None:
    assert_lossless(SpecInfer((2, 2)), draws)


@EXAMPLES
@given(method=st.from_type(SpecInfer), vocab_size=st.integers(2, 12), new=st.integers(1, 24), seed=st.integers(0, 99))
def test_at_any_knobs_the_text_is_the_plain_one(method: SpecInfer, vocab_size: int, new: int, seed: int) -> None:
    models = toy(vocab_size=vocab_size, seed=seed, divergence=0.05)
    for sampling in (GREEDY, COUPLED):
        assert text(decoded(method, models, sampling, new, seed=seed, keep="top")) == plain(models[0], sampling, new, seed=seed)
