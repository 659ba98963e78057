"""What a result promises, as data: shown beside every picture and tested."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import Literal

Kind = Literal["lossless", "lossless-greedy", "exact", "marginal", "group", "class", "PAC", "risk", "adversarial",
               "heuristic", "none"]

UNPROVEN = ("heuristic", "none")
# What a proven promise says somewhere, and how a sentence says that nothing is proven.
_MEASURE = re.compile(r"\b(at least|at most|within|exactly|identical|token for token|own law|from the target|goes to|no image|no more|"
                      r"lies between)\b", re.I)
_DENIAL = re.compile(r"\b(nothing|not|never|no|none)\b[^.;]*\b(prove|promise|guarantee|certif)|\b(prove|promise|guarantee|certif)\w* nothing", re.I)
_CONDITION = re.compile(r"\b(if|only|without)\b", re.I)


@dataclass(frozen=True)
class Guarantee:
    """``statement`` is one sentence; ``level`` a probability where the kind has one; ``scope`` says of what it holds."""

    kind: Kind
    statement: str
    level: float | None = None
    assumptions: tuple[str, ...] = ()
    scope: str = ""

    def downgraded(self, kind: Kind, why: str) -> Guarantee:
        """The same promise weakened to ``kind``, with the reason as its statement."""
        return replace(self, kind=kind, statement=why, level=None)

    def disagreement(self) -> str:
        """Where kind and statement contradict each other, in words; empty where they agree.

        A kind that promises has a measure (a level, or what is identical to what), and no sentence without one that denies a proof. The
        others deny it, or say under which condition alone something holds.
        """
        denials = [part for part in re.split(r"[.;](?:\s|$)", self.statement) if _DENIAL.search(part)]
        if self.kind in UNPROVEN:
            agrees = self.level is None and (denials or _CONDITION.search(self.statement))
            return "" if agrees else f"{self.kind}, but its statement reads like a promise: {self.statement}"
        if any(not _MEASURE.search(part) for part in denials):
            return f"{self.kind}, but its statement denies a proof: {self.statement}"
        if self.level is None and not _MEASURE.search(self.statement):
            return f"{self.kind}, but its statement names no measure: {self.statement}"
        return ""

    def __str__(self) -> str:
        return self.kind if self.level is None else f"{self.kind} {self.level:.4g}"
