"""Reading what a user hands over: probabilities and labels, as NumPy arrays or torch tensors, checked before any work."""

from __future__ import annotations

from numbers import Integral
from typing import Any

import numpy as np

from glasshouse.schema.errors import BadType, BadValue, bad_type, bad_value

SUM_SLACK = 1e-3        # half-precision softmax rows miss 1 by about this much
BFLOAT_SLACK = 1 / 128  # and those of bfloat16, which has eight bits, by up to this much


def probabilities(argument: str, given: Any, classes: int | None = None) -> np.ndarray:
    """``given`` as float64 [n, K], rows summing to 1 within 0.001. Rows of bfloat16 may miss 1 by 1 / 128; they are divided by their sum.

    Raises: BadType for another shape or dtype; BadValue for NaN, negative entries, rows that do not sum to 1, or another K.
    """
    array, slack = array_of(given), BFLOAT_SLACK if "bfloat16" in str(getattr(given, "dtype", "")) else SUM_SLACK
    if array.dtype.kind not in "fiu":
        raise BadType(f"{argument} has dtype {array.dtype}: it must hold numbers, the probabilities", argument)
    if array.ndim != 2 or array.shape[1] == 0:
        raise BadType(f"{argument} has shape {list(array.shape)}: it must be [n, K], one row of class probabilities a point", argument)
    if classes is not None and array.shape[1] != classes:
        raise BadValue(f"{argument} has {array.shape[1]} classes: it must have the {classes} of calibration", argument)
    probs = np.ascontiguousarray(array, dtype=np.float64)       # one order of numbers: a row's sum is the same wherever the row comes from
    total, least = probs.sum(axis=1), probs.min(axis=1)         # either is NaN where the row holds one
    for wrong, why in ((np.isnan(least), "holds NaN"), (least < 0, "holds a negative probability"),
                       (~(np.abs(total - 1) <= slack), f"does not sum to 1 within {slack:.3g}")):
        if wrong.any():
            row = int(np.argmax(wrong))
            raise BadValue(f"{argument}[{row}] {why} (sum {total[row]:.6g}): rows are probabilities, so apply softmax to logits first",
                           argument)
    return probs if slack == SUM_SLACK else probs / total[:, None]


def class_labels(argument: str, given: Any, n: int, classes: int) -> np.ndarray:
    """``given`` as int64 [n], each from 0 to K - 1.

    Raises: BadType for another shape or dtype; BadValue for another length or a label out of range.
    """
    array = array_of(given)
    if array.ndim != 1 or (array.dtype.kind not in "iu" and array.size):
        raise BadType(f"{argument} has shape {list(array.shape)} and dtype {array.dtype}: it must hold {n} whole numbers, one a row of "
                      "probs", argument)
    if len(array) != n:
        raise BadValue(f"{argument} has {len(array)} entries: it must have {n}, one a row of probs", argument)
    labels = array.astype(np.int64)
    outside = (labels < 0) | (labels >= classes)
    if outside.any():
        at = int(np.argmax(outside))
        raise BadValue(f"{argument}[{at}] = {labels[at]} is not allowed: it must lie from 0 to {classes - 1}", argument)
    return labels


def shares(argument: str, given: Any, n: int) -> np.ndarray:
    """``given`` as float64 [n], each in [0, 1].

    Raises: BadType for another shape or dtype; BadValue for another length or a number outside.
    """
    array = array_of(given)
    if array.ndim != 1 or array.dtype.kind not in "fiu":
        raise BadType(f"{argument} has shape {list(array.shape)} and dtype {array.dtype}: it must hold {n} numbers, one a row", argument)
    if len(array) != n:
        raise BadValue(f"{argument} has {len(array)} entries: it must have {n}, one a row", argument)
    u = array.astype(np.float64)
    outside = ~((u >= 0) & (u <= 1))
    if outside.any():
        at = int(np.argmax(outside))
        raise BadValue(f"{argument}[{at}] = {u[at]:g} is not allowed: shares lie from 0 to 1", argument)
    return u


def array_of(given: Any) -> np.ndarray:
    """A copy-free view where possible; a torch tensor from any device, without importing torch."""
    if hasattr(given, "detach"):
        given = given.detach().cpu()
        given = given.double().numpy() if given.is_floating_point() else given.numpy()
    try:
        array = np.asarray(given)
        return array.astype(np.float64) if array.dtype.name == "bfloat16" else array        # of ml_dtypes: NumPy knows no such kind
    except ValueError as error:  # ragged rows
        raise BadType(f"the array cannot be read: {error}", "") from None


def numbers(argument: str, given: Any, axes: str, low: float = -np.inf, high: float = np.inf) -> np.ndarray:
    """``given`` as float64 of the shape that ``axes`` names, such as "[n, K]", each entry finite and from ``low`` to ``high``.

    Raises: BadType for another shape or dtype; BadValue naming the first entry outside.
    """
    name = argument.split("[")[0]               # of nll[3] it is nll that was given
    try:
        array = array_of(given)
    except BadType as error:
        raise BadType(f"{argument}: {error}", name) from None
    if array.ndim != axes.count(",") + 1 or (array.dtype.kind not in "bfiu" and array.size):
        raise BadType(f"{argument} has shape {list(array.shape)} and dtype {array.dtype}: it must be numbers {axes}", name)
    checked = array.astype(np.float64)
    outside = ~(np.isfinite(checked) & (checked >= low) & (checked <= high))
    if outside.any():
        at = tuple(np.argwhere(outside)[0].tolist())
        place = ", ".join(map(str, at))
        allowed = "a finite number" + (f" from {low:g} to {high:g}" if np.isfinite(high) else f" of at least {low:g}" if np.isfinite(low) else "")
        raise BadValue(f"{argument}[{place}] = {checked[at]:g} is not allowed: it must be {allowed}", name)
    return checked


def yes_or_no(argument: str, given: Any, axes: str) -> np.ndarray:
    """``given`` as bool of the shape that ``axes`` names; 0 and 1 are taken.

    Raises: BadType for another shape or dtype; BadValue for other numbers.
    """
    checked = numbers(argument, given, axes, 0.0, 1.0)
    neither = (checked != 0) & (checked != 1)
    if neither.any():
        at = tuple(np.argwhere(neither)[0].tolist())
        raise BadValue(f"{argument}[{', '.join(map(str, at))}] = {checked[at]:g} is not allowed: it must be True or False", argument)
    return checked.astype(bool)


def whole(argument: str, given: Any, low: int, high: int | None = None) -> int:
    """``given`` as an int from ``low`` to ``high``. Raises: BadType, BadValue naming the argument."""
    allowed = f"a whole number of at least {low}" if high is None else f"a whole number from {low} to {high}"
    if isinstance(given, (bool, np.bool_)) or not isinstance(given, Integral):
        raise bad_type(argument, given, allowed)
    number = int(given)
    if number < low or (high is not None and number > high):
        raise bad_value(argument, given, allowed)
    return number
