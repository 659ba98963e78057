"""What a robust score is, the pool it is calibrated and attacked on, and what can be looked at afterwards.

x is an image in 0..1, sigma the standard deviation of the noise it is read under, delta the l2 radius that sets are made for, alpha the
miscoverage, beta the chance that a mean over noisy copies is bounded wrongly.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass
from typing import Annotated, ClassVar, Literal, Protocol, runtime_checkable

import numpy as np
from annotated_types import Ge, Gt, Le, Lt

from glasshouse.families.conformal.robust.certificate import Certificate
from glasshouse.schema.guarantee import Guarantee
from glasshouse.schema.knob import Knob
from glasshouse.schema.paper import Paper
from glasshouse.schema.view import Preset, View


class Classifier(Protocol):
    """A model that can be read and attacked; float32 arrays, rows are points.

    ``pullback`` gives the logits [n, K] and the map from a gradient there to the gradient at x [n, inputs].
    """

    def probabilities(self, x: np.ndarray) -> np.ndarray: ...

    def pullback(self, x: np.ndarray) -> tuple[np.ndarray, Callable[[np.ndarray], np.ndarray]]: ...


@dataclass(frozen=True, eq=False)
class Pool:
    """Points that ``classifier`` was not trained on, in three disjoint parts, those it was, and how they are attacked.

    ``x`` float32 [N, inputs] in 0..1; ``labels`` int64 [N]; ``train`` int64 [t], ``holdout`` int64 [h], ``calibration`` int64 [n] and ``test``
    int64 [m] are indices. ``shape`` (height, width) of an image, (0, 0) where points are none. ``radii`` are those of the attacks, ascending, each of
    ``steps`` steps with ``copies`` noisy copies of a point. ``key`` names classifier, test points and attack: equal keys, equal pools but
    for the calibration points.
    """

    classifier: Classifier
    x: np.ndarray
    labels: np.ndarray
    train: np.ndarray
    holdout: np.ndarray
    calibration: np.ndarray
    test: np.ndarray
    shape: tuple[int, int]
    radii: tuple[float, ...]
    steps: int
    copies: int
    key: Hashable


@runtime_checkable
class Method(Protocol):
    """A published way to robust sets. A frozen dataclass whose fields are its knobs.

    ``score`` takes probabilities float64 [n, K] and a uniform number a row, u float64 [n]; ``transformed`` maps such scores with the help of
    ``holdout`` float64 [h], ascending scores of true labels under one noisy draw each. Both give float64 in [0, 1], the second without
    changing an order. ``training`` "rct" asks for a new last layer, trained for the sets; "given" leaves the network as it is.
    ``certificate`` says how far noise means can be trusted and moved. ``extra`` tells the method's own state for its views from the holdout
    and the ``calibrated`` means float64 [n], ascending.
    """

    paper: ClassVar[Paper]
    guarantee: ClassVar[Guarantee]
    views: ClassVar[tuple[View, ...]]
    presets: ClassVar[tuple[Preset, ...]]

    @property
    def training(self) -> Literal["given", "rct"]: ...

    @property
    def certificate(self) -> Certificate: ...

    def score(self, probs: np.ndarray, u: np.ndarray) -> np.ndarray: ...

    def transformed(self, scores: np.ndarray, holdout: np.ndarray) -> np.ndarray: ...

    def promise(self) -> Guarantee: ...

    def extra(self, holdout: np.ndarray, calibrated: np.ndarray) -> Mapping[str, np.ndarray]: ...


@dataclass(frozen=True)
class Look:
    """What a person can look at once the noisy copies are scored."""

    radius: Annotated[float, Ge(0), Le(1.5), Knob(
        cost="look", group="what is promised", label="sets made for", step=0.05,
        help="l2 distance that an attacker may move an image, where one pixel from black to white is 1")] = 0.25
    attack: Annotated[float, Ge(0), Le(1.5), Knob(
        cost="look", group="what is promised", label="attack shown", step=0.125,
        help="l2 distance of the attack on the screen: the nearest that was computed")] = 0.25
    alpha: Annotated[float, Gt(0), Lt(1), Knob(cost="look", group="what is promised", step=0.01,
                                               help="the share of sets that may miss the truth")] = 0.1
    beta: Annotated[float, Ge(1e-6), Le(0.04), Knob(
        cost="look", group="what is promised", label="beta: share of alpha for the noise", log=True, step=0.0005, more=True,
        help="chance that the mean over noisy copies is bounded wrongly; twice this is taken from alpha")] = 0.001
    image: Annotated[int, Ge(0), Le(9999), Knob(cost="look", group="where you look", label="test image")] = 0
