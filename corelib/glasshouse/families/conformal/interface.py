"""What a conformal score is, the pool it is calibrated on, and what can be looked at afterwards.

s is a score (large = strange), n the calibration points, m the test points, K the classes, alpha the miscoverage.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, ClassVar, Protocol, runtime_checkable

import numpy as np
from annotated_types import Ge, Gt, Le, Lt

from glasshouse.families.conformal.cells import Cells
from glasshouse.numerics.seeds import Seeds
from glasshouse.schema.guarantee import Guarantee
from glasshouse.schema.knob import Knob
from glasshouse.schema.paper import Paper
from glasshouse.schema.view import Preset, View

Temperature = Annotated[float, Ge(0.05), Le(20), Knob(
    cost="live", group="how it scores", step=0.05, log=True, help="above 1 the model is made less sure, below 1 more")]
Randomized = Annotated[bool, Knob(
    cost="live", group="how it scores", help="take a random share of a label's own mass: exact coverage, and sets may be empty")]


@runtime_checkable
class Method(Protocol):
    """A published score. A frozen dataclass whose fields are its knobs.

    ``score`` takes probabilities float64 [n, K] and a uniform number a row, u float64 [n], which scores without randomness ignore; it gives
    float64 [n, K], the score of every label, or float64 [n] for one of each row, ``labels`` int64 [n], bit by bit the same. A row's scores
    depend on that row and its u alone. ``extra`` tells the method's own state
    from the calibration scores, for its views.
    """

    paper: ClassVar[Paper]
    guarantee: ClassVar[Guarantee]
    views: ClassVar[tuple[View, ...]]
    presets: ClassVar[tuple[Preset, ...]]

    def score(self, probs: np.ndarray, u: np.ndarray, labels: np.ndarray | None = None) -> np.ndarray: ...

    def extra(self, cells: Cells) -> Mapping[str, np.ndarray]: ...


@runtime_checkable
class Celled(Protocol):
    """A method that compares a label with the scores of its own cell alone.

    ``cells`` takes the true labels' scores float64 [n], the labels int64 [n], the number of classes K, the points' groups and how many
    groups there are, and what randomness it needs.
    """

    def cells(self, scores: np.ndarray, labels: np.ndarray, classes: int, group: np.ndarray, groups: int, seeds: Seeds) -> Cells: ...


@dataclass(frozen=True, eq=False)
class Pool:
    """A fixed model's answers on labelled points that it was not trained on, and one split of them.

    ``probs`` float64 [N, K]; ``labels`` int64 [N]; ``images`` uint8 [N, h, w], or empty; ``calibration`` int64 [n] and ``test``
    int64 [m] are disjoint indices. ``group`` int64 [N] is a property of the point that is known before its label, ``groups`` its names.
    """

    probs: np.ndarray
    labels: np.ndarray
    images: np.ndarray
    calibration: np.ndarray
    test: np.ndarray
    group: np.ndarray
    groups: tuple[str, ...]


@dataclass(frozen=True)
class Look:
    """What a person can look at once every score is ranked."""

    alpha: Annotated[float, Gt(0), Lt(1), Knob(cost="look", group="what is promised", step=0.01,
                                               help="the share of sets that may miss the truth")] = 0.1
    image: Annotated[int, Ge(0), Le(9999), Knob(cost="look", group="where you look", label="test image")] = 0
