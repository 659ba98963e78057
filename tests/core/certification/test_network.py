"""A network's values against torch's own modules, its gradients against autograd, its boxes against corners."""

from __future__ import annotations

import itertools

import numpy as np
import torch

from core.certification.nets import gaussian, images, net
from glasshouse.families.certification.certificate import input_box
from glasshouse.families.certification.network import Net


def test_values_and_gradients_are_torchs() -> None:
    ours, x = net(0, 6, 9, 7, 4), images(1, 5, 6).requires_grad_()
    layers = [torch.nn.Linear(a, b, dtype=torch.float64) for a, b in ((6, 9), (9, 7), (7, 4))]
    for layer, weight, bias in zip(layers, ours.weights, ours.biases, strict=True):
        layer.weight.data, layer.bias.data = weight, bias
    theirs = torch.nn.Sequential(layers[0], torch.nn.ReLU(), layers[1], torch.nn.ReLU(), layers[2])
    assert torch.allclose(ours.logits(x), theirs(x))
    direction = gaussian(2, 5, 4)
    (gradient,) = torch.autograd.grad((theirs(x) * direction).sum(), x)
    assert torch.allclose(ours.gradient(ours.layers(x), direction), gradient)


def test_every_corner_lies_in_every_layers_box_and_above_the_margins() -> None:
    ours, x = net(3, 5, 8, 8, 3, scale=2), images(4, 1, 5)
    box = input_box(x, 0.2)
    corners = torch.where(torch.tensor(list(itertools.product((False, True), repeat=5))), box.upper, box.lower)
    for values, bounds in zip(ours.layers(corners), ours.boxes(box), strict=True):
        assert (values >= bounds.lower - 1e-12).all()
        assert (values <= bounds.upper + 1e-12).all()
    for label in range(3):
        logits = ours.logits(corners)
        leads = (logits[:, [label]] - logits).amin(0)
        assert (ours.margins(box, torch.tensor([label]))[0] <= leads + 1e-12).all()


def test_weights_survive_the_way_through_an_event() -> None:
    ours = net(5, 4, 6, 3)
    again = Net.of(ours.arrays())
    assert all(a.dtype == np.float32 for a in ours.arrays())
    assert all(torch.allclose(a, b, atol=1e-6) for a, b in zip((*ours.weights, *ours.biases), (*again.weights, *again.biases), strict=True))
    assert [a.shape for a in again.weights] == [a.shape for a in ours.weights]
