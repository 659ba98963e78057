"""A ReLU network as plain weights: values, gradients and boxes.

z_i = W_i h_{i-1} + b_i and h_i = max(z_i, 0), with h_0 = x; the last z are the logits. n points, K labels.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from glasshouse.numerics.interval_bounds import Box, linear, margins, relu


@dataclass(frozen=True, eq=False)
class Net:
    """``weights`` W_i [out, in] and ``biases`` b_i [out], one each per layer; float64 where something is to be claimed."""

    weights: tuple[Tensor, ...]
    biases: tuple[Tensor, ...]

    @classmethod
    def of(cls, arrays: tuple[np.ndarray, ...]) -> Net:
        """From W_1, b_1, W_2, b_2 ... as :meth:`arrays` gives them, in float64."""
        tensors = [torch.from_numpy(a).double() for a in arrays]
        return cls(tuple(tensors[::2]), tuple(tensors[1::2]))

    def arrays(self) -> tuple[np.ndarray, ...]:
        """W_1, b_1, W_2, b_2 ... as float32: how they were trained."""
        return tuple(t.detach().float().numpy().copy() for pair in zip(self.weights, self.biases, strict=True) for t in pair)

    def layers(self, x: Tensor) -> list[Tensor]:
        """z_1 ... z_L at the points ``x`` [n, d]."""
        found, h = [], x
        for weight, bias in zip(self.weights, self.biases, strict=True):
            found.append(torch.addmm(bias, h, weight.T))
            h = found[-1].clamp_min(0)
        return found

    def logits(self, x: Tensor) -> Tensor:
        """[n, K]."""
        return self.layers(x)[-1]

    def gradient(self, z: list[Tensor], direction: Tensor) -> Tensor:
        """Gradient of ``direction`` [n, out of the last layer of z] . z[-1] by the input, [n, d]; ``z`` as of :meth:`layers`, or its start."""
        g = direction
        for i in range(len(z) - 1, 0, -1):
            g = (g @ self.weights[i]) * (z[i - 1] > 0)
        return g @ self.weights[0]

    def boxes(self, box: Box) -> Iterator[Box]:
        """The boxes of z_1 ... z_L, given the input's."""
        for i, (weight, bias) in enumerate(zip(self.weights, self.biases, strict=True)):
            box = linear(relu(box) if i else box, weight, bias)
            yield box

    def margins(self, box: Box, labels: Tensor) -> Tensor:
        """Lower bounds on the label's lead over every other label, [n, K], of any input in ``box``; see ``interval_bounds.margins``."""
        for weight, bias in zip(self.weights[:-1], self.biases[:-1], strict=True):
            box = relu(linear(box, weight, bias))
        return margins(box, self.weights[-1], self.biases[-1], labels)

    def leads(self, labels: Tensor) -> tuple[Tensor, Tensor]:
        """The last layer as rows label - k: weights [n, K, in] and biases [n, K]; the label's own row is 0."""
        weight, bias = self.weights[-1], self.biases[-1]
        return weight[labels].unsqueeze(1) - weight, bias[labels].unsqueeze(1) - bias
