"""What probabilities are learned of: simulated worlds, so that the true probability of every answer is known to the picture, not to the model."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, ClassVar, Literal

import numpy as np
from annotated_types import Ge, Le

from glasshouse.families.conformal.knowing.interface import Data
from glasshouse.models.digits import load_digits
from glasshouse.numerics.seeds import Seeds
from glasshouse.schema.knob import Knob

FEATURES = 20
VALID, TEST = 500, 2000
YES_NO = ("yes", "no")
Scenario = Literal["linear", "skewed", "centred", "sigmoid", "discrete"]

Points = Annotated[int, Ge(100), Le(5000), Knob(cost="job", unit="inputs", group="the data", label="training inputs")]
World = Annotated[int, Ge(0), Le(9999), Knob(cost="job", group="the data", help="which simulated world: a seed")]
Hidden = Annotated[int, Ge(0), Le(FEATURES - 1), Knob(
    cost="job", unit="of 20", group="the data", label="hidden features", help="they decide the probability, and the model cannot see them")]
Steepness = Annotated[float, Ge(0.1), Le(10), Knob(
    cost="job", group="the data", step=0.1, more=True, help="standard deviation of the true log odds: large makes most answers certain")]


@dataclass(frozen=True)
class Logistic:
    """20 normal features; the log odds of "yes" are a fixed weighted sum of all of them. 1500 inputs to learn from, 500 to validate, 2000 to test.

    A model that sees d of the features can at best know the mean of the truth given those: ``best``, by numerical integration.
    """

    name: ClassVar[str] = "logistic"
    title: ClassVar[str] = "Yes or no, by twenty features"

    hidden: Hidden = 0
    points: Points = 1500
    steepness: Steepness = 3.0
    world: World = 0

    def open(self) -> Data:
        """A few milliseconds."""
        return _logistic(self.points, VALID, TEST, self.hidden, self.steepness, Seeds(self.world))


@dataclass(frozen=True)
class Digits:
    """Handwritten digits; the picture of a d says yes with a probability that depends on z = d / 9 alone.

    Five forms of it, after the paper on deep probability estimation (which has faces, with z the age): linear z, skewed z / 2.5, centred
    z / 3 + 0.35, sigmoid 1 - sigmoid(25 (z - 0.29)), and discrete, .1, .3, .5, .7 or .9 in steps of 0.2. 800 pictures are for learning,
    300 for validating, 697 for testing; answers are simulated.
    """

    name: ClassVar[str] = "digits"
    title: ClassVar[str] = "A coin for every handwritten digit"

    scenario: Annotated[Scenario, Knob(cost="job", group="the data", label="how z makes the probability")] = "linear"
    hidden_rows: Annotated[int, Ge(0), Le(7), Knob(
        cost="job", unit="of 8", group="the data", help="rows of pixels, from below, that the model cannot see")] = 0
    world: World = 0

    def open(self) -> Data:
        """A few milliseconds."""
        images, digit = load_digits().x, load_digits().labels
        seeds = Seeds(self.world)
        yes = _scenario(self.scenario, digit / 9)
        truth = np.stack((yes, 1 - yes), axis=1)
        order = seeds.numpy("split").permutation(len(digit))
        unknown = np.full(truth.shape, np.nan)
        whole = self.hidden_rows == 0
        return Data(images[:, : 8 * (8 - self.hidden_rows)], _answers(truth, seeds), np.full(len(digit), -1), YES_NO, order[:800],
                    order[800:1100], order[1100:], truth, truth if whole else unknown, np.zeros_like(truth) if whole else unknown)


@dataclass(frozen=True)
class Tables:
    """Six kinds of inputs that look the same within a kind, each made of ``twins`` that differ in what the model cannot see.

    Every twin has its own table of probabilities over four answers. All is countable here: the best that can be known of a kind is the
    mean of its twins' tables, and how far off that is, their variance.
    """

    name: ClassVar[str] = "tables"
    title: ClassVar[str] = "Six kinds, with twins inside"

    twins: Annotated[int, Ge(1), Le(8), Knob(
        cost="job", group="the data", label="twins in a kind", help="inputs that look alike and behave differently; 1: nothing is hidden")] = 4
    points: Points = 1500
    world: World = 0

    def open(self) -> Data:
        """Instant."""
        seeds = Seeds(self.world)
        table = seeds.numpy("tables").dirichlet(np.full(4, 0.7), (6, 8))[:, : self.twins]
        n = self.points + VALID + TEST
        rng = seeds.numpy("kinds")
        kind, twin = rng.integers(6, size=n), (rng.random(n) * self.twins).astype(np.int64)
        truth = table[kind, twin]
        x = np.eye(6, dtype=np.float32)[kind]
        return Data(x, _answers(truth, seeds), kind, ("A", "B", "C", "D"), *_parts(self.points, VALID, TEST), truth,
                    table.mean(axis=1)[kind], table.var(axis=1)[kind])


@dataclass(frozen=True)
class Tiny:
    """Like the twenty features, but smaller: 200 inputs to learn from, 100 to validate, 200 to test."""

    name: ClassVar[str] = "tiny"
    title: ClassVar[str] = "Yes or no, from two hundred inputs"

    hidden: Hidden = 8
    world: World = 0

    def open(self) -> Data:
        """Instant."""
        return _logistic(200, 100, 200, self.hidden, 3.0, Seeds(self.world))


PROBLEMS: tuple[type, ...] = (Logistic, Digits, Tables, Tiny)


def _logistic(train: int, valid: int, test: int, hidden: int, steepness: float, seeds: Seeds) -> Data:
    n = train + valid + test
    w = seeds.numpy("weights").standard_normal(FEATURES)
    w *= steepness / np.sqrt(w @ w)
    # Features are drawn part by part: another number to learn from does not change what is tested.
    x = np.concatenate([seeds.numpy(f"features of {part}").standard_normal((size, FEATURES))
                        for part, size in (("train", train), ("valid", valid), ("test", test))])
    seen = FEATURES - hidden
    yes, mean, var = _of_hidden(x @ w, x[:, :seen] @ w[:seen], float(np.sqrt(w[seen:] @ w[seen:])))
    truth = np.stack((yes, 1 - yes), axis=1)
    return Data(x[:, :seen].astype(np.float32), _answers(truth, seeds), np.full(n, -1), YES_NO, *_parts(train, valid, test), truth,
                np.stack((mean, 1 - mean), axis=1), np.stack((var, var), axis=1))


def _of_hidden(odds: np.ndarray, seen: np.ndarray, scale: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The truth sigmoid(odds), and its mean and variance over N(seen, scale^2), by Gauss-Hermite quadrature of 60 nodes. All [n]."""
    at, weight = np.polynomial.hermite_e.hermegauss(60)
    possible = _sigmoid(seen[:, None] + scale * at)
    mean = possible @ weight / weight.sum()
    return _sigmoid(odds), mean, np.maximum(possible**2 @ weight / weight.sum() - mean**2, 0.0) if scale else np.zeros_like(mean)


def _scenario(name: Scenario, z: np.ndarray) -> np.ndarray:
    if name == "linear":
        return z
    if name == "skewed":
        return z / 2.5
    if name == "centred":
        return z / 3 + 0.35
    if name == "sigmoid":
        return _sigmoid(25 * (0.29 - z))
    found: np.ndarray = np.array([0.1, 0.3, 0.5, 0.7, 0.9])[np.minimum((z * 5).astype(np.int64), 4)]
    return found


def _answers(truth: np.ndarray, seeds: Seeds) -> np.ndarray:
    """Two independent answers a row, int64 [n, 2]. Rows are counted from the end, so that test answers stay when fewer are learned from."""
    u = seeds.numpy("answers").random((len(truth), 2))[::-1]
    within: np.ndarray = np.cumsum(truth, axis=1)[:, None, :-1] <= u[:, :, None]
    chosen: np.ndarray = within.sum(axis=2).astype(np.int64)
    return chosen


def _parts(train: int, valid: int, test: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    order = np.arange(train + valid + test)
    return order[:train], order[train:train + valid], order[train + valid:]


def _sigmoid(odds: np.ndarray) -> np.ndarray:
    from scipy.special import expit

    found: np.ndarray = expit(odds)
    return found
