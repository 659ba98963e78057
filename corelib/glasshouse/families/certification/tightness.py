"""How tight interval bounds are: the radius that a network really reaches over the radius that its boxes grow to.

Source: Mao, Mueller, Fischer, Vechev 2024 (arXiv 2306.10426), propagation tightness; exact for linear networks, local for ReLU ones.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from glasshouse.families.certification.network import Net

TINY = 1e-12            # below it both radii are nothing, and nothing is bounded tightly


def radii(weights: Sequence[Tensor], radius: Tensor) -> tuple[Tensor, Tensor]:
    """(|W_L ... W_1| r, |W_L| ... |W_1| r): the best box's radius and the propagated one's, [out] each, of a linear network.

    ``weights`` W_1 [n, in] ... W_L [out, n], ``radius`` r [in] that of the input box.
    """
    product, passed = weights[0], weights[0].abs() @ radius
    for weight in weights[1:]:
        product, passed = weight @ product, weight.abs() @ passed
    return product.abs() @ radius, passed


def tightness(weights: Sequence[Tensor], radius: Tensor | None = None) -> Tensor:
    """tau [out] in (0, 1] of a linear network; 1: its box is the best there is. ``radius`` None is the same for every input."""
    best, passed = radii(weights, torch.ones(weights[0].shape[1], dtype=weights[0].dtype) if radius is None else radius)
    return best.clamp_min(TINY) / passed.clamp_min(TINY)


def pairs(weight: Tensor) -> Tensor:
    """The last layer as differences of two labels' rows, all ordered pairs: [K (K - 1), in]."""
    k = len(weight)
    apart = ~torch.eye(k, dtype=torch.bool)
    return (weight.unsqueeze(1) - weight)[apart]


def global_tightness(net: Net) -> float:
    """Mean tau of the leads between labels when every ReLU is passed over, as if the network were linear."""
    return float(tightness([*net.weights[:-1], pairs(net.weights[-1])]).mean())


def local_tightness(net: Net, x: Tensor, labels: Tensor) -> Tensor:
    """tau [n] of the linear network that each image meets: units that are off at ``x`` are taken out. Mean over the label's leads."""
    z = net.layers(x)
    product, passed = net.leads(labels)[0], net.leads(labels)[0].abs()                  # [n, K, in], backwards from the leads
    for i in range(len(net.weights) - 2, -1, -1):
        on = (z[i] > 0).to(x.dtype).unsqueeze(1)
        product, passed = (product * on) @ net.weights[i], (passed * on) @ net.weights[i].abs()
    tau = product.abs().sum(2).clamp_min(TINY) / passed.sum(2).clamp_min(TINY)
    own = torch.zeros_like(tau).scatter_(1, labels.unsqueeze(1), 1.0)
    return (tau * (1 - own)).sum(1) / (tau.shape[1] - 1)


def agreement(net: Net) -> Tensor:
    """|W_L ... W_1| / |W_L| ... |W_1|, [K, d]: 1 where all paths from an input to a logit have one sign, 0 where they cancel.

    Interval bounds of a linear network are exact if and only if every entry is 1.
    """
    product, passed = net.weights[0], net.weights[0].abs()
    for weight in net.weights[1:]:
        product, passed = weight @ product, weight.abs() @ passed
    return product.abs().clamp_min(TINY) / passed.clamp_min(TINY)
