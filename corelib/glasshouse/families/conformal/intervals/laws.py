"""What every method of the room must satisfy, whatever it computes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from glasshouse.families.conformal.intervals.interface import Rule
from glasshouse.families.conformal.intervals.ladders import p_values
from glasshouse.families.conformal.intervals.ridge import Ridge
from glasshouse.families.conformal.intervals.rules import learn
from glasshouse.families.conformal.ranks import threshold_rank
from glasshouse.numerics.seeds import Seeds


def _drawn(points: int, purpose: str) -> tuple[np.ndarray, np.ndarray]:
    rng = Seeds(0).numpy(purpose)
    x = rng.uniform(-1, 1, (points, 3))
    return x, x @ np.array([1.0, -2.0, 0.5]) + (0.2 + np.abs(x[:, 0])) * rng.standard_normal(points)


def _rule(method: type[Any], x: np.ndarray, y: np.ndarray) -> Rule:
    *_, rule = learn(method(), x, y, Ridge(method().penalty), Seeds(0), np.arange(float(len(y))))
    assert isinstance(rule, Rule)
    return rule


def intervals_are_nested_up_to_the_whole_line(method: type[Any]) -> bool:
    x, y = _drawn(50, "nested")
    lower, upper = _rule(method, x, y).at(_drawn(20, "tested")[0]).all()
    return bool((np.diff(lower, axis=1) <= 0).all() and (np.diff(upper, axis=1) >= 0).all()
                and (lower[:, -1] == -np.inf).all() and (upper[:, -1] == np.inf).all() and np.isfinite(lower[:, :-1]).all())


def one_rank_is_its_column_of_all(method: type[Any]) -> bool:
    x, y = _drawn(40, "columns")
    ladder = _rule(method, x, y).at(_drawn(10, "tested")[0])
    lower, upper = ladder.all()
    return lower.shape == upper.shape == (10, ladder.n + 1) and all(
        bool((ladder.ends(k)[0] == lower[:, k - 1]).all() and (ladder.ends(k)[1] == upper[:, k - 1]).all()) for k in range(1, ladder.n + 2))


def intervals_and_p_values_agree(method: type[Any]) -> bool:
    """A candidate is in the interval exactly where its p-value is above alpha."""
    x, y = _drawn(40, "p")
    ladder = _rule(method, x, y).at(_drawn(3, "tested")[0])
    for lower, upper in zip(*ladder.all(), strict=True):
        ends, p = p_values(lower, upper)
        for alpha in (i / 32 for i in range(1, 32)):
            k = threshold_rank(ladder.n, alpha)
            kept = ends[p > alpha]
            held = (lower[k - 1], upper[k - 1]) if lower[k - 1] <= upper[k - 1] else (np.inf, -np.inf)
            if k <= ladder.n and (kept.min(initial=np.inf), kept.max(initial=-np.inf)) != held:
                return False
    return True


def other_units_give_the_same_intervals(method: type[Any]) -> bool:
    """Targets in other units, from another zero: intervals follow."""
    x, y = _drawn(60, "units")
    new = _drawn(10, "tested")[0]
    (lower, upper), (low, high) = _rule(method, x, y).at(new).all(), _rule(method, x, 4 * y - 7).at(new).all()
    return bool(np.allclose(low, 4 * lower - 7, atol=1e-6) and np.allclose(high, 4 * upper - 7, atol=1e-6))


def a_point_depends_on_itself_alone(method: type[Any]) -> bool:
    x, y = _drawn(40, "rows")
    rule, new = _rule(method, x, y), _drawn(12, "tested")[0]
    (lower, upper), (some_lower, some_upper) = rule.at(new).all(), rule.at(new[[7, 3]]).all()
    return bool(np.allclose(lower[[7, 3]], some_lower, atol=1e-9) and np.allclose(upper[[7, 3]], some_upper, atol=1e-9))


LAWS: tuple[Callable[[type[Any]], bool], ...] = (
    intervals_are_nested_up_to_the_whole_line, one_rank_is_its_column_of_all, intervals_and_p_values_agree,
    other_units_give_the_same_intervals, a_point_depends_on_itself_alone)
