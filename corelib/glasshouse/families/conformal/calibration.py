"""Split conformal prediction in two calls: calibrate once, then sets for any alpha. Works on NumPy without torch."""

from __future__ import annotations

import inspect
import logging
import math
from dataclasses import dataclass, replace
from importlib import import_module
from pathlib import Path
from typing import Any, cast

import numpy as np

from glasshouse.families.conformal.inputs import class_labels, probabilities
from glasshouse.families.conformal.interface import Method
from glasshouse.families.conformal.ranks import Ranks, rank, threshold_rank
from glasshouse.schema.build import build, unknown
from glasshouse.schema.errors import bad_type
from glasshouse.schema.guarantee import Guarantee

log = logging.getLogger(__name__)


@dataclass(frozen=True, eq=False)
class Calibration:
    """A score and its sorted values on the calibration points. ``scores`` float64 [n], ascending."""

    method: Method
    scores: np.ndarray
    classes: int

    @property
    def n(self) -> int:
        return len(self.scores)

    @property
    def guarantee(self) -> Guarantee:
        """The promise for any alpha chosen without looking at these points."""
        return replace(self.method.guarantee, statement=(
            f"With {self.n} calibration points, a set holds the true label with probability at least 1 - alpha and, "
            f"where scores do not tie, at most 1 - alpha + {1 / (self.n + 1):.3g}."))

    def threshold(self, alpha: float) -> float:
        """S_(k), k = ceil((n + 1)(1 - alpha)): labels that score at most this are in the set. +inf where k > n."""
        k = threshold_rank(self.n, alpha)
        return float(self.scores[k - 1]) if k <= self.n else math.inf

    def rank(self, probs: Any) -> Ranks:
        """Ranks the labels of ``probs`` [m, K] once, for any alpha."""
        return rank(self.scores, self.method.score(probabilities("probs", probs, self.classes)))

    def predict(self, probs: Any, alpha: float = 0.1) -> np.ndarray:
        """bool [m, K]: the prediction set of every row of ``probs`` [m, K]."""
        threshold_rank(self.n, alpha)
        return self.rank(probs).sets(alpha)


def fit(method: Method, probs: np.ndarray, labels: np.ndarray) -> Calibration:
    """Scores the true labels of checked ``probs`` [n, K], ``labels`` [n]."""
    scores = np.take_along_axis(method.score(probs), labels[:, None], axis=1)[:, 0]
    return Calibration(method, np.sort(scores), probs.shape[1])


def calibrate(probs: Any, labels: Any, score: str = "lac", **knobs: Any) -> Calibration:
    """Calibrates ``score`` on points that the model was not trained on.

    ``probs`` [n, K], rows summing to 1; ``labels`` [n], whole numbers from 0 to K - 1; NumPy arrays or torch tensors. ``score`` is
    the name of a method of this family, ``knobs`` its own. With fewer than ceil(1 / alpha) - 1 points every set is full.

    Raises: BadType, BadValue naming the argument.
    """
    method = _method(score, knobs)
    checked = probabilities("probs", probs)
    found = fit(method, checked, class_labels("labels", labels, *checked.shape))
    if found.n == 0:
        log.warning("no calibration points: every set will be full")
    return found


def _method(score: Any, knobs: dict[str, Any]) -> Method:
    if not isinstance(score, str):
        raise bad_type("score", score, "the name of a score, such as 'lac'")
    names = {p.stem for p in (Path(__file__).parent / "methods").glob("[!_]*.py")}
    module = score.replace("-", "_")
    if module not in names:
        raise unknown("score", score, (name.replace("_", "-") for name in names))
    home = import_module(f"glasshouse.families.conformal.methods.{module}")
    cls = next(c for _, c in inspect.getmembers(home, inspect.isclass) if c.__module__ == home.__name__ and hasattr(c, "paper"))
    chosen: Any = build(cls, knobs)
    return cast(Method, chosen)
