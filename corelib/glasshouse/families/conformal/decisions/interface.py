"""What a method of this room is, the points it decides on, and what can be looked at afterwards.

p is a model's probabilities, [N, K]; the confidence of a point is its largest p; coverage is the share of points answered, risk the
share of wrong ones among these.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Annotated, ClassVar, Protocol, runtime_checkable

import numpy as np
from annotated_types import Ge, Gt, Le, Lt

from glasshouse.numerics.seeds import Seeds
from glasshouse.schema.events.base import Event
from glasshouse.schema.events.conformal_decisions import Tested
from glasshouse.schema.guarantee import Guarantee
from glasshouse.schema.knob import Knob
from glasshouse.schema.paper import Paper
from glasshouse.schema.view import Preset, View


@dataclass(frozen=True, eq=False)
class Pool:
    """Labelled points that neither model was trained on, in four parts that do not overlap.

    ``first``, ``second`` float64 [N, K]: probabilities of the cheap model and of the dearer one, ``costs`` what a look at a point by each
    costs; ``labels`` int64 [N]; ``images`` uint8 [N, h, w] or empty. ``train``, ``policy``, ``calibration``, ``test``: int64 indices.
    """

    first: np.ndarray
    second: np.ndarray
    costs: tuple[float, float]
    labels: np.ndarray
    images: np.ndarray
    train: np.ndarray
    policy: np.ndarray
    calibration: np.ndarray
    test: np.ndarray


@runtime_checkable
class Method(Protocol):
    """A published way to decide. A frozen dataclass whose fields are its knobs; running it is an iterator of its states."""

    paper: ClassVar[Paper]
    guarantee: ClassVar[Guarantee]
    views: ClassVar[tuple[View, ...]]
    presets: ClassVar[tuple[Preset, ...]]

    def states(self, pool: Pool, seeds: Seeds) -> Iterator[Event]:
        """PolicyStep events along a learned path, or one Stages or Certificates event."""
        ...

    def promise(self, events: Sequence[Event]) -> Guarantee: ...


def tested(pool: Pool, probs: np.ndarray, at: np.ndarray) -> Tested:
    """The points ``at`` as the model with ``probs`` [N, K] sees them."""
    p, labels = probs[at], pool.labels[at]
    answer = p.argmax(axis=1)
    return Tested(m=len(at), probs=p, labels=labels, images=pool.images[at] if len(pool.images) else pool.images,
                  confidence=p.max(axis=1), answer=answer, right=answer == labels)


@dataclass(frozen=True)
class Look:
    """What a person can look at in a result."""

    step: Annotated[int, Ge(-1), Le(9999), Knob(cost="look", group="where you look",
                                                help="place on the learned path, or in the row of tests; -1 is the end")] = -1
    coverage: Annotated[float, Gt(0), Le(1), Knob(cost="look", group="what you ask for", step=0.01, label="share to answer",
                                                  help="the operating point: how many of the images must get an answer")] = 0.6
    half_width: Annotated[float, Ge(0), Le(1), Knob(cost="look", group="what you ask for", step=0.01, label="window, either side",
                                                    help="share of images on each side of the threshold that are passed on")] = 0.1
    limit: Annotated[float, Gt(0), Lt(1), Knob(cost="look", group="what you ask for", step=0.01, label="wrong answers allowed",
                                               help="share of the answers that may be wrong")] = 0.1
    image: Annotated[int, Ge(0), Le(9999), Knob(cost="look", group="where you look", label="test image")] = 0
