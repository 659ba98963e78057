"""What a method that reasons is, the detectors' evidence it is given, and what can be looked at afterwards.

K classes and L properties, each with a detector that says yes or no; M = K + L. A detector reads an image many times under Gaussian
noise, and pi_j is its probability of yes. A rule says that a class has a property, or has it not.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, ClassVar, Literal, Protocol, runtime_checkable

import numpy as np
from annotated_types import Ge, Gt, Le, Lt

from glasshouse.schema.guarantee import Guarantee
from glasshouse.schema.knob import Knob
from glasshouse.schema.paper import Paper
from glasshouse.schema.view import Preset, View

Calibrated = Literal["one threshold", "one a class", "as published"]
MOST_RADIUS = 0.5
RADII = np.linspace(0.0, MOST_RADIUS, 11)


@runtime_checkable
class Method(Protocol):
    """Detectors corrected by rules, and scores of the corrected probabilities. A frozen dataclass whose fields are its knobs.

    ``corrected`` takes probabilities float64 [N, M] and ``implies`` bool [L, K] and gives float64 [N, M]; ``bounds`` takes their lower and
    upper ends and gives ends that hold for every point of the box. ``score`` takes class probabilities float64 [N, K] and one uniform
    number a row, u float64 [N]; ``extremes`` takes their ends and gives (least, largest) score of every label. ``cells`` sorts the
    calibration scores and says each class's cell.
    """

    paper: ClassVar[Paper]
    guarantee: ClassVar[Guarantee]
    views: ClassVar[tuple[View, ...]]
    presets: ClassVar[tuple[Preset, ...]]

    @property
    def weight(self) -> float: ...

    @property
    def blend(self) -> float: ...

    @property
    def calibration(self) -> Calibrated: ...

    @property
    def counted(self) -> bool: ...

    def corrected(self, probs: np.ndarray, implies: np.ndarray) -> np.ndarray: ...

    def bounds(self, low: np.ndarray, high: np.ndarray, implies: np.ndarray) -> tuple[np.ndarray, np.ndarray]: ...

    def score(self, probs: np.ndarray, u: np.ndarray) -> np.ndarray: ...

    def extremes(self, low: np.ndarray, high: np.ndarray, u: np.ndarray) -> tuple[np.ndarray, np.ndarray]: ...

    def cells(self, probs: np.ndarray, labels: np.ndarray, u: np.ndarray) -> tuple[tuple[np.ndarray, ...], np.ndarray]: ...

    def extra(self, before: np.ndarray, after: np.ndarray, labels: np.ndarray) -> Mapping[str, np.ndarray]: ...


@dataclass(frozen=True, eq=False)
class Evidence:
    """What the detectors said of labelled points that they were not trained on.

    ``votes`` float64 [N, M]: the share of yes among ``draws`` readings under noise of standard deviation ``sigma``; ``low``, ``high`` alike
    hold each true share but with probability ``reading`` / 2 a point. ``margins`` float64 [N, M] is the normal quantile of the true shares, known
    because all is simulated here, and ``pushes`` float64 [A, N, M] how it changes per unit of each of A attacks. ``implies`` bool [L, K].
    """

    votes: np.ndarray
    draws: int
    sigma: float
    reading: float
    low: np.ndarray
    high: np.ndarray
    labels: np.ndarray
    images: np.ndarray
    calibration: np.ndarray
    test: np.ndarray
    implies: np.ndarray
    properties: tuple[str, ...]
    margins: np.ndarray
    pushes: np.ndarray


@dataclass(frozen=True)
class Look:
    """What a person can look at once every score is bounded for every radius."""

    alpha: Annotated[float, Gt(0), Lt(1), Knob(cost="look", group="what is promised", step=0.01,
                                               help="the share of sets that may miss the truth")] = 0.1
    radius: Annotated[float, Ge(0), Le(MOST_RADIUS), Knob(
        cost="look", group="what is promised", step=0.05, label="radius of the attack",
        help="length of the change of the image, with black 0 and white 1; read as the next multiple of 0.05")] = 0.1
    image: Annotated[int, Ge(0), Le(9999), Knob(cost="look", group="where you look", label="test image")] = 0
