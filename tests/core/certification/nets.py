"""Small random networks, and images, for the tests."""

from __future__ import annotations

import itertools

import torch
from torch import Tensor

from glasshouse.families.certification.network import Net


def generator(seed: int) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def gaussian(seed: int, *shape: int) -> Tensor:
    return torch.randn(*shape, generator=generator(seed), dtype=torch.float64)


def net(seed: int, *sizes: int, scale: float = 1.0) -> Net:
    """Gaussian weights of variance scale^2 / fan_in, biases of a tenth."""
    pairs = list(itertools.pairwise(sizes))
    return Net(tuple(gaussian(seed + i, b, a) * scale / a**0.5 for i, (a, b) in enumerate(pairs)),
               tuple(gaussian(seed + 50 + i, b) / 10 for i, (_, b) in enumerate(pairs)))


def images(seed: int, n: int, d: int) -> Tensor:
    return torch.rand(n, d, generator=generator(seed), dtype=torch.float64)
