"""Token Recycling's template: the paper's level sizes, and a cut that is the best of its size."""

from __future__ import annotations

import hashlib
from itertools import product

import numpy as np
import pytest

from glasshouse.families.decoding.templates import LEVELS, Shape, ranked_tree
from glasshouse.families.decoding.templates.ranked import weight


def paths(shape: Shape) -> list[tuple[int, ...]]:
    found: list[tuple[int, ...]] = [()]
    for parent, rank in zip(shape.parent[1:].tolist(), shape.rank[1:].tolist(), strict=True):
        found.append((*found[parent], rank))
    return found


def value(path: tuple[int, ...]) -> float:
    return float(np.prod([weight(rank) for rank in path]))


def test_the_full_template_has_the_papers_levels_and_reaches_deepest_below_first_choices() -> None:
    shape = ranked_tree(80)
    assert tuple(level.stop - level.start for level in shape.levels) == LEVELS == (8, 21, 25, 15, 8, 3)
    assert shape.size == 81
    assert {path[0] for path in paths(shape)[shape.levels[-1].start:]} == {0}
    deepest = [max(len(p) for p in paths(shape) if p[:1] == (rank,)) for rank in range(8)]
    assert deepest == sorted(deepest, reverse=True)
    assert deepest[0] > deepest[-1]


def test_the_full_template_is_the_published_one_in_all_80_nodes() -> None:
    """Against a digest of the 80 paths of the authors' file (tree_template_.py, version 2.2.2), sorted, as digits with spaces between."""
    words = " ".join("".join(map(str, path)) for path in sorted(paths(ranked_tree(80))[1:], key=lambda path: (len(path), path)))
    assert hashlib.sha256(words.encode()).hexdigest() == "feb60eb652b4227e2ce0bc99127c0fb8668ee30df085bd1e20c1c2d7146c4f5c"


@pytest.mark.parametrize("budget", [1, 5, 16, 40])
def test_a_cut_holds_the_largest_products_among_all_paths(budget: int) -> None:
    # Up to 40 no level is full, so the level sizes do not bind and the greedy choice is the best of all.
    every = sorted((value(p) for d in range(1, 7) for p in product(range(4), repeat=d)), reverse=True)
    kept = sorted((value(p) for p in paths(ranked_tree(budget))[1:] if max(p) < 4), reverse=True)
    assert kept == pytest.approx(every[:len(kept)])


@pytest.mark.parametrize("ranks", [1, 2, 5, 8])
def test_fewer_ranks_leave_a_tree_of_these_ranks(ranks: int) -> None:
    shape = ranked_tree(80, ranks)
    assert set(shape.rank.tolist()) <= set(range(ranks))
    assert set(paths(shape)) == {p for p in paths(ranked_tree(80)) if not p or max(p) < ranks}


def test_templates_are_shared_and_cannot_be_written() -> None:
    assert ranked_tree(16) is ranked_tree(16)
    with pytest.raises(ValueError, match="read-only"):
        ranked_tree(16).rank[0] = 1
