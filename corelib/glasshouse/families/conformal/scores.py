"""Scores of softmax output, large = strange: s(x, y) for every label y of every row, float64 [n, K].

``probs`` float64 [n, K]. Labels are ranked by descending probability, r = 1 first, ties in label order everywhere alike. ``u`` float64 [n]
in [0, 1) is the row's share of a label's own mass: one number a row, so that sets are prefixes of its ranking; None takes all of it.
"""

from __future__ import annotations

from typing import Literal

import numpy as np

Named = Literal["lac", "aps", "raps", "saps", "margin"]


def named(name: Named, probs: np.ndarray, u: np.ndarray) -> np.ndarray:
    """The score of that name at its usual constants, randomised where it can be."""
    if name == "lac":
        return lac(probs)
    if name == "margin":
        return margin(probs)
    if name == "aps":
        return aps(probs, u)
    return raps(probs, u, 0.1, 2) if name == "raps" else saps(probs, u, 0.2)


def lac(probs: np.ndarray) -> np.ndarray:
    """s = 1 - p."""
    return 1.0 - probs


def margin(probs: np.ndarray) -> np.ndarray:
    """s = (largest p among the other labels) - p."""
    if probs.shape[1] == 1:
        return -probs
    second, first = np.partition(probs, -2, axis=1)[:, -2:].T
    best = np.repeat(first[:, None], probs.shape[1], axis=1)
    best[np.arange(len(probs)), probs.argmax(axis=1)] = second
    best -= probs
    return best


def aps(probs: np.ndarray, u: np.ndarray | None = None) -> np.ndarray:
    """s = rho + u p, with rho the mass of the labels ranked before."""
    order, mass = _ranked(probs)
    return _to_labels(_filled(mass, u), order)


def raps(probs: np.ndarray, u: np.ndarray | None = None, penalty: float = 0.0, free: int = 0) -> np.ndarray:
    """s = rho + u p + penalty max(0, r - free)."""
    order, mass = _ranked(probs)
    filled = _filled(mass, u)
    filled += penalty * np.maximum(0, np.arange(1, probs.shape[1] + 1) - free)
    return _to_labels(filled, order)


def saps(probs: np.ndarray, u: np.ndarray | None = None, step: float = 0.0) -> np.ndarray:
    """s = u p_max for the first label, p_max + (r - 2 + u) step for the others."""
    order = _order(probs)
    first = probs.max(axis=1)
    share = np.ones(len(probs)) if u is None else u
    s = first[:, None] + (np.arange(-1, probs.shape[1] - 1) + share[:, None]) * step
    s[:, 0] = share * first
    return _to_labels(s, order)


def tempered(probs: np.ndarray, temperature: float) -> np.ndarray:
    """softmax(logits / T) from softmax(logits): p^(1/T), normalised."""
    if temperature == 1.0:
        return probs
    cooled: np.ndarray = (probs / probs.max(axis=1, keepdims=True)) ** (1.0 / temperature)
    cooled /= cooled.sum(axis=1, keepdims=True)
    return cooled


def _order(probs: np.ndarray) -> np.ndarray:
    return np.argsort(-probs, axis=1, kind="stable")


def _ranked(probs: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(labels by descending p, their p): both [n, K]."""
    order = _order(probs)
    return order, np.take_along_axis(probs, order, axis=1)


def _filled(mass: np.ndarray, u: np.ndarray | None) -> np.ndarray:
    """rho + u p of labels in ranked order, ascending also after rounding. A row's sum may pass 1 by rounding: it is cut there."""
    total: np.ndarray = np.cumsum(mass, axis=1)
    if u is not None:
        filled = u[:, None] * mass
        filled[:, 1:] += total[:, :-1]
        total = filled
    np.minimum(total, 1.0, out=total)
    return total


def _to_labels(ranked: np.ndarray, order: np.ndarray) -> np.ndarray:
    found = np.empty_like(ranked)
    np.put_along_axis(found, order, ranked, axis=1)
    return found
