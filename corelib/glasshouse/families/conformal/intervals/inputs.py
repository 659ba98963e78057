"""Reading forecasts, targets and features, as NumPy arrays or torch tensors, checked before any work."""

from __future__ import annotations

from typing import Any

import numpy as np

from glasshouse.families.conformal.inputs import array_of as array
from glasshouse.schema.errors import BadType, BadValue, bad_type


def targets(argument: str, given: Any, n: int | None = None) -> np.ndarray:
    """``given`` as float64 [n].

    Raises: BadType for another shape or dtype; BadValue for NaN, infinity or another length.
    """
    checked = _finite(argument, given)
    if checked.ndim != 1:
        raise BadType(f"{argument} has shape {list(checked.shape)}: it must be [n], one number a point", argument)
    return _of_length(argument, checked, n)


def forecasts(argument: str, given: Any, columns: int, n: int | None = None) -> np.ndarray:
    """``given`` as float64 [n, columns]; a single column may come as [n].

    Raises: BadType for another shape or dtype; BadValue for NaN, infinity or another length.
    """
    checked = _finite(argument, given)
    if columns == 1 and checked.ndim == 1:
        checked = checked[:, None]
    if checked.ndim != 2 or checked.shape[1] != columns:
        wanted = "[n], one forecast a point" if columns == 1 else f"[n, {columns}]"
        raise BadType(f"{argument} has shape {list(checked.shape)}: it must be {wanted}", argument)
    return _of_length(argument, checked, n)


def features(argument: str, given: Any, p: int | None = None) -> np.ndarray:
    """``given`` as float64 [n, p].

    Raises: BadType for another shape or dtype; BadValue for NaN, infinity or another p.
    """
    checked = _finite(argument, given)
    if checked.ndim != 2 or checked.shape[1] == 0:
        raise BadType(f"{argument} has shape {list(checked.shape)}: it must be [n, p], one row of features a point", argument)
    if p is not None and checked.shape[1] != p:
        raise BadValue(f"{argument} has {checked.shape[1]} features: it must have the {p} of the labelled points", argument)
    return checked


def _finite(argument: str, given: Any) -> np.ndarray:
    if given is None or isinstance(given, (str, bytes, dict, set)):
        raise bad_type(argument, given, "an array of numbers")
    found = array(given)
    if found.dtype.kind not in "fiu":
        raise BadType(f"{argument} has dtype {found.dtype}: it must hold numbers", argument)
    checked = found.astype(np.float64, copy=False)
    fine = np.isfinite(checked)
    if not fine.all():
        at = [int(i) for i in np.argwhere(~fine)[0]]
        raise BadValue(f"{argument}{at} = {checked[tuple(at)]} is not allowed: every entry must be a finite number", argument)
    return checked


def _of_length(argument: str, checked: np.ndarray, n: int | None) -> np.ndarray:
    if n is not None and len(checked) != n:
        raise BadValue(f"{argument} has {len(checked)} entries: it must have {n}, one a point", argument)
    return checked
