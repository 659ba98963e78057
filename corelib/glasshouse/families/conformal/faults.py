"""What is wrong with an array, said in one sentence for one cause: what was given, and what to do."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from glasshouse.schema.errors import BadType, BadValue, bad_type


def check_container(argument: str, given: Any) -> None:
    """Raises: BadType for what holds arrays but is none, and for text."""
    if isinstance(given, Mapping):
        keys = [key for key in given if isinstance(key, str)]
        entry = next((key for key in (argument, "probs", "labels", "logits", "input_ids") if key in keys), next(iter(keys), None))
        advice = f": hand over one of its entries, such as the one called {entry!r}" if entry else ": hand over an array"
        logits = "; logits go through softmax first" if entry == "logits" and argument != "logits" else ""
        raise BadType(f"{argument} is a {type(given).__name__} that holds {', '.join(map(repr, keys[:6])) or 'nothing by name'}{advice}{logits}",
                      argument)
    if given is None or isinstance(given, (str, bytes, set, frozenset)):
        raise bad_type(argument, given, "an array of numbers")


def not_a_number(argument: str, array: np.ndarray, name: str = "") -> BadValue:
    """Of numbers [n, ...] of which some are NaN or infinite. ``name`` is the argument's where ``argument`` is a place in it."""
    odd = ~np.isfinite(array)
    at = [int(i) for i in np.argwhere(odd)[0]]
    rows = int(odd.reshape(len(array), -1).any(axis=1).sum())
    value = array[tuple(at)]
    what = "NaN, a missing value" if np.isnan(value) else f"{value:g}"
    return BadValue(f"{argument}{at} is {what} ({rows} of {len(array)} rows hold such): drop or repair these rows, on both sides alike",
                    name or argument)


def no_probabilities(argument: str, rows: np.ndarray, slack: float) -> BadValue:
    """``rows`` float64 [n, K], of which some are no probabilities: the likeliest cause, percent before logits."""
    if not np.isfinite(rows).all():
        return not_a_number(argument, rows)
    total, least = rows.sum(axis=1), rows.min(axis=1)
    row = int(np.argmax((least < 0) | (np.abs(total - 1) > slack)))
    said = f"{argument}[{row}] does not sum to 1 but to {total[row]:.6g}"
    column = _extra(rows, slack)
    if column:
        return BadValue(f"{argument}: {column}", argument)
    if least.min() >= 0 and (np.abs(total - 100) <= 100 * max(slack, 0.01)).all():
        return BadValue(f"{said}: these are percent, so divide by 100", argument)
    if least.min() < 0 and not (np.abs(total - 1) <= slack).all():
        return BadValue(f"{said}, and holds negative numbers: these are logits or scores, so apply softmax first (log-probabilities: exp)",
                        argument)
    if least.min() < 0:
        row = int(np.argmin(least))
        return BadValue(f"{argument}[{row}, {int(np.argmin(rows[row]))}] = {least[row]:.6g} is a negative probability, beyond what rounding does "
                        "(-1e-6): set such entries to 0 and divide by the sum", argument)
    if rows.max() <= 1:
        return BadValue(f"{said}: one row is one choice among K classes, so divide rows by their sum, or give each yes-or-no output of its own "
                        "as two columns 1 - p, p", argument)
    return BadValue(f"{said}: rows are probabilities, so apply softmax to logits, or divide counts by their sum", argument)


def another_width(argument: str, rows: np.ndarray, classes: int, slack: float) -> BadValue:
    """``rows`` [n, K] of which K is not ``classes``."""
    column = _extra(rows, slack) if rows.shape[1] == classes + 1 else ""
    return BadValue(f"{argument} has {rows.shape[1]} classes: it must have the {classes} of calibration" + (f"; {column}" if column else ""),
                    argument)


def labels_outside(argument: str, labels: np.ndarray, classes: int) -> BadValue:
    """``labels`` int64 [n], of which some are not 0 to K - 1."""
    at = int(np.argmax((labels < 0) | (labels >= classes)))
    counted = labels.min() >= 1 and labels.max() == classes
    return BadValue(f"{argument}[{at}] = {labels[at]} is not allowed: it must lie from 0 to {classes - 1}"
                    + (f"; these count from 1 to {classes}, so subtract 1" if counted else ""), argument)


def no_labels(argument: str, array: np.ndarray, n: int) -> BadType:
    """``array`` of another shape or dtype than int [n]."""
    said = f"{argument} has shape {list(array.shape)} and dtype {array.dtype}: it must hold {n} whole numbers, one a row of probs"
    if array.ndim == 2 and array.shape[1] > 1 and np.isin(array, (0, 1)).all() and (array.sum(axis=1) == 1).all():
        said += "; this is one-hot, so take argmax(axis=1)"
    elif array.ndim == 1 and array.dtype.kind == "f" and np.isnan(array).any():
        said += f"; entry {int(np.argmax(np.isnan(array)))} is NaN, a missing label"
    elif array.ndim == 1 and array.dtype.kind == "f" and (array == np.round(array)).all():
        said += "; these are whole numbers held as fractions, so convert them with astype(int)"
    elif array.dtype.kind in "OSU":
        said += "; names of classes become the numbers of their columns of probs" if argument == "labels" else "; names become whole numbers from 0"
    return BadType(said, argument)


def _extra(rows: np.ndarray, slack: float) -> str:
    """Says which outer column is none of probabilities, where all others are; empty where it is not that."""
    if rows.shape[1] < 3 or len(rows) < 2:
        return ""
    first, last, counting = rows[:, 0], rows[:, -1], np.arange(len(rows))
    if _fine(rows[:, 1:], slack) and any(np.array_equal(first, counting + start) for start in (0, 1)):
        return f"its first column counts the rows from {first[0]:g} to {first[-1]:g}, so leave it out: [:, 1:], or index=False when it is saved"
    if _fine(rows[:, :-1], slack) and (last == np.round(last)).all() and last.min() >= 0 and last.max() < rows.shape[1]:
        return "its last column holds whole numbers, the labels it seems, so hand them over apart: [:, :-1] and [:, -1]"
    return ""


def _fine(rows: np.ndarray, slack: float) -> bool:
    return bool((rows >= 0).all() and (np.abs(rows.sum(axis=1) - 1) <= slack).all())
