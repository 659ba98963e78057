"""Tightness by its closed forms: linear networks, weights of one sign, Gaussian layers; and local tightness on one linear piece."""

from __future__ import annotations

import itertools
import math

import pytest
import torch
from scipy.special import gammaln

from core.certification.nets import gaussian, images, net
from glasshouse.families.certification.network import Net
from glasshouse.families.certification.tightness import agreement, global_tightness, local_tightness, pairs, radii, tightness
from glasshouse.numerics.interval_bounds import Box, linear


def test_a_linear_networks_best_and_propagated_boxes_are_those_of_the_definition() -> None:
    """The best box by all corners, the propagated one by interval bounds."""
    weights = [gaussian(i, b, a) for i, (a, b) in enumerate([(6, 5), (5, 7), (7, 3)])]
    radius = images(9, 1, 6)[0] * 0.3
    signs = torch.tensor(list(itertools.product((-1.0, 1.0), repeat=6)), dtype=torch.float64)
    values = signs * radius
    box = Box(-radius.unsqueeze(0), radius.unsqueeze(0))
    for weight in weights:
        values, box = values @ weight.T, linear(box, weight)
    best, passed = radii(weights, radius)
    assert torch.allclose(best, values.amax(0))
    assert torch.allclose(passed, box.radius[0])
    assert torch.allclose(tightness(weights, radius), values.amax(0) / box.radius[0])


def test_weights_of_one_sign_are_exact_and_so_is_one_layer() -> None:
    weights = [gaussian(i, 8, 8).abs() for i in range(3)]
    assert torch.allclose(tightness(weights), torch.ones(8, dtype=torch.float64))
    assert torch.allclose(tightness([gaussian(0, 4, 9)]), torch.ones(4, dtype=torch.float64))
    flipped = [-weights[0], weights[1], -weights[2]]
    assert torch.allclose(tightness(flipped), torch.ones(8, dtype=torch.float64))
    ours = Net(tuple(weights), tuple(torch.zeros(8, dtype=torch.float64) for _ in weights))
    assert torch.allclose(agreement(ours), torch.ones(8, 8, dtype=torch.float64))


def expected(n: int, layers: int) -> float:
    """Of Gaussian layers n x n: E|entry of the product| / E|entry of the product of sizes| = (sqrt(pi / 2) E chi_n / n)^(layers - 1).

    Given a row v, v W is Gaussian with norm |v| chi_n; and E|w| = sqrt(2 / pi).
    """
    chi = math.sqrt(2) * math.exp(gammaln((n + 1) / 2) - gammaln(n / 2))
    return (math.sqrt(math.pi / 2) * chi / n) ** (layers - 1)


@pytest.mark.parametrize(("n", "layers"), [(50, 2), (20, 3), (100, 2), (50, 3)])
def test_gaussian_layers_have_the_tightness_that_theory_says(n: int, layers: int) -> None:
    found = torch.stack([tightness([gaussian(100 * s + i, n, n) for i in range(layers)]).mean() for s in range(10)])
    slack = 4 * float(found.std()) / math.sqrt(10) + 0.01 * expected(n, layers)     # a ratio of means is not a mean of ratios
    assert float(found.mean()) == pytest.approx(expected(n, layers), abs=slack)
    if (n, layers) == (50, 2):
        assert float(found.mean()) == pytest.approx(0.175, abs=0.005)


def test_width_and_depth_lower_it() -> None:
    by_width = [global_tightness(net(0, 16, n, n, 10)) for n in (4, 16, 64)]
    by_depth = [global_tightness(net(0, 16, *[24] * d, 10)) for d in (1, 2, 3, 4)]
    assert all(b < 0.8 * a for a, b in itertools.pairwise(by_width))
    assert all(b < 0.8 * a for a, b in itertools.pairwise(by_depth))


def test_local_tightness_is_that_of_the_linear_piece() -> None:
    """Built piece by piece: rows of units that are off are set to 0, and the linear formula is asked."""
    ours, x = net(2, 7, 9, 8, 4, scale=1.5), images(3, 6, 7)
    labels = torch.tensor([0, 1, 2, 3, 1, 2])
    found = local_tightness(ours, x, labels)
    for i, label in enumerate(labels.tolist()):
        z = ours.layers(x[i : i + 1])
        rows = [w * (layer[0] > 0).double().unsqueeze(1) for w, layer in zip(ours.weights[:-1], z[:-1], strict=True)]
        others = [k for k in range(4) if k != label]
        last = ours.weights[-1][label] - ours.weights[-1][others]
        assert float(found[i]) == pytest.approx(float(tightness([*rows, last]).mean()))
    assert ((found > 0) & (found <= 1)).all()


def test_all_on_is_global() -> None:
    """With biases so large that every unit is on, taking out what is off takes out nothing."""
    ours = net(2, 7, 9, 4)
    ours = Net(ours.weights, tuple(b + 100 for b in ours.biases))
    labels = torch.tensor([0, 1, 2, 3])
    assert float(local_tightness(ours, images(1, 4, 7), labels).mean()) == pytest.approx(global_tightness(ours))
    assert pairs(ours.weights[-1]).shape == (12, 9)
