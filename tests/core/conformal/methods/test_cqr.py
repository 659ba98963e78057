"""CQR: its definition, quantile models against an independent solver, shrinking and empty intervals."""

from __future__ import annotations

import math

import numpy as np
import pytest
from sklearn.linear_model import QuantileRegressor

from glasshouse import runs
from glasshouse.families.conformal.intervals import calibrate_regression
from glasshouse.families.conformal.intervals.quantiles import LinearQuantile
from glasshouse.families.conformal.methods.intervals.cqr import CQR
from glasshouse.schema.events.conformal_intervals import Intervals, Redraws


def test_equals_the_definition() -> None:
    rng = np.random.default_rng(0)
    low, y = rng.integers(-9, 0, 50), rng.integers(-12, 12, 50)
    high = low + rng.integers(0, 9, 50)
    c = calibrate_regression(np.stack((low, high), axis=1), y, method="cqr")
    e = sorted(max(a - t, t - b) for a, b, t in zip(low.tolist(), high.tolist(), y.tolist(), strict=True))
    for alpha, k in ((0.1, 46), (0.5, 26), (0.9, 6), (0.01, 51)):
        q = e[k - 1] if k <= 50 else math.inf
        assert c.threshold(alpha) == q
        assert c.interval([[-3.0, 4.0]], alpha).tolist() == [[-3 - q, 4 + q]]


def test_a_band_that_is_too_wide_shrinks_and_may_be_empty_unswapped() -> None:
    y = np.linspace(-1, 1, 99)
    c = calibrate_regression(np.tile((-10.0, 10.0), (99, 1)), y, method="cqr")
    assert c.threshold(0.1) < -8
    assert (np.abs(c.interval([[-10.0, 10.0]], 0.1)) < 1.1).all()
    low, high = c.interval([[-1.0, 1.0]], 0.1)[0]
    assert low > high
    crossed = c.interval([[12.0, -12.0]], 0.01)[0]
    assert crossed[0] > crossed[1]


@pytest.mark.parametrize("level", [0.05, 0.5, 0.95])
def test_quantile_models_reach_the_least_loss(level: float) -> None:
    """Against scikit-learn's linear program of the same problem; its alpha is the penalty a point."""
    rng = np.random.default_rng(1)
    x = rng.normal(size=(80, 4))
    y = x @ np.array([1.0, 0.0, -2.0, 0.5]) + rng.standard_t(3, 80)
    for penalty in (1e-4, 1.0, 20.0):
        ours = LinearQuantile(level, penalty).fit(x, y)
        theirs = QuantileRegressor(quantile=level, alpha=penalty / 80, solver="highs").fit(x, y)

        def loss(forecast: np.ndarray, coefficients: np.ndarray, penalty: float = penalty) -> float:
            error = y - forecast
            return float(np.maximum(level * error, (level - 1) * error).sum() + penalty * np.abs(coefficients).sum())

        assert loss(ours.predict(x), ours.coefficients) == pytest.approx(loss(theirs.predict(x), theirs.coef_), rel=1e-9)
        assert ours.predict(x) == pytest.approx(theirs.predict(x), abs=1e-6)


def test_share_below_a_quantile_model_is_its_level() -> None:
    """First-order condition of the pinball loss: at most level n points below, at least level n below or on it."""
    rng = np.random.default_rng(2)
    x, y = rng.normal(size=(200, 3)), rng.normal(size=200)
    for level in (0.1, 0.25, 0.9):
        error = y - LinearQuantile(level, 1e-4).fit(x, y).predict(x)
        assert (error < -1e-9).sum() <= level * 200 <= (error <= 1e-9).sum()


def test_covers_on_average_whatever_the_quantile_models_aim_at() -> None:
    for aim in (0.02, 0.1, 0.9):
        *_, drawn = runs.study("conformal.cqr", "redraws", "curve", options={"total": 60}, labelled=60, aim=aim)
        assert isinstance(drawn, Redraws)
        for alpha in (0.1, 0.3):
            covered = drawn.coverage[:, math.ceil(31 * (1 - alpha) - 1e-9) - 1]
            slack = 4 * covered.std() / math.sqrt(len(covered))
            assert 1 - alpha - slack <= covered.mean() <= 1 - alpha + 1 / 31 + slack


def test_it_is_narrow_where_there_is_little_noise() -> None:
    session = runs.open("conformal.cqr", "curve", labelled=400)
    list(session.events())
    seen = session.look(alpha=0.1)
    assert isinstance(seen, Intervals)
    width = seen.upper - seen.lower
    assert width[seen.learnt.at > 8].mean() > 2.5 * width[seen.learnt.at < 2].mean()
    assert seen.threshold == pytest.approx(seen.learnt.scores[seen.k - 1])
    assert session.guarantee.kind == "marginal"


def test_empty_intervals_are_counted() -> None:
    session = runs.open("conformal.cqr", "curve", aim=0.02, labelled=400)
    list(session.events())
    seen = session.look(alpha=0.9)
    assert isinstance(seen, Intervals)
    assert seen.threshold < 0
    assert seen.empty == (seen.lower > seen.upper).mean() > 0
    assert not seen.covered[seen.lower > seen.upper].any()
    assert seen.mean_width >= 0


def test_both_columns_are_needed() -> None:
    assert CQR().columns == 2
    with pytest.raises(TypeError, match=r"\[n, 2\]"):
        calibrate_regression(np.zeros(9), np.zeros(9), method="cqr")
