"""Pictures of prediction intervals, read back against the event they show."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from glasshouse.schema.events.conformal_intervals import Intervals, Learnt, Redraws
from glasshouse_widgets.figures.conformal import intervals
from glasshouse_widgets.figures.palette import DARK, GREY, LIGHT, Theme

N, M, G = 30, 40, 21
Valid = Callable[[dict[str, Any]], dict[str, Any]]


def learnt(grid: bool = True, threshold: bool = True) -> Learnt:
    """A forecast of 0 whose interval at rank k is from -S_(k) (1 + x) to S_(k) (1 + x); many inputs have no grid."""
    rng = np.random.default_rng(0)
    scores = np.sort(rng.exponential(size=N))
    q, at, over = np.append(scores, np.inf), rng.random(M), np.linspace(0, 1, G) if grid else np.empty(0)
    wide, wide_over = (1 + at)[:, None] * q, (1 + over)[:, None] * q
    return Learnt(n=N, m=M, labelled=N, scores=scores, lower=-wide, upper=wide, center=np.zeros(M), y=rng.normal(size=M), at=at, grid=over,
                  grid_lower=-wide_over, grid_upper=wide_over, grid_center=np.zeros(len(over)), input_name="x", target_name="y", claim_times=2,
                  claim_less=0.0, has_threshold=threshold, band_law="binomial")


def seen(alpha: float = 0.2, point: int = 3, of: Learnt | None = None) -> Intervals:
    of = of or learnt()
    k = int(np.ceil((N + 1) * (1 - alpha) - 1e-9))
    lower, upper = of.lower[:, k - 1], of.upper[:, k - 1]
    covered = (lower <= of.y) & (of.y <= upper)
    p = (N + 1 - np.arange(N)) / (N + 1)
    return Intervals(alpha=alpha, k=k, threshold=float(np.append(of.scores, np.inf)[k - 1]) if of.has_threshold else float("nan"),
                     coverage=float(covered.mean()), claimed=1 - 2 * alpha, band_low=0.65, band_high=0.95, mean_width=1.0, empty=0.0,
                     infinite_because="" if k <= N else "too few", point=point, lower=lower, upper=upper, covered=covered, learnt=of,
                     candidates=np.concatenate((of.lower[point, :N][::-1], of.upper[point, :N])), p_values=np.concatenate((p[::-1], p)))


def every(event: Intervals, theme: Theme) -> list[dict[str, Any]]:
    return [intervals.band(event, None, theme), intervals.band(event, event, theme), intervals.widths(event, event, theme),
            intervals.scores(event, "residual", theme), intervals.covered(event, None, theme), intervals.plausible(event, theme)]


EVENTS = {"plain": seen(), "infinite": seen(0.01), "many inputs": seen(of=learnt(grid=False)), "no threshold": seen(of=learnt(threshold=False)),
          "all missed": seen(0.99)}


@pytest.mark.parametrize("theme", [LIGHT, DARK])
@pytest.mark.parametrize("event", EVENTS.values(), ids=EVENTS)
def test_plotly_takes_them(event: Intervals, theme: Theme, valid: Valid) -> None:
    for figure in every(event, theme):
        valid(figure)


def test_axes_and_traces_stay_while_alpha_moves() -> None:
    for one, two in zip(every(seen(0.05), LIGHT)[:4], every(seen(0.01), LIGHT)[:4], strict=True):
        assert all(one["layout"][axis]["range"] == two["layout"][axis]["range"] for axis in ("xaxis", "yaxis"))
        assert [t["type"] for t in one["data"]] == [t["type"] for t in two["data"]]
    assert len(intervals.covered(seen(), None, LIGHT)["data"]) == len(intervals.covered(seen(0.5), redrawn(), LIGHT)["data"])


def test_the_band_is_the_interval_at_every_x() -> None:
    event = seen(0.3)
    outline = intervals.band(event, None, LIGHT)["data"][0]
    x, y = np.array(outline["x"][:-1], float), np.array(outline["y"][:-1], float)
    assert x[:G] == pytest.approx(event.learnt.grid)
    assert y[:G] == pytest.approx(event.learnt.grid_lower[:, event.k - 1])
    assert y[G:2 * G][::-1] == pytest.approx(event.learnt.grid_upper[:, event.k - 1])
    assert (x[-1], y[-1]) == (x[0], y[0])


def test_an_empty_stretch_parts_the_band() -> None:
    of = learnt()
    low = of.grid_lower.copy()
    low[8:12] = 5.0
    high = of.grid_upper.copy()
    high[8:12] = -5.0
    outline = intervals.band(seen(of=replace(of, grid_lower=low, grid_upper=high)), None, LIGHT)["data"][0]
    assert outline["x"].count(None) == 2
    drawn = {v for v in outline["x"] if v is not None}
    assert not drawn & set(of.grid[8:12].tolist())
    assert drawn == set(np.delete(of.grid, slice(8, 12)).tolist())


def test_misses_have_another_shape_and_all_points_are_there() -> None:
    event = seen(0.4)
    held, missed = intervals.band(event, None, LIGHT)["data"][3:5]
    assert held["marker"]["symbol"] != missed["marker"]["symbol"]
    assert sorted(held["customdata"] + missed["customdata"]) == list(range(M))
    assert missed["customdata"] == np.flatnonzero(~event.covered).tolist() != []
    assert (np.asarray(missed["y"]) == event.learnt.y[~event.covered]).all()


def test_the_other_method_is_an_outline() -> None:
    alone, both = (intervals.band(seen(0.3), other, LIGHT)["data"] for other in (None, seen(0.1)))
    assert alone[2]["x"] == [None]
    assert max(v for v in both[2]["y"] if v is not None) > max(v for v in both[0]["y"] if v is not None)
    assert both[2]["line"]["dash"] == "dash"
    many = seen(of=learnt(grid=False))
    assert len(intervals.band(many, many, LIGHT)["data"][2]["x"]) == 2 * M


def test_bars_of_many_inputs_are_the_intervals() -> None:
    event = seen(0.3, of=learnt(grid=False))
    bars = intervals.band(event, None, LIGHT)["data"][0]
    assert bars["y"][0::3] == pytest.approx(event.lower)
    assert bars["y"][1::3] == pytest.approx(event.upper)


def test_infinite_ends_stay_on_the_paper_and_are_told() -> None:
    figure = intervals.band(seen(0.01), None, LIGHT)
    assert np.isfinite([v for v in figure["data"][0]["y"] if v is not None]).all()
    assert "whole line" in figure["layout"]["annotations"][1]["text"]


def test_widths_are_those_of_the_grid() -> None:
    event = seen(0.6)
    figure = intervals.widths(event, None, LIGHT)
    assert figure["data"][0]["y"] == pytest.approx(2 * event.threshold * (1 + event.learnt.grid))
    assert figure["layout"]["yaxis"]["range"][1] > figure["data"][0]["y"].max()


def test_the_threshold_parts_the_histogram() -> None:
    event = seen(0.3)
    bars, line = intervals.scores(event, "residual", LIGHT)["data"]
    assert int(np.sum(bars["y"])) == N
    assert line["x"] == [event.threshold] * 2
    beyond = np.asarray(bars["x"]) > event.threshold
    assert [c == GREY for c in bars["marker"]["color"]] == beyond.tolist()
    assert [s == "/" for s in bars["marker"]["pattern"]["shape"]] == beyond.tolist()
    none = intervals.scores(seen(of=learnt(threshold=False)), "residual", LIGHT)
    assert GREY not in none["data"][0]["marker"]["color"]
    assert "no threshold" in none["layout"]["annotations"][0]["text"]


def test_candidates_above_alpha_are_the_interval() -> None:
    event = seen(0.3)
    up, down, _, bar, truth = intervals.plausible(event, LIGHT)["data"]
    above = [x for t in (up, down) for x, p in zip(t["x"], t["y"], strict=True) if p > event.alpha]
    assert (min(above), max(above)) == (event.lower[3], event.upper[3])
    assert bar["x"] == pytest.approx([event.lower[3], event.upper[3]])
    assert truth["x"] == [event.learnt.y[3]]


def redrawn() -> Redraws:
    return Redraws(done=40, total=100, n=N, m=M, coverage=np.full((40, N + 1), 0.85), mean_width=np.ones((40, N + 1)))


def test_coverage_shows_what_is_aimed_at_and_what_is_proven() -> None:
    event = seen(0.1)
    bars, band, aim, proven, here = intervals.covered(event, redrawn(), LIGHT)["data"]
    assert np.count_nonzero(bars["y"]) == 1
    assert abs(bars["x"][int(np.argmax(bars["y"]))] - 0.85) <= bars["width"]
    assert band["x"] == [event.band_low, event.band_high]
    assert (aim["x"][0], proven["x"][0], here["x"][0]) == pytest.approx((0.9, 0.8, event.coverage))
    assert not intervals.covered(event, None, LIGHT)["data"][0]["y"].any()
