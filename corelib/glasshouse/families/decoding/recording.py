"""A round as an event: what was drafted, what the target said, what was decided. Pure reading; the loop does not depend on it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from glasshouse.families.decoding.interface import Outcome, Setting, TokenTree
from glasshouse.families.decoding.sampling import distribution
from glasshouse.schema.events.decoding import NodeState, Round, TopRows

Keep = Literal["none", "top", "full"]
"""How much of a round is recorded: its scalars, path and text; each distribution's 16 largest entries; or all of them."""

TOP = 16
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
             extra: Mapping[str, Any], keep: Keep) -> Round:
    """``logits`` float [n, V]. At temperature 0, where the law is a point mass, p and q are shown at temperature 1."""
    tokens = len(outcome.committed)
    scalars: dict[str, Any] = vars(measured) | {
        "committed": outcome.committed, "path": outcome.path, "final": outcome.final, "final_node": outcome.final_node,
        "final_kind": outcome.final_kind, "nodes": tree.size, "accepted": min(tokens, len(outcome.path) - 1), "tokens": tokens,
        "sources": tree.sources, "extra": worded(extra, setting.piece or str)}
    if keep == "none":
        return Round(**scalars, **_EMPTY)
    return Round(**scalars, **_arrays(tree, logits, outcome, setting, measured.rule, keep))


def worded(extra: Mapping[str, Any], piece: Callable[[int], str]) -> Mapping[str, Any]:
    """Extras whose name ends in ``_token`` hold ids [n] or [n, k]: an event carries the tokens' texts, a dash for the id -1."""
    def words(ids: Any) -> Any:
        return [words(i) for i in ids] if isinstance(ids, list) else piece(ids) if ids >= 0 else "–"

    return {key: words(np.asarray(value).tolist()) if key.endswith("_token") else value for key, value in extra.items()}


_EMPTY: dict[str, Any] = {
    **dict.fromkeys(("token", "parent", "depth", "rank", "source", "state"), _NO_INT),
    **dict.fromkeys(("q_token", "p_token", "accept", "u"), _NO_FLOAT), **dict.fromkeys(("p", "q", "residual"), _NO_ROWS)}


def _arrays(tree: TokenTree, logits: np.ndarray, outcome: Outcome, setting: Setting, rule: str, keep: Keep) -> dict[str, Any]:
    p = distribution(logits, setting.sampling)
    rows = {"p": top_rows(p, np.arange(tree.size), tree.size, keep),
            "q": _draft_rows(tree, keep),
            "residual": _residual_rows(tree, p, outcome, rule, keep)}
    accept, u, state = _decisions(tree, outcome)
    ids = {*tree.token.tolist(), *outcome.committed, outcome.final}
    for row in rows.values():
        ids.update(row.ids.ravel().tolist())
    ids.discard(-1)
    piece = setting.piece or str
    return {"token": tree.token, "parent": tree.parent, "depth": tree.depth, "rank": tree.rank, "source": tree.source,
            "p_token": _at_parent(tree, p), "q_token": _drawn_from(tree), "accept": accept, "u": u, "state": state, **rows,
            "pieces": {i: piece(i) for i in sorted(ids)}, "text": tuple(piece(i) for i in outcome.committed)}


def _at_parent(tree: TokenTree, p: np.ndarray) -> np.ndarray:
    value: np.ndarray = p[tree.parent, tree.token]
    value[0] = np.nan
    return value


def _drawn_from(tree: TokenTree) -> np.ndarray:
    value = np.full(tree.size, np.nan)
    drawn = tree.q_index >= 0
    value[drawn] = tree.q[tree.q_index[drawn], tree.token[drawn]]
    return value


def _decisions(tree: TokenTree, outcome: Outcome) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """(accept, u, state), each [n]. What lies behind the end of the text counts as untested."""
    accept, u = np.full(tree.size, np.nan), np.full(tree.size, np.nan)
    state = np.full(tree.size, int(NodeState.UNTESTED))
    for node, (a, x, passed) in outcome.tested.items():
        if tree.depth[node] <= len(outcome.committed):
            accept[node], u[node] = a, x
            state[node] = NodeState.ACCEPTED if passed else NodeState.REJECTED
    state[list(outcome.path)] = NodeState.ACCEPTED         # also where an equal sibling was tested in a node's place
    state[0] = NodeState.ROOT
    return accept, u, state


def _draft_rows(tree: TokenTree, keep: Keep) -> TopRows:
    """q at a node is the row its first child was drawn from."""
    row_of = {int(tree.parent[c]): int(tree.q_index[c]) for c in range(tree.size - 1, 0, -1) if tree.q_index[c] >= 0}
    nodes = np.asarray(sorted(row_of), np.int64)
    return top_rows(tree.q[[row_of[n] for n in nodes.tolist()]], nodes, tree.size, keep)


def _residual_rows(tree: TokenTree, p: np.ndarray, outcome: Outcome, rule: str, keep: Keep) -> TopRows:
    left = dict(outcome.residual)
    if rule == "V4" and outcome.final_kind == "correction":
        row = p[outcome.final_node].copy()
        row[[tree.token[n] for n in outcome.tested if tree.depth[n] == tree.depth[outcome.final_node] + 1]] = 0.0
        left[outcome.final_node] = row / row.sum()
    nodes = np.asarray([n for n in sorted(left) if tree.depth[n] < len(outcome.committed)], np.int64)   # not behind the end of the text
    return top_rows(np.asarray([left[n] for n in nodes.tolist()]).reshape(len(nodes), p.shape[1]), nodes, tree.size, keep)


def top_rows(law: np.ndarray, nodes: np.ndarray, size: int, keep: Keep) -> TopRows:
    """``law`` float64 [m, V], row j being the distribution at ``nodes[j]`` of a tree of ``size`` nodes."""
    k = min(TOP, law.shape[1])
    best = np.argpartition(-law, k - 1, axis=1)[:, :k] if k < law.shape[1] else np.tile(np.arange(k), (len(law), 1))
    mass = np.take_along_axis(law, best, 1)
    order = np.argsort(-mass, axis=1, kind="stable")
    ids, masses, rest = np.full((size, k), -1), np.full((size, k), np.nan), np.full(size, np.nan)
    ids[nodes], masses[nodes] = np.take_along_axis(best, order, 1), np.take_along_axis(mass, order, 1)
    rest[nodes] = np.maximum(law.sum(1) - mass.sum(1), 0.0)
    full = None
    if keep == "full":
        full = np.full((size, law.shape[1]), np.nan)
        full[nodes] = law
    return TopRows(ids=ids, mass=masses, rest=rest, full=full)
