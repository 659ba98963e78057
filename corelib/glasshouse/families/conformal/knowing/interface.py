"""What learns probabilities here, the data it may see, and what can be looked at afterwards.

x are inputs, K the answers, mu a model's probabilities, p the true ones, n the inputs, m those of the test part.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Annotated, Any, ClassVar, Protocol, runtime_checkable

import numpy as np
from annotated_types import Ge, Gt, Le, Lt

from glasshouse.numerics.seeds import Seeds
from glasshouse.schema.events.base import Progress
from glasshouse.schema.events.conformal_knowing import Phase
from glasshouse.schema.guarantee import Guarantee
from glasshouse.schema.knob import Knob
from glasshouse.schema.paper import Paper
from glasshouse.schema.view import Preset, View

Rate = Annotated[float, Ge(1e-5), Le(0.1), Knob(
    cost="job", group="how it learns", label="learning rate", log=True, more=True, help="step size of Adam")]


@dataclass(frozen=True, eq=False)
class Data:
    """Inputs with two independent answers each.

    ``x`` float32 [n, d] is what a model may see; ``labels`` int64 [n, 2]; ``kind`` int64 [n] numbers inputs that look the same, -1 where
    none repeat. ``train``, ``valid``, ``test`` int64 are disjoint indices. Of a simulation alone, never for learning: ``truth`` float64
    [n, K], and ``best``, ``spread`` float64 [n, K], mean and variance of the truth given x (NaN where unknown).
    """

    x: np.ndarray
    labels: np.ndarray
    kind: np.ndarray
    answers: tuple[str, ...]
    train: np.ndarray
    valid: np.ndarray
    test: np.ndarray
    truth: np.ndarray
    best: np.ndarray
    spread: np.ndarray

    def one_against_the_rest(self) -> Data:
        """The first answer and everything else: two answers."""
        if len(self.answers) == 2:
            return self
        first = [np.stack((a[:, 0], 1.0 - a[:, 0]), axis=1) for a in (self.truth, self.best)]
        return replace(self, labels=np.minimum(self.labels, 1), answers=(self.answers[0], f"not {self.answers[0]}"), truth=first[0],
                       best=first[1], spread=self.spread[:, [0, 0]])


@dataclass(frozen=True, eq=False)
class Step:
    """A state of a model: ``mu`` float64 [m, K] on the test inputs, ``cheat`` float64 [m, K, K] or empty, ``extra`` for the method's views."""

    phase: Phase
    valid_loss: float
    mu: np.ndarray
    cheat: np.ndarray = field(default_factory=lambda: np.empty((0, 0, 0)))
    extra: Mapping[str, Any] = field(default_factory=dict)


@runtime_checkable
class Method(Protocol):
    """A published way to learn probabilities. A frozen dataclass whose fields are its knobs.

    ``learn`` yields a step at least every 100 ms, from the untrained model to the one it keeps, last; it never reads ``data.truth``,
    ``best`` or ``spread``. ``binary``: whether it predicts the first answer against the rest.
    """

    paper: ClassVar[Paper]
    guarantee: ClassVar[Guarantee]
    views: ClassVar[tuple[View, ...]]
    presets: ClassVar[tuple[Preset, ...]]
    binary: ClassVar[bool]

    def learn(self, data: Data, seeds: Seeds) -> Iterator[Step | Progress]: ...


@dataclass(frozen=True)
class Look:
    """What a person can look at in a training that is there."""

    epoch: Annotated[int, Ge(-1), Le(9999), Knob(cost="look", group="where you look", help="-1: the newest")] = -1
    bins: Annotated[int, Ge(2), Le(30), Knob(cost="look", group="where you look", help="groups of equally many test inputs")] = 10
    beta: Annotated[float, Gt(0), Lt(1), Knob(
        cost="look", group="where you look", step=0.01,
        help="the share of intervals that may miss the true probability; pairs only")] = 0.1
    answer: Annotated[int, Ge(0), Le(3), Knob(cost="look", group="where you look", help="whose probability is shown: 0 is the first")] = 0
    point: Annotated[int, Ge(0), Le(9999), Knob(cost="look", group="where you look", label="test input")] = 0
