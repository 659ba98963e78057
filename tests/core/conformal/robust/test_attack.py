from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import torch

from glasshouse.families.conformal.robust.attack import attacked
from glasshouse.families.conformal.robust.interface import Pool
from glasshouse.families.conformal.robust.problems import Digits
from glasshouse.models.digits import Network
from glasshouse.numerics.seeds import Seeds
from glasshouse.schema.events.base import Progress


def moved(pool: Pool, sigma: float, radius: float, seed: int = 0) -> np.ndarray:
    work = attacked(pool, sigma, radius, pool.x[pool.test], Seeds(seed), "")
    while True:
        try:
            assert isinstance(next(work), Progress)
        except StopIteration as end:
            found: np.ndarray = end.value
            return found


def linear() -> Pool:
    """Two classes, linear: the best attack goes straight along the difference of the weights, whatever the noise."""
    weight = np.array([[1.0, 2.0, -1.0], [-0.5, 1.0, 1.0]], np.float32)
    x = np.full((40, 3), 0.5, np.float32)
    at = np.arange(40)
    return Pool(Network((weight,), (np.zeros(2, np.float32),)), x, at % 2, at[:0], at[:0], at[:0], at, (0, 0), (0.3,), 20, 8, "linear")


def test_a_linear_network_is_attacked_along_its_weights() -> None:
    pool = linear()
    weight = pool.classifier.weights[0]  # type: ignore[attr-defined]
    away = (weight[1] - weight[0]) / np.linalg.norm(weight[1] - weight[0])
    best = np.where(pool.labels[:, None] == 0, away, -away) * 0.3
    np.testing.assert_allclose(moved(pool, 0.5, 0.3) - pool.x, best, atol=2e-3)


def test_the_slope_is_that_of_the_mean_probability() -> None:
    """Against torch's own differentiation, through the whole network and the mean over copies."""
    from glasshouse.families.conformal.robust import attack

    pool = Digits().open()
    x, labels = pool.x[pool.test[:6]], pool.labels[pool.test[:6]]
    noise = (0.5 * Seeds(0).numpy("slope").standard_normal((5, 6, 64))).astype(np.float32)
    place = torch.tensor(x, requires_grad=True)
    value = place + torch.tensor(noise)
    network = pool.classifier
    assert isinstance(network, Network)
    for i, (weight, bias) in enumerate(zip(network.weights, network.biases, strict=True)):
        value = value @ torch.tensor(weight).T + torch.tensor(bias)
        value = value.relu() if i < 2 else value
    p = value.softmax(-1)[:, torch.arange(6), torch.tensor(labels)].mean(0)
    (-p.log()).sum().backward()
    want = place.grad.numpy()  # type: ignore[union-attr]
    want /= np.linalg.norm(want, axis=1, keepdims=True)
    uphill: Callable[..., np.ndarray] = attack._uphill
    np.testing.assert_allclose(uphill(network, x, labels, noise), want, atol=2e-4)


def test_it_stays_in_the_ball_and_the_range_and_lowers_the_accuracy() -> None:
    pool = Digits(attack_steps=10).open()
    pool = replace(pool, test=pool.test[:150])
    clean = pool.x[pool.test]

    def accuracy(x: np.ndarray) -> float:
        return float((pool.classifier.probabilities(x).argmax(axis=1) == pool.labels[pool.test]).mean())

    found = [accuracy(clean)]
    for radius in (0.25, 1.0):
        x = moved(pool, 0.5, radius)
        assert (np.linalg.norm(x - clean, axis=1) <= radius * (1 + 1e-5)).all()
        assert ((x >= 0) & (x <= 1)).all()
        found.append(accuracy(x))
    assert found[0] > 0.9
    assert found[0] > found[1] + 0.05 > found[2] + 0.35
    np.testing.assert_array_equal(moved(pool, 0.5, 1.0), x)
