"""Rounds made by hand: a random tree over a small vocabulary, walked by the point-mass rule, with all records filled."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from glasshouse.schema.events.decoding import NodeLook, NodeState, Round, TopRows

WORDS = ("self", ".", " return", "\n", "(", ")", " x", " None", "        ", " if", " len", "items", "[", "]", " for", ":",
         " in", " range", "def", " =", "<script>", "&amp;", "$x$", "value", "_name", " is", " not", ",", " key", "0", "1", '"""')


def _rows(table: np.ndarray, here: np.ndarray) -> TopRows:
    order = np.argsort(-table, axis=1)[:, :16]
    mass = np.take_along_axis(table, order, 1)
    return TopRows(ids=np.where(here[:, None], order, -1), mass=np.where(here[:, None], mass, np.nan),
                   rest=np.where(here, 1 - mass.sum(1), np.nan))


def build(n: int = 24, seed: int = 0, index: int = 0, sampled: bool = True, chain: bool = False, with_q: bool = True) -> Round:
    """A tree of ``n`` nodes, root included."""
    rng = np.random.default_rng(seed)
    V = len(WORDS)
    p = rng.dirichlet(np.full(V, 0.12), n)
    q = 0.6 * p + 0.4 * rng.dirichlet(np.full(V, 0.2), n)
    token, parent, rank = [int(rng.integers(V))], [-1], [0]
    free = [[*np.argsort(-q[0])]]
    logq = [0.0]
    for i in range(1, n):
        options = [(logq[j] + np.log(q[j, free[j][0]]), j) for j in range(i) if free[j]]
        at = i - 1 if chain else max(options)[1]
        taken = int(free[at].pop(0))
        rank.append(sum(1 for b in parent if b == at))
        parent.append(at)
        token.append(taken)
        logq.append(logq[at] + float(np.log(q[at, taken])))
        free.append([*np.argsort(-q[i])])
    state = np.full(n, NodeState.UNTESTED)
    accept, u = np.full(n, np.nan), np.full(n, np.nan)
    state[0] = NodeState.ROOT
    path, residual, has = [0], p.copy(), np.zeros(n, bool)
    while True:
        here = path[-1]
        kids = [i for i in range(1, n) if parent[i] == here]
        for i in kids:
            accept[i] = residual[here, token[i]] if sampled else float(np.argmax(p[here]) == token[i])
            u[i] = rng.random() if sampled else np.nan
            good = (u[i] <= accept[i]) if sampled else accept[i] == 1
            state[i] = NodeState.ACCEPTED if good else NodeState.REJECTED
            if good:
                path.append(i)
                break
            residual[here, token[i]] = 0
            residual[here] /= residual[here].sum()
        if path[-1] == here:
            has[here] = bool(kids)
            break
    final = int(np.argmax(residual[here]))
    committed = (*[token[i] for i in path[1:]], final)
    depth = [0] * n
    for i in range(1, n):
        depth[i] = depth[parent[i]] + 1
    return Round(
        round=index, position=40 + 3 * index, rule="V4", committed=committed, path=tuple(path), final=final, final_node=here,
        final_kind="correction" if has[here] else "bonus", nodes=n, accepted=len(path) - 1, tokens=len(path), draft_calls=max(depth),
        target_seconds=0.012, draft_seconds=0.004, seconds=0.018, token=np.array(token), parent=np.array(parent),
        depth=np.array(depth), rank=np.array(rank), source=np.zeros(n, np.int64), sources=("draft",),
        q_token=np.array([np.nan, *(q[parent[i], token[i]] for i in range(1, n))]) if with_q else np.full(n, np.nan),
        p_token=np.array([np.nan, *(p[parent[i], token[i]] for i in range(1, n))]), accept=accept, u=u, state=state,
        p=_rows(p, np.ones(n, bool)), q=_rows(q, np.ones(n, bool)), residual=_rows(residual, has),
        pieces=dict(enumerate(WORDS)), text=tuple(WORDS[t] for t in committed))


def look_at(event: Round, node: int = -1, rounds: int = 31, sentence: str = "") -> NodeLook:
    """The look at a node, its bars at its parent; -1: where the decision fell. The first ten tokens by p."""
    at = int(event.parent[node]) if node > 0 else max(node, 0) if node == 0 else event.final_node
    node = event.final_node if node < 0 else node
    ids = event.p.ids[at][:10]

    def of(table: TopRows) -> np.ndarray:
        pairs = dict(zip(table.ids[at].tolist(), table.mass[at].tolist(), strict=True))
        return np.array([pairs.get(int(i), np.nan) for i in ids])

    return NodeLook(round=event, node=node, at=at, index=event.round, rounds=rounds, labels=tuple(WORDS[int(i)] for i in ids),
                    p=of(event.p), q=of(event.q), residual=of(event.residual),
                    sentence=sentence or "Rejected because u = 0.831 >= p/q = 0.104 / 0.551 = 0.189.")


@pytest.fixture(scope="session")
def make_round() -> Callable[..., Round]:
    return build


@pytest.fixture(scope="session")
def make_look() -> Callable[..., NodeLook]:
    return look_at
