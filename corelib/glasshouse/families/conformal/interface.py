"""What a conformal score is, the pool it is calibrated on, and what can be looked at afterwards.

s is a score (large = strange), n the calibration points, m the test points, K the classes, alpha the miscoverage.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, ClassVar, Protocol, runtime_checkable

import numpy as np
from annotated_types import Ge, Gt, Le, Lt

from glasshouse.schema.guarantee import Guarantee
from glasshouse.schema.knob import Knob
from glasshouse.schema.paper import Paper
from glasshouse.schema.view import Preset, View


@runtime_checkable
class Method(Protocol):
    """A published score. A frozen dataclass whose fields are its knobs.

    ``score`` takes probabilities float64 [n, K] and gives float64 [n, K], the score of every label; a row's scores depend on
    that row alone. ``extra`` tells the method's own state from the sorted calibration scores [n], for its views.
    """

    paper: ClassVar[Paper]
    guarantee: ClassVar[Guarantee]
    views: ClassVar[tuple[View, ...]]
    presets: ClassVar[tuple[Preset, ...]]

    def score(self, probs: np.ndarray) -> np.ndarray: ...

    def extra(self, scores: np.ndarray) -> Mapping[str, np.ndarray]: ...


@dataclass(frozen=True, eq=False)
class Pool:
    """A fixed model's answers on labelled points that it was not trained on, and one split of them.

    ``probs`` float64 [N, K]; ``labels`` int64 [N]; ``images`` uint8 [N, h, w], or empty; ``calibration`` int64 [n] and ``test``
    int64 [m] are disjoint indices.
    """

    probs: np.ndarray
    labels: np.ndarray
    images: np.ndarray
    calibration: np.ndarray
    test: np.ndarray


@dataclass(frozen=True)
class Look:
    """What a person can look at once every score is ranked."""

    alpha: Annotated[float, Gt(0), Lt(1), Knob(cost="look", group="what is promised", step=0.01,
                                               help="the share of sets that may miss the truth")] = 0.1
    image: Annotated[int, Ge(0), Le(9999), Knob(cost="look", group="where you look", label="test image")] = 0
