"""The one shape of a rule, and its table."""

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass

import numpy as np

Tests = Generator[tuple[float, np.ndarray], None, np.ndarray]
"""Yields for each child in turn (its acceptance probability, the law left of p as it is tested); returns the law left after all failed."""

TestInTurn = Callable[[np.ndarray, Sequence[int], Sequence[np.ndarray]], Tests]
"""``rule(p, tokens, q)``: p float64 [V] at a node, its children's tokens in draw order, the float64 [V] row each was drawn from."""


@dataclass(frozen=True, eq=False)
class Table:
    """A rule at one node. ``accept`` float64 [k]: P(child i is accepted | all before failed); ``residual`` float64 [V]."""

    accept: np.ndarray
    residual: np.ndarray

    def law(self, tokens: Sequence[int]) -> np.ndarray:
        """The exact law of the token that leaves the node, float64 [V]."""
        law = np.zeros_like(self.residual)
        alive = 1.0
        for c, a in zip(tokens, self.accept, strict=False):
            law[c] += alive * a
            alive *= 1.0 - a
        return law + alive * self.residual

    @property
    def acceptance(self) -> float:
        """P(any child is accepted)."""
        return float(1.0 - np.prod(1.0 - self.accept))


def table(rule: TestInTurn, p: np.ndarray, tokens: Sequence[int], q: Sequence[np.ndarray]) -> Table:
    """All of a rule at one node. ``accept`` is shorter than ``tokens`` where the rule stops testing early."""
    tests = rule(p, tokens, q)
    accept = []
    while True:
        try:
            accept.append(next(tests)[0])
        except StopIteration as end:
            return Table(np.asarray(accept), end.value)
