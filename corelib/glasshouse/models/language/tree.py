"""The tentative nodes above a cache: parents, depths and who sees whom."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from glasshouse.schema.errors import bad_value

UNLIMITED = 1 << 40
"""The window of a model without a longest context."""


class TentativeTree:
    """Bookkeeping that every scorer shares; holds no tensors."""

    def __init__(self) -> None:
        self.parent: list[int] = []
        self.depth: list[int] = []
        self.chain = True                                   # every node is the child of the one before it
        self._seen = np.zeros((0, 0), dtype=np.bool_)

    def __len__(self) -> int:
        return len(self.parent)

    def append(self, parent: Sequence[int], room: int) -> None:
        """Add nodes whose depth must stay below ``room``, or add none and raise BadValue."""
        first = len(self.parent)
        depth, chain, deepest = self.depth.copy(), self.chain, 0
        for i, p in enumerate(parent, first):
            if not -1 <= p < i:
                raise bad_value(f"parent[{i - first}]", p, f"-1 (the committed text) or an earlier node, below {i}")
            d = depth[p] + 1 if p >= 0 else 0
            depth.append(d)
            chain = chain and p == i - 1
            deepest = max(deepest, d)
        if deepest >= room:
            raise bad_value("tokens after the committed text", deepest + 1, f"at most {room}, the end of the window")
        self.parent.extend(parent)
        self.depth, self.chain = depth, chain

    def visible(self, first: int) -> NDArray[np.bool_]:
        """bool [nodes - first, nodes]: the ancestors, itself included, of each node from ``first`` on."""
        n, known = len(self.parent), len(self._seen)
        if self.chain:
            return np.tri(n - first, n, first, dtype=np.bool_)
        seen = np.zeros((n, n), dtype=np.bool_)
        seen[:known, :known] = self._seen
        for i in range(known, n):
            if self.parent[i] >= 0:
                seen[i] = seen[self.parent[i]]
            seen[i, i] = True
        self._seen = seen
        return seen[first:]

    def check_path(self, nodes: Sequence[int]) -> None:
        """BadValue unless ``nodes`` is a path that starts at a child of -1."""
        above = -1
        for node in nodes:
            if not 0 <= node < len(self.parent) or self.parent[node] != above:
                raise bad_value("nodes", list(nodes), f"a path down from a child of -1 in a tree of {len(self.parent)}")
            above = node


def check_tokens(tokens: Sequence[int], parents: Sequence[int], vocab_size: int) -> None:
    """BadValue unless there is one parent a token and every token is in the vocabulary."""
    if not tokens or len(tokens) != len(parents):
        raise bad_value("token, parent", (len(tokens), len(parents)), "one parent for each of at least one token")
    if min(tokens) < 0 or max(tokens) >= vocab_size:
        wrong = min(tokens) if min(tokens) < 0 else max(tokens)
        raise bad_value("token", wrong, f"a token of the vocabulary, 0 to {vocab_size - 1}")
