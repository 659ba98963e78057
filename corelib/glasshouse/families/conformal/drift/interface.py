"""What a method for drifting streams is, what it reads, and what can be looked at afterwards.

t = 1 .. T are the steps, s_t = |y_t - forecast_t| their scores, n the calibration points from before the first step, alpha the share of steps
that may be missed.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Annotated, ClassVar, Protocol, runtime_checkable

import numpy as np
from annotated_types import Ge, Gt, Le, Lt

from glasshouse.schema.guarantee import Guarantee
from glasshouse.schema.knob import Knob
from glasshouse.schema.paper import Paper
from glasshouse.schema.view import Preset, View

BLOCK = 10              # steps that the player moves at once


@dataclass(frozen=True, eq=False)
class Series:
    """A stream behind a fixed forecast, and calibration points from before it.

    ``calibration_x`` and ``calibration_scores`` float64 [n], by ascending score; ``arrival`` int64 [n] lists them by time. ``x``, ``y``, ``forecast``
    float64 [T]. ``shift`` float64 [T]: x_t is N(shift_t, 1) where the calibration points' x is N(0, 1), so the likelihood ratio is known:
    w_t(x) = exp(shift_t x - shift_t^2 / 2). ``scale`` float64 [T] multiplies the noise. ``same_given_x``: the law of y given x never changes.
    """

    calibration_x: np.ndarray
    calibration_scores: np.ndarray
    arrival: np.ndarray
    x: np.ndarray
    y: np.ndarray
    forecast: np.ndarray
    shift: np.ndarray
    scale: np.ndarray
    same_given_x: bool

    @property
    def scores(self) -> np.ndarray:
        """s_t, float64 [T]."""
        found: np.ndarray = np.abs(self.y - self.forecast)
        return found


@dataclass(frozen=True, eq=False)
class Path:
    """``limit`` float64 [T]: step t's interval is forecast -+ limit; +inf holds everything, -inf nothing. ``level`` float64 [T]: the miscoverage
    that the limit aims at.
    """

    limit: np.ndarray
    level: np.ndarray


@runtime_checkable
class Method(Protocol):
    """A published method. A frozen dataclass whose fields are its knobs.

    ``begin`` computes what does not depend on alpha; ``follow`` is then asked for every alpha anew and must take about ten milliseconds. The
    limit of step t depends on what is known before y_t alone. ``weights`` float64 [n] says what each calibration point counts at step t.
    ``bound`` is how far the share of misses over so many steps can be from alpha at most, NaN where nothing is promised so.
    """

    paper: ClassVar[Paper]
    guarantee: ClassVar[Guarantee]
    views: ClassVar[tuple[View, ...]]
    presets: ClassVar[tuple[Preset, ...]]

    def begin(self, series: Series) -> Mapping[str, np.ndarray]: ...

    def follow(self, series: Series, state: Mapping[str, np.ndarray], alpha: Fraction) -> Path: ...

    def weights(self, series: Series, state: Mapping[str, np.ndarray], t: int) -> np.ndarray: ...

    def bound(self, alpha: float, steps: int) -> float: ...

    def promised(self, series: Series) -> Guarantee: ...

    def extra(self, series: Series, state: Mapping[str, np.ndarray], path: Path) -> Mapping[str, np.ndarray]: ...


def missed(scores: np.ndarray, limit: np.ndarray) -> np.ndarray:
    """bool [T]: y_t is outside its interval; one with the limit -inf misses whatever comes."""
    out: np.ndarray = (scores > limit) | (limit == -np.inf)
    return out


@dataclass(frozen=True)
class Look:
    """What a person can look at once the stream is there."""

    alpha: Annotated[float, Gt(0), Lt(1), Knob(cost="look", group="what is promised", step=0.01, label="may be missed (alpha)",
                                               help="the share of steps whose interval may miss the truth")] = 0.1
    time: Annotated[int, Ge(-1), Le(9999), Knob(cost="look", group="where you look", help="ten steps each; -1 is the end")] = -1
    window: Annotated[int, Ge(20), Le(200), Knob(cost="look", group="where you look", unit="steps", step=10, label="rolling coverage over",
                                                 help="coverage is counted over this many steps")] = 80
