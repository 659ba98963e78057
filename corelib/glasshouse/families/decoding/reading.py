"""One node of one round, read for a person: its bars and the decision's arithmetic."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from glasshouse.families.decoding.interface import Look
from glasshouse.schema.errors import BadValue
from glasshouse.schema.events.base import Event, Lazy
from glasshouse.schema.events.decoding import NodeLook, NodeState, Prompt, Round, TopRows

BARS = 10


def node_look(events: Sequence[Event], look: Look) -> NodeLook:
    """A node that was guessed is shown at its parent, where it was decided; the root, and -1, show the node itself.

    ``events`` are a run's, its prompt included where the text is to be seen. Round and node are cut to what exists, so that looks survive
    a new text. Raises BadValue where nothing was recorded.
    """
    rounds = [event for event in events if isinstance(event, Round)]
    if not rounds:
        raise BadValue("round = -1 is not there yet: no round has been decoded", "round")
    index = len(rounds) - 1 if look.round < 0 else min(look.round, len(rounds) - 1)
    event = rounds[index]
    if event.token.size == 0:
        raise BadValue('node: the bars were not recorded, because keep = "none": use "top" or "full"', "node")
    decided = event.path[-2] if _ended(event) else event.final_node
    node = decided if look.node < 0 else min(look.node, event.nodes - 1)
    guessed = look.node >= 0 and node > 0
    at = int(event.parent[node]) if guessed else node
    labels, p, q, residual = _bars(event, at, [int(event.token[node])] if guessed else [])
    return NodeLook(round=event, node=node, at=at, index=index, rounds=len(rounds), labels=labels, p=p, q=q, residual=residual,
                    sentence=_guess(event, node, at) if guessed else _decision(event, node),
                    extra=whole_extra(next((e for e in events if isinstance(e, Prompt)), None), rounds, index))


def whole_extra(prompt: Prompt | None, rounds: Sequence[Round], index: int) -> Mapping[str, Any]:
    """The extras of a round, with what only the whole text can tell: see :class:`.interface.Proposal`.

    Of any method, too: ``round_past`` [r] and ``tokens_past`` [2, r], the tokens of each round before and their mean so far.
    """
    return Lazy(lambda: {key: value for name, given in rounds[index].extra.items()
                         for key, value in _unfolded(name, given, prompt, rounds[:index + 1]).items()} | _past(rounds[:index]))


def _unfolded(name: str, given: Any, prompt: Prompt | None, rounds: Sequence[Round]) -> dict[str, Any]:
    if name.endswith("_past"):
        return {name: np.asarray([event.extra[name] for event in rounds[:-1]])}
    if not name.endswith("_span"):
        return {name: given}
    text = [*(prompt.pieces if prompt else ()), *(piece for event in rounds[:-1] for piece in event.text)]
    first, mark = rounds[-1].position - len(text), np.zeros(len(text), np.int64)
    for start, stop, value in given.tolist():
        mark[max(start - first, 0):max(stop - first, 0)] = value
    return {"text": text, name.removesuffix("_span"): mark}


def _past(rounds: Sequence[Round]) -> dict[str, Any]:
    tokens = np.asarray([event.tokens for event in rounds], np.float64)
    number = np.arange(1, len(tokens) + 1)
    return {"round_past": number, "tokens_past": np.stack([tokens, tokens.cumsum() / number])}


def _ended(event: Round) -> bool:
    """Whether a guess ended the text, so that the target's own token was never written."""
    return len(event.committed) < len(event.path)


def _bars(event: Round, at: int, first: list[int]) -> tuple[tuple[str, ...], np.ndarray, np.ndarray, np.ndarray]:
    """The tokens that matter at a node, by falling p: what was guessed and emitted there, then the likeliest."""
    children = [int(c) for c in np.flatnonzero(event.parent == at)]
    p, q, left = (_masses(rows, at) for rows in (event.p, event.q, event.residual))
    p |= {int(event.token[c]): float(event.p_token[c]) for c in children}
    q |= {int(event.token[c]): float(event.q_token[c]) for c in children if not np.isnan(event.q_token[c])}
    emitted = [event.final] if at == event.final_node and not _ended(event) else []
    likely = [t for pair in zip(_ids(event.p, at), [*_ids(event.q, at), *_ids(event.p, at)], strict=False) for t in pair]
    ids = list(dict.fromkeys([*first, *emitted, *(int(event.token[c]) for c in children[:BARS // 2]), *likely]))[:BARS]
    ids.sort(key=lambda t: -p.get(t, 0.0))
    values = [np.asarray([row.get(t, np.nan) for t in ids]) for row in (p, q, left)]
    return tuple(event.pieces.get(t, str(t)) for t in ids), values[0], values[1], values[2]


def _ids(rows: TopRows, node: int) -> list[int]:
    return [int(t) for t in rows.ids[node] if t >= 0] if rows.ids.size else []


def _masses(rows: TopRows, node: int) -> dict[int, float]:
    return {t: float(m) for t, m in zip(_ids(rows, node), rows.mass[node], strict=False)} if rows.ids.size else {}


def _shown(event: Round, token: int) -> str:
    return repr(event.pieces.get(token, str(token)))


def _chosen(event: Round, at: int) -> int | None:
    """The token that followed a node of the path; None off the path, and where the text ended."""
    place = event.path.index(at) if at in event.path else len(event.committed)
    return event.committed[place] if place < len(event.committed) else None


def _guess(event: Round, node: int, at: int) -> str:
    state = NodeState(int(event.state[node]))
    if state == NodeState.UNTESTED:
        return "Never tested: " + ("the text ended before it." if at == event.path[-1] else
                                   "a guess before it was accepted." if at in event.path else "the node above it was not kept.")
    x, u, passed = _shown(event, int(event.token[node])), float(event.u[node]), state == NodeState.ACCEPTED
    chosen = _chosen(event, at)
    y = "another token" if chosen is None else _shown(event, chosen)
    verdict = "Accepted" if passed else "Rejected"
    if event.rule in ("V0", "coupled", "V4"):
        how = {"V0": "the target's most likely token", "coupled": "the target's draw with this position's noise",
               "V4": f"one sample from p (u = {u:.3g})"}[event.rule]
        return f"{verdict}: {how} is {x}, p = {event.p_token[node]:.3g}." if passed else f"{verdict}: {how} is {y}, not {x}."
    return f"{verdict} because u = {u:.3g} {'<' if passed else '>='} {_ratio(event, node, at)}."


def _ratio(event: Round, node: int, at: int) -> str:
    p, q, accept = float(event.p_token[node]), float(event.q_token[node]), float(event.accept[node])
    failed = sum(int(event.state[c]) == NodeState.REJECTED and event.rank[c] < event.rank[node] for c in np.flatnonzero(event.parent == at))
    if event.rule == "V5":
        return f"p / (rho q) = {p:.3g} / (rho x {q:.3g}) = {accept:.3g}" if accept < 1 else "1: p is at least rho q"
    if failed:
        return f"{accept:.3g}, from what {failed} rejected guess{'es' if failed > 1 else ''} left of p"
    return f"p/q = {p:.3g} / {q:.3g} = {accept:.3g}" if accept < 1 else f"1: p = {p:.3g} is at least q = {q:.3g}"


def _decision(event: Round, node: int) -> str:
    chosen = _chosen(event, node)
    if chosen is None:
        return ("The text ended with this token: nothing was decided here." if node == event.path[-1] else
                "This node was not kept: nothing was decided here.")
    y = _shown(event, chosen)
    if _ended(event) and node == event.path[-2]:
        return f"The guess {y} was accepted, and the text ended with it."
    if node != event.final_node:
        return f"The text went on with the guess {y}."
    guesses = int((event.parent == node).sum())
    if guesses == 0:
        return f"No guesses here: the target adds {y} itself."
    rejected = "The guess was" if guesses == 1 else f"All {guesses} guesses were"
    source = {"V0": "is the target's most likely token", "coupled": "is the target's draw with this position's noise",
              "V4": "is the target's sample"}.get(event.rule, "is drawn from what is left of p")
    return f"{rejected} rejected: {y} {source}."
