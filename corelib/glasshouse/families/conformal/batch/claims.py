"""A claim about a whole batch of test points, from scores of one's own, in one call."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Any, get_args

import numpy as np

from glasshouse.families.conformal.batch.drive import promised, target_rank
from glasshouse.families.conformal.batch.interface import Statement
from glasshouse.families.conformal.inputs import numbers, whole
from glasshouse.families.conformal.methods.batch.batch_pi import BatchPI, largest_sums, one_rank, rank_sum
from glasshouse.families.conformal.ranks import miscoverage
from glasshouse.schema.errors import BadValue, bad_value
from glasshouse.schema.guarantee import Guarantee

STATEMENTS: tuple[str, ...] = get_args(Statement)
MOST_SUMMED = 40_000        # n times m for the mean: its dynamic programme needs some (n m)^2 / 2 additions


@dataclass(frozen=True)
class BatchClaim:
    """``low`` <= what is claimed <= ``bound``; ``chance`` is how likely that is exactly, at least 1 - alpha.

    ``rank`` is the place of ``bound`` among the sorted calibration scores, from 1, n + 1 standing for ``upper``; for the mean the rank sum.
    ``low`` is -inf but for "interval".
    """

    bound: float
    low: float
    rank: int
    chance: float
    guarantee: Guarantee


def batch_claim(scores: Any, m: int, alpha: float = 0.1, statement: Statement = "most", share: float = 0.9, allowed: int = 0,
                upper: float = math.inf) -> BatchClaim:
    """What can be claimed of a batch of ``m`` test points from ``scores`` [n] of calibration points, large is bad.

    ``statement``: "most", at least ``share`` of the batch scores at most the bound; "quantile", the batch's ``share`` quantile does;
    "interval", that quantile lies between two bounds; "select", claims are made of the points whose confidence is above the bound, and at
    most ``allowed`` of them are false (a score is then the confidence where the claim is false, and 0 where it is true); "mean", the mean
    score is at most the bound. ``upper``: the largest score there can be, which "mean" needs.

    Raises: BadType, BadValue naming the argument.

    >>> claim = batch_claim(range(1, 100), m=5, share=1.0)
    >>> claim.bound, round(claim.chance, 3)
    (98.0, 0.906)
    """
    exact, m = miscoverage(alpha), whole("m", m, 1)
    if statement not in STATEMENTS:
        raise bad_value("statement", statement, f"one of {', '.join(STATEMENTS)}")
    if not isinstance(share, (int, float)) or not 0 < share <= 1:
        raise bad_value("share", share, "a number above 0 and at most 1")
    whole("allowed", allowed, 0, m - 1)
    known = np.sort(numbers("scores", scores, "[n]"))
    n = len(known)
    if n and known[-1] > upper:
        raise bad_value("upper", upper, f"at least the largest score, {known[-1]:g}")
    if statement == "mean":
        _summable(n, m, upper)
    zeta = target_rank(statement, m, share, allowed)
    law = rank_sum(n, m) if statement == "mean" else one_rank(n, m, zeta)
    side = exact / 2 if statement == "interval" else exact
    rank, low_rank = law.quantile(1 - side), law.quantile(side) if statement == "interval" else 0
    ends = np.append(known, upper)
    bound = largest_sums(ends, m)[rank - law.first] / m if statement == "mean" else ends[rank - 1]
    low = float(known[low_rank - 2]) if low_rank > 1 else -math.inf
    promise = replace(BatchPI.guarantee, level=1 - float(exact), statement=promised(statement, n, m))
    return BatchClaim(float(bound), low, rank, float(law.reached(rank) - law.reached(low_rank - 1)), promise)


def _summable(n: int, m: int, upper: float) -> None:
    if not math.isfinite(upper):
        raise bad_value("upper", upper, "the largest score there can be: a bound on a mean needs it")
    if n * m > MOST_SUMMED:
        raise BadValue(f"scores has {n} entries for a batch of m = {m}: a bound on the mean takes n m up to {MOST_SUMMED:,}, so use fewer", "scores")
