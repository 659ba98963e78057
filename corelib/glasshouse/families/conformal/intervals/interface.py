"""What a method of prediction intervals is, the sample it learns from, and what can be looked at afterwards.

n are the points that calibrate, m the test points, p the features, alpha the miscoverage, k = ceil((n + 1)(1 - alpha)).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Annotated, Any, ClassVar, Protocol, runtime_checkable

import numpy as np
from annotated_types import Ge, Gt, Le, Lt

from glasshouse.families.conformal.intervals.ladders import Ladder
from glasshouse.numerics.seeds import Seeds
from glasshouse.schema.events.base import Progress
from glasshouse.schema.guarantee import Guarantee
from glasshouse.schema.knob import Knob
from glasshouse.schema.paper import Paper
from glasshouse.schema.view import Preset, View

Penalty = Annotated[float, Ge(1e-4), Le(1e3), Knob(
    cost="live", group="how it learns", label="smoothing", log=True, more=True, help="how much large coefficients are held back (ridge penalty)")]
FitShare = Annotated[float, Ge(0.1), Le(0.9), Knob(
    cost="live", group="how it learns", label="share to learn from", step=0.05, more=True,
    help="this share of the labelled points trains the model; the rest measures how wrong it is")]


class Estimator(Protocol):
    """Anything that fits ``x`` [n, p], ``y`` [n] and then predicts [m] for ``x`` [m, p]. It is cloned by ``copy.deepcopy``."""

    def fit(self, x: Any, y: Any) -> Any: ...

    def predict(self, x: Any) -> Any: ...


@dataclass(frozen=True, eq=False)
class Rule:
    """What is learned: intervals for any point and any alpha.

    ``scores`` float64 [n], ascending, are residuals or what plays their part; ``at`` takes features [m, p] (or what the method reads in
    their place) and gives their intervals at every rank; ``center`` the forecast [m] in the middle of them. ``extra`` is the method's own
    state, for its views.
    """

    scores: np.ndarray
    at: Callable[[np.ndarray], Ladder]
    center: Callable[[np.ndarray], np.ndarray]
    extra: Mapping[str, np.ndarray]


class Method(Protocol):
    """A published method: a frozen dataclass whose fields are its knobs. It is `Inductive` or `Resampling` besides.

    ``has_threshold``: whether a threshold on the scores says something.
    """

    paper: ClassVar[Paper]
    guarantee: ClassVar[Guarantee]
    views: ClassVar[tuple[View, ...]]
    presets: ClassVar[tuple[Preset, ...]]
    has_threshold: ClassVar[bool]

    @property
    def penalty(self) -> float: ...

    def claim(self, n: int) -> tuple[int, float]:
        """(a, b): with ``n`` calibrating points theory promises a coverage of at least 1 - a alpha - b."""
        ...

    def statement(self, n: int) -> str:
        """The same in one sentence."""
        ...


@runtime_checkable
class Inductive(Method, Protocol):
    """Learns from one part of the points and scores the others.

    ``train`` gives a function from features [m, p] to forecasts [m, columns]. ``scores`` float64 [n] of forecasts [n, columns] and
    targets [n], large = strange. ``base`` turns forecasts [m, columns] into (low, high, scale), each [m] (scale also 1 for all): the interval
    at the threshold q is [low - q scale, high + q scale].
    """

    @property
    def fit_share(self) -> float: ...

    @property
    def columns(self) -> int: ...

    def train(self, x: np.ndarray, y: np.ndarray, model: Estimator) -> Callable[[np.ndarray], np.ndarray]: ...

    def scores(self, forecasts: np.ndarray, y: np.ndarray) -> np.ndarray: ...

    def base(self, forecasts: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray | float]: ...

    def extra(self, forecasts: np.ndarray, y: np.ndarray, shown_at: np.ndarray) -> Mapping[str, np.ndarray]: ...


@runtime_checkable
class Resampling(Method, Protocol):
    """Learns from all points, again and again without some of them. Yields Progress while it works and a Rule at the end.

    ``shown_at`` float64 [n] is where the points stand in pictures.
    """

    def learn(self, x: np.ndarray, y: np.ndarray, model: Estimator, seeds: Seeds, shown_at: np.ndarray) -> Iterator[Progress | Rule]: ...


@dataclass(frozen=True, eq=False)
class Sample:
    """Labelled points, test points, and for pictures a grid where there is one input.

    ``x`` [n, p], ``test_x`` [m, p] and ``grid_x`` [g, p] are what a linear model reads; ``y`` [n] and ``test_y`` [m] the targets. ``at``,
    ``test_at`` and ``grid`` are the single input that they stand for; with many inputs ``grid`` is empty and the other two are the first
    of them. ``input_name`` says what pictures have across: the input, or the forecast where there are many. All float64.
    """

    x: np.ndarray
    y: np.ndarray
    at: np.ndarray
    test_x: np.ndarray
    test_y: np.ndarray
    test_at: np.ndarray
    grid_x: np.ndarray
    grid: np.ndarray
    input_name: str
    target_name: str


@dataclass(frozen=True)
class Look:
    """What a person can look at once the intervals of every rank are there."""

    alpha: Annotated[float, Gt(0), Lt(1), Knob(cost="look", group="what is promised", step=0.01,
                                               help="the share of intervals that may miss the truth")] = 0.1
    point: Annotated[int, Ge(0), Le(9999), Knob(cost="look", group="where you look", label="test point")] = 0
