"""V0: the target's most likely token, and nothing else."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from glasshouse.families.decoding.verification.residual import normalized
from glasshouse.families.decoding.verification.rule import Tests


def greedy(p: np.ndarray, tokens: Sequence[int], q: Sequence[np.ndarray]) -> Tests:
    """Accept c iff c == argmax p. Output: argmax p, whatever was drafted."""
    best = np.zeros_like(p)
    best[p.argmax()] = 1.0
    for c in tokens:
        yield float(best[c]), best
        # Failed: the arg-max is elsewhere. (An accepted child ends the node, so the fallback is never drawn from.)
        rest = best.copy()
        rest[c] = 0.0
        best = normalized(rest, best)
    return best
