"""What every robust method must satisfy, whatever it computes."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any

import numpy as np

from glasshouse.families.conformal.robust.drive import drive, look
from glasshouse.families.conformal.robust.interface import Look
from glasshouse.families.conformal.robust.problems import Tiny
from glasshouse.numerics.seeds import Seeds
from glasshouse.schema.events.base import Event

KNOWN = np.linspace(0.1, 0.9, 30)


def scores_lie_between_0_and_1(method: type[Any]) -> bool:
    """The Lipschitz bound needs it; also at the corners: a certain model, and one that knows nothing."""
    rng = Seeds(0).numpy("robust law")
    probs = np.vstack((np.eye(4), np.full((1, 4), 0.25), rng.dirichlet(np.ones(4), 50)))
    scores = method().score(probs, rng.random(55))
    moved = method().transformed(scores, KNOWN)
    return all(s.shape == probs.shape and s.dtype == np.float64 and bool(((s >= 0) & (s <= 1)).all()) for s in (scores, moved))


def the_transformation_keeps_the_order(method: type[Any]) -> bool:
    scores = np.linspace(0, 1, 301)
    return bool((np.diff(method().transformed(scores, KNOWN)) >= 0).all())


def a_row_depends_on_itself_alone(method: type[Any]) -> bool:
    rng = Seeds(0).numpy("robust rows")
    probs, u = rng.dirichlet(np.ones(5), 30), rng.random(30)
    return bool((method().score(probs, u)[7:9] == method().score(probs[7:9], u[7:9])).all())


def sets_are_nested_in_radius_and_alpha_and_never_promise_more_than_they_keep(method: type[Any]) -> bool:
    """A larger radius or a smaller alpha never loses a label; on the toy, no attack undoes what is certified."""
    events = [e for e in drive(method(), Tiny(), Seeds(5)) if isinstance(e, Event)]
    by_radius = [look(events, Look(radius=r, attack=0.1)).sets for r in (0.0, 0.1, 0.3, 0.6, 1.0, 1.5)]
    by_alpha = [look(events, Look(alpha=a, attack=0.1)).sets for a in (0.4, 0.2, 0.1, 0.05, 0.01)]
    nested = all(bool((small <= large).all()) for every in (by_radius, by_alpha) for small, large in itertools.pairwise(every))
    seen = look(events, Look(radius=0.2, attack=0.2))
    return nested and seen.certified <= seen.coverage + 2 / len(seen.sets)


LAWS: tuple[Callable[[type[Any]], bool], ...] = (
    scores_lie_between_0_and_1, the_transformation_keeps_the_order, a_row_depends_on_itself_alone,
    sets_are_nested_in_radius_and_alpha_and_never_promise_more_than_they_keep)
