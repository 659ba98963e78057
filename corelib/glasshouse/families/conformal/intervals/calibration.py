"""Prediction intervals in two calls: calibrate once, then intervals for any alpha. Works on NumPy without torch."""

from __future__ import annotations

import inspect
import logging
import numbers
from dataclasses import dataclass, replace
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np

from glasshouse.families.conformal.intervals import inputs
from glasshouse.families.conformal.intervals.interface import Inductive, Method, Rule
from glasshouse.families.conformal.intervals.ladders import Ladder, Unordered
from glasshouse.families.conformal.intervals.refits import by_refits, statement
from glasshouse.families.conformal.intervals.rules import from_forecasts, learn, promise, threshold, why_infinite
from glasshouse.families.conformal.ranks import threshold_rank
from glasshouse.numerics.seeds import Seeds
from glasshouse.schema.build import build, unknown
from glasshouse.schema.errors import BadValue, bad_type, bad_value
from glasshouse.schema.guarantee import Guarantee

log = logging.getLogger(__name__)
AT_ONCE = 1 << 22       # ends of intervals that are sorted at a time: 100 MB
OF_OWN_MODELS = ("penalty", "fit_share", "aim")     # knobs of the models of the lab's problems; a caller brings their own


@dataclass(frozen=True, eq=False)
class IntervalCalibration:
    """A method and what it has learnt. ``features`` is p where it reads features, None where it reads forecasts; ``candidates`` how many targets
    a fit is made for, 0 where there is a closed form.
    """

    method: Method
    rule: Rule
    features: int | None
    candidates: int = 0

    @property
    def n(self) -> int:
        """Points that calibrate."""
        return len(self.rule.scores)

    @property
    def guarantee(self) -> Guarantee:
        """The promise for any alpha chosen without looking at these points."""
        found = promise(self.method, self.n)
        if not self.candidates:
            return found
        return replace(found, statement=statement(self.n, self.candidates),
                       assumptions=(*found.assumptions, "the candidates were chosen without looking at these points"))

    def threshold(self, alpha: float) -> float:
        """S_(k) of the scores, k = ceil((n + 1)(1 - alpha)); +inf where k > n.

        For jackknife-plus and cv-plus the k-th smallest residual, a guide only.

        Raises: BadValue, BadType for alpha; Unsupported for full conformal, which has none.
        """
        return threshold(self.method, self.rule.scores, threshold_rank(self.n, alpha))

    def infinite_because(self, alpha: float) -> str:
        """Why every interval is the whole line at this alpha; empty where none need be."""
        return why_infinite(self.n, threshold_rank(self.n, alpha), alpha)

    def interval(self, given: Any, alpha: float = 0.1) -> np.ndarray:
        """float64 [m, 2], lower and upper end. ``given``: test forecasts as in calibration, or test features [m, p] for a method with ``fit``.

        Lower above upper is an empty interval: ends are not swapped. With too few points all are infinite, see `infinite_because`.

        Raises: BadType, BadValue naming the argument.
        """
        k = threshold_rank(self.n, alpha)
        new = self._read(given)
        if k > self.n:
            log.warning("every interval is infinite: %s", self.infinite_because(alpha))
        rows = max(1, len(new) if isinstance(self.method, Inductive) else AT_ONCE // max(1, self.n))
        parts = [np.stack(self.rule.at(new[i:i + rows]).ends(k), axis=1) for i in range(0, len(new), rows)]
        return np.empty((0, 2)) if not parts else parts[0] if len(parts) == 1 else np.concatenate(parts)

    def rank(self, given: Any) -> IntervalRanks:
        """The intervals of every rank, once: any alpha is then a look-up. ``given`` as for `interval`.

        Methods that reuse their points keep 16 m n bytes for m test points; split and cqr next to nothing.

        Raises: BadType, BadValue naming the argument.
        """
        ladder = self.rule.at(self._read(given))
        return IntervalRanks(ladder.in_order() if isinstance(ladder, Unordered) else ladder)

    def _read(self, given: Any) -> np.ndarray:
        if self.features is not None:
            return inputs.features("x", given, self.features)
        assert isinstance(self.method, Inductive)
        return _forecasts(self.method, given)


@dataclass(frozen=True, eq=False)
class IntervalRanks:
    """Test points whose intervals are known at every rank."""

    ladder: Ladder

    def interval(self, alpha: float = 0.1) -> np.ndarray:
        """float64 [m, 2], what `IntervalCalibration.interval` gives. Raises: BadType, BadValue for alpha."""
        return np.stack(self.ladder.ends(threshold_rank(self.ladder.n, alpha)), axis=1)


def calibrate_regression(predictions: Any = None, targets: Any = None, method: str = "split", fit: Any = None, seed: int = 0,
                         candidates: Any = None, **knobs: Any) -> IntervalCalibration:
    """Calibrates ``method`` on points with known targets.

    "split" and "cqr" take ``predictions`` and ``targets`` [n] of points that the model was not trained on: [n] for split, [n, 2] for cqr
    (low and high quantile) and for split with ``residual="normalised"`` (forecast and the spread expected around it, above 0).
    "jackknife-plus", "cv-plus" and "full" take ``fit=(X, y, estimator)`` instead: X [n, p], y [n], and anything with fit and predict, which is
    copied and not changed. NumPy arrays or torch tensors. ``knobs`` are the method's; ``seed`` draws the folds of cv-plus.

    "full" needs an estimator that is linear in y, and checks that; any other is taken with ``candidates`` [G], targets chosen without looking at
    these points, such as ``np.linspace(0, 100, 200)``: it is then fitted G times for each test point.
    With fewer than ceil(1 / alpha) - 1 points every interval is the whole line.

    Raises: BadType, BadValue naming the argument; Unsupported for an estimator that the method cannot use.
    """
    chosen = _method(method, knobs)
    if isinstance(seed, bool) or not isinstance(seed, numbers.Integral):
        raise bad_type("seed", seed, "a whole number")
    if candidates is not None and method != "full":
        raise BadValue(f"candidates is not allowed here: {method} fits once for all targets", "candidates")
    if isinstance(chosen, Inductive):
        if fit is not None:
            raise BadValue(f"fit is not allowed here: {method} takes the predictions of a model that has not seen these points", "fit")
        given = _forecasts(chosen, predictions, "predictions")
        found = IntervalCalibration(chosen, from_forecasts(chosen, given, inputs.targets("targets", targets, len(given))), None)
        if found.n == 0:
            log.warning("no calibration points: every interval will be infinite")
        return found
    if predictions is not None or targets is not None:
        name = "predictions" if predictions is not None else "targets"
        raise BadValue(f"{name} is not allowed here: {method} fits by itself, so give fit=(X, y, estimator)", name)
    x, y, estimator = _fit(method, fit)
    if candidates is not None:
        grid = np.unique(inputs.targets("candidates", candidates))
        if len(grid) < 2:
            raise BadValue(f"candidates has {len(grid)} different entries: at least 2 are needed, and hundreds are usual", "candidates")
        return IntervalCalibration(chosen, by_refits(estimator, x, y, grid), x.shape[1], len(grid))
    *_, rule = learn(chosen, x, y, estimator, Seeds(int(seed)), np.arange(float(len(y))))
    assert isinstance(rule, Rule)
    return IntervalCalibration(chosen, rule, x.shape[1])


def _forecasts(method: Inductive, given: Any, argument: str = "predictions_test") -> np.ndarray:
    found = inputs.forecasts(argument, given, method.columns)
    spread = np.atleast_1d(method.base(found)[2])
    if (spread <= 0).any():
        at = int(np.argmax(spread <= 0))
        raise BadValue(f"{argument}[{at}] has the spread {spread[at]:g}: the second column must be above 0", argument)
    return found


def _fit(method: str, given: Any) -> tuple[np.ndarray, np.ndarray, Any]:
    wanted = f"(X, y, estimator) for {method}: labelled points and something with fit and predict"
    if given is None:
        raise BadValue(f"fit = None is not allowed: {wanted}", "fit")
    if not isinstance(given, (tuple, list)) or len(given) != 3:
        raise bad_type("fit", given, wanted)
    x = inputs.features("fit[0]", given[0]).copy()
    y = inputs.targets("fit[1]", given[1], len(x)).copy()
    if not (callable(getattr(given[2], "fit", None)) and callable(getattr(given[2], "predict", None))) or inspect.isclass(given[2]):
        raise bad_type("fit[2]", given[2], "an object with fit(X, y) and predict(X)")
    if getattr(given[2], "warm_start", False):
        raise BadValue("fit[2] has warm_start=True: it would begin with what it knows of points that it must not have seen", "fit[2]")
    if len(x) < 2:
        raise BadValue(f"fit has {len(x)} points: at least 2 are needed, one to learn from and one to be left out", "fit")
    return x, y, given[2]


def _method(name: Any, knobs: dict[str, Any]) -> Any:
    if not isinstance(name, str):
        raise bad_type("method", name, "the name of a method, such as 'split'")
    names = {p.stem for p in (Path(__file__).parents[1] / "methods" / "intervals").glob("[!_]*.py")}
    module = name.replace("-", "_")
    if module not in names:
        raise unknown("method", name, (known.replace("_", "-") for known in names))
    home = import_module(f"glasshouse.families.conformal.methods.intervals.{module}")
    cls = next(c for _, c in inspect.getmembers(home, inspect.isclass) if c.__module__ == home.__name__ and hasattr(c, "paper"))
    for knob in knobs:
        if knob in OF_OWN_MODELS and knob in getattr(cls, "__dataclass_fields__", {}):
            raise bad_value(knob, knobs[knob], "left out: it belongs to the model, and you bring your own")
    return build(cls, knobs)
