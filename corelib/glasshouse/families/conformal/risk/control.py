"""Risk control for losses of your own, in one call."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np

from glasshouse.families.conformal.inputs import numbers
from glasshouse.families.conformal.methods.risk.crc import CRC
from glasshouse.families.conformal.methods.risk.ltt import LTT
from glasshouse.families.conformal.ranks import miscoverage
from glasshouse.families.conformal.risk.interface import Method
from glasshouse.families.conformal.risk.table import Table
from glasshouse.schema.build import build
from glasshouse.schema.errors import BadType, BadValue, bad_value
from glasshouse.schema.guarantee import Guarantee

UNITS = 1_000_000_000           # of a loss that is not 0 or 1: rounded up to whole billionths, so that sums are exact and never too small
CLASSES: dict[str, type] = {"crc": CRC, "ltt": LTT}


@dataclass(frozen=True)
class Controlled:
    """``column`` of the losses to use; None, and a guarantee of kind none that says why, where nothing can be promised."""

    column: int | None
    guarantee: Guarantee


def control(losses: Any, alpha: float = 0.1, method: Literal["crc", "ltt"] = "crc", **knobs: Any) -> Controlled:
    """The column of ``losses`` to use, and what is promised of it.

    ``losses`` [n, J]: what each of n calibration points would lose at each of J settings, from the most daring to the safest, in [0, 1]; array or
    torch tensor. ``crc`` promises an expected loss of at most ``alpha`` and needs losses that never grow along a row. ``ltt`` promises that the
    risk of the column is at most alpha for all but a share ``delta`` of calibration samples; it tests from the last column on, so losses need
    not be monotone. ``knobs`` are those of the method (``delta``, ``procedure``).

    Raises: BadType, BadValue naming the argument.

    >>> control([[1, 1, 0], [1, 0, 0], [0, 0, 0]], alpha=0.5).column
    1
    """
    exact = miscoverage(alpha)
    if method not in CLASSES:
        raise bad_value("method", method, "'crc' or 'ltt'")
    chosen: Method = build(CLASSES[method], knobs)
    checked = _losses(losses)
    if method == "crc" and (np.diff(checked, axis=1) > 0).any():
        row = int(np.argmax((np.diff(checked, axis=1) > 0).any(axis=1)))
        raise BadValue(f"losses[{row}] grows along its row: crc needs losses that never grow; ltt takes any", "losses")
    choice, promise = chosen.choose(_table(checked), exact), chosen.promised(len(checked))
    if choice.why_not:
        return Controlled(None, promise.downgraded("none", _of_columns(f"Nothing is promised: {choice.why_not}.")))
    assumptions = tuple(map(_of_columns, promise.assumptions))
    return Controlled(choice.index, replace(promise, statement=_of_columns(promise.statement), assumptions=assumptions))


def _of_columns(sentence: str) -> str:
    """The methods speak of pages and lambdas; here there are points and columns."""
    return sentence.replace("page", "point").replace("lambda", "column")


def _losses(given: Any) -> np.ndarray:
    """float64 [n, J] in [0, 1]."""
    checked = numbers("losses", given, "[n, J]", 0.0, 1.0)
    if checked.shape[1] == 0:
        raise BadType(f"losses has shape {list(checked.shape)}: it must be [n, J], one row a calibration point", "losses")
    return checked


def _table(losses: np.ndarray) -> Table:
    binary = bool(((losses == 0) | (losses == 1)).all())
    unit = 1 if binary else UNITS
    return Table(len(losses), unit, np.ceil(losses * unit).astype(np.int64).sum(axis=0), np.zeros(losses.shape[1], np.int64), binary)
