"""V0: the target's most likely token, and nothing else: V4 with all of p on it."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from glasshouse.families.decoding.verification.point_mass import point_mass
from glasshouse.families.decoding.verification.rule import Tests


def greedy(p: np.ndarray, tokens: Sequence[int], q: Sequence[np.ndarray]) -> Tests:
    """Accept c iff c == argmax p. Output: argmax p, whatever was drafted."""
    best = np.zeros_like(p)
    best[p.argmax()] = 1.0
    return (yield from point_mass(best, tokens, q))
