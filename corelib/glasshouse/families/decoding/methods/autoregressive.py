"""One token a forward: what every other method is measured against."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from glasshouse.families.decoding.interface import Context, Outcome, Proposal, Rule, Setting, TokenTree
from glasshouse.families.decoding.sampling import distribution
from glasshouse.schema.guarantee import Guarantee
from glasshouse.schema.paper import Paper
from glasshouse.schema.view import Preset, View


def entropy(p: np.ndarray) -> float:
    """Bits of a distribution, float [V]."""
    kept = p[p > 0.0]
    return float(-(kept * np.log2(kept)).sum())


@dataclass(frozen=True)
class Autoregressive:
    """Plain decoding: no guesses, one target forward for each token.

    The tree is its root alone, so every round ends in one token drawn from p.
    """

    paper: ClassVar[Paper] = Paper("Generating Sequences With Recurrent Neural Networks", "Graves", 2013, arxiv="1308.0850",
                                   where="sec. 2: sample the next token, feed it back")
    guarantee: ClassVar[Guarantee] = Guarantee("lossless", "The text is drawn from the target itself.", scope="text")
    views: ClassVar[tuple[View, ...]] = (
        View("line", "How open each next token was", x="position_past", y="entropy_past", x_label="token", y_label="entropy of p (bits)",
             note="Low: any decent guess would have been right. High: guessing ahead is hopeless."),
    )
    presets: ClassVar[tuple[Preset, ...]] = (
        Preset("One at a time", "How often is the model all but certain of the next token?", {"temperature": 0.7}),
    )
    rule: ClassVar[Rule] = "V4"
    needs_draft: ClassVar[bool] = False

    def init(self, vocab_size: int) -> None:
        """No memory."""

    def propose(self, state: None, context: Context) -> Proposal:
        root, none = np.asarray(context.tokens[-1:], np.int64), np.full(1, -1, np.int64)
        zero = np.zeros(1, np.int64)
        tree = TokenTree(token=root, parent=none, rank=zero, q_index=none, q=np.zeros((0, context.vocab_size)), source=zero)
        return Proposal(tree, lambda: {"position_past": context.position})

    def explain(self, tree: TokenTree, outcome: Outcome, logits: Any, setting: Setting) -> Mapping[str, Any]:
        """How open this token was, in bits."""
        return {"entropy_past": entropy(outcome.law[0] if outcome.law else distribution(logits[0], setting.sampling))}

    def absorb(self, state: None, tree: TokenTree, outcome: Outcome, logits: Any) -> None:
        """Nothing is learned."""
