"""Remake the small digit networks: a multilayer perceptron and a convolutional network, each trained several ways.

    python recipe.py [--out FOLDER] [--share S]     # less than a minute on one thread; S = 0.01 is the smoke run of the tests

All see the 600 digits that `models/digits-logistic` was trained on, levels divided by 16, and no other: its pool of 1197 stays unseen by
every digits model here, so calibration and test points can be drawn from it. ``clean`` sees them as they are, ``noise25`` and ``noise50``
under fresh Gaussian noise of that standard deviation at every step, ``noise50long`` the same four times as long, ``ibp10`` is trained on the
worst case that interval bounds allow when every pixel may move by up to 0.1. Names that begin with ``conv`` are the convolutional network.
"""

from __future__ import annotations

import argparse
import itertools
import json
import platform
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import save_file
from torch.nn import functional as F

HERE = Path(__file__).resolve().parent
WIDTHS, SEED, BATCH, RATE, DECAY = (64, 64, 64, 10), 0, 256, 3e-3, 1e-2
CHANNELS = (1, 12, 24)          # kernels 3 x 3, stride 2, padding 1: 8 x 8, 4 x 4, 2 x 2, then one linear layer
NETWORKS = {"clean": {"noise": 0.0, "box": 0.0, "steps": 1000}, "noise25": {"noise": 0.25, "box": 0.0, "steps": 1000},
            "noise50": {"noise": 0.5, "box": 0.0, "steps": 1000}, "noise50long": {"noise": 0.5, "box": 0.0, "steps": 4000},
            "ibp10": {"noise": 0.0, "box": 0.1, "steps": 1000}, "conv": {"noise": 0.0, "box": 0.0, "steps": 1000},
            "conv50": {"noise": 0.5, "box": 0.0, "steps": 1000}, "convibp10": {"noise": 0.0, "box": 0.1, "steps": 1000}}


def digits() -> tuple[torch.Tensor, torch.Tensor, torch.Tensor, torch.Tensor]:
    """x [1797, 64] in 0..1, labels, and the indices trained on and never trained on."""
    with np.load(HERE.parents[1] / "datasets" / "digits" / "digits.npz") as data, np.load(HERE.parent / "digits-logistic" / "weights.npz") as split:
        x = torch.from_numpy(data["images"].reshape(-1, 64) / 16).float()
        return x, torch.from_numpy(data["labels"].astype(np.int64)), torch.from_numpy(split["train"]), torch.from_numpy(split["pool"])


def bounds(net: torch.nn.Sequential, x: torch.Tensor, box: float) -> tuple[torch.Tensor, torch.Tensor]:
    """What interval arithmetic knows of the logits when every pixel moves by at most ``box`` within 0..1."""
    low, high = (x - box).clamp(0, 1), (x + box).clamp(0, 1)
    for layer in net:
        if isinstance(layer, torch.nn.Linear):
            middle, reach = layer((low + high) / 2), (high - low) / 2 @ layer.weight.abs().T
            low, high = middle - reach, middle + reach
        elif isinstance(layer, torch.nn.Conv2d):
            middle, reach = layer((low + high) / 2), F.conv2d((high - low) / 2, layer.weight.abs(), stride=layer.stride, padding=layer.padding)
            low, high = middle - reach, middle + reach
        else:
            low, high = layer(low), layer(high)
    return low, high


def worst(net: torch.nn.Sequential, x: torch.Tensor, y: torch.Tensor, box: float) -> torch.Tensor:
    """The logits that interval bounds cannot rule out and that are worst for the label."""
    low, high = bounds(net, x, box)
    own = F.one_hot(y, low.shape[1]).bool()
    return torch.where(own, low, high)


def network(name: str) -> torch.nn.Sequential:
    """Untrained."""
    if name.startswith("conv"):
        parts = [part for a, b in itertools.pairwise(CHANNELS) for part in (torch.nn.Conv2d(a, b, 3, stride=2, padding=1), torch.nn.ReLU())]
        return torch.nn.Sequential(torch.nn.Unflatten(1, (1, 8, 8)), *parts, torch.nn.Flatten(), torch.nn.Linear(4 * CHANNELS[-1], WIDTHS[-1]))
    layers = [part for a, b in itertools.pairwise(WIDTHS) for part in (torch.nn.Linear(a, b), torch.nn.ReLU())]
    return torch.nn.Sequential(*layers[:-1])


def train(name: str, noise: float, box: float, steps: int) -> torch.nn.Sequential:
    """Adam with decoupled decay, one cycle of the rate; the box grows over the first half, and with it the weight of the worst case."""
    x, y, seen, _ = digits()
    torch.manual_seed(SEED)
    net = network(name)
    optimiser = torch.optim.AdamW(net.parameters(), RATE, weight_decay=DECAY)
    rate = torch.optim.lr_scheduler.OneCycleLR(optimiser, RATE, total_steps=steps)
    draws = torch.Generator().manual_seed(SEED)
    for step in range(steps):
        at = seen[torch.randint(len(seen), (BATCH,), generator=draws)]
        batch = x[at] + noise * torch.randn(BATCH, WIDTHS[0], generator=draws)
        loss = F.cross_entropy(net(batch), y[at])
        grown = min(1.0, 2 * step / steps)
        if box:
            loss = (1 - grown / 2) * loss + grown / 2 * F.cross_entropy(worst(net, x[at], y[at], grown * box), y[at])
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        rate.step()
    return net


@torch.no_grad()
def quality(net: torch.nn.Sequential) -> dict[str, float]:
    """Accuracy on the pool, clean and under noise, and the share that interval bounds prove right at two boxes."""
    x, y, _, unseen = digits()
    x, y = x[unseen], y[unseen]
    found = {}
    for noise in (0.0, 0.25, 0.5):
        draws = torch.Generator().manual_seed(SEED)
        noisy = x + noise * torch.randn(x.shape, generator=draws)
        found[f"pool_accuracy_noise_{noise:g}"] = (net(noisy).argmax(1) == y).double().mean().item()
    for box in (0.05, 0.1):
        found[f"proved_accuracy_box_{box:g}"] = (worst(net, x, y, box).argmax(1) == y).double().mean().item()
    return {name: round(value, 4) for name, value in found.items()}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, default=HERE)
    parser.add_argument("--share", type=float, default=1.0, help="of the steps")
    given = parser.parse_args()
    torch.set_num_threads(1)
    networks = {}
    for name, how in NETWORKS.items():
        net = train(name, how["noise"], how["box"], max(4, round(how["steps"] * given.share)))
        layers = [layer for layer in net if hasattr(layer, "weight")]
        weights = {f"{i}.{kind}": getattr(layer, kind).detach().contiguous() for i, layer in enumerate(layers) for kind in ("weight", "bias")}
        save_file(weights, given.out / f"{name}.safetensors")
        networks[name] = how | {"quality": quality(net)}
        print(name, networks[name], flush=True)
    config = {"kind": "ReLU networks: a multilayer perceptron, and a convolutional one", "inputs": "64 levels / 16", "widths": WIDTHS,
              "channels": CHANNELS, "batch": BATCH,
              "rate": RATE, "decay": DECAY, "seed": SEED, "trained_on": "the 600 of models/digits-logistic", "networks": networks,
              "made_with": {"torch": torch.__version__, "numpy": np.__version__, "python": platform.python_version()}}
    (given.out / "config.json").write_text(json.dumps(config, indent=1) + "\n", "utf-8")


if __name__ == "__main__":
    main()
