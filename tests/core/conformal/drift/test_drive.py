"""The room's run and looks."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

from glasshouse import catalogue, runs
from glasshouse.families.conformal.drift import drive
from glasshouse.families.conformal.drift.problems import DriftingCovariate, NoisyPeriod
from glasshouse.schema.errors import BadType, BadValue
from glasshouse.schema.events.conformal_drift import Stream, Streams, Tracked

BOTH = pytest.mark.parametrize("method", ["conformal.aci", "conformal.weighted"])


def opened(method: str = "conformal.aci", **values: Any) -> tuple[runs.Session, Stream]:
    session = runs.open(method, **values)
    (event,) = session.events()
    assert isinstance(event, Stream)
    return session, event


def looked(session: runs.Session, **looks: Any) -> Tracked:
    seen = session.look(**looks)
    assert isinstance(seen, Tracked)
    return seen


@BOTH
@pytest.mark.parametrize("problem", ["drifting-covariate", "noisy-period"])
def test_numbers_agree_with_the_intervals(method: str, problem: str) -> None:
    session, event = opened(method, problem=problem)
    for alpha in (0.05, 0.1, 0.4):
        seen = looked(session, alpha=alpha, time=29)
        assert (seen.block, seen.blocks, seen.now) == (29, 60, 300)
        held = (event.y >= event.forecast - seen.limit) & (event.y <= event.forecast + seen.limit)
        assert (held == seen.missed).mean() < 0.005                 # at most a rounding at an end
        assert seen.coverage == 1 - seen.missed[:300].mean()
        assert seen.fixed_coverage == 1 - (np.abs(event.errors) > seen.fixed_limit)[:300].mean()
        finite = seen.limit[:300][np.isfinite(seen.limit[:300])]
        assert seen.width == pytest.approx(2 * finite.mean())
        assert seen.infinite == np.isinf(seen.limit[:300]).mean()
        assert seen.rolling[250] == pytest.approx(1 - seen.missed[171:251].mean())
        assert np.isnan(seen.rolling[:9]).all()
        assert seen.rolling[9] == pytest.approx(1 - seen.missed[:10].mean())
        assert seen.weights.mean() == pytest.approx(1)


def test_alpha_moves_the_views_of_a_method_too() -> None:
    session, event = opened()
    one, two = (looked(session, alpha=a).extra["level"] for a in (0.1, 0.4))
    assert (one == event.extra["level"]).all()
    assert (one[0], two[0]) == (0.1, 0.4)


@BOTH
def test_looks_draw_nothing_again(method: str, monkeypatch: pytest.MonkeyPatch) -> None:
    session, event = opened(method)
    monkeypatch.setattr(type(session.problem), "open", lambda _: pytest.fail("a look must not draw the stream again"))
    monkeypatch.setattr(type(session.method), "begin", lambda *_: pytest.fail("a look must not weigh again"))
    assert looked(session, alpha=0.2).stream is event
    assert looked(session, alpha=0.05).width > looked(session, alpha=0.3).width


def test_the_end_is_the_last_block() -> None:
    session, _ = opened()
    end, last = looked(session), looked(session, time=59)
    assert (end.block, end.now) == (last.block, last.now) == (59, 600)
    short, _ = opened(problem="tiny")
    assert (looked(short).blocks, looked(short, time=4).now) == (5, 50)
    for looks in ({"time": 60}, {"time": -2}, {"alpha": 0}, {"alpha": 1}, {"alpha": math.nan}, {"window": 5}):
        with pytest.raises((BadValue, BadType), match=next(iter(looks))):
            session.look(**looks)


def test_a_knob_of_the_drift_bends_one_and_the_same_stream() -> None:
    calm, bent = (DriftingCovariate(strength=s).open() for s in (0.0, 2.0))
    assert (calm.x[:120] == bent.x[:120]).all()
    assert bent.x - calm.x == pytest.approx(bent.shift)
    assert (calm.calibration_scores == bent.calibration_scores).all()
    assert (DriftingCovariate(draw=1).open().x != calm.x).all()
    assert bent.shift[-1] == 2.0
    assert (NoisyPeriod().open().x == calm.x).all()


def test_calibration_scores_are_sorted_and_their_order_of_time_is_kept() -> None:
    series = DriftingCovariate(calibration_size=50).open()
    by_time = series.calibration_scores[series.arrival]
    assert (np.diff(series.calibration_scores) >= 0).all()
    assert (np.sort(by_time) == series.calibration_scores).all()
    assert (by_time != series.calibration_scores).any()
    larger = DriftingCovariate(calibration_size=60).open()
    assert (larger.calibration_scores[larger.arrival][:50] == by_time).all()


def test_what_changes_is_said() -> None:
    cases: tuple[tuple[str, dict[str, Any], str], ...] = (
        ("drifting-covariate", {}, "the inputs"), ("noisy-period", {}, "the noise"), ("drifting-covariate", {"strength": 0.0}, "nothing"),
        ("noisy-period", {"factor": 1.0}, "nothing"))
    for problem, values, changes in cases:
        assert opened(problem=problem, **values)[1].changes == changes


def test_rolling_coverage_of_short_streams() -> None:
    assert drive.rolling(np.ones(3, bool), 20).tolist() == pytest.approx([math.nan] * 3, nan_ok=True)
    assert drive.rolling(np.arange(40) % 2 == 0, 20)[-1] == 0.5


def test_summary_and_record() -> None:
    session, _ = opened()
    record = session.record(alpha=0.2)
    assert {"coverage", "fixed_coverage", "width", "infinite", "effective", "bound"} <= set(record.summary)
    assert record.summary["alpha"] == 0.2
    weighted, _ = opened("conformal.weighted")
    assert "bound" not in weighted.record(alpha=0.2).summary


def test_streams_are_partial_pictures_of_one_whole() -> None:
    pictures = [e for e in runs.study("conformal.aci", "streams", "tiny", options={"total": 6}) if isinstance(e, Streams)]
    assert [p.done for p in pictures] == [4, 6]
    counted = pictures[-1].coverage * 6
    assert counted == pytest.approx(np.round(counted))
    assert (pictures[0].coverage * 4 <= counted + 1e-9).all()
    for options in ({"total": 0}, {"total": True}, {"total": 1.5}, {"alpha": 0.0}, {"alpha": "x"}):
        with pytest.raises((BadValue, BadType), match=next(iter(options))):
            runs.study("conformal.aci", "streams", "tiny", options=options)


def test_the_room_is_found() -> None:
    assert {i.room for i in catalogue.methods("conformal") if i.id in ("conformal.aci", "conformal.weighted")} == {"conformal.drift"}
