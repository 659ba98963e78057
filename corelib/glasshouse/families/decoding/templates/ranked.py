"""The static template that a table of ranked successors is poured into."""

from __future__ import annotations

from functools import lru_cache

from glasshouse.families.decoding.templates.shape import Shape, numbered

CHILDREN = ((8,), (8, 4, 3, 2, 1, 1, 1, 1), (8, 3, 2, 1, 1, 1, 1, 1, 2, 1, 0, 0, 1, 0, 0, 1, 0, 1, 1, 0, 0),
            (5, 2, 1, 1, 1, 0, 0, 0, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0, 1, 0, 0, 1, 1, 0, 0),
            (3, 1, 1, 0, 0, 1, 0, 0, 0, 0, 1, 0, 1, 0, 0), (2, 0, 0, 1, 0, 0, 0, 0))
"""How many children every node of Token Recycling's published template (its version 2.2.2) has: level by level, in order."""

LEVELS = tuple(map(sum, CHILDREN))
"""Nodes at depth 1, 2, ..."""

RANKS = 8


def weight(rank: int) -> float:
    """How often the guess of this rank is taken to be right, 0.6 / (rank + 1)^2: ours, between what greedy and sampled text show."""
    return 0.6 / (rank + 1) ** 2


def _template() -> list[tuple[int, ...]]:
    """All 80 rank paths, the most promising first; a parent always before its children."""
    value: dict[tuple[int, ...], float] = {(): 1.0}
    level: list[tuple[int, ...]] = [()]
    for counts in CHILDREN:
        grown = {(*path, rank): value[path] * weight(rank) for path, count in zip(level, counts, strict=True) for rank in range(count)}
        level, value = list(grown), value | grown
    return sorted(value, key=lambda path: (-value[path], len(path), path))[1:]


@lru_cache(maxsize=256)
def ranked_tree(budget: int, ranks: int = RANKS) -> Shape:
    """The ``budget`` most promising nodes of the template that use the first ``ranks`` ranks only, and the root.

    The full template is the published one, node for node; the order in which a smaller budget takes its nodes is ours, by the product of
    rank weights along the path. So the tree is imbalanced, first choices reach deepest.
    """
    usable = [path for path in _template() if max(path) < ranks]
    return numbered([(), *usable[:budget]])
