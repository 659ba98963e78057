"""What a certified training method is: a network to start from, a radius for every step, and a loss of bounds."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, ClassVar, Protocol, runtime_checkable

import numpy as np
from annotated_types import Ge, Le
from torch import Tensor

from glasshouse.families.certification.certificate import CAP
from glasshouse.families.certification.network import Net
from glasshouse.families.certification.training import Bounded, Scheme
from glasshouse.schema.guarantee import Guarantee
from glasshouse.schema.knob import Knob
from glasshouse.schema.paper import Paper
from glasshouse.schema.view import Preset, View

Width = Annotated[int, Ge(2), Le(128), Knob(cost="job", group="the network", unit="units", help="units in every hidden layer")]
Depth = Annotated[int, Ge(1), Le(5), Knob(cost="job", group="the network", unit="layers", label="hidden layers")]
TrainEps = Annotated[float, Ge(0), Le(0.3), Knob(
    cost="job", group="how it is trained", step=0.01, label="training eps",
    help="the box radius that training ends with; 0 is ordinary training. White is 1, black 0")]


@runtime_checkable
class Method(Protocol):
    """A published way to train on boxes. A frozen dataclass whose fields are its knobs.

    ``scheme`` and ``normalized`` say how the network begins; ``radius`` gives the boxes' radius when ``share`` (0 to 1) of the steps are done;
    ``loss`` is the mean loss of a batch within radius ``eps``, a scalar. ``extra`` tells the method's own state of a network, for its views,
    on images ``x`` [n, d] with ``labels``, when the training radius is ``eps``.
    """

    paper: ClassVar[Paper]
    guarantee: ClassVar[Guarantee]
    views: ClassVar[tuple[View, ...]]
    presets: ClassVar[tuple[Preset, ...]]
    width: int
    depth: int
    train_eps: float

    def scheme(self) -> Scheme: ...

    def normalized(self) -> bool: ...

    def radius(self, share: float) -> float: ...

    def loss(self, bounded: Bounded, eps: float) -> Tensor: ...

    def extra(self, net: Net, x: Tensor, labels: Tensor, eps: float) -> Mapping[str, np.ndarray]: ...


@dataclass(frozen=True, eq=False)
class Task:
    """Images to learn from and to be judged on: float32 [n, d] and float64 [m, d] in [0, 1], labels int64; ``side`` is their height and width."""

    train: Tensor
    train_labels: Tensor
    test: Tensor
    test_labels: Tensor
    classes: int
    side: int
    steps: int
    batch: int


@dataclass(frozen=True)
class Look:
    """What a person can look at in any step of the training."""

    eps: Annotated[float, Ge(0), Le(CAP), Knob(
        cost="look", group="what must not matter", step=0.005, label="test eps",
        help="how far every pixel may be moved; white is 1, black 0")] = 0.1
    image: Annotated[int, Ge(0), Le(9999), Knob(cost="look", group="where you look", label="test image")] = 4
    moment: Annotated[int, Ge(-1), Le(10_000), Knob(cost="look", group="where you look", label="moment of training",
                                                    help="-1 is the newest")] = -1
