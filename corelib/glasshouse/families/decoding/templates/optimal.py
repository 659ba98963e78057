"""The tree with the most expected tokens for its size, when the b-th child is accepted with a probability of its own. Sequoia, section 3.1.

``a[b]`` is the probability that the b-th sibling is the accepted one, whatever node they hang on ("positional acceptance").
A node is then reached with the product of a along its path, and a tree commits the sum of these products, its root counting 1.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from glasshouse.families.decoding.templates.shape import Shape, numbered


def reach(shape: Shape, acceptance: tuple[float, ...]) -> np.ndarray:
    """The probability that verification keeps each node, float64 [n]. Their sum is the expected tokens, the target's own included."""
    found = np.ones(shape.size)
    a = np.asarray([*acceptance, 0.0])                      # siblings beyond the vector are never accepted
    for level in shape.levels:
        found[level] = found[shape.parent[level]] * a[np.minimum(shape.rank[level], len(acceptance))]
    return found


def regular_tokens(acceptance: tuple[float, ...], size: int, depth: int, children: int) -> np.ndarray:
    """Expected tokens of the regular tree with ``children`` a node, filled breadth-first to m nodes: float64 [size] for m = 1 ... size."""
    a = np.asarray(acceptance[:children])
    levels = [np.ones(1)]
    while len(levels) <= depth and sum(map(len, levels)) < size:
        levels.append((levels[-1][:, None] * a).ravel())
    found = np.concatenate(levels)[:size]
    return np.pad(found, (0, size - len(found))).cumsum()


@lru_cache(maxsize=64)
def _table(acceptance: tuple[float, ...], size: int, depth: int) -> np.ndarray:
    """T [l, m, b]: the best value of a tree of exactly m nodes, at most l deep, whose root has exactly b children; -inf where none is.

    T[l, 1, 0] = 1 and T[l, m, b] = max over y of T[l, y, b - 1] + a[b] max over b' of T[l - 1, m - y, b']: the first b - 1 children's
    subtrees and the root have y nodes, the b-th child's subtree has the others. O(depth * children * size^2).
    """
    branches = len(acceptance)
    table = np.full((depth + 1, size + 1, branches + 1), -np.inf)
    table[:, 1, 0] = 1.0
    rest = np.arange(size + 1)[:, None] - np.arange(size + 1)       # [m, y]: nodes of the last child's subtree
    for level in range(1, depth + 1):
        best = table[level - 1].max(-1)
        for b, a in enumerate(acceptance, 1):
            subtree = np.where(np.isfinite(best), a * np.where(np.isfinite(best), best, 0.0), -np.inf)
            table[level, :, b] = (table[level, :, b - 1] + np.where(rest > 0, subtree[rest], -np.inf)).max(-1)
    table.flags.writeable = False
    return table


def optimal_tokens(acceptance: tuple[float, ...], size: int, depth: int) -> np.ndarray:
    """Expected tokens of the best tree of at most m nodes, float64 [size] for m = 1 ... size."""
    return np.asarray(np.maximum.accumulate(_table(acceptance, size, depth)[depth].max(-1)[1:]))


@lru_cache(maxsize=64)
def optimal_tree(acceptance: tuple[float, ...], size: int, depth: int) -> Shape:
    """The best tree of at most ``size`` nodes (root included), ``depth`` levels below the root and ``len(acceptance)`` children a node.

    Smaller than ``size`` where more nodes would add nothing: all slots taken, or acceptance zero.
    """
    table = _table(acceptance, size, depth)
    values = table[depth].max(-1)
    best = int(np.flatnonzero(values >= values.max() - 1e-12)[0])
    paths: list[tuple[int, ...]] = []
    todo: list[tuple[tuple[int, ...], int, int]] = [((), best, depth)]
    while todo:
        path, m, level = todo.pop()
        paths.append(path)
        for b in range(int(table[level, m].argmax()), 0, -1):
            below = table[level - 1].max(-1)
            options = [(table[level, y, b - 1] + acceptance[b - 1] * below[m - y], -y) for y in range(b, m) if np.isfinite(below[m - y])]
            y = -max(options)[1]
            todo.append(((*path, b - 1), m - y, level - 1))
            m = y
    return numbered(paths)
