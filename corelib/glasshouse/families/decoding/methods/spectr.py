"""SpecTr: several independent drafts, chosen from by a near-optimal transport plan."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Annotated, Any, ClassVar

import numpy as np
from annotated_types import Ge, Le

from glasshouse.families.decoding import transport
from glasshouse.families.decoding.drafting import Growing, with_replacement, without_replacement
from glasshouse.families.decoding.interface import Context, Outcome, Proposal, Rule, Setting, TokenTree
from glasshouse.families.decoding.sampling import distribution
from glasshouse.schema.events.base import Lazy
from glasshouse.schema.guarantee import Guarantee
from glasshouse.schema.knob import Knob
from glasshouse.schema.paper import Paper
from glasshouse.schema.view import Preset, View

SHOWN_SETS = 24


@dataclass(frozen=True)
class SpecTr:
    """``drafts`` independent continuations of ``length`` tokens, verified together by k-SEQ.

    To keep a guess is to transport the law of k guesses to the target's law at cost 0 where the output is among the guesses.
    The optimal plan is a linear programme, exponential in k. k-SEQ tries guess i with min(1, p(x)/(rho q(x))) where rho in [1, k]
    solves 1 - (1 - beta(rho))^k = rho beta(rho), beta(rho) = sum_x min(q(x), p(x)/rho); it keeps a guess at least (1 - 1/e) times
    as often as the optimum does. At every further position the drafts that agree with the text so far are compared,
    and k is their number. Equal guesses are separate draws and separate branches of the tree (V5).

    Greedy text and shared noise, where all drafts would be one: the k likeliest first tokens, each continued by its best.
    The views compare the rules at the root, at temperature 1 for greedy text; the plan is over a few tokens and one symbol for
    the rest, which is ours.
    """

    paper: ClassVar[Paper] = Paper("SpecTr: Fast Speculative Decoding via Optimal Transport",
                                   "Sun, Suresh, Ro, Beirami, Jain, Yu", 2023, arxiv="2310.15141",
                                   where="k-SEQ and draft selection as optimal transport with membership cost")
    guarantee: ClassVar[Guarantee] = Guarantee(
        "lossless", "The text has exactly the target's law: k-SEQ is a valid transport from independent drafts to the target.",
        assumptions=("draft and target share their vocabulary",), scope="every text, at any temperature")
    views: ClassVar[tuple[View, ...]] = (
        View("matrix", "An optimal plan: from the drafts' guesses to the output, over few tokens", x="output", y="guesses", z="plan",
             text="plan_note", x_label="output", y_label="guesses, most likely first",
             note="Reduced vocabulary: all other tokens are one symbol. Mass inside its own guesses is kept; the rest is a correction."),
        View("bars", "Acceptance at the root: rules against the optimum", x="rule_name", y="acceptance",
             series=("whole vocabulary", "reduced"), y_label="P(a guess is kept)",
             note="Draws without replacement (V3) have another law, which may exceed this optimum."),
        View("line", "rho, where both sides meet", x="rho", y="rho_sides", series=("1 - (1 - beta)^k", "rho beta"),
             x_label="rho", y_label="probability", note="Left of the crossing the residual would be negative."),
        View("tree", "The drafts", parent="parent", text="node_label", color="draft"),
    )
    presets: ClassVar[tuple[Preset, ...]] = (
        Preset("Two drafts", "How much of the gap to the optimum does k-SEQ leave?", {"drafts": 2, "length": 4, "temperature": 1.0}),
        Preset("Eight drafts", "More drafts than surprises: how many of them are different?", {"drafts": 8, "length": 3, "temperature": 0.7}),
    )
    rule: ClassVar[Rule] = "V5"
    needs_draft: ClassVar[bool] = True

    drafts: Annotated[int, Ge(1), Le(8), Knob(cost="job", group="how it drafts", label="k, drafts")] = 4
    length: Annotated[int, Ge(1), Le(12), Knob(cost="job", group="how it drafts", unit="tokens", label="length of a draft")] = 4

    def init(self, vocab_size: int) -> None:
        return None

    def propose(self, state: None, context: Context) -> Proposal:
        grown = Growing(context)
        tips: list[int] = []
        for depth in range(min(self.length, context.room - 1)):
            if depth == 0:
                tips = [grown.add(0, int(token)) for token in with_replacement(grown.q(0), self.drafts, context, 0, 0)]
                continue
            grown.expand(tips)
            drawn = [without_replacement(grown.q(tip), 1, context, depth, tip)[0] for tip in tips]
            tips = [grown.add(tip, int(token[0])) for tip, token in zip(tips, drawn, strict=True)]
        tree = grown.tree()
        parent, rank, token = tree.parent, tree.rank, tree.token
        return Proposal(tree, lambda: Lazy(lambda: branches(parent, rank, token)))

    def absorb(self, state: None, tree: TokenTree, outcome: Outcome, logits: Any) -> None:
        return None

    def explain(self, tree: TokenTree, outcome: Outcome, logits: Any, setting: Setting) -> Mapping[str, Any]:
        """The root's choice as transport: rho's two sides, acceptance by rule, and a plan over few tokens."""
        k, piece = self.drafts, setting.piece or str
        p, q = outcome.law[0] if outcome.law else distribution(logits[0], setting.sampling), tree.q[0]
        few = transport.reduced(p, q, k)
        p, q = transport.lumped(p, q)
        levels = transport.Levels(p, q)
        rho = np.linspace(1.0, max(k, 1.5), 41)
        b, root, optimum = levels.beta(rho), levels.division_factor(k), levels.optimum(k)
        whole = [transport.with_replacement(p, q, k), 1.0 - (1.0 - float(levels.beta(root))) ** k, optimum, np.nan]
        return Lazy(lambda: explained(few, rho, b, root, whole, k, piece))


def branches(parent: np.ndarray, rank: np.ndarray, token: np.ndarray) -> dict[str, Any]:
    """The tree's nodes [n]; ``draft`` numbers the branches from 1, the root has 0."""
    draft = np.zeros(len(parent), np.int64)
    for node in range(1, len(parent)):
        above = int(parent[node])
        draft[node] = draft[above] if above else rank[node] + 1
    return {"parent": parent, "token": token, "draft": draft, "node_label": ["root", *(f"draft {d}" for d in draft[1:])]}


def explained(few: transport.Reduced, rho: np.ndarray, b: np.ndarray, root: float, whole: list[float], k: int,
              piece: Callable[[int], str]) -> dict[str, Any]:
    """What the views read, with the linear programme over ``few`` symbols. ``rho_sides`` float64 [2, 41] from beta(rho) ``b``."""
    names = [repr(piece(int(t))) for t in few.tokens] + ["any other"] * (len(few.p) - len(few.tokens))
    plan = transport.plan(few.p, few.q, k)
    sides = {"rho": rho, "rho_sides": np.stack([1.0 - (1.0 - b) ** k, rho * b]), "rho_root": np.asarray([root])}
    return sides | acceptance(whole, few, plan, k) | plan_matrix(plan, names)


def acceptance(whole: list[float], few: transport.Reduced, plan: transport.Plan, k: int) -> dict[str, Any]:
    """``acceptance`` float64 [2, 4]: over the whole vocabulary (V3 NaN: too many orders to enumerate), and over few symbols."""
    rules = (transport.with_replacement, transport.by_k_seq)
    part = [*(rule(few.p, few.q, k) for rule in rules), plan.value, transport.without_replacement(few.p, few.q, k)]
    return {"rule_name": ["V2", "V5, k-SEQ", "optimum", "V3, no repeats"], "acceptance": np.asarray([whole, part])}


def plan_matrix(plan: transport.Plan, names: list[str]) -> dict[str, Any]:
    """The 24 likeliest multisets of guesses: ``plan`` float64 [sets, symbols]."""
    shown = np.argsort(-plan.weight, kind="stable")[:SHOWN_SETS]
    sets = [plan.sets[i] for i in shown]
    return {"plan": plan.mass[shown], "output": names, "guesses": [" + ".join(names[i] for i in s) for s in sets],
            "plan_note": [["kept" if i in s else "correction" for i in range(len(names))] for s in sets]}
