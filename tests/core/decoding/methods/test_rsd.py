"""rsd: the laws of its draws, its losslessness, and the paper's claim against independent draws."""

from __future__ import annotations

from collections import Counter
from functools import cache
from itertools import permutations, product

import numpy as np
import pytest
import torch
from scipy.stats import chisquare

from core.decoding.chi_square import assert_lossless
from core.decoding.methods.decoded import COUPLED, GREEDY, RANDOM, decoded, plain, text, toy
from core.decoding.methods.exact_law import (
    Choose,
    Text,
    accepted_length,
    distance,
    every,
    largest_z,
    mean_law,
    orders,
    paths,
    propose,
    text_law,
)
from glasshouse.families.decoding.interface import Outcome, Sampling
from glasshouse.families.decoding.methods import rsd
from glasshouse.families.decoding.methods.rsd import RSD, conditioned
from glasshouse.families.decoding.verification import TestInTurn, table
from glasshouse.families.decoding.verification.with_replacement import with_replacement
from glasshouse.families.decoding.verification.without_replacement import without_replacement
from glasshouse.models.language.tabular import TabularLM

TARGET, DRAFT = TabularLM.random(4, order=1, seed=3), TabularLM.random(4, order=1, seed=8)
SMALL, SMALL_DRAFT = TabularLM.random(3, order=1, seed=1), TabularLM.random(3, order=1, seed=6)


def p_value(seen: Counter[tuple[Text, ...]], law: dict[tuple[Text, ...], float]) -> float:
    draws = sum(seen.values())
    assert set(seen) <= set(law)
    assert sum(law.values()) == pytest.approx(1.0)
    likely = [name for name, mass in law.items() if mass * draws >= 5]
    observed, expected = [seen[n] for n in likely], [law[n] * draws for n in likely]
    observed, expected = [*observed, draws - sum(observed)], [*expected, draws - sum(expected)]
    return float(chisquare(observed, expected).pvalue)


def test_two_siblings_have_the_law_of_two_draws_without_replacement() -> None:
    q = DRAFT.next((0, 1)).numpy()
    seen = Counter(tuple(paths(propose(RSD(branching=(2,)), DRAFT, seed).tree)[1:]) for seed in range(4000))
    law = {((i,), (j,)): float(q[i] * q[j] / (1 - q[i])) for i, j in permutations(range(4), 2)}
    assert p_value(seen, law) > 1e-3


def test_a_beam_draws_sequences_without_replacement() -> None:
    sequences = {s: float(m) for s, m in SMALL_DRAFT.law((0, 1), 2).items()}
    law = {(s, t): sequences[s] * sequences[t] / (1 - sequences[s]) for s, t in permutations(sequences, 2)}
    seen: Counter[tuple[Text, ...]] = Counter()
    for seed in range(3000):
        proposal = propose(RSD(variant="beam", width=2, depth=2), SMALL_DRAFT, seed)
        deep = np.flatnonzero(proposal.tree.depth == 2)
        order = deep[np.argsort(-proposal.extra()["node_score"][deep])]
        seen[tuple(paths(proposal.tree)[i] for i in order)] += 1
    assert p_value(seen, law) > 1e-3


def test_conditioning_keeps_the_order_and_sets_the_maximum() -> None:
    rng = np.random.default_rng(0)
    for maximum in (-30.0, -2.0, 0.0, 1.5, 20.0):
        g = rng.gumbel(size=50) - 3
        g[7] = -np.inf
        score = conditioned(g, maximum)
        assert score.max() == score[g.argmax()] == maximum
        assert score[7] == -np.inf
        assert np.array_equal(np.argsort(score), np.argsort(g))
        if abs(maximum) < 5:
            # e^-G_i = e^-G - e^-Z + e^-g_i, the conditioned maximum without the stable form.
            assert score == pytest.approx(-np.log(np.exp(-maximum) - np.exp(-g.max()) + np.exp(-g)), rel=1e-9)


def test_the_law_of_the_text_is_exact_with_constant_branching(monkeypatch: pytest.MonkeyPatch) -> None:
    assert distance(enumerated_law(RSD(branching=(2, 2)), without_replacement, monkeypatch), SMALL.law((0, 1), 3)) < 1e-12
    assert distance(enumerated_law(RSD(branching=(2, 1, 1)), without_replacement, monkeypatch), SMALL.law((0, 1), 3)) < 1e-12


def test_a_tree_cut_at_its_largest_size_is_still_exact(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rsd, "MOST_NODES", 5)
    assert distance(enumerated_law(RSD(branching=(2, 2)), without_replacement, monkeypatch), SMALL.law((0, 1), 3)) < 1e-12


def test_that_check_can_fail(monkeypatch: pytest.MonkeyPatch) -> None:
    law = enumerated_law(RSD(branching=(2, 2)), with_replacement, monkeypatch)
    assert distance(law, SMALL.law((0, 1), 3)) > 1e-3


def enumerated_law(method: RSD, rule: TestInTurn, monkeypatch: pytest.MonkeyPatch) -> dict[Text, float]:
    """The law of the next three tokens over every order in which the draft's tokens can be drawn."""
    def one(choose: Choose) -> dict[Text, float]:
        def draw(q: np.ndarray, k: int, *address: object) -> tuple[np.ndarray, np.ndarray]:
            order = choose(orders(q, k - 1))                # the last one asked for is only shown
            return order, -np.arange(len(order), dtype=float)

        monkeypatch.setattr(rsd, "without_replacement", draw)
        return text_law(propose(method, SMALL_DRAFT, room=4).tree, SMALL, rule, 3)

    return mean_law(every(one))


def beam_laws(width: int, rule: TestInTurn, draws: int) -> list[dict[Text, float]]:
    """One law per drawn tree; few trees are different."""
    known: dict[tuple[Text, ...], dict[Text, float]] = {}
    laws = []
    for seed in range(draws):
        tree = propose(RSD(variant="beam", width=width, depth=2), SMALL_DRAFT, seed).tree
        name = tuple(paths(tree))                           # in draw order, so it names the siblings' order too
        laws.append(known.setdefault(name, known.get(name) or text_law(tree, SMALL, rule, 2)))
    return laws


@pytest.mark.long
@pytest.mark.parametrize("width", [2, 3])
def test_the_law_of_the_text_with_a_beam(width: int) -> None:
    assert largest_z(beam_laws(width, without_replacement, 4000), SMALL.law((0, 1), 2)) < 4.0


def test_the_beams_check_can_fail() -> None:
    assert largest_z(beam_laws(3, with_replacement, 2500), SMALL.law((0, 1), 2)) > 5


@cache
def expected_length(prompt: Text, branching: tuple[int, ...], rule: TestInTurn) -> float:
    """Expected accepted guesses over all draws: b_d without replacement under V3, b_d independent ones under V2."""
    if not branching:
        return 0.0
    p, q = TARGET.next(prompt).numpy(), DRAFT.next(prompt).numpy()
    if rule is without_replacement:
        drawn = orders(q, branching[0])
    else:
        drawn = [(np.asarray(t), float(np.prod(q[list(t)]))) for t in product(range(4), repeat=branching[0])]
    kept = np.zeros(4)
    for tokens, weight in drawn:
        alive = weight
        for token, accept in zip(tokens, table(rule, p, tokens.tolist(), [q] * len(tokens)).accept, strict=False):
            kept[token] += alive * accept
            alive *= 1.0 - accept
    return sum(kept[t] * (1.0 + expected_length((*prompt, t), branching[1:], rule)) for t in range(4))


@pytest.mark.parametrize("branching", [(2, 1), (2, 2, 2), (3, 2, 1), (4, 1)])
def test_accepts_at_least_as_many_as_independent_draws_of_equal_shape(branching: tuple[int, ...]) -> None:
    # The paper's claim at equal draft length, over every context of the toy.
    for last in range(4):
        ours, theirs = (expected_length((last,), branching, rule) for rule in (without_replacement, with_replacement))
        assert ours >= theirs - 1e-12
        assert ours > theirs + 0.01 or max(branching) < 2 or ours > len(branching) - 0.05


def test_our_trees_accept_what_enumeration_says() -> None:
    branching = (3, 2, 1)
    lengths = [accepted_length(propose(RSD(branching=branching), DRAFT, seed).tree, TARGET, without_replacement) for seed in range(800)]
    error = np.std(lengths, ddof=1) / np.sqrt(len(lengths))
    assert np.mean(lengths) == pytest.approx(expected_length((0, 1), branching, without_replacement), abs=4 * error)


@pytest.mark.parametrize("method", [RSD(branching=(3, 2, 2)), RSD(variant="beam", width=5, depth=3)])
@pytest.mark.parametrize("sampling", [Sampling(0.0), Sampling(1.0), Sampling(0.7, top_p=0.6), Sampling(1.0, coupled=True)])
def test_siblings_differ_and_stand_in_falling_score(method: RSD, sampling: Sampling) -> None:
    proposal = propose(method, DRAFT, 3, sampling=sampling)
    tree, score = proposal.tree, proposal.extra()["node_score"]
    for node in range(tree.size):
        children = list(tree.children[node])
        assert len({int(tree.token[c]) for c in children}) == len(children)
        assert (np.diff(score[children]) <= 0).all()
        assert all(tree.q[tree.q_index[c]] == pytest.approx(tree.q[tree.q_index[children[0]]]) for c in children)
        assert all(tree.q[tree.q_index[c], tree.token[c]] > 0 for c in children)
    if method.variant == "beam":
        assert np.bincount(tree.depth).max() <= method.width


def test_greedy_draws_are_the_likeliest() -> None:
    tree = propose(RSD(branching=(3,)), DRAFT, sampling=Sampling(0.0)).tree
    assert tree.token[1:].tolist() == np.argsort(-DRAFT.next((0, 1)).numpy())[:3].tolist()
    beam = propose(RSD(variant="beam", width=3, depth=2), DRAFT, sampling=Sampling(0.0)).tree
    every_two = DRAFT.law((0, 1), 2)
    first = set(np.argsort(-DRAFT.next((0, 1)).numpy())[:3].tolist())
    best = sorted((s for s in every_two if s[0] in first), key=lambda s: -every_two[s])[:3]
    assert {path for path in paths(beam) if len(path) == 2} == set(best)


@pytest.mark.parametrize("variant", ["constant", "beam"])
def test_small_rooms_and_supports(variant: str) -> None:
    method = RSD(variant=variant, branching=(8, 8), width=16, depth=12)  # type: ignore[arg-type]
    assert propose(method, DRAFT, room=1).tree.size == 1
    assert propose(method, DRAFT, room=2).tree.size == 5                 # the vocabulary has four tokens
    assert propose(method, DRAFT, room=9).tree.size <= rsd.MOST_NODES
    certain = TabularLM(torch.eye(4)[[1, 2, 3, 0, 0]])
    assert (propose(method, certain, room=5).tree.rank == 0).all()
    assert propose(RSD(branching=()), DRAFT).tree.size == 1
    assert propose(RSD(branching=(8,) * 8), DRAFT, room=99).tree.size == rsd.MOST_NODES


@pytest.mark.parametrize("method", [RSD(branching=(2, 2, 1)), RSD(variant="beam", width=3, depth=3)])
def test_a_draft_equal_to_the_target_is_never_refused(method: RSD) -> None:
    tree = propose(method, TARGET, seed=1).tree
    node = eldest = 0
    while tree.children[node]:
        node, eldest = tree.children[node][0], eldest + 1
    assert eldest >= 1
    assert accepted_length(tree, TARGET, without_replacement) == pytest.approx(eldest, abs=1e-12)


def test_the_story_and_the_memory() -> None:
    method = RSD(branching=(2, 1))
    proposal = propose(method, DRAFT)
    extra = proposal.extra()
    in_tree, out = extra["candidate_score"]
    assert np.isfinite([in_tree, out]).sum(1).tolist() == [2, 2]            # one kept and one runner-up below each of two nodes
    tree = proposal.tree
    second = tree.children[0][1]
    state = method.absorb(method.init(4), tree, Outcome((0, second), (int(tree.token[second]), 0), 0, second, "bonus"), None)
    assert state[:, :3].tolist() == [[2, 1, 0], [0, 1, 0]]
    assert rsd.shares(state)["sibling_share"].tolist() == [0.0, 1.0]


@pytest.mark.parametrize("sampling", [GREEDY, COUPLED])
@pytest.mark.parametrize("method", [RSD(), RSD(variant="beam"), RSD(variant="beam", width=16, depth=12), RSD(branching=(8, 8, 8, 8))])
def test_the_text_is_the_targets_token_for_token(method: RSD, sampling: Sampling) -> None:
    models = toy()
    assert text(decoded(method, models, sampling, 30)) == plain(models[0], sampling, 30)


@pytest.mark.parametrize("method", [RSD(), RSD(variant="beam")])
def test_the_loop_never_refuses_a_draft_equal_to_the_target(method: RSD) -> None:
    target = toy()[0]
    assert {r.final_kind for r in decoded(method, (target, target), RANDOM, 40)} == {"bonus"}


@pytest.mark.long
@pytest.mark.parametrize("method", [RSD(), RSD(variant="beam")])
def test_texts_by_chi_square(method: RSD) -> None:
    assert_lossless(method, seed=11)
