"""Claims about a batch of a person's own scores: every interleaving of calibration and batch is enumerated."""

from __future__ import annotations

import math
from collections.abc import Callable
from itertools import combinations
from typing import Any

import numpy as np
import pytest

from glasshouse.families.conformal import batch_claim
from glasshouse.schema.errors import GlasshouseError

N, M = 7, 3
SHARE, ALLOWED = 0.6, 1
ZETA = math.ceil(SHARE * M)


def _interleavings() -> list[tuple[np.ndarray, np.ndarray]]:
    """(calibration, batch) scores of all C(10, 3) equally likely orders of exchangeable points."""
    every = np.arange(1.0, N + M + 1)
    return [(np.delete(every, chosen), every[list(chosen)]) for chosen in combinations(range(N + M), M)]


HOLDS: dict[str, Callable[[np.ndarray, float, float], bool]] = {
    "most": lambda batch, low, bound: np.count_nonzero(batch <= bound) >= SHARE * M,
    "quantile": lambda batch, low, bound: np.sort(batch)[ZETA - 1] <= bound,
    "interval": lambda batch, low, bound: low <= np.sort(batch)[ZETA - 1] <= bound,
    "select": lambda batch, low, bound: np.count_nonzero(batch > bound) <= ALLOWED,
    "mean": lambda batch, low, bound: batch.mean() <= bound}


@pytest.mark.parametrize("statement", HOLDS)
@pytest.mark.parametrize("alpha", [0.1, 0.25, 0.5])
def test_the_claim_holds_as_often_as_promised_and_as_told(statement: Any, alpha: float) -> None:
    claims = [(batch_claim(known, M, alpha, statement, SHARE, ALLOWED, upper=N + M), batch) for known, batch in _interleavings()]
    held = np.mean([HOLDS[statement](batch, claim.low, claim.bound) for claim, batch in claims])
    assert held >= 1 - alpha - 1e-12
    assert claims[0][0].guarantee.level == 1 - alpha
    if statement not in ("mean", "interval"):               # of one rank, without ties, the chance is exact
        assert held == pytest.approx(claims[0][0].chance)


def test_no_smaller_bound_would_do() -> None:
    """One place lower in the order, the claim fails more often than alpha."""
    for statement in ("most", "select"):
        pairs = [(np.sort(known), batch, batch_claim(known, M, 0.2, statement, SHARE, ALLOWED).rank)       # type: ignore[arg-type]
                 for known, batch in _interleavings()]
        lower = [HOLDS[statement](batch, -math.inf, known[rank - 2] if rank > 1 else -math.inf) for known, batch, rank in pairs]
        assert np.mean(lower) < 0.8


def test_too_few_points_give_the_upper_limit() -> None:
    assert batch_claim([0.5], 3, 0.1).bound == math.inf
    assert batch_claim([], 3, 0.1, "mean", upper=2.0).bound == 2.0


@pytest.mark.parametrize(("values", "argument"), [
    ({"m": 0}, "m"), ({"m": 2.0}, "m"), ({"statement": "all"}, "statement"), ({"share": 0}, "share"), ({"share": "half"}, "share"),
    ({"allowed": 3}, "allowed"), ({"upper": 0.5}, "upper"), ({"statement": "mean"}, "upper"), ({"alpha": 1.0}, "alpha"),
    ({"scores": [math.nan]}, "scores"), ({"scores": [[1.0]]}, "scores"), ({"scores": ["a"]}, "scores"),
    ({"scores": np.zeros(20_000), "statement": "mean", "upper": 1.0}, "scores")])
def test_bad_arguments_are_named(values: dict[str, Any], argument: str) -> None:
    with pytest.raises(GlasshouseError) as caught:
        batch_claim(**{"scores": [0.2, 0.9], "m": 3, **values})
    assert caught.value.argument == argument
