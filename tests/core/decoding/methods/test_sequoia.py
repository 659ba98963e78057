"""Sequoia: the tree it fills, what it measures, and that measured tokens per round are the programme's value."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from core.decoding.chi_square import assert_lossless
from core.decoding.methods.decoded import COUPLED, DRAWS, EXAMPLES, GREEDY, RANDOM, decoded, plain, text, toy
from core.decoding.methods.exact_law import accepted_length, largest_z, propose, text_law
from glasshouse.families.decoding.drafting import DraftModel
from glasshouse.families.decoding.interface import Context, Sampling, Setting
from glasshouse.families.decoding.methods.sequoia import USUAL, Sequoia
from glasshouse.families.decoding.templates import optimal_tokens, optimal_tree, reach, sibling_acceptance
from glasshouse.families.decoding.verification.with_replacement import with_replacement
from glasshouse.families.decoding.verification.without_replacement import without_replacement
from glasshouse.models.language.tabular import TabularLM
from glasshouse.numerics.seeds import Seeds


def context(draft: TabularLM, sampling: Sampling = RANDOM, room: int = 100, seed: int = 0) -> Context:
    return Context([1, 0], 2, room, draft.vocab_size, sampling, Seeds(seed), DraftModel(draft.fork(), sampling))


def forgetful(vocab_size: int = 8, seed: int = 0) -> tuple[TabularLM, TabularLM]:
    """Models whose next token never depends on the text: acceptance is then positional, exactly as the paper assumes."""
    rng = np.random.default_rng(seed)
    p, q = (torch.tensor(rng.dirichlet(np.ones(vocab_size))) for _ in range(2))
    return TabularLM(p.expand(vocab_size + 1, vocab_size)), TabularLM(q.expand(vocab_size + 1, vocab_size))


def acceptance(models: tuple[TabularLM, TabularLM], siblings: int, draws: int = 20_000) -> tuple[float, ...]:
    """a[b] by direct simulation of the draws at one node."""
    p, q = (m.next([0]).numpy()[None].repeat(draws, 0) for m in models)
    return tuple((sibling_acceptance(p, q, np.random.default_rng(5).gumbel(size=p.shape), siblings, RANDOM) / draws).tolist())


@pytest.mark.parametrize(("budget", "depth", "children"), [(1, 1, 1), (16, 6, 8), (64, 3, 4), (20, 16, 1)])
@pytest.mark.parametrize("sampling", [GREEDY, RANDOM], ids=["greedy", "sampled"])
def test_the_tree_has_the_optimal_shape(budget: int, depth: int, children: int, sampling: Sampling) -> None:
    method = Sequoia(budget, depth, children)
    tree = method.propose(method.init(8), context(toy()[1], sampling)).tree
    shape = optimal_tree(USUAL[:children], budget + 1, depth)
    assert np.array_equal(tree.parent, shape.parent)
    assert np.array_equal(tree.rank, shape.rank)
    assert all(len({int(tree.token[c]) for c in below}) == len(below) for below in tree.children)


def test_siblings_are_sequential_draws_without_replacement() -> None:
    _, draft = toy(vocab_size=3, order=1)
    q = draft.next([0]).numpy()
    method = Sequoia(budget=2, depth=1, children=2)
    seen: Counter[tuple[int, int]] = Counter()
    for seed in range(2000):
        tree = method.propose(method.init(3), context(draft, seed=seed)).tree
        seen[int(tree.token[1]), int(tree.token[2])] += 1
        assert tree.q_index.tolist() == [-1, 0, 0]
        assert tree.q[0] == pytest.approx(q)
    pairs = [(i, j) for i in range(3) for j in range(3) if i != j]
    expected = np.array([q[i] * q[j] / (1 - q[i]) for i, j in pairs]) * 2000
    observed = np.array([seen[pair] for pair in pairs])
    assert observed.sum() == 2000
    assert ((observed - expected) ** 2 / expected).sum() < 20.5               # chi-square, 5 degrees of freedom, 99.9 %


@pytest.mark.parametrize(("budget", "depth"), [(4, 3), (16, 6), (32, 7)])
def test_where_acceptance_is_positional_tokens_per_round_are_the_programmes_value(budget: int, depth: int) -> None:
    models = forgetful()
    a = acceptance(models, 6)
    method = Sequoia(budget, depth, 6)
    trees = [method.propose(a, context(models[1], seed=seed)).tree for seed in range(200)]
    tokens = np.array([1 + accepted_length(tree, models[0], without_replacement) for tree in trees])
    expected = optimal_tokens(a, budget + 1, depth)[-1]
    assert abs(tokens.mean() - expected) < 4 * tokens.std() / np.sqrt(len(tokens)) + 0.01


def test_under_its_own_vector_it_beats_the_same_number_of_guesses_in_other_shapes() -> None:
    # The claim of section 3.1, on real decoding: a tree for this acceptance against a chain and a tree shaped for another.
    models = forgetful(seed=3)
    a = acceptance(models, 6)
    rounds = {}
    for name, vector in {"own": a, "chain": (0.9,), "star": (0.3,) * 6}.items():
        method = Sequoia(budget=24, depth=8, children=6)
        rounds[name] = sum(len(decoded(method, models, RANDOM, 150, seed=seed, prepared=vector)) for seed in range(6))
    assert rounds["own"] < 0.98 * rounds["chain"]
    assert rounds["own"] < rounds["star"]


def test_prepare_measures_the_vector_and_leaves_the_models_empty() -> None:
    models = forgetful()
    texts = tuple(tuple(Seeds(2).numpy("text", i).integers(0, 8, 400).tolist()) for i in range(8))
    setting = Setting(*models, (1,), 10, RANDOM, calibration=texts)
    *_, a = Sequoia(children=4).prepare(setting, Seeds(0))
    assert isinstance(a, tuple)
    expected = (np.array(acceptance(models, 4)) * 3200 + np.array(USUAL[:4]) * 64) / 3264
    assert np.array(a) == pytest.approx(expected, abs=0.02)
    assert (models[0].length, models[1].length) == (0, 0)
    assert Sequoia(children=4).init(8, a) == a


def test_a_few_tokens_do_not_decide_alone() -> None:
    models = toy(vocab_size=16)
    *_, a = Sequoia().prepare(Setting(*models, (1,), 10, GREEDY, calibration=((1, 2, 3),)), Seeds(0))
    assert isinstance(a, tuple)
    assert optimal_tree(a, 17, 6).children()[0] > 1
    assert np.array(a) == pytest.approx(USUAL[:8], abs=3 / 64)


def test_without_calibration_the_usual_vector_is_used() -> None:
    models = toy()
    for texts in ((), ((),)):
        assert list(Sequoia(children=3).prepare(Setting(*models, (1,), 10, RANDOM, calibration=texts), Seeds(0))) == [USUAL[:3]]
    assert Sequoia(children=3).init(8) == USUAL[:3]
    assert len(USUAL) == 16
    assert list(USUAL) == sorted(USUAL, reverse=True)
    assert sum(USUAL) < 1


@pytest.mark.parametrize("room", [1, 2, 3])
def test_no_guess_beyond_the_room(room: int) -> None:
    method, at = Sequoia(), context(toy()[1], room=room)
    assert method.propose(method.init(8), at).tree.depth.max() == room - 1
    assert at.draft is not None
    assert (at.draft.calls == 0) == (room == 1)


def test_siblings_beyond_the_drafts_support_are_left_out_with_what_hangs_on_them() -> None:
    models = toy(vocab_size=2, order=1, divergence=0.1)
    method = Sequoia(budget=64, depth=4, children=8)
    tree = method.propose(method.init(2), context(models[1])).tree
    assert tree.rank.max() == 1
    assert tree.size < 65
    for sampling in (GREEDY, COUPLED, RANDOM, Sampling(temperature=1.0, top_p=0.5)):
        assert len(text(decoded(method, models, sampling, 15))) == 15


def test_the_law_of_two_tokens_is_the_targets_and_a_wrong_residual_is_found_out() -> None:
    target, draft = toy(vocab_size=4, divergence=0.3)
    exact = target.law((0, 1), 2)
    trees = [propose(Sequoia(budget=8, depth=2, children=3), draft, seed).tree for seed in range(1500)]
    assert largest_z([text_law(tree, target, without_replacement, 2) for tree in trees], exact) < 4.5
    assert largest_z([text_law(tree, target, with_replacement, 2) for tree in trees], exact) > 5.5


@pytest.mark.parametrize("method", [Sequoia(), Sequoia(budget=64, depth=3, children=2), Sequoia(budget=1)], ids=str)
@pytest.mark.parametrize("sampling", [GREEDY, COUPLED], ids=["greedy", "coupled"])
def test_the_text_is_the_plain_one(method: Sequoia, sampling: Sampling) -> None:
    for seed in range(3):
        models = toy(seed=seed)
        assert text(decoded(method, models, sampling, 50, seed=seed)) == plain(models[0], sampling, 50, seed=seed)


def test_its_views_show_the_programme_the_vector_and_the_shape() -> None:
    method = Sequoia(budget=20, depth=5, children=4)
    extra = method.propose(method.init(8), context(toy()[1])).extra()
    assert extra["expected"].shape == (3, 21)
    assert extra["expected"][:, 0].tolist() == [1, 1, 1]
    assert (extra["expected"][0] >= extra["expected"][1:] - 1e-12).all()
    assert extra["acceptance"].tolist() == list(USUAL[:4])
    shape = optimal_tree(USUAL[:4], 21, 5)
    assert extra["shape_reach"].tolist() == reach(shape, USUAL[:4]).tolist()
    assert len(extra["shape_text"]) == len(extra["shape_parent"]) == 21
    assert extra["shape_reach"].sum() == pytest.approx(extra["expected"][0, -1])


@DRAWS
def test_end_to_end_its_law_is_the_targets(draws: int) -> None:
    assert_lossless(Sequoia(budget=3, depth=2, children=2), draws)


@EXAMPLES
@given(method=st.from_type(Sequoia), vocab_size=st.integers(2, 12), new=st.integers(1, 24), seed=st.integers(0, 99))
def test_at_any_knobs_the_text_is_the_plain_one(method: Sequoia, vocab_size: int, new: int, seed: int) -> None:
    models = toy(vocab_size=vocab_size, seed=seed, divergence=0.05)
    for sampling in (GREEDY, COUPLED):
        assert text(decoded(method, models, sampling, new, seed=seed, keep="top")) == plain(models[0], sampling, new, seed=seed)
