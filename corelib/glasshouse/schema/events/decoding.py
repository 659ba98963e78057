"""A round of speculative decoding: draft, one target forward over the tree, verification, commit.

Notation of the field: p is the target's next-token distribution after processing (temperature, top-p), q the
draft's. Node 0 is the root, the last committed token.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import IntEnum
from typing import Literal

import numpy as np

from glasshouse.schema.events.base import Event


class NodeState(IntEnum):
    """What verification did with a node."""

    ROOT = 0
    ACCEPTED = 1
    REJECTED = 2
    UNTESTED = 3


@dataclass(frozen=True, kw_only=True, eq=False)
class TopRows:
    """One distribution per node, cut to its largest entries. Row i is -1 / NaN where node i has none that was kept.

    ``ids`` int64 [n, k], ``mass`` float64 [n, k] (descending), ``rest`` float64 [n] (mass outside the k),
    ``full`` float64 [n, V] or None (only with ``keep="full"``).
    """

    ids: np.ndarray
    mass: np.ndarray
    rest: np.ndarray
    full: np.ndarray | None = None


@dataclass(frozen=True, kw_only=True, eq=False)
class Round(Event):
    """One round. Arrays have one entry per node, n nodes, unless said otherwise.

    ``token, parent, depth`` int64 (parent of the root is -1); ``rank`` int64, draw order among siblings;
    ``source`` int64, index into ``sources``; ``q_token`` float64, the draft's probability of the node's token
    (NaN where it was not drawn from a distribution); ``p_token`` float64, the target's at the parent;
    ``accept`` float64, the acceptance probability used (NaN untested); ``u`` float64, the uniform drawn (NaN
    untested or not needed); ``state`` int64 of :class:`NodeState`. ``p, q, residual`` are the distributions *at*
    a node, over its children: ``residual`` is what is left of p there after all tested children failed. p is kept where something was
    or could have been decided: at nodes with children and on the path (with ``keep="full"`` everywhere).
    ``path`` holds the accepted nodes from the root (included) on. ``final`` is the token emitted by the target itself,
    at node ``final_node``: a correction after rejections, or a bonus at a leaf. ``committed`` holds the accepted tokens and
    then ``final`` (fewer at the end of the text). ``pieces`` maps the ids that occur to display text.
    ``seconds`` is the round's whole: drafting, the target's forward, verification and memory, without what is recorded.
    With ``keep="none"`` only the scalars, ``path`` and ``committed`` are filled.
    """

    round: int
    position: int                                   # committed tokens before this round, prompt included
    rule: str                                       # V0 ... V5, or "coupled"
    committed: tuple[int, ...]
    path: tuple[int, ...]
    final: int
    final_node: int
    final_kind: Literal["correction", "bonus"]
    nodes: int                                      # nodes in the tree, root included
    accepted: int                                   # draft tokens accepted
    tokens: int                                     # tokens committed in this round: accepted + 1
    draft_calls: int
    target_seconds: float
    draft_seconds: float
    seconds: float
    token: np.ndarray
    parent: np.ndarray
    depth: np.ndarray
    rank: np.ndarray
    source: np.ndarray
    sources: tuple[str, ...]
    q_token: np.ndarray
    p_token: np.ndarray
    accept: np.ndarray
    u: np.ndarray
    state: np.ndarray
    p: TopRows
    q: TopRows
    residual: TopRows
    pieces: Mapping[int, str] = field(default_factory=dict)
    text: tuple[str, ...] = ()                      # display text of the committed tokens


@dataclass(frozen=True, kw_only=True, eq=False)
class Prompt(Event):
    """The first event of a run: what is given. ``pieces`` are the display texts of the prompt's tokens.

    What is done before the first round, by name and for every method alike, and not part of any round: ``packing_seconds``, opening the
    problem (loading and packing the models where they are not in memory); ``preparation_seconds``, what the method measured first, as long
    as that took when it was measured; ``prompt_target_seconds`` and ``prompt_draft_seconds``, one forward over the prompt but for its last
    token (0 without a draft).

    ``target_forward``, ``draft_forward``: what computes them, "lean" or "the model's own" with the reason.
    """

    tokens: int
    ids: tuple[int, ...]
    pieces: tuple[str, ...]
    target: str
    draft: str
    packing_seconds: float = 0.0
    preparation_seconds: float = 0.0
    prompt_target_seconds: float = 0.0
    prompt_draft_seconds: float = 0.0
    target_forward: str = ""
    draft_forward: str = ""


@dataclass(frozen=True, kw_only=True, eq=False)
class NodeLook(Event):
    """One round as looked at: the round, the chosen node and bars over the ``k`` tokens that matter.

    ``at`` is the node whose bars these are: the parent of the chosen ``node``, where it was decided; the node itself
    for the root, and where the look follows the decision (-1).
    ``labels`` [k] token texts; ``p, q, residual`` float64 [k] (NaN where absent); ``sentence`` is the decision's arithmetic.
    """

    round: Round
    node: int
    at: int
    index: int
    rounds: int
    labels: tuple[str, ...]
    p: np.ndarray
    q: np.ndarray
    residual: np.ndarray
    sentence: str


@dataclass(frozen=True, kw_only=True, eq=False)
class CostCurve(Event):
    """What a forward of ``nodes`` [k] tokens costs with the models of ``method``, hot and on this machine.

    ``seconds`` [k] are medians, ``low, high`` [k] quartiles; ``draft_seconds`` [k] medians of the draft (NaN without one);
    ``context`` tokens were cached; ``repeats`` so far.
    """

    method: str
    context: int
    repeats: int
    nodes: np.ndarray
    seconds: np.ndarray
    low: np.ndarray
    high: np.ndarray
    draft_seconds: np.ndarray


@dataclass(frozen=True, kw_only=True, eq=False)
class TreeRace(Event):
    """Tokens per target forward of trees that are drawn from the same draft, at one budget and over the same ``texts`` prompts.

    ``methods`` [m] by id; ``mean, low, high`` float64 [m], with a 95 % t-interval over texts; ``ahead, ahead_low, ahead_high`` float64 [m],
    by how much the first method leads each, text by text, with such an interval (0 for itself).
    """

    budget: int
    texts: int
    temperature: float
    top_p: float
    methods: tuple[str, ...]
    mean: np.ndarray
    low: np.ndarray
    high: np.ndarray
    ahead: np.ndarray
    ahead_low: np.ndarray
    ahead_high: np.ndarray


@dataclass(frozen=True, kw_only=True, eq=False)
class LosslessCheck(Event):
    """A method's two-token law on the toy model against the target's, by chi-square over ``draws`` texts.

    ``observed`` int64 [c], ``expected`` float64 [c] (exact law times draws); cells are pooled until each expects 5 or more.
    ``method`` is the one asked about; ``planted`` names the bug planted on purpose, empty when there is none.
    """

    method: str
    draws: int
    statistic: float
    dof: int
    p_value: float
    planted: str
    observed: np.ndarray
    expected: np.ndarray
    cells: tuple[str, ...]
