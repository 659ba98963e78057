"""Bugs planted on purpose: guesses and a rule that do not belong together. Each looks plausible, and each is biased."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar, Literal

import numpy as np

from glasshouse.families.decoding.drafting import Growing, with_replacement, without_replacement
from glasshouse.families.decoding.drafting.noise import top
from glasshouse.families.decoding.interface import Context, Outcome, Proposal, Rule, TokenTree
from glasshouse.schema.guarantee import Guarantee
from glasshouse.schema.paper import Paper
from glasshouse.schema.view import Preset, View

Bug = Literal["iid-residual", "ratio-on-top-k", "sample-then-drop"]

WIDTH = 3
DROPPED_UNDER = 0.2


def _dropped(q: np.ndarray, context: Context) -> np.ndarray:
    drawn = with_replacement(q, WIDTH, context, 0, 0)
    return np.asarray(drawn[q[drawn] >= DROPPED_UNDER])


DRAWN: dict[Bug, tuple[Callable[[np.ndarray, Context], np.ndarray], Rule]] = {
    "iid-residual": (lambda q, context: without_replacement(q, WIDTH, context, 0, 0)[0], "V2"),
    "ratio-on-top-k": (lambda q, context: top(q, WIDTH), "V3"),
    "sample-then-drop": (_dropped, "V2"),
}
"""The guesses at the root, and the rule that is wrong for them."""


@dataclass(frozen=True)
class Planted:
    """A biased method, for showing that the checks notice.

    "iid-residual": drawn without replacement, verified by the residual of independent draws (V2). "ratio-on-top-k": the three
    likeliest of q, verified as if drawn from it (V3). "sample-then-drop": independent draws, those of small q dropped after
    they were seen (V2).
    """

    paper: ClassVar[Paper] = Paper("planted bug", "", 0)
    guarantee: ClassVar[Guarantee] = Guarantee("none", "Biased on purpose.")
    views: ClassVar[tuple[View, ...]] = ()
    presets: ClassVar[tuple[Preset, ...]] = ()
    rule: ClassVar[Rule] = "V2"
    needs_draft: ClassVar[bool] = True

    bug: Bug = "iid-residual"

    def init(self, vocab_size: int) -> Any:
        return None

    def propose(self, state: Any, context: Context) -> Proposal:
        growing = Growing(context)
        if context.room > 1:
            for token in DRAWN[self.bug][0](growing.q(0), context):
                growing.add(0, int(token))
        return Proposal(growing.tree())

    def absorb(self, state: Any, tree: TokenTree, outcome: Outcome, logits: Any) -> Any:
        return state
