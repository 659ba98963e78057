"""A network in training: values of a batch and boxes around it pass the same layers, with or without batch normalization."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal, Protocol

import torch
from torch import Tensor
from torch.nn import functional

from glasshouse.families.certification.certificate import input_box
from glasshouse.families.certification.network import Net
from glasshouse.numerics.interval_bounds import Box, linear, margins, relu, scaled

Scheme = Literal["ibp", "kaiming", "xavier"]
SMALL = 1e-5            # batch normalization divides by sqrt(variance + SMALL)


class Initial(Protocol):
    """What a method says of the network it starts from."""

    width: int
    depth: int

    def scheme(self) -> Scheme: ...

    def normalized(self) -> bool: ...


@dataclass(frozen=True, eq=False)
class Bounded:
    """A batch as training sees it: the ``input`` box, the boxes ``pre`` before every ReLU, and lower bounds ``margin`` [n, K] on the leads."""

    input: Box
    pre: tuple[Box, ...]
    margin: Tensor


def spread(scheme: Scheme, fan_in: int, fan_out: int) -> float:
    """The standard deviation of a layer's Gaussian weights.

    ibp: sqrt(2 pi) / fan_in, so that E|w| fan_in / 2 = 1 and boxes keep their mean radius (Shi et al. 2021, IBP initialization);
    kaiming: sqrt(2 / fan_in) and xavier: sqrt(2 / (fan_in + fan_out)) keep the variance of values instead.
    """
    if scheme == "ibp":
        return math.sqrt(2 * math.pi) / fan_in
    return math.sqrt(2 / fan_in) if scheme == "kaiming" else math.sqrt(2 / (fan_in + fan_out))


class Trainee:
    """The weights of a network in training. Owned by the loop that trains it; :meth:`net` gives what it has become."""

    def __init__(self, start: Initial, inputs: int, labels: int, rng: torch.Generator) -> None:
        sizes = [inputs, *[start.width] * start.depth, labels]
        scheme = start.scheme()
        self.weights = []
        for i, (fan_in, fan_out) in enumerate(itertools.pairwise(sizes)):
            std = spread(scheme, fan_in, fan_out) if i < start.depth else 1 / math.sqrt(fan_in)     # the last layer stays as it is usual
            self.weights.append(torch.randn(fan_out, fan_in, generator=rng).mul_(std).requires_grad_())
        self.biases = [torch.zeros(n, requires_grad=True) for n in sizes[1:]]
        hidden = sizes[1:-1] if start.normalized() else []
        self.gains = [torch.ones(n, requires_grad=True) for n in hidden]
        self.shifts = [torch.zeros(n, requires_grad=True) for n in hidden]

    def parameters(self) -> list[Tensor]:
        return [*self.weights, *self.biases, *self.gains, *self.shifts]

    def bounded(self, x: Tensor, labels: Tensor, eps: float) -> Bounded:
        """A batch ``x`` [n, d] in boxes of radius ``eps``. Batch normalization takes its statistics from the values, not from the boxes."""
        box = start = input_box(x, eps)
        pre = []
        for weight, bias, normal in zip(self.weights[:-1], self.biases[:-1], self._normalizing(x), strict=True):
            box = linear(box, weight, bias)
            box = box if normal is None else scaled(box, *normal)
            pre.append(box)
            box = relu(box)
        return Bounded(start, tuple(pre), margins(box, self.weights[-1], self.biases[-1], labels))

    def net(self, x: Tensor) -> Net:
        """The plain network of now. Batch normalization becomes part of the weights, with the statistics of the training images ``x``."""
        with torch.no_grad():
            folded = [(w, b) if normal is None else (w * normal[0].unsqueeze(1), b * normal[0] + normal[1])
                      for w, b, normal in zip(self.weights[:-1], self.biases[:-1], self._normalizing(x), strict=True)]
        folded.append((self.weights[-1], self.biases[-1]))
        return Net(tuple(w.detach().double() for w, _ in folded), tuple(b.detach().double() for _, b in folded))

    def _normalizing(self, x: Tensor) -> Iterator[tuple[Tensor, Tensor] | None]:
        """(scale, shift) of every hidden layer's normalization on the batch ``x``; None where nothing is normalized."""
        h = x
        for i, (weight, bias) in enumerate(zip(self.weights[:-1], self.biases[:-1], strict=True)):
            if not self.gains:
                yield None
                continue
            z = functional.linear(h, weight, bias)
            variance, mean = torch.var_mean(z, dim=0, correction=0)
            scale = self.gains[i] / (variance + SMALL).sqrt()
            shift = self.shifts[i] - mean * scale
            yield scale, shift
            h = (z * scale + shift).relu()


class Adam:
    """Kingma and Ba 2015, with their constants. Torch's own first loads its compiler, for longer than a person waits for a picture."""

    def __init__(self, parameters: list[Tensor], rate: float) -> None:
        self.parameters, self.rate, self.steps = parameters, rate, 0
        self.first = [torch.zeros_like(p) for p in parameters]
        self.second = [torch.zeros_like(p) for p in parameters]

    def step(self, loss: Tensor) -> None:
        """Moves the parameters down the gradient of ``loss``."""
        gradients = torch.autograd.grad(loss, self.parameters)
        self.steps += 1
        with torch.no_grad():
            for p, g, m, v in zip(self.parameters, gradients, self.first, self.second, strict=True):
                m.lerp_(g, 0.1)
                v.lerp_(g * g, 0.001)
                p -= self.rate * (m / (1 - 0.9**self.steps)) / ((v / (1 - 0.999**self.steps)).sqrt() + 1e-8)
