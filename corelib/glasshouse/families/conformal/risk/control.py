"""Risk control for losses of your own, in one call."""

from __future__ import annotations

from importlib import import_module
from typing import Any, Literal, cast

import numpy as np

from glasshouse.families.conformal.ranks import miscoverage
from glasshouse.families.conformal.risk.interface import Method
from glasshouse.families.conformal.risk.table import Table
from glasshouse.schema.build import build
from glasshouse.schema.errors import BadType, BadValue, bad_value

UNITS = 1_000_000_000           # of a loss that is not 0 or 1: rounded up to whole billionths, so that sums are exact and never too small
CLASSES = {"crc": "CRC", "ltt": "LTT"}


def control(losses: Any, alpha: float = 0.1, method: Literal["crc", "ltt"] = "crc", **knobs: Any) -> int | None:
    """The column of ``losses`` to use, or None where nothing can be promised.

    ``losses`` [n, J]: what each of n calibration points would lose at each of J settings, from the most daring to the safest, in [0, 1]; array or
    torch tensor. ``crc`` promises an expected loss of at most ``alpha`` and needs losses that never grow along a row. ``ltt`` promises that the
    risk of the column is at most alpha for all but a share ``delta`` of calibration samples; it tests from the last column on, so losses need
    not be monotone. ``knobs`` are those of the method (``delta``, ``procedure``).

    Raises: BadType, BadValue naming the argument.

    >>> control([[1, 1, 0], [1, 0, 0], [0, 0, 0]], alpha=0.5)
    1
    """
    exact = miscoverage(alpha)
    if method not in CLASSES:
        raise bad_value("method", method, "'crc' or 'ltt'")
    home = import_module(f"glasshouse.families.conformal.methods.risk.{method}")
    chosen = cast(Method, build(getattr(home, CLASSES[method]), knobs))
    checked = _losses(losses)
    if method == "crc" and (np.diff(checked, axis=1) > 0).any():
        row = int(np.argmax((np.diff(checked, axis=1) > 0).any(axis=1)))
        raise BadValue(f"losses[{row}] grows along its row: crc needs losses that never grow; ltt takes any", "losses")
    choice = chosen.choose(_table(checked), exact)
    return None if choice.why_not else choice.index


def _losses(given: Any) -> np.ndarray:
    """float64 [n, J] in [0, 1]."""
    try:
        array = np.asarray(given.detach().cpu() if hasattr(given, "detach") else given)
    except ValueError as error:         # ragged rows
        raise BadType(f"losses cannot be read: {error}", "losses") from None
    if array.ndim != 2 or array.shape[1] == 0 or array.dtype.kind not in "bfiu":
        raise BadType(f"losses has shape {list(array.shape)} and dtype {array.dtype}: it must be numbers [n, J], one row a calibration point",
                      "losses")
    checked = array.astype(np.float64)
    outside = ~((checked >= 0) & (checked <= 1))
    if outside.any():
        row, column = np.argwhere(outside)[0].tolist()
        raise BadValue(f"losses[{row}, {column}] = {checked[row, column]:g} is not allowed: losses lie from 0 to 1, so divide by the largest",
                       "losses")
    return checked


def _table(losses: np.ndarray) -> Table:
    binary = bool(((losses == 0) | (losses == 1)).all())
    unit = 1 if binary else UNITS
    return Table(len(losses), unit, np.ceil(losses * unit).astype(np.int64).sum(axis=0), np.zeros(losses.shape[1], np.int64), binary)
