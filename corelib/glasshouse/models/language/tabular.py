"""An exact toy language model: every conditional distribution is a row of a table."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import product

import torch
from torch import Tensor

from glasshouse.models.language.tree import UNLIMITED, TentativeTree, check_tokens
from glasshouse.schema.errors import bad_value


class TabularLM:
    """A Markov source of order 1 or 2 over V symbols, behind the :class:`~.scorer.Scorer` contract.

    ``table`` float64 [(V + 1) ** order, V]: one distribution for each of the last ``order`` tokens, the most recent one
    as the last digit; the digit V stands for "before the text". Nothing is approximated, so laws of generated text can
    be enumerated: ``score`` returns the natural logarithm of the probabilities in float64 (-inf where zero).
    """

    def __init__(self, table: Tensor, order: int = 1, name: str = "tabular") -> None:
        table = torch.as_tensor(table, dtype=torch.float64)
        if order not in (1, 2):
            raise bad_value("order", order, "1 or 2")
        if table.ndim != 2 or table.shape[0] != (table.shape[1] + 1) ** order:
            raise bad_value("table", tuple(table.shape), f"[(V + 1) ** {order}, V]")
        if not bool(((table >= 0).all(-1) & ((table.sum(-1) - 1).abs() < 1e-9)).all()):
            raise bad_value("table", "rows", "distributions in float64: no negative entry, sums of 1 to 1e-9")
        self.table, self.order, self.name = table, order, name
        self.vocab_size = table.shape[1]
        self.window = UNLIMITED
        self.forward = "exact"
        self.calls = 0
        self.reset()

    @classmethod
    def random(cls, vocab_size: int = 4, order: int = 1, seed: int = 0, temperature: float = 1.0) -> TabularLM:
        """Rows are softmax(z / temperature) of standard normal z: a small temperature makes a decided model."""
        if not 2 <= vocab_size <= 64:
            raise bad_value("vocab_size", vocab_size, "2 to 64")
        if order not in (1, 2):
            raise bad_value("order", order, "1 or 2")
        if not temperature > 0:
            raise bad_value("temperature", temperature, "above 0")
        rng = torch.Generator("cpu").manual_seed(seed)
        z = torch.randn((vocab_size + 1) ** order, vocab_size, generator=rng, dtype=torch.float64)
        return cls((z / temperature).softmax(-1), order, f"tabular V={vocab_size} order={order} seed={seed}")

    def mixed_with(self, other: TabularLM, share: float) -> TabularLM:
        """(1 - share) of this law and ``share`` of the other's; its divergence from this one is in proportion."""
        mine, its = (self.vocab_size, self.order), (other.vocab_size, other.order)
        if mine != its:
            raise bad_value("other", its, f"the same vocabulary and order, {mine}")
        if not 0 <= share <= 1:
            raise bad_value("share", share, "0 to 1")
        return TabularLM(torch.lerp(self.table, other.table, share), self.order, f"{share:g} from {self.name}")

    def divergence(self, other: TabularLM) -> float:
        """Total variation of the conditional distributions, averaged over all contexts."""
        return float((self.table - other.table).abs().sum(-1).mean() / 2)

    def perturbed(self, divergence: float, seed: int = 1) -> TabularLM:
        """A draft at exactly this :meth:`divergence`, by mixing in a random decided law."""
        other = TabularLM.random(self.vocab_size, self.order, seed, temperature=0.5)
        reach = self.divergence(other)
        if not 0 <= divergence <= reach:
            raise bad_value("divergence", divergence, f"0 to {reach:.3f} with seed {seed}")
        return self.mixed_with(other, divergence / reach)

    def _row(self, context: Sequence[int]) -> int:
        digits = [self.vocab_size] * self.order + list(context[-self.order:])
        row = 0
        for digit in digits[-self.order:]:
            row = row * (self.vocab_size + 1) + digit
        return row

    def next(self, context: Sequence[int]) -> Tensor:
        """Exact next-token probabilities after ``context`` (any length, also empty): float64 [V]."""
        return self.table[self._row(context)].clone()

    def law(self, context: Sequence[int], length: int) -> dict[tuple[int, ...], float]:
        """Probability of each of the V ** length continuations."""
        if self.vocab_size ** length > 1 << 20:
            raise bad_value("length", length, f"few enough that {self.vocab_size} ** length stays below a million")
        law = {}
        for text in product(range(self.vocab_size), repeat=length):
            mass = 1.0
            for i, token in enumerate(text):
                mass *= float(self.table[self._row([*context, *text[:i]]), token])
            law[text] = mass
        return law

    def reset(self) -> None:
        self._committed: list[int] = []
        self._contexts: list[list[int]] = []
        self._tree = TentativeTree()
        self.length = self.pending = 0

    def score(self, token: Tensor, parent: Tensor, rows: slice | None = None) -> Tensor:
        """See :meth:`.scorer.Scorer.score`; float64 log-probabilities."""
        tokens, parents = token.tolist(), parent.tolist()
        check_tokens(tokens, parents, self.vocab_size)
        self._tree.append(parents, self.window - self.length)
        first = self.pending
        for t, p in zip(tokens, parents, strict=True):
            before = self._contexts[p] if p >= 0 else self._committed[-self.order:]
            self._contexts.append([*before, t][-self.order:])
        self.pending = len(self._tree)
        self.calls += 1
        logits = self.table[[self._row(c) for c in self._contexts[first:]]].log()
        return logits if rows is None else logits[rows]

    def keep(self, nodes: Sequence[int]) -> None:
        self._tree.check_path(nodes)
        self._committed += [self._contexts[node][-1] for node in nodes]
        self._contexts = []
        self._tree = TentativeTree()
        self.length, self.pending = len(self._committed), 0

    def fork(self) -> TabularLM:
        return TabularLM(self.table, self.order, self.name)
