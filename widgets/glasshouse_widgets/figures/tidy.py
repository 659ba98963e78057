"""Where the nodes of a tree stand: depth across, siblings in order from top to bottom, subtrees packed without overlap.

The idea is Reingold and Tilford, Tidier Drawings of Trees, 1981: lay out each subtree once, keep its upper and lower
contour by depth, and push the next sibling down until the contours are one row apart.
"""

from __future__ import annotations

from collections.abc import Sequence


def rows(parent: Sequence[int], order: Sequence[int]) -> list[float]:
    """The row of every node, 0 at the top, neighbours in a column at least 1 apart.

    ``parent[i] < i``, -1 for the root (node 0); ``order`` sorts siblings. Work is the sum of all subtree depths.
    """
    n = len(parent)
    children: list[list[int]] = [[] for _ in range(n)]
    for i in sorted(range(1, n), key=lambda j: (order[j], j)):
        children[parent[i]].append(i)
    offset = [0.0] * n                              # of a node against its parent
    contour: list[list[tuple[float, float]]] = [[] for _ in range(n)]   # (top, bottom) by depth below, against the node
    for i in reversed(range(n)):
        contour[i] = [(0.0, 0.0), *_packed(children[i], contour, offset)]
    row = [0.0] * n
    for i in range(1, n):
        row[i] = row[parent[i]] + offset[i]
    top = min(row, default=0.0)
    return [r - top for r in row]


def _packed(kids: list[int], contour: list[list[tuple[float, float]]], offset: list[float]) -> list[tuple[float, float]]:
    """Set the offsets of ``kids`` around their parent's row and return the contour of them all."""
    joint: list[tuple[float, float]] = []
    for kid in kids:
        push = max((below[1] + 1 - above[0] for below, above in zip(joint, contour[kid], strict=False)), default=0.0)
        offset[kid] = push
        for depth, (top, bottom) in enumerate(contour[kid]):
            if depth == len(joint):
                joint.append((top + push, bottom + push))
            else:
                joint[depth] = (joint[depth][0], bottom + push)
    middle = (offset[kids[0]] + offset[kids[-1]]) / 2 if kids else 0.0
    for kid in kids:
        offset[kid] -= middle
    return [(top - middle, bottom - middle) for top, bottom in joint]
