"""The room's loop, which has one step: laws and bounds for every level. A claim is a look."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import replace
from fractions import Fraction
from typing import Any

import numpy as np

from glasshouse.families.conformal.batch.interface import Look, Method
from glasshouse.families.conformal.ranks import kth, miscoverage, threshold_rank
from glasshouse.numerics.seeds import Seeds
from glasshouse.schema.errors import bad_value
from glasshouse.schema.events.base import Event, Progress
from glasshouse.schema.events.conformal_batch import Batched, Claim
from glasshouse.schema.guarantee import Guarantee


def drive(method: Method, problem: Any, seeds: Seeds, prepared: Any = None) -> Iterator[Event | Progress]:
    """Calibrates ``method`` for batches of the problem's size. Draws nothing. One event."""
    pool = problem.open()
    all_scores = method.score(pool)
    known = all_scores[pool.calibration]
    n, m = len(known), pool.batches.shape[1]
    laws = method.laws(n, m)
    yield Progress(done=1, total=2, message="the laws of the ranks are counted")
    scores, batch_scores = np.sort(known), all_scores[pool.batches]
    cut = known[: n // m * m].reshape(-1, m)
    order = np.concatenate((pool.calibration, pool.batches.ravel()))
    yield Batched(
        statement=method.statement, n=n, m=m, batches=len(batch_scores), upper=pool.upper, scores=scores, laws=laws,
        bounds=method.bounds(scores, pool.upper, m), statistics=method.statistics(np.sort(batch_scores, axis=1)),
        groups=np.sort(method.statistics(np.sort(cut, axis=1)), axis=0), batch_scores=batch_scores,
        ranks=1 + np.searchsorted(scores, batch_scores, side="left").astype(np.int64), confidence=pool.confidence[pool.batches],
        wrong=pool.wrong[pool.batches], spread=pool.spread[:, order] if pool.spread.size else pool.spread, extra=dict(method.extra(n, m)))


def target_rank(statement: str, m: int, share: float, allowed: int) -> int:
    """zeta: which score of the sorted batch a claim is about, from 1; 0 for the mean.

    A share gamma' of the batch is its ceil(gamma' m)-th smallest score, with the share read as the decimal that was written; at most eta
    false claims is the (m - eta)-th.
    """
    if statement == "mean":
        return 0
    return max(1, m - allowed) if statement == "select" else math.ceil(Fraction(repr(float(share))) * m)


def look(events: Sequence[Event], look: Look) -> Claim:
    """The claim at one level about one batch.

    Raises: BadValue for a batch beyond the last.
    """
    batched = _batched(events)
    if look.batch >= batched.batches:
        raise bad_value("batch", look.batch, f"a whole number from 0 to {batched.batches - 1}")
    zeta = target_rank(batched.statement, batched.m, look.share, look.allowed)
    at = max(zeta - 1, 0)
    law, alpha = batched.laws[at], miscoverage(look.alpha)
    side = alpha / 2 if batched.statement == "interval" else alpha
    rank = law.quantile(1 - side)
    low_rank = law.quantile(side) if batched.statement == "interval" else 0
    bound = float(batched.bounds[rank - law.first])
    low = float(batched.scores[low_rank - 2]) if low_rank > 1 else 0.0
    found = batched.statistics[:, at]
    held = (found <= bound) & (found >= low)
    chosen = batched.confidence[look.batch] > bound if batched.statement == "select" else np.zeros(batched.m, bool)
    return Claim(
        alpha=look.alpha, zeta=zeta, rank=rank, low_rank=low_rank, bound=bound, low=low, informative=bound < batched.upper,
        chance=float(law.reached(rank) - law.reached(low_rank - 1)), batch=look.batch, statistic=float(found[look.batch]),
        held=bool(held[look.batch]), held_share=float(held.mean()), selected=int(chosen.sum()),
        false_claims=int((chosen & batched.wrong[look.batch]).sum()), partition=_partitioned(batched.groups[:, at], side),
        bonferroni=_bonferroni(batched, zeta, side), law=law, batched=batched, extra=batched.extra)


def _partitioned(groups: np.ndarray, alpha: Fraction) -> float:
    """The baseline that cuts the calibration points into batches: split conformal with what is claimed of a batch as the score."""
    return kth(groups, threshold_rank(len(groups), alpha))


def _bonferroni(batched: Batched, zeta: int, alpha: Fraction) -> float:
    """The baseline that promises each point something of its own: the (eta + 1) alpha / m threshold is passed by more than eta points
    with probability at most alpha (Lehmann, Romano 2005); eta = 0 is Bonferroni. A mean is at most the largest score.
    """
    passing = batched.m - zeta if zeta else 0
    return kth(batched.scores, threshold_rank(batched.n, alpha * (passing + 1) / batched.m))


def summary(events: Sequence[Event]) -> dict[str, int | float | str]:
    """Sizes and, where a claim was looked at, the last one's numbers."""
    batched = _batched(events)
    numbers: dict[str, int | float | str] = {"n": batched.n, "m": batched.m, "batches": batched.batches}
    seen = [event for event in events if isinstance(event, Claim)]
    return numbers | ({name: value for name, value in seen[-1].row().items() if name != "batch"} if seen else {})


def guarantee(method: Method, problem: Any, events: Sequence[Event]) -> Guarantee:
    """What the method promises with these sizes; it holds for every problem here, whose points are shuffled."""
    found = [event for event in events if isinstance(event, Batched)]
    return replace(method.guarantee, statement=promised(found[-1].statement, found[-1].n, found[-1].m)) if found else method.guarantee


def promised(statement: str, n: int, m: int) -> str:
    """The claim in one sentence."""
    said = {"most": f"at least the chosen share of a batch of {m} has an error of at most the bound",
            "quantile": f"the chosen quantile of the errors of a batch of {m} is at most the bound",
            "interval": f"the chosen quantile of the errors of a batch of {m} lies between the two bounds",
            "select": f"among what is claimed of a batch of {m}, no more is false than allowed",
            "mean": f"the mean error of a batch of {m} is at most the bound"}[statement]
    return f"With {n} calibration points, {said}, with probability at least 1 - alpha."


def _batched(events: Sequence[Event]) -> Batched:
    return next(event for event in reversed(events) if isinstance(event, Batched))
