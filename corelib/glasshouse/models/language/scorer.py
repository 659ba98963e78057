"""The contract between decoding methods and language models: score a tree of tentative tokens, keep one path of it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import torch
from torch import Tensor

from glasshouse.schema.errors import bad_value


class Scorer(Protocol):
    """A causal language model with a cache of committed tokens and a tree of tentative ones on top.

    Tokens become part of the text in two steps: ``score`` appends tentative nodes and returns the logits that follow
    each of them, ``keep`` commits one root-to-node path and forgets the others. Not thread-safe: one scorer, one run.
    """

    vocab_size: int
    window: int
    """The longest context it takes, in tokens."""
    length: int
    """Committed tokens in the cache."""
    pending: int
    """Tentative nodes scored since the last keep."""
    calls: int
    """Forwards run so far."""
    name: str

    def score(self, token: Tensor, parent: Tensor, rows: slice | None = None) -> Tensor:
        """Append n tentative nodes and return logits [n, V] (or of the ``rows`` asked for).

        ``token`` int64 [n]; ``parent`` int64 [n]: index among ALL nodes tentative since the last keep, -1 = the end of
        the committed text; ``parent[i]`` is below the node's own index. May be called several times before ``keep`` (a
        draft grows its tree level by level); a new node sees the committed text, its ancestors and itself. The
        position of a node is ``length`` plus its depth, children of -1 having depth 0.

        The logits are float32 on the model's device; an exact toy model may return float64. Their exponentials need not
        sum to one. Raises BadValue where a node's context is longer than ``window``, a token is outside the vocabulary
        or a parent is not an earlier node.
        """
        ...

    def keep(self, nodes: Sequence[int]) -> None:
        """Commit these tentative nodes (a path from a child of -1 downwards, ascending) and forget the rest."""
        ...

    def reset(self) -> None:
        """Empty the cache; ``calls`` goes on counting."""
        ...

    def fork(self) -> Scorer:
        """Same weights, own empty cache. Cheap."""
        ...


def extend(scorer: Scorer, tokens: Sequence[int]) -> Tensor:
    """Commit a chain of tokens and return the logits [V] that follow its last one; no other logits are computed."""
    n = len(tokens)
    if n == 0:
        raise bad_value("tokens", list(tokens), "at least one token")
    if scorer.pending:
        raise bad_value("scorer.pending", scorer.pending, "no tentative nodes: call keep first (keep([]) forgets them)")
    logits = scorer.score(torch.tensor(tokens, dtype=torch.int64), torch.arange(-1, n - 1), slice(n - 1, n))
    scorer.keep(range(n))
    return logits[0]
