"""Token Recycling: the matrix after a step, a loop of Python as the oracle of the fill, the text, and the paper's claim."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.decoding.chi_square import assert_lossless
from core.decoding.methods.decoded import COUPLED, DRAWS, EXAMPLES, GREEDY, RANDOM, decoded, plain, text, toy
from core.decoding.methods.exact_law import text_law
from glasshouse.families.decoding.interface import Context, Look, Outcome, TokenTree
from glasshouse.families.decoding.methods.autoregressive import Autoregressive
from glasshouse.families.decoding.methods.token_recycling import UNKNOWN, TokenRecycling
from glasshouse.families.decoding.reading import node_look
from glasshouse.families.decoding.templates import ranked_tree
from glasshouse.families.decoding.verification.point_mass import point_mass
from glasshouse.numerics.seeds import Seeds
from glasshouse.schema.errors import BadValue

V = 12


def context(last: int = 3, room: int = 100, vocab_size: int = V) -> Context:
    return Context([1, last], 2, room, vocab_size, GREEDY, Seeds(0))


def filled(method: TokenRecycling, tree: TokenTree, path: tuple[int, ...] = (0,), seed: int = 0, vocab_size: int = V):  # type: ignore[no-untyped-def]
    """(memory after absorbing random logits for ``tree``, the logits)."""
    logits = np.random.default_rng(seed).normal(size=(tree.size, vocab_size)).astype(np.float32)
    outcome = Outcome(path, (0,) * len(path), 0, path[-1], "bonus")
    return method.absorb(method.init(vocab_size), tree, outcome, logits), logits


def star(tokens: list[int]) -> TokenTree:
    n = len(tokens)
    parent, rank = np.array([-1] + [0] * (n - 1)), np.array([0, *range(n - 1)])
    return TokenTree(np.array(tokens), parent, rank, np.full(n, -1), np.zeros((0, V)), np.zeros(n, int))


def test_cold_it_guesses_nothing() -> None:
    method = TokenRecycling()
    tree = method.propose(method.init(V), context()).tree
    assert (tree.token.tolist(), tree.parent.tolist()) == ([3], [-1])


def test_a_step_writes_the_best_ids_of_every_node_in_falling_order() -> None:
    method = TokenRecycling(k=4)
    memory, logits = filled(method, star([3, 7, 5]))
    for row, token in enumerate([3, 7, 5]):
        assert memory.successors[token].tolist() == np.argsort(-logits[row])[:4].tolist()
    assert (np.delete(memory.successors, [3, 7, 5], 0) == UNKNOWN).all()


def test_of_equal_tokens_the_last_wins_and_the_accepted_path_over_all() -> None:
    memory, logits = filled(TokenRecycling(k=3), star([3, 7, 5, 7, 5]), path=(0, 2))
    assert memory.successors[7].tolist() == np.argsort(-logits[3])[:3].tolist()
    assert memory.successors[5].tolist() == np.argsort(-logits[2])[:3].tolist()


def test_only_the_accepted_path_is_written_where_asked() -> None:
    memory, logits = filled(TokenRecycling(k=3, update="accepted"), star([3, 7, 5]), path=(0, 2))
    assert memory.successors[5].tolist() == np.argsort(-logits[2])[:3].tolist()
    assert (memory.successors[7] == UNKNOWN).all()


def test_fewer_tokens_than_columns() -> None:
    method = TokenRecycling(k=8, budget=40)
    memory, logits = filled(method, star([1, 0, 2]), vocab_size=3)
    assert memory.successors[1].tolist() == [*np.argsort(-logits[0]).tolist(), *[UNKNOWN] * 5]
    tree = method.propose(memory, context(last=1, vocab_size=3)).tree
    assert set(tree.token.tolist()) <= {0, 1, 2}
    assert tree.rank.max() == 2


@pytest.mark.parametrize(("k", "budget", "room"), [(8, 80, 100), (8, 16, 100), (2, 80, 3), (1, 1, 2), (5, 40, 1)])
def test_the_fill_is_the_papers_loop_over_nodes(k: int, budget: int, room: int) -> None:
    rng = np.random.default_rng(k * budget)
    method = TokenRecycling(k=k, budget=budget)
    memory = method.init(V)
    known = rng.random(V) < 0.7
    known[3] = True
    memory.successors[:V][known] = [rng.permutation(V)[:k] for _ in range(known.sum())]
    shape = ranked_tree(budget, k)
    expected: dict[tuple[int, ...], int] = {(): 3}
    walk: list[tuple[int, ...]] = [()]
    for parent, rank in zip(shape.parent[1:].tolist(), shape.rank[1:].tolist(), strict=True):
        path = (*walk[parent], rank)
        walk.append(path)
        if len(path) < room and path[:-1] in expected and known[expected[path[:-1]]]:
            expected[path] = int(memory.successors[expected[path[:-1]], rank])
    tree = method.propose(memory, context(room=room)).tree
    found: dict[tuple[int, ...], int] = {}
    names: list[tuple[int, ...]] = []
    for parent, rank, token in zip(tree.parent.tolist(), tree.rank.tolist(), tree.token.tolist(), strict=True):
        names.append((*names[parent], rank) if parent >= 0 else ())
        found[names[-1]] = token
    assert found == expected
    assert (tree.parent < np.arange(tree.size)).all()


def test_drafting_leaves_the_memory_and_the_template_alone() -> None:
    method = TokenRecycling()
    memory, _ = filled(method, star([3, 7, 5]))
    before = memory.successors.copy()
    tree = method.propose(memory, context()).tree
    tree.parent[:] = 0
    assert np.array_equal(before, memory.successors)
    assert ranked_tree(16).parent[0] == -1


def test_a_memory_of_another_make_is_refused() -> None:
    with pytest.raises(BadValue, match="state"):
        TokenRecycling(k=4).propose(TokenRecycling(k=8).init(V), context())
    with pytest.raises(BadValue, match="same vocabulary"):
        TokenRecycling().propose(TokenRecycling().init(V + 1), context())


METHODS = [TokenRecycling(), TokenRecycling(k=3, budget=80, update="accepted"), TokenRecycling(budget=1)]


@pytest.mark.parametrize("method", METHODS, ids=str)
@pytest.mark.parametrize("sampling", [GREEDY, COUPLED], ids=["greedy", "coupled"])
@pytest.mark.parametrize("seed", range(3))
def test_the_text_is_the_plain_one(method: TokenRecycling, sampling, seed: int) -> None:    # type: ignore[no-untyped-def]
    models = toy(seed=seed)
    assert text(decoded(method, models, sampling, 60, seed=seed)) == plain(models[0], sampling, 60, seed=seed)


@pytest.mark.parametrize("method", METHODS, ids=str)
def test_sampled_text_is_the_plain_sample_and_its_law_is_the_targets(method: TokenRecycling) -> None:
    models = toy(vocab_size=4)
    memory = method.init(4)
    for seed in range(5):
        assert text(decoded(method, models, RANDOM, 40, seed=seed, state=memory)) == text(decoded(Autoregressive(), models, RANDOM, 40, seed=seed))
    tree = method.propose(memory, context(last=0, vocab_size=4)).tree
    assert tree.size > 1
    law = text_law(tree, models[0], point_mass, 3, (1, 0))
    assert [law[key] for key in models[0].law((1, 0), 3)] == pytest.approx([*models[0].law((1, 0), 3).values()], abs=1e-12)


def test_the_first_round_is_plain_decoding_and_it_gets_better_as_the_matrix_fills() -> None:
    # The paper's claim. An order-1 source, so that a row once written stays right; sampled, so that no loop flatters it.
    models = toy(vocab_size=32, order=1, temperature=0.5)
    method, early, late = TokenRecycling(budget=40), [], []
    for seed in range(8):
        found = decoded(method, models, RANDOM, 200, seed=seed)
        assert (found[0].tokens, found[0].nodes) == (1, 1)
        tokens = [r.tokens for r in found]
        early += tokens[:5]
        late += tokens[-20:]
    assert np.mean(early) < 1.6
    assert np.mean(late) > np.mean(early) + 1.0


def test_a_warm_memory_helps_the_next_text_and_rejected_nodes_are_worth_recycling() -> None:
    models = toy(vocab_size=32, order=1, temperature=0.5)
    rounds = {}
    for update in ("all", "accepted"):
        method = TokenRecycling(budget=40, update=update)                                  # type: ignore[arg-type]
        rounds[update] = sum(len(decoded(method, models, RANDOM, 60, seed=seed)) for seed in range(8))
    assert rounds["all"] < 0.9 * rounds["accepted"]
    method = TokenRecycling(budget=40)
    memory = method.init(32)
    cold = [len(decoded(method, models, RANDOM, 60, seed=seed)) for seed in range(8)]
    warm = [len(decoded(method, models, RANDOM, 60, seed=seed, state=memory)) for seed in range(8)]
    assert cold[0] == warm[0]                                          # nothing is known before the first text
    assert sum(warm[1:]) < 0.92 * sum(cold[1:])


def test_its_views_show_this_trees_rows_and_what_changed() -> None:
    method = TokenRecycling(k=3)
    memory, logits = filled(method, star([3, 7, 5]))
    cold = method.propose(method.init(V), context()).extra()
    assert np.isnan(cold["age"]).all()
    assert np.isnan(cold["all_ages"]).all()
    extra = method.propose(memory, context()).extra()
    assert extra["row_token"][0] == 3
    assert len(set(extra["row_token"].tolist())) == len(extra["row_token"])
    assert extra["entry_token"][0].tolist() == np.argsort(-logits[0])[:3].tolist()
    assert extra["age"][0].tolist() == [0, 0, 0]
    assert np.flatnonzero(extra["all_ages"].ravel() == 0).tolist() == [3, 5, 7]      # 12 tokens folded to 4 x 4
    again = method.absorb(memory, star([3]), Outcome((0,), (1, 2), 0, 0, "bonus"), logits[:1])
    extra = method.propose(again, context()).extra()
    assert extra["age"][0].tolist() == [1, 1, 1]                       # written again, but nothing changed


def test_tokens_of_the_rounds_before_and_their_mean() -> None:
    found = decoded(TokenRecycling(k=2), toy(vocab_size=4), GREEDY, 30, keep="top")
    extra = node_look(found, Look(3)).extra
    tokens = [event.tokens for event in found[:3]]
    assert extra["round_past"].tolist() == [1, 2, 3]
    assert extra["tokens_past"].tolist() == [tokens, [tokens[0], sum(tokens[:2]) / 2, sum(tokens) / 3]]


def test_a_large_vocabulary_is_folded_to_the_newest_of_each_cell() -> None:
    method = TokenRecycling(k=2)
    memory = method.init(50_000)
    memory.newest[49_999] = 0
    cells = method.propose(memory, context(vocab_size=50_000)).extra()["all_ages"]
    assert cells.shape == (64, 64)
    assert np.flatnonzero(~np.isnan(cells.ravel())).tolist() == [49_999 // 13]


def test_a_recorded_round_shows_words_for_ids() -> None:
    found = decoded(TokenRecycling(k=2), toy(vocab_size=4), GREEDY, 6, keep="top")
    assert found[0].extra["row_token"] == ["0"]
    assert found[0].extra["entry_token"] == [["–", "–"]]
    assert {word for row in found[-1].extra["entry_token"] for word in row} <= {"0", "1", "2", "3", "–"}


@DRAWS
def test_end_to_end_its_law_is_the_targets(draws: int) -> None:
    assert_lossless(TokenRecycling(budget=8), draws)


@EXAMPLES
@given(method=st.from_type(TokenRecycling), vocab_size=st.integers(2, 12), new=st.integers(1, 24), seed=st.integers(0, 99))
def test_at_any_knobs_the_text_is_the_plain_one(method: TokenRecycling, vocab_size: int, new: int, seed: int) -> None:
    models = toy(vocab_size=vocab_size, seed=seed, divergence=0.05)
    for sampling in (GREEDY, COUPLED):
        assert text(decoded(method, models, sampling, new, seed=seed, keep="top")) == plain(models[0], sampling, new, seed=seed)
