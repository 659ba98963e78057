"""The network in training: folded normalization is the same function, boxes are sound, the optimizer is Adam."""

from __future__ import annotations

from dataclasses import dataclass

import pytest
import torch

from core.certification.nets import images
from glasshouse.families.certification.training import Adam, Scheme, Trainee, spread
from glasshouse.numerics.interval_bounds import worst_case_loss
from glasshouse.numerics.seeds import Seeds


@dataclass(frozen=True)
class Start:
    width: int = 12
    depth: int = 3
    batch_norm: bool = True

    def scheme(self) -> Scheme:
        return "kaiming"

    def normalized(self) -> bool:
        return self.batch_norm


def trainee(start: Start) -> Trainee:
    made = Trainee(start, 6, 4, Seeds(0).torch("weights"))
    for i, p in enumerate([*made.gains, *made.shifts, *made.biases]):
        p.data += torch.randn(p.shape, generator=torch.Generator().manual_seed(i)) / 3
    return made


@pytest.mark.parametrize("batch_norm", [True, False])
def test_folded_weights_are_the_network_that_was_trained(batch_norm: bool) -> None:
    """Against torch's own batch normalization in training mode."""
    made = trainee(Start(batch_norm=batch_norm))
    x = images(0, 30, 6).float()
    h = x
    for i in range(3):
        h = torch.nn.functional.linear(h, made.weights[i], made.biases[i])
        if batch_norm:
            h = torch.nn.functional.batch_norm(h, None, None, made.gains[i], made.shifts[i], training=True)
        h = h.relu()
    logits = torch.nn.functional.linear(h, made.weights[3], made.biases[3])
    assert torch.allclose(made.net(x).logits(x.double()).float(), logits, atol=1e-4)


@pytest.mark.parametrize("batch_norm", [True, False])
def test_boxes_in_training_are_those_of_the_folded_network(batch_norm: bool) -> None:
    made = trainee(Start(batch_norm=batch_norm))
    x, labels = images(1, 25, 6).float(), torch.arange(25) % 4
    bounded, net = made.bounded(x, labels, 0.1), made.net(x)
    box = type(bounded.input)(bounded.input.lower.double(), bounded.input.upper.double())
    assert torch.allclose(bounded.margin.double(), net.margins(box, labels), atol=1e-4)
    for ours, theirs in zip(bounded.pre, net.boxes(box), strict=False):
        assert torch.allclose(ours.lower.double(), theirs.lower, atol=1e-4)
        assert torch.allclose(ours.upper.double(), theirs.upper, atol=1e-4)


def test_at_radius_zero_the_loss_is_the_cross_entropy() -> None:
    made = trainee(Start())
    x, labels = images(2, 25, 6).float(), torch.arange(25) % 4
    plain = torch.nn.functional.cross_entropy(made.net(x).logits(x.double()), labels)
    assert float(worst_case_loss(made.bounded(x, labels, 0.0).margin).mean().detach()) == pytest.approx(float(plain), abs=1e-4)


def test_adam_is_adam() -> None:
    ours = torch.tensor([3.0, -2.0, 0.5], requires_grad=True)
    theirs = ours.detach().clone().requires_grad_()
    mine, reference = Adam([ours], 0.05), torch.optim.Adam([theirs], lr=0.05)
    for _ in range(30):
        mine.step(((ours - 1) ** 4).sum())
        reference.zero_grad()
        ((theirs - 1) ** 4).sum().backward()
        reference.step()
    assert torch.allclose(ours, theirs, atol=1e-5)


def test_spreads_are_the_published_ones() -> None:
    assert spread("kaiming", 50, 20) == pytest.approx((2 / 50) ** 0.5)
    assert spread("xavier", 50, 20) == pytest.approx((2 / 70) ** 0.5)
    assert spread("ibp", 50, 20) == pytest.approx((2 * torch.pi / 50**2) ** 0.5)
