"""Which images nothing within a radius can flip: interval bounds, and the largest radius at which they still say so."""

from __future__ import annotations

import torch
from torch import Tensor

from glasshouse.families.certification.network import Net
from glasshouse.numerics.interval_bounds import Box, certified
from glasshouse.schema.errors import bad_type, bad_value

CAP = 0.5               # no larger radius is asked for: at 0.5 every pixel can become grey
HALVINGS = 12           # the radius is known to CAP / 2^12


def _check(net: Net, x: Tensor, labels: Tensor, cap: float) -> None:
    inputs, classes = net.weights[0].shape[1], len(net.biases[-1])
    if x.dtype != torch.float64 or x.ndim != 2 or x.shape[1] != inputs:
        raise bad_type("x", f"{x.dtype} {list(x.shape)}", f"a float64 tensor [n, {inputs}]")
    if labels.dtype != torch.int64 or labels.shape != x.shape[:1]:
        raise bad_type("labels", f"{labels.dtype} {list(labels.shape)}", f"an int64 tensor [{len(x)}]")
    if not bool(((x >= 0) & (x <= 1)).all()):
        raise bad_value("x", f"{float(x.min())} to {float(x.max())}", "pixels from 0 to 1")
    if not bool(((labels >= 0) & (labels < classes)).all()):
        raise bad_value("labels", f"{int(labels.min())} to {int(labels.max())}", f"labels from 0 to {classes - 1}")
    if not 0 <= cap <= 1:
        raise bad_value("cap", cap, "a radius from 0 to 1")


def input_box(x: Tensor, eps: float | Tensor) -> Box:
    """Every image within ``eps`` of ``x`` [n, d] whose pixels lie in [0, 1]."""
    return Box.around(x, eps, 0.0, 1.0)


def certified_at(net: Net, x: Tensor, labels: Tensor, eps: float | Tensor) -> Tensor:
    """bool [n]: images that keep their true label everywhere within ``eps``. Sound; images left out may keep it as well."""
    return certified(net.margins(input_box(x, eps), labels))


def worst_margin(net: Net, x: Tensor, labels: Tensor, eps: float | Tensor) -> Tensor:
    """[n]: the least lead of the true label over any other that interval bounds cannot rule out within ``eps``."""
    low = net.margins(input_box(x, eps), labels)
    rival = torch.ones_like(low, dtype=torch.bool).scatter_(1, labels.unsqueeze(1), False)
    return low.masked_fill(~rival, torch.inf).amin(1)


def certified_radius(net: Net, x: Tensor, labels: Tensor, cap: float = CAP, halvings: int = HALVINGS) -> Tensor:
    """[n]: a radius up to ``cap`` at which the image is certified, within cap / 2^halvings of the largest; -1 where it is not even read rightly.

    Boxes of smaller radius lie within those of larger ones, so an image is certified at every smaller radius too.

    Raises: BadType for tensors that do not fit the network, BadValue for pixels beyond [0, 1], labels that it has not, or a cap beyond [0, 1].
    """
    _check(net, x, labels, cap)
    right = certified_at(net, x, labels, 0.0)
    low, high = torch.zeros(len(x), dtype=x.dtype), torch.full((len(x),), cap, dtype=x.dtype)
    low = torch.where(certified_at(net, x, labels, cap), high, low)
    for _ in range(halvings):
        middle = (low + high) / 2
        held = certified_at(net, x, labels, middle.unsqueeze(1))
        low, high = torch.where(held, middle, low), torch.where(held, high, middle)
    return torch.where(right, low, -torch.ones_like(low))
