"""V2: several independent guesses, each against the draft it came from. SpecInfer, 2305.09781 (Alg. 2)."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from glasshouse.families.decoding.verification.residual import ratio, remainder
from glasshouse.families.decoding.verification.rule import Tests


def with_replacement(p: np.ndarray, tokens: Sequence[int], q: Sequence[np.ndarray]) -> Tests:
    """Accept x_i ~ q_i with min(1, p(x_i)/q_i(x_i)); on failure p <- norm((p - q_i)+), q_i stays as it is."""
    for c, q_c in zip(tokens, q, strict=True):
        yield ratio(p[c], q_c[c]), p
        p = remainder(p, q_c)
    return p
