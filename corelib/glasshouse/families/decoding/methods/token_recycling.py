"""Token Recycling. Luo, Wang, Zhu, Zhang, Zhang, Yang, Xu 2024."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any, ClassVar, Literal

import numpy as np
import torch
from annotated_types import Ge, Le

from glasshouse.families.decoding.interface import Context, Outcome, Proposal, Rule, TokenTree
from glasshouse.families.decoding.templates import Shape, ranked_tree
from glasshouse.schema.errors import bad_value
from glasshouse.schema.events.base import Lazy
from glasshouse.schema.guarantee import Guarantee
from glasshouse.schema.knob import Knob
from glasshouse.schema.paper import Paper
from glasshouse.schema.view import Preset, View

UNKNOWN = -1


@dataclass
class _Matrix:
    """What was recycled so far. ``successors`` int32 [V + 1, k]: the k likeliest tokens after each token when it was last scored.

    -1 is "not known", and row -1 (the last) stays unknown, so that what follows the unknown is unknown without a test. ``changed``
    int32 [V + 1, k] is the round that last changed an entry; ``newest`` int32 [V + 1] that of a row, -1 for none; ``rounds`` counts them.
    """

    successors: np.ndarray
    changed: np.ndarray
    newest: np.ndarray
    rounds: int = 0


@dataclass(frozen=True)
class TokenRecycling:
    """Guesses from an adjacency matrix of tokens that the target itself once ranked high; nothing is trained.

    M [V, k] holds for every token the k likeliest successors at the time it was last scored. Each round (section 3): a fixed
    template is filled breadth-first, a node of rank r below token x becoming M[x, r]; the target scores the whole tree;
    the accepted path is committed; and *every* node, accepted or not, writes the k best ids of its logits to the row of its
    token. M lives on over texts when it is passed on as ``state``.

    The default tree is smaller than the paper's: the 16 most promising nodes, by weights of ours, of the published template, which a budget
    of 80 is node for node. A table of old guesses knows no more of a larger tree: on bundled texts tokens a forward hardly rise with it, and a
    forward gets dearer. Ours, too: of equal
    tokens the deeper node writes last, the accepted path after all. Entries start unknown and are left out, where the paper
    starts at zero and has token 0 guessed: same text, smaller forwards. Above temperature 0, verification by V4. The prompt's own
    logits are not recycled. Memory: 8 k V bytes.
    """

    k: Annotated[int, Ge(1), Le(8), Knob(cost="job", group="how it drafts", label="successors kept",
                                         help="columns of the matrix; the paper keeps 8")] = 8
    budget: Annotated[int, Ge(1), Le(80), Knob(cost="job", group="how it drafts", unit="nodes", label="tree size",
                                               help="guesses a round: the most promising nodes of the template; the paper uses 80")] = 16
    update: Annotated[Literal["all", "accepted"], Knob(cost="job", group="how it drafts", label="recycle",
                                                       help="write back every scored node, or only the accepted path")] = "all"

    paper: ClassVar[Paper] = Paper("Turning Trash into Treasure: Accelerating Inference of Large Language Models with Token Recycling",
                                   "Luo, Wang, Zhu, Zhang, Zhang, Yang, Xu", 2024, arxiv="2408.08696", where="Section 3")
    guarantee: ClassVar[Guarantee] = Guarantee(
        "lossless", "The text has the target's own law; greedy text is identical.",
        assumptions=("V4 follows one sample of the target through a tree that is fixed before the sample is drawn",), scope="every text")
    views: ClassVar[tuple[View, ...]] = (
        View("matrix", "Rows of M under this tree", x="rank", y="row_token", z="age", text="entry_token", x_label="rank",
             y_label="after token", note="Rounds since an entry changed. Blank: not known yet."),
        View("matrix", "All of M, one cell a row", z="all_ages", x_label="tokens of the vocabulary, folded",
             note="Rounds since a row changed; a large vocabulary shares cells. Blank: never scored."),
        View("line", "Tokens per target forward", x="round_past", y="tokens_past", series=("of the round", "mean so far"),
             x_label="round", y_label="tokens"))
    presets: ClassVar[tuple[Preset, ...]] = (
        Preset("Cold start", "The matrix is empty at first. After how many rounds does it start to pay?", {"budget": 16, "update": "all"}),
        Preset("Only what was accepted", "Rejected guesses were scored as well. How much is lost when their rows are thrown away?",
               {"update": "accepted"}),
        Preset("The paper's tree", "80 guesses a round: more tokens a forward, but are they worth the wider forward on this machine?",
               {"budget": 80, "k": 8}))
    rule: ClassVar[Rule] = "V4"
    needs_draft: ClassVar[bool] = False

    def init(self, vocab_size: int) -> _Matrix:
        """An empty matrix."""
        size = vocab_size + 1
        return _Matrix(np.full((size, self.k), UNKNOWN, np.int32), np.zeros((size, self.k), np.int32), np.full(size, UNKNOWN, np.int32))

    def propose(self, state: _Matrix, context: Context) -> Proposal:
        """The template filled from M, without what is unknown. Raises BadValue for a ``state`` of other knobs or another vocabulary."""
        allowed = (context.vocab_size + 1, self.k)
        if state.successors.shape != allowed:
            raise bad_value("state", state.successors.shape, f"a matrix of shape {allowed}: same vocabulary, same k")
        shape = ranked_tree(self.budget, self.k).within(context.room - 1)
        token = np.empty(shape.size, np.int64)
        token[0] = context.tokens[-1]
        for level in shape.levels:
            token[level] = state.successors[token[shape.parent[level]], shape.rank[level]]
        tree = _known(token, shape, context.vocab_size)
        return Proposal(tree, lambda: _extra(state, tree.token))

    def absorb(self, state: _Matrix, tree: TokenTree, outcome: Outcome, logits: Any) -> _Matrix:
        """M[token] <- the k best ids, for all nodes or the accepted path. ``logits`` float [n, V]."""
        state.rounds += 1
        scored, path = torch.as_tensor(logits), list(outcome.path)
        width = min(self.k, scored.shape[-1])
        order = path if self.update == "accepted" else [*range(tree.size), *path]
        token, best = tree.token[order], scored.topk(width, -1).indices.cpu().numpy()[order]
        before = state.successors[token, :width]
        state.successors[token, :width] = best              # a token that stands twice: the assignment keeps the last
        moved = state.successors[token, :width] != before
        state.changed[token, :width] = np.where(moved, state.rounds, state.changed[token, :width])
        state.newest[token[moved.any(1)]] = state.rounds
        return state


def _known(token: np.ndarray, shape: Shape, vocab_size: int) -> TokenTree:
    """The tree of the nodes whose token is known; below an unknown one all are."""
    parent, rank = shape.parent.copy(), shape.rank.copy()       # shapes are shared, trees are not
    known = token != UNKNOWN
    if not known.all():
        number = np.cumsum(known) - 1
        token, rank = token[known], rank[known]
        parent = np.where(parent[known] < 0, -1, number[parent[known]])
    n = len(token)
    return TokenTree(token=token, parent=parent, rank=rank, q_index=np.full(n, -1), q=np.zeros((0, vocab_size)),
                     source=np.zeros(n, np.int64), sources=("matrix",))


def _extra(state: _Matrix, token: np.ndarray) -> Mapping[str, Any]:
    """Copies of what M holds at the tree's tokens, and of its rows' ages: M itself goes on changing."""
    rows = np.asarray(list(dict.fromkeys(token.tolist())))
    entries, changed, newest, now = state.successors[rows], state.changed[rows], _folded(state.newest[:-1]), state.rounds
    return Lazy(lambda: {"rank": np.arange(1, entries.shape[1] + 1), "row_token": rows, "entry_token": entries,
                         "age": np.where(entries == UNKNOWN, np.nan, now - changed),
                         "all_ages": np.where(newest == UNKNOWN, np.nan, now - newest)})


def _folded(newest: np.ndarray) -> np.ndarray:
    """[V] as a near-square of at most 64 x 64 cells, each the newest of its tokens; what fills it up is unknown."""
    side = min(int(np.ceil(np.sqrt(len(newest)))), 64)
    share = -(-len(newest) // side**2)
    cells = np.full(side**2 * share, UNKNOWN, np.int32)
    cells[:len(newest)] = newest
    return np.asarray(cells.reshape(side, side, share).max(axis=2))
