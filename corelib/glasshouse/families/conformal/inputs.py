"""Reading what a user hands over: probabilities and labels, as NumPy arrays or torch tensors, checked before any work."""

from __future__ import annotations

from typing import Any

import numpy as np

from glasshouse.schema.errors import BadType, BadValue

SUM_SLACK = 1e-3  # half-precision softmax rows miss 1 by about this much


def probabilities(argument: str, given: Any, classes: int | None = None) -> np.ndarray:
    """``given`` as float64 [n, K], rows summing to 1 within 0.001.

    Raises: BadType for another shape or dtype; BadValue for NaN, negative entries, rows that do not sum to 1, or another K.
    """
    array = array_of(given)
    if array.dtype.kind not in "fiu":
        raise BadType(f"{argument} has dtype {array.dtype}: it must hold numbers, the probabilities", argument)
    if array.ndim != 2 or array.shape[1] == 0:
        raise BadType(f"{argument} has shape {list(array.shape)}: it must be [n, K], one row of class probabilities a point", argument)
    if classes is not None and array.shape[1] != classes:
        raise BadValue(f"{argument} has {array.shape[1]} classes: it must have the {classes} of calibration", argument)
    probs = array.astype(np.float64, copy=False)
    total = probs.sum(axis=1)
    for wrong, why in ((np.isnan(probs).any(axis=1), "holds NaN"), ((probs < 0).any(axis=1), "holds a negative probability"),
                       (~(np.abs(total - 1) <= SUM_SLACK), "does not sum to 1 within 0.001")):
        if wrong.any():
            row = int(np.argmax(wrong))
            raise BadValue(f"{argument}[{row}] {why} (sum {total[row]:.6g}): rows are probabilities, so apply softmax to logits first",
                           argument)
    return probs


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
        return np.asarray(given)
    except ValueError as error:  # ragged rows
        raise BadType(f"the array cannot be read: {error}", "") from None
