"""The oracle of every scorer: no cache, each root-to-node path run alone by the transformers model."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from glasshouse.models.language.scorer import Scorer


def path_logits(model: Any, committed: list[int], token: list[int], parent: list[int]) -> Tensor:
    """[n, V]: the logits after committed text and each node's own path."""
    rows = []
    for node in range(len(token)):
        path: list[int] = []
        at = node
        while at >= 0:
            path.insert(0, token[at])
            at = parent[at]
        with torch.no_grad():
            rows.append(model(torch.tensor([committed + path]), use_cache=False).logits[0, -1])
    return torch.stack(rows)


def random_tree(n: int, vocabulary: int, rng: torch.Generator, first: int = 0) -> tuple[list[int], list[int]]:
    """Tokens and parents of n nodes whose indices start at ``first``; several children of -1."""
    token = torch.randint(2, vocabulary, (n,), generator=rng).tolist()
    parent = [int(torch.randint(-1, first + i, (1,), generator=rng)) for i in range(n)]
    return token, parent


def score(scorer: Scorer, token: list[int], parent: list[int], rows: slice | None = None) -> Tensor:
    return scorer.score(torch.tensor(token), torch.tensor(parent), rows)


def some_path(parent: list[int], rng: torch.Generator) -> list[int]:
    """A random root-to-node path."""
    at, path = int(torch.randint(0, len(parent), (1,), generator=rng)), []
    while at >= 0:
        path.insert(0, at)
        at = parent[at]
    return path
