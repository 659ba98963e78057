"""The room's loop: every score bounded for one radius of attack after the other. Sets and certificates are looks."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import replace
from fractions import Fraction
from functools import lru_cache
from typing import Any

import numpy as np
from scipy.special import ndtr, ndtri

from glasshouse.families.conformal.coverage import coverage_band
from glasshouse.families.conformal.ranks import kth, miscoverage, threshold_rank
from glasshouse.families.conformal.rules.interface import RADII, Look, Method
from glasshouse.families.conformal.rules.smoothing import counted
from glasshouse.numerics.seeds import Seeds
from glasshouse.schema.errors import bad_value
from glasshouse.schema.events.base import Event, Progress
from glasshouse.schema.events.conformal_rules import Reasoned, RobustSets
from glasshouse.schema.guarantee import Guarantee

CONFIDENCE = 0.05               # probability over calibration points that a certified coverage is too high


def drive(method: Method, problem: Any, seeds: Seeds, prepared: Any = None) -> Iterator[Event | Progress]:
    """Calibrates ``method`` with its rules and without any, and bounds all scores for every radius. One event."""
    evidence = problem.open()
    known, test, k = evidence.calibration, evidence.test, evidence.implies.shape[1]
    u = seeds.numpy("u").random(len(evidence.labels))
    before, after = evidence.votes, method.corrected(evidence.votes, evidence.implies)
    lows, highs = boxes(problem, method.counted)
    rows, n = np.concatenate((known, test)), len(known)
    true = evidence.labels[known]
    worst, best = np.empty((2, len(RADII), n)), np.empty((2, len(RADII), len(test), k))
    ends = np.empty((2, 2, len(RADII), len(test), before.shape[1]), np.float32)        # before and after the rules; low and high
    for d in range(len(RADII)):
        low, high = lows[d, rows], highs[d, rows]
        for side, (least, most) in enumerate(((low, high), method.bounds(low, high, evidence.implies))):
            ends[side, 0, d], ends[side, 1, d] = least[n:], most[n:]
            small, large = method.extremes(least[:, :k], most[:, :k], u[rows])
            best[side, d], worst[side, d] = small[n:], large[np.arange(n), true]
        yield Progress(done=d + 1, total=len(RADII), message="attacks are bounded")
    cells = [method.cells(probs[known, :k], true, u[known]) for probs in (before, after)]
    yield Reasoned(
        n=n, m=len(test), classes=k, weight=method.weight, blend=method.blend, calibration=method.calibration, counted=method.counted,
        reading=evidence.reading, radii=RADII, implies=evidence.implies, properties=evidence.properties, known=(cells[0][0], cells[1][0]),
        cell=cells[0][1], labels_known=true, worst=worst, labels=evidence.labels[test], best=best,
        scores=np.stack([method.score(probs[test, :k], u[test]) for probs in (before, after)]),
        images=evidence.images[test] if len(evidence.images) else evidence.images, before=before[test], after=after[test],
        before_box=ends[0], after_box=ends[1], extra=dict(method.extra(before[:, :k], after[:, :k], evidence.labels)))


@lru_cache(maxsize=4)
def boxes(problem: Any, with_error: bool) -> tuple[np.ndarray, np.ndarray]:
    """Where a count may be on the other side of an attack: a clean one given an attacked one, or the reverse. Two of [D, N, M].

    With the votes' error: the true share from the count, moved by the attack, and a new count from it; all of a point's ends hold with
    probability 1 - `Evidence.reading`. Without: the count moved as if it were the true share. Kept for the last few problems.
    """
    evidence = problem.open()
    low, high = (ndtri(end) for end in ((evidence.low, evidence.high) if with_error else (evidence.votes, evidence.votes)))
    shifts = RADII[:, None, None] / evidence.sigma
    lows, highs = ndtr(low - shifts), ndtr(high + shifts)
    if not with_error:
        lows[0], highs[0] = evidence.votes, evidence.votes
        return lows, highs
    return counted(lows, highs, evidence.draws, evidence.reading / (4 * low.shape[1]))


def look(events: Sequence[Event], look: Look) -> RobustSets:
    """Sets, robust sets and certificates at one alpha and radius.

    Raises: BadValue for an image beyond the test points.
    """
    reasoned = _reasoned(events)
    if look.image >= reasoned.m:
        raise bad_value("image", look.image, f"a whole number from 0 to {reasoned.m - 1}")
    alpha = miscoverage(look.alpha)
    left = alpha - Fraction(repr(reasoned.reading)) if reasoned.counted else alpha
    thresholds, robust_thresholds = (np.array([[_threshold(s, a) for s in side] for side in reasoned.known]) for a in (alpha, left))
    at = int(np.searchsorted(reasoned.radii, look.radius - 1e-9))
    limit, robust_limit = (t[:, None, reasoned.cell] for t in (thresholds, robust_thresholds))
    sets, robust = reasoned.scores <= limit, reasoned.best[:, at] <= robust_limit
    robust_sizes = np.count_nonzero(reasoned.best <= robust_limit[:, None], axis=(2, 3)) / reasoned.m
    rows = np.arange(reasoned.m)
    covered, robust_covered = (s[:, rows, reasoned.labels].mean(axis=1) for s in (sets, robust))
    fraction, certified = certificates(reasoned, thresholds)
    n = len(reasoned.known[1][0])
    band = coverage_band(n, reasoned.m, threshold_rank(n, look.alpha)) if reasoned.calibration == "one threshold" else (math.nan, math.nan)
    sizes = np.count_nonzero(sets, axis=(1, 2)) / reasoned.m
    return RobustSets(
        alpha=look.alpha, radius=float(reasoned.radii[at]), at=at, image=look.image, coverage=float(covered[1]), mean_size=float(sizes[1]),
        robust_size=float(robust_sizes[1, at]), certified_coverage=float(certified[1, at]), band_low=band[0], band_high=band[1],
        thresholds=thresholds, robust_thresholds=robust_thresholds, sets=sets, robust=robust, sizes=sizes, robust_sizes=robust_sizes,
        covered=covered, robust_covered=robust_covered, fraction=fraction, certified=certified, reasoned=reasoned, extra=reasoned.extra)


def certificates(reasoned: Reasoned, thresholds: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(share of calibration points covered in their worst case, certified coverage), float64 [2, D] each.

    The share is lowered by sqrt(ln(1 / xi) / (2 n)) (one-sided Dvoretzky-Kiefer-Wolfowitz: it holds at every threshold at once, so also at one
    from the same points) and by the probability that intervals fail. With a threshold a class each class pays for its own points,
    with xi / K, and classes are mixed as in calibration.
    """
    held = reasoned.worst <= thresholds[:, None, reasoned.cell[reasoned.labels_known]]
    groups = [np.ones(reasoned.n, bool)] if reasoned.calibration == "one threshold" else [
        reasoned.labels_known == k for k in range(reasoned.classes) if (reasoned.labels_known == k).any()]
    certified = np.zeros(held.shape[:2])
    for group in groups:
        slack = math.sqrt(math.log(len(groups) / CONFIDENCE) / (2 * group.sum()))
        certified += group.mean() * np.maximum(held[..., group].mean(axis=-1) - slack, 0.0)
    return held.mean(axis=-1), np.maximum(certified - (reasoned.reading if reasoned.counted else 0.0), 0.0)


def _threshold(scores: np.ndarray, alpha: Fraction) -> float:
    """S_(k) of ascending ``scores``, infinite where there are too few or nothing of alpha is left."""
    k = threshold_rank(len(scores), alpha) if alpha > 0 else len(scores) + 1
    return kth(scores, k)


def summary(events: Sequence[Event]) -> dict[str, int | float | str]:
    """Sizes and, where sets were looked at, the last ones' numbers."""
    reasoned = _reasoned(events)
    numbers: dict[str, int | float | str] = {"n": reasoned.n, "m": reasoned.m, "classes": reasoned.classes}
    seen = [event for event in events if isinstance(event, RobustSets)]
    if seen:
        last = seen[-1]
        numbers |= {name: value for name, value in last.row().items() if name not in ("image", "at")}
        numbers |= {"mean_size_without_rules": float(last.sizes[0]), "robust_size_without_rules": float(last.robust_sizes[0, last.at])}
    return numbers


def guarantee(method: Method, problem: Any, events: Sequence[Event]) -> Guarantee:
    """What holds with these knobs: less where the votes' error is left out or classes are asked one by one."""
    found = [event for event in events if isinstance(event, Reasoned)]
    best = method.guarantee
    if not found:
        return best
    if method.calibration == "as published" and not method.counted:
        return best.downgraded("heuristic", f"Without attack a set holds the true label with at least 1 - {found[-1].classes} alpha; under attack "
                                            "the certificate takes counted shares of votes for true ones, which nothing guarantees.")
    if method.calibration == "as published":
        return replace(best, statement=(
            f"Each of the {found[-1].classes} questions about a class is answered right with probability at least 1 - alpha; a robust set holds "
            f"the true label with at least 1 - {found[-1].classes} alpha only."), kind="adversarial")
    if not method.counted:
        return best.downgraded("heuristic", "Sets hold the true label with 1 - alpha without attack; under attack the certificate takes counted "
                                            "shares of votes for true ones, which nothing guarantees.")
    return best


def _reasoned(events: Sequence[Event]) -> Reasoned:
    return next(event for event in reversed(events) if isinstance(event, Reasoned))
