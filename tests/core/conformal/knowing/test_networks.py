"""The network against torch's own layers and optimiser."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from glasshouse.families.conformal.knowing.networks import BATCH, Network
from glasshouse.numerics.seeds import Seeds


def test_a_pass_equals_torchs_own_layers_and_optimiser() -> None:
    net = Network(3, 2, 8, 0.01, Seeds(0))
    own = torch.nn.Sequential(torch.nn.Linear(3, 8), torch.nn.ReLU(), torch.nn.Linear(8, 8), torch.nn.ReLU(), torch.nn.Linear(8, 2))
    with torch.no_grad():
        for theirs, ours in zip(own.parameters(), net.weights, strict=True):
            theirs.copy_(ours)
    x, y = torch.randn(150, 3, generator=torch.Generator().manual_seed(1)), torch.arange(150) % 2
    order = np.random.default_rng(0).permutation(150)
    adam = torch.optim.Adam(own.parameters(), lr=0.01)
    for start in range(0, 150, BATCH):
        rows = torch.from_numpy(order[start:start + BATCH])
        adam.zero_grad()
        torch.nn.functional.cross_entropy(own(x[rows]), y[rows]).backward()  # type: ignore[no-untyped-call]
        adam.step()
    net.train_once(x, y, torch.nn.functional.cross_entropy, order)
    assert net.outputs(x) == pytest.approx(own(x).detach().double().numpy(), abs=1e-6)


def test_seeds_decide_and_a_copy_can_be_put_back() -> None:
    x = torch.ones(2, 3)
    first, again, other = (Network(3, 1, 8, 0.01, Seeds(s)) for s in (0, 0, 1))
    assert (first.outputs(x) == again.outputs(x)).all()
    assert (first.outputs(x) != other.outputs(x)).any()
    kept = first.copy()
    first.train_once(x, torch.zeros(2, 1), torch.nn.functional.mse_loss, np.array([0, 1]))
    assert (first.outputs(x) != again.outputs(x)).any()
    first.put(kept)
    assert (first.outputs(x) == again.outputs(x)).all()
    assert all(float(w.detach().abs().max()) <= 1 / np.sqrt(3) for w in first.weights[:2])
