"""What every method for drifting streams must satisfy, whatever it computes."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from fractions import Fraction
from typing import Any

import numpy as np

from glasshouse.families.conformal.drift.interface import Path, Series, missed
from glasshouse.families.conformal.drift.problems import DriftingCovariate, NoisyPeriod, Tiny

TENTH = Fraction(1, 10)


def _followed(method: type[Any], series: Series, alpha: Fraction = TENTH) -> Path:
    chosen = method()
    path: Path = chosen.follow(series, chosen.begin(series), alpha)
    return path


def limits_are_scores_or_infinite(method: type[Any]) -> bool:
    for problem in (Tiny(), DriftingCovariate(strength=3.0), NoisyPeriod()):
        series = problem.open()
        path = _followed(method, series)
        known = np.concatenate((series.calibration_scores, series.scores, (np.inf, -np.inf)))
        if path.limit.shape != series.x.shape or path.level.shape != series.x.shape or not np.isin(path.limit, known).all():
            return False
    return True


def a_limit_knows_nothing_of_what_comes(method: type[Any]) -> bool:
    """Other truths from step 20 on leave the limits of the steps up to 20 as they are."""
    series = Tiny().open()
    changed = series.y.copy()
    changed[20:] += 100.0
    before, after = _followed(method, series), _followed(method, dataclasses.replace(series, y=changed))
    return bool((before.limit[:21] == after.limit[:21]).all())


def without_drift_the_promise_is_kept(method: type[Any]) -> bool:
    """600 steps and 1000 calibration points, both alike: coverage within four standard errors of both, and of a rank's step."""
    series = DriftingCovariate(strength=0.0, calibration_size=1000).open()
    covered = 1 - missed(series.scores, _followed(method, series).limit).mean()
    return bool(abs(covered - 0.9) <= 4 * np.sqrt(0.09 * (1 / 600 + 1 / 1000)) + 1 / 1000)


def too_few_points_rule_nothing_out(method: type[Any]) -> bool:
    """At the first step, nine points at alpha 0.05 leave everything possible."""
    return bool(np.isposinf(_followed(method, Tiny(calibration_size=9).open(), Fraction(1, 20)).limit[0]))


def nothing_is_changed(method: type[Any]) -> bool:
    series = Tiny().open()
    before = [getattr(series, f.name).copy() for f in dataclasses.fields(series) if f.name != "same_given_x"]
    _followed(method, series)
    after = [getattr(series, f.name) for f in dataclasses.fields(series) if f.name != "same_given_x"]
    return all(bool((a == b).all()) for a, b in zip(before, after, strict=True))


LAWS: tuple[Callable[[type[Any]], bool], ...] = (
    limits_are_scores_or_infinite, a_limit_knows_nothing_of_what_comes, without_drift_the_promise_is_kept, too_few_points_rule_nothing_out,
    nothing_is_changed)
