"""A small network and one pass of its training: torch on the CPU, every random number from an address."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np

from glasshouse.numerics.seeds import Seeds

if TYPE_CHECKING:
    import torch

    Loss = Callable[[torch.Tensor, torch.Tensor], torch.Tensor]

BATCH = 64


class Network:
    """Inputs float32 [n, d] to ``out`` numbers, through two layers of ``width`` rectified units; trained by Adam.

    ``weights`` are drawn uniformly within 1 / sqrt(fan in), biases too.
    """

    def __init__(self, inputs: int, out: int, width: int, rate: float, seeds: Seeds) -> None:
        import torch

        self._torch = torch
        generator = seeds.torch("weights")
        sizes = (inputs, width, width, out)
        self.weights: list[torch.Tensor] = []
        for fan_in, fan_out in itertools.pairwise(sizes):
            edge = 1 / math.sqrt(max(fan_in, 1))
            for shape in ((fan_out, fan_in), (fan_out,)):
                drawn = (torch.rand(shape, generator=generator) * 2 - 1) * edge
                self.weights.append(drawn.requires_grad_())
        self.restart(rate)

    def restart(self, rate: float) -> None:
        """A fresh optimiser."""
        self._adam = self._torch.optim.Adam(self.weights, lr=rate)

    def __call__(self, x: torch.Tensor) -> torch.Tensor:
        for i in range(0, len(self.weights), 2):
            x = self._torch.nn.functional.linear(x, self.weights[i], self.weights[i + 1])
            if i + 2 < len(self.weights):
                x = x.relu()
        return x

    def outputs(self, x: torch.Tensor) -> np.ndarray:
        """float64 [n, out], without gradients."""
        with self._torch.no_grad():
            found: np.ndarray = self(x).double().numpy()
            return found

    def train_once(self, x: torch.Tensor, target: torch.Tensor, loss: Loss, order: np.ndarray) -> None:
        """One pass over the rows in ``order``, in batches of 64."""
        for start in range(0, len(order), BATCH):
            rows = self._torch.from_numpy(order[start:start + BATCH])
            self._adam.zero_grad(set_to_none=True)
            loss(self(x[rows]), target[rows]).backward()        # type: ignore[no-untyped-call]
            self._adam.step()

    def copy(self) -> list[torch.Tensor]:
        """The weights as they are now."""
        return [w.detach().clone() for w in self.weights]

    def put(self, weights: list[torch.Tensor]) -> None:
        """The weights as they were."""
        with self._torch.no_grad():
            for mine, given in zip(self.weights, weights, strict=True):
                mine.copy_(given)
