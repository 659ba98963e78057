"""Weighted conformal prediction against its definition, split conformal prediction, and coverage where that fails."""

from __future__ import annotations

import dataclasses
import math
from fractions import Fraction

import numpy as np
import pytest

from glasshouse import runs
from glasshouse.families.conformal.drift.drive import effective, split_limit
from glasshouse.families.conformal.drift.problems import DriftingCovariate, NoisyPeriod, Tiny
from glasshouse.families.conformal.methods.drift.weighted import Weighted

ALPHAS = [Fraction(i, 20) for i in range(1, 20)]


@pytest.mark.parametrize("n", [9, 19, 57, 99])
def test_with_equal_weights_it_is_split_conformal_prediction(n: int) -> None:
    """Exactly, at every alpha: also where (n + 1)(1 - alpha) is a whole number, and where it is infinite."""
    series = Tiny(calibration_size=n).open()
    blind = Weighted(believed=0.0)
    state = blind.begin(series)
    for alpha in (*ALPHAS, Fraction(1, n + 1), Fraction(1, 1000)):
        assert (blind.follow(series, state, alpha).limit == split_limit(series.calibration_scores, alpha)).all()
    same = Weighted().follow(*(still := NoisyPeriod(calibration_size=n + 10).open(), Weighted().begin(still)), Fraction(1, 10))
    assert (same.limit == split_limit(still.calibration_scores, Fraction(1, 10))).all()


@pytest.mark.parametrize("believed", [1.0, 0.5, 2.0])
def test_it_is_its_definition(believed: float) -> None:
    """Smallest S_(j) whose cumulative weight reaches its share of all weight, the new point's included; one point at a time."""
    series = dataclasses.replace(Tiny(calibration_size=30, draw=3).open(), shift=np.linspace(0, 3, 50))
    method = Weighted(believed=believed)
    for alpha in (0.05, 0.13, 0.5):
        limit = method.follow(series, method.begin(series), Fraction(str(alpha))).limit
        for t in range(50):
            mu = believed * series.shift[t]
            ratio = np.exp(-((series.calibration_x - mu) ** 2) / 2) / np.exp(-(series.calibration_x**2) / 2)    # of two normal densities
            own = math.exp(-((series.x[t] - mu) ** 2) / 2) / math.exp(-(series.x[t] ** 2) / 2)
            share, wanted = 0.0, math.inf
            for score, w in zip(series.calibration_scores, ratio, strict=True):
                share += w
                if share >= (1 - alpha) * (ratio.sum() + own) * (1 - 1e-12):
                    wanted = float(score)
                    break
            assert limit[t] == wanted
            np.testing.assert_allclose(method.weights(series, method.begin(series), t), ratio / ratio.mean(), rtol=1e-9, atol=1e-12)


def test_far_away_nothing_can_be_ruled_out() -> None:
    series = DriftingCovariate(strength=3.0, calibration_size=50, speed=50).open()
    limit = Weighted().follow(series, Weighted().begin(series), Fraction(1, 20)).limit
    assert np.isposinf(limit[300:]).mean() > 0.5
    assert np.isfinite(limit[:100]).all()


def test_effective_points_are_all_at_first_and_fall_with_the_drift() -> None:
    series = DriftingCovariate(strength=2.0).open()
    worth = Weighted().begin(series)["effective"]
    assert worth[:120] == pytest.approx(np.full(120, 400.0))
    assert worth[-1] < 80
    assert worth[-1] == pytest.approx(effective(Weighted().weights(series, Weighted().begin(series), 599)))
    # E w = 1 and E w^2 = exp(mu^2): n exp(-mu^2) on average over many points
    many = DriftingCovariate(strength=0.7, speed=50, calibration_size=1000).open()
    assert Weighted().begin(many)["effective"][-1] == pytest.approx(1000 * math.exp(-0.49), rel=0.2)
    assert (effective(np.zeros(3)), effective(np.array([1.0, 0, 0]))) == (0.0, 1.0)


@pytest.mark.parametrize("alpha", [0.1, 0.2])
def test_it_covers_at_every_step_where_the_unweighted_is_far_below(alpha: float) -> None:
    """200 streams with calibration points of their own: after the drift, by blocks of 40 steps. Five hundredths above at most: the new point's
    own weight is what it costs."""
    *_, last = runs.study("conformal.weighted", "streams", options={"total": 200, "alpha": alpha})
    error = 4 * math.sqrt(alpha * (1 - alpha) / 200 * (1 / 40 + 200 / 60 / 40))            # steps share calibration points worth about 60
    for start in range(400, 600, 40):
        found = last.coverage[start:start + 40].mean()  # type: ignore[union-attr]
        assert 1 - alpha - error <= found <= 1 - alpha + 0.05 + error
        assert last.fixed_coverage[start:start + 40].mean() < 1 - alpha - 0.15  # type: ignore[union-attr]


def test_one_shift_one_law_coverage_within_its_band() -> None:
    """The promise itself: a fresh calibration sample and one fresh point, 3000 times; and the unweighted interval, out of the band."""
    rng = np.random.default_rng(0)
    n, mu, alpha, times = 60, 0.8, Fraction(1, 10), 3000
    base = Tiny().open()
    held = plain = 0
    for _ in range(times):
        x, new = rng.standard_normal(n), rng.standard_normal() + mu
        scores = np.abs(rng.standard_normal(n)) * np.exp(x)
        order = np.argsort(scores)
        s = abs(rng.standard_normal()) * math.exp(new)
        series = dataclasses.replace(base, calibration_x=x[order], calibration_scores=scores[order], x=np.array([new]), shift=np.array([mu]))
        held += s <= Weighted().follow(series, Weighted().begin(series), alpha).limit[0]
        plain += s <= split_limit(scores[order], alpha)
    error = 4 * math.sqrt(0.09 / times)
    assert 0.9 - error <= held / times <= 0.97
    assert plain / times < 0.9 - error - 0.05


def test_the_guarantee_knows_what_weights_can_do() -> None:
    for problem, values, kind in (("drifting-covariate", {}, "marginal"), ("drifting-covariate", {"believed": 0.5}, "heuristic"),
                                  ("noisy-period", {}, "none"), ("noisy-period", {"factor": 1.0}, "marginal"),
                                  ("drifting-covariate", {"believed": 0.5, "strength": 0.0}, "marginal")):
        session = runs.open("conformal.weighted", problem, **values)  # type: ignore[arg-type]
        list(session.events())
        assert session.guarantee.kind == kind
