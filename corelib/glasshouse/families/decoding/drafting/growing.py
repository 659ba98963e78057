"""A tree of guesses under construction."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from glasshouse.families.decoding.drafting.model import DraftModel
from glasshouse.families.decoding.interface import Context, TokenTree


class Growing:
    """Adds nodes below nodes. With a draft model, ``expand`` asks it for q at nodes; without, ``add`` is all there is.

    ``q(node)`` is the draft's distribution over the node's children, float64 [V], known once the node is expanded.
    """

    def __init__(self, context: Context, sources: tuple[str, ...] = ("draft",)) -> None:
        self.sources = sources
        self.depth: list[int] = [0]
        self.children: list[int] = [0]      # how many each node has
        self._token: list[int] = [int(context.tokens[-1])]
        self._parent: list[int] = [-1]
        self._rank: list[int] = [0]
        self._source: list[int] = [0]
        self._q_index: list[int] = [-1]
        self._rows: list[np.ndarray] = []
        self._row_of: dict[int, int] = {}
        self._slot: dict[int, int] = {}
        self._vocab_size = context.vocab_size
        self._draft: DraftModel | None = context.draft
        if self._draft is not None:
            self._slot[0], row = self._draft.begin(context.tokens)
            self._keep_row(0, row)

    def __len__(self) -> int:
        return len(self._token)

    def _keep_row(self, node: int, row: np.ndarray) -> None:
        self._row_of[node] = len(self._rows)
        self._rows.append(row)

    def token(self, node: int) -> int:
        return self._token[node]

    def parent(self, node: int) -> int:
        return self._parent[node]

    def q(self, node: int) -> np.ndarray:
        return self._rows[self._row_of[node]]

    def add(self, parent: int, token: int, *, drawn: bool = True, source: int = 0, q_row: int | None = None) -> int:
        """A new child of ``parent``, last in draw order; returns its number. ``drawn``: its token was drawn from q(parent).

        ``q_row`` names another row of :meth:`add_row` that it was drawn from, where several drafts propose.
        """
        node = len(self._token)
        self._token.append(int(token))
        self._parent.append(parent)
        self._rank.append(self.children[parent])
        self._source.append(source)
        self._q_index.append(q_row if q_row is not None else self._row_of[parent] if drawn else -1)
        self.depth.append(self.depth[parent] + 1)
        self.children[parent] += 1
        self.children.append(0)
        return node

    def add_row(self, row: np.ndarray) -> int:
        """Another draft distribution, float64 [V]; returns its number for ``add``."""
        self._rows.append(row)
        return len(self._rows) - 1

    def expand(self, nodes: Sequence[int]) -> None:
        """q at these nodes, by one draft forward. Their parents must have been expanded before."""
        if not nodes:
            return
        assert self._draft is not None
        first, rows = self._draft.expand([self._token[n] for n in nodes], [self._slot[self._parent[n]] for n in nodes])
        for i, node in enumerate(nodes):
            self._slot[node] = first + i
            self._keep_row(node, rows[i])

    def tree(self) -> TokenTree:
        rows = np.stack(self._rows) if self._rows else np.zeros((0, self._vocab_size))
        array = [np.asarray(x, np.int64) for x in (self._token, self._parent, self._rank, self._q_index, self._source)]
        token, parent, rank, q_index, source = array
        return TokenTree(token=token, parent=parent, rank=rank, q_index=q_index, q=rows, source=source, sources=self.sources)
