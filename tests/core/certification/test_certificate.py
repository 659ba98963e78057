"""Certified radii against the closed form of a linear classifier, against corners, and below every attack."""

from __future__ import annotations

import itertools

import pytest
import torch

from core.certification.nets import gaussian, images, net
from glasshouse.families.certification.attack import broken_radius, lead, pgd
from glasshouse.families.certification.certificate import CAP, certified_at, certified_radius, input_box, worst_margin
from glasshouse.families.certification.network import Net
from glasshouse.schema.errors import GlasshouseError


def test_a_linear_classifiers_radius_is_its_margin_over_the_sum_of_weights() -> None:
    """Far from the edges of [0, 1]: min over k of (z_y - z_k) / |w_y - w_k|_1, and the attack reaches it."""
    ours = Net((gaussian(0, 4, 30),), (gaussian(1, 4),))
    x = 0.5 + gaussian(2, 200, 30) * 0.01
    labels = ours.logits(x).argmax(1)
    weight, bias = ours.leads(labels)
    leads = (weight @ x.unsqueeze(2)).squeeze(2) + bias
    own = torch.arange(4) == labels.unsqueeze(1)
    exact = (leads / weight.abs().sum(2)).masked_fill(own, torch.inf).amin(1)
    inside = exact < 0.3
    assert inside.sum() > 50
    found, broken = certified_radius(ours, x, labels), broken_radius(ours, x, labels)
    assert torch.allclose(found[inside], exact[inside], atol=CAP / 2**11)
    assert (found[inside] <= exact[inside]).all()
    assert (broken[inside] >= exact[inside] - 1e-12).all()
    assert (broken[inside] <= exact[inside] + 0.02).all()


def test_an_image_read_wrongly_is_certified_nowhere_and_broken_at_once() -> None:
    ours, x = net(0, 6, 8, 3), images(1, 20, 6)
    wrong = (ours.logits(x).argmax(1) + 1) % 3
    assert (certified_radius(ours, x, wrong) == -1).all()
    assert (broken_radius(ours, x, wrong) == 0).all()
    assert (worst_margin(ours, x, wrong, 0.0) < 0).all()


@pytest.mark.parametrize("seed", range(6))
def test_no_corner_flips_a_certified_image(seed: int) -> None:
    """All 2^8 corners at the certified radius, the largest leads in the box that matter to a linear piece."""
    ours, x = net(seed, 8, 10, 10, 3, scale=1.5), images(seed + 9, 12, 8)
    labels = ours.logits(x).argmax(1)
    radius = certified_radius(ours, x, labels)
    assert (radius > 0).any()
    picks = torch.tensor(list(itertools.product((0.0, 1.0), repeat=8)), dtype=torch.float64)
    for one, label, r in zip(x, labels.tolist(), radius, strict=True):
        box = input_box(one.unsqueeze(0), float(r))
        assert (ours.logits(box.lower + picks * (box.upper - box.lower)).argmax(1) == label).all()
    assert (radius < broken_radius(ours, x, labels)).all()


def test_certified_falls_as_the_radius_grows_and_agrees_with_the_margin() -> None:
    ours, x = net(3, 8, 12, 4, scale=1.5), images(5, 40, 8)
    labels = ours.logits(x).argmax(1)
    held = [certified_at(ours, x, labels, eps) for eps in (0.0, 0.01, 0.03, 0.1, 0.3)]
    assert all(bool((b <= a).all()) for a, b in itertools.pairwise(held))
    assert held[0].sum() == 40
    assert 0 < held[2].sum() < 40
    assert torch.equal(worst_margin(ours, x, labels, 0.03) > 1e-9, held[2])


def test_the_attack_stays_in_its_box_and_finds_what_it_says() -> None:
    ours, x = net(4, 8, 12, 4, scale=3), images(6, 60, 8)
    labels = ours.logits(x).argmax(1)
    eps = torch.full((60,), 0.15, dtype=torch.float64)
    points, least = pgd(ours, x, labels, eps)
    assert ((points - x).abs() <= 0.15 + 1e-12).all()
    assert ((points >= 0) & (points <= 1)).all()
    assert torch.allclose(lead(ours.logits(points), labels)[0], least)
    assert 0 < (least < 0).sum() < 60
    drawn = x + 0.15 * (2 * torch.rand(60, 8, generator=torch.Generator().manual_seed(0), dtype=torch.float64) - 1)
    assert (lead(ours.logits(drawn.clamp(0, 1)), labels)[0] > least).float().mean() > 0.9, "an attack is worth more than chance"


def test_an_attack_proved_to_have_flipped_stands_at_its_radius() -> None:
    """At the radius told there is a flipped image: the attack from there finds one within the same radius, or a hair above."""
    ours, x = net(7, 8, 12, 4, scale=3), images(8, 40, 8)
    labels = ours.logits(x).argmax(1)
    broken = broken_radius(ours, x, labels)
    some = broken < CAP
    assert some.sum() > 10
    _, least = pgd(ours, x[some], labels[some], broken[some] + 0.01, steps=40)
    assert (least < 0).float().mean() > 0.9


@pytest.mark.parametrize(("named", "x", "labels", "cap"), [
    ("x", torch.zeros(3, 5, dtype=torch.float64), torch.zeros(3, dtype=torch.int64), CAP),
    ("x", torch.zeros(3, 8), torch.zeros(3, dtype=torch.int64), CAP),
    ("x", torch.full((3, 8), 1.5, dtype=torch.float64), torch.zeros(3, dtype=torch.int64), CAP),
    ("x", torch.full((3, 8), torch.nan, dtype=torch.float64), torch.zeros(3, dtype=torch.int64), CAP),
    ("labels", torch.zeros(3, 8, dtype=torch.float64), torch.tensor([0, 1, 4]), CAP),
    ("labels", torch.zeros(3, 8, dtype=torch.float64), torch.zeros(2, dtype=torch.int64), CAP),
    ("cap", torch.zeros(3, 8, dtype=torch.float64), torch.zeros(3, dtype=torch.int64), -0.1)])
def test_what_does_not_fit_is_refused_by_name(named: str, x: torch.Tensor, labels: torch.Tensor, cap: float) -> None:
    with pytest.raises(GlasshouseError) as error:
        certified_radius(net(0, 8, 6, 4), x, labels, cap)
    assert error.value.argument == named


def test_no_image_is_no_error() -> None:
    ours, none = net(0, 8, 6, 4), torch.zeros(0, 8, dtype=torch.float64)
    assert certified_radius(ours, none, torch.zeros(0, dtype=torch.int64)).shape == (0,)
