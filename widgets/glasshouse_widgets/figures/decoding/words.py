"""What a figure says about a node, in words."""

from __future__ import annotations

from collections.abc import Set
from dataclasses import dataclass

from glasshouse.schema.events.decoding import NodeState, Round
from glasshouse_widgets.figures.palette import ACCEPTED, FINAL, GREY, REJECTED, UNTESTED, Mark
from glasshouse_widgets.figures.tokens import cut, escaped, visible

ROOT = Mark(GREY, "square", "■", "the last committed token")
TWIN = Mark(ACCEPTED.color, "circle-open", "◯", "equal to the accepted guess")
END = Mark(GREY, "square-open", "□", "the text ends here")
MARKS = {NodeState.ROOT: ROOT, NodeState.ACCEPTED: ACCEPTED, NodeState.REJECTED: REJECTED, NodeState.UNTESTED: UNTESTED}


@dataclass(frozen=True)
class Columns:
    """A round's arrays as plain lists: reading single numbers from them is what drawing does most."""

    token: list[int]
    parent: list[int]
    rank: list[int]
    depth: list[int]
    source: list[int]
    state: list[int]
    q: list[float]
    p: list[float]
    accept: list[float]
    u: list[float]

    @classmethod
    def of(cls, event: Round) -> Columns:
        return cls(*(a.tolist() for a in (event.token, event.parent, event.rank, event.depth, event.source, event.state,
                                          event.q_token, event.p_token, event.accept, event.u)))


def piece(event: Round, token: int) -> str:
    """The display text of a token id, blanks visible, unescaped."""
    return visible(event.pieces[token]) if token in event.pieces else f"#{token}"


def ended(event: Round) -> bool:
    """Whether the text ended inside this round: then fewer tokens than verified were committed, and the target added none."""
    return event.tokens < len(event.path)


def walked(event: Round) -> tuple[int, ...]:
    """The nodes of the path that became text, the root first."""
    return event.path[:event.tokens + 1]


def twins(event: Round, columns: Columns) -> set[int]:
    """Untested nodes that say the same as an accepted one: independent drafts may agree, and then go on together."""
    walk = walked(event)
    same: set[int] = set()
    for i in range(1, len(columns.token)):
        depth = columns.depth[i]
        if columns.state[i] != NodeState.UNTESTED or depth >= len(walk):
            continue
        if columns.token[i] == columns.token[walk[depth]] and (columns.parent[i] == walk[depth - 1] or columns.parent[i] in same):
            same.add(i)
    return same


def number(value: float) -> str:
    """A probability in a fixed form; a dash where there is none."""
    return "–" if value != value else ("<0.001" if 0 < value < 0.001 else f"{value:.3f}")


def decision(event: Round, columns: Columns, node: int, same: Set[int] = frozenset()) -> str:
    """What happened to a node and why, in one line. ``same``: its :func:`twins`."""
    state, u, accept = NodeState(columns.state[node]), columns.u[node], columns.accept[node]
    passed = state == NodeState.ACCEPTED
    if state == NodeState.ROOT:
        return "the last committed token: every guess follows it"
    if state == NodeState.UNTESTED:
        if node in same:
            return "equal to the accepted guess: the text goes on in both"
        met = columns.parent[node] in walked(event)[:-1]
        return "not tested: a sibling was accepted first" if met else "not tested: the text did not come this way"
    if event.rule == "V0":
        return "accepted: the target's most likely token" if passed else "rejected: the target prefers another token"
    if event.rule in ("V4", "coupled"):
        return "accepted: the target itself drew it" if passed else "rejected: the target drew another token"
    return f"{'accepted' if passed else 'rejected'}: u = {number(u)} {'<' if passed else '≥'} {number(accept)}"


def hover(event: Round, columns: Columns, node: int, same: Set[int] = frozenset()) -> str:
    """The label of a node when pointed at: token, p, q, u, acceptance probability, decision; escaped."""
    head = f"<b>{escaped(cut(piece(event, columns.token[node]), 40))}</b>"
    glyph = (TWIN if node in same else MARKS[NodeState(columns.state[node])]).glyph
    last = f"{glyph} {escaped(decision(event, columns, node, same))}"
    if node == 0:
        return f"{head}<br>{last}"
    source = event.sources[columns.source[node]] if event.sources else "draft"
    numbers = (f"target p {number(columns.p[node])}   draft q {number(columns.q[node])}<br>"
               f"accept with {number(columns.accept[node])}   drawn u {number(columns.u[node])}")
    place = f"guess {columns.rank[node] + 1} here, {columns.depth[node]} ahead, from {escaped(source)}"
    return f"{head}<br>{numbers}<br>{last}<br>{place}"


def final_hover(event: Round) -> str:
    """The label of the star, or of the text's end."""
    if ended(event):
        return f"{END.glyph} {END.word}"
    at = event.final_node
    ids = event.p.ids[at].tolist() if len(event.p.ids) else []
    p = float(event.p.mass[at][ids.index(event.final)]) if event.final in ids else float("nan")
    why = ("no guess here passed, so the target speaks itself" if event.final_kind == "correction"
           else "every guess on the way passed, so the target adds one more for free")
    return (f"<b>{escaped(cut(piece(event, event.final), 40))}</b><br>target p {number(p)}<br>"
            f"{FINAL.glyph} {event.final_kind}: {why}")


def headline(event: Round, index: int, rounds: int) -> tuple[str, str]:
    """The round in two halves of one line: what was guessed, and what one target forward bought."""
    guesses, tokens = event.nodes - 1, event.tokens
    head = f"Round {index + 1} of {rounds}: "
    bought = f"<b>{tokens} token{'' if tokens == 1 else 's'}</b> in one target forward"
    if guesses <= 0:
        return f"{head}nothing drafted,", bought
    drafted = f"{head}{guesses} guess{'' if guesses == 1 else 'es'}, <b>{event.accepted} accepted</b>"
    return (f"{drafted},", "then the text ends") if ended(event) else (drafted, f"+ 1 by the target = {bought}")
