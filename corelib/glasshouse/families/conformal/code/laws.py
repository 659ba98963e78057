"""What every way to make holes must satisfy, whatever it computes."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from glasshouse.families.conformal.code.holes import holes, nested
from glasshouse.families.conformal.code.interface import Statement
from glasshouse.families.conformal.code.trees import parse, wrong
from glasshouse.numerics.seeds import Seeds

TEXTS = (("x = f(a, b)", "x = f(b, b)"), ("self.n += len(rows) - 1", "self.n += len(rows) + 1"),
         ("return [g(i) for i in range(n)]", "return [g(j) for i in range(n)]"), ("raise ValueError('no', k)", "raise TypeError('no', k)"))


def _statements() -> Iterator[Statement]:
    """Statements with a word and a token a character, drawn costs, some of them zero."""
    for number, (guess, truth) in enumerate(TEXTS):
        rng, ends = Seeds(0).numpy("laws", number), np.arange(1, len(guess) + 1)
        nats = np.maximum(rng.normal(size=(2, len(guess))), 0.0)
        tree, its = parse(guess), parse(truth)
        yield Statement(its, tree, guess, wrong(tree, its), ends, nats[0], ends, nats[1])


def budgets_descend_to_zero(method: type[Any]) -> bool:
    grid = method().grid()
    return bool(grid.dtype == np.float64 and grid.ndim == 1 and (np.diff(grid) <= 0).all() and grid[-1] == 0)


def costs_are_finite_and_not_negative(method: type[Any]) -> bool:
    return all(bool(c.shape == (len(s.guess),) and np.isfinite(c).all() and (c >= 0).all()) for s in _statements() for c in [method().cost(s)])


def what_is_kept_is_a_tree_within_its_budget_and_holes(method: type[Any]) -> bool:
    chosen = method()
    grid = chosen.grid()
    for s in _statements():
        cost, parent = chosen.cost(s), s.guess.parent
        kept = chosen.keep(parent, cost)
        most = np.arange(1, len(kept) + 1)[:, None]
        if kept.shape != (len(kept), len(grid), len(parent)) or (kept[..., 1:] & ~kept[..., parent[1:]]).any():
            return False
        if (kept @ cost > grid + 1e-6).any() or (holes(parent, kept) > most).any():
            return False
    return True


def the_ends_are_as_they_must_be(method: type[Any]) -> bool:
    """No budget keeps only what costs nothing; a budget for everything keeps everything."""
    chosen = method()
    grid = chosen.grid()
    for s in _statements():
        cost = chosen.cost(s)
        kept = chosen.keep(s.guess.parent, cost)
        if (kept[:, -1] & (cost > 0)).any() or not kept[:, grid >= cost.sum() + 1e-6].all():
            return False
    return True


def sets_are_nested_in_the_budget(method: type[Any]) -> bool:
    """So that errors grow with the budget."""
    chosen = method()
    return all(nested(rows) for s in _statements() for rows in chosen.keep(s.guess.parent, chosen.cost(s)))


LAWS: tuple[Callable[[type[Any]], bool], ...] = (
    budgets_descend_to_zero, costs_are_finite_and_not_negative, what_is_kept_is_a_tree_within_its_budget_and_holes,
    the_ends_are_as_they_must_be, sets_are_nested_in_the_budget)
