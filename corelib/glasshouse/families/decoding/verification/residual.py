"""What is left of p once a draw from q has failed."""

from __future__ import annotations

import numpy as np

NOTHING = 1e-12
"""Residual mass under which p and q are equal up to rounding, so that rejection has no probability."""


def ratio(p: float, q: float) -> float:
    """min(1, p / q) for a token drawn from q; 0 where q is 0, since such a token cannot have been drawn."""
    return 0.0 if q <= 0.0 else 1.0 if p >= q else p / q


def normalized(f: np.ndarray, otherwise: np.ndarray) -> np.ndarray:
    """``f`` over its sum, or ``otherwise`` where f has no mass: then it is never used but for rounding."""
    total = f.sum()
    return f / total if total > NOTHING else otherwise


def remainder(p: np.ndarray, q: np.ndarray) -> np.ndarray:
    """norm((p - q)+), float64 [V]."""
    return normalized(np.maximum(p - q, 0.0), p)
