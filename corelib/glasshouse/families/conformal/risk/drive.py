"""The room's loop, which has one step: count every lambda's losses. The choice of lambda is a look."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from glasshouse.families.conformal.ranks import miscoverage
from glasshouse.families.conformal.risk.interface import Look, Method, Pages
from glasshouse.families.conformal.risk.table import GRID, Table, tabled, units
from glasshouse.numerics.seeds import Seeds
from glasshouse.schema.errors import bad_value
from glasshouse.schema.events.base import Event, Progress
from glasshouse.schema.events.conformal_risk import Chosen, Losses
from glasshouse.schema.guarantee import Guarantee


def drive(method: Method, problem: Any, seeds: Seeds, prepared: Any = None) -> Iterator[Event | Progress]:
    """Counts the losses of the problem's pages at every lambda. One event."""
    pages: Pages = problem.open()
    unit = units(pages.truth)
    table = tabled(pages.entry[pages.calibration], pages.truth[pages.calibration], pages.loss, unit)
    everything = tabled(pages.entry, pages.truth, pages.loss, unit)
    pictures, used = _pictures(pages)
    yield Losses(
        n=table.n, m=len(pages.test), classes=pages.probs.shape[1], unit=table.unit, binary=table.binary, loss=pages.loss, grid=GRID,
        total=table.total, true_risk=everything.risk, mean_labels=everything.labels / everything.n, probs=pages.probs[pages.test],
        truth=pages.truth[pages.test], entry=pages.entry[pages.test], pictures=pictures, used=used, method=method, table=table,
        extra=dict(method.extra(table)))


def _pictures(pages: Pages) -> tuple[np.ndarray, np.ndarray]:
    """(uint8 [m, places, h, w], how many places of each are used): what stands on the test pages."""
    places = pages.places[pages.test]
    if not len(pages.images):
        return np.empty((0, 0, 0, 0), np.uint8), np.zeros(len(places), np.int64)
    there = places >= 0
    return np.where(there[:, :, None, None], pages.images[places], 0).astype(np.uint8), there.sum(axis=1)


def look(events: Sequence[Event], look: Look) -> Chosen:
    """The label sets at one alpha, from the counts.

    Raises: BadValue for a page beyond the test pages.
    """
    losses = _losses(events)
    if look.page >= losses.m:
        raise bad_value("page", look.page, f"a whole number from 0 to {losses.m - 1}")
    table: Table = losses.table
    choice = losses.method.choose(table, miscoverage(look.alpha))
    index = choice.index if choice.index >= 0 else table.last
    sets = losses.entry <= index
    missed = losses.truth & ~sets
    return Chosen(
        alpha=look.alpha, index=index, lambda_hat=float(losses.grid[index]), certified=choice.index >= 0, why_not=choice.why_not,
        calibration_risk=float(table.risk[index]), risk=float(losses.true_risk[index]), test_risk=_test_risk(losses, missed),
        mean_size=float(sets.sum(axis=1).mean()), evidence=choice.evidence, limit=choice.limit, p_values=choice.p_values,
        sets=sets, missed=missed, losses=losses, page=look.page, extra=losses.extra)


def _test_risk(losses: Losses, missed: np.ndarray) -> float:
    if losses.loss == "missed-any":
        return float(missed.any(axis=1).mean())
    return float((missed.sum(axis=1) / np.maximum(losses.truth.sum(axis=1), 1)).mean())


def summary(events: Sequence[Event]) -> dict[str, int | float | str]:
    """The sizes of the sample and, where sets were looked at, the last choice's numbers."""
    losses = _losses(events)
    numbers: dict[str, int | float | str] = {"n": losses.n, "m": losses.m, "classes": losses.classes, "loss": losses.loss}
    seen = [event for event in events if isinstance(event, Chosen)]
    if seen:
        last = seen[-1]
        numbers |= {"alpha": last.alpha, "lambda_hat": last.lambda_hat, "certified": int(last.certified), "risk": last.risk,
                    "calibration_risk": last.calibration_risk, "test_risk": last.test_risk, "mean_size": last.mean_size}
        if last.why_not:
            numbers["why_not"] = last.why_not
    return numbers


def guarantee(method: Method, problem: Any, events: Sequence[Event]) -> Guarantee:
    """The promise of the method, which holds for every problem here: pages are drawn independently from one population."""
    found = [event for event in events if isinstance(event, Losses)]
    return method.promised(found[-1].n) if found else method.guarantee


def _losses(events: Sequence[Event]) -> Losses:
    return next(event for event in reversed(events) if isinstance(event, Losses))
