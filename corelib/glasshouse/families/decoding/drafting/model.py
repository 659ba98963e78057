"""A draft model that follows the committed text and is asked for q at the nodes of a growing tree."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import TypeVar

import numpy as np
import torch

from glasshouse.families.decoding.interface import Sampling
from glasshouse.families.decoding.sampling import checked, distribution
from glasshouse.models.language.scorer import Scorer, extend

T = TypeVar("T")


class DraftModel:
    """Lives as long as one generation. What it scored and the target accepted is kept, not scored again.

    A *slot* is the number of a scored token since the last :meth:`begin`.
    """

    def __init__(self, scorer: Scorer, sampling: Sampling) -> None:
        self.scorer = scorer
        self.sampling = sampling.of_draft
        self.seconds = 0.0
        """Time spent in forwards of rounds so far."""
        self._token: list[int] = []
        self._parent: list[int] = []

    @property
    def calls(self) -> int:
        """Draft forwards so far."""
        return self.scorer.calls

    def read(self, prompt: Sequence[int]) -> None:
        """Cache the prompt but for its last token, by one forward that no round pays for."""
        if len(prompt) > 1:
            extend(self.scorer, prompt[:-1])

    def begin(self, tokens: Sequence[int]) -> tuple[int, np.ndarray]:
        """Catch up with the committed ``tokens``. Returns (slot of the last one, q after it: float64 [V])."""
        rest = self._keep_known(tokens[self.scorer.length:])
        self._token, self._parent = rest, list(range(-1, len(rest) - 1))
        return len(rest) - 1, self._score(rest, self._parent, slice(len(rest) - 1, len(rest)))[0]

    def expand(self, token: Sequence[int], parent: Sequence[int]) -> tuple[int, np.ndarray]:
        """One forward over new tokens below the slots ``parent``. Returns (first new slot, q rows float64 [n, V])."""
        first = len(self._token)
        self._token += token
        self._parent += parent
        return first, self._score(token, parent)

    def _keep_known(self, new: Sequence[int]) -> list[int]:
        """Commit what was drafted and accepted; returns the tokens still to be scored, the last of ``new`` always among them."""
        path: list[int] = []
        for token in new[:-1]:
            parent = path[-1] if path else -1
            found = next((i for i, (t, p) in enumerate(zip(self._token, self._parent, strict=True))
                          if t == token and p == parent), None)
            if found is None:
                break
            path.append(found)
        self.scorer.keep(path)
        return list(new[len(path):])

    def _score(self, token: Sequence[int], parent: Sequence[int], rows: slice | None = None) -> np.ndarray:
        logits = self._timed(lambda: self.scorer.score(torch.tensor(token), torch.tensor(parent), rows).numpy(force=True))
        first = len(self._parent) - len(logits)
        checked(logits, "draft", self.calls, lambda row: self._predicted(first + row))
        return distribution(logits, self.sampling)

    def _predicted(self, slot: int) -> int:
        """The position in the text of what a slot predicts."""
        depth = 0
        while (slot := self._parent[slot]) >= 0:
            depth += 1
        return self.scorer.length + depth + 1

    def _timed(self, forward: Callable[[], T]) -> T:
        start = time.perf_counter()
        result = forward()
        self.seconds += time.perf_counter() - start
        return result
