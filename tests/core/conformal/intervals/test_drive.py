"""The room's loop: one event, looks that only read, and numbers that agree with the public call."""

from __future__ import annotations

import math

import numpy as np
import pytest

from glasshouse import catalogue, runs
from glasshouse.families.conformal.intervals import Ridge, calibrate_regression
from glasshouse.families.conformal.intervals.ladders import p_values
from glasshouse.families.conformal.intervals.laws import LAWS
from glasshouse.families.conformal.intervals.problems import Curve, Patients, Tiny
from glasshouse.schema.errors import BadType, BadValue
from glasshouse.schema.events.conformal_intervals import Intervals, Learnt, Redraws

METHODS = ("split", "cqr", "jackknife-plus", "cv-plus", "full")
every_method = pytest.mark.parametrize("name", METHODS)


def opened(name: str, problem: str = "curve", **values: object) -> tuple[runs.Session, Learnt]:
    session = runs.open(f"conformal.{name}", problem, **values)
    *_, event = session.events()
    assert isinstance(event, Learnt)
    return session, event


def looked(session: runs.Session, **looks: object) -> Intervals:
    seen = session.look(**looks)
    assert isinstance(seen, Intervals)
    return seen


@every_method
def test_laws(name: str) -> None:
    for law in LAWS:
        assert law(catalogue.load(f"conformal.{name}")), law.__name__


@pytest.mark.parametrize("name", ["jackknife-plus", "cv-plus", "full"])
def test_agrees_with_the_public_call(name: str) -> None:
    session, event = opened(name, labelled=50)
    sample = session.problem.open()
    c = calibrate_regression(method=name, fit=(sample.x, sample.y, Ridge(session.method.penalty)))
    for alpha in (0.05, 0.1, 0.5):
        seen = looked(session, alpha=alpha)
        assert np.stack((seen.lower, seen.upper), axis=1) == pytest.approx(c.interval(sample.test_x, alpha))
        assert seen.covered.tolist() == [(lo <= y <= hi) for lo, hi, y in zip(seen.lower, seen.upper, event.y, strict=True)]
        assert seen.coverage == seen.covered.mean()


@every_method
def test_the_grid_and_the_test_points_are_the_same_curve(name: str) -> None:
    session, event = opened(name)
    seen = looked(session, alpha=0.2)
    low = np.interp(event.at, event.grid, event.grid_lower[:, seen.k - 1])
    assert np.abs(low - seen.lower).max() < 0.15
    assert event.grid_center.shape == event.grid.shape == (161,)
    assert opened(name, "patients")[1].grid_lower.shape[0] == 0


@every_method
def test_looks_compute_nothing(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    session, event = opened(name, "tiny")
    for part in ("fit", "left_out", "with_one_more", "predict"):
        monkeypatch.setattr(Ridge, part, None)
    assert looked(session, alpha=0.2).learnt is event
    widths = [looked(session, alpha=a).mean_width for a in (0.1, 0.2, 0.4, 0.6)]
    assert widths == sorted(widths, reverse=True)


@every_method
def test_p_values_of_the_chosen_point_say_what_is_inside(name: str) -> None:
    session, event = opened(name, "tiny")
    for point in (0, 7):
        for alpha in (0.1, 0.3):
            seen = looked(session, alpha=alpha, point=point)
            kept = seen.candidates[seen.p_values > alpha]
            assert (kept.min(), kept.max()) == (seen.lower[point], seen.upper[point])
            assert len(seen.candidates) <= 2 * event.n
            assert (seen.candidates == p_values(event.lower[point], event.upper[point])[0]).all()


def test_promises_and_bands() -> None:
    for name, claim, law in (("split", 0.9, "beta-binomial"), ("cqr", 0.9, "beta-binomial"), ("full", 0.9, "binomial"),
                             ("jackknife-plus", 0.8, "binomial"), ("cv-plus", 0.8 - (1 - 10 / 160) / 11, "binomial")):
        session, event = opened(name)
        seen = looked(session, alpha=0.1)
        assert seen.claimed == pytest.approx(claim)
        assert event.band_law == law
        assert seen.band_low < 0.9 < seen.band_high
    assert looked(opened("jackknife-plus", "tiny")[0], alpha=0.7).claimed == 0


def test_too_few_points_are_told() -> None:
    session, _ = opened("split", labelled=10)
    seen = looked(session, alpha=0.1)
    assert seen.infinite_because == "5 calibration points are too few for alpha = 0.1: 9 are needed"
    assert (seen.coverage, seen.band_low, seen.band_high, seen.mean_width) == (1, 1, 1, math.inf)
    assert '"Infinity"' in session.record(alpha=0.1).to_json()


def test_record_and_bad_looks() -> None:
    session, _ = opened("full", "tiny")
    numbers = session.record(alpha=0.2).summary
    assert {"n", "m", "coverage", "mean_width", "claimed", "k"} <= set(numbers)
    assert "threshold" not in numbers
    for looks in ({"alpha": 0}, {"alpha": 10}, {"alpha": math.nan}, {"point": 30}, {"point": -1}):
        with pytest.raises((BadValue, BadType), match=next(iter(looks))):
            session.look(**looks)


def test_problems_are_what_they_say() -> None:
    small, large = Curve(labelled=20).open(), Curve(labelled=400).open()
    assert (small.y == large.y[:20]).all()
    assert (small.test_y == large.test_y).all()
    assert not (Curve(draw=1).open().y == large.y[:160]).any()
    quiet = Curve(noise=0.0, labelled=400).open()
    assert quiet.y == pytest.approx(np.sin(quiet.at) + quiet.at / 4)
    noisy = Curve(uneven=1.0, labelled=400).open()
    error = np.abs(noisy.y - np.sin(noisy.at) - noisy.at / 4)
    assert error[noisy.at < 2].mean() < 0.3 * error[noisy.at > 8].mean()
    patients = Patients(labelled=400).open()
    assert np.corrcoef(patients.x.T)[0, 1] == pytest.approx(0.4, abs=0.15)
    assert patients.x.var(axis=0) == pytest.approx(np.ones(10), abs=0.3)
    assert Tiny().open().x.shape == (30, 5)


def test_redraws_are_partial_pictures_of_one_whole() -> None:
    pictures = [e for e in runs.study("conformal.split", "redraws", "tiny", options={"total": 6}) if isinstance(e, Redraws)]
    assert [p.done for p in pictures] == [4, 6]
    whole = pictures[-1]
    assert (pictures[0].coverage == whole.coverage[:4]).all()
    assert whole.coverage.shape == (6, 16)
    assert (whole.coverage[:, -1] == 1).all()
    assert (np.diff(whole.coverage, axis=1) >= 0).all()
    again = list(runs.study("conformal.split", "redraws", "tiny", options={"total": 6}))[-1]
    assert isinstance(again, Redraws)
    assert (again.coverage == whole.coverage).all()
    for total, error in ((0, BadValue), (10_001, BadValue), (1.5, BadType), (True, BadType)):
        with pytest.raises(error, match="total"):
            runs.study("conformal.split", "redraws", "tiny", options={"total": total})
