"""Risk control of a person's own losses, and what they may hand over."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from glasshouse import catalogue
from glasshouse.families.conformal import control
from glasshouse.families.conformal.methods.risk.crc import CRC
from glasshouse.families.conformal.methods.risk.ltt import LTT
from glasshouse.families.conformal.ranks import miscoverage, threshold_rank
from glasshouse.families.conformal.risk.table import GRID, tabled, units
from glasshouse.schema.errors import BadType, BadValue


@pytest.mark.parametrize("method", ["crc", "ltt"])
def test_it_chooses_what_the_run_chooses(method: str) -> None:
    pages = catalogue.problem("conformal.risk", "digit-pages").open()
    entry, truth = pages.entry[pages.calibration], pages.truth[pages.calibration]
    missed = truth[:, :, None] & (entry[:, :, None] > np.arange(len(GRID)))
    losses = missed.sum(axis=1) / truth.sum(axis=1)[:, None]
    table = tabled(entry, truth, "missed-share", units(truth))
    for alpha in (0.037, 0.1, 0.25):
        theirs = (CRC() if method == "crc" else LTT()).choose(table, miscoverage(alpha)).index
        assert control(losses, alpha, method).column == theirs  # type: ignore[arg-type]


def test_loss_0_or_1_is_split_conformal_and_exact() -> None:
    """Ten columns: point i is held from column i on. The chosen one is the order statistic, at every alpha of a grid."""
    losses = (np.arange(9)[:, None] > np.arange(10)[None, :]).astype(int)
    for alpha in np.arange(1, 100) / 100:
        k = threshold_rank(9, float(alpha))
        assert control(losses, float(alpha)).column == (k - 1 if k <= 9 else None)


def test_nothing_can_be_promised() -> None:
    assert control(np.zeros((5, 3)), 0.1).column is None
    assert control(np.empty((0, 3)), 0.5).column is None
    assert control(np.zeros((21, 3)), 0.1, "ltt").column is None
    assert control(np.zeros((22, 3)), 0.1, "ltt").column == 0
    assert control(np.ones((500, 3)), 0.1).column is None
    assert control(np.zeros((5, 3)), 0.1).guarantee.kind == control(np.zeros((21, 3)), 0.1, "ltt").guarantee.kind == "none"
    assert control(np.zeros((9, 3)), 0.1).guarantee.kind == "risk"
    assert "page" not in str(control(np.zeros((50, 3)), 0.1, "ltt").guarantee.statement)


def test_knobs_tensors_and_losses_that_are_not_monotone() -> None:
    torch = pytest.importorskip("torch")
    losses = np.tile([0.0, 1.0, 0.0], (60, 1))
    assert control(losses, 0.1, "ltt").column == 2
    assert control(torch.tensor(losses), 0.1, "ltt", procedure="bonferroni").column == 0
    assert control(losses, 0.1, "ltt", delta=0.001).column is None
    with pytest.raises(BadValue, match=r"losses\[0\] grows"):
        control(losses, 0.1)


@pytest.mark.parametrize(("given", "error", "word"), [
    ([0.1, 0.2], BadType, "shape"), ([[1.5]], BadValue, "from 0 to 1"), ([[float("nan")]], BadValue, "from 0 to 1"), ([["a"]], BadType, "dtype"),
    (np.empty((3, 0)), BadType, "shape"), ([[-0.1]], BadValue, "from 0 to 1"), ([[1.0], [1.0, 0.0]], BadType, "losses")])
def test_bad_losses_are_named(given: Any, error: type[Exception], word: str) -> None:
    with pytest.raises(error, match=word) as caught:
        control(given)
    assert caught.value.argument == "losses"  # type: ignore[attr-defined]


def test_bad_arguments_are_named() -> None:
    for values in ({"alpha": 10}, {"method": "hope"}, {"delta": 0.1}, {"method": "ltt", "delta": 0.9}):
        with pytest.raises((BadValue, BadType), match=next(reversed(values))):
            control([[0.0]], **values)
