"""What a method for batches is, the points it is given, and what can be looked at afterwards.

n calibration points, m test points in a batch, S_(k) the k-th smallest calibration score, S_(n+1) the score's upper limit, T_(zeta) the
zeta-th smallest score of a batch, R_zeta = 1 + #{calibration scores below T_(zeta)} its rank.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, ClassVar, Literal, Protocol, runtime_checkable

import numpy as np
from annotated_types import Ge, Gt, Le, Lt

from glasshouse.schema.events.conformal_batch import RankLaw
from glasshouse.schema.guarantee import Guarantee
from glasshouse.schema.knob import Knob
from glasshouse.schema.paper import Paper
from glasshouse.schema.view import Preset, View

Statement = Literal["most", "quantile", "interval", "select", "mean"]
MOST_IN_A_BATCH = 40


@runtime_checkable
class Method(Protocol):
    """Promises about a batch. A frozen dataclass whose fields are its knobs; ``statement`` is one of them.

    ``score`` float64 [N] of all points. ``laws``: of each rank 1 .. m of a batch, or the one law of what else the claim is about.
    ``bounds`` takes the ascending calibration scores float64 [n] and gives the bound that belongs to each value of a law, nondecreasing.
    ``statistics`` takes scores float64 [batches, m], each row ascending, and gives [batches, laws]: what is bounded.
    """

    paper: ClassVar[Paper]
    guarantee: ClassVar[Guarantee]
    views: ClassVar[tuple[View, ...]]
    presets: ClassVar[tuple[Preset, ...]]

    @property
    def statement(self) -> Statement: ...

    def score(self, pool: Batches) -> np.ndarray: ...

    def laws(self, n: int, m: int) -> tuple[RankLaw, ...]: ...

    def bounds(self, scores: np.ndarray, upper: float, m: int) -> np.ndarray: ...

    def statistics(self, scores: np.ndarray) -> np.ndarray: ...

    def extra(self, n: int, m: int) -> Mapping[str, np.ndarray]: ...


@dataclass(frozen=True, eq=False)
class Batches:
    """A fixed model's errors on points it was not trained on, shuffled into calibration points and batches.

    ``error`` float64 [N] in [0, upper]. ``confidence`` float64 [N] in [0, upper]: how sure the model is of a claim about the point that
    selection would make; ``wrong`` bool [N]: that claim is false. ``calibration`` int64 [n] and ``batches`` int64 [b, m] are disjoint
    indices. ``spread`` float64 [3, N]: x, y and prediction, or empty.
    """

    error: np.ndarray
    confidence: np.ndarray
    wrong: np.ndarray
    upper: float
    calibration: np.ndarray
    batches: np.ndarray
    spread: np.ndarray


@dataclass(frozen=True)
class Look:
    """What a person can look at once the ranks' laws are known."""

    alpha: Annotated[float, Gt(0), Lt(1), Knob(cost="look", group="what is promised", step=0.01,
                                               help="how often the claim may be false")] = 0.1
    share: Annotated[float, Gt(0), Le(1), Knob(
        cost="look", group="what is promised", step=0.05, label="share of the batch",
        help="for most, quantile and interval: the claim is about the smallest score that this share of the batch does not exceed")] = 0.9
    allowed: Annotated[int, Ge(0), Le(MOST_IN_A_BATCH - 1), Knob(
        cost="look", group="what is promised", label="false claims allowed", unit="points",
        help="for select; a batch of m points is read as allowing at most m - 1")] = 2
    batch: Annotated[int, Ge(0), Le(9999), Knob(cost="look", group="where you look")] = 0
