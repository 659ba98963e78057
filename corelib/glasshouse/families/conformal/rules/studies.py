"""What attacks really do: never more than the certificates allow, and often far less."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import numpy as np
from scipy.special import ndtr

from glasshouse.families.conformal.rules.interface import RADII, Method
from glasshouse.numerics.seeds import Seeds
from glasshouse.schema.events.base import Event, Progress
from glasshouse.schema.events.conformal_rules import Attacked


def attack(method: Method, problem: Any, seeds: Seeds) -> Iterator[Event | Progress]:
    """Moves every test image by each radius along each of the problem's attacks, and lets the detectors vote anew. An event a radius."""
    evidence = problem.open()
    test, k = evidence.test, evidence.implies.shape[1]
    u, labels = seeds.numpy("u").random(len(evidence.labels))[test], evidence.labels[test]
    scores = np.empty((2, len(RADII), len(evidence.pushes), len(test)))
    for d, radius in enumerate(RADII.tolist()):
        for a, push in enumerate(evidence.pushes):
            share = ndtr(evidence.margins[test] + radius * push[test])
            votes = seeds.numpy("attacked votes", d, a).binomial(evidence.draws, share) / evidence.draws
            for side, probs in enumerate((votes, method.corrected(votes, evidence.implies))):
                scores[side, d, a] = method.score(probs[:, :k], u)[np.arange(len(test)), labels]
        yield Attacked(done=d + 1, total=len(RADII), radii=RADII[: d + 1], scores=scores[:, : d + 1].copy())


STUDIES: Mapping[str, Callable[..., Iterator[Event | Progress]]] = {"attack": attack}
