"""Training on boxes, and how tight the boxes become. Mao, Müller, Fischer, Vechev 2024."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, ClassVar

import numpy as np
from annotated_types import Ge, Le
from torch import Tensor

from glasshouse.families.certification.interface import Depth, TrainEps, Width
from glasshouse.families.certification.network import Net
from glasshouse.families.certification.tightness import agreement
from glasshouse.families.certification.training import Bounded, Scheme
from glasshouse.numerics.interval_bounds import worst_case_loss
from glasshouse.schema.guarantee import Guarantee
from glasshouse.schema.knob import Knob
from glasshouse.schema.paper import Paper
from glasshouse.schema.view import Preset, View


@dataclass(frozen=True)
class IBPTightness:
    """Ordinary training turns into training on boxes, and the boxes turn from useless into almost as tight as can be.

    Tightness tau is the radius of the best box around all outputs over the radius of the propagated one, in (0, 1]. For a linear network
    tau = |W_L ... W_1| eps / (|W_L| ... |W_1| eps): 1 where no two paths from an input to an output cancel. At initialization it falls with
    width and depth; training on the worst case within propagated boxes (Gowal et al. 2018) raises it and pays with accuracy.
    ``tightness`` ignores ReLUs, ``local_tightness`` takes out the units that are off at each image, as the authors' code does;
    both take the same radius for every pixel, where that code cuts boxes to [0, 1] first.

    The two-part schedule (ordinary, then boxes that grow linearly) is ours, so that one run shows the change.
    """

    paper: ClassVar[Paper] = Paper("Understanding Certified Training with Interval Bound Propagation", "Mao, Müller, Fischer, Vechev", 2024,
                                   arxiv="2306.10426", where="propagation tightness; its local form for ReLU networks as in the authors' code")
    guarantee: ClassVar[Guarantee] = Guarantee(
        "adversarial", "No image that is counted as certified gets another label when each pixel is moved by at most the test eps.",
        assumptions=("pixels stay between 0 and 1", "every pixel moves by at most eps: the l-infinity norm"),
        scope="image by image, for the network at this moment of its training; other images are not promised anything")
    views: ClassVar[tuple[View, ...]] = (
        View("matrix", "Do all paths from a pixel to a label agree in sign?", z="agreement", x_label="pixel", y_label="label",
             note="1: they all add up, and boxes are exact there; 0: they cancel, and boxes count them all. ReLUs are passed over."),)
    presets: ClassVar[tuple[Preset, ...]] = (
        Preset("Ordinary training", "Can a network that reads well prove anything?", {"standard_share": 1.0, "eps": 0.05}, problem="digits"),
        Preset("From ordinary to boxes", "What is paid for answers that can be proved?", {"standard_share": 0.4, "train_eps": 0.1, "eps": 0.1},
               problem="digits"),
        Preset("Wide and deep", "Are boxes looser in a larger network before it is trained?", {"width": 96, "depth": 4, "moment": 0},
               problem="digits"))

    width: Width = 48
    depth: Depth = 3
    train_eps: TrainEps = 0.1
    standard_share: Annotated[float, Ge(0), Le(1), Knob(
        cost="job", group="how it is trained", step=0.05, label="ordinary share",
        help="share of the steps before boxes begin to grow; 1 is ordinary training throughout")] = 0.25
    growing_share: Annotated[float, Ge(0), Le(1), Knob(
        cost="job", group="how it is trained", step=0.05, more=True, help="share of the steps in which the boxes grow to the training eps")] = 0.5

    def scheme(self) -> Scheme:
        return "kaiming"

    def normalized(self) -> bool:
        return False

    def radius(self, share: float) -> float:
        """0, then a straight line to ``train_eps``, then that."""
        if share <= self.standard_share:
            return 0.0
        return self.train_eps * min(1.0, (share - self.standard_share) / max(self.growing_share, 1e-9))

    def loss(self, bounded: Bounded, eps: float) -> Tensor:
        """Mean bound on the cross-entropy within the box; at radius 0 the ordinary cross-entropy."""
        return worst_case_loss(bounded.margin).mean()

    def extra(self, net: Net, x: Tensor, labels: Tensor, eps: float) -> Mapping[str, np.ndarray]:
        return {"agreement": agreement(net).numpy()}
