"""Which of one's own points a torch module, or plain arrays, provably keeps in their class: one call."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from glasshouse.families.certification.certificate import CAP, certified_radius
from glasshouse.families.certification.network import Net
from glasshouse.schema.errors import BadType, BadValue, Unsupported, bad_type
from glasshouse.schema.guarantee import Guarantee

LARGEST = 4_000_000         # entries of a convolution written as a matrix
IGNORED = (nn.Identity, nn.Dropout, nn.Dropout2d)


@dataclass(frozen=True, eq=False)
class Proof:
    """``radius`` float64 [n]: no change of any input by up to it flips the answer; -1 where the answer is wrong already."""

    radius: np.ndarray
    guarantee: Guarantee

    def certified(self, eps: float) -> np.ndarray:
        """bool [n]: which points are proved within ``eps`` (l-infinity)."""
        found: np.ndarray = self.radius >= eps
        return found


def certify(model: Any, x: Any, labels: Any, cap: float = CAP) -> Proof:
    """The l-infinity radius, up to ``cap``, within which interval bounds prove that ``model`` keeps each point's label.

    ``model``: an nn.Sequential (nested ones too) of Linear, Conv2d, ReLU and Flatten, in any float dtype, or a list of arrays W_1, b_1, W_2, b_2 ...
    with ReLU between. ``x`` [n, ...] in [0, 1], ``labels`` [n] whole numbers; NumPy arrays or tensors. Weights are read in float64, so what is
    proved is of the network in exact arithmetic; a float32 forward may differ by rounding where a lead is below it.

    Raises: BadType, BadValue, Unsupported naming the argument.

    >>> proof = certify([np.array([[4.0], [-4.0]]), np.array([-2.0, 2.0])], np.array([[0.75]]), [0])
    >>> round(float(proof.radius[0]), 3)
    0.25
    """
    points = _tensor("x", x).double()
    if points.ndim < 2:
        raise bad_type("x", list(points.shape), "an array [n, ...], one entry a point")
    net = plain(model, tuple(points.shape[1:])) if isinstance(model, nn.Module) else _of_arrays(model)
    known = _tensor("labels", labels)
    if known.is_floating_point() or known.dtype == torch.bool:
        raise bad_type("labels", known.dtype, f"{len(points)} whole numbers")
    with torch.no_grad():
        radius = certified_radius(net, points.flatten(1), known.long(), cap)
    return Proof(radius.numpy(), Guarantee(
        "exact", "No change of any input value by up to a point's radius changes its class.",
        assumptions=("inputs lie from 0 to 1", "the network is evaluated in exact arithmetic"),
        scope="each point on its own; a point that is not proved may still be safe"))


def plain(model: nn.Module, shape: tuple[int, ...]) -> Net:
    """``model`` as plain float64 layers of the flattened input ``shape``: a convolution becomes the matrix that it is.

    Raises: Unsupported naming the module that cannot be read.
    """
    weights: list[Tensor] = []
    biases: list[Tensor] = []
    relu = True                                 # between two linear layers; before the first nothing is needed
    for name, part in _parts(model, ""):
        if isinstance(part, nn.ReLU):
            if not weights:
                raise Unsupported(f"model: {name} is a ReLU before the first layer: inputs from 0 to 1 pass it unchanged, so leave it out", "model")
            relu = True
            continue
        if isinstance(part, nn.Flatten):
            shape = (int(np.prod(shape)),)
            continue
        weight, bias, shape = _matrix(name, part, shape)
        if relu:
            weights.append(weight)
            biases.append(bias)
        else:                                   # two linear layers in a row are one
            weights[-1], biases[-1] = weight @ weights[-1], weight @ biases[-1] + bias
        relu = False
    if not weights or relu:
        raise Unsupported("model must end in a Linear or Conv2d layer, whose outputs are the logits", "model")
    return Net(tuple(weights), tuple(biases))


def _parts(model: nn.Module, name: str) -> list[tuple[str, nn.Module]]:
    """The layers of nested nn.Sequential, in order; only exact types, for a subclass may do anything."""
    own = (nn.Sequential, nn.Linear, nn.Conv2d, nn.ReLU, nn.Flatten, *IGNORED)
    if type(model) not in own:
        raise Unsupported(f"model: {name or 'it'} is a {type(model).__name__}: only Sequential, Linear, Conv2d, ReLU and Flatten can be "
                          "proved", "model")
    if model._forward_hooks or model._forward_pre_hooks or "forward" in vars(model) or "parametrizations" in model._modules:
        raise Unsupported(f"model: {name or 'it'} has a hook or a forward of its own, which a proof would not see", "model")
    if isinstance(model, nn.Sequential):
        return [found for key, part in model.named_children() for found in _parts(part, f"{name}.{key}".lstrip("."))]
    if isinstance(model, IGNORED):
        if model.training and not isinstance(model, nn.Identity):
            raise Unsupported(f"model: {name} drops units while it trains: call model.eval() first", "model")
        return []
    return [(name or type(model).__name__, model)]


def _matrix(name: str, part: nn.Module, shape: tuple[int, ...]) -> tuple[Tensor, Tensor, tuple[int, ...]]:
    """(weight [out, in], bias [out], the output's shape) of one layer on the flattened input."""
    if isinstance(part, nn.Linear):
        if shape != (part.in_features,):
            raise Unsupported(f"model: {name} takes {part.in_features} inputs a point, but {list(shape)} come: is a Flatten missing?", "model")
        weight = part.weight.detach().double()
        bias = torch.zeros(len(weight), dtype=torch.float64) if part.bias is None else part.bias.detach().double()
        return weight, bias, (len(weight),)
    assert isinstance(part, nn.Conv2d)
    if len(shape) != 3 or shape[0] != part.in_channels:
        raise Unsupported(f"model: {name} takes images [{part.in_channels}, h, w], but {list(shape)} come", "model")
    if part.padding_mode != "zeros":
        raise Unsupported(f"model: {name} pads with {part.padding_mode}: only zeros can be proved", "model")
    size = int(np.prod(shape))
    if size * size > LARGEST:
        raise Unsupported(f"model: {name} reads {list(shape)}: images of up to {int(LARGEST**0.5)} numbers can be proved", "model")
    with torch.no_grad():                       # the image of each unit vector is a column
        found = nn.functional.conv2d(torch.eye(size, dtype=torch.float64).reshape(size, *shape), part.weight.detach().double(), None,
                                     part.stride, part.padding, part.dilation, part.groups)
    after = tuple(found.shape[1:])
    bias = torch.zeros(after[0], dtype=torch.float64) if part.bias is None else part.bias.detach().double()
    return found.flatten(1).T, bias.repeat_interleave(after[1] * after[2]), after


def _of_arrays(model: Any) -> Net:
    """W_1, b_1, W_2, b_2 ..., checked."""
    if not isinstance(model, Sequence) or isinstance(model, str) or len(model) < 2 or len(model) % 2:
        raise bad_type("model", type(model).__name__, "an nn.Module, or a list of arrays W_1, b_1, W_2, b_2 ...")
    tensors = [_tensor(f"model[{i}]", a).double() for i, a in enumerate(model)]
    weights, biases = tensors[::2], tensors[1::2]
    for i, (weight, bias) in enumerate(zip(weights, biases, strict=True)):
        if weight.ndim != 2 or bias.shape != weight.shape[:1] or (i and weight.shape[1] != len(biases[i - 1])):
            raise BadType(f"model[{2 * i}] and model[{2 * i + 1}] have shapes {list(weight.shape)} and {list(bias.shape)}: they must be "
                          "[out, in] and [out], with in the out of the layer before", "model")
    return Net(tuple(weights), tuple(biases))


def _tensor(argument: str, given: Any) -> Tensor:
    array = given.detach().cpu() if isinstance(given, Tensor) else np.asarray(given)
    if isinstance(array, np.ndarray):
        if array.dtype.kind not in "bfiu":
            raise BadType(f"{argument} has dtype {array.dtype}: it must hold numbers", argument.split("[")[0])
        array = torch.from_numpy(np.array(array))
    if array.is_floating_point() and not bool(torch.isfinite(array).all()):
        raise BadValue(f"{argument} holds NaN or infinite numbers", argument.split("[")[0])
    return array
