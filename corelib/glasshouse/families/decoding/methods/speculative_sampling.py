"""Speculative sampling: a small model writes ahead, the large one checks all of it in one forward."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any, ClassVar

import numpy as np
from annotated_types import Ge, Le

from glasshouse.families.decoding.drafting import Growing, one
from glasshouse.families.decoding.interface import Context, Outcome, Proposal, Rule, Sampling, Setting, TokenTree
from glasshouse.families.decoding.sampling import distribution
from glasshouse.schema.events.base import Lazy
from glasshouse.schema.guarantee import Guarantee
from glasshouse.schema.knob import Knob
from glasshouse.schema.paper import Paper
from glasshouse.schema.view import Preset, View


@dataclass(frozen=True, eq=False)
class Seen:
    """Guesses of the text so far."""

    tested: int = 0
    accepted: int = 0


def expected_tokens(alpha: np.ndarray, gamma: int) -> np.ndarray:
    """E[tau] = (1 - alpha^(gamma+1)) / (1 - alpha), tokens of a round at acceptance alpha (eq. 1); gamma + 1 where alpha = 1."""
    return np.asarray((alpha[..., None] ** np.arange(gamma + 1)).sum(-1))


def overlap(tree: TokenTree, logits: np.ndarray, sampling: Sampling) -> np.ndarray:
    """1 - TV(p, q) at the node above each guess of a chain, float64 [n - 1]: its chance to be accepted (cor. 3.6)."""
    p = distribution(logits[:-1], sampling)
    return np.asarray(np.minimum(p, tree.q[tree.q_index[1:]]).sum(-1))


def curve(gamma: int, measured: float) -> Mapping[str, Any]:
    """Eq. 1 over alpha, and once more up to the ``measured`` acceptance."""
    alpha = np.linspace(0.0, 1.0, 101)
    expected = expected_tokens(alpha, gamma)
    return {"alpha": alpha, "tokens": np.stack([expected, np.where(alpha <= measured, expected, np.nan)])}


@dataclass(frozen=True)
class SpeculativeSampling:
    """A chain of ``gamma`` guesses from a draft model, of which the target keeps a prefix.

    Guess x ~ q is accepted with min(1, p(x)/q(x)), that is with probability 1 - TV(p, q); the first rejected one is replaced by
    a draw from norm((p - q)+); if all pass, one more token is drawn from p. Also Chen et al., 2302.01318, Alg. 2.
    """

    paper: ClassVar[Paper] = Paper("Fast Inference from Transformers via Speculative Decoding", "Leviathan, Kalman, Matias", 2023,
                                   arxiv="2211.17192", where="Alg. 1, eq. 1")
    guarantee: ClassVar[Guarantee] = Guarantee("lossless", "The text has exactly the law of sampling from the target alone.",
                                               assumptions=("the draft shares the target's vocabulary",), scope="text")
    views: ClassVar[tuple[View, ...]] = (
        View("line", "Tokens per round, were the draft right this often", x="alpha", y="tokens", series=("expected", "this text"),
             x_label="acceptance alpha", y_label="E[tokens per round]",
             note="(1 - alpha^(gamma+1)) / (1 - alpha), for independent guesses. The second line ends at this text's acceptance so far."),
        View("bars", "How far p and q overlapped, guess by guess", x="guess", y="overlap", x_label="guess", y_label="1 - TV(p, q)",
             note="This round: the chance each guess had to be accepted, the ones before it being accepted."),
    )
    presets: ClassVar[tuple[Preset, ...]] = (
        Preset("Four ahead", "How many of four guesses survive?", {"gamma": 4, "temperature": 0.7}),
        Preset("Too far ahead", "When do more guesses stop paying?", {"gamma": 16, "temperature": 1.0}),
    )
    rule: ClassVar[Rule] = "V1"
    needs_draft: ClassVar[bool] = True

    gamma: Annotated[int, Ge(1), Le(16), Knob(cost="live", group="how it drafts", unit="tokens", label="guesses ahead")] = 4

    def init(self, vocab_size: int) -> Any:
        """Only for the picture: drafting needs no memory."""
        return Seen()

    def propose(self, state: Any, context: Context) -> Proposal:
        growing, node = Growing(context), 0
        for depth in range(min(self.gamma, context.room - 1)):
            if depth:
                growing.expand([node])
            node = growing.add(node, one(growing.q(node), context, depth, node))      # x_i ~ q_i
        return Proposal(growing.tree(), lambda: self._extra(state))

    def absorb(self, state: Any, tree: TokenTree, outcome: Outcome, logits: Any) -> Any:
        return Seen(state.tested + len(outcome.tested), state.accepted + len(outcome.path) - 1)

    def explain(self, tree: TokenTree, outcome: Outcome, logits: Any, setting: Setting) -> Mapping[str, Any]:
        bars = np.full(self.gamma, np.nan)
        bars[:tree.size - 1] = overlap(tree, logits, setting.sampling)
        return {"guess": [str(i + 1) for i in range(self.gamma)], "overlap": bars}

    def _extra(self, seen: Seen) -> Mapping[str, Any]:
        measured = seen.accepted / seen.tested if seen.tested else np.nan
        return Lazy(lambda: curve(self.gamma, measured))
