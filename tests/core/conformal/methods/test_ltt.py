"""Learn then Test: p-values by enumeration, the choice against exact laws, and the promise in fact."""

from __future__ import annotations

import itertools
import math
from fractions import Fraction

import numpy as np
import pytest
from scipy import stats

from glasshouse import runs
from glasshouse.families.conformal.methods.risk.ltt import LTT, p_values
from glasshouse.families.conformal.risk.table import STEPS, Table

LAWS = [(10, 0.3), (40, 0.1), (100, 0.1), (100, 0.5), (200, 0.05)]


def table(n: int, total: np.ndarray, unit: int = 1) -> Table:
    return Table(n, unit, total, np.zeros(len(total), np.int64), unit == 1)


def hoeffding_bentkus(n: int, r: float, alpha: float) -> float:
    a = min(r, alpha)
    h1 = (a * math.log(a / alpha) if a else 0.0) + ((1 - a) * math.log((1 - a) / (1 - alpha)) if a < 1 else 0.0)
    return float(min(math.exp(-n * h1), math.e * stats.binom.cdf(math.ceil(n * r - 1e-9), n, alpha), 1.0))


@pytest.mark.parametrize(("n", "alpha"), LAWS)
def test_both_p_values_are_their_formulas(n: int, alpha: float) -> None:
    errors = np.arange(n + 1)
    np.testing.assert_allclose(p_values(table(n, errors), alpha), stats.binom.cdf(errors, n, alpha), rtol=1e-10)
    theirs = [hoeffding_bentkus(n, h / (2 * n), alpha) for h in range(2 * n + 1)]
    np.testing.assert_allclose(p_values(table(n, np.arange(2 * n + 1), 2), alpha), theirs, rtol=1e-10)


@pytest.mark.parametrize(("n", "alpha"), LAWS)
@pytest.mark.parametrize("unit", [1, 2])
def test_a_p_value_is_below_t_with_probability_at_most_t(n: int, alpha: float, unit: int) -> None:
    """Exact, at the edge of the hypothesis R = alpha: losses 0 or 1 (unit 2: counted as bounded ones, so by Hoeffding-Bentkus)."""
    p, law = p_values(table(n, np.arange(n + 1) * unit, unit), alpha), stats.binom.pmf(np.arange(n + 1), n, alpha)
    for t in np.unique(p):
        assert law[p <= t].sum() <= t + 1e-12


def test_the_figures_of_the_brief() -> None:
    """n = 100, R = alpha = 0.1: P(p <= 0.1) is .057 for the binomial and .023 for Hoeffding-Bentkus."""
    law = stats.binom.pmf(np.arange(101), 100, 0.1)
    found = [law[p_values(table(100, np.arange(101) * unit, unit), 0.1) <= 0.1].sum() for unit in (1, 2)]
    assert found == pytest.approx([0.0576, 0.0237], abs=1e-4)


@pytest.mark.parametrize("half", [0.0, 0.1, 0.3])
def test_hoeffding_bentkus_holds_for_losses_between_0_and_1(half: float) -> None:
    """Exact over all counts of losses 0, 1/2 and 1 among 14 pages, with mean alpha = 0.25."""
    n, alpha = 14, 0.25
    law = stats.multinomial(n, [1 - half - (alpha - half / 2), half, alpha - half / 2])
    p = p_values(table(n, np.arange(2 * n + 1), 2), alpha)
    below = {float(t): 0.0 for t in np.unique(p)}
    for halves, ones in itertools.product(range(n + 1), repeat=2):
        if halves + ones <= n:
            mass = law.pmf([n - halves - ones, halves, ones])
            for t in below:
                below[t] += mass * (p[halves + 2 * ones] <= t)
    assert all(mass <= t + 1e-12 for t, mass in below.items())
    assert max(below.values()) > 0.9, "all counts were enumerated"


@pytest.mark.parametrize(("n", "alpha", "delta", "most"), [(100, 0.1, 0.1, 5), (500, 0.1, 0.1, 40), (500, 0.2, 0.01, 79), (45, 0.1, 0.05, 0),
                                                           (22, 0.1, 0.1, 0), (29, 0.1, 0.05, 0)])
def test_with_loss_0_or_1_it_allows_as_many_errors_as_pac_sets(n: int, alpha: float, delta: float, most: int) -> None:
    """max{h : P(Bin(n, alpha) <= h) <= delta}: the threshold of PAC prediction sets, here as a row of lambdas with n, n - 1, ... 0 errors."""
    choice = LTT(delta=delta).choose(table(n, np.arange(n, -1, -1)), Fraction(str(alpha)))
    assert n - choice.index == most
    assert stats.binom.cdf(most, n, alpha) <= delta < stats.binom.cdf(most + 1, n, alpha)


def test_nothing_is_certified_where_nothing_can_be() -> None:
    choice = LTT(delta=0.1).choose(table(21, np.arange(21, -1, -1)), Fraction(1, 10))
    assert choice.index == -1
    assert "21 calibration pages" in choice.why_not
    assert LTT().choose(table(0, np.zeros(5, np.int64)), Fraction(1, 2)).index == -1


def test_the_sequence_stops_at_the_first_lambda_that_fails() -> None:
    """Losses that are not monotone: what lies beyond a failure is not used, though Bonferroni would take it."""
    total = np.array([30, 0, 30, 0, 0])
    assert LTT().choose(table(60, total), Fraction(1, 10)).index == 3
    assert LTT(procedure="bonferroni").choose(table(60, total), Fraction(1, 10)).index == 1


def test_bonferroni_shares_delta_among_all_lambdas() -> None:
    """Fifty errors in two hundred at alpha = 0.3 have p of about .07: enough for one test at 0.1, for one of two (.05) not."""
    few, many = np.array([50]), np.array([200, 50])
    assert 0.05 < stats.binom.cdf(50, 200, 0.3) < 0.1
    assert LTT(procedure="bonferroni").choose(table(200, few), Fraction(3, 10)).index == 0
    assert LTT(procedure="bonferroni").choose(table(200, many), Fraction(3, 10)).index == -1
    assert LTT().choose(table(200, many), Fraction(3, 10)).index == 1


@pytest.mark.parametrize("unit", [1, 3])
def test_bonferroni_never_dares_more_where_losses_fall_with_lambda(unit: int) -> None:
    rng = np.random.default_rng(unit)
    for _ in range(50):
        total = np.sort(rng.integers(0, 100 * unit, 30))[::-1]
        one, all_ = (LTT(procedure=p).choose(table(100, total, unit), Fraction(1, 4)).index for p in ("fixed-sequence", "bonferroni"))
        assert (one if one >= 0 else 99) <= (all_ if all_ >= 0 else 99)


@pytest.mark.parametrize(("procedure", "least"), [("fixed-sequence", 0.03), ("bonferroni", 0.0)])
def test_the_risk_passes_alpha_for_at_most_a_share_delta_of_samples(procedure: str, least: float) -> None:
    """Errors at lambda are Bin(n, 1 - lambda), so the true risk is known. Fixed sequence uses most of delta; the plain choice fails half the time."""
    n, alpha, delta, steps = 100, Fraction(1, 10), 0.1, 500
    rng = np.random.default_rng(1)
    method = LTT(delta=delta, procedure=procedure)  # type: ignore[arg-type]
    bad, plain, runs_ = 0, 0, 2000
    for _ in range(runs_):
        entered = np.cumsum(np.bincount(np.ceil(rng.random(n) * steps).astype(int), minlength=steps + 1))
        t = table(n, n - entered)
        index = method.choose(t, alpha).index
        bad += index >= 0 and 1 - index / steps > 0.1 + 1e-12
        plain += bool(1 - np.argmax(t.risk <= 0.1) / steps > 0.1)
    slack = 4 * math.sqrt(delta * (1 - delta) / runs_)
    assert least <= bad / runs_ <= delta + slack
    assert plain / runs_ > 0.4


@pytest.mark.parametrize("loss", ["missed-share", "missed-any"])
def test_on_pages_of_digits_the_promise_is_kept(loss: str) -> None:
    *_, last = runs.study("conformal.ltt", "resamples", options={"total": 200}, loss=loss, delta=0.2)
    for alpha in (0.05, 0.1, 0.2, 0.4):
        over = (last.risk[:, round(alpha * 100) - 1] > alpha).mean()  # type: ignore[union-attr]
        assert over <= 0.2 + 4 * math.sqrt(0.16 / 200)


def test_none_shows_every_label_and_says_so() -> None:
    session = runs.open("conformal.ltt", calibration_size=20, alpha=0.1)
    list(session.events())
    seen = session.look()
    assert not seen.certified  # type: ignore[attr-defined]
    assert seen.index == STEPS  # type: ignore[attr-defined]
    assert "no lambda passes" in seen.why_not  # type: ignore[attr-defined]
    assert seen.sets.all()  # type: ignore[attr-defined]
    assert session.summary()["certified"] == 0
    assert str(session.guarantee) == "PAC 0.9"
