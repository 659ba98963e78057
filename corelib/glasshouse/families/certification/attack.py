"""An attack: projected gradient descent on the true label's lead. What it breaks is broken; what it spares proves nothing.

Source: Madry et al. 2018 (arXiv 1706.06083); the objective is the lead over the strongest other label (Carlini and Wagner 2017).
"""

from __future__ import annotations

import torch
from torch import Tensor

from glasshouse.families.certification.certificate import CAP
from glasshouse.families.certification.network import Net

STEPS = 8
HALVINGS = 6


def lead(logits: Tensor, labels: Tensor) -> tuple[Tensor, Tensor]:
    """([n] the label's logit less the largest other one, int64 [n] which one that is)."""
    own = logits.gather(1, labels.unsqueeze(1)).squeeze(1)
    others, rival = logits.scatter(1, labels.unsqueeze(1), -torch.inf).max(1)
    return own - others, rival


def pgd(net: Net, x: Tensor, labels: Tensor, eps: Tensor, steps: int = STEPS) -> tuple[Tensor, Tensor]:
    """(points [n, d] with the smallest lead met, that lead [n]) within ``eps`` [n] of ``x`` and within [0, 1]. Below 0: flipped.

    The first step goes the whole radius along the gradient's signs, the later ones a quarter of it.
    """
    reach = eps.unsqueeze(1)
    lower, upper = (x - reach).clamp_min(0), (x + reach).clamp_max(1)
    rows = torch.arange(len(x))
    at, best, least = x, x, torch.full((len(x),), torch.inf, dtype=x.dtype)
    for step in range(steps + 1):
        z = net.layers(at)
        now, rival = lead(z[-1], labels)
        better = now < least
        best, least = torch.where(better.unsqueeze(1), at, best), torch.where(better, now, least)
        if step == steps:
            break
        direction = torch.zeros_like(z[-1])
        direction[rows, labels], direction[rows, rival] = -1.0, 1.0
        stride = reach if step == 0 else reach / 4
        at = torch.minimum(torch.maximum(at + stride * net.gradient(z, direction).sign(), lower), upper)
    return best, least


def broken_radius(net: Net, x: Tensor, labels: Tensor, cap: float = CAP, halvings: int = HALVINGS, steps: int = STEPS) -> Tensor:
    """[n]: the smallest radius at which the attack was seen to flip the image; 0 where it is misread as it is, inf where none did up to ``cap``."""
    low = torch.zeros(len(x), dtype=x.dtype)
    high, found = torch.full_like(low, cap), torch.full_like(low, torch.inf)
    for trial in range(halvings + 1):
        middle = high if trial == 0 else (low + high) / 2
        points, least = pgd(net, x, labels, middle, steps)
        flipped = least < 0
        found = torch.where(flipped, torch.minimum(found, (points - x).abs().amax(1)), found)
        high = torch.where(flipped, torch.minimum(middle, found), high)
        low = torch.where(flipped, low, middle).minimum(high)
    return torch.where(lead(net.logits(x), labels)[0] < 0, torch.zeros_like(found), found)
