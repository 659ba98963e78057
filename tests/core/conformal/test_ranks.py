from __future__ import annotations

import math
from decimal import Decimal
from fractions import Fraction
from typing import Any

import numpy as np
import pytest

from glasshouse.families.conformal.ranks import Ranks, miscoverage, needed_points, rank, threshold_rank, threshold_ranks
from glasshouse.schema.errors import BadType, BadValue


def _by_integers(n: int, parts: int, of: int = 100) -> int:
    """ceil((n + 1)(100 - j) / 100) without a fraction or a float."""
    return -(-(n + 1) * (of - parts) // of)


def test_rank_is_exact_on_the_whole_grid() -> None:
    wrong = [(n, j) for n in range(301) for j in range(1, 100) if threshold_rank(n, j / 100) != _by_integers(n, j)]
    assert wrong == []


def test_ranks_of_many_cells_are_those_of_each() -> None:
    n = np.arange(500)
    for alpha in (0.1, 0.07, 1e-300, 1 - 2**-50, Fraction(1, 3)):
        assert threshold_ranks(n[:40], alpha).tolist() == [threshold_rank(i, alpha) for i in range(40)]
    assert threshold_ranks(n, 0.07).dtype == np.int64


@pytest.mark.slow
def test_rank_is_exact_for_every_thousandth_up_to_two_thousand_points() -> None:
    for j in range(1, 1000):
        wrong = [n for n in range(1, 2001) if threshold_rank(n, j / 1000) != _by_integers(n, j, 1000)]
        assert wrong == [], j


@pytest.mark.slow
def test_rank_is_exact_where_floats_are_not() -> None:
    """The obvious float formula fails 577 times below n = 1000; ours never."""
    grid = [(n, j) for n in range(1, 1000) for j in range(1, 100)]
    floats = sum(math.ceil((n + 1) * (1 - j / 100)) != _by_integers(n, j) for n, j in grid)
    ours = sum(threshold_rank(n, j / 100) != _by_integers(n, j) for n, j in grid)
    assert (len(grid), floats, ours) == (98_901, 577, 0)


def test_alpha_is_the_decimal_that_was_written() -> None:
    for alpha in (0.1, np.float64(0.1), np.float32(0.1), Fraction(1, 10), Decimal("0.1"), Decimal("0.100")):
        assert miscoverage(alpha) == Fraction(1, 10)
    assert miscoverage(Decimal("0.1000000000000000000001")) == Fraction(1, 10) + Fraction(1, 10**22)
    assert miscoverage(1e-12) == Fraction(1, 10**12)
    assert threshold_rank(9, 0.7) == 3 != math.ceil(10 * (1 - 0.7))


@pytest.mark.parametrize(("alpha", "n"), [(0.1, 9), (0.05, 19), (0.01, 99), (0.5, 1)])
def test_points_needed_for_a_finite_threshold(alpha: float, n: int) -> None:
    assert needed_points(alpha) == n
    assert threshold_rank(n, alpha) == n
    assert threshold_rank(n - 1, alpha) == n  # n - 1 points: beyond the last


@pytest.mark.parametrize("alpha", [0, 1, 0.0, 1.0, 10, -0.1, math.nan, math.inf, -math.inf, Fraction(3, 2),
                                   Decimal("NaN"), Decimal("sNaN"), Decimal(1)])
def test_alpha_out_of_range(alpha: Any) -> None:
    with pytest.raises(BadValue, match=r"alpha = .*above 0 and below 1") as error:
        miscoverage(alpha)
    assert error.value.argument == "alpha"


@pytest.mark.parametrize("alpha", ["0.1", None, True, [0.1], 1j, np.array([0.1])])
def test_alpha_of_a_wrong_type(alpha: Any) -> None:
    with pytest.raises(BadType, match="alpha"):
        miscoverage(alpha)


def test_rank_form_equals_p_value_form_and_threshold_with_ties() -> None:
    """On whole-number scores full of ties, for every alpha of the grid, by counting in whole numbers."""
    rng = np.random.default_rng(0)
    for n in (1, 5, 19, 63):
        calibration = np.sort(rng.integers(0, 6, n)).astype(float)
        scores = rng.integers(-1, 8, (40, 3)).astype(float)
        ranked = rank(calibration, scores)
        strictly_above = (calibration[:, None, None] >= scores).sum(axis=0)  # s_i >= s
        assert (ranked.p_values() == (1 + strictly_above) / (n + 1)).all()
        for j in range(1, 100):
            by_p_value = 100 * (1 + strictly_above) > j * (n + 1)
            k = _by_integers(n, j)
            by_threshold = scores <= (calibration[k - 1] if k <= n else np.inf)
            sets = ranked.sets(j / 100)
            assert (sets == by_p_value).all()
            assert (sets == by_threshold).all()
            assert (ranked.sizes(j / 100) == sets.sum(axis=1)).all()


@pytest.mark.parametrize(("n", "dtype"), [(0, np.uint8), (254, np.uint8), (255, np.uint16), (65_535, np.uint32)])
def test_smallest_type_still_holds_an_infinite_threshold(n: int, dtype: Any) -> None:
    ranked = rank(np.arange(n, dtype=float), np.array([[-1.0, np.inf, n / 2]]))
    assert ranked.ranks.dtype == dtype
    assert ranked.sets(1e-9).all()


def test_out_is_filled_and_checked() -> None:
    ranked = Ranks(np.array([[0, 3]], np.uint8), 4)
    out = np.empty((1, 2), bool)
    assert ranked.sets(0.5, out=out) is out
    assert out.tolist() == [[True, False]]
    for wrong in (np.empty((2, 1), bool), np.empty((1, 2)), [[True, False]]):
        with pytest.raises(BadType, match="out"):
            ranked.sets(0.5, out=wrong)  # type: ignore[arg-type]


def test_docstring_examples() -> None:
    import doctest

    from glasshouse.families.conformal import ranks

    failed, tried = doctest.testmod(ranks)
    assert (failed, tried > 0) == (0, True)


@pytest.mark.parametrize("kind", ["uniform", "ties", "crowded", "long tails", "nearly constant", "constant", "infinite", "huge"])
def test_the_table_ranks_as_bisection_does(kind: str) -> None:
    """More scores than are ranked one by one; NaN has rank 0, so that what cannot be scored stays in the set."""
    rng = np.random.default_rng(4)
    known, scores = rng.random(3000), rng.random((700, 200))
    if kind == "ties":
        known, scores = np.round(known, 2), np.round(scores, 2)
    if kind == "crowded":
        known, scores = 1 - known**40, 1 - scores**40
    if kind == "long tails":
        known, scores = np.tan(3.1 * (known - 0.5)), np.tan(3.1 * (scores - 0.5))
    if kind == "nearly constant":
        known[:-9], scores[:, ::2] = 0.5, 0.5
    if kind == "constant":
        known[:] = 0.5
    if kind == "infinite":
        known[:7], known[7:9], scores[3, :5], scores[4, :5] = np.inf, -np.inf, np.inf, -np.inf
    if kind == "huge":
        known, scores = (known - 0.5) * 3e308, (scores - 0.5) * 3e308
    scores[0, 0] = np.nan
    known.sort()
    expected = np.searchsorted(known, scores.ravel()).reshape(scores.shape)
    expected[0, 0] = 0
    assert (rank(known, scores).ranks == expected).all()
