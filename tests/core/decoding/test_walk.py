"""Verification of whole trees: the exact law of two tokens, all decisions and all drafts enumerated; equality where it is promised."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from itertools import permutations, product
from typing import Any

import numpy as np
import pytest

from glasshouse.families.decoding.drafting.noise import shared
from glasshouse.families.decoding.interface import Outcome, Rule, Sampling, TokenTree
from glasshouse.families.decoding.sampling import distribution, inverse_cdf, nucleus, softmax
from glasshouse.families.decoding.verification import TestInTurn, verify
from glasshouse.families.decoding.verification.with_replacement import with_replacement
from glasshouse.numerics.seeds import Seeds

V = 3
RANDOM = Sampling(1.0)
Text = tuple[int, ...]


class Scripted(Seeds):
    """Uniforms by script: the i-th acceptance test draws 0 (passes if it can) or almost 1 (fails unless it must pass)."""

    def __init__(self, script: list[bool]) -> None:
        super().__init__(0)
        object.__setattr__(self, "script", script)
        object.__setattr__(self, "asked", 0)

    def uniform(self, purpose: str, *position: int) -> float:
        if purpose != "accept":
            return 0.5
        object.__setattr__(self, "asked", self.asked + 1)
        passes = self.asked > len(self.script) or self.script[self.asked - 1]
        return 0.0 if passes else 1 - 2.0**-53


def decisions(tree: TokenTree, logits: np.ndarray, rule: Rule | TestInTurn) -> Iterator[tuple[float, Outcome]]:
    """Every way verification can go, with its probability."""
    waiting: list[list[bool]] = [[]]
    while waiting:
        script = waiting.pop()
        outcome = verify(tree, logits, rule, RANDOM, Scripted(script), 1)
        tests = list(outcome.tested.values())
        taken = [passed for _, _, passed in tests]
        mass = float(np.prod([a if passed else 1 - a for a, _, passed in tests]))
        if mass > 0:
            yield mass, outcome
        waiting += [[*taken[:i], False] for i in range(len(script), len(taken)) if taken[i] and tests[i][0] < 1]


def two_token_law(tree: TokenTree, p: np.ndarray, rule: Rule | TestInTurn) -> dict[Text, float]:
    """``p`` [V + 1, V]: the target's law after each token; the last row is after the root."""
    after = [V, *tree.token[1:].tolist()]
    logits = np.log(np.maximum(p[after], 1e-300))
    law: dict[Text, float] = defaultdict(float)
    for mass, outcome in decisions(tree, logits, rule):
        accepted = outcome.committed[:-1]
        left = outcome.residual.get(outcome.final_node, p[after[outcome.final_node]])
        for token in range(V):
            text = (*accepted, token)
            if len(text) >= 2:
                law[text[:2]] += mass * left[token]
            else:
                for second in range(V):
                    law[(token, second)] += mass * left[token] * p[token, second]
    return law


def grown(nodes: list[tuple[int, int, int]], q: np.ndarray) -> TokenTree:
    """From (parent, token, row of q) of every node but the root."""
    parent = [-1, *(n[0] for n in nodes)]
    rank = [0] + [sum(n[0] == nodes[i][0] for n in nodes[:i]) for i in range(len(nodes))]
    arrays = [np.asarray(x, np.int64) for x in (parent, [0, *(n[1] for n in nodes)], rank, [-1, *(n[2] for n in nodes)])]
    return TokenTree(token=arrays[1], parent=arrays[0], rank=arrays[2], q_index=arrays[3], q=q, source=np.zeros(len(parent), np.int64))


def chains(q: np.ndarray) -> Iterator[tuple[TokenTree, float]]:
    for x, y in product(range(V), repeat=2):
        yield grown([(0, x, V), (1, y, x)], q), q[V, x] * q[x, y]


def independent(q: np.ndarray) -> Iterator[tuple[TokenTree, float]]:
    """Two guesses from two different drafts (rows V and V + 1), each with two independent children."""
    for x1, x2, a, b, c, d in product(range(V), repeat=6):
        mass = q[V, x1] * q[V + 1, x2] * q[x1, a] * q[x1, b] * q[x2, c] * q[x2, d]
        yield grown([(0, x1, V), (0, x2, V + 1), (1, a, x1), (1, b, x1), (2, c, x2), (2, d, x2)], q), mass


def sequential(q: np.ndarray) -> Iterator[tuple[TokenTree, float]]:
    """Two distinct guesses, each with two distinct children."""
    def orders(row: np.ndarray) -> list[tuple[Text, float]]:
        return [(o, row[o[0]] * row[o[1]] / (1 - row[o[0]])) for o in permutations(range(V), 2)]
    for (x, mass), in zip(orders(q[V]), strict=True):
        for (a, m1), (b, m2) in product(orders(q[x[0]]), orders(q[x[1]])):
            nodes = [(0, x[0], V), (0, x[1], V), *((1, t, x[0]) for t in a), *((2, t, x[1]) for t in b)]
            yield grown(nodes, q), mass * m1 * m2


def drafts(q: np.ndarray, k: int = 2) -> Iterator[tuple[TokenTree, float]]:
    """k independent drafts of two tokens; equal first tokens stay separate nodes."""
    for tokens in product(range(V), repeat=2 * k):
        first, second = tokens[:k], tokens[k:]
        nodes = [(0, x, V) for x in first] + [(i + 1, y, first[i]) for i, y in enumerate(second)]
        yield grown(nodes, q), float(np.prod([q[V, x] * q[x, y] for x, y in zip(first, second, strict=True)]))


def toys(seed: int) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    return rng.dirichlet(np.full(V, 0.8), V + 1), rng.dirichlet(np.full(V, 0.8), V + 2)


def worst(trees: Iterator[tuple[TokenTree, float]], p: np.ndarray, rule: Rule | TestInTurn) -> float:
    """The largest error of the two-token law over all drafts."""
    total: dict[Text, float] = defaultdict(float)
    for tree, mass in trees:
        for text, share in two_token_law(tree, p, rule).items():
            total[text] += mass * share
    return max(abs(total[(x, y)] - p[V, x] * p[x, y]) for x, y in product(range(V), repeat=2))


@pytest.mark.parametrize(("rule", "draw"), [("V1", chains), ("V2", independent), ("V3", sequential), ("V2", drafts), ("V5", drafts)])
def test_two_tokens_have_exactly_the_targets_law(rule: Rule, draw: Any) -> None:
    p, q = toys(0)
    assert worst(draw(q), p, rule) < 1e-12


def test_three_drafts_with_equal_prefixes_too() -> None:
    p, q = toys(1)
    assert worst(drafts(q, 3), p, "V5") < 1e-12


def test_the_residual_of_independent_draws_is_wrong_for_distinct_ones() -> None:
    """What the tests above would say of a bug."""
    p, q = toys(0)
    assert worst(sequential(q), p, with_replacement) > 1e-3


def random_tree(rng: np.random.Generator, n: int, size: int) -> TokenTree:
    """n nodes below the root, siblings distinct."""
    nodes: list[tuple[int, int, int]] = []
    while len(nodes) < n:
        parent, token = int(rng.integers(0, len(nodes) + 1)), int(rng.integers(size))
        if (parent, token) not in {node[:2] for node in nodes}:
            nodes.append((parent, token, 0))
    return grown(nodes, rng.dirichlet(np.ones(size), 1))


@pytest.mark.parametrize("sampling", [Sampling(), RANDOM, Sampling(0.6, 0.7), Sampling(1.3, coupled=True)], ids=str)
def test_a_followed_choice_is_the_targets_own_text(sampling: Sampling) -> None:
    """V0, V4 and shared noise: the path is the text that the target would have written, from the same numbers."""
    rng = np.random.default_rng(0)
    size = 4
    for trial in range(60):
        tree, seeds = random_tree(rng, 12, size), Seeds(trial)
        logits = rng.normal(size=(13, size)).astype(np.float32)
        outcome = verify(tree, logits, "V4", sampling, seeds, position=7)
        for depth, (node, token) in enumerate(zip(outcome.path, outcome.committed, strict=True)):
            p = distribution(logits[node], sampling)
            wanted = (logits[node].argmax() if sampling.greedy else (np.log(np.maximum(p, 1e-300)) + shared(seeds, size, 7 + depth)).argmax()
                      if sampling.coupled else inverse_cdf(p, seeds.uniform("target", 7 + depth)))
            assert token == wanted
        assert [int(tree.parent[n]) for n in outcome.path[1:]] == list(outcome.path[:-1])
        below = [c for c in range(1, 13) if tree.parent[c] == outcome.final_node]
        assert (outcome.final_kind == "correction") == bool(below)
        assert outcome.final == outcome.committed[-1]


def test_equal_siblings_are_followed_together() -> None:
    q = np.full((1, V), 1 / V)
    tree = grown([(0, 1, 0), (0, 1, 0), (2, 2, 0)], q)                # the continuation hangs below the second copy
    logits = np.full((4, V), -10.0)
    logits[0, 1] = logits[1, 2] = logits[2, 2] = logits[3, 0] = 10.0
    outcome = verify(tree, logits, "V4", Sampling(), Seeds(0), 1)
    assert outcome.committed == (1, 2, 0)
    assert outcome.path == (0, 2, 3)
    assert {n: t[2] for n, t in outcome.tested.items()} == {1: True, 2: True, 3: True}


def test_draws_are_recorded_as_they_were_decided() -> None:
    rng = np.random.default_rng(5)
    p, q = toys(2)
    for trial in range(40):
        tree = grown([(0, 0, V), (0, 1, V), (1, 1, 0), (2, 2, 1)], q)
        outcome = verify(tree, np.log(p[[V, 0, 1, 1, 2]]), "V3", RANDOM, Seeds(trial), int(rng.integers(1, 100)))
        for node, (accept, u, passed) in outcome.tested.items():
            assert passed == (u < accept)
            assert passed == (node in outcome.path)
        assert set(outcome.residual) <= set(outcome.path)
        assert all(row.sum() == pytest.approx(1) for row in outcome.residual.values())


# ---- logits to distributions
def test_temperature_then_top_p() -> None:
    logits = np.log(np.asarray([[0.5, 0.25, 0.15, 0.1]]))
    np.testing.assert_allclose(softmax(logits), np.exp(logits))
    np.testing.assert_allclose(softmax(logits, 0.5), np.exp(2 * logits) / np.exp(2 * logits).sum())
    for top_p, kept in ((0.5, 1), (0.51, 2), (0.75, 2), (0.76, 3), (1.0, 4), (1e-9, 1)):
        assert np.count_nonzero(nucleus(np.exp(logits), top_p)) == kept, top_p


def test_the_coldest_temperatures_are_the_arg_max() -> None:
    logits = np.random.default_rng(0).normal(size=(5, 20)).astype(np.float32)
    for temperature in (1e-2, 1e-6, 1e-300, 5e-324):
        law = softmax(logits, temperature)
        assert np.isfinite(law).all()
        if temperature < 1e-2:
            np.testing.assert_array_equal(law, np.eye(20)[logits.argmax(1)])


def test_inverse_cdf_never_gives_what_has_no_probability() -> None:
    p = np.asarray([0.0, 0.3, 0.0, 0.7, 0.0])
    assert [inverse_cdf(p, u) for u in (0.0, 0.29999, 0.3, 0.9999999, 1 - 2.0**-53)] == [1, 1, 3, 3, 3]
