"""The number of errors that still prove a promise, against rational arithmetic, Clopper and Pearson, and simulation."""

from __future__ import annotations

import math
from fractions import Fraction

import numpy as np
import pytest
from scipy import stats

from glasshouse.families.conformal.code.pac import most_errors, needed_points
from glasshouse.schema.errors import GlasshouseError


@pytest.mark.parametrize(("n", "eps", "delta", "k"), [
    (100, 0.1, 0.1, 5), (500, 0.1, 0.1, 40), (500, 0.2, 0.01, 79), (45, 0.1, 0.05, 0), (21, 0.1, 0.1, None), (22, 0.1, 0.1, 0)])
def test_known_values(n: int, eps: float, delta: float, k: int | None) -> None:
    assert most_errors(n, eps, delta) == k


@pytest.mark.parametrize(("eps", "delta", "n"), [(0.1, 0.1, 22), (0.1, 0.05, 29), (0.05, 0.05, 59), (0.01, 0.01, 459)])
def test_least_sizes(eps: float, delta: float, n: int) -> None:
    assert needed_points(eps, delta) == n
    assert most_errors(n - 1, eps, delta) is None
    assert most_errors(n, eps, delta) == 0


def exactly(n: int, eps: Fraction, delta: Fraction) -> int | None:
    """By definition, in whole numbers: sum over i of C(n, i) a^i (b - a)^(n - i) <= delta b^n."""
    total, k = Fraction(0), None
    for h in range(n + 1):
        total += math.comb(n, h) * eps**h * (1 - eps) ** (n - h)
        if total > delta:
            return k
        k = h
    return k


def test_it_is_the_definition_in_rational_arithmetic() -> None:
    for n in (1, 2, 3, 5, 8, 13, 30, 77):
        for eps in ("0.01", "0.1", "0.25", "0.5", "0.9"):
            for delta in ("0.01", "0.1", "0.25", "0.5", "0.75"):
                assert most_errors(n, float(eps), float(delta)) == exactly(n, Fraction(eps), Fraction(delta)), (n, eps, delta)


def test_ties_are_decided_exactly() -> None:
    """At eps = 1/2 the sums are multiples of 2^-n and many equal delta exactly: a tie belongs to the promise."""
    for n in range(1, 12):
        for h in range(n):
            delta = sum(math.comb(n, i) for i in range(h + 1)) / 2**n
            assert most_errors(n, 0.5, delta) == h
    assert most_errors(2, 0.9, 0.01) == 0, "(1 - 0.9)^2 is 0.01 as written, though not in binary"


def test_it_is_clopper_and_pearson_read_backwards() -> None:
    for n in (25, 100, 400):
        for eps in (0.05, 0.13, 0.3):
            for delta in (0.05, 0.2):
                k = most_errors(n, eps, delta)
                found = [h for h in range(n + 1) if stats.binomtest(h, n).proportion_ci(1 - 2 * delta, "exact").high <= eps]
                assert k == (max(found) if found else None)


def test_it_is_monotone() -> None:
    grid = [-1 if (k := most_errors(200, e / 50, 0.1)) is None else k for e in range(1, 50)]
    assert grid == sorted(grid)
    grid = [-1 if (k := most_errors(200, 0.1, d / 50)) is None else k for d in range(1, 50)]
    assert grid == sorted(grid)


def test_a_rule_that_errs_more_passes_at_most_a_share_delta_of_the_time() -> None:
    rng = np.random.default_rng(0)
    for n, eps, delta in ((100, 0.1, 0.1), (60, 0.2, 0.05)):
        k = most_errors(n, eps, delta)
        assert k is not None
        passed = float((rng.binomial(n, eps + 1e-9, 40_000) <= k).mean())
        assert passed <= delta + 4 * math.sqrt(delta * (1 - delta) / 40_000)
        assert float((rng.binomial(n, eps, 40_000) <= k + 1).mean()) > delta, "one error more would be too many"


@pytest.mark.parametrize(("n", "eps", "delta", "name"), [
    (-1, 0.1, 0.1, "n"), (1.5, 0.1, 0.1, "n"), (True, 0.1, 0.1, "n"), (10, 0.0, 0.1, "eps"), (10, 1.0, 0.1, "eps"), (10, 10, 0.1, "eps"),
    (10, math.nan, 0.1, "eps"), (10, "a", 0.1, "eps"), (10, 0.1, 0.0, "delta"), (10, 0.1, 2, "delta"), (10, 0.1, True, "delta")])
def test_bad_input(n: object, eps: object, delta: object, name: str) -> None:
    with pytest.raises(GlasshouseError, match=name) as error:
        most_errors(n, eps, delta)  # type: ignore[arg-type]
    assert error.value.argument == name


def test_no_points_prove_nothing() -> None:
    assert most_errors(0, 0.1, 0.1) is None
