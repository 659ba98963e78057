"""The static template that a table of ranked successors is poured into."""

from __future__ import annotations

from functools import lru_cache

from glasshouse.families.decoding.templates.shape import Shape, numbered

LEVELS = (8, 21, 25, 15, 8, 3)
"""Nodes at depth 1, 2, ...: the sizes of Token Recycling's 80-node template."""

RANKS = 8


def weight(rank: int) -> float:
    """How often the guess of this rank is taken to be right, 0.6 / (rank + 1)^2: ours, between what greedy and sampled text show."""
    return 0.6 / (rank + 1) ** 2


def _template() -> list[tuple[int, ...]]:
    """All 80 rank paths, the most promising first; a parent always before its children."""
    value: dict[tuple[int, ...], float] = {(): 1.0}
    level: list[tuple[int, ...]] = [()]
    for size in LEVELS:
        grown = {(*path, rank): value[path] * weight(rank) for path in level for rank in range(RANKS)}
        level = sorted(grown, key=lambda path: (-grown[path], path))[:size]
        value |= {path: grown[path] for path in level}
    return sorted(value, key=lambda path: (-value[path], len(path), path))[1:]


@lru_cache(maxsize=256)
def ranked_tree(budget: int, ranks: int = RANKS) -> Shape:
    """The ``budget`` most promising nodes of the template that use the first ``ranks`` ranks only, and the root.

    The rule is ours, the level sizes are the paper's: going down level by level, keep as many children as the level holds, those
    with the largest product of rank weights along their path. So the tree is imbalanced, first choices reach deepest.
    """
    usable = [path for path in _template() if max(path) < ranks]
    return numbered([(), *usable[:budget]])
