"""Sequoia's dynamic programme against every tree there is, and its value against verification played out."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache

import numpy as np
import pytest

from glasshouse.families.decoding.templates import Shape, numbered, optimal_tokens, optimal_tree, reach, regular_tokens

VECTORS = [(0.6, 0.2, 0.1, 0.05), (0.35, 0.3, 0.2), (0.9,), (0.5, 0.0, 0.25), (0.1, 0.1, 0.1, 0.1, 0.1)]
Tree = tuple["Tree", ...]


@cache
def trees(size: int) -> list[Tree]:
    """Every ordered tree with ``size`` nodes: Catalan(size - 1) of them."""
    return [tuple(forest) for forest in forests(size - 1)]


def forests(size: int) -> Iterator[list[Tree]]:
    if size == 0:
        yield []
    for first in range(1, size + 1):
        for tree in trees(first):
            for rest in forests(size - first):
                yield [tree, *rest]


def value(tree: Tree, a: tuple[float, ...], depth: int) -> float:
    """Expected tokens, or minus infinity where the tree breaks a limit."""
    if len(tree) > len(a) or (tree and depth == 0):
        return -np.inf
    return 1.0 + sum(a[b] * value(child, a, depth - 1) if value(child, a, depth - 1) > 0 else -np.inf for b, child in enumerate(tree))


def test_the_enumeration_is_complete() -> None:
    assert [len(trees(m)) for m in range(1, 9)] == [1, 1, 2, 5, 14, 42, 132, 429]


@pytest.mark.parametrize("a", VECTORS)
@pytest.mark.parametrize("depth", [1, 2, 3, 7])
def test_its_value_is_the_best_of_all_trees(a: tuple[float, ...], depth: int) -> None:
    best = [max(value(tree, a, depth) for tree in trees(m)) for m in range(1, 9)]
    assert optimal_tokens(a, 8, depth) == pytest.approx(np.maximum.accumulate(best), abs=1e-12)


@pytest.mark.parametrize("a", VECTORS)
@pytest.mark.parametrize(("size", "depth"), [(1, 3), (2, 1), (7, 2), (8, 7), (40, 6), (129, 16)])
def test_the_tree_it_returns_has_that_value_and_keeps_the_limits(a: tuple[float, ...], size: int, depth: int) -> None:
    shape = optimal_tree(a, size, depth)
    assert reach(shape, a).sum() == pytest.approx(optimal_tokens(a, size, depth)[-1], abs=1e-9)
    assert shape.size <= size
    assert shape.depth.max() <= depth
    assert shape.rank.max() < len(a)
    assert all(sorted(shape.rank[shape.parent == p].tolist()) == list(range(n)) for p, n in enumerate(shape.children().tolist()))


def played(shape: Shape, a: tuple[float, ...], rng: np.random.Generator) -> int:
    """Tokens of one round in which at most one child of a node is accepted, the b-th with probability a[b]."""
    node, tokens = 0, 1
    while True:
        below = np.flatnonzero(shape.parent == node)
        u, passed = rng.random(), np.cumsum([a[r] for r in shape.rank[below]])
        accepted = int((passed <= u).sum())
        if accepted >= len(below):
            return tokens
        node, tokens = int(below[accepted]), tokens + 1


def test_its_value_is_the_mean_of_verification_that_follows_the_vector() -> None:
    a = (0.6, 0.2, 0.1)
    shape = optimal_tree(a, 16, 6)
    rng = np.random.default_rng(0)
    tokens = np.array([played(shape, a, rng) for _ in range(5_000)])
    assert abs(tokens.mean() - reach(shape, a).sum()) < 4 * tokens.std() / np.sqrt(len(tokens))


@pytest.mark.parametrize("a", VECTORS)
def test_no_regular_tree_of_equal_size_is_better_and_the_chain_saturates(a: tuple[float, ...]) -> None:
    best = optimal_tokens(a, 64, 12)
    for children in range(1, len(a) + 1):
        assert (best >= regular_tokens(a, 64, 12, children) - 1e-12).all()
    chain = regular_tokens(a, 64, 12, 1)
    assert chain == pytest.approx([sum(a[0] ** i for i in range(min(m, 13))) for m in range(1, 65)])


def test_with_more_nodes_it_keeps_growing_where_the_chain_does_not() -> None:
    # Section 3.1: the expected tokens of the optimal tree grow without bound in its size, about as its logarithm.
    a = tuple(0.6 * 0.4 ** b for b in range(8))
    best, chain = optimal_tokens(a, 256, 16), regular_tokens(a, 256, 16, 1)
    gains = [best[2 * m - 1] - best[m - 1] for m in (8, 16, 32, 64, 128)]
    assert min(gains) > 0.25
    assert chain[255] - chain[15] < 0.01


def test_what_is_never_accepted_gets_no_node() -> None:
    assert optimal_tree((0.0, 0.0), 9, 4).size == 1
    assert optimal_tree((0.5, 0.0), 9, 20).rank.max() == 0


def test_a_sibling_beyond_the_vector_is_never_reached() -> None:
    assert reach(numbered([(), (0,), (1,)]), (0.5,)).tolist() == [1.0, 0.5, 0.0]
