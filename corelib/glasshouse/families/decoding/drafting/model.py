"""A draft model that follows the committed text and is asked for q at the nodes of a growing tree."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch

from glasshouse.families.decoding.interface import Sampling
from glasshouse.families.decoding.sampling import distribution
from glasshouse.models.language.scorer import Scorer


class DraftModel:
    """Lives as long as one generation. What it scored and the target accepted is kept, not scored again.

    A *slot* is the number of a scored token since the last :meth:`begin`.
    """

    def __init__(self, scorer: Scorer, sampling: Sampling) -> None:
        self.scorer = scorer
        self.sampling = sampling
        self._token: list[int] = []
        self._parent: list[int] = []

    @property
    def calls(self) -> int:
        """Draft forwards so far."""
        return self.scorer.calls

    def begin(self, tokens: Sequence[int]) -> tuple[int, np.ndarray]:
        """Catch up with the committed ``tokens``. Returns (slot of the last one, q after it: float64 [V])."""
        new = list(tokens[self.scorer.length:])
        path: list[int] = []
        # The last token is always scored afresh: its row is the one that is needed.
        for token in new[:-1]:
            parent = path[-1] if path else -1
            found = next((i for i, (t, p) in enumerate(zip(self._token, self._parent, strict=True))
                          if t == token and p == parent), None)
            if found is None:
                break
            path.append(found)
        self.scorer.keep(path)
        rest = new[len(path):]
        self._token, self._parent = rest, list(range(-1, len(rest) - 1))
        logits = self.scorer.score(torch.tensor(rest), torch.tensor(self._parent), slice(len(rest) - 1, len(rest)))
        return len(rest) - 1, distribution(logits[0].numpy(), self.sampling)

    def expand(self, token: Sequence[int], parent: Sequence[int]) -> tuple[int, np.ndarray]:
        """One forward over new tokens below the slots ``parent``. Returns (first new slot, q rows float64 [n, V])."""
        first = len(self._token)
        self._token += token
        self._parent += parent
        logits = self.scorer.score(torch.tensor(token), torch.tensor(parent))
        return first, distribution(logits.numpy(), self.sampling)
