"""ACI: its recursion, its deterministic bound against adversaries, and split conformal prediction where nothing adapts."""

from __future__ import annotations

import math
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from glasshouse import runs
from glasshouse.families.conformal.drift.drive import split_limit
from glasshouse.families.conformal.drift.interface import missed
from glasshouse.families.conformal.drift.problems import DriftingCovariate
from glasshouse.families.conformal.methods.drift.aci import ACI, track
from glasshouse.families.conformal.ranks import threshold_rank

TENTH = Fraction(1, 10)
CALIBRATION = np.random.default_rng(0).random(50)


def by_definition(calibration: np.ndarray, scores: np.ndarray, alpha: Fraction, gamma: Fraction, recent: bool) -> tuple[list[float], list[Fraction]]:
    """The recursion as it is printed, in rationals; with ``recent`` the last n of all scores so far."""
    n, level, limits, levels = len(calibration), alpha, [], []
    for t, score in enumerate(scores):
        known = np.sort(np.r_[calibration, scores[:t]][-n:]) if recent else np.sort(calibration)
        k = math.ceil((n + 1) * (1 - level))
        q = math.inf if level <= 0 or k > n else -math.inf if level >= 1 else float(known[k - 1])
        limits.append(q)
        levels.append(level)
        level += gamma * (alpha - int(score > q or level >= 1))
    return limits, levels


@pytest.mark.parametrize("recent", [False, True])
@pytest.mark.parametrize("gamma", ["0.005", "0.05", "0.3"])
@pytest.mark.parametrize("alpha", ["0.1", "0.37", "0.9"])
def test_it_is_the_recursion(alpha: str, gamma: str, recent: bool) -> None:
    scores = np.random.default_rng(1).random(300) * np.linspace(0.5, 2.5, 300)
    path = track(CALIBRATION, scores, Fraction(alpha), Fraction(gamma), recent)
    limits, levels = by_definition(CALIBRATION, scores, Fraction(alpha), Fraction(gamma), recent)
    assert path.limit.tolist() == limits
    assert path.level.tolist() == [float(level) for level in levels]


@pytest.mark.parametrize("alpha", [0.05, 0.1, 0.3, 0.7])
def test_without_a_step_size_it_is_split_conformal_prediction(alpha: float) -> None:
    series = DriftingCovariate(calibration_size=99).open()
    path = ACI(gamma=0.0).follow(series, {}, Fraction(str(alpha)))
    assert (path.limit == np.sort(series.calibration_scores)[threshold_rank(99, alpha) - 1]).all()
    assert (path.limit == split_limit(series.calibration_scores, Fraction(str(alpha)))).all()
    assert math.isnan(ACI(gamma=0.0).bound(alpha, 600))


def adversary(name: str, steps: int) -> np.ndarray:
    """Infinite scores miss every interval with an end, those of 0 only the empty one."""
    inf, zero = np.full(steps, math.inf), np.zeros(steps)
    return {"always out": inf, "always in": zero, "in turn": np.where(np.arange(steps) % 2, inf, zero),
            "in for long, then out": np.where(np.arange(steps) < steps // 2, zero, inf)}[name]


@pytest.mark.parametrize("name", ["always out", "always in", "in turn", "in for long, then out"])
@pytest.mark.parametrize(("alpha", "gamma"), [("0.1", "0.02"), ("0.1", "0.3"), ("0.5", "0.05"), ("0.95", "0.01")])
def test_the_bound_holds_against_adversaries_after_every_step(name: str, alpha: str, gamma: str) -> None:
    a, g, steps = Fraction(alpha), Fraction(gamma), 400
    scores = adversary(name, steps)
    out = missed(scores, track(CALIBRATION, scores, a, g).limit)
    for t in range(1, steps + 1):
        assert abs(Fraction(int(out[:t].sum()), t) - a) <= (max(a, 1 - a) + g) / (g * t)


def test_an_adversary_comes_close_to_the_bound() -> None:
    """Missing as long as the interval has an end uses up nearly all that the bound allows; it could not be much smaller."""
    a, g, calibration = Fraction(1, 2), Fraction(1, 100), np.random.default_rng(2).random(999)
    out = missed(adversary("always out", 200), track(calibration, adversary("always out", 200), a, g).limit)
    worst = max(abs(Fraction(int(out[:t].sum()), t) - a) / ((max(a, 1 - a) + g) / (g * t)) for t in range(1, 201))
    assert 0.95 < worst <= 1


@settings(max_examples=60, deadline=None)
@given(st.lists(st.booleans(), min_size=1, max_size=120), st.integers(1, 99), st.integers(1, 30), st.booleans())
def test_misses_telescope_and_levels_stay_in_reach(outs: list[bool], hundredths: int, step: int, recent: bool) -> None:
    """mean err - alpha = (alpha_1 - alpha_{T+1}) / (gamma T) exactly, with every alpha_t in [-gamma, 1 + gamma]: whence the bound."""
    a, g = Fraction(hundredths, 100), Fraction(step, 100)
    scores = np.where(outs, math.inf, 0.0)
    path = track(CALIBRATION[:20], scores, a, g, recent)
    out = missed(scores, path.limit)
    _, levels = by_definition(CALIBRATION[:20], scores, a, g, recent)
    after = levels[-1] + g * (a - int(out[-1]))
    assert Fraction(int(out.sum()), len(outs)) - a == (a - after) / (g * len(outs))
    assert -g <= after <= 1 + g
    assert abs(out.mean() - float(a)) <= ACI(gamma=float(g)).bound(float(a), len(outs)) + 1e-12


def test_full_and_empty_intervals_are_where_the_level_leaves_its_range() -> None:
    scores = adversary("in for long, then out", 400)
    path = track(CALIBRATION, scores, Fraction(1, 2), Fraction(3, 10))
    assert (np.isneginf(path.limit) == (path.level >= 1)).all()
    assert (path.level >= 1).any()
    assert np.isposinf(path.limit[path.level <= 0]).all()
    assert missed(scores, path.limit)[path.level >= 1].all(), "an empty interval misses whatever comes"


def test_after_a_jump_it_comes_back_where_a_fixed_threshold_stays_wrong() -> None:
    """100 streams whose noise is three times as large between steps 200 and 400: the second half of that time, four standard errors."""
    *_, last = runs.study("conformal.aci", "streams", "noisy-period", options={"total": 100})
    error = 4 * math.sqrt(0.09 / (100 * 100)) + 0.01                 # steps of one stream are not independent: a hundredth more
    assert abs(last.coverage[300:400].mean() - 0.9) <= error  # type: ignore[union-attr]
    assert last.fixed_coverage[300:400].mean() < 0.6  # type: ignore[union-attr]
    assert last.coverage[200:215].mean() < 0.8, "just after the jump nobody can know"  # type: ignore[union-attr]
    *_, frozen = runs.study("conformal.aci", "streams", "noisy-period", options={"total": 4}, gamma=0.0)
    assert (frozen.coverage == frozen.fixed_coverage).all()  # type: ignore[union-attr]


def test_the_guarantee_says_the_bound_or_that_there_is_none() -> None:
    session = runs.open("conformal.aci", gamma=0.1)
    list(session.events())
    assert session.guarantee.kind == "adversarial"
    assert f"{1.1 / 60:.3f}" in session.guarantee.statement
    frozen = runs.open("conformal.aci", gamma=0.0)
    list(frozen.events())
    assert frozen.guarantee.kind == "none"
