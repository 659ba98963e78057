from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from scipy.special import expit, ndtri

from glasshouse.families.conformal.methods.robust.rscp_plus import RSCPPlus
from glasshouse.families.conformal.robust import training
from glasshouse.families.conformal.robust.drive import drive
from glasshouse.families.conformal.robust.problems import Tiny
from glasshouse.numerics.seeds import Seeds
from glasshouse.schema.errors import Unsupported


def head(seed: int = 0) -> np.ndarray:
    pool = Tiny().open()
    work = training.trained(pool.classifier, pool.x[pool.train], pool.labels[pool.train], 3, 0.5, Seeds(seed))  # type: ignore[arg-type]
    while True:
        try:
            next(work)
        except StopIteration as end:
            found: np.ndarray = end.value
            return found


def test_the_soft_value_is_the_sorted_one_where_values_lie_apart() -> None:
    values = torch.tensor([3.0, -1.0, 7.0, 5.0])
    for place, want in enumerate((-1.0, 3.0, 5.0, 7.0)):
        assert training.soft_value(values, place).item() == pytest.approx(want, abs=1e-6)
    near = training.soft_value(torch.tensor([0.0, 0.1, 5.0]), 0).item()
    assert near == pytest.approx(0.1 * np.exp(-1) / (1 + np.exp(-1)), abs=1e-6)


def test_the_loss_as_written_one_number_at_a_time() -> None:
    rng = np.random.default_rng(0)
    probs, labels = rng.dirichlet(np.ones(4), 41), rng.integers(4, size=41)
    v = ndtri(probs)
    own = np.sort(v[np.arange(20), labels[:20]])
    at = own[max(int(0.1 * 21) - 1, 0)]
    weights = np.exp(-np.abs(own - at) / 0.1)
    threshold = (weights * own).sum() / weights.sum() - 0.5
    out, extra = [], []
    for row, label in zip(v[20:], labels[20:], strict=True):
        member = expit((row - threshold) / 0.1)
        out.append(1 - member[label])
        extra.append(max(member.sum() - 1, 0))
    want = np.log(np.mean(out) + np.mean(extra) + 1e-8)
    assert training.loss(torch.tensor(probs), torch.tensor(labels)).item() == pytest.approx(want, rel=1e-6)


def test_it_trains_the_last_layer_alone_and_replays(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(training, "STEPS", 40)
    before, state = torch.get_rng_state(), np.random.get_state()[1].copy()  # type: ignore[union-attr]  # noqa: NPY002
    first = head()
    assert first.shape == (3, 17)
    np.testing.assert_array_equal(head(), first)
    assert not np.array_equal(head(1), first)
    assert torch.equal(torch.get_rng_state(), before)
    np.testing.assert_array_equal(np.random.get_state()[1], state)  # type: ignore[arg-type]  # noqa: NPY002
    pool = Tiny().open()
    network: Any = pool.classifier
    moved = network.with_head(first[:, :-1], first[:, -1])
    assert (moved.probabilities(pool.x).argmax(axis=1) == network.probabilities(pool.x).argmax(axis=1)).mean() > 0.8


def test_a_network_without_a_last_layer_is_refused() -> None:
    class Bare:
        def open(self) -> Any:
            from dataclasses import replace

            return replace(Tiny().open(), classifier=object())  # type: ignore[arg-type]

    with pytest.raises(Unsupported, match="training"):
        next(drive(RSCPPlus(training="rct"), Bare(), Seeds(0)))
