"""Conformal prediction along a stream: forecasts and their errors once, then intervals for any alpha."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from glasshouse.schema.events.base import Event


@dataclass(frozen=True, kw_only=True, eq=False)
class Stream(Event):
    """A stream of forecasts and what became of them, with all that a method computed that does not depend on alpha.

    ``scores`` float64 [n] are the calibration points' absolute errors, ascending. Of the T steps: ``x``, ``y``, ``forecast`` float64 [T];
    ``errors`` float64 [T] = y - forecast; ``shift`` float64 [T] how far the law of x has moved, in its standard deviations, and ``scale`` float64 [T]
    how much larger the noise is than at calibration. ``changes``: what changes, in words.

    ``method`` is the frozen dataclass of the run's knobs, ``series`` what it reads and ``state`` what it made of it.
    """

    n: int
    steps: int
    changes: str
    scores: np.ndarray
    x: np.ndarray
    y: np.ndarray
    forecast: np.ndarray
    errors: np.ndarray
    shift: np.ndarray
    scale: np.ndarray
    method: Any
    series: Any
    state: Any


@dataclass(frozen=True, kw_only=True, eq=False)
class Tracked(Event):
    """Intervals forecast - limit to forecast + limit at one alpha, over the whole stream; ``now`` steps of it have passed.

    ``limit`` float64 [T] may be +inf (every value) or -inf (none), ``level`` float64 [T] the miscoverage aimed at, ``missed`` bool [T].
    ``fixed_limit`` is split conformal prediction's only limit and ``fixed_missed`` bool [T] what it misses. ``rolling`` and ``fixed_rolling``
    float64 [T] are the coverage of the last ``window`` steps, NaN before the first 10. ``coverage`` and ``fixed_coverage`` are those of all steps
    up to now, ``width`` the mean width of the finite intervals up to now, ``infinite`` the share of intervals without an end.

    ``weights`` float64 [n] is what each calibration point counts now, their mean 1. ``bound`` is how far the share of misses over ``now`` steps can
    be from alpha whatever happens, NaN where nothing is promised so. ``block`` is the place of the player, of ``blocks``.
    """

    alpha: float
    block: int
    blocks: int
    now: int
    window: int
    limit: np.ndarray
    level: np.ndarray
    missed: np.ndarray
    fixed_limit: float
    fixed_missed: np.ndarray
    rolling: np.ndarray
    fixed_rolling: np.ndarray
    coverage: float
    fixed_coverage: float
    width: float
    fixed_width: float
    infinite: float
    weights: np.ndarray
    effective: float
    bound: float
    stream: Stream


@dataclass(frozen=True, kw_only=True, eq=False)
class Streams(Event):
    """Many other streams of the same kind, ``done`` of ``total`` so far: how often each step was covered, at one alpha.

    ``coverage`` and ``fixed_coverage`` float64 [T]: the share of streams whose step t was covered by the method, and by split conformal
    prediction.
    """

    done: int
    total: int
    alpha: float
    coverage: np.ndarray
    fixed_coverage: np.ndarray
