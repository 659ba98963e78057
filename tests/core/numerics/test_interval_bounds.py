"""Interval bounds: sound (sampled points, corners), exact for one layer, monotone in the radius, differentiable; and a hand-worked net."""

from __future__ import annotations

import itertools
import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.nn import functional

from glasshouse.numerics.interval_bounds import (
    ROUNDING,
    Box,
    certified,
    convolution,
    linear,
    margins,
    relu,
    scaled,
    worst_case_loss,
)
from glasshouse.schema.errors import BadValue


def normal(seed: int, *shape: int) -> torch.Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def corners(box: Box) -> torch.Tensor:
    """Every vertex of the box of one example, [2^d, d]."""
    picks = torch.tensor(list(itertools.product((False, True), repeat=box.lower.shape[-1])))
    return torch.where(picks, box.upper, box.lower)


def inside(box: Box, points: torch.Tensor, slack: float = 1e-12) -> bool:
    return bool((points >= box.lower - slack).all() and (points <= box.upper + slack).all())


def test_a_net_worked_by_hand() -> None:
    """x in [-1, 1] x [2, 3]; h = relu(x1 + x2, x1 - 2 x2 + 5); z = h1 - h2."""
    box = Box(torch.tensor([[-1.0, 2.0]]), torch.tensor([[1.0, 3.0]]))
    hidden = linear(box, torch.tensor([[1.0, 1.0], [1.0, -2.0]]), torch.tensor([0.0, 5.0]))
    assert hidden.lower.tolist() == [[1.0, -2.0]]
    assert hidden.upper.tolist() == [[4.0, 2.0]]
    out = linear(relu(hidden), torch.tensor([[1.0, -1.0]]))
    assert out.lower.tolist() == [[-1.0]]           # 1 - 2
    assert out.upper.tolist() == [[4.0]]            # 4 - 0


def test_both_forms_are_one() -> None:
    centre, radius = normal(0, 3, 5), normal(1, 3, 5).abs()
    box = Box.of(centre, radius)
    assert torch.allclose(box.centre, centre)
    assert torch.allclose(box.radius, radius)
    assert torch.equal(box.lower, centre - radius)


def test_around_is_cut_to_what_an_input_can_be_and_refuses_a_negative_radius() -> None:
    x = torch.tensor([[0.0, 0.5, 0.95]])
    box = Box.around(x, 0.1, low=0.0, high=1.0)
    assert torch.allclose(box.lower, torch.tensor([[0.0, 0.4, 0.85]]))
    assert torch.allclose(box.upper, torch.tensor([[0.1, 0.6, 1.0]]))
    assert Box.around(x, torch.tensor([[0.2]])).radius.max() == pytest.approx(0.2)
    for wrong in (-0.1, math.nan, torch.tensor([0.1, -0.1])):
        with pytest.raises(BadValue, match="eps"):
            Box.around(x, wrong)


@pytest.mark.parametrize("seed", range(5))
def test_one_linear_layer_is_exact(seed: int) -> None:
    """Its extremes stand at corners, and every one is reached."""
    weight, bias = normal(seed, 4, 6), normal(seed + 50, 4)
    box = Box.around(normal(seed + 99, 1, 6), normal(seed + 7, 1, 6).abs())
    reached = functional.linear(corners(box), weight, bias)
    out = linear(box, weight, bias)
    assert torch.allclose(out.lower[0], reached.amin(0))
    assert torch.allclose(out.upper[0], reached.amax(0))


@pytest.mark.parametrize(("stride", "padding"), [(1, 0), (2, 1)])
def test_one_convolution_is_exact_and_agrees_with_its_matrix(stride: int, padding: int) -> None:
    weight, bias = normal(3, 2, 1, 2, 2), normal(4, 2)
    box = Box.around(normal(5, 1, 1, 3, 3), 0.3)

    def conv(x: torch.Tensor) -> torch.Tensor:
        return functional.conv2d(x, weight, bias, stride, padding)

    flat = Box(box.lower.reshape(1, 9), box.upper.reshape(1, 9))
    reached = conv(corners(flat).reshape(-1, 1, 3, 3))
    out = convolution(box, weight, bias, stride, padding)
    assert torch.allclose(out.lower[0], reached.amin(0))
    assert torch.allclose(out.upper[0], reached.amax(0))
    zero = conv(torch.zeros(1, 1, 3, 3, dtype=torch.float64)).reshape(-1)
    matrix = conv(torch.eye(9, dtype=torch.float64).reshape(9, 1, 3, 3)).reshape(9, -1).T - zero[:, None]
    as_linear = linear(flat, matrix, zero)
    assert torch.allclose(as_linear.lower, out.lower.reshape(1, -1))


@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 10_000), eps=st.floats(0, 2), depth=st.integers(1, 4), width=st.integers(1, 7))
def test_no_point_of_the_box_leaves_the_bounds(seed: int, eps: float, depth: int, width: int) -> None:
    """Corners and points within, through layers, scaling and ReLU."""
    x = normal(seed, 1, 4)
    box = Box.around(x, eps)
    points = torch.cat([corners(box), x + eps * (2 * torch.rand(200, 4, generator=torch.Generator().manual_seed(seed), dtype=torch.float64) - 1)])
    for layer in range(depth):
        weight, bias = normal(seed + 31 * layer + 1, width, points.shape[1]), normal(seed + 31 * layer + 2, width)
        scale, shift = normal(seed + 31 * layer + 3, width), normal(seed + 31 * layer + 4, width)
        points = (functional.linear(points, weight, bias) * scale + shift).relu()
        box = relu(scaled(linear(box, weight, bias), scale, shift))
        assert inside(box, points, 1e-9 * (1 + float(box.upper.abs().max())))


def test_a_larger_radius_holds_the_smaller_and_zero_is_the_point_itself() -> None:
    x = normal(0, 5, 4)
    weights = [normal(1, 8, 4), normal(2, 8, 8), normal(3, 3, 8)]

    def out(eps: float) -> Box:
        box = Box.around(x, eps)
        for weight in weights[:-1]:
            box = relu(linear(box, weight))
        return linear(box, weights[-1])

    boxes = [out(eps) for eps in (0.0, 0.01, 0.1, 0.5, 2.0)]
    for small, large in itertools.pairwise(boxes):
        assert (large.lower <= small.lower).all()
        assert (large.upper >= small.upper).all()
        assert (large.radius > small.radius).all()
    plain = ((x @ weights[0].T).relu() @ weights[1].T).relu() @ weights[2].T
    assert torch.allclose(boxes[0].lower, plain)
    assert torch.allclose(boxes[0].upper, plain)


def test_margins_are_exact_for_a_linear_classifier_and_tighter_than_two_logits_apart() -> None:
    weight, bias, labels = normal(1, 4, 5), normal(2, 4), torch.tensor([2, 0])
    box = Box.around(normal(3, 2, 5), 0.2)
    low = margins(box, weight, bias, labels)
    for i, label in enumerate(labels.tolist()):
        logits = functional.linear(corners(Box(box.lower[i : i + 1], box.upper[i : i + 1])), weight, bias)
        assert torch.allclose(low[i], (logits[:, [label]] - logits).amin(0))
        out = linear(box, weight, bias)
        apart = out.lower[i, label] - out.upper[i]
        others = torch.arange(4) != label
        assert (low[i][others] >= apart[others] - 1e-12).all()
        assert low[i, label] == 0.0


def test_certified_asks_for_every_other_label() -> None:
    margin = torch.tensor([[0.0, 1.0, 2.0], [1.0, 0.0, -1e-3], [3.0, 2 * ROUNDING, 0.0], [0.0, ROUNDING / 2, 5.0], [0.0, math.nan, 5.0]])
    assert certified(margin).tolist() == [True, False, True, False, False]


def test_the_worst_case_loss_is_above_every_loss_and_equals_it_at_radius_zero() -> None:
    weight, bias, labels = normal(1, 4, 6), normal(2, 4), torch.tensor([3, 1])
    x = normal(3, 2, 6)
    plain = functional.cross_entropy(functional.linear(x, weight, bias), labels, reduction="none")
    assert torch.allclose(worst_case_loss(margins(Box.around(x, 0.0), weight, bias, labels)), plain)
    bound = worst_case_loss(margins(Box.around(x, 0.2), weight, bias, labels))
    for i in range(2):
        at = corners(Box.around(x[i : i + 1], 0.2))
        seen = functional.cross_entropy(functional.linear(at, weight, bias), labels[i].expand(len(at)), reduction="none")
        assert seen.max() <= bound[i] + 1e-12


def test_gradients_reach_the_weights() -> None:
    x, labels = normal(0, 3, 4), torch.tensor([0, 1, 1])
    first, second = normal(1, 5, 4).requires_grad_(), normal(2, 2, 5).requires_grad_()

    def loss(first: torch.Tensor, second: torch.Tensor) -> torch.Tensor:
        return worst_case_loss(margins(relu(linear(Box.around(x, 0.1), first)), second, None, labels)).sum()

    assert torch.autograd.gradcheck(loss, (first, second))
