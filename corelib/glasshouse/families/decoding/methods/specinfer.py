"""SpecInfer. Miao, Oliaro, Zhang, Cheng, Wang, Zhang, et al. 2023."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Annotated, Any, ClassVar

import numpy as np
from annotated_types import Ge, Le, MaxLen, MinLen

from glasshouse.families.decoding.drafting import Growing, with_replacement
from glasshouse.families.decoding.interface import Context, Outcome, Proposal, Rule, TokenTree
from glasshouse.schema.events.base import Lazy
from glasshouse.schema.guarantee import Guarantee
from glasshouse.schema.knob import Knob
from glasshouse.schema.paper import Paper
from glasshouse.schema.view import Preset, View

MOST_NODES = 256


@dataclass(frozen=True)
class SpecInfer:
    """A tree by an expansion configuration: at depth d every node gets ``expansion[d]`` independent draws of the draft.

    The expansion-based token tree of section 3 with the stochastic verification of section 4.3: a node's candidates are tested in draw
    order, x accepted with min(1, p(x) / q(x)), and p <- norm((p - q)+) after a rejection (V2). Draws are with replacement: equal
    siblings stay separate draws, each with its own subtree, which is what exactness asks and what it costs. Greedy: the
    expansion[d] likeliest tokens, all different.

    The paper's default configuration is (1, 1, 3, 1, 1, 1, 1, 1); ours is shorter and wider first, for a small draft. Its merging of
    several drafts' trees is not offered: one draft follows the text. A tree ends at 256 nodes: the draws beyond are not made.
    """

    expansion: Annotated[tuple[Annotated[int, Ge(1), Le(8)], ...], MinLen(1), MaxLen(8),
                         Knob(cost="job", group="how it drafts", label="draws per depth",
                              help="children of every node, depth by depth; the paper uses 1-1-3-1-1-1-1-1")] = (3, 2, 1, 1)

    paper: ClassVar[Paper] = Paper(
        "SpecInfer: Accelerating Generative Large Language Model Serving with Tree-based Speculative Inference and Verification",
        "Miao, Oliaro, Zhang, Cheng, Wang, Zhang, Wong, Zhu, Yang, Shi, Shi, Chen, Arfeen, Abhyankar, Jia", 2023,
        arxiv="2305.09781", where="Section 3 (expansion-based trees), Section 4.3 (multi-step speculative sampling)")
    guarantee: ClassVar[Guarantee] = Guarantee(
        "lossless", "The text has the target's own law; greedy text is identical.",
        assumptions=("every candidate is an independent draw from the q it is tested against",), scope="every text")
    views: ClassVar[tuple[View, ...]] = (
        View("bars", "Draws and different tokens, by depth", x="depth_label", y="draws", series=("draws", "different siblings"),
             y_label="nodes", note="A repeated sibling costs a node and adds nothing new."),)
    presets: ClassVar[tuple[Preset, ...]] = (
        Preset("Repeats", "Independent draws repeat themselves when the draft is sure. How many of 8 siblings are different?",
               {"expansion": (8, 2), "temperature": 0.5}),
        Preset("The paper's tree", "One chain that opens into three at the third token: why branch there and not at the first?",
               {"expansion": (1, 1, 3, 1, 1, 1, 1, 1)}))
    rule: ClassVar[Rule] = "V2"
    needs_draft: ClassVar[bool] = True

    def init(self, vocab_size: int) -> None:
        """No memory."""

    def propose(self, state: None, context: Context) -> Proposal:
        """The tree, one draft forward per depth."""
        tree = Growing(context if context.room > 1 else replace(context, draft=None))
        level = [0]
        for depth, draws in enumerate(self.expansion[:max(context.room - 1, 0)]):
            if depth > 0:
                tree.expand(level)
            level = [tree.add(node, int(token)) for node in level
                     for token in with_replacement(tree.q(node), min(draws, MOST_NODES - len(tree)), context, depth, node)]
            if not level:
                break
        done = tree.tree()
        nodes = done.depth, done.parent, done.token
        return Proposal(done, lambda: Lazy(lambda: _extra(*nodes)))

    def absorb(self, state: None, tree: TokenTree, outcome: Outcome, logits: Any) -> None:
        """Nothing is learned."""


def _extra(depth: np.ndarray, parent: np.ndarray, token: np.ndarray) -> Mapping[str, Any]:
    depths = np.arange(1, int(depth.max()) + 1)
    sibling = np.stack([depth, parent, token], 1)[1:]
    different = np.unique(sibling, axis=0)[:, 0]
    draws = np.stack([(sibling[:, :1] == depths).sum(0), (different[:, None] == depths).sum(0)])
    return {"depth_label": [f"depth {d}" for d in depths], "draws": draws}
