"""The shape of a tree without its tokens."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np


@dataclass(frozen=True, eq=False)
class Shape:
    """A tree numbered breadth-first, siblings by rank: a level is a slice and a shallower tree is a prefix.

    ``parent, rank, depth`` int64 [n], read-only; node 0 is the root (parent -1). ``levels[d - 1]`` are the nodes at depth d.
    """

    parent: np.ndarray
    rank: np.ndarray
    depth: np.ndarray
    levels: tuple[slice, ...]

    @property
    def size(self) -> int:
        return len(self.parent)

    def within(self, depth: int) -> Shape:
        """The nodes down to ``depth``."""
        if depth >= len(self.levels):
            return self
        levels = self.levels[:max(depth, 0)]
        end = levels[-1].stop if levels else 1
        return Shape(self.parent[:end], self.rank[:end], self.depth[:end], levels)

    def children(self) -> np.ndarray:
        """How many children each node has, int64 [n]."""
        return np.bincount(self.parent[1:], minlength=self.size)


def numbered(paths: Sequence[tuple[int, ...]]) -> Shape:
    """The shape whose nodes are these rank paths, the root being ``()``: (0, 2) is the third child of the first child.

    Every prefix of a path must be among them. O(n log n).
    """
    order = sorted(paths, key=lambda path: (len(path), path))
    number = {path: i for i, path in enumerate(order)}
    parent = np.asarray([number[path[:-1]] if path else -1 for path in order], np.int64)
    rank = np.asarray([path[-1] if path else 0 for path in order], np.int64)
    depth = np.asarray([len(path) for path in order], np.int64)
    for array in (parent, rank, depth):
        array.flags.writeable = False                       # shapes are cached and shared
    starts = np.searchsorted(depth, np.arange(int(depth[-1]) + 2)).tolist()
    return Shape(parent, rank, depth, tuple(slice(a, b) for a, b in pairwise(starts[1:])))
