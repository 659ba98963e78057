"""What every method that reasons must satisfy, whatever its rules."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any

import numpy as np

from glasshouse.families.conformal.rules.drive import drive, look
from glasshouse.families.conformal.rules.interface import RADII, Look
from glasshouse.families.conformal.rules.problems import Tiny
from glasshouse.numerics.seeds import Seeds
from glasshouse.schema.events.base import Event

HAS = np.array([[True, False, True, False], [False, False, True, True]])


def _drawn(points: int, purpose: str) -> np.ndarray:
    return Seeds(0).numpy(purpose).random((points, HAS.shape[0] + HAS.shape[1]))


def corrected_probabilities_are_probabilities(method: type[Any]) -> bool:
    """Also at 0 and 1."""
    probs = np.concatenate((_drawn(30, "rules"), np.zeros((1, 6)), np.ones((1, 6))))
    found = method().corrected(probs, HAS)
    return bool(found.shape == probs.shape and not np.isnan(found).any() and (found >= 0).all() and (found <= 1).all())


def bounds_hold_for_every_point_of_the_box(method: type[Any]) -> bool:
    ends = np.sort(np.stack((_drawn(200, "one end"), _drawn(200, "other end"))), axis=0)
    low, high = method().bounds(ends[0], ends[1], HAS)
    inside = [method().corrected(ends[0] + share * (ends[1] - ends[0]), HAS) for share in (0.0, 1.0, _drawn(200, "inside"))]
    return all(bool((low <= p + 1e-12).all() and (p <= high + 1e-12).all()) for p in inside)


def no_width_in_no_width_out(method: type[Any]) -> bool:
    probs = _drawn(50, "point").clip(0.01, 0.99)
    found = method().corrected(probs, HAS)
    return all(bool(np.abs(end - found).max() < 1e-9) for end in method().bounds(probs, probs, HAS))


def extremes_hold_for_every_score_between(method: type[Any]) -> bool:
    ends = np.sort(np.stack((_drawn(100, "low")[:, :4], _drawn(100, "high")[:, :4])), axis=0)
    u = Seeds(0).numpy("shares").random(100)
    least, largest = method().extremes(ends[0], ends[1], u)
    return all(bool((least <= s + 1e-12).all() and (s <= largest + 1e-12).all())
               for s in (method().score(ends[0] + i / 20 * (ends[1] - ends[0]), u) for i in range(21)))


def certificates_weaken_with_the_radius_and_sets_nest(method: type[Any]) -> bool:
    events = [event for event in drive(method(), Tiny(), Seeds(0)) if isinstance(event, Event)]
    seen = look(events, Look())
    robust = [look(events, Look(radius=float(r))).robust for r in RADII]
    by_alpha = [look(events, Look(alpha=a / 20)).sets for a in range(1, 20)]
    return (bool((np.diff(seen.certified, axis=1) <= 0).all() and (np.diff(seen.robust_sizes, axis=1) >= 0).all())
            and bool((seen.sets <= seen.robust).all())
            and all(bool((small <= large).all()) for small, large in (*itertools.pairwise(robust), *itertools.pairwise(by_alpha[::-1]))))


LAWS: tuple[Callable[[type[Any]], bool], ...] = (
    corrected_probabilities_are_probabilities, bounds_hold_for_every_point_of_the_box, no_width_in_no_width_out,
    extremes_hold_for_every_score_between, certificates_weaken_with_the_radius_and_sets_nest)
