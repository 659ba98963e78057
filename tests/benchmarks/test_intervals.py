"""Intervals for one's own forecasts beside the formula written out, in one process and interleaved: at most three times as long."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from benchmarks.interleaved import paired, race, report
from glasshouse.families.conformal.intervals import Ridge, calibrate_regression

pytestmark = pytest.mark.bench
MILLION, MOST = 1_000_000, 3.0
Ends = Callable[[], np.ndarray]


def _split() -> tuple[Ends, Ends]:
    rng = np.random.default_rng(0)
    f, y = rng.normal(size=(2, MILLION))
    c, q = calibrate_regression(f, y), float(np.sort(np.abs(y - f))[900_000])
    return lambda: c.interval(f, 0.1), lambda: np.stack((f - q, f + q), axis=1)


def _cqr() -> tuple[Ends, Ends]:
    rng = np.random.default_rng(0)
    f, y = np.sort(rng.normal(size=(MILLION, 2)), axis=1), rng.normal(size=MILLION)
    c, q = calibrate_regression(f, y, "cqr"), float(np.sort(np.maximum(f[:, 0] - y, y - f[:, 1]))[900_000])
    return lambda: c.interval(f, 0.1), lambda: np.stack((f[:, 0] - q, f[:, 1] + q), axis=1)


def _jackknife() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    rng = np.random.default_rng(0)
    return rng.normal(size=(1000, 8)), rng.normal(size=1000), rng.normal(size=(1000, 8))


def _jackknife_plus() -> tuple[Ends, Ends]:
    x, y, new = _jackknife()
    c, (coefficients, left_out) = calibrate_regression(method="jackknife-plus", fit=(x, y, Ridge())), Ridge().left_out(x, y)

    def direct() -> np.ndarray:
        f, r = new @ coefficients[:, 1:].T + coefficients[:, 0], np.abs(left_out)
        return np.stack((np.partition(f - r, 99, axis=1)[:, 99], np.partition(f + r, 900, axis=1)[:, 900]), axis=1)
    return lambda: c.interval(new, 0.1), direct


def _jackknife_plus_ranked() -> tuple[Ends, Ends]:
    """Twenty alphas."""
    x, y, new = _jackknife()
    ranked = calibrate_regression(method="jackknife-plus", fit=(x, y, Ridge())).rank(new)
    coefficients, left_out = Ridge().left_out(x, y)
    f, r = new @ coefficients[:, 1:].T + coefficients[:, 0], np.abs(left_out)
    low, high, alphas = np.sort(f - r, axis=1), np.sort(f + r, axis=1), [i / 100 for i in range(5, 25)]
    return (lambda: np.stack([ranked.interval(alpha) for alpha in alphas]),
            lambda: np.stack([np.stack((low[:, 10 * i + i // 100 - 1 + (i > 99)], high[:, 1000 - 10 * i]), axis=1) for i in range(5, 25)]))


@pytest.mark.parametrize("contest", [_split, _cqr, _jackknife_plus, _jackknife_plus_ranked], ids=lambda f: f.__name__[1:])
def test_intervals_beside_the_formula(contest: Callable[[], tuple[Ends, Ends]]) -> None:
    ours, direct = contest()
    assert np.array_equal(ours(), direct())
    seconds = race({"direct": direct, "ours": ours})
    times = paired(seconds["ours"], seconds["direct"])
    report(f"intervals-{contest.__name__[1:]}", [{"ours_ms": 1e3 * float(np.median(seconds["ours"])),
                                                  "direct_ms": 1e3 * float(np.median(seconds["direct"])), "times": 1 / times}])
    assert 1 / times <= MOST
