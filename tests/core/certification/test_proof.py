"""Proofs about a person's own network: exact where it is linear, the same function as the module's forward, never broken by an attack."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from glasshouse.families.certification import certify
from glasshouse.families.certification.proof import plain
from glasshouse.schema.errors import GlasshouseError


def _conv(seed: int = 0) -> nn.Sequential:
    torch.manual_seed(seed)
    model = nn.Sequential(nn.Conv2d(2, 4, 3, stride=2, padding=1), nn.ReLU(), nn.Sequential(nn.Conv2d(4, 3, 2, bias=False), nn.ReLU()),
                         nn.Flatten(), nn.Dropout(), nn.Linear(27, 8), nn.Linear(8, 5), nn.ReLU(), nn.Linear(5, 3)).eval()
    with torch.no_grad():
        for part in model.parameters():         # as torch begins, biases decide and nothing an image says matters
            part.mul_(4.0 if part.ndim > 1 else 0.1)
    return model


def test_a_linear_network_is_proved_exactly() -> None:
    """The largest radius is lead / l1 norm of the rows' difference while no input meets 0 or 1."""
    rng = np.random.default_rng(0)
    weight, bias, x = rng.normal(size=(2, 6)), rng.normal(size=2) * 0.1, rng.uniform(0.45, 0.55, size=(50, 6))
    labels = (x @ weight.T + bias).argmax(axis=1)
    lead = np.abs((x @ weight.T + bias) @ [1, -1])
    exact = lead / np.abs(weight[0] - weight[1]).sum()
    kept = exact < 0.4
    assert kept.sum() > 20
    assert np.abs(certify([weight, bias], x, labels).radius - exact)[kept].max() <= 0.5 / 2**12


def test_it_reads_the_function_that_the_module_is() -> None:
    model = _conv().double()
    x = torch.rand(40, 2, 8, 8, dtype=torch.float64)
    assert torch.allclose(plain(model, (2, 8, 8)).logits(x.flatten(1)), model(x), atol=1e-12)


def test_float32_modules_and_arrays_agree_and_attacks_fail_within_the_radius() -> None:
    """2,000 random corners of each proved box: the module's own forward keeps the label in all of them."""
    model, x = _conv(1), torch.rand(12, 2, 8, 8)
    labels = model(x).argmax(dim=1)
    proof = certify(model, x, labels)
    assert ((proof.radius > 0) & (proof.radius < 0.5)).any()
    assert np.array_equal(proof.certified(0.001), proof.radius >= 0.001)
    net = plain(model, (2, 8, 8))
    arrays = [a.numpy() for pair in zip(net.weights, net.biases, strict=True) for a in pair]
    assert np.array_equal(certify(arrays, x.flatten(1).numpy(), labels.numpy()).radius, proof.radius)
    rng = torch.Generator().manual_seed(2)
    for i, radius in enumerate(proof.radius.tolist()):
        corners = torch.randint(2, (2000, 2, 8, 8), generator=rng) * 2.0 - 1
        moved = (x[i] + radius * corners).clamp(0, 1)
        assert (model.double()(moved.double()).argmax(dim=1) == labels[i]).all()
        model.float()


class Twisted(nn.Linear):
    def forward(self, x: Tensor) -> Tensor:
        return -super().forward(x)


def _hooked() -> nn.Module:
    model = nn.Sequential(nn.Linear(4, 2))
    model[0].register_forward_hook(lambda module, given, out: -out)
    return model


@pytest.mark.parametrize("model", [
    nn.Sequential(Twisted(4, 2)), _hooked(), nn.Sequential(nn.Linear(4, 2), nn.Tanh()), nn.Sequential(nn.Linear(4, 2), nn.ReLU()), nn.ReLU(),
    nn.Sequential(nn.Linear(3, 2)), nn.Sequential(nn.Dropout(), nn.Linear(4, 2)), nn.Sequential(nn.Conv2d(1, 2, 2)),
    nn.utils.parametrizations.weight_norm(nn.Linear(4, 2)), nn.Sequential(nn.ReLU(), nn.Linear(4, 2)), [np.ones((2, 4))], "net",
    [np.ones((2, 4)), np.ones(3)], [np.ones((2, 4)), np.array(["a", "b"])], [np.ones((2, 4)), np.array([np.nan, 0])]])
def test_what_a_proof_would_not_see_is_refused(model: Any) -> None:
    with pytest.raises(GlasshouseError) as caught:
        certify(model, np.full((3, 4), 0.5), [0, 1, 0])
    assert caught.value.argument == "model"


@pytest.mark.parametrize(("values", "argument"), [
    ({"x": np.full((2, 4), 1.5)}, "x"), ({"x": np.full(4, 0.5)}, "x"), ({"x": np.full((2, 4), np.nan)}, "x"), ({"x": np.full((2, 3), 0.5)}, "x"),
    ({"labels": [0]}, "labels"), ({"labels": [0.0, 1.0]}, "labels"), ({"labels": [0, 5]}, "labels"), ({"cap": 2.0}, "cap")])
def test_bad_arguments_are_named(values: dict[str, Any], argument: str) -> None:
    good: dict[str, Any] = {"model": [np.ones((2, 4)), np.ones(2)], "x": np.full((2, 4), 0.5), "labels": [0, 1]}
    with pytest.raises(GlasshouseError) as caught:
        certify(**{**good, **values})
    assert caught.value.argument == argument
