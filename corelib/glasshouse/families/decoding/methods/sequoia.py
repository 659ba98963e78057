"""Sequoia. Chen, May, Svirschevski, Huang, Ryabinin, Jia, Chen 2024."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Annotated, Any, ClassVar

import numpy as np
from annotated_types import Ge, Le

from glasshouse.families.decoding.drafting import Growing, without_replacement
from glasshouse.families.decoding.interface import Context, Outcome, Proposal, Rule, Setting, TokenTree
from glasshouse.families.decoding.templates import Shape, measured_acceptance, optimal_tokens, optimal_tree, reach, regular_tokens
from glasshouse.numerics.seeds import Seeds
from glasshouse.schema.events.base import Lazy, Progress
from glasshouse.schema.guarantee import Guarantee
from glasshouse.schema.knob import Knob
from glasshouse.schema.paper import Paper
from glasshouse.schema.view import Preset, View

USUAL = (0.635, 0.142, 0.060, *(0.032 * (4 / b) ** 2 for b in range(4, 17)))
"""Acceptance by sibling where little was measured: about that of a small distilled draft, its tail falling as 1 / b^2."""

USUAL_POSITIONS = 64


@dataclass(frozen=True)
class Sequoia:
    """The tree that is optimal for its size, found by dynamic programming before the text begins.

    ``prepare`` measures a[b], the probability that the b-th sibling is the accepted one, on calibration text. Taking a to
    be the same at every node, a tree commits sum over nodes of the product of a along the path, and the best tree of
    ``budget`` guesses follows by dynamic programming over size, depth and children (section 3.1; hardware-aware size: turn
    ``budget`` against the cost dial). Its nodes are filled with draws *without* replacement from q and verified in draw order
    (V3, section 3.2), so that a confident draft does not repeat a rejected guess.

    Ours: a vector typical of a small distilled draft counts as 64 measured positions, so that a short calibration text does not decide
    alone, and stands alone where there is none. Exactness does not depend on a, only the shape does. Siblings beyond the
    draft's support are left out with what hangs on them.
    """

    budget: Annotated[int, Ge(1), Le(128), Knob(cost="job", group="how it drafts", unit="nodes", label="tree size",
                                                help="guesses a round; the shape follows")] = 16
    depth: Annotated[int, Ge(1), Le(16), Knob(cost="job", group="how it drafts", label="deepest level",
                                              help="each level is one more draft forward")] = 4
    children: Annotated[int, Ge(1), Le(16), Knob(cost="job", group="how it drafts", label="most siblings",
                                                 help="how far the acceptance vector reaches")] = 8

    paper: ClassVar[Paper] = Paper("Sequoia: Scalable, Robust, and Hardware-aware Speculative Decoding",
                                   "Chen, May, Svirschevski, Huang, Ryabinin, Jia, Chen", 2024, arxiv="2402.12374",
                                   where="Section 3.1 (tree construction), Section 3.2 and Algorithm 1 (sampling and verification)")
    guarantee: ClassVar[Guarantee] = Guarantee(
        "lossless", "The text has the target's own law; greedy text is identical.",
        assumptions=("siblings are sequential draws without replacement from q, tested in draw order",), scope="every text")
    views: ClassVar[tuple[View, ...]] = (
        View("line", "Expected tokens by tree size", x="size", y="expected", series=("Sequoia", "binary tree", "chain"),
             x_label="nodes with the root", y_label="tokens a round", note="By the acceptance vector. The chain saturates."),
        View("bars", "Which sibling is accepted", x="sibling", y="acceptance", x_label="sibling in draw order", y_label="probability"),
        View("tree", "The optimal shape", parent="shape_parent", text="shape_text", color="shape_reach",
             note="Probability that verification keeps the node."))
    presets: ClassVar[tuple[Preset, ...]] = (
        Preset("Sixty-four nodes", "Where does the optimum put 64 nodes: wide at the root, or deep down the first choices?",
               {"budget": 64, "depth": 8}),
        Preset("Binary at most", "How many tokens a round are lost when a node may have only two children?", {"budget": 64, "children": 2}),
        Preset("Hot", "Guesses that are drawn, not picked: does the acceptance vector change, and the shape with it?",
               {"budget": 32, "temperature": 1.0}))
    rule: ClassVar[Rule] = "V3"
    needs_draft: ClassVar[bool] = True
    prepares: ClassVar[bool] = True

    def prepare(self, setting: Setting, seeds: Seeds) -> Iterator[Progress | tuple[float, ...]]:
        """Measures a on ``setting.calibration`` with the sampling in use; the last item is a, ``children`` numbers."""
        if setting.draft is None or not any(setting.calibration):
            yield USUAL[:self.children]
            return
        yield from measured_acceptance(setting.target.fork(), setting.draft.fork(), setting.calibration, setting.sampling, seeds,
                                       USUAL[:self.children], USUAL_POSITIONS)

    def init(self, vocab_size: int, prepared: tuple[float, ...] | None = None) -> tuple[float, ...]:
        """The acceptance vector: the measured one, or the usual one."""
        return USUAL[:self.children] if prepared is None else tuple(prepared)

    def propose(self, state: tuple[float, ...], context: Context) -> Proposal:
        """The optimal shape filled with draws, one draft forward per level."""
        shape = optimal_tree(state, self.budget + 1, self.depth)
        tree = _filled(shape.within(context.room - 1), context)
        return Proposal(tree, lambda: Lazy(lambda: _extra(state, shape, self.budget + 1, self.depth)))

    def absorb(self, state: tuple[float, ...], tree: TokenTree, outcome: Outcome, logits: Any) -> tuple[float, ...]:
        """Nothing is learned: the shape is decided offline."""
        return state


def _filled(shape: Shape, context: Context) -> TokenTree:
    tree = Growing(context if shape.levels else replace(context, draft=None))
    children, first = shape.children(), np.searchsorted(shape.parent, np.arange(shape.size))
    number = {0: 0}                                         # node of the shape -> node of the tree
    above = range(1)
    for depth, level in enumerate(shape.levels):
        growing = [i for i in above if children[i] and i in number]
        if depth > 0:
            tree.expand([number[i] for i in growing])
        for i in growing:
            drawn, _ = without_replacement(tree.q(number[i]), int(children[i]), context, depth, number[i])
            number |= {int(first[i]) + b: tree.add(number[i], int(token)) for b, token in enumerate(drawn)}
        above = range(level.start, level.stop)
    return tree.tree()


def _extra(acceptance: tuple[float, ...], shape: Shape, size: int, depth: int) -> Mapping[str, Any]:
    found = reach(shape, acceptance)
    expected = [optimal_tokens(acceptance, size, depth), *(regular_tokens(acceptance, size, depth, k) for k in (2, 1))]
    return {"size": np.arange(1, size + 1), "expected": np.stack(expected),
            "sibling": np.arange(1, len(acceptance) + 1), "acceptance": np.asarray(acceptance),
            "shape_parent": shape.parent, "shape_reach": found, "shape_text": [f"{x:.2f}" for x in found]}
