"""dyspec: greedy growth against brute force over all trees, and its losslessness with the uniforms integrated out."""

from __future__ import annotations

from dataclasses import replace
from itertools import combinations, pairwise, product

import numpy as np
import pytest
import torch

from core.decoding.methods.decoded import COUPLED, GREEDY, RANDOM, decoded, plain, text, toy
from core.decoding.methods.exact_law import Choose, accepted_length, distance, every, mean_law, orders, paths, propose, text_law
from glasshouse.families.decoding.drafting import DraftModel
from glasshouse.families.decoding.interface import Context, Outcome, Sampling, TokenTree
from glasshouse.families.decoding.methods import dyspec
from glasshouse.families.decoding.methods.autoregressive import Autoregressive
from glasshouse.families.decoding.methods.dyspec import DySpec
from glasshouse.families.decoding.methods.sequoia import Sequoia
from glasshouse.families.decoding.sampling import distribution
from glasshouse.families.decoding.templates import optimal_tree
from glasshouse.families.decoding.verification import TestInTurn
from glasshouse.families.decoding.verification.with_replacement import with_replacement
from glasshouse.families.decoding.verification.without_replacement import without_replacement
from glasshouse.models.language.tabular import TabularLM
from glasshouse.numerics.seeds import Seeds

TARGET = TabularLM.random(4, order=1, seed=3)
DRAFT = TARGET.perturbed(0.2)
SMALL, SMALL_DRAFT = TabularLM.random(3, order=1, seed=1), TabularLM.random(3, order=1, seed=6)


def slot_values(tree: TokenTree, draft: TabularLM, temperature: float = 1.0) -> np.ndarray:
    """v of the slot each node filled, from the tree alone: what the path and the older siblings left of q."""
    found, value, below = paths(tree), np.ones(tree.size), np.ones(tree.size)
    for node in range(tree.size):
        q = draft.next((0, 1, *found[node])).numpy() ** (1 / temperature)
        left = 1.0
        for child in tree.children[node]:
            mass = q[tree.token[child]] / q.sum()
            value[child], below[child] = below[node] * left, below[node] * mass
            left -= mass
    return value


def best_total(draft: TabularLM, depth: int, budget: int) -> float:
    """The greatest sum of v over all trees of ``budget`` nodes whose siblings come by falling q (greedy draws)."""
    names = [name for n in range(1, depth + 1) for name in product(range(draft.vocab_size), repeat=n)]     # ranks along the path
    value = {}
    for name in names:
        path: tuple[int, ...] = ()
        reach, v = 1.0, 0.0
        for rank in name:
            q = draft.next((0, 1, *path)).numpy()
            order = np.argsort(-q, kind="stable")
            v = reach * (1.0 - q[order[:rank]].sum())
            reach *= q[order[rank]]
            path = (*path, int(order[rank]))
        value[name] = v
    closed = (set(chosen) for chosen in combinations(names, budget))
    return max(sum(value[n] for n in c) for c in closed
               if all((len(n) == 1 or n[:-1] in c) and (n[-1] == 0 or (*n[:-1], n[-1] - 1) in c) for n in c))


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("budget", [2, 3, 4])
def test_no_tree_of_that_size_has_a_greater_sum_of_v(seed: int, budget: int) -> None:
    draft = TabularLM.random(3, order=1, seed=seed)
    proposal = propose(DySpec(budget=budget), draft, room=4, sampling=GREEDY)
    value = slot_values(proposal.tree, draft)
    assert value[1:].sum() == pytest.approx(best_total(draft, 3, budget), abs=1e-12)


@pytest.mark.parametrize("seed", range(20))
def test_filled_slots_are_worth_more_than_open_ones(seed: int) -> None:
    proposal = propose(DySpec(budget=12), DRAFT, seed)
    extra = proposal.extra()
    assert extra["value"] == pytest.approx(slot_values(proposal.tree, DRAFT))
    assert extra["value"].min() >= extra["slot_value"].max() - 1e-12
    assert (np.diff(extra["value"]) <= 1e-12).all()         # and they were filled in falling order


def test_a_larger_budget_only_adds() -> None:
    totals = []
    trees = [propose(DySpec(budget=budget), DRAFT, seed=5) for budget in range(1, 40)]
    for small, large in pairwise(trees):
        n = small.tree.size
        assert np.array_equal(small.tree.token, large.tree.token[:n])
        assert np.array_equal(small.tree.parent, large.tree.parent[:n])
        totals.append(small.extra()["value"][1:].sum())
    assert [tree.tree.size for tree in trees] == list(range(2, 41))
    assert (np.diff(totals) >= 0).all()


@pytest.mark.parametrize("temperature", [0.0, 1.0])
def test_looking_ahead_saves_calls_and_changes_nothing(temperature: float) -> None:
    calls, trees = [], []
    for ahead in (1, 4, 32):
        sampling = Sampling(temperature)
        draft = DraftModel(DRAFT.fork(), sampling)
        context = Context((0, 1), 2, 99, 4, sampling, Seeds(1), draft)
        method = DySpec(budget=40, ahead=ahead)
        trees.append(method.propose(method.init(4), context).tree)
        calls.append(draft.calls)
    assert all(np.array_equal(tree.token, trees[0].token) and np.array_equal(tree.parent, trees[0].parent) for tree in trees)
    assert calls[0] > calls[1] >= calls[2]


@pytest.mark.parametrize("threshold", [0.02, 0.1, 0.5, 1.0])
def test_the_threshold_keeps_what_an_unbounded_heap_would_above_it(threshold: float) -> None:
    layered = propose(DySpec(growth="threshold", threshold=threshold, budget=128), DRAFT, room=6, sampling=GREEDY)
    heap = propose(DySpec(budget=128), DRAFT, room=6, sampling=GREEDY)
    above = {path for path, v in zip(paths(heap.tree), heap.extra()["value"], strict=True) if v >= threshold}
    assert heap.extra()["value"].min() < 0.02               # the heap went further down than every threshold
    assert set(paths(layered.tree)) == above
    assert layered.extra()["slot_value"].max() < threshold


def test_the_threshold_drafts_once_a_level() -> None:
    draft = DraftModel(DRAFT.fork(), GREEDY)
    method = DySpec(growth="threshold", threshold=0.01, budget=128)
    draft.begin((0, 1))
    before = draft.calls
    tree = method.propose(method.init(4), Context((0, 1), 2, 5, 4, GREEDY, Seeds(0), draft)).tree
    assert tree.depth.max() == 4
    assert draft.calls - before == 4


def enumerated_law(method: DySpec, rule: TestInTurn, monkeypatch: pytest.MonkeyPatch) -> dict[tuple[int, ...], float]:
    """The law of the next two tokens over every order in which the draft's tokens can be drawn."""
    def one(choose: Choose) -> dict[tuple[int, ...], float]:
        monkeypatch.setattr(dyspec, "without_replacement", lambda q, k, *address: (choose(orders(q, k)), None))
        return text_law(propose(method, SMALL_DRAFT, room=4).tree, SMALL, rule, 2)

    return mean_law(every(one))


@pytest.mark.parametrize("method", [DySpec(budget=4), DySpec(growth="threshold", threshold=0.25, budget=8),
                                    DySpec(growth="threshold", threshold=0.05, budget=3), DySpec(budget=3, draft_temperature=0.5),
                                    DySpec(budget=3, draft_temperature=2.0)])
def test_the_text_has_the_targets_law_exactly(method: DySpec, monkeypatch: pytest.MonkeyPatch) -> None:
    law = enumerated_law(method, without_replacement, monkeypatch)
    assert distance(law, SMALL.law((0, 1), 2)) < 1e-12


def test_that_check_can_fail(monkeypatch: pytest.MonkeyPatch) -> None:
    # Draws without replacement under the rule for draws with it.
    law = enumerated_law(DySpec(budget=4), with_replacement, monkeypatch)
    assert distance(law, SMALL.law((0, 1), 2)) > 1e-3


@pytest.mark.parametrize("growth", ["heap", "threshold"])
def test_a_draft_equal_to_the_target_is_never_refused(growth: str) -> None:
    tree = propose(DySpec(growth=growth, budget=10), TARGET, seed=2).tree  # type: ignore[arg-type]
    node = eldest = 0
    while tree.children[node]:
        node, eldest = tree.children[node][0], eldest + 1
    assert eldest >= 2
    assert accepted_length(tree, TARGET, without_replacement) == pytest.approx(eldest, abs=1e-12)


@pytest.mark.parametrize("growth", ["heap", "threshold"])
def test_small_rooms_budgets_and_supports(growth: str) -> None:
    method = DySpec(growth=growth, threshold=0.001, budget=128)  # type: ignore[arg-type]
    assert propose(method, DRAFT, room=1).tree.size == 1
    assert propose(method, DRAFT, room=2).tree.size == 5     # all four tokens, once
    assert propose(method, DRAFT, room=3).tree.size == 21
    assert propose(DySpec(growth=growth, budget=1), DRAFT).tree.size == 2  # type: ignore[arg-type]
    certain = TabularLM(torch.eye(4)[[1, 2, 3, 0, 0]])
    chain = propose(method, certain, room=6).tree
    assert chain.size == 6
    assert (chain.rank == 0).all()                           # zeros of q are never drawn


def test_memory_counts_what_was_offered_and_kept() -> None:
    method = DySpec(budget=6)
    tree = propose(method, DRAFT, seed=4).tree
    child = tree.children[0][0]
    outcome = Outcome((0, child), (int(tree.token[child]), 0), 0, child, "correction")
    before = method.init(4)
    after = method.absorb(before, tree, outcome, None)
    assert before.sum() == 0
    assert after.sum(1).tolist() == [len(tree.children[0]) + len(tree.children[child]), 1]
    q = tree.q[tree.q_index[child], tree.token[child]]
    assert after[1, int(10 * q)] == 1


@pytest.mark.parametrize("sampling", [GREEDY, COUPLED])
@pytest.mark.parametrize("method", [DySpec(), DySpec(budget=1), DySpec(growth="threshold", threshold=0.05, budget=128),
                                    DySpec(draft_temperature=0.4)])
def test_the_text_is_the_targets_token_for_token(method: DySpec, sampling: Sampling) -> None:
    models = toy()
    assert text(decoded(method, models, sampling, 30)) == plain(models[0], sampling, 30)


@pytest.mark.parametrize("method", [DySpec(), DySpec(growth="threshold")])
def test_the_loop_never_refuses_a_draft_equal_to_the_target(method: DySpec) -> None:
    target = toy()[0]
    assert {r.final_kind for r in decoded(method, (target, target), RANDOM, 40)} == {"bonus"}


def test_where_a_guess_is_accepted_with_the_drafts_probability_it_beats_the_best_static_tree() -> None:
    """The paper's claim where its assumption holds: the awaited token is, in every context, a draw from q, so that a guess is kept with the
    product of q along its path. Exact, against Sequoia's shape for the acceptance by rank, over sources with sure and open contexts."""
    ahead = []
    for seed in range(8):
        rows = np.stack([np.random.default_rng([seed, i]).dirichlet(np.full(6, (0.05, 0.3, 3.0)[i % 3])) for i in range(7)])
        draft, order = TabularLM(torch.from_numpy(rows)), np.argsort(-rows[:6], axis=1, kind="stable")
        shape = optimal_tree(tuple(np.take_along_axis(rows[:6], order, 1).mean(0).tolist()), 13, 7)
        ours, theirs = [], []
        for last in range(6):
            tree = propose(DySpec(budget=12), draft, prompt=(0, last), sampling=GREEDY).tree
            assert tree.size <= 13
            ours.append(sum(chance(rows, last, path) for path in paths(tree)[1:]))
            token, reach = [last], [1.0]
            for node in range(1, shape.size):
                above = shape.parent[node]
                token.append(int(order[token[above], shape.rank[node]]))
                reach.append(reach[above] * rows[token[above], token[node]])
            theirs.append(sum(reach[1:]))
        ahead.append(np.mean(ours) - np.mean(theirs))
    assert min(ahead) > 0
    assert np.mean(ahead) > 0.1


def chance(rows: np.ndarray, last: int, path: tuple[int, ...]) -> float:
    """The product of q along a path."""
    return float(np.prod([rows[a, b] for a, b in pairwise((last, *path))]))


def test_top_p_on_the_draft_starves_a_tree_and_need_not() -> None:
    """Cut to few tokens, a draft has no more to draw without replacement. The text keeps the target's law either way."""
    target, draft = toy(vocab_size=16, order=1, temperature=0.4)
    for cut, full in ((True, False), (False, True)):
        sampling = Sampling(1.0, 0.5, draft_top_p=cut)
        context = Context([1, 0], 2, 99, 16, sampling, Seeds(0), DraftModel(draft.fork(), sampling))
        tree = Sequoia(budget=40, depth=3).propose(Sequoia().init(16), context).tree
        assert (tree.size == 41) == full
        coupled = replace(sampling, coupled=True)
        assert text(decoded(DySpec(), (target, draft), coupled, 40)) == text(decoded(Autoregressive(), (target, draft), coupled, 40))


@pytest.mark.parametrize("draft_top_p", [True, False])
def test_with_top_p_the_law_is_the_targets(draft_top_p: bool) -> None:
    target, draft = toy(vocab_size=4, order=1, divergence=0.3)
    sampling = Sampling(1.0, 0.7, draft_top_p=draft_top_p)
    draws = 3000
    first = np.bincount([text(decoded(DySpec(budget=4), (target, draft), sampling, 2, seed=seed))[0] for seed in range(draws)], minlength=4) / draws
    wanted = distribution(target.next((1, 0)).log().numpy(), sampling)
    assert np.all(np.abs(first - wanted) <= 4.5 * np.sqrt(wanted * (1 - wanted) / draws) + 1e-12)
