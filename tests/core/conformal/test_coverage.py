"""The exact law of coverage, in formula and in fact."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from glasshouse import catalogue, runs
from glasshouse.families.conformal.coverage import coverage_band, covered_law
from glasshouse.families.conformal.interface import Celled
from glasshouse.families.conformal.ranks import threshold_rank
from glasshouse.schema.events.conformal import Resplits


@pytest.mark.parametrize(("n", "m", "k"), [(50, 200, 46), (9, 20, 9), (500, 697, 451), (1, 1, 1), (30, 30, 1)])
def test_law_is_the_beta_binomial(n: int, m: int, k: int) -> None:
    theirs = stats.betabinom(m, k, n + 1 - k)
    np.testing.assert_allclose(covered_law(n, m, k), theirs.pmf(np.arange(m + 1)), rtol=1e-9, atol=1e-300)
    low, high = coverage_band(n, m, k)
    assert (low * m, high * m) == pytest.approx((theirs.ppf(0.01), theirs.ppf(0.99)))


def test_band_of_the_brief_and_of_full_sets() -> None:
    assert coverage_band(50, 200, threshold_rank(50, 0.1)) == pytest.approx((0.77, 0.98))
    assert coverage_band(8, 200, threshold_rank(8, 0.1)) == (1.0, 1.0)


ALPHAS, SIZES = (0.05, 0.1, 0.3), (40, 200)
TESTS = len(ALPHAS) * len(SIZES)


def _resplits(problem: str, total: int, seed: int = 0, method: str = "conformal.lac", **values: object) -> Resplits:
    *_, last = runs.study(method, "resplits", problem, seed, {"total": total}, **values)
    assert isinstance(last, Resplits)
    return last


@pytest.mark.parametrize("n", SIZES)
@pytest.mark.parametrize("alpha", ALPHAS)
def test_resplits_of_the_digits_follow_the_law(alpha: float, n: int) -> None:
    """Mean within 4 standard errors and KS at 1 % shared by all tests here: ties of whole numbers only make its p-values too small."""
    event = _resplits("digits", 400, calibration_size=n)
    k = threshold_rank(n, alpha)
    law = stats.betabinom(event.m, k, n + 1 - k)
    covered = event.coverage[:, k] * event.m
    assert abs(covered.mean() - law.mean()) <= 4 * law.std() / np.sqrt(len(covered))
    assert stats.kstest(covered, law.cdf).pvalue > 0.01 / TESTS


@pytest.mark.slow
def test_every_score_with_one_threshold_follows_the_law_over_two_thousand_resplits() -> None:
    """A chi-square test for each method of the catalogue that pools its scores, without exact ties; level 1 % by Holm over them."""
    pooled = [i.id for i in catalogue.methods("conformal") if i.room == "conformal" and not isinstance(catalogue.load(i.id)(), Celled)]
    found = {}
    for method in pooled:
        event = _resplits("digits", 2000, method=method, calibration_size=200)
        k = threshold_rank(200, 0.1)
        law = stats.betabinom(event.m, k, 201 - k)
        edges = np.unique(law.ppf(np.arange(1, 20) / 20))
        counts = np.bincount(np.searchsorted(edges, np.rint(event.coverage[:, k] * event.m), side="left"), minlength=len(edges) + 1)
        expected = np.diff(np.concatenate(([0.0], law.cdf(edges), [1.0]))) * 2000
        found[method] = float(stats.chisquare(counts, expected).pvalue)
        assert abs(event.coverage[:, k].mean() - k / 201) <= 4 * law.std() / event.m / np.sqrt(2000)
    print(found)
    assert len(found) >= 4
    assert all(p > 0.01 / (len(found) - i) for i, p in enumerate(sorted(found.values())))


def test_the_law_would_catch_a_rank_that_is_off_by_one() -> None:
    """The same test fails for k + 1 and k - 1 at n = 40: it has the power to see what it is for."""
    event = _resplits("digits", 400, calibration_size=40)
    for off in (-1, 1):
        law = stats.betabinom(event.m, 36, 41 - 36)
        assert threshold_rank(40, 0.13) == 36
        assert stats.kstest(event.coverage[:, 36 + off] * event.m, law.cdf).pvalue < 1e-6


def test_resplits_are_partial_pictures_of_one_whole() -> None:
    pictures = [e for e in runs.study("conformal.lac", "resplits", "tiny", options={"total": 12}) if isinstance(e, Resplits)]
    assert [p.done for p in pictures] == [5, 10, 12]
    whole = pictures[-1]
    assert (whole.n, whole.m, whole.total, whole.coverage.shape, whole.mean_size.shape) == (30, 30, 12, (12, 32), (12, 32))
    for picture in pictures:
        assert (picture.coverage == whole.coverage[: picture.done]).all()
    assert (whole.coverage[:, 0] == 0).all()
    assert (whole.coverage[:, -1] == 1).all()
    assert (whole.mean_size[:, -1] == 3).all()
    assert (np.diff(whole.coverage, axis=1) >= 0).all()
    assert (whole.coverage == _resplits("tiny", 12).coverage).all()
    assert (whole.coverage != _resplits("tiny", 12, seed=1).coverage).any()


def test_a_resplit_is_what_calibrate_says() -> None:
    from glasshouse.families.conformal import calibrate
    from glasshouse.numerics.seeds import Seeds

    pool = catalogue.problem("conformal", "digits:calibration_size=60").open()
    event = _resplits("digits:calibration_size=60", 3, seed=5)
    order = Seeds(5).numpy("resplit", 2).permutation(len(pool.labels))
    calibration, test = order[:60], order[60 : 60 + 697]
    sets = calibrate(pool.probs[calibration], pool.labels[calibration], "lac").predict(pool.probs[test], 0.2)
    k = threshold_rank(60, 0.2)
    assert event.coverage[2, k] == sets[np.arange(697), pool.labels[test]].mean()
    assert event.mean_size[2, k] == sets.sum(axis=1).mean()
