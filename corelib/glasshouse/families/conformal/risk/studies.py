"""Side studies of the room: what one calibration sample cannot show."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from fractions import Fraction
from typing import Any

import numpy as np

from glasshouse.families.conformal.risk.interface import Method, Pages
from glasshouse.families.conformal.risk.table import tabled, units
from glasshouse.numerics.seeds import Seeds
from glasshouse.schema.errors import bad_type, bad_value
from glasshouse.schema.events.base import Event, Progress
from glasshouse.schema.events.conformal_risk import RiskResplits

ALPHAS = 50             # 0.01 to 0.50
AT_ONCE = 5             # samples between partial pictures


def resamples(method: Method, problem: Any, seeds: Seeds, total: int = 100) -> Iterator[Event | Progress]:
    """Draws ``total`` other calibration samples of the same size and asks for the true risk of what each chooses, at many alphas.

    Raises: BadType, BadValue for a ``total`` that is no whole number from 1 to 10000.
    """
    if isinstance(total, bool) or not isinstance(total, int):
        raise bad_type("total", total, "a whole number from 1 to 10000")
    if not 1 <= total <= 10_000:
        raise bad_value("total", total, "a whole number from 1 to 10000")
    return _resamples(method, problem.open(), seeds, total)


STUDIES: Mapping[str, Callable[..., Iterator[Event | Progress]]] = {"resamples": resamples}


def _resamples(method: Method, pages: Pages, seeds: Seeds, total: int) -> Iterator[Event | Progress]:
    unit, n = units(pages.truth), len(pages.calibration)
    true_risk = tabled(pages.entry, pages.truth, pages.loss, unit).risk
    alphas = [Fraction(i, 100) for i in range(1, ALPHAS + 1)]
    risk, certified = np.zeros((total, ALPHAS)), np.zeros((total, ALPHAS), bool)
    for i in range(total):
        drawn = seeds.numpy("resample", i).integers(len(pages.probs), size=n)
        table = tabled(pages.entry[drawn], pages.truth[drawn], pages.loss, unit)
        index = np.array([method.choose(table, alpha).index for alpha in alphas])
        certified[i] = index >= 0
        risk[i] = np.where(index >= 0, true_risk[index], 0.0)
        if (i + 1) % AT_ONCE == 0 or i + 1 == total:
            yield RiskResplits(done=i + 1, total=total, n=n, alphas=np.array([float(a) for a in alphas]), risk=risk[: i + 1].copy(),
                               certified=certified[: i + 1].copy())
