"""A short warmup for training on boxes. Shi, Wang, Zhang, Yi, Hsieh 2021."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, ClassVar, Literal

import numpy as np
import torch
from annotated_types import Ge, Le
from torch import Tensor

from glasshouse.families.certification.certificate import input_box
from glasshouse.families.certification.interface import Depth, TrainEps, Width
from glasshouse.families.certification.network import Net
from glasshouse.families.certification.training import Bounded, Scheme
from glasshouse.numerics.interval_bounds import Box, worst_case_loss
from glasshouse.schema.guarantee import Guarantee
from glasshouse.schema.knob import Knob
from glasshouse.schema.paper import Paper
from glasshouse.schema.view import Preset, View

TOLERANCE = 0.5         # ratios above it are not pressed any further (the authors' code)
SMALLEST = 1e-6         # the radius that ratios of boxes are taken at where training has none yet (the authors' code)


@dataclass(frozen=True)
class IBPWarmup:
    """Boxes that neither explode nor switch all units off: then they may grow quickly, and training is short.

    1. IBP initialization: Gaussian weights of standard deviation sqrt(2 pi) / fan_in. A layer with ReLU then multiplies the mean radius of a
       box by E|w| fan_in / 2 = 1; the usual initializations multiply it by about sqrt(fan_in / pi) (kaiming), layer after layer.
    2. Batch normalization after every hidden layer, with the statistics of the images, not of their boxes.
    3. While the boxes grow, the loss of bounds plus ``penalty`` (1 - eps / train_eps) (L_tightness + L_relu). The first asks every layer for
       r = input radius / layer radius >= 1/2, by max(0, 1/2 - r) / (1/2); the second asks the same of two ratios, smaller over larger, between
       units that are surely on and surely off: sums of their centres, and of the squared distances from the mean centre.

    The last layer begins as it is usual. Boxes grow on a straight line, where the authors smooth its start. Where no unit is surely on or off,
    the ratio counts as 0 and the penalty is constant; the authors leave it out, which has the same gradient.
    """

    paper: ClassVar[Paper] = Paper(
        "Fast Certified Robust Training with Short Warmup", "Shi, Wang, Zhang, Yi, Hsieh", 2021, arxiv="2103.17268",
        where="IBP initialization, full batch normalization, warmup with tightness and ReLU regularizers; constants as in the authors' code")
    guarantee: ClassVar[Guarantee] = Guarantee(
        "adversarial", "No image that is counted as certified gets another label when each pixel is moved by at most the test eps.",
        assumptions=("pixels stay between 0 and 1", "every pixel moves by at most eps: the l-infinity norm"),
        scope="image by image, for the network at this moment of its training; other images are not promised anything")
    views: ClassVar[tuple[View, ...]] = (
        View("bars", "Units by layer, within the whole training eps", x="layer", y="units", series=("surely on", "surely off", "either"),
             x_label="hidden layer", y_label="share of units",
             note="Either: its sign is open within the radius, and bounds lose there."),
        View("line", "What the penalty wants above 0.5", x="depth_of", y="ratios",
             series=("input / layer radius", "on : off, sums", "on : off, squares"), x_label="hidden layer", y_label="ratio"))
    presets: ClassVar[tuple[Preset, ...]] = (
        Preset("Exploding boxes", "What happens to a box before training, layer by layer?",
               {"initialization": "kaiming", "batch_norm": False, "depth": 5, "moment": 0}, problem="digits"),
        Preset("Without any of it", "Does training on boxes need the three mends?",
               {"initialization": "kaiming", "batch_norm": False, "penalty": 0.0, "warmup": 0.1}, problem="digits"),
        Preset("All three", "How much can be proved after a few hundred steps?", {"train_eps": 0.1, "eps": 0.1}, problem="digits"))

    width: Width = 48
    depth: Depth = 3
    train_eps: TrainEps = 0.1
    initialization: Annotated[Literal["ibp", "kaiming", "xavier"], Knob(
        cost="job", group="what is mended", help="how large the first weights are")] = "ibp"
    batch_norm: Annotated[bool, Knob(cost="job", group="what is mended", label="batch normalization")] = True
    penalty: Annotated[float, Ge(0), Le(2), Knob(
        cost="job", group="what is mended", step=0.1, help="weight of the two penalties when the boxes are smallest; 0 is none")] = 0.5
    warmup: Annotated[float, Ge(0), Le(1), Knob(
        cost="job", group="how it is trained", step=0.05, label="warmup share", help="share of the steps in which the boxes grow")] = 0.4

    def scheme(self) -> Scheme:
        return self.initialization

    def normalized(self) -> bool:
        return self.batch_norm

    def radius(self, share: float) -> float:
        """A straight line from 0 to ``train_eps``, then that."""
        return self.train_eps * min(1.0, share / max(self.warmup, 1e-9))

    def loss(self, bounded: Bounded, eps: float) -> Tensor:
        """Mean bound on the cross-entropy within the box, and what the penalties add."""
        robust = worst_case_loss(bounded.margin).mean()
        weight = self.penalty * (1 - eps / self.train_eps) if self.train_eps else 0.0
        if weight <= 0:
            return robust
        ratios = penalized(bounded.input, bounded.pre)
        return robust + weight * (TOLERANCE - ratios).clamp_min(0).div(TOLERANCE).mean(0).sum()

    def extra(self, net: Net, x: Tensor, labels: Tensor, eps: float) -> Mapping[str, np.ndarray]:
        hidden = range(1, len(net.weights))
        whole = list(net.boxes(input_box(x, max(self.train_eps, SMALLEST))))[:-1]
        on = [float((box.lower > 0).double().mean()) for box in whole]
        off = [float((box.upper < 0).double().mean()) for box in whole]
        start = input_box(x, max(eps, SMALLEST))
        ratios = penalized(start, list(net.boxes(start))[:-1]).T.numpy()
        return {"layer": np.array([str(i) for i in hidden]), "units": np.array([on, off, [1 - a - b for a, b in zip(on, off, strict=True)]]),
                "depth_of": np.array(hidden, np.float64), "ratios": ratios}


def penalized(start: Box, pre: Sequence[Box]) -> Tensor:
    """The ratios that the penalties press upwards, [hidden layers, 3]: tightness, balance of sums, balance of squares.

    ``start`` is the input's box, ``pre`` those before every ReLU, all [n, units].
    """
    rows = []
    for box in pre:
        centre = box.centre
        on, off = box.lower > 0, box.upper < 0
        squared = (centre - centre.mean()) ** 2
        rows.append(torch.stack([start.radius.mean() / box.radius.mean().clamp_min(1e-12),
                                 _balance((centre * on).sum(), (-centre * off).sum()),
                                 _balance((squared * on).sum(), (squared * off).sum())]))
    return torch.stack(rows)


def _balance(a: Tensor, b: Tensor) -> Tensor:
    """The smaller over the larger; 0 where both are nothing."""
    return torch.minimum(a, b) / torch.maximum(a, b).clamp_min(1e-12)
