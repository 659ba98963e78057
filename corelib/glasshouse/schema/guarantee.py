"""What a result promises, as data: shown beside every picture and tested."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

Kind = Literal["lossless", "lossless-greedy", "exact", "marginal", "group", "class", "PAC", "risk", "adversarial",
               "heuristic", "none"]


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

    def __str__(self) -> str:
        return self.kind if self.level is None else f"{self.kind} {self.level:.4g}"
