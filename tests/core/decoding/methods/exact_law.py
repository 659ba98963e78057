"""Oracles on the toy model: every tree a method can draft with its probability, and the exact law of the text it leads to."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cache, partial
from itertools import permutations
from typing import Any, TypeVar

import numpy as np

from glasshouse.families.decoding.drafting import DraftModel
from glasshouse.families.decoding.interface import Context, Proposal, Sampling, TokenTree
from glasshouse.families.decoding.verification import TestInTurn, table
from glasshouse.models.language.tabular import TabularLM
from glasshouse.numerics.seeds import Seeds

Text = tuple[int, ...]
T = TypeVar("T")
Choose = Callable[[Sequence[tuple[Any, float]]], Any]
"""Takes (value, probability) pairs and returns one of the values."""


@cache
def _law(target: TabularLM, context: Text, length: int) -> dict[Text, float]:
    return target.law(context, length)


@cache
def _next(target: TabularLM, context: Text) -> np.ndarray:
    return target.next(context).numpy()


def propose(method: Any, draft: TabularLM, seed: int = 0, prompt: Text = (0, 1), room: int = 8, sampling: Sampling | None = None) -> Proposal:
    """One draft after ``prompt``; sampling at temperature 1 unless said otherwise."""
    sampling = Sampling(1.0) if sampling is None else sampling
    context = Context(prompt, len(prompt), room, draft.vocab_size, sampling, Seeds(seed), DraftModel(draft.fork(), sampling))
    proposal: Proposal = method.propose(method.init(draft.vocab_size), context)
    return proposal


def paths(tree: TokenTree) -> list[Text]:
    """The tokens from below the root to each node."""
    found: list[Text] = [()]
    for i in range(1, tree.size):
        found.append((*found[tree.parent[i]], int(tree.token[i])))
    return found


def text_law(tree: TokenTree, target: TabularLM, rule: TestInTurn, length: int, prompt: Text = (0, 1)) -> dict[Text, float]:
    """The law of the next ``length`` tokens given this tree, all uniforms integrated out; what the tree does not decide is sampled."""
    law: dict[Text, float] = defaultdict(float)

    def leave(text: Text, weight: float) -> None:
        for rest, mass in _law(target, (*prompt, *text), length - len(text)).items():
            law[(*text, *rest)] += weight * mass

    def visit(cursor: Sequence[int], text: Text, weight: float) -> None:
        if len(text) == length or weight == 0.0:
            law[text] += weight
            return
        children = [c for node in cursor for c in tree.children[node]]
        tokens = [int(tree.token[c]) for c in children]
        decided = table(rule, _next(target, (*prompt, *text)), tokens, [tree.q[i] for i in tree.q_index[children] if i >= 0])
        for token, accept in zip(tokens, decided.accept, strict=False):
            visit([c for c, t in zip(children, tokens, strict=True) if t == token], (*text, token), weight * accept)
            weight *= 1.0 - accept
        for token in range(target.vocab_size):
            leave((*text, token), weight * float(decided.residual[token]))

    visit([0], (), 1.0)
    return law


def accepted_length(tree: TokenTree, target: TabularLM, rule: TestInTurn, prompt: Text = (0, 1)) -> float:
    """Expected number of accepted guesses given this tree without equal siblings."""
    found = paths(tree)

    def below(node: int) -> float:
        children = tree.children[node]
        decided = table(rule, _next(target, (*prompt, *found[node])), [int(tree.token[c]) for c in children],
                        [tree.q[tree.q_index[c]] for c in children])
        total, alive = 0.0, 1.0
        for child, accept in zip(children, decided.accept, strict=False):
            total += alive * accept * (1.0 + below(child))
            alive *= 1.0 - accept
        return total

    return below(0)


def largest_z(laws: Sequence[Mapping[Text, float]], exact: Mapping[Text, float]) -> float:
    """The largest deviation of the mean law from the exact one, over all texts, in standard errors."""
    values = np.asarray([[law.get(text, 0.0) for text in exact] for law in laws])
    error = values.std(0, ddof=1) / np.sqrt(len(values))
    return float(np.max(np.abs(values.mean(0) - np.asarray(list(exact.values()))) / np.maximum(error, 1e-12)))


def _choose(script: list[int], taken: list[tuple[int, int]], weights: list[float], options: Sequence[tuple[Any, float]]) -> Any:
    at = script[len(taken)] if len(taken) < len(script) else 0
    taken.append((at, len(options)))
    weights.append(options[at][1])
    return options[at][0]


def every(program: Callable[[Choose], T]) -> Iterator[tuple[float, T]]:
    """All outcomes of a program that asks ``choose`` for its random decisions, with their probabilities."""
    script: list[int] = []
    while True:
        taken: list[tuple[int, int]] = []
        weights: list[float] = []

        result = program(partial(_choose, script, taken, weights))
        yield float(np.prod(weights)), result
        while taken and taken[-1][0] + 1 == taken[-1][1]:
            taken.pop()
        if not taken:
            return
        script = [at for at, _ in taken]
        script[-1] += 1


def orders(q: np.ndarray, k: int) -> list[tuple[np.ndarray, float]]:
    """Ordered k-samples without replacement from q (fewer where its support is smaller), with their probabilities."""
    support = np.flatnonzero(q > 0)
    found = []
    for order in permutations(support.tolist(), min(k, len(support))):
        mass = q[list(order)]
        left = q.sum() - np.concatenate([[0.0], mass.cumsum()[:-1]])
        found.append((np.asarray(order), float(np.prod(mass / left))))
    return found


def mean_law(laws: Iterator[tuple[float, Mapping[Text, float]]]) -> dict[Text, float]:
    total: dict[Text, float] = defaultdict(float)
    for weight, law in laws:
        for text, mass in law.items():
            total[text] += weight * mass
    return total


def distance(law: Mapping[Text, float], exact: Mapping[Text, float]) -> float:
    """The largest difference of two laws at any text."""
    return max(abs(law.get(text, 0.0) - mass) for text, mass in exact.items())
