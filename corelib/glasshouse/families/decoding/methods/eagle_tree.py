"""EAGLE-2's draft tree: grow level by level from the best paths, then keep the best of everything seen."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any, ClassVar

import numpy as np
from annotated_types import Ge, Le

from glasshouse.families.decoding.drafting import Growing
from glasshouse.families.decoding.drafting.noise import log, top
from glasshouse.families.decoding.interface import Context, Outcome, Proposal, Rule, TokenTree
from glasshouse.schema.events.base import Lazy
from glasshouse.schema.guarantee import Guarantee
from glasshouse.schema.knob import Knob
from glasshouse.schema.paper import Paper
from glasshouse.schema.view import Preset, View


@dataclass(frozen=True)
class EagleTree:
    """EAGLE-2's context-aware tree over the bundled draft model.

    The value of a node is the draft's probability of its whole path, V_i = product of q(t_j) over the path from the root
    (section 4.1), taken as an estimate of the chance that verification gets there. *Expand*: the k best nodes of the newest
    level each give their k likeliest children; all k^2 are remembered. *Rerank*: of everything remembered, the ``budget``
    nodes of highest value form the tree (section 4.2). Values never rise along a path and ties go to the older node, so
    a kept node's parent is always kept.

    The tree is a deterministic function of the text, at any temperature: nothing is drawn from q, hence rule V4. EAGLE's own
    drafter, one layer over the target's features, is not part of this: any draft model's q takes its place. Ours, too:
    values use q after temperature and top-p, and ``depth`` counts all levels (the published 7 further levels are 8 here).
    """

    paper: ClassVar[Paper] = Paper("EAGLE-2: Faster Inference of Language Models with Dynamic Draft Trees",
                                   "Li, Wei, Zhang, Zhang", 2024, arxiv="2406.16858",
                                   where="sections 4.1 (expansion) and 4.2 (reranking), without the feature-level drafter")
    guarantee: ClassVar[Guarantee] = Guarantee(
        "lossless", "The text has exactly the target's law: each guess is kept with the target's own probability of it.",
        assumptions=("draft and target share their vocabulary",), scope="every text, at any temperature")
    views: ClassVar[tuple[View, ...]] = (
        View("scatter", "Every candidate, and the ones that survived the rerank", x="depth", y="log_value", color="kept", text="label",
             x_label="level", y_label="log of the path's draft probability",
             note="Deep nodes compete with shallow ones by one number."),
        View("tree", "The reranked tree", parent="parent", text="node_label", color="node_value"),
    )
    presets: ClassVar[tuple[Preset, ...]] = (
        Preset("As published", "60 nodes with the root, 10 paths at a time: how many of the 59 guesses are ever needed here?",
               {"k": 10, "depth": 8, "budget": 59}),
        Preset("Narrow and deep", "Two paths at a time: does the tree become a chain where the draft is sure of itself?",
               {"k": 2, "depth": 10, "budget": 16}),
    )
    rule: ClassVar[Rule] = "V4"
    needs_draft: ClassVar[bool] = True

    k: Annotated[int, Ge(1), Le(16), Knob(cost="job", group="how it drafts", label="k, width of the frontier",
                                          help="paths expanded per level, and children of each")] = 6
    depth: Annotated[int, Ge(1), Le(12), Knob(cost="job", group="how it drafts", unit="levels")] = 6
    budget: Annotated[int, Ge(1), Le(128), Knob(cost="job", group="how it drafts", unit="nodes", label="kept after reranking",
                                                help="guesses sent to the target; the root is not counted")] = 24

    def init(self, vocab_size: int) -> None:
        return None

    def propose(self, state: None, context: Context) -> Proposal:
        grown = Growing(context)
        path_value = [1.0]                                  # V_i, by node
        frontier = [0]
        for level in range(min(self.depth, context.room - 1)):
            if level:
                grown.expand(frontier)
            first = len(grown)
            for node in frontier:
                q = grown.q(node)
                for token in best(q, self.k):
                    grown.add(node, int(token), drawn=False)
                    path_value.append(path_value[node] * float(q[token]))
            frontier = [first + int(i) for i in best(np.asarray(path_value[first:]), self.k)]
        value = np.asarray(path_value)
        kept = np.sort(best(value, self.budget + 1))        # the root, whose V is 1, is always among them
        seen = grown.tree()
        tree = restrict(seen, kept)
        depth, parent, token = seen.depth, tree.parent, tree.token
        return Proposal(tree, lambda: Lazy(lambda: story(depth, value, kept) | {"parent": parent, "token": token}))

    def absorb(self, state: None, tree: TokenTree, outcome: Outcome, logits: Any) -> None:
        return None


def best(value: np.ndarray, k: int) -> np.ndarray:
    """Indices of the k largest positive values, falling; ties by smaller index. int64 [<= k]."""
    index = top(value, k)
    return np.asarray(index[value[index] > 0.0])


def restrict(tree: TokenTree, kept: np.ndarray) -> TokenTree:
    """The subtree of these nodes (ascending, parents included), renumbered; its guesses belong to no distribution."""
    number = np.full(tree.size + 1, -1)                     # the last entry answers for the root's parent, -1
    number[kept] = np.arange(len(kept))
    parent = number[tree.parent[kept]]
    # Older siblings are likelier ones, and renumbering keeps their order.
    rank = np.asarray([np.count_nonzero(parent[:i] == p) for i, p in enumerate(parent)], np.int64)
    return TokenTree(token=tree.token[kept], parent=parent, rank=rank, q_index=np.full(len(kept), -1, np.int64),
                     q=np.zeros((0, tree.q.shape[1])), source=tree.source[kept], sources=tree.sources)


def story(depth: np.ndarray, value: np.ndarray, kept: np.ndarray) -> dict[str, Any]:
    """Candidates [n] without the root: level, log of V, kept or not; and the values of the reranked tree's nodes [budget + 1]."""
    survived = np.full(len(value), "cut", object)
    survived[kept] = "kept"
    return {"depth": depth[1:], "log_value": log(value)[1:], "kept": survived[1:],
            "label": [f"path probability {v:.3g}" for v in value[1:]], "node_value": value[kept],
            "node_label": ["root", *(f"{v:.2g}" for v in value[kept][1:])]}
