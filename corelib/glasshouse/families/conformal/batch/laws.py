"""What every method for batches must satisfy, whatever it claims."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from fractions import Fraction
from math import comb
from typing import Any

import numpy as np

from glasshouse.families.conformal.batch.drive import drive, look
from glasshouse.families.conformal.batch.interface import Look
from glasshouse.families.conformal.batch.problems import Tiny
from glasshouse.families.conformal.ranks import threshold_rank
from glasshouse.numerics.seeds import Seeds
from glasshouse.schema.events.base import Event

SIZES = ((1, 1), (3, 5), (9, 2), (12, 4))
ALPHAS = (0.05, 0.1, 0.25, 0.5)


def every_case_is_counted_once(method: type[Any]) -> bool:
    """A law's cases are the C(n + m, m) sequences of ranks."""
    return all(law.total == comb(n + m, m) for n, m in SIZES for law in method().laws(n, m))


def the_rank_is_the_least_that_keeps_the_promise(method: type[Any]) -> bool:
    """In whole numbers: it is kept with probability at least 1 - alpha, and the rank below it is not."""
    for (n, m), alpha in itertools.product(SIZES, ALPHAS):
        level = 1 - Fraction(repr(alpha))
        for law in method().laws(n, m):
            q = law.quantile(level)
            if not law.reached(q - 1) < level <= law.reached(q):
                return False
    return True


def a_batch_of_one_is_split_conformal(method: type[Any]) -> bool:
    return all(method().laws(n, 1)[0].quantile(1 - Fraction(repr(a))) == threshold_rank(n, a) for n in range(1, 60) for a in ALPHAS)


def bounds_grow_with_the_rank(method: type[Any]) -> bool:
    scores = np.sort(Seeds(0).numpy("bounds").random(9))
    return all(bool((np.diff(method().bounds(scores, 1.0, m)) >= 0).all()) for m in (1, 2, 5))


def claims_grow_weaker_as_alpha_falls(method: type[Any]) -> bool:
    events = [event for event in drive(method(), Tiny(), Seeds(0)) if isinstance(event, Event)]
    bounds = [look(events, Look(alpha=a / 20)).bound for a in range(1, 20)]
    return bounds == sorted(bounds, reverse=True)


LAWS: tuple[Callable[[type[Any]], bool], ...] = (
    every_case_is_counted_once, the_rank_is_the_least_that_keeps_the_promise, a_batch_of_one_is_split_conformal,
    bounds_grow_with_the_rank, claims_grow_weaker_as_alpha_falls)
