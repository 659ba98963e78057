"""Interval bound propagation: a box that holds whatever a layer can make of a box.

    box = Box.around(x, eps, low=0.0, high=1.0)          # every input within eps of x, in the l-infinity norm
    box = relu(linear(box, W1, b1))
    low = margins(box, W2, b2, labels)                   # > 0 for every other label: nothing in the first box changes the answer

A layer is told by plain tensors. Each output is bounded exactly on its own; that outputs depend on one another is forgotten,
which is what makes the boxes of deep networks loose. Sound in real arithmetic; rounding can move a bound by a few units in the
last place, so a claim should ask for a margin above :data:`ROUNDING` and compute in float64. All is differentiable almost everywhere.

Sources: Gowal et al. 2018 (arXiv 1810.12715), Mirman, Gehr, Vechev 2018 (the Box domain of DiffAI).
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn import functional

from glasshouse.schema.errors import bad_value

ROUNDING = 1e-9         # far above what float64 sums of some thousand terms of size 1 can be wrong by


class Box(NamedTuple):
    """All points between ``lower`` and ``upper``, coordinate by coordinate; floating-point tensors of one shape, the first axis the batch.

    The other common form is ``centre`` and ``radius``: lower = centre - radius, upper = centre + radius.
    """

    lower: Tensor
    upper: Tensor

    @property
    def centre(self) -> Tensor:
        return (self.lower + self.upper) / 2

    @property
    def radius(self) -> Tensor:
        return (self.upper - self.lower) / 2

    @staticmethod
    def of(centre: Tensor, radius: Tensor) -> Box:
        """From centre and radius."""
        return Box(centre - radius, centre + radius)

    @staticmethod
    def around(x: Tensor, eps: float | Tensor, low: float | None = None, high: float | None = None) -> Box:
        """Every point within ``eps`` of ``x`` in the l-infinity norm, cut to the values ``low`` to ``high`` that an input can have.

        ``eps`` is a number, or a tensor that broadcasts against ``x`` (a radius per example or per coordinate).

        Raises: BadValue for a radius below 0 or NaN.
        """
        smallest = float(eps) if isinstance(eps, (int, float)) else float(eps.min()) if eps.numel() else 0.0
        if not smallest >= 0:
            raise bad_value("eps", smallest, "a radius of at least 0")
        lower, upper = x - eps, x + eps
        return Box(lower, upper) if low is None and high is None else Box(lower.clamp(low, high), upper.clamp(low, high))


def linear(box: Box, weight: Tensor, bias: Tensor | None = None) -> Box:
    """Through x -> W x + b. ``weight`` [out, in], ``bias`` [out]; the box [..., in] becomes [..., out].

    centre' = W centre + b,   radius' = |W| radius
    """
    return Box.of(functional.linear(box.centre, weight, bias), functional.linear(box.radius, weight.abs()))


def convolution(box: Box, weight: Tensor, bias: Tensor | None = None, stride: int = 1, padding: int = 0) -> Box:
    """Through a two-dimensional convolution, as torch's ``conv2d``. ``weight`` [out, in, h, w]; the box is [n, in, H, W]."""
    return Box.of(functional.conv2d(box.centre, weight, bias, stride, padding),
                  functional.conv2d(box.radius, weight.abs(), None, stride, padding))


def scaled(box: Box, scale: Tensor, shift: Tensor) -> Box:
    """Through x -> scale x + shift, coordinate by coordinate (batch normalization with fixed statistics); both broadcast."""
    return Box.of(box.centre * scale + shift, box.radius * scale.abs())


def relu(box: Box) -> Box:
    """Through max(x, 0), which is monotone: the bounds pass one by one."""
    return Box(box.lower.clamp_min(0), box.upper.clamp_min(0))


def margins(box: Box, weight: Tensor, bias: Tensor | None, labels: Tensor) -> Tensor:
    """Lower bounds on logit(label) - logit(k) for every k, of the last linear layer ``weight`` [K, in]. [n, K]; 0 where k is the label.

    The rows' difference is bounded as one linear map, which is tighter than the difference of the two logits' bounds.
    ``box`` [n, in], ``labels`` int64 [n].
    """
    difference = weight[labels].unsqueeze(1) - weight                                                   # [n, K, in]
    low = (difference @ box.centre.unsqueeze(2) - difference.abs() @ box.radius.unsqueeze(2)).squeeze(2)
    return low if bias is None else low + bias[labels].unsqueeze(1) - bias


def certified(margin: Tensor) -> Tensor:
    """bool [n]: which examples keep their label everywhere in the first box. ``margin`` [n, K] as of :func:`margins`, the label's entry 0.

    Every other entry must be above :data:`ROUNDING`, so at most one entry, the label's own, may fail to be.
    """
    return (margin > ROUNDING).sum(dim=1) >= margin.shape[1] - 1


def worst_case_loss(margin: Tensor) -> Tensor:
    """An upper bound on every example's largest cross-entropy in the first box: [n], from ``margin`` [n, K] of :func:`margins`.

    log sum_k exp(logit_k - logit_label) grows in every logit_k - logit_label, each of which is at most -margin_k.
    """
    return torch.logsumexp(-margin, dim=1)
