"""Experts don't cheat: predicting pairs of answers. Johnson, Tarlow, Duvenaud, Maddison 2024."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Annotated, Any, ClassVar, Literal

import numpy as np
from annotated_types import Ge, Gt, Le
from scipy.special import softmax

from glasshouse.families.conformal.knowing import second_order
from glasshouse.families.conformal.knowing.interface import Data, Rate, Step
from glasshouse.families.conformal.knowing.networks import Network
from glasshouse.families.conformal.knowing.probabilities import TINY
from glasshouse.numerics.seeds import Seeds
from glasshouse.schema.errors import Unsupported
from glasshouse.schema.events.base import Progress
from glasshouse.schema.events.conformal_knowing import Phase
from glasshouse.schema.guarantee import Guarantee
from glasshouse.schema.knob import Knob
from glasshouse.schema.paper import Paper
from glasshouse.schema.view import Preset, View

WIDTH = 128


@dataclass(frozen=True)
class DontCheat:
    """Learns to predict two answers to the same question; what the first would tell about the second is what the model does not know.

    p(y1, y2 | x) is learned from pairs of independent answers, symmetric by construction, with marginal mu = p(y | x). An expert who
    knows the true probabilities gains nothing from seeing one answer before giving the other. Whoever gains does not know:
    V(y | x) = mu (p(y | y, x) - mu) is the variance of the true p(y | X) among inputs the model cannot tell apart, where the pair model
    is calibrated. So |p - mu| <= sqrt(V / beta) with probability at least 1 - beta, and an answer is impossible with probability at
    most 1 - mu / p(y | y, x).

    ``model`` "network" learns a softmax over pairs and stops early; "counts" counts pairs for inputs that look the same, and needs such
    inputs: there, calibration is a matter of counting enough. Ours: both models, small enough to watch.
    """

    paper: ClassVar[Paper] = Paper("Experts Don't Cheat: Learning What You Don't Know By Predicting Pairs",
                                   "Johnson, Tarlow, Duvenaud, Maddison", 2024, arxiv="2402.08733",
                                   where="pair prediction, epistemic covariance, bounds on p(Y|X) and on impossible answers")
    guarantee: ClassVar[Guarantee] = Guarantee(
        "heuristic", "If the pair model is calibrated, at least 1 - beta of true probabilities are within sqrt(V / beta) of the predicted ones.",
        assumptions=("predicted pairs come true as often as predicted (not certified here)", "two independent answers to each training input"),
        scope="on average over inputs that the model rates alike, not for each one")
    views: ClassVar[tuple[View, ...]] = (
        View("matrix", "What one answer tells about the next", z="gain", x="answers", y="answers", x_label="second answer",
             note="p(second | first) - p(second) at the chosen input, a row for each first answer. All 0 for an expert."),)
    presets: ClassVar[tuple[Preset, ...]] = (
        Preset("Nine are hidden", "If nine of twenty features are hidden, does the model say how far off it is?", {"hidden": 9}),
        Preset("Twins", "Can a model tell that it cannot tell twins apart?", {"twins": 4, "model": "counts"}, problem="tables"),
        Preset("Nothing to hide", "One twin a kind: does an expert still cheat?", {"twins": 1, "model": "counts"}, problem="tables"),
        Preset("Half a picture", "What does half a digit hide?", {"hidden_rows": 4}, problem="digits"))
    binary: ClassVar[bool] = False

    model: Annotated[Literal["network", "counts"], Knob(
        cost="job", group="how it learns", label="pair model", help="counts need inputs that repeat, as the six kinds do")] = "network"
    passes: Annotated[int, Ge(1), Le(200), Knob(
        cost="job", unit="epochs", group="how it learns", help="over the training pairs; counts see each pair once, in so many portions")] = 30
    prior: Annotated[float, Gt(0), Le(10), Knob(
        cost="job", unit="pairs", group="how it learns", more=True, help="for counts: pairs of every kind thought to have been seen before")] = 0.1
    rate: Rate = 1e-3

    def learn(self, data: Data, seeds: Seeds) -> Iterator[Step | Progress]:
        """Raises: Unsupported for counts where inputs do not repeat."""
        if self.model == "counts" and (data.kind < 0).any():
            raise Unsupported("counts need inputs that look the same several times, and here no two do: choose the network", "model")
        return self._count(data) if self.model == "counts" else self._train(data, seeds)

    def _train(self, data: Data, seeds: Seeds) -> Iterator[Step | Progress]:
        yield Progress(done=0, total=self.passes, message="building the network")
        import torch

        classes = len(data.answers)
        net = Network(data.x.shape[1], classes * classes, WIDTH, self.rate, seeds)
        x, xv, xt = (torch.from_numpy(data.x[rows]) for rows in (data.train, data.valid, data.test))
        pair = torch.from_numpy(data.labels[data.train] @ np.array([classes, 1]))

        def loss(z: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
            return torch.nn.functional.cross_entropy(_mirrored(z, classes), target)

        best: Step | None = None
        for number in range(self.passes + 1):
            if number:
                net.train_once(x, pair, loss, seeds.numpy("order", number).permutation(len(pair)))
            joint, valid = (_joint(net.outputs(rows), classes) for rows in (xt, xv))
            step = _step("learning" if number else "untrained", joint, _loss(valid, data.labels[data.valid]), data)
            best = step if best is None or step.valid_loss < best.valid_loss else best
            yield step
            yield Progress(done=number, total=self.passes, message="learning pairs")
        assert best is not None
        yield replace(best, phase="kept")

    def _count(self, data: Data) -> Iterator[Step | Progress]:
        classes, kinds = len(data.answers), int(data.kind.max()) + 1
        seen = np.full((kinds, classes, classes), self.prior)
        portions = [np.empty(0, np.int64), *np.array_split(data.train, min(self.passes, len(data.train)))]
        for number, rows in enumerate(portions):
            np.add.at(seen, (data.kind[rows], data.labels[rows, 0], data.labels[rows, 1]), 1.0)
            joint = second_order.symmetrised(seen / seen.sum(axis=(1, 2), keepdims=True))
            valid = _loss(joint[data.kind[data.valid]], data.labels[data.valid])
            phase: Phase = "kept" if number == len(portions) - 1 else "counting" if number else "untrained"
            yield _step(phase, joint[data.kind[data.test]], valid, data)


def _mirrored(z: Any, classes: int) -> Any:
    """Scores [n, K * K] of ordered pairs, made equal for (a, b) and (b, a)."""
    square = z.reshape(-1, classes, classes)
    return (square + square.transpose(1, 2)).reshape(-1, classes * classes) / 2


def _joint(z: np.ndarray, classes: int) -> np.ndarray:
    """p(y1, y2) float64 [n, K, K], symmetric."""
    square = z.reshape(-1, classes, classes)
    square = (square + np.swapaxes(square, 1, 2)) / 2
    joint: np.ndarray = softmax(square, axis=(1, 2))
    return joint


def _loss(joint: np.ndarray, labels: np.ndarray) -> float:
    """Mean log loss of pairs, in nats."""
    return float(-np.log(np.maximum(joint[np.arange(len(labels)), labels[:, 0], labels[:, 1]], TINY)).mean())


def _step(phase: Phase, joint: np.ndarray, loss: float, data: Data) -> Step:
    mu, cheat = second_order.marginal(joint), second_order.cheating(joint)
    return Step(phase, loss, mu, cheat, {"gain": cheat[0] - mu[0], "answers": np.array(data.answers)})
