"""Pictures of drift, read back against the event they show."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import Any

import numpy as np
import pytest

from glasshouse import runs
from glasshouse.schema.events.conformal_drift import Streams, Tracked
from glasshouse_widgets.figures.conformal import drift
from glasshouse_widgets.figures.palette import DARK, LIGHT, Theme

Valid = Callable[[dict[str, Any]], dict[str, Any]]


@lru_cache(maxsize=32)
def tracked(method: str = "aci", alpha: float = 0.1, time: int = -1, problem: str = "drifting-covariate", **values: Any) -> Tracked:
    session = runs.open(f"conformal.{method}", problem, **values)
    list(session.events())
    seen = session.look(alpha=alpha, time=time)
    assert isinstance(seen, Tracked)
    return seen


STUDIED = Streams(done=4, total=4, alpha=0.1, coverage=np.full(600, 0.9), fixed_coverage=np.linspace(1, 0.5, 600))


@pytest.mark.parametrize("theme", [LIGHT, DARK])
@pytest.mark.parametrize("case", [
    {}, {"method": "weighted"}, {"method": "weighted", "strength": 3.0, "alpha": 0.01, "calibration_size": 19}, {"problem": "tiny"},
    {"problem": "noisy-period", "time": 0}, {"alpha": 0.9, "gamma": 0.3}, {"method": "weighted", "problem": "tiny", "calibration_size": 9},
    {"strength": 0.0}])
def test_plotly_takes_them(case: dict[str, Any], theme: Theme, valid: Valid) -> None:
    seen = tracked(**case)
    for figure in (drift.stream(seen, theme), drift.calibration(seen, theme), drift.coverage(seen, seen, None, theme),
                   drift.coverage(seen, None, None, theme)):
        valid(figure)


@pytest.mark.parametrize("method", ["aci", "weighted"])
def test_every_step_up_to_now_is_a_dot_or_a_cross(method: str) -> None:
    seen = tracked(method, time=29)
    lower, upper, fixed, held, missed, cursor = drift.stream(seen, LIGHT)["data"]
    assert sorted([*held["x"], *missed["x"]]) == list(range(1, 301))
    assert (np.asarray(missed["x"]).astype(int) - 1 == np.flatnonzero(seen.missed[:300])).all()
    assert (missed["customdata"] == seen.stream.errors[:300][seen.missed[:300]]).all()
    finite = np.flatnonzero(np.isfinite(seen.limit[:300]))
    top = drift.reach(seen.stream)
    assert upper["y"][finite] == pytest.approx(np.minimum(seen.limit[finite], 1.2 * top))
    assert np.isnan(upper["y"][300:]).all()
    assert np.array_equal(lower["y"], -upper["y"], equal_nan=True)
    assert fixed["y"][0] == seen.fixed_limit
    assert cursor["x"] == [300.5, 300.5]


def test_an_interval_without_an_end_fills_the_height() -> None:
    seen = tracked("weighted", 0.05, strength=3.0, calibration_size=50)
    upper, frame = drift.stream(seen, LIGHT)["data"][1], drift.stream(seen, LIGHT)["layout"]
    endless = np.isposinf(seen.limit)
    assert endless.any()
    assert (upper["y"][endless] > frame["yaxis"]["range"][1]).all()


def test_what_changed_is_shaded_when_it_changed() -> None:
    shapes = drift.stream(tracked(problem="noisy-period"), LIGHT)["layout"]["shapes"]
    assert [(s["x0"], s["x1"]) for s in shapes] == [(200.5, 400.5)]
    drifting = drift.stream(tracked(), LIGHT)["layout"]["shapes"]
    assert drifting[0]["x0"] == 120.5
    assert drifting[-1]["x1"] == 600.5
    assert len(drifting) == 4
    assert drift.stream(tracked(strength=0.0), LIGHT)["layout"]["shapes"] == []


def test_coverage_stops_now_and_the_promise_does_not() -> None:
    seen = tracked(time=9)
    fixed, mine, promised, other = drift.coverage(seen, None, None, LIGHT)["data"]
    assert np.isnan(mine["y"][100:]).all()
    assert mine["y"][99] == seen.rolling[99]
    assert fixed["y"][50] == seen.fixed_rolling[50]
    assert promised["y"] == [0.9, 0.9]
    assert np.isnan(other["y"]).all()
    studied = drift.coverage(seen, None, STUDIED, LIGHT)
    assert studied["data"][4]["y"] == pytest.approx(np.full(600, 0.9))
    assert len(studied["data"][5]["y"]) == 600
    assert "4 other streams" in studied["layout"]["annotations"][0]["text"]


def test_bars_weigh_what_the_points_count() -> None:
    seen = tracked("weighted")
    plain, filled, line = drift.calibration(seen, LIGHT)["data"]
    assert np.sum(plain["y"]) == 400
    assert np.sum(filled["y"]) == pytest.approx(400, rel=0.02)          # but for what stands out above
    assert (np.asarray(filled["y"]) != np.asarray(plain["y"])).any()
    assert line["x"][0] == pytest.approx(seen.limit[-1])
    alike = drift.calibration(tracked(), LIGHT)["data"]
    assert (np.asarray(alike[1]["y"]) == alike[0]["y"]).all()


def test_axes_and_traces_stay_while_time_and_alpha_move() -> None:
    for draw in (drift.stream, drift.calibration, lambda s, t: drift.coverage(s, None, None, t)):
        for other in (tracked(alpha=0.2), tracked(time=0), tracked(time=30, alpha=0.05)):
            one, two = draw(tracked(), LIGHT), draw(other, LIGHT)
            assert len(one["data"]) == len(two["data"])
            assert all(one["layout"][axis]["range"] == two["layout"][axis]["range"] for axis in ("xaxis", "yaxis"))
