"""One token a forward: what every other method is measured against."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from glasshouse.families.decoding.interface import Context, Outcome, Proposal, Rule, Sampling, TokenTree
from glasshouse.families.decoding.sampling import distribution
from glasshouse.schema.guarantee import Guarantee
from glasshouse.schema.paper import Paper
from glasshouse.schema.view import Preset, View

KEPT = 64
"""Rows of logits that are remembered for the picture."""


def entropy(rows: list[np.ndarray], sampling: Sampling) -> np.ndarray:
    """Bits of each processed next-token distribution, float64 [n], from rows of logits [V]."""
    if not rows:
        return np.zeros(0)
    p = distribution(np.stack(rows), sampling)
    return np.asarray(-(p * np.log2(np.where(p > 0.0, p, 1.0))).sum(-1))


@dataclass(frozen=True)
class Autoregressive:
    """Plain decoding: no guesses, one target forward for each token.

    The tree is its root alone, so every round ends in one token drawn from p.
    """

    paper: ClassVar[Paper] = Paper("Generating Sequences With Recurrent Neural Networks", "Graves", 2013, arxiv="1308.0850",
                                   where="sec. 2: sample the next token, feed it back")
    guarantee: ClassVar[Guarantee] = Guarantee("lossless", "The text is drawn from the target itself.", scope="text")
    views: ClassVar[tuple[View, ...]] = (
        View("line", "How open each next token was", x="position", y="entropy", x_label="token", y_label="entropy of p (bits)",
             note="Low: any decent guess would have been right. High: guessing ahead is hopeless. The last 64 tokens."),
    )
    presets: ClassVar[tuple[Preset, ...]] = (
        Preset("One at a time", "How often is the model all but certain of the next token?", {"temperature": 0.7}),
    )
    rule: ClassVar[Rule] = "V4"
    needs_draft: ClassVar[bool] = False

    def init(self, vocab_size: int) -> Any:
        """The newest rows of logits, at most ``KEPT``; shown, never used."""
        return []

    def propose(self, state: Any, context: Context) -> Proposal:
        root, none = np.asarray(context.tokens[-1:], np.int64), np.full(1, -1, np.int64)
        zero = np.zeros(1, np.int64)
        tree = TokenTree(token=root, parent=none, rank=zero, q_index=none, q=np.zeros((0, context.vocab_size)), source=zero)

        def extra() -> Mapping[str, Any]:
            return {"position": np.arange(context.position - len(state), context.position), "entropy": entropy(state, context.sampling)}

        return Proposal(tree, extra)

    def absorb(self, state: Any, tree: TokenTree, outcome: Outcome, logits: Any) -> Any:
        state.append(logits[0])
        del state[:-KEPT]
        return state
