from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import ndtr, ndtri

from glasshouse.families.conformal.ranks import threshold_rank
from glasshouse.families.conformal.robust.certificate import Certificate, bernstein, hoeffding
from glasshouse.numerics.seeds import Seeds

SHARE = st.floats(0, 1)


def test_golden_numbers() -> None:
    """At 256 draws and beta = .001; Bernstein's is the smaller only where the variance is small."""
    assert hoeffding(256, 0.001) == pytest.approx(0.11615, abs=5e-6)
    assert bernstein(np.zeros(1), 256, 0.001)[0] == pytest.approx(0.06955, abs=5e-6)
    even = (0.11615 - 0.06955) ** 2 * 256 / (2 * math.log(2000))
    assert even == pytest.approx(0.0366, abs=1e-4)
    assert bernstein(np.array([even]), 256, 0.001)[0] == pytest.approx(hoeffding(256, 0.001), abs=1e-4)


@pytest.mark.parametrize("law", ["even", "rare", "flat"])
def test_bounds_fail_as_seldom_as_they_say(law: str) -> None:
    """Means of 64 draws with a known expectation, 20,000 times; 4 standard errors of slack."""
    rng, beta, times = Seeds(0).numpy("bounds", len(law)), 0.04, 20_000
    p = {"even": 0.5, "rare": 0.03, "flat": 0.5}[law]
    draws = rng.random((times, 64)) if law == "flat" else (rng.random((times, 64)) < p).astype(float)
    means, variances = draws.mean(axis=1), draws.var(axis=1, ddof=1)
    most = beta + 4 * math.sqrt(beta / times)
    assert (means - hoeffding(64, beta) > p).mean() <= most
    assert (means + hoeffding(64, beta) < p).mean() <= most
    assert (means - bernstein(variances, 64, beta) > p).mean() <= most
    assert (means > p).mean() > most, "without a bound it fails often: the test can fail"


@given(st.integers(1, 300), st.integers(1, 99), st.sampled_from([0.0001, 0.001, 0.005, 0.02]))
def test_the_rank_is_that_of_alpha_less_twice_beta_in_exact_arithmetic(n: int, percent: int, beta: float) -> None:
    alpha = percent / 100
    assert Certificate(0.5, 256, "ignored").rank(n, alpha, beta) == threshold_rank(n, alpha)
    ten_thousandths = 100 * percent - 2 * round(1e4 * beta)
    want = -(-(n + 1) * (10_000 - ten_thousandths) // 10_000) if ten_thousandths > 0 else n + 1
    assert Certificate(0.5, 256, "bernstein").rank(n, alpha, beta) == want


@settings(max_examples=200)
@given(st.lists(SHARE, min_size=8, max_size=8), SHARE, st.floats(0, 1.5), st.floats(0.05, 1.5), st.integers(16, 512),
       st.sampled_from(["hoeffding", "bernstein"]), st.floats(1e-6, 0.04))
def test_plus_holds_plain_and_both_grow_with_the_radius(means: list[float], threshold: float, radius: float, sigma: float, n_mc: int,
                                                         error: str, beta: float) -> None:
    """With the same threshold; that of level alpha - 2 beta is never lower."""
    mean = np.array(means)
    variance = mean * (1 - mean)
    plain, plus = Certificate(sigma, n_mc, "ignored"), Certificate(sigma, n_mc, error)  # type: ignore[arg-type]

    def inside(which: Certificate, at: float, spent: float) -> np.ndarray:
        found: np.ndarray = which.least(mean, variance, spent) <= which.limit(threshold, at, spent)
        return found

    assert (inside(plain, radius, beta) <= inside(plus, radius, beta)).all()
    assert (inside(plus, radius, beta) <= inside(plus, radius + 0.2, beta)).all()
    assert (inside(plus, radius, beta) <= inside(plus, radius, beta / 10)).all(), "a surer bound is a wider one"
    assert (inside(plain, 0.0, beta) == (mean <= threshold)).all() or np.isclose(ndtri(mean), ndtri(threshold)).any()
    assert plus.rank(99, 0.1, beta) >= plain.rank(99, 0.1, beta)


def test_an_attack_needs_exactly_the_radius_withstood_where_the_bound_is_tight() -> None:
    """Half-space: E s(x) = Phi((w x - c) / sigma). Along w the score's Phi^-1 rises by distance / sigma and nothing rises faster."""
    sigma, place = 0.4, np.linspace(-1, 1, 21)
    certificate = Certificate(sigma, 256, "ignored")
    limit = certificate.limit(float(ndtr(0.3 / sigma)), 0.25, 0.001)
    withstood = certificate.withstood(ndtr(place / sigma), limit, 0.001)
    out = place > 0.3 + 0.25 + 1e-9
    assert np.isneginf(withstood[out]).all()
    np.testing.assert_allclose(withstood[~out], 0.55 - place[~out], atol=1e-9)
    for share, inside in ((0.999, True), (1.001, False)):
        moved = ndtr((place[~out] + share * withstood[~out]) / sigma)
        safe = withstood[~out] > 1e-6
        assert ((certificate.least(moved, np.zeros_like(moved), 0.001) <= limit) == inside)[safe].all()


def test_ends() -> None:
    certificate = Certificate(0.5, 64, "hoeffding")
    assert certificate.limit(math.inf, 0.1, 0.001) == math.inf
    assert certificate.limit(0.95, 0.1, 0.001) == math.inf, "threshold plus bound pass 1"
    assert np.isposinf(certificate.withstood(np.array([0.0, 1.0]), math.inf, 0.001)).all()
    ends = certificate.least(np.array([0.0, 0.01, 1.0]), np.zeros(3), 0.001)
    assert np.isneginf(ends[:2]).all()
    assert np.isneginf(certificate.withstood(np.array([1.0]), certificate.limit(0.2, 0.0, 0.001), 0.001)).all()
    exact = Certificate(0.5, 64, "ignored")
    assert not (exact.least(np.array([1.0]), np.zeros(1), 0.001) <= exact.limit(0.9, 1.0, 0.001)).any()
    assert (exact.least(np.array([1.0]), np.zeros(1), 0.001) <= exact.limit(1.0, 0.0, 0.001)).all()
