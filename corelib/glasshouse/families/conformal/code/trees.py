"""A Python statement as the tree of its syntax: which node owns which characters, and where two statements differ.

Nodes without text of their own (an expression that stands as a statement, say) are left out: their children hang from the node above.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from glasshouse.schema.errors import BadType, BadValue, bad_type, bad_value


@dataclass(frozen=True, eq=False)
class Tree:
    """Nodes in preorder, siblings in the order of the text.

    ``kind`` is each node's class of syntax ("Call", "Name"); ``parent`` int64 [N], -1 for the root; ``owner`` int64 [characters] the
    innermost node that spans a character, -1 outside; ``own`` the pieces of text a node owns, blanks cut off; ``span`` int64 [N, 2].
    """

    text: str
    kind: tuple[str, ...]
    parent: np.ndarray
    owner: np.ndarray
    own: tuple[tuple[str, ...], ...]
    span: np.ndarray

    def __len__(self) -> int:
        return len(self.kind)

    def children(self) -> list[list[int]]:
        """The children of every node, in order."""
        found: list[list[int]] = [[] for _ in self.kind]
        for v, p in enumerate(self.parent.tolist()):
            if p >= 0:
                found[p].append(v)
        return found


def parse(text: str) -> Tree:
    """The tree of one statement on one line.

    >>> tree = parse("x = f(1)")
    >>> list(zip(tree.kind, tree.own))
    [('Assign', ('=',)), ('Name', ('x',)), ('Call', ('(', ')')), ('Name', ('f',)), ('Constant', ('1',))]

    Raises: BadType for what is no text; BadValue for what is not one statement on one line.
    """
    if not isinstance(text, str):
        raise bad_type("text", text, "one Python statement on one line")
    try:
        body = ast.parse(text).body
    except (SyntaxError, ValueError):
        body = []
    if len(body) != 1 or "\n" in text.strip():
        raise bad_value("text", text, "one Python statement on one line")
    columns = np.cumsum([0, *(len(c.encode()) for c in text)])      # syntax trees count bytes
    found = list(_spanned(body[0].value if isinstance(body[0], ast.Expr) else body[0], -1))
    span = np.array([[n.col_offset, n.end_col_offset] for n, _ in found], np.int64)     # type: ignore[attr-defined]
    return _owned(text, [type(n).__name__ for n, _ in found], np.array([p for _, p in found], np.int64), np.searchsorted(columns, span))


def _spanned(root: ast.AST, above: int, start: int = 0) -> Iterator[tuple[ast.AST, int]]:
    """(node, number of its parent) in preorder; nodes without a place (operators, argument lists) pass their children on."""
    count = start
    stack = [(root, above)]
    while stack:
        node, parent = stack.pop()
        yield node, parent
        # inside of a formatted string, places mean different things in different versions of Python
        inner = [] if isinstance(node, ast.JoinedStr) else sorted(_placed(node), key=lambda n: n.col_offset)  # type: ignore[attr-defined]
        stack += [(child, count) for child in reversed(inner)]
        count += 1


def _placed(node: ast.AST) -> Iterator[ast.AST]:
    for child in ast.iter_child_nodes(node):
        if hasattr(child, "col_offset"):
            yield child
        else:
            yield from _placed(child)


def _owned(text: str, kind: list[str], parent: np.ndarray, span: np.ndarray) -> Tree:
    owner = np.full(len(text), -1, np.int64)
    for v, (start, end) in enumerate(span.tolist()):
        owner[start:end] = v                                        # parents come first: the innermost wins
    own = [_pieces(text, owner, v, *s) for v, s in enumerate(span.tolist())]
    number, nearest = -np.ones(len(kind), np.int64), np.full(len(kind), -1, np.int64)
    kept = [v for v in range(len(kind)) if own[v] or v == 0]
    number[kept] = np.arange(len(kept))
    for v, p in enumerate(parent.tolist()):
        nearest[v] = p if p < 0 or number[p] >= 0 else nearest[p]
    lifted = np.array([number[nearest[v]] if nearest[v] >= 0 else -1 for v in kept], np.int64)
    blank = number[owner]                                           # a left-out node has no text but blanks
    return Tree(text, tuple(kind[v] for v in kept), lifted, np.where(owner < 0, -1, blank), tuple(own[v] for v in kept), span[kept])


def _pieces(text: str, owner: np.ndarray, v: int, start: int, end: int) -> tuple[str, ...]:
    mine = "".join(c if owner[start + i] == v else "\n" for i, c in enumerate(text[start:end]))
    return tuple(piece.strip() for piece in mine.split("\n") if piece.strip())


def counterpart(tree: Tree, other: Tree) -> np.ndarray:
    """int64 [N]: the node of ``other`` at the same place, by the way down from the root; -1 where there is none.

    Siblings are matched by position, so that identical ones stay apart.
    """
    found = np.full(len(tree), -1, np.int64)
    found[0] = 0
    mine, its = tree.children(), other.children()
    for v in range(len(tree)):
        if found[v] >= 0:
            for place, child in enumerate(mine[v][:len(its[found[v]])]):
                found[child] = its[found[v]][place]
    return found


def wrong(guess: Tree, truth: Tree) -> np.ndarray:
    """bool [N]: the nodes of ``guess`` that ``truth`` does not have in the same place with the same text and as many children."""
    at, mine, its = counterpart(guess, truth), guess.children(), truth.children()
    return np.array([i < 0 or guess.kind[v] != truth.kind[i] or guess.own[v] != truth.own[i] or len(mine[v]) != len(its[i])
                     or _gaps(guess, v, mine[v]) != _gaps(truth, i, its[i]) for v, i in enumerate(at.tolist())])


def _gaps(tree: Tree, v: int, children: list[int]) -> tuple[bool, ...]:
    """Before, between and after its children: where a node has text of its own. ``[1:]`` and ``[:1]`` have the same text elsewhere."""
    spans = sorted(tuple(tree.span[c].tolist()) for c in children)
    edges = [tree.span[v][0], *(edge for span in spans for edge in span), tree.span[v][1]]
    return tuple(bool(tree.text[a:b].strip()) for a, b in zip(edges[::2], edges[1::2], strict=True))


def shared(tree: Tree, ends: np.ndarray, values: np.ndarray) -> np.ndarray:
    """float64 [N]: ``values`` of tokens that end at ``ends`` (int [tokens], ascending characters), summed by the node that owns them.

    A token that spans several nodes is shared by characters; blanks count for nobody unless a token is nothing else.

    Raises: BadType for arrays of other lengths; BadValue where the ends do not ascend to the end of the text.
    """
    if np.shape(ends) != np.shape(values) or np.ndim(ends) != 1:
        raise BadType(f"ends has shape {np.shape(ends)} and values {np.shape(values)}: one number a token each", "ends")
    if len(ends) == 0 or ends[-1] > len(tree.text) or (np.diff(ends) < 0).any():
        raise BadValue(f"ends = {list(ends)[:8]} must ascend and stay within the {len(tree.text)} characters of the text", "ends")
    total = np.zeros(len(tree))
    start = 0
    for end, value in zip(ends.tolist(), values.tolist(), strict=True):
        owners = [o for c, o in zip(tree.text[start:end], tree.owner[start:end].tolist(), strict=True) if o >= 0 and not c.isspace()]
        for node in owners:
            total[node] += value / len(owners)
        start = end
    return total
