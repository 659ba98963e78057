"""The bundled digit networks are what their card says, compute what torch does, and their recipe runs."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch

from glasshouse.models.digits import NAMES, Network, load_digits, load_network
from glasshouse.models.digits.networks import unrolled
from glasshouse.numerics import interval_bounds
from glasshouse.schema.errors import BadValue

HOME = Path(__file__).resolve().parents[4] / "data" / "models" / "digits-networks"
QUALITY = {name: said["quality"] for name, said in json.loads((HOME / "config.json").read_text("utf-8"))["networks"].items()}


def as_torch(network: Network) -> torch.nn.Sequential:
    layers: list[torch.nn.Module] = []
    for weight, bias in zip(network.weights, network.biases, strict=True):
        layer = torch.nn.Linear(weight.shape[1], weight.shape[0])
        layer.load_state_dict({"weight": torch.tensor(weight), "bias": torch.tensor(bias)})
        layers += [layer, torch.nn.ReLU()]
    return torch.nn.Sequential(*layers[:-1])


def test_digits_are_split_as_for_every_digits_model() -> None:
    digits = load_digits()
    assert digits.x.shape == (1797, 64)
    assert digits.x.min() == 0
    assert digits.x.max() == 1
    assert sorted([*digits.train, *digits.pool]) == list(range(1797))
    assert len(digits.train) == 600
    with pytest.raises(ValueError, match="read-only"):
        digits.x[0] = 1


@pytest.mark.parametrize("name", NAMES)
def test_accuracy_on_the_pool_is_that_of_the_card(name: str) -> None:
    digits, network = load_digits(), load_network(name)
    for noise in (0.0, 0.25, 0.5):
        drawn = np.random.default_rng(0).normal(size=(5, len(digits.pool), 64)).astype(np.float32)
        found = network.logits((digits.x[digits.pool] + np.float32(noise) * drawn).reshape(-1, 64)).argmax(axis=1).reshape(5, -1)
        assert (found == digits.labels[digits.pool]).mean() == pytest.approx(QUALITY[name][f"pool_accuracy_noise_{noise:g}"], abs=0.025)
    assert f"{QUALITY[name]['pool_accuracy_noise_0']:.3f}" in (HOME / "CARD.md").read_text("utf-8")


@pytest.mark.parametrize("name", NAMES)
def test_logits_and_pullback_are_those_of_torch(name: str) -> None:
    network, x = load_network(name), load_digits().x[:40]
    place = torch.tensor(x, requires_grad=True)
    logits = as_torch(network)(place)
    np.testing.assert_allclose(network.logits(x), logits.detach(), atol=1e-4)
    np.testing.assert_allclose(network.probabilities(x), logits.detach().softmax(-1), atol=1e-5)
    gradient = np.random.default_rng(1).normal(size=(40, 10)).astype(np.float32)
    logits.backward(torch.tensor(gradient))
    ours, back = network.pullback(x)
    np.testing.assert_allclose(ours, logits.detach(), atol=1e-4)
    np.testing.assert_allclose(back(gradient), place.grad.numpy(), atol=1e-4)  # type: ignore[union-attr]


def test_training_changes_what_it_should() -> None:
    assert QUALITY["noise50"]["pool_accuracy_noise_0.5"] > QUALITY["noise25"]["pool_accuracy_noise_0.5"] > QUALITY["clean"]["pool_accuracy_noise_0.5"]
    assert QUALITY["ibp10"]["proved_accuracy_box_0.1"] > 0.5 > QUALITY["noise50"]["proved_accuracy_box_0.1"]
    assert QUALITY["conv50"]["pool_accuracy_noise_0.5"] > QUALITY["conv"]["pool_accuracy_noise_0.5"]
    assert QUALITY["convibp10"]["proved_accuracy_box_0.1"] > 0.4 > QUALITY["conv"]["proved_accuracy_box_0.1"]


@pytest.mark.parametrize("name", NAMES)
def test_what_is_proved_is_what_bounds_of_intervals_prove(name: str) -> None:
    digits, network = load_digits(), load_network(name)
    x, y = torch.tensor(digits.x[digits.pool], dtype=torch.float64), torch.tensor(digits.labels[digits.pool], dtype=torch.int64)
    *layers, last = [(torch.tensor(w, dtype=torch.float64), torch.tensor(b, dtype=torch.float64))
                     for w, b in zip(network.weights, network.biases, strict=True)]
    for radius in (0.05, 0.1):
        box = interval_bounds.Box((x - radius).clamp(0, 1), (x + radius).clamp(0, 1))
        for weight, bias in layers:
            box = interval_bounds.relu(interval_bounds.linear(box, weight, bias))
        tight = interval_bounds.certified(interval_bounds.margins(box, *last, y)).double().mean().item()
        logits, own = interval_bounds.linear(box, *last), torch.nn.functional.one_hot(y, 10).bool()
        proved = (torch.where(own, logits.lower, logits.upper).argmax(dim=1) == y).double().mean().item()
        assert proved == pytest.approx(QUALITY[name][f"proved_accuracy_box_{radius:g}"], abs=0.002)
        assert tight >= proved              # margins are bounded at once


def test_what_the_card_calls_proved_withstands_corners_of_the_box() -> None:
    """Independent of bounds: no random corner of the box may fool more images than the card leaves unproved."""
    digits, network = load_digits(), load_network("ibp10")
    x, y = digits.x[digits.pool], digits.labels[digits.pool]
    fooled = np.zeros(len(x), bool)
    rng = np.random.default_rng(2)
    for _ in range(50):
        corner = (x + 0.1 * rng.choice([-1, 1], x.shape)).clip(0, 1).astype(np.float32)
        fooled |= network.logits(corner).argmax(axis=1) != y
    assert fooled.mean() <= 1 - QUALITY["ibp10"]["proved_accuracy_box_0.1"]


def test_another_name_is_refused() -> None:
    with pytest.raises(BadValue, match="network"):
        load_network("resnet")


def test_another_head_reads_the_same_features() -> None:
    network, x = load_network("clean"), load_digits().x[:9]
    head = network.with_head(2 * network.weights[-1], 2 * network.biases[-1])
    np.testing.assert_allclose(head.logits(x), 2 * network.logits(x), rtol=1e-5)
    np.testing.assert_allclose(network.features(x) @ network.weights[-1].T + network.biases[-1], network.logits(x), rtol=1e-6)


@pytest.mark.parametrize(("ins", "outs", "side"), [(1, 3, 8), (4, 2, 5), (2, 5, 4), (1, 1, 3)])
def test_an_unrolled_convolution_is_torch_s(ins: int, outs: int, side: int) -> None:
    rng = np.random.default_rng(side)
    kernel, x = rng.normal(size=(outs, ins, 3, 3)).astype(np.float32), rng.normal(size=(6, ins, side, side)).astype(np.float32)
    matrix, small = unrolled(kernel, side)
    expected = torch.nn.functional.conv2d(torch.tensor(x), torch.tensor(kernel), stride=2, padding=1)
    assert expected.shape == (6, outs, small, small)
    np.testing.assert_allclose(x.reshape(6, -1) @ matrix.T, expected.reshape(6, -1), atol=1e-5)


def test_the_convolutional_network_is_its_kernels() -> None:
    """Through torch's own layers, from the file."""
    from safetensors.torch import load_file

    kept, x = load_file(HOME / "conv50.safetensors"), torch.tensor(load_digits().x[:20])
    hidden = x.reshape(-1, 1, 8, 8)
    for i in (0, 1):
        hidden = torch.nn.functional.conv2d(hidden, kept[f"{i}.weight"], kept[f"{i}.bias"], stride=2, padding=1).relu()
    expected = hidden.flatten(1) @ kept["2.weight"].T + kept["2.bias"]
    np.testing.assert_allclose(load_network("conv50").logits(x.numpy()), expected, atol=1e-4)


@pytest.mark.recipe
def test_the_recipe_runs(tmp_path: Path) -> None:
    subprocess.run([sys.executable, str(HOME / "recipe.py"), "--out", str(tmp_path), "--share", "0.01"], check=True)
    assert sorted(p.name for p in tmp_path.iterdir()) == sorted(["config.json", *(f"{name}.safetensors" for name in NAMES)])
