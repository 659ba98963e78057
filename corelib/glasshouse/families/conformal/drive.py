"""The family's loop, which has one step: calibrate and rank. Everything after it is a look."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from glasshouse.families.conformal.calibration import deterministic, fit, promise
from glasshouse.families.conformal.cells import Cells
from glasshouse.families.conformal.coverage import coverage_band
from glasshouse.families.conformal.fullness import crowded, too_few
from glasshouse.families.conformal.interface import Look, Method
from glasshouse.families.conformal.ranks import Ranks, kth, threshold_ranks
from glasshouse.numerics.seeds import Seeds
from glasshouse.schema.errors import bad_value
from glasshouse.schema.events.base import Event, Progress
from glasshouse.schema.events.conformal import Calibrated, Sets
from glasshouse.schema.guarantee import Guarantee


def drive(method: Method, problem: Any, seeds: Seeds, prepared: Any = None) -> Iterator[Event | Progress]:
    """Calibrates ``method`` on the problem's pool and ranks every label of every test point. One event."""
    pool = problem.open()
    u = seeds.numpy("u").random(len(pool.labels))
    at, test = pool.calibration, pool.test
    fitted = fit(method, pool.probs[at], pool.labels[at], u[at], pool.group[at], len(pool.groups), seeds)
    cells = replace(fitted.cells, names=pool.groups) if fitted.cells.kind == "group" else fitted.cells
    scores = method.score(pool.probs[test], u[test])
    ranked = cells.rank(scores, pool.group[test])
    yield Calibrated(
        n=fitted.n, m=len(scores), classes=fitted.classes, scores=fitted.scores, test_scores=scores,
        ranks=ranked.ranks.astype(np.int64), labels=pool.labels[test], images=pool.images[test] if len(pool.images) else pool.images,
        cells=cells.kind, rare=cells.rare, cell_n=cells.n, cell=_cell(ranked, scores.shape), cell_names=cells.names,
        group=pool.group[test], group_names=pool.groups, cell_scores=cells.scores, deterministic=deterministic(method),
        extra=dict(method.extra(cells)))


def _cell(ranked: Ranks, shape: tuple[int, ...]) -> np.ndarray:
    return np.broadcast_to(np.zeros((1, 1), np.int64) if ranked.cell is None else ranked.cell, shape)


def look(events: Sequence[Event], look: Look) -> Sets:
    """The sets at one alpha, from the ranks.

    Raises: BadValue for an image beyond the test points.
    """
    calibrated = _calibrated(events)
    if look.image >= calibrated.m:
        raise bad_value("image", look.image, f"a whole number from 0 to {calibrated.m - 1}")
    k = threshold_ranks(calibrated.cell_n, look.alpha)
    limit = k[calibrated.cell]
    sets = calibrated.ranks < limit
    sizes = np.count_nonzero(sets, axis=1).astype(np.int64)
    held = sets[np.arange(calibrated.m), calibrated.labels]
    where = calibrated.cell[np.arange(calibrated.m), calibrated.labels]
    count = np.bincount(where, minlength=len(k))
    lawless = len(k) - 1 if calibrated.rare else -1
    band = np.array([coverage_band(int(n), int(m), int(i)) if m and j != lawless else (math.nan, math.nan)
                     for j, (n, m, i) in enumerate(zip(calibrated.cell_n, count, k, strict=True))])
    with np.errstate(invalid="ignore"):
        by_cell = np.bincount(where, held, len(k)) / count
    low, high = band[0] if calibrated.cells == "all" else (math.nan, math.nan)
    row = look.image
    p = (1.0 + calibrated.cell_n[calibrated.cell[row]] - calibrated.ranks[row]) / (1.0 + calibrated.cell_n[calibrated.cell[row]])
    full = too_few(calibrated.cell_n, k, look.alpha, calibrated.cells) or crowded(
        sizes, calibrated.classes, look.alpha, calibrated.cell_scores, calibrated.deterministic)
    thresholds = np.array([kth(s, i) for s, i in zip(calibrated.cell_scores, k, strict=True)])
    return Sets(
        alpha=look.alpha, k=int(k[0]), threshold=float(thresholds[0]), thresholds=thresholds, coverage=float(held.mean()),
        band_low=float(low), band_high=float(high), cell_coverage=by_cell, cell_band=band, mean_size=float(sizes.mean()),
        full_because=full.why, full_advice=full.advice, sets=sets, sizes=sizes, calibrated=calibrated, image=look.image, p_values=p)


def summary(events: Sequence[Event]) -> dict[str, int | float | str]:
    """Sizes of the split and, where sets were looked at, the last sets' numbers."""
    calibrated = _calibrated(events)
    numbers: dict[str, int | float | str] = {"n": calibrated.n, "m": calibrated.m, "classes": calibrated.classes}
    seen = [event for event in events if isinstance(event, Sets)]
    if seen:
        last = seen[-1]
        numbers |= {name: value for name, value in last.row().items() if name != "image" and value != ""}
        numbers |= {"empty": float((last.sizes == 0).mean()), "singletons": float((last.sizes == 1).mean())}
    return numbers


def guarantee(method: Method, problem: Any, events: Sequence[Event]) -> Guarantee:
    """The promise of the method, which holds for every pool here: its points are shuffled, so they are exchangeable."""
    found = [event for event in events if isinstance(event, Calibrated)]
    return promise(method.guarantee, Cells(found[-1].cell_scores, found[-1].cells, rare=found[-1].rare)) if found else method.guarantee


def _calibrated(events: Sequence[Event]) -> Calibrated:
    return next(event for event in reversed(events) if isinstance(event, Calibrated))
