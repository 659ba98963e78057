"""V1: speculative sampling of one guess. Leviathan et al. 2211.17192 (Alg. 1), Chen et al. 2302.01318 (Alg. 2)."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from glasshouse.families.decoding.verification.residual import ratio, remainder
from glasshouse.families.decoding.verification.rule import Tests


def chain(p: np.ndarray, tokens: Sequence[int], q: Sequence[np.ndarray]) -> Tests:
    """Accept x ~ q with min(1, p(x)/q(x)), else draw from norm((p - q)+). Accepts with probability 1 - TV(p, q)."""
    if len(tokens) > 1:
        raise ValueError("V1 tests one guess a node; several need V2, V3 or V5")
    for c, q_c in zip(tokens, q, strict=True):
        yield ratio(p[c], q_c[c]), p
        p = remainder(p, q_c)
    return p
