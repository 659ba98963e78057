"""The certified limit holds as often as promised; bounds and bisection against their definitions."""

from __future__ import annotations

import math
from functools import lru_cache

import numpy as np
import pytest
from scipy.stats import binom

from glasshouse.families.conformal.decisions import certifying
from glasshouse.families.conformal.decisions.drive import look
from glasshouse.families.conformal.decisions.interface import Look
from glasshouse.families.conformal.decisions.problems import DigitLooks, Tiny
from glasshouse.families.conformal.methods.decisions.sgr import SGR
from glasshouse.numerics.seeds import Seeds
from glasshouse.schema.events.conformal_decisions import Certificates, Selected


@lru_cache(maxsize=16)
def certificates(method: SGR) -> Certificates:
    return next(e for e in method.states(DigitLooks().open(), Seeds(0)) if isinstance(e, Certificates))


def seen(method: SGR, **values: float) -> Selected:
    found = look((certificates(method),), Look(**values))  # type: ignore[arg-type]
    assert isinstance(found, Selected)
    return found


def test_a_bound_is_where_so_few_errors_have_the_shared_delta() -> None:
    found = certificates(SGR())
    assert (found.n, found.sharing) == (750, 10)
    for k in (50, 200, 600):
        answered, errors = int(found.answered[k - 1]), int(found.errors[k - 1])
        assert answered == k, "no ties"
        assert binom.cdf(errors, answered, found.bounds[k - 1]) == pytest.approx(0.1 / 10)
    assert certificates(SGR(search="fixed sequence")).sharing == 1


def published(bounds: np.ndarray, limit: float) -> list[int]:
    """Alg. 1 as it is printed, with z counted from the least sure."""
    m = len(bounds)
    z_min, z_max, found = 1, m, []
    for _ in range(math.ceil(math.log2(m))):
        z = math.ceil((z_min + z_max) / 2)
        found.append(m - z + 1)
        if bounds[m - z] < limit:
            z_max = z
        else:
            z_min = z
    return found


@pytest.mark.parametrize("limit", [0.02, 0.08, 0.1, 0.15, 0.3, 0.6])
def test_the_bisection_is_the_published_one(limit: float) -> None:
    found = certificates(SGR())
    assert certifying.tried(found, limit) == published(found.bounds, limit)


@pytest.mark.parametrize("limit", [0.05, 0.1, 0.2])
def test_what_stands_is_the_most_that_passed(limit: float) -> None:
    one = seen(SGR(), limit=limit)
    passed = [k for k in one.tried.tolist() if one.certificates.bounds[k - 1] < limit]
    assert one.chosen == max(passed, default=0)
    if one.chosen:
        assert one.bound < limit
        assert (one.answers.any(axis=1) == (one.tested.confidence >= one.threshold)).all()
    later = [seen(SGR(), limit=limit, step=i).chosen for i in range(one.length)]
    assert later == sorted(later)
    assert later[-1] == one.chosen


def test_the_fixed_sequence_stops_at_its_first_failure() -> None:
    one = seen(SGR(search="fixed sequence"), limit=0.1)
    assert one.tried[0] == 22 == certifying.needed(0.1, 0.1), "0.9^22 < 0.1 < 0.9^21"
    bounds = one.certificates.bounds[one.tried - 1]
    assert (bounds[:-1] < 0.1).all()
    assert bounds[-1] >= 0.1
    assert (one.tried == np.arange(22, 22 + len(one.tried))).all()


def test_an_impossible_limit_answers_nothing() -> None:
    one = seen(SGR(delta=0.001), limit=0.001)
    assert (one.chosen, one.coverage, one.threshold) == (0, 0.0, math.inf)
    assert math.isnan(one.risk)
    assert math.isnan(one.bound)
    assert not one.answers.any()


def test_a_looser_limit_answers_more() -> None:
    shares = seen(SGR()).shares
    assert (np.diff(shares) >= 0).all()
    assert shares[0] == 0
    assert shares[-1] > 0.9


def test_points_that_tie_with_the_threshold_are_all_counted() -> None:
    confidence, right = np.array([0.9, 0.5, 0.5, 0.5, 0.2]), np.array([True, True, False, True, False])
    thresholds, answered, errors, _ = certifying.bounds(confidence, right, 0.1)
    assert thresholds.tolist() == [0.9, 0.5, 0.5, 0.5, 0.2]
    assert answered.tolist() == [1, 4, 4, 4, 5]
    assert errors.tolist() == [0, 1, 1, 1, 2]


@pytest.mark.parametrize("search", ["bisection", "fixed sequence"])
@pytest.mark.parametrize("limit", [0.1, 0.2])
def test_the_limit_is_kept_as_often_as_promised(search: str, limit: float) -> None:
    """Calibration points are drawn with replacement from the digits, whose risk at every threshold is known: exactly the i.i.d. claim."""
    pool, delta, rounds, n = DigitLooks().open(), 0.2, 400, 300
    confidence, right = pool.first.max(axis=1), pool.first.argmax(axis=1) == pool.labels
    rng, missed, given = np.random.default_rng(0), 0, 0.0
    for _ in range(rounds):
        at = rng.integers(len(right), size=n)
        tests = certifying.sharing(search, n)
        thresholds, answered, errors, bounds = certifying.bounds(confidence[at], right[at], delta / tests)
        found = Certificates(n=n, m=0, delta=delta, sharing=tests, search=search, thresholds=thresholds, answered=answered,  # type: ignore[arg-type]
                             errors=errors, bounds=bounds, tested=certificates(SGR()).tested)
        k = certifying.standing(found.bounds, limit, certifying.tried(found, limit))
        if k:
            accepted = confidence >= thresholds[k - 1]
            missed += float((~right[accepted]).mean()) > limit
            given += float(accepted.mean()) / rounds
    assert missed / rounds <= delta + 4 * math.sqrt(delta * (1 - delta) / rounds)
    assert given > 0.1, "and it is not by silence"


def test_the_promise_says_its_level() -> None:
    method = SGR(delta=0.05)
    promise = method.promise((certificates(method),))
    assert (promise.kind, promise.level) == ("PAC", 0.95)
    assert "0.95" in promise.statement


def test_a_toy_is_certified_too() -> None:
    event = next(e for e in SGR().states(Tiny().open(), Seeds(0)) if isinstance(e, Certificates))
    assert (event.n, event.m, event.sharing) == (240, 160, 8)
