"""Robust conformal training (RCT): a last layer trained for small robust sets. Yan, Romano, Weng 2024, after Stutz et al. 2022.

In every batch one half calibrates and the other is predicted, all of it soft: the loss is the logarithm of how far true labels are out of
their robust sets plus how much larger than one label the sets are. The layers below stay as they are.

Constants are those of the authors' code for CIFAR-10. Ours are these: steps are counted, for there are few images; the noisy copies are
drawn once, and every step takes a few of them; gradients are clipped at norm 1, at twice the rate; and the sorted value that serves as
threshold is softened by SoftSort (Prillo, Eisenschlos 2020), a weighted mean of the values near it, in place of their library's.
"""

from __future__ import annotations

from collections.abc import Generator
from typing import TYPE_CHECKING, Protocol, Self, runtime_checkable

import numpy as np

from glasshouse.numerics.seeds import Seeds
from glasshouse.schema.events.base import Progress

if TYPE_CHECKING:
    import torch

STEPS, BATCH, COPIES, DRAWN = 1000, 500, 8, 32
RATE, MOMENTUM, DECAY = 0.1, 0.9, 5e-4
ALPHA, REACH = 0.1, 0.5             # miscoverage and radius / sigma that the layer is trained for
SIZE, WEIGHT = 1.0, 1.0             # kappa: labels that cost nothing; lambda: weight of the rest
SOFT, SORT = 0.1, 0.1               # of membership and of sorting


@runtime_checkable
class Trainable(Protocol):
    """A network whose last layer reads ``features`` [n, width] and can be replaced by weight [K, width] and bias [K]."""

    def features(self, x: np.ndarray) -> np.ndarray: ...

    def with_head(self, weight: np.ndarray, bias: np.ndarray) -> Self: ...


def trained(network: Trainable, x: np.ndarray, labels: np.ndarray, classes: int, sigma: float, seeds: Seeds,
            ) -> Generator[Progress, None, np.ndarray]:
    """A new last layer for ``network``, float32 [K, width + 1], the bias last; from training points ``x`` float32 [n, inputs] and their
    ``labels`` int64 [n]."""
    import torch

    told = "training the last layer for small robust sets (RCT)"
    noise = seeds.numpy("rct noise")
    known = []
    for _ in range(DRAWN):
        known.append(network.features(x + np.float32(sigma) * noise.standard_normal(x.shape, np.float32)))
        yield Progress(done=0, total=STEPS, message=told)
    features, n, batch = torch.from_numpy(np.stack(known)), len(x), min(BATCH, len(x))
    width = features.shape[2]
    start = seeds.numpy("rct start").uniform(-1, 1, (classes, width + 1)) / np.sqrt(width)
    weight = torch.tensor(start[:, :-1], dtype=torch.float32, requires_grad=True)
    bias = torch.tensor(start[:, -1], dtype=torch.float32, requires_grad=True)
    descent = torch.optim.SGD([weight, bias], RATE, MOMENTUM, weight_decay=DECAY, nesterov=True)
    drops = torch.optim.lr_scheduler.MultiStepLR(descent, [STEPS * k // 5 for k in (2, 3, 4)], 0.1)
    for step in range(STEPS):
        draw = seeds.numpy("rct step", step)
        at, copies = draw.choice(n, batch, replace=False), draw.integers(DRAWN, size=(COPIES, batch))
        probs = (features[copies, at] @ weight.T + bias).softmax(-1).mean(0)
        descent.zero_grad()
        loss(probs, torch.from_numpy(labels[at])).backward()  # type: ignore[no-untyped-call]
        torch.nn.utils.clip_grad_norm_([weight, bias], 1.0)
        descent.step()
        drops.step()
        yield Progress(done=step + 1, total=STEPS, message=told)
    return torch.cat((weight, bias[:, None]), 1).detach().numpy()


def loss(probs: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
    """log(mean(1 - C_y) + lambda mean relu(sum C - kappa) + 1e-8), C the soft membership of the second half's labels.

    ``probs`` [n, K] are means over noisy copies. Values v = Phi^-1(probs), large = likely: a label is in where v reaches the first half's
    lower alpha quantile less radius / sigma.
    """
    import torch

    v = torch.special.ndtri(probs.clamp(1e-7, 1 - 1e-7))
    half = len(v) // 2
    rows = torch.arange(len(v))
    own = v[rows, labels]
    place = max(int(ALPHA * (half + 1)) - 1, 0)
    threshold = soft_value(own[:half], place) - REACH
    member = torch.sigmoid((v[half:] - threshold) / SOFT)
    out = 1 - member[rows[: len(v) - half], labels[half:]]
    return torch.log(out.mean() + WEIGHT * (member.sum(1) - SIZE).relu().mean() + 1e-8)


def soft_value(values: torch.Tensor, place: int) -> torch.Tensor:
    """The value at 0-based ``place`` of the ascending order, as a mean that its neighbours share in."""
    at = values.sort().values[place]
    return ((values - at).abs().neg() / SORT).softmax(0) @ values
