"""Pictures of a batch, read back against the claim they show."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from glasshouse import runs
from glasshouse.schema.events.conformal_batch import Claim, Redraws
from glasshouse_widgets.figures.conformal import batch
from glasshouse_widgets.figures.palette import DARK, LIGHT, VERMILION, Theme

Check = Callable[[dict[str, Any]], dict[str, Any]]
DRAWN = (batch.ranks, batch.by_alpha, batch.points)


def claim(statement: str = "most", problem: str = "curve", looks: dict[str, Any] | None = None, **values: Any) -> Claim:
    session = runs.open("conformal.batch-pi", problem, statement=statement, **values)
    for _ in session.events():
        pass
    seen = session.look(**(looks or {}))
    assert isinstance(seen, Claim)
    return seen


def redrawn(seen: Claim, needed: int) -> Redraws:
    return Redraws(done=50, total=300, n=seen.batched.n, m=seen.batched.m, needed=np.full((50, len(seen.batched.laws)), needed))


@pytest.mark.parametrize("theme", [LIGHT, DARK])
@pytest.mark.parametrize("problem", ["curve", "digits", "tiny"])
@pytest.mark.parametrize("statement", ["most", "quantile", "interval", "select", "mean"])
def test_plotly_takes_them(statement: str, problem: str, theme: Theme, valid: Check) -> None:
    seen = claim(statement, problem)
    for draw in DRAWN:
        valid(draw(seen, theme))
    valid(batch.held(seen, None, theme))
    valid(batch.held(seen, redrawn(seen, seen.rank), theme))


def test_points_beyond_the_bound_are_crossed() -> None:
    seen = claim(looks={"batch": 11})
    points = batch.ranks(seen, LIGHT)["data"][1]
    assert [s == "x" for s in points["marker"]["symbol"]] == (np.asarray(points["y"]) > seen.bound).tolist()
    assert np.asarray(points["x"]) == pytest.approx(seen.batched.ranks[11] - 0.5)


def test_the_ring_is_around_the_one_that_is_spoken_of() -> None:
    seen = claim(looks={"share": 0.5})
    ring = batch.ranks(seen, LIGHT)["data"][2]
    assert list(ring["y"]) == [seen.statistic]
    assert len(batch.ranks(claim("mean"), LIGHT)["data"][2]["y"]) == 0


@pytest.mark.parametrize("statement", ["most", "interval", "mean"])
def test_the_law_sums_to_all_and_its_plain_bars_to_the_chance(statement: str) -> None:
    seen = claim(statement, calibration_size=12, batch_size=6)
    bars = next(t for t in batch.ranks(seen, LIGHT)["data"] if t["type"] == "bar")
    assert float(np.sum(bars["y"])) == pytest.approx(100)
    kept = [color != VERMILION for color in bars["marker"]["color"]]
    assert float(np.sum(np.asarray(bars["y"])[kept])) == pytest.approx(100 * seen.chance)


def test_bounds_stand_where_the_claim_says() -> None:
    seen = claim()
    bound, _, bonferroni, cut = batch.ranks(seen, LIGHT)["data"][3:7]
    assert bound["y"] == [seen.bound] * 3
    assert bonferroni["y"] == [seen.bonferroni] * 3
    assert cut["y"] == [seen.batched.upper] * 3
    assert "no bound" in cut["text"][1]


@pytest.mark.parametrize("alpha", [0.03, 0.1, 0.25, 0.5])
@pytest.mark.parametrize("statement", ["most", "interval", "mean", "select"])
def test_the_curves_pass_through_what_looks_say(statement: str, alpha: float) -> None:
    """A step at alpha belongs to the larger alphas: each curve at alpha is the bound there."""
    seen = claim(statement, calibration_size=60, batch_size=4, looks={"alpha": alpha})
    for curve, bound in zip(batch.by_alpha(seen, LIGHT)["data"], (seen.bound, seen.bonferroni, seen.partition), strict=False):
        x, y = np.asarray(curve["x"]), np.asarray(curve["y"])
        at = np.searchsorted(x, alpha + 1e-9, side="right") - 1
        assert y[at] == pytest.approx(min(bound, seen.batched.upper), abs=0.02 if statement == "mean" else 1e-12)


def test_the_tube_is_as_wide_as_the_bound() -> None:
    seen = claim()
    _, curve, tube, own = batch.points(seen, LIGHT)["data"]
    half = (len(tube["x"]) - 1) // 2
    assert np.asarray(tube["y"][:half]) - np.asarray(curve["y"]) == pytest.approx(seen.bound)
    prediction = np.interp(own["x"], curve["x"], curve["y"])
    outside = np.abs(np.asarray(own["y"]) - prediction) > seen.bound
    assert [s == "x" for s in own["marker"]["symbol"]] == outside.tolist()


def test_claims_of_a_selection_are_filled() -> None:
    seen = claim("select", looks={"batch": 7})
    symbols = batch.ranks(seen, LIGHT)["data"][1]["marker"]["symbol"]
    assert sum(not s.endswith("open") for s in symbols) == seen.selected
    assert symbols.count("x") == seen.false_claims


def test_every_batch_says_whether_the_claim_is_true() -> None:
    seen = claim(looks={"alpha": 0.3})
    strip = batch.held(seen, None, LIGHT)["data"][0]
    assert [s == "square" for s in strip["marker"]["symbol"]].count(True) == round(seen.held_share * seen.batched.batches)
    assert list(strip["customdata"]) == list(range(seen.batched.batches))


def test_redraws_are_counted_at_the_rank_chosen() -> None:
    seen = claim()
    for needed, share in ((seen.rank, 1.0), (seen.rank + 1, 0.0)):
        assert batch.held(seen, redrawn(seen, needed), LIGHT)["data"][-1]["x"] == [share]


def test_axes_stay_while_alpha_and_the_batch_move() -> None:
    for draw in DRAWN:
        one, two = (draw(claim(looks={"alpha": a, "batch": b}), LIGHT) for a, b in ((0.1, 0), (0.3, 9)))
        names = [name for name in one["layout"] if name.startswith(("xaxis", "yaxis"))]
        assert all(one["layout"][name]["range"] == two["layout"][name]["range"] for name in names)
        assert len(one["data"]) == len(two["data"])
