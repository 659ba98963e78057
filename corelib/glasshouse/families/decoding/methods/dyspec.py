"""DySpec: the draft tree grows where the draft itself is sure, guess by guess."""

from __future__ import annotations

import heapq
from dataclasses import dataclass
from typing import Annotated, Any, ClassVar, Literal

import numpy as np
from annotated_types import Ge, Gt, Le

from glasshouse.families.decoding.drafting import Growing, without_replacement
from glasshouse.families.decoding.interface import Context, Outcome, Proposal, Rule, TokenTree
from glasshouse.schema.events.base import Lazy
from glasshouse.schema.guarantee import Guarantee
from glasshouse.schema.knob import Knob
from glasshouse.schema.paper import Paper
from glasshouse.schema.view import Preset, View

BINS = np.linspace(0.0, 1.0, 11)
SPENT = 1e-9
"""Share of q under which a node's draws count as used up: what is left is rounding."""


@dataclass(frozen=True)
class DySpec:
    """A tree grown greedily over *open slots*.

    A slot is a place where one more guess may be drawn; its value v estimates the chance that verification gets there, taking
    the draft's probability of a guess as its chance of acceptance. The first slot is (1, root). Drawing y from what is left
    of q at a slot, r, opens two: below y with v r[y], and beside it with v (1 - r[y]), where y is gone from r.
    *heap* always fills the slot of greatest v, until the budget is spent: since v falls along both ways on, no tree of that
    size has a greater sum of v, the guesses that verification is expected to reach. *threshold* fills, level by level, every
    slot with v >= threshold while the budget lasts, so that the draft runs once a level.

    Taking q as the chance of acceptance is the assumption: where it holds this beats the best static tree of that size. A guess drawn from a good
    draft is kept far more often than q says, so that at temperature 1 this tree grows wide where deep would pay: the family's study ``trees``
    tells by how much it then trails Sequoia and RSD at one budget.

    Whether a guess is drawn depends on guesses before it and never on itself, so the sequential draws stay draws without
    replacement and V3 is exact. Ours: the threshold's default; the draft temperature (q^(1/t), which is then the law drawn from
    and verified against); ``ahead``, which asks the draft early for slots likely to come and leaves the tree as it is.
    """

    paper: ClassVar[Paper] = Paper("DySpec: Faster Speculative Decoding with Dynamic Token Tree Structure",
                                   "Xiong, Zhang, Li, Wu, Zou", 2024, arxiv="2410.11744",
                                   where="the greedy construction with a heap, and its variant with a threshold")
    guarantee: ClassVar[Guarantee] = Guarantee(
        "lossless", "The text has exactly the target's law: guesses are sequential draws without replacement, verified as such.",
        assumptions=("draft and target share their vocabulary",), scope="every text, at any temperature")
    views: ClassVar[tuple[View, ...]] = (
        View("bars", "Open slots by value: where the next guess would go", x="slot", y="slot_value", text="slot_name",
             x_label="tokens ahead, best slot first", y_label="v",
             note="The longest bar is drawn next. Slots at the end of the text's room are closed."),
        View("line", "Is the draft's probability the chance of being kept?", x="bin", y="kept_share", series=("kept", "if it were"),
             x_label="draft probability of a guess", y_label="share kept, over all rounds before",
             note="DySpec's assumption is the diagonal."),
        View("tree", "The tree, with the value of the slot each guess filled", parent="parent", text="node_label", color="value"),
    )
    presets: ClassVar[tuple[Preset, ...]] = (
        Preset("One guess at a time", "Watch the heap: when does it prefer a second try over going deeper?", {"growth": "heap", "budget": 12}),
        Preset("Level by level", "Fewer draft calls for nearly the same tree: is a threshold worth it?",
               {"growth": "threshold", "threshold": 0.05, "budget": 48}),
        Preset("An overconfident draft", "Sharpen the draft to a third of its temperature: what becomes of the tree, and of acceptance?",
               {"growth": "heap", "draft_temperature": 0.35, "temperature": 1.0}),
    )
    rule: ClassVar[Rule] = "V3"
    needs_draft: ClassVar[bool] = True

    growth: Annotated[Literal["heap", "threshold"], Knob(cost="job", group="how it drafts")] = "heap"
    budget: Annotated[int, Ge(1), Le(128), Knob(cost="job", group="how it drafts", unit="nodes",
                                                help="most guesses a round; the root is not counted")] = 16
    threshold: Annotated[float, Gt(0), Le(1), Knob(cost="job", group="how it drafts", step=0.01,
                                                   help="slots below it stay empty (growth by threshold)")] = 0.1
    draft_temperature: Annotated[float, Ge(0.1), Le(3), Knob(cost="job", group="how it drafts", step=0.05, more=True,
                                                             help="sharpens (< 1) or flattens the draft; the text's law stays")] = 1.0
    ahead: Annotated[int, Ge(1), Le(32), Knob(cost="job", group="how it drafts", unit="nodes", more=True,
                                              help="the draft scores this many of the best slots at once; the tree stays the same")] = 4

    def init(self, vocab_size: int) -> np.ndarray:
        """Counts, int64 [2, bins]: guesses offered at visited nodes and guesses kept, by their draft probability."""
        return np.zeros((2, len(BINS) - 1), np.int64)

    def propose(self, state: np.ndarray, context: Context) -> Proposal:
        slots = _Slots(context, self.draft_temperature, self.budget)
        (self._by_heap if self.growth == "heap" else self._by_threshold)(slots)
        tree = slots.tree.tree()
        return Proposal(tree, lambda: slots.story(tree, state))

    def _by_heap(self, slots: _Slots) -> None:
        open_slots = slots.first()
        while open_slots and len(slots.value) <= self.budget:
            if open_slots[0][2] not in slots.scored:
                slots.ask([node for _, _, node in heapq.nsmallest(self.ahead, open_slots)])
            for slot in slots.fill(heapq.heappop(open_slots)):
                heapq.heappush(open_slots, slot)
        slots.left = open_slots

    def _by_threshold(self, slots: _Slots) -> None:
        level = slots.first()
        while level and len(slots.value) <= self.budget:
            slots.ask([node for _, _, node in level])
            below: list[Slot] = []
            while level and len(slots.value) <= self.budget:
                filled = heapq.heappop(level)
                for slot in slots.fill(filled):
                    if -slot[0] >= self.threshold:
                        heapq.heappush(level if slot[2] == filled[2] else below, slot)
                    else:
                        slots.left.append(slot)
            slots.left += level
            level = below
        slots.left += level

    def absorb(self, state: np.ndarray, tree: TokenTree, outcome: Outcome, logits: Any) -> np.ndarray:
        counts = state.copy()
        kept = set(outcome.path)
        for child in (c for node in outcome.path for c in tree.children[node]):
            q = tree.q[tree.q_index[child], tree.token[child]]
            at = min(int(q * (len(BINS) - 1)), len(BINS) - 2)
            counts[:, at] += 1, child in kept
        return counts


Slot = tuple[float, int, int]
"""(-v, age, the node below which the next guess is drawn): a heap of these yields the greatest v, then the oldest."""


@dataclass
class _Draws:
    """What is still to be drawn below one node: q there (as row ``row``, where it is not the draft's own), tokens in draw order."""

    q: np.ndarray
    row: int | None
    tokens: list[int]
    mass: float = 1.0


class _Slots:
    """The growing tree, its values and its open slots."""

    def __init__(self, context: Context, temperature: float, budget: int) -> None:
        self.tree = Growing(context)
        self.context, self.temperature, self.budget = context, temperature, budget
        self.scored = {0}                                   # nodes whose q is known
        self.value = [1.0]                                  # by node: v of the slot it filled
        self.below = [1.0]                                  # by node: v of the first slot below it
        self.draws: dict[int, _Draws] = {}
        self.left: list[Slot] = []                          # slots that stayed open
        self._age = 0

    def first(self) -> list[Slot]:
        return [self._slot(1.0, 0)] if self.context.room > 1 else []

    def ask(self, nodes: list[int]) -> None:
        """One draft forward for q at those of these nodes that lack it."""
        missing = [node for node in nodes if node not in self.scored]
        self.tree.expand(missing)
        self.scored.update(missing)

    def _begin(self, node: int) -> _Draws:
        q, number = self.tree.q(node), None
        if self.temperature != 1.0:
            q = (q / q.max()) ** (1.0 / self.temperature)
            q /= q.sum()
            number = self.tree.add_row(q)
        tokens, _ = without_replacement(q, self.budget, self.context, self.tree.depth[node], node)
        return _Draws(q, number, tokens.tolist())

    def fill(self, slot: Slot) -> list[Slot]:
        """Draw the guess of this slot; the slots that opens, one below it and one beside it where there is any."""
        v, node = -slot[0], slot[2]
        if node not in self.draws:
            self.draws[node] = self._begin(node)
        draws = self.draws[node]
        y = draws.tokens.pop(0)
        share = float(draws.q[y])
        child = self.tree.add(node, y, q_row=draws.row)
        self.value.append(v)
        # v r[y] = v_below q(y), and v (1 - r[y]) = v_below (1 - all mass drawn so far): nothing needs renormalising.
        self.below.append(self.below[node] * share)
        draws.mass -= share
        opened = []
        if self.tree.depth[child] < self.context.room - 1:
            opened.append(self._slot(self.below[child], child))
        if draws.mass > SPENT and draws.tokens:
            opened.append(self._slot(self.below[node] * draws.mass, node))
        return opened

    def _slot(self, v: float, node: int) -> Slot:
        self._age += 1
        return -v, self._age, node

    def story(self, tree: TokenTree, counts: np.ndarray) -> Lazy:
        """The best open slots, and the tree's nodes; of all this only a few numbers are held."""
        nodes, best = (tree.parent, tree.token, tree.depth, self.value), heapq.nsmallest(24, self.left)
        return Lazy(lambda: story(*nodes, best) | calibration(counts))


def story(parent: np.ndarray, token: np.ndarray, depth: np.ndarray, value: list[float], best: list[Slot]) -> dict[str, Any]:
    """Open slots [m <= 24] by falling v, and the tree's nodes [n]."""
    ahead, children = (depth + 1).tolist(), np.bincount(parent[1:], minlength=len(parent)).tolist()
    return {"slot": [str(ahead[n]) for _, _, n in best], "slot_value": np.asarray([-v for v, _, _ in best]),
            "slot_name": [f"{ahead[n]} ahead, guess {children[n] + 1} below node {n}" for _, _, n in best],
            "parent": parent, "value": np.asarray(value), "token": token,
            "node_label": ["root", *(f"{v:.2g}" for v in value[1:])]}


def calibration(counts: np.ndarray) -> dict[str, Any]:
    """The share of guesses kept by draft probability, beside the diagonal: float64 [2, bins], NaN where there were none."""
    middle = (BINS[1:] + BINS[:-1]) / 2
    share = np.where(counts[0] > 0, counts[1] / np.maximum(counts[0], 1), np.nan)
    return {"bin": middle, "kept_share": np.stack([share, middle]), "offered": counts[0]}
