"""What a network makes of all images within a radius: values really reached, against the boxes that must hold them.

Reached points can only show too little, boxes only too much: the best box lies between. The points are real images: some drawn, some at corners,
some driven as far as gradients lead.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from glasshouse.families.certification.certificate import input_box
from glasshouse.families.certification.network import Net
from glasshouse.numerics.interval_bounds import Box
from glasshouse.numerics.seeds import Seeds

DRAWN = 300             # images drawn within the radius, and as many of its corners
DIRECTIONS = 24
CLIMBS = 4


@dataclass(frozen=True, eq=False)
class Region:
    """``leads`` [p, 2] at the points, ``lead_box`` of the same two; mean radii [L + 1] by bounds and as reached; see the event ``Inspected``."""

    leads: Tensor
    lead_box: Box
    ibp_radius: Tensor
    reached_radius: Tensor
    rivals: tuple[int, int]


def region(net: Net, x: Tensor, label: int, eps: float) -> Region:
    """Around one image ``x`` [d]."""
    around = input_box(x.unsqueeze(0), eps)
    values = net.logits(x.unsqueeze(0))[0].clone()
    values[label] = -torch.inf
    rivals = values.topk(2).indices
    weight, bias = net.leads(torch.tensor([label]))
    of_leads = Net((*net.weights[:-1], weight[0]), (*net.biases[:-1], bias[0]))
    points = torch.cat([x.unsqueeze(0), _drawn(around), _corners(of_leads, x, around), _climbed(of_leads, x, around, rivals)])
    reached = of_leads.layers(points)
    boxes = list(of_leads.boxes(around))
    others = torch.arange(len(weight[0])) != label
    inner = [Box(z.amin(0, keepdim=True), z.amax(0, keepdim=True)) for z in reached]
    radii = [torch.stack([(b.radius[0][others] if i == len(some) - 1 else b.radius[0]).mean() for i, b in enumerate(some)])
             for some in ([around, *boxes], [around, *inner])]
    return Region(reached[-1][:, rivals], Box(boxes[-1].lower[:, rivals], boxes[-1].upper[:, rivals]), radii[0], radii[1],
                  (int(rivals[0]), int(rivals[1])))


def _drawn(around: Box) -> Tensor:
    """Images within the box, drawn evenly, and corners of it: the same draws for every network, radius and image."""
    rng = Seeds(0).torch("region")
    shape = (DRAWN, around.lower.shape[1])
    shares = torch.cat([torch.rand(shape, generator=rng, dtype=around.lower.dtype),
                        torch.randint(2, shape, generator=rng).to(around.lower.dtype)])
    return around.lower + shares * (around.upper - around.lower)


def _corners(net: Net, x: Tensor, around: Box) -> Tensor:
    """For every unit of every layer the two corners that move it most, were the network linear as it is at ``x``."""
    z = net.layers(x.unsqueeze(0))
    found = []
    for depth, layer in enumerate(z, 1):
        units = layer.shape[1]
        gradient = net.gradient([one.expand(units, -1) for one in z[:depth]], torch.eye(units, dtype=x.dtype))
        found += [torch.where(gradient > 0, around.upper, around.lower), torch.where(gradient > 0, around.lower, around.upper)]
    return torch.cat(found)


def _climbed(net: Net, x: Tensor, around: Box, rivals: Tensor) -> Tensor:
    """Points that go as far as corners, chosen by gradients, lead in many directions of the plane of two leads."""
    angle = torch.arange(DIRECTIONS, dtype=x.dtype) * (2 * math.pi / DIRECTIONS)
    direction = torch.zeros(DIRECTIONS, len(net.biases[-1]), dtype=x.dtype)
    direction[:, rivals[0]], direction[:, rivals[1]] = angle.cos(), angle.sin()
    at, found = x.expand(DIRECTIONS, -1), []
    for _ in range(CLIMBS):
        gradient = net.gradient(net.layers(at), direction)
        at = torch.where(gradient > 0, around.upper, around.lower)
        found.append(at)
    return torch.cat(found)
