"""Losses counted once, against counting them again for every lambda."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from glasshouse.families.conformal.methods.risk.crc import CRC
from glasshouse.families.conformal.risk.table import GRID, STEPS, entries, price, tabled, units


@given(st.integers(0, 30), st.integers(0, 10_000), st.sampled_from(["missed-share", "missed-any"]))
def test_totals_are_the_losses_of_each_lambda(n: int, seed: int, loss: str) -> None:
    rng = np.random.default_rng(seed)
    probs, truth = rng.choice([0.0, 0.25, 0.5, 1.0, rng.random()], (n, 5)), rng.random((n, 5)) < 0.5
    unit = units(truth)
    table = tabled(entries(probs), truth, loss, unit)  # type: ignore[arg-type]
    for j, lam in enumerate(GRID):
        missed = truth & ~(1 - probs <= lam)
        each = missed.any(axis=1) if loss == "missed-any" else missed.sum(axis=1) / np.maximum(truth.sum(axis=1), 1)
        assert table.total[j] / table.unit == pytest.approx(each.sum(), abs=1e-9)
        assert table.labels[j] == (1 - probs <= lam).sum()
    assert table.last == STEPS
    assert (np.diff(table.total) <= 0).all()
    assert table.total[-1] == 0


def test_units_make_every_share_whole() -> None:
    assert units(np.ones((2, 4), bool)) == 4
    assert units(np.tri(4, 4, dtype=bool)) == 12
    assert units(np.zeros((3, 4), bool)) == 1


def test_certain_and_impossible_labels_enter_first_and_last() -> None:
    assert entries(np.array([[1.0, 0.0, 1 + 1e-16]])).tolist() == [[0, STEPS, 0]]


def test_a_page_without_labels_has_nothing_to_miss() -> None:
    truth = np.zeros((3, 2), bool)
    for loss in ("missed-share", "missed-any"):
        assert not tabled(np.full((3, 2), 5), truth, loss, units(truth)).total.any()


def test_the_price_falls_as_more_risk_is_allowed() -> None:
    rng = np.random.default_rng(0)
    truth = np.ones((50, 2), bool)
    found = price(tabled(rng.integers(0, STEPS, (50, 2)), truth, "missed-share", 2), lambda t, a: CRC().choose(t, a).index)
    assert (np.diff(found["labels"]) <= 0).all()
    assert np.isnan(price(tabled(np.empty((0, 2), int), truth[:0], "missed-share", 1), lambda t, a: -1)["labels"]).all()
