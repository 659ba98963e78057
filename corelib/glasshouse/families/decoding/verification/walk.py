"""Verification of a whole tree: from the root down, one decision per node, until a node keeps none of its children.

Two ways to decide, by rule: *follow* one choice of the target, made without looking at the children (V0: the arg-max; V4: one sample;
coupled: the arg-max of log p plus the position's shared noise), or *test* the children in turn against their q (V1-V3, V5).
p is computed only at nodes that are visited.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from glasshouse.families.decoding.drafting.noise import log, shared
from glasshouse.families.decoding.interface import Outcome, Rule, Sampling, TokenTree
from glasshouse.families.decoding.sampling import distribution, inverse_cdf
from glasshouse.families.decoding.verification.chain import chain
from glasshouse.families.decoding.verification.greedy import greedy
from glasshouse.families.decoding.verification.k_seq import k_seq
from glasshouse.families.decoding.verification.point_mass import point_mass
from glasshouse.families.decoding.verification.rule import TestInTurn, Tests
from glasshouse.families.decoding.verification.with_replacement import with_replacement
from glasshouse.families.decoding.verification.without_replacement import without_replacement
from glasshouse.numerics.seeds import Seeds

RULES: Mapping[Rule, TestInTurn] = {"V0": greedy, "V1": chain, "V2": with_replacement, "V3": without_replacement,
                                    "V4": point_mass, "V5": k_seq}


def verify(tree: TokenTree, logits: np.ndarray, rule: Rule | TestInTurn, sampling: Sampling, seeds: Seeds, position: int) -> Outcome:
    """Which path of ``tree`` the target keeps, and the token it adds.

    ``logits`` float [n, V], one row per node; ``position`` is how many tokens are committed, the root included: the children of
    a node at depth d are guesses for the text's token number ``position + d``. A rule of your own is always tested in turn.
    """
    if sampling.greedy or sampling.coupled or rule == "V4":
        return _follow(tree, logits, sampling, seeds, position)
    return _test(tree, logits, RULES[rule] if isinstance(rule, str) else rule, sampling, seeds, position)


def choice(row: np.ndarray, sampling: Sampling, seeds: Seeds, position: int) -> tuple[int, float, np.ndarray | None]:
    """(the target's own token at a text position, the uniform that made it or NaN, p or None where it was not needed)."""
    if sampling.greedy:
        return int(row.argmax()), np.nan, None
    p = distribution(row, sampling)
    if sampling.coupled:
        return int((log(p) + shared(seeds, len(p), position)).argmax()), np.nan, p
    u = seeds.uniform("target", position)
    return inverse_cdf(p, u), u, p


def _below(tree: TokenTree, cursor: tuple[int, ...]) -> list[int]:
    """Children of a set of equal nodes: first those of the first, each in draw order."""
    children = tree.children
    return list(children[cursor[0]]) if len(cursor) == 1 else [c for node in cursor for c in children[node]]


def _follow(tree: TokenTree, logits: np.ndarray, sampling: Sampling, seeds: Seeds, position: int) -> Outcome:
    token = tree.token.tolist()
    tested: dict[int, tuple[float, float, bool]] = {}
    law: dict[int, np.ndarray] = {}
    cursor: tuple[int, ...] = (0,)
    at = depth = 0
    while True:
        best, u, p = choice(logits[at], sampling, seeds, position + depth)
        if p is not None:
            law[at] = p
        children = _below(tree, cursor)
        for c in children:
            same = token[c] == best
            tested[c] = (float(same) if p is None else float(p[token[c]]), u, same)
        cursor = tuple(c for c in children if token[c] == best)
        if not cursor:
            return _outcome(tree, token, at, best, bool(children), tested, {}, law)
        at, depth = cursor[0], depth + 1


def _test(tree: TokenTree, logits: np.ndarray, rule: TestInTurn, sampling: Sampling, seeds: Seeds, position: int) -> Outcome:
    token, q_index = tree.token.tolist(), tree.q_index.tolist()
    tested: dict[int, tuple[float, float, bool]] = {}
    residual: dict[int, np.ndarray] = {}
    law: dict[int, np.ndarray] = {}
    cursor: tuple[int, ...] = (0,)
    at = depth = 0
    while True:
        p = law[at] = distribution(logits[at], sampling)
        children = _below(tree, cursor)
        tests = rule(p, [token[c] for c in children], [tree.q[q_index[c]] for c in children])
        kept, left = _in_turn(tests, children, seeds, position, tested)
        if left is not p:
            residual[depth] = left
        if kept is None:
            final = inverse_cdf(left, seeds.uniform("target", position + depth))
            return _outcome(tree, token, at, final, bool(children), tested, residual, law)
        cursor = tuple(c for c in children if token[c] == token[kept])
        at, depth = kept, depth + 1


def _in_turn(tests: Tests, children: Sequence[int], seeds: Seeds, position: int,
             tested: dict[int, tuple[float, float, bool]]) -> tuple[int | None, np.ndarray]:
    """(the child that passed or None, what is left of p)."""
    waiting = iter(children)
    while True:
        try:
            accept, left = next(tests)
        except StopIteration as end:
            return None, end.value
        child = next(waiting)
        u = seeds.uniform("accept", position, child)
        passed = u < accept
        tested[child] = (float(accept), u, passed)
        if passed:
            return child, left


def _outcome(tree: TokenTree, token: list[int], last: int, final: int, rejected: bool,
             tested: Mapping[int, tuple[float, float, bool]], residual: Mapping[int, np.ndarray], law: Mapping[int, np.ndarray]) -> Outcome:
    """``residual`` by depth. The path is read upwards from its end: on the way down, an equal sibling may have stood for a node."""
    path = [last]
    while path[-1] > 0:
        path.append(int(tree.parent[path[-1]]))
    path.reverse()
    return Outcome(tuple(path), (*[token[n] for n in path[1:]], final), final, last, "correction" if rejected else "bonus",
                   tested, {path[depth]: row for depth, row in residual.items()}, law)
