"""What every risk-controlling method must satisfy, whatever it computes."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from fractions import Fraction
from typing import Any

import numpy as np

from glasshouse.families.conformal.risk.table import STEPS, Loss, Table, tabled, units
from glasshouse.numerics.seeds import Seeds

ALPHAS = [Fraction(i, 20) for i in range(1, 20)]


def _table(n: int, loss: Loss, purpose: str = "law") -> Table:
    rng = Seeds(0).numpy(purpose, n)
    truth = rng.random((n, 4)) < 0.5
    truth[:, 0] |= ~truth.any(axis=1)
    return tabled(rng.integers(0, STEPS, (n, 4)), truth, loss, units(truth))


def _tables() -> list[Table]:
    losses: tuple[Loss, ...] = ("missed-share", "missed-any")
    return [_table(n, loss) for n in (1, 30, 300) for loss in losses]


def a_looser_promise_never_asks_for_larger_sets(method: type[Any]) -> bool:
    """None counts as the largest: nothing smaller can be vouched for."""
    for table in _tables():
        chosen = [method().choose(table, alpha).index for alpha in ALPHAS]
        places = [index if index >= 0 else table.last for index in chosen]
        if any(b > a for a, b in itertools.pairwise(places)):
            return False
    return True


def what_is_chosen_kept_the_promise_on_the_calibration_pages(method: type[Any]) -> bool:
    """The correction for what was not seen goes one way."""
    return all(choice.index < 0 or table.risk[choice.index] <= alpha for table in _tables() for alpha in ALPHAS
               for choice in (method().choose(table, alpha),))


def the_chosen_lambda_passes_and_its_lower_neighbour_does_not(method: type[Any]) -> bool:
    """Evidence and limit tell the same story as the choice, unless no lambda passes; then the reason is said."""
    for table in _tables():
        for alpha in ALPHAS:
            choice = method().choose(table, alpha)
            passes = choice.evidence <= choice.limit + 1e-12
            if choice.why_not:
                if choice.index not in (-1, table.last) or passes.any():
                    return False
            elif not passes[choice.index] or (choice.index > 0 and choice.evidence[choice.index - 1] < choice.limit[0] - 1e-12):
                return False
    return True


def one_page_certifies_nothing_small(method: type[Any]) -> bool:
    """From one page nobody can promise a risk of a twentieth: every label stays."""
    choice = method().choose(_table(1, "missed-any"), Fraction(1, 20))
    return bool(choice.why_not) and choice.index in (-1, STEPS)


def nothing_is_changed(method: type[Any]) -> bool:
    table = _table(30, "missed-share")
    before = table.total.copy()
    method().choose(table, Fraction(1, 10))
    method().extra(table)
    return bool(np.array_equal(before, table.total))


LAWS: tuple[Callable[[type[Any]], bool], ...] = (
    a_looser_promise_never_asks_for_larger_sets, what_is_chosen_kept_the_promise_on_the_calibration_pages,
    the_chosen_lambda_passes_and_its_lower_neighbour_does_not, one_page_certifies_nothing_small, nothing_is_changed)
