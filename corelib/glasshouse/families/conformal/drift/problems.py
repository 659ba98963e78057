"""Simulated streams: a covariate that drifts away with a known likelihood ratio, and noise that grows all at once."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, ClassVar

import numpy as np
from annotated_types import Ge, Le

from glasshouse.families.conformal.drift.interface import Series
from glasshouse.numerics.seeds import Seeds
from glasshouse.schema.knob import Knob

STEPS, QUIET, TRAINING = 600, 120, 200

Calibration = Annotated[int, Ge(19), Le(1000), Knob(cost="live", unit="points", group="the data", label="calibration points", log=True)]
# 2 by default: an ordinary stream, whose calibration points are neither lucky nor unlucky.
Draw = Annotated[int, Ge(0), Le(9999), Knob(cost="live", group="the data", label="which stream", help="a seed")]


@dataclass(frozen=True)
class DriftingCovariate:
    """Simulated: what is forecast from drifts away, to where the forecast is worse and the noise larger.

    x_t ~ N(shift_t, 1), y = x + 0.15 x^2 + 0.3 exp(0.4 x) times standard normal noise, whatever the time: only x drifts. The forecast
    is a straight line, fitted once to 200 points with shift 0, as are the calibration points. After 120 quiet steps the shift rises from 0 to
    ``strength``; at ``speed`` 1 it takes all the 480 steps that are left, at 2 half of them.
    """

    name: ClassVar[str] = "drifting-covariate"
    title: ClassVar[str] = "The inputs drift away (simulated)"

    strength: Annotated[float, Ge(0), Le(3), Knob(cost="live", group="the drift", step=0.1, label="how far it drifts",
                                                  help="in standard deviations of the input")] = 1.5
    speed: Annotated[float, Ge(1), Le(50), Knob(cost="live", group="the drift", step=0.5, log=True, label="how fast it drifts",
                                                help="1: over all the stream; 50: in ten steps")] = 2.0
    calibration_size: Calibration = 400
    draw: Draw = 2

    def open(self) -> Series:
        """About a millisecond."""
        rise = np.arange(1, STEPS - QUIET + 1) / (STEPS - QUIET)
        shift = np.concatenate((np.zeros(QUIET), self.strength * np.minimum(1.0, self.speed * rise)))
        return _series(Seeds(self.draw), self.calibration_size, shift, np.ones(STEPS), same_given_x=True)


@dataclass(frozen=True)
class NoisyPeriod:
    """Simulated: between steps 200 and 400 the noise is ``factor`` times as large, all at once; the inputs never change.

    Knowing the law of the inputs does not help here: what changes is the law of y given x. Otherwise as the drifting covariate.
    """

    name: ClassVar[str] = "noisy-period"
    title: ClassVar[str] = "The noise jumps up, and back (simulated)"

    factor: Annotated[float, Ge(1), Le(6), Knob(cost="live", group="the drift", step=0.1, label="times as noisy")] = 3.0
    calibration_size: Calibration = 400
    draw: Draw = 2

    def open(self) -> Series:
        """About a millisecond."""
        scale = np.ones(STEPS)
        scale[200:400] = self.factor
        return _series(Seeds(self.draw), self.calibration_size, np.zeros(STEPS), scale, same_given_x=self.factor == 1.0)


@dataclass(frozen=True)
class Tiny:
    """Fifty steps whose input shifts by one standard deviation in the middle."""

    name: ClassVar[str] = "tiny"
    title: ClassVar[str] = "Fifty steps with one shift"

    calibration_size: Annotated[int, Ge(9), Le(100), Knob(cost="live", unit="points", group="the data")] = 40
    draw: Draw = 0

    def open(self) -> Series:
        """Instant."""
        return _series(Seeds(self.draw), self.calibration_size, np.repeat((0.0, 1.0), 25), np.ones(50), same_given_x=True)


PROBLEMS: tuple[type, ...] = (DriftingCovariate, NoisyPeriod, Tiny)


def _series(seeds: Seeds, n: int, shift: np.ndarray, scale: np.ndarray, same_given_x: bool) -> Series:
    """Streams of one seed share their draws, whatever the drift: moving a knob bends one and the same stream."""
    line = np.polyfit(*_drawn(seeds, "training", np.zeros(TRAINING), np.ones(TRAINING)), 1)
    x, y = _drawn(seeds, "calibration", np.zeros(n), np.ones(n))
    scores = np.abs(y - np.polyval(line, x))
    order = np.argsort(scores, kind="stable")
    place = np.empty(n, np.int64)
    place[order] = np.arange(n)
    stream_x, stream_y = _drawn(seeds, "stream", shift, scale)
    return Series(x[order], scores[order], place, stream_x, stream_y, np.polyval(line, stream_x), shift, scale, same_given_x)


def _drawn(seeds: Seeds, purpose: str, shift: np.ndarray, scale: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    x = shift + seeds.numpy(f"{purpose} x").standard_normal(len(shift))
    noise = 0.3 * np.exp(0.4 * x) * scale * seeds.numpy(f"{purpose} noise").standard_normal(len(shift))
    return x, x + 0.15 * x**2 + noise
