"""Ridge and its shortcuts against scikit-learn and against the refits that they spare."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.linear_model import Ridge as Theirs

from glasshouse.families.conformal.intervals import Ridge


def drawn(n: int = 30, p: int = 5) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(0)
    x = rng.normal(size=(n, p))
    return x, 40 + x @ np.arange(1.0, p + 1) + rng.normal(size=n)


@pytest.mark.parametrize("penalty", [1e-4, 0.5, 100.0])
def test_equals_an_independent_library(penalty: float) -> None:
    x, y = drawn()
    assert Ridge(penalty).fit(x, y).predict(x) == pytest.approx(Theirs(alpha=penalty).fit(x, y).predict(x), abs=1e-9)


@pytest.mark.parametrize(("n", "p"), [(30, 5), (8, 12)])
def test_leaving_one_out_equals_refits(n: int, p: int) -> None:
    x, y = drawn(n, p)
    coefficients, residuals = Ridge(0.3).left_out(x, y)
    for i in range(n):
        rest = np.delete(np.arange(n), i)
        again = Ridge(0.3).fit(x[rest], y[rest])
        assert coefficients[i] == pytest.approx(again.coefficients, abs=1e-8)
        assert residuals[i] == pytest.approx(y[i] - again.predict(x[i:i + 1])[0], abs=1e-8)


def test_adding_one_equals_refits() -> None:
    (x, y), new = drawn(), np.random.default_rng(1).normal(size=(3, 5)) * 2
    lines = Ridge(0.3).with_one_more(x, y, new)
    for j, row in enumerate(new):
        for target in (-50.0, 40.0, 300.0):
            both, targets = np.vstack((x, row)), np.append(y, target)
            residuals = targets - Ridge(0.3).fit(both, targets).predict(both)
            t = (target - lines.centre[j]) / lines.stretch[j]
            assert residuals[-1] == pytest.approx(t, abs=1e-8)
            assert residuals[:-1] == pytest.approx(lines.residuals[j] - lines.pull[j] * t, abs=1e-8)


def test_nothing_given_is_changed() -> None:
    x, y = drawn()
    before = x.copy(), y.copy()
    model = Ridge(1.0)
    model.left_out(x, y)
    model.with_one_more(x, y, x[:2])
    assert len(model.coefficients) == 0
    assert (x == before[0]).all()
    assert (y == before[1]).all()
