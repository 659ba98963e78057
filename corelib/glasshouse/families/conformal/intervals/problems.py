"""What intervals are predicted for. All simulated, so that the truth about the noise is known."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, ClassVar

import numpy as np
from annotated_types import Ge, Le

from glasshouse.families.conformal.intervals.interface import Sample
from glasshouse.numerics.seeds import Seeds
from glasshouse.schema.knob import Knob

MOST_LABELLED = 400
LENGTH = 10.0           # inputs of the curve lie from 0 to this
GRID = 161
FEATURES = 10

Noise = Annotated[float, Ge(0), Le(3), Knob(
    cost="live", group="the data", step=0.05, more=True, help="standard deviation of the noise, on average over x")]
Uneven = Annotated[float, Ge(0), Le(1), Knob(
    cost="live", group="the data", label="uneven noise", step=0.05, help="0: the same noise everywhere; 1: from almost none to twice the average")]
Draw = Annotated[int, Ge(0), Le(9999), Knob(
    cost="live", group="the data", more=True, help="which points are drawn: a seed")]


@dataclass(frozen=True)
class Curve:
    """y = sin(x) + x / 4 + noise that grows with x, x uniform on 0 to 10. Simulated.

    The model is linear in ``bumps`` bell curves at equal distances. Labelled points of a smaller sample are the first of a larger one; the
    300 test points stay the same.
    """

    name: ClassVar[str] = "curve"
    title: ClassVar[str] = "Simulated curve"

    labelled: Annotated[int, Ge(10), Le(MOST_LABELLED), Knob(
        cost="live", unit="points", group="the data", label="labelled points")] = 160
    noise: Noise = 0.5
    uneven: Uneven = 0.9
    bumps: Annotated[int, Ge(2), Le(25), Knob(
        cost="live", group="the data", label="bends of the model", more=True,
        help="bell curves that the model is made of: few cannot follow the data")] = 10
    draw: Draw = 7

    def open(self) -> Sample:
        """About a millisecond."""
        return _curve(self.draw, self.labelled, 300, self.noise, self.uneven, self.bumps)


@dataclass(frozen=True)
class Patients:
    """Ten measurements of a patient, and how far a disease has come a year later: simulated, in the shape of the well-known diabetes data.

    The measurements are correlated and of variance 1; the score is linear in them with noise that grows with the first of them.
    """

    name: ClassVar[str] = "patients"
    title: ClassVar[str] = "Simulated patients"

    labelled: Annotated[int, Ge(10), Le(MOST_LABELLED), Knob(
        cost="live", unit="patients", group="the data", label="labelled patients")] = 160
    noise: Noise = 1.0
    uneven: Uneven = 0.6
    draw: Draw = 0

    def open(self) -> Sample:
        """About a millisecond."""
        n, m = self.labelled, 300
        rng = Seeds(self.draw).numpy("patients")
        mixing = np.linalg.cholesky(0.6 * np.eye(FEATURES) + 0.4)
        x = rng.standard_normal((MOST_LABELLED + m, FEATURES)) @ mixing.T
        weights = np.array([2.0, -1.5, 1.2, 0.0, 0.8, 0.0, -0.6, 0.0, 0.4, 0.0])
        spread = self.noise * (1 - self.uneven + self.uneven * np.sqrt(np.pi / 2) * np.abs(x[:, 0]))
        y = 15 + x @ weights + spread * rng.standard_normal(len(x))
        test = slice(MOST_LABELLED, None)
        return Sample(x=x[:n], y=y[:n], at=x[:n, 0], test_x=x[test], test_y=y[test], test_at=x[test, 0],
                      grid_x=np.empty((0, FEATURES)), grid=np.empty(0), input_name="forecast of the score", target_name="disease score")


@dataclass(frozen=True)
class Tiny:
    """The curve with thirty labelled and thirty test points, by a model of five bumps."""

    name: ClassVar[str] = "tiny"
    title: ClassVar[str] = "Simulated curve, 30 points"

    labelled: Annotated[int, Ge(10), Le(MOST_LABELLED), Knob(cost="live", unit="points", group="the data", label="labelled points")] = 30
    draw: Draw = 0

    def open(self) -> Sample:
        """Instant."""
        return _curve(self.draw, self.labelled, 30, 0.5, 0.9, 5)


PROBLEMS: tuple[type, ...] = (Curve, Patients, Tiny)


def bells(x: np.ndarray, bumps: int) -> np.ndarray:
    """Bell curves at equal distances over 0 to 10, one and a half distances wide: float64 [n, bumps]."""
    centres = np.linspace(0, LENGTH, bumps)
    width = 1.5 * LENGTH / (bumps - 1)
    found: np.ndarray = np.exp(-(((x[:, None] - centres) / width) ** 2))
    return found


def _curve(draw: int, labelled: int, tested: int, noise: float, uneven: float, bumps: int) -> Sample:
    rng = Seeds(draw).numpy("curve")
    x = rng.uniform(0, LENGTH, MOST_LABELLED + tested)
    spread = noise * (1 - uneven + 2 * uneven * x / LENGTH)
    y = np.sin(x) + x / 4 + spread * rng.standard_normal(len(x))
    grid = np.linspace(0, LENGTH, GRID)
    at, test = x[:labelled], x[MOST_LABELLED:]
    return Sample(x=bells(at, bumps), y=y[:labelled], at=at, test_x=bells(test, bumps), test_y=y[MOST_LABELLED:], test_at=test,
                  grid_x=bells(grid, bumps), grid=grid, input_name="x", target_name="y")
