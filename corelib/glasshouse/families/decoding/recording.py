"""A round as an event: what was drafted, what the target said, what was decided. Pure reading; the loop does not depend on it.

Of every distribution only the largest entries are kept. What is text or can be computed from what is kept waits until it is read.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Literal

import numpy as np
import torch

from glasshouse.families.decoding.interface import Outcome, Sampling, Setting, TokenTree
from glasshouse.families.decoding.sampling import COLDEST, distribution, nucleus
from glasshouse.schema.events.base import Lazy
from glasshouse.schema.events.decoding import NodeState, Round, TopRows

Keep = Literal["none", "top", "full"]
"""How much of a round is recorded: its scalars, path and text; each distribution's 16 largest entries; or all of them."""

TOP = 16
_DECIDED = {True: int(NodeState.ACCEPTED), False: int(NodeState.REJECTED)}
_NO_INT, _NO_FLOAT = np.zeros(0, np.int64), np.zeros(0)
_NO_ROWS = TopRows(ids=np.zeros((0, 0), np.int64), mass=np.zeros((0, 0)), rest=_NO_FLOAT)


@dataclass(frozen=True)
class Measured:
    """The scalars of a round that only the loop knows. ``position`` is the number of tokens committed before it."""

    round: int
    position: int
    rule: str
    draft_calls: int
    target_seconds: float
    draft_seconds: float
    seconds: float


def recorded(tree: TokenTree, logits: np.ndarray, outcome: Outcome, setting: Setting, measured: Measured,
             extras: Sequence[Mapping[str, Any]], keep: Keep) -> Round:
    """``logits`` float [n, V]. At temperature 0, where the law is a point mass, p and q are shown at temperature 1."""
    tokens, piece = len(outcome.committed), setting.piece or str
    scalars: dict[str, Any] = vars(measured) | {
        "committed": outcome.committed, "path": outcome.path, "final": outcome.final, "final_node": outcome.final_node,
        "final_kind": outcome.final_kind, "nodes": tree.size, "accepted": min(tokens, len(outcome.path) - 1), "tokens": tokens,
        "sources": tree.sources}
    if keep == "none":
        return Round(**scalars, **_EMPTY)
    return Round(**scalars, **_arrays(tree, logits, outcome, setting.sampling, measured.rule, keep, piece),
                 extra=Lazy(lambda: worded(extras, piece)), text=tuple(map(piece, outcome.committed)))


def worded(extras: Iterable[Mapping[str, Any]], piece: Callable[[int], str]) -> Mapping[str, Any]:
    """All extras in one. Those whose name ends in ``_token`` hold ids [n] or [n, k]: what is read are the tokens' texts, a dash for -1."""
    def words(ids: Any) -> Any:
        return [words(i) for i in ids] if isinstance(ids, list) else piece(ids) if ids >= 0 else "–"

    return {key: words(np.asarray(value).tolist()) if key.endswith("_token") else value for part in extras for key, value in part.items()}


_EMPTY: dict[str, Any] = {
    **dict.fromkeys(("token", "parent", "depth", "rank", "source", "state"), _NO_INT),
    **dict.fromkeys(("q_token", "p_token", "accept", "u"), _NO_FLOAT), **dict.fromkeys(("p", "q", "residual"), _NO_ROWS)}


def _arrays(tree: TokenTree, logits: np.ndarray, outcome: Outcome, sampling: Sampling, rule: str, keep: Keep,
            piece: Callable[[int], str]) -> dict[str, Any]:
    nodes = np.arange(tree.size) if keep == "full" else _decided(tree, outcome)
    p = distribution(logits, sampling) if keep == "full" else _law(logits, nodes, outcome, sampling)
    rows = {"p": top_rows(p, nodes, tree.size, keep), "q": _draft_rows(tree, keep),
            "residual": _residual_rows(tree, p[nodes.searchsorted(outcome.final_node)], outcome, rule, keep)}
    accept, u, state = _decisions(tree, outcome)
    token, last = tree.token, (*outcome.committed, outcome.final)
    return {"token": token, "parent": tree.parent, "depth": tree.depth, "rank": tree.rank, "source": tree.source,
            "p_token": _at_parent(tree, p, nodes), "q_token": _drawn_from(tree), "accept": accept, "u": u, "state": state, **rows,
            "pieces": Lazy(lambda: _pieces([token, last, *(row.ids for row in rows.values())], piece))}


def _decided(tree: TokenTree, outcome: Outcome) -> np.ndarray:
    """The nodes where something was, or could have been, decided: those with children and those on the way; int64, ascending."""
    marked = np.zeros(tree.size, bool)
    marked[tree.parent[1:]] = True
    marked[[*outcome.path, outcome.final_node]] = True
    return marked.nonzero()[0]


@lru_cache(maxsize=512)
def _blank(*shape: int) -> np.ndarray:
    """NaN: nothing is known there. Not to be written to, since most rounds share it."""
    value = np.full(shape, np.nan)
    value.setflags(write=False)
    return value


@lru_cache(maxsize=256)
def _no_rows(size: int, k: int) -> TopRows:
    """Of a tree of ``size`` nodes, none of which has a distribution."""
    ids = np.full((size, k), -1)
    ids.setflags(write=False)
    return TopRows(ids=ids, mass=_blank(size, k), rest=_blank(size))


def _at_parent(tree: TokenTree, p: np.ndarray, nodes: np.ndarray) -> np.ndarray:
    if tree.size == 1:
        return _blank(1)
    value = np.full(tree.size, np.nan)
    value[1:] = p[nodes.searchsorted(tree.parent[1:]), tree.token[1:]]
    return value


def _law(logits: np.ndarray, nodes: np.ndarray, outcome: Outcome, sampling: Sampling) -> np.ndarray:
    """The processed law at these nodes as the logits' own precision gives it, float [m, V]: to be shown, not to be drawn from."""
    if len(outcome.law) == len(nodes):                      # every one of them was visited
        rows = [outcome.law[node] for node in nodes.tolist()]
        return np.stack(rows) if len(rows) > 1 else rows[0][None]
    given = torch.from_numpy(logits[nodes])
    if sampling.temperature not in (0.0, 1.0):
        given -= given.amax(-1, keepdim=True)
        given /= max(sampling.temperature, COLDEST)
    return _within(given.softmax(-1).numpy(), sampling.top_p)


def _within(p: np.ndarray, top_p: float) -> np.ndarray:
    """:func:`nucleus`, without sorting the rows whose largest entries already hold ``top_p``."""
    if top_p >= 1.0 or p.shape[1] <= TOP:
        return nucleus(p, top_p)
    mass, ids = (found.numpy() for found in torch.from_numpy(p).topk(TOP, -1))
    before = mass.cumsum(-1) - mass
    kept = np.zeros_like(p)
    np.put_along_axis(kept, ids, np.where(before < top_p, mass, 0.0), -1)
    kept /= kept.sum(-1, keepdims=True)
    wide = np.flatnonzero(before[:, -1] < top_p)
    kept[wide] = nucleus(p[wide], top_p)
    return kept


def _pieces(ids: Sequence[Any], piece: Callable[[int], str]) -> Mapping[int, str]:
    return {i: piece(i) for i in np.unique(np.concatenate([np.ravel(part) for part in ids])).tolist() if i >= 0}


def _drawn_from(tree: TokenTree) -> np.ndarray:
    drawn = tree.q_index >= 0
    if not drawn.any():
        return _blank(tree.size)
    value = np.full(tree.size, np.nan)
    value[drawn] = tree.q[tree.q_index[drawn], tree.token[drawn]]
    return value


def _decisions(tree: TokenTree, outcome: Outcome) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """(accept, u, state), each [n]. What lies behind the end of the text counts as untested."""
    accept, u = np.full((2, tree.size), np.nan) if outcome.tested else (_blank(tree.size), _blank(tree.size))
    state = np.full(tree.size, int(NodeState.UNTESTED))
    end, depth = len(outcome.committed), tree.depth
    for node, (a, x, passed) in outcome.tested.items():
        if depth[node] <= end:
            accept[node], u[node] = a, x
            state[node] = _DECIDED[passed]
    state[list(outcome.path)] = NodeState.ACCEPTED         # also where an equal sibling was tested in a node's place
    state[0] = NodeState.ROOT
    return accept, u, state


def _draft_rows(tree: TokenTree, keep: Keep) -> TopRows:
    """q at a node is the row its first child was drawn from."""
    row_of = {p: q for p, q in zip(tree.parent[:0:-1].tolist(), tree.q_index[:0:-1].tolist(), strict=True) if q >= 0}
    nodes = sorted(row_of)
    rows = [row_of[n] for n in nodes]
    return top_rows(tree.q if rows == list(range(len(tree.q))) else tree.q[rows], np.asarray(nodes, np.int64), tree.size, keep)


def _residual_rows(tree: TokenTree, p: np.ndarray, outcome: Outcome, rule: str, keep: Keep) -> TopRows:
    """``p`` float [V], at the final node."""
    left = dict(outcome.residual)
    if rule == "V4" and outcome.final_kind == "correction":
        row, below = p.astype(np.float64), tree.depth[outcome.final_node] + 1
        row[[tree.token[n] for n in outcome.tested if tree.depth[n] == below]] = 0.0
        left[outcome.final_node] = row / max(row.sum(), np.finfo(np.float64).tiny)
    nodes = [n for n in sorted(left) if tree.depth[n] < len(outcome.committed)]             # not behind the end of the text
    return top_rows(np.stack([left[n] for n in nodes]) if nodes else p[None, :][:0], np.asarray(nodes, np.int64), tree.size, keep)


def top_rows(law: np.ndarray, nodes: np.ndarray, size: int, keep: Keep) -> TopRows:
    """``law`` float [m, V], row j being the distribution at ``nodes[j]`` of a tree of ``size`` nodes."""
    k = min(TOP, law.shape[1])
    if not len(law) and keep != "full":
        return _no_rows(size, k)
    best = torch.from_numpy(law).topk(k, -1)
    found, held = best.indices.numpy(), best.values.numpy().astype(np.float64)
    left = np.maximum(1.0 - held.sum(1), 0.0)
    if len(law) == size:                                    # at every node, in order
        ids, mass, rest = found, held, left
    else:
        ids, mass, rest = np.full((size, k), -1), np.full((size, k), np.nan), np.full(size, np.nan)
        ids[nodes], mass[nodes], rest[nodes] = found, held, left
    full = None
    if keep == "full":
        full = np.full((size, law.shape[1]), np.nan)
        full[nodes] = law
    return TopRows(ids=ids, mass=mass, rest=rest, full=full)
