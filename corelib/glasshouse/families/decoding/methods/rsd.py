"""Recursive speculative decoding: siblings, or whole sequences, drawn without replacement."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Any, ClassVar, Literal

import numpy as np
from annotated_types import Ge, Le, MaxLen

from glasshouse.families.decoding.drafting import Growing, without_replacement
from glasshouse.families.decoding.drafting.noise import gumbel, log, top
from glasshouse.families.decoding.interface import Context, Outcome, Proposal, Rule, TokenTree
from glasshouse.schema.events.base import Lazy
from glasshouse.schema.guarantee import Guarantee
from glasshouse.schema.knob import Knob
from glasshouse.schema.paper import Paper
from glasshouse.schema.view import Preset, View

MOST_NODES = 256
SHOWN = 32


@dataclass(frozen=True)
class _Beam:
    """A node and what Stochastic Beam Search knows of it: phi = log q(path), G = its perturbed score."""

    node: int
    phi: float = 0.0
    score: float = 0.0


@dataclass(frozen=True)
class _Candidate:
    """A perturbed token below a beam, ``place``-th there by falling score; ``kept`` candidates became nodes."""

    beam: _Beam
    place: int
    token: int
    phi: float
    score: float
    kept: bool = False


@dataclass(frozen=True)
class RSD:
    """A tree whose siblings are all different, each drawn without replacement from the draft.

    *constant* (RSD-C): below every node at level d the branching[d] best of log q + Gumbel: Gumbel-Top-k, that many sequential
    draws at once. *beam* (RSD-S): Stochastic Beam Search. A path's score is phi = log q(path) plus noise, conditioned on the
    best child's score being its parent's, so that the ``width`` best of a level are that many *sequences* drawn without
    replacement; the others are cut, and the tree has at most width x depth nodes. Greedy text has no noise: the
    likeliest tokens, and plain beam search.

    Siblings stand in falling score, the order they were drawn in, and are verified by recursive rejection sampling (V3). A cut
    falls on the last of them, whatever they are, which is why it does no harm. Ours: a tree ends at 256 nodes.
    """

    paper: ClassVar[Paper] = Paper("Recursive Speculative Decoding: Accelerating LLM Inference via Sampling Without Replacement",
                                   "Jeon, Gagrani, Goel, Park, Lee, Lott", 2024, arxiv="2402.14160",
                                   where="recursive rejection sampling, RSD-C and RSD-S; the conditioned maximum is Kool et al. 1903.06059")
    guarantee: ClassVar[Guarantee] = Guarantee(
        "lossless", "The text has exactly the target's law: guesses are sequential draws without replacement, verified as such.",
        assumptions=("draft and target share their vocabulary",), scope="every text, at any temperature")
    views: ClassVar[tuple[View, ...]] = (
        View("bars", "Perturbed scores of the deepest level", x="candidate", y="candidate_score", series=("in the tree", "cut"),
             y_label="log q + noise, above the lowest shown",
             note="Constant branching cuts below each parent; the beam cuts across all parents at once."),
        View("bars", "Which sibling is kept", x="sibling", y="sibling_share", y_label="share of visits, over all rounds before",
             note="The second and third draws earn their place here or nowhere."),
        View("tree", "The tree, with perturbed scores", parent="parent", text="node_label", color="node_score"),
    )
    presets: ClassVar[tuple[Preset, ...]] = (
        Preset("Three tries, then straight on", "How often is the second or third sibling the one that is kept?",
               {"variant": "constant", "branching": (3, 1, 1, 1), "temperature": 1.0}),
        Preset("Beam of four", "Four sequences share 16 nodes. Set constant branching 2-2-1-1, 14 nodes: which keeps more guesses?",
               {"variant": "beam", "width": 4, "depth": 4, "temperature": 1.0}),
    )
    rule: ClassVar[Rule] = "V3"
    needs_draft: ClassVar[bool] = True

    variant: Annotated[Literal["constant", "beam"], Knob(cost="job", group="how it drafts")] = "constant"
    branching: Annotated[tuple[Annotated[int, Ge(1), Le(8)], ...], MaxLen(8),
                         Knob(cost="job", group="how it drafts", label="children per level",
                              help="constant branching: draws below every node, level by level")] = (3, 2, 1, 1)
    width: Annotated[int, Ge(1), Le(16), Knob(cost="job", group="how it drafts", unit="paths", help="beam: sequences kept per level")] = 4
    depth: Annotated[int, Ge(1), Le(12), Knob(cost="job", group="how it drafts", unit="levels", help="beam: levels")] = 4

    def init(self, vocab_size: int) -> np.ndarray:
        """Counts, int64 [2, 16]: siblings offered at visited nodes and siblings kept, by draw order."""
        return np.zeros((2, 16), np.int64)

    def propose(self, state: np.ndarray, context: Context) -> Proposal:
        grown = Growing(context)
        level, scores, seen = [_Beam(0)], [0.0], list[_Candidate]()
        for number in range(min(len(self.branching) if self.variant == "constant" else self.depth, context.room - 1)):
            if number:
                grown.expand([beam.node for beam in level])
            room = MOST_NODES - len(grown)
            if self.variant == "constant":
                seen = [c for beam in level for c in siblings(grown, beam, self.branching[number], context)]
                seen = cut(seen, [i for i, c in enumerate(seen) if c.place < self.branching[number]][:room])
            else:
                seen = [c for beam in level for c in sequences(grown, beam, self.width, context)]
                seen = cut(seen, top(np.asarray([c.score for c in seen]), min(self.width, room)))
            level = [_Beam(grown.add(c.beam.node, c.token), c.phi, c.score) for c in seen if c.kept]
            scores += [beam.score for beam in level]
        tree = grown.tree()
        parent, token, last = tree.parent, tree.token, sorted(seen, key=lambda c: -c.score)[:SHOWN]
        return Proposal(tree, lambda: Lazy(lambda: {"parent": parent, "token": token} | story(np.asarray(scores), last) | shares(state)))

    def absorb(self, state: np.ndarray, tree: TokenTree, outcome: Outcome, logits: Any) -> np.ndarray:
        counts = state.copy()
        kept = set(outcome.path)
        for place, child in (pair for node in outcome.path for pair in enumerate(tree.children[node])):
            counts[:, place] += 1, child in kept
        return counts


def siblings(grown: Growing, beam: _Beam, k: int, context: Context) -> list[_Candidate]:
    """Gumbel-Top-k below one node: k draws without replacement, and the one that would have come next."""
    tokens, scores = without_replacement(grown.q(beam.node), k + 1, context, grown.depth[beam.node], beam.node)
    return [_Candidate(beam, i, int(t), 0.0, float(s)) for i, (t, s) in enumerate(zip(tokens, scores, strict=True))]


def sequences(grown: Growing, beam: _Beam, k: int, context: Context) -> list[_Candidate]:
    """The k best-scored children of one beam, in falling score, which is their draw order."""
    phi = beam.phi + log(grown.q(beam.node))
    g = phi + gumbel(context, grown.depth[beam.node], beam.node)
    score = g if context.sampling.greedy else conditioned(g, beam.score)
    return [_Candidate(beam, i, int(t), float(phi[t]), float(score[t])) for i, t in enumerate(top(score, k))]


def conditioned(g: np.ndarray, maximum: float) -> np.ndarray:
    """Gumbel scores g [V] (-inf allowed), given that the largest equals ``maximum``: same order, float64 [V].

    v_i = G - g_i + log(1 - e^(g_i - Z)),  G_i = G - max(v_i, 0) - log(1 + e^(-|v_i|)), with Z = max g (Kool et al., appendix).
    """
    best = int(g.argmax())
    with np.errstate(divide="ignore"):
        v = maximum - g + np.log1p(-np.exp(g - g[best]))
    score = maximum - np.maximum(v, 0.0) - np.log1p(np.exp(-np.abs(v)))
    score[best] = maximum                                   # v is -inf there, and G - 0 - log(1 + 0) needs no arithmetic
    return np.asarray(score)


def cut(candidates: Sequence[_Candidate], kept: Sequence[int] | np.ndarray) -> list[_Candidate]:
    """The same candidates with ``kept`` marked."""
    marked = set(map(int, kept))
    return [_Candidate(c.beam, c.place, c.token, c.phi, c.score, i in marked) for i, c in enumerate(candidates)]


def story(score: np.ndarray, shown: Sequence[_Candidate]) -> dict[str, Any]:
    """The deepest level's best candidates [m <= 32] by falling score, heights above the lowest; the scores of the tree's nodes [n]."""
    height = np.asarray([c.score for c in shown])
    height = height - height.min() if len(shown) else height
    kept = np.asarray([c.kept for c in shown], bool)
    return {"candidate": [f"draw {c.place + 1} below {c.beam.node}" for c in shown], "candidate_token": [c.token for c in shown],
            "candidate_score": np.stack([np.where(kept, height, np.nan), np.where(kept, np.nan, height)]),
            "node_score": score, "node_label": ["root", *(f"{s:.2f}" for s in score[1:])]}


def shares(counts: np.ndarray) -> dict[str, Any]:
    """How often the i-th sibling of a visited node was kept, float64 [siblings seen so far]."""
    seen = np.flatnonzero(counts[0])
    return {"sibling": [f"draw {i + 1}" for i in seen], "sibling_share": counts[1, seen] / counts[0, seen], "sibling_offered": counts[0, seen]}
