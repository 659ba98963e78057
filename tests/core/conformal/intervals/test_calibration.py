"""The public call: arrays of any framework, what is refused and how, and what is safe."""

from __future__ import annotations

import logging
import math
from typing import Any

import numpy as np
import pytest
from sklearn.ensemble import RandomForestRegressor
from sklearn.linear_model import Ridge as TheirRidge

from glasshouse.families.conformal.intervals import Ridge, calibrate_regression
from glasshouse.schema.errors import BadType, BadValue, GlasshouseError

RNG = np.random.default_rng(0)
X, Y = RNG.normal(size=(30, 2)), RNG.normal(size=30)


def test_torch_tensors_and_lists_are_taken_and_not_changed() -> None:
    import torch

    f, y = torch.tensor(X[:, 0], dtype=torch.float32), torch.tensor(Y)
    from_torch = calibrate_regression(f, y).interval(f[:5], 0.2)
    from_numpy = calibrate_regression(X[:, 0].astype(np.float32), Y).interval(X[:5, 0].astype(np.float32).tolist(), 0.2)
    assert from_torch.dtype == np.float64
    assert from_torch.shape == (5, 2)
    assert (from_torch == from_numpy).all()
    before = X.copy(), Y.copy()
    calibrate_regression(method="full", fit=(torch.tensor(X), torch.tensor(Y), Ridge())).interval(X)
    assert (before[0] == X).all()
    assert (before[1] == Y).all()


def test_sklearn_regressors_are_taken() -> None:
    for method in ("jackknife-plus", "cv_plus", "full"):
        c = calibrate_regression(method=method, fit=(X, Y, TheirRidge()))
        assert c.interval(X[:4]).shape == (4, 2)
        assert c.n == 30


@pytest.mark.parametrize("alpha", [0, 1, -0.1, 1.5, 10, math.nan, math.inf])
@pytest.mark.parametrize("method", ["split", "full"])
def test_alpha_that_is_none(alpha: float, method: str) -> None:
    c = calibrate_regression(Y, Y) if method == "split" else calibrate_regression(method=method, fit=(X, Y, Ridge()))
    for call in (lambda: c.interval(Y if method == "split" else X, alpha), lambda: c.threshold(alpha), lambda: c.infinite_because(alpha)):
        with pytest.raises(BadValue, match="alpha"):
            call()


def test_alpha_of_another_type() -> None:
    for alpha in ("0.1", None, True, [0.1]):
        with pytest.raises(BadType, match="alpha"):
            calibrate_regression(Y, Y).interval(Y, alpha)  # type: ignore[arg-type]


@pytest.mark.parametrize(("given", "argument"), [
    ({"predictions": np.append(Y[:-1], np.nan), "targets": Y}, "predictions"),
    ({"predictions": Y, "targets": np.append(Y[:-1], np.inf)}, "targets"),
    ({"predictions": Y, "targets": Y[:-1]}, "targets"),
    ({"predictions": X, "targets": Y}, "predictions"),
    ({"predictions": Y[:, None, None], "targets": Y}, "predictions"),
    ({"predictions": Y, "targets": Y[:, None]}, "targets"),
    ({"predictions": Y.astype(str), "targets": Y}, "predictions"),
    ({"predictions": Y > 0, "targets": Y}, "predictions"),
    ({"predictions": "Y", "targets": Y}, "predictions"),
    ({"targets": Y}, "predictions"),
    ({"predictions": Y}, "targets"),
    ({"predictions": Y, "targets": Y, "method": "cqr"}, "predictions"),
    ({"predictions": X, "targets": Y, "residual": "normalised"}, "predictions"),        # spreads below 0
    ({"predictions": Y, "targets": Y, "method": "splt"}, "method"),
    ({"predictions": Y, "targets": Y, "method": 3}, "method"),
    ({"predictions": Y, "targets": Y, "method": "../split"}, "method"),
    ({"predictions": Y, "targets": Y, "seed": 1.5}, "seed"),
    ({"predictions": Y, "targets": Y, "fit": (X, Y, Ridge())}, "fit"),
    ({"predictions": Y, "targets": Y, "penalty": 0.5}, "penalty"),
    ({"predictions": Y, "targets": Y, "fit_share": 0.5}, "fit_share"),
    ({"predictions": Y, "targets": Y, "residual": "relative"}, "residual"),
    ({"predictions": Y, "targets": Y, "no_knob": 1}, "knob"),
    ({"method": "full"}, "fit"),
    ({"method": "full", "fit": (X, Y)}, "fit"),
    ({"method": "full", "fit": (X, Y, "ridge")}, "fit[2]"),
    ({"method": "full", "fit": (X, Y, Ridge)}, "fit[2]"),
    ({"method": "full", "fit": (X[:, 0], Y, Ridge())}, "fit[0]"),
    ({"method": "full", "fit": (X, Y[:5], Ridge())}, "fit[1]"),
    ({"method": "full", "fit": (X[:1], Y[:1], Ridge())}, "fit"),
    ({"method": "full", "fit": (np.where(X > 2, np.nan, X * np.inf), Y, Ridge())}, "fit[0]"),
    ({"method": "full", "fit": (X, Y, Ridge()), "predictions": Y}, "predictions"),
    ({"method": "full", "fit": (X, Y, Ridge()), "candidates": [1.0]}, "candidates"),
    ({"method": "full", "fit": (X, Y, Ridge()), "candidates": [1.0, math.nan]}, "candidates"),
    ({"method": "full", "fit": (X, Y, Ridge()), "candidates": 50}, "candidates"),
    ({"method": "cv-plus", "fit": (X, Y, Ridge()), "candidates": [1.0, 2.0]}, "candidates"),
    ({"predictions": Y, "targets": Y, "candidates": [1.0, 2.0]}, "candidates"),
    ({"method": "jackknife-plus", "fit": (X, Y, RandomForestRegressor(2, warm_start=True))}, "fit[2]"),
    ({"method": "full", "fit": (X, Y, Ridge()), "targets": Y}, "targets"),
    ({"method": "cv-plus", "fit": (X, Y, Ridge()), "folds": 1}, "folds")])
def test_bad_input_names_its_argument(given: dict[str, Any], argument: str) -> None:
    with pytest.raises(GlasshouseError) as error:
        calibrate_regression(**given)
    assert error.value.argument == argument
    assert isinstance(error.value, (ValueError, TypeError))
    assert argument.split("[")[0] in str(error.value)


def test_test_points_unlike_the_calibration_points() -> None:
    resampled, cqr = calibrate_regression(method="full", fit=(X, Y, Ridge())), calibrate_regression(X, Y, method="cqr")
    for call, word in ((lambda: resampled.interval(np.zeros((3, 5))), "5 features"), (lambda: resampled.interval(np.zeros(3)), "shape"),
                       (lambda: cqr.interval(np.zeros(3)), r"\[n, 2\]"), (lambda: cqr.interval([[0, np.nan]]), "finite"),
                       (lambda: calibrate_regression(Y, Y).interval(X), r"\[n\]")):
        with pytest.raises(GlasshouseError, match=word):
            call()


class Wrong:
    """An estimator that predicts what it should not."""

    def __init__(self, value: Any) -> None:
        self.value = value

    def fit(self, x: Any, y: Any) -> None: ...

    def predict(self, x: Any) -> Any:
        return self.value


def test_an_estimator_that_predicts_nonsense() -> None:
    for value, word in ((np.zeros(3), "one number a point"), (np.nan, "NaN"), ([[math.inf]], "infinity")):
        with pytest.raises(BadValue, match=word):
            calibrate_regression(method="jackknife-plus", fit=(X, Y, Wrong(value)))


def test_too_few_points_give_the_whole_line_and_say_why(caplog: pytest.LogCaptureFixture) -> None:
    for c, new in ((calibrate_regression(Y[:8], Y[:8]), Y), (calibrate_regression(method="full", fit=(X[:8], Y[:8], Ridge())), X),
                   (calibrate_regression(method="cv-plus", fit=(X[:8], Y[:8], Ridge())), X)):
        with caplog.at_level(logging.WARNING, "glasshouse"):
            ends = c.interval(new, 0.1)
        assert (ends == [-np.inf, np.inf]).all()
        assert c.infinite_because(0.1) == "8 calibration points are too few for alpha = 0.1: 9 are needed"
        assert "9 are needed" in caplog.text
        assert np.isfinite(c.interval(new, 0.2)).all()
        assert c.infinite_because(0.2) == ""
    assert calibrate_regression(Y[:8], Y[:8]).threshold(0.1) == math.inf


def test_no_points_at_all_are_safe() -> None:
    c = calibrate_regression([], [])
    assert c.n == 0
    assert (c.interval(Y, 0.5) == [-np.inf, np.inf]).all()
    assert calibrate_regression(Y, Y).interval([], 0.5).shape == (0, 2)


def test_guarantees() -> None:
    assert calibrate_regression(Y, Y).guarantee.kind == "marginal"
    assert "With 30 calibration points" in calibrate_regression(Y, Y).guarantee.statement
    assert "1 - 2 alpha - " in calibrate_regression(method="cv-plus", fit=(X, Y, Ridge())).guarantee.statement


def test_folds_are_of_the_seed() -> None:
    def ends(seed: int) -> np.ndarray:
        return calibrate_regression(method="cv-plus", fit=(X, Y, Ridge(0.1)), seed=seed, folds=3).interval(X)

    assert (ends(1) == ends(1)).all()
    assert (ends(1) != ends(2)).any()


@pytest.mark.parametrize("method", ["split", "cqr", "jackknife-plus", "cv-plus", "full"])
def test_ranked_once_gives_every_alpha(method: str) -> None:
    own = method in ("split", "cqr")
    c = calibrate_regression(Y if method == "split" else np.sort(X), Y, method) if own else calibrate_regression(method=method, fit=(X, Y, Ridge()))
    new = (Y if method == "split" else np.sort(X)) if own else X
    ranked = c.rank(new)
    for alpha in (0.01, 0.03, 0.1, 0.2, 0.5, 0.77, 0.99):
        assert (ranked.interval(alpha) == c.interval(new, alpha)).all()
    with pytest.raises(BadValue, match="alpha"):
        ranked.interval(1.5)
    with pytest.raises(GlasshouseError):
        c.rank("new")


def test_estimators_know_no_places() -> None:
    """The theorems of refits assume an estimator that treats its points alike: whatever order they come in, the intervals are the same."""
    shuffled, restless = RNG.permutation(30), RandomForestRegressor(3, max_depth=3, random_state=1)
    for method, given in (("jackknife-plus", {}), ("full", {"candidates": [-1.0, 0.0, 1.0]})):
        ends = [calibrate_regression(method=method, fit=(X[o], Y[o], restless), **given).interval(X[:3] + 0.1, 0.2)  # type: ignore[arg-type]
                for o in (np.arange(30), shuffled)]
        assert (ends[0] == ends[1]).all()


def test_any_whole_number_is_a_seed() -> None:
    one, other = (calibrate_regression(method="cv-plus", fit=(X, Y, Ridge()), seed=s).interval(X) for s in (3, np.int64(3)))  # type: ignore[arg-type]
    assert (one == other).all()


def test_many_test_points_are_taken_in_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    from glasshouse.families.conformal.intervals import calibration

    c = calibrate_regression(method="jackknife-plus", fit=(X, Y, Ridge()))
    whole = c.interval(X, 0.2)
    monkeypatch.setattr(calibration, "AT_ONCE", 100)
    assert c.interval(X, 0.2) == pytest.approx(whole, abs=1e-12)
