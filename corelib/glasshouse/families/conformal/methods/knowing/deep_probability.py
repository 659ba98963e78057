"""Deep probability estimation by calibrated probability estimation (CaPE). Liu, Kaku, Zhu et al. 2022."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Annotated, Any, ClassVar, Literal

import numpy as np
from annotated_types import Ge, Gt, Le

from glasshouse.families.conformal.knowing.interface import Data, Rate, Step
from glasshouse.families.conformal.knowing.networks import Network
from glasshouse.numerics.seeds import Seeds
from glasshouse.schema.events.base import Progress
from glasshouse.schema.events.conformal_knowing import Phase
from glasshouse.schema.guarantee import Guarantee
from glasshouse.schema.knob import Knob
from glasshouse.schema.paper import Paper
from glasshouse.schema.view import Preset, View

WINDOW = 500        # neighbours on each side, in sorted order, that a kernel mean looks at
BLOCK = 250         # rows of kernel weights at once
WIDTH = 128


@dataclass(frozen=True)
class DeepProbability:
    """Learns from outcomes until a validation set says stop; then from what actually happened to inputs that it rates alike.

    A network that goes on learning yes and no learns them by heart: its probabilities run to 0 and 1. CaPE begins at the early-stopped
    model. At every (c + 1)-th epoch the training inputs are sorted by predicted probability, and each outcome is replaced by a soft
    target: "bin", the mean outcome of its bin out of ``groups`` equally full ones, or "kde", a mean of its 500 neighbours on each side in
    that order, weighted by a Gaussian of width ``kernel`` in predicted probability. One epoch learns these; the c epochs between learn
    outcomes as before. The epoch of least validation log loss is kept. "outcomes" never replaces anything: the control.

    The bins (10), kernel width (.1) and window (500) are the defaults of the authors' class; their runs on faces take 5 bins, or .05 and 100.
    Ours: ``between`` is 1, theirs 5 by default and 2 or 3 in those runs, for our trainings are short; the first phase always runs ``memorise``
    epochs, so that one can see what early stopping spares; the second is slower by ``slower`` and starts its optimiser afresh; the network
    has two layers of 128 and learns by Adam in batches of 64, where theirs is a ResNet-18 and learns by SGD with momentum .9, decay 5e-4
    and a rate that is halved on plateaus, in batches of 256.
    """

    paper: ClassVar[Paper] = Paper("Deep Probability Estimation", "Liu, Kaku, Zhu, Leibovich, Mohan et al.", 2022, arxiv="2111.10734",
                                   where="section on calibrated probability estimation (CaPE): both target rules")
    guarantee: ClassVar[Guarantee] = Guarantee(
        "heuristic", "Training is nudged towards probabilities that come true; nothing certifies that they do.",
        assumptions=("the validation inputs are drawn like the test inputs",),
        scope="judged here against the true probabilities, which only a simulation knows")
    views: ClassVar[tuple[View, ...]] = (
        View("line", "What it was told to predict", x="position", y="told", series=("prediction", "target"),
             x_label="% of training inputs, sorted", y_label="probability"),)
    presets: ClassVar[tuple[Preset, ...]] = (
        Preset("By heart", "What happens to a probability when yes and no are learned by heart?", {"targets": "outcomes", "memorise": 40}),
        Preset("Only soft targets", "Can training go on and on, if outcomes are never told again?", {"between": 0, "epochs": 40}),
        Preset("Coins for digits", "Can a picture tell how likely its coin is?", {"scenario": "discrete", "targets": "kde"}, problem="digits"))
    binary: ClassVar[bool] = True

    targets: Annotated[Literal["bin", "kde", "outcomes"], Knob(
        cost="job", group="how it learns", help="what is learned after early stopping: means of bins, kernel means, or plain outcomes")] = "kde"
    groups: Annotated[int, Ge(2), Le(50), Knob(
        cost="job", group="how it learns", label="bins of targets", help="for targets by bin")] = 10
    between: Annotated[int, Ge(0), Le(20), Knob(
        cost="job", unit="epochs", group="how it learns", label="plain epochs between", help="c, epochs on outcomes between two on soft targets")] = 1
    memorise: Annotated[int, Ge(1), Le(200), Knob(
        cost="job", unit="epochs", group="how it learns", label="first, on outcomes")] = 24
    epochs: Annotated[int, Ge(1), Le(200), Knob(
        cost="job", unit="epochs", group="how it learns", label="then, from the best of those")] = 24
    kernel: Annotated[float, Gt(0), Le(1), Knob(
        cost="job", group="how it learns", more=True, label="kernel width", help="standard deviation, for targets by kde")] = 0.1
    rate: Rate = 1e-3
    slower: Annotated[float, Ge(1), Le(100), Knob(
        cost="job", group="how it learns", more=True, help="the learning rate is divided by this in the second phase")] = 3.0

    def learn(self, data: Data, seeds: Seeds) -> Iterator[Step | Progress]:
        """Untrained, the first phase, the second from its best epoch, and the kept model."""
        total = self.memorise + self.epochs
        yield Progress(done=0, total=total, message="building the network")
        training = _Training(data, self.rate, seeds)
        yield training.step("untrained", training.outcome)
        for epoch in range(self.memorise):
            training.epoch(training.outcome, epoch)
            yield training.step("learning", training.outcome)
        training.begin_again(self.rate / self.slower)
        for epoch in range(self.epochs):
            soft = self.targets != "outcomes" and epoch % (self.between + 1) == 0
            target = self.soft(training.predicted(), training.outcome) if soft else training.outcome
            training.epoch(target, self.memorise + epoch)
            yield training.step("soft targets" if soft else "outcomes", target)
            yield Progress(done=self.memorise + epoch + 1, total=total, message="learning")
        yield training.kept()

    def soft(self, predicted: np.ndarray, outcome: np.ndarray) -> np.ndarray:
        """Each input's target: the mean outcome of inputs rated alike. All float64 [n]."""
        order = np.argsort(predicted, kind="stable")
        n = len(order)
        target = np.empty(n)
        if self.targets == "bin":
            cuts = [i * n // self.groups for i in range(self.groups + 1)]
            for left, right in itertools.pairwise(cuts):
                rows = order[left:right]
                target[rows] = outcome[rows].mean() if len(rows) else 0.0
            return target
        p, y = predicted[order], outcome[order]
        for start in range(0, n, BLOCK):
            i = np.arange(start, min(start + BLOCK, n))[:, None]
            near = np.arange(max(0, start - WINDOW), min(n, start + BLOCK + WINDOW))
            weight = np.exp(-((p[near] - p[i]) ** 2) / (2 * self.kernel**2)) * ((near >= i - WINDOW) & (near < i + WINDOW))
            target[order[i[:, 0]]] = weight @ y[near] / weight.sum(axis=1)
        return target


class _Training:
    """A network, what it learns from, and the best of it so far by validation."""

    def __init__(self, data: Data, rate: float, seeds: Seeds) -> None:
        import torch

        self._torch, self._seeds, self._data = torch, seeds, data
        self.outcome = (data.labels[data.train, 0] == 0).astype(np.float64)
        self._valid = (data.labels[data.valid, 0] == 0).astype(np.float64)
        self._x, self._xv, self._xt = (torch.from_numpy(data.x[rows]) for rows in (data.train, data.valid, data.test))
        self._net = Network(data.x.shape[1], 1, WIDTH, rate, seeds)
        self._best: tuple[float, Any, Step] | None = None
        self._told = self.outcome

    def epoch(self, target: np.ndarray, number: int) -> None:
        """One pass on targets float64 [n]."""
        bce = self._torch.nn.functional.binary_cross_entropy_with_logits
        order = self._seeds.numpy("order", number).permutation(len(target))
        self._net.train_once(self._x, self._torch.from_numpy(target.astype(np.float32))[:, None], bce, order)

    def predicted(self) -> np.ndarray:
        return _sigmoid(self._net.outputs(self._x)[:, 0])

    def step(self, phase: Phase, target: np.ndarray) -> Step:
        """What the model says now, remembered where its validation loss is the least so far."""
        z = self._net.outputs(self._xv)[:, 0]
        loss = float(np.mean(np.logaddexp(0.0, z) - self._valid * z))
        yes = _sigmoid(self._net.outputs(self._xt)[:, 0])
        step = Step(phase, loss, np.stack((yes, 1 - yes), axis=1), extra=_told(self.predicted(), target))
        if self._best is None or loss < self._best[0]:
            self._best = (loss, self._net.copy(), step)
        return step

    def begin_again(self, rate: float) -> None:
        """Back to the best epoch, whose claim to be kept ends here: the second phase has its own best."""
        assert self._best is not None
        self._net.put(self._best[1])
        self._net.restart(rate)
        self._best = None

    def kept(self) -> Step:
        assert self._best is not None
        return replace(self._best[2], phase="kept")


def _told(predicted: np.ndarray, target: np.ndarray, most: int = 100) -> dict[str, Any]:
    """Predictions in sorted order with their targets, as means of up to 100 stretches."""
    order = np.argsort(predicted, kind="stable")
    parts = np.array_split(order, min(most, len(order)))
    rows = np.array([[predicted[part].mean() for part in parts], [target[part].mean() for part in parts]])
    return {"position": (np.arange(len(parts)) + 0.5) * 100 / len(parts), "told": rows}


def _sigmoid(z: np.ndarray) -> np.ndarray:
    from scipy.special import expit

    found: np.ndarray = expit(z)
    return found
