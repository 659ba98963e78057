"""V4: guesses from anywhere, verified by probability alone (q is a point mass)."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from glasshouse.families.decoding.verification.residual import normalized
from glasshouse.families.decoding.verification.rule import Tests


def point_mass(p: np.ndarray, tokens: Sequence[int], q: Sequence[np.ndarray]) -> Tests:
    """Accept c with p(c); on failure p(c) <- 0 and p <- norm(p). Accepts with the sum of p over the children.

    The same law as one sample from p, followed if it is a child: that is how :mod:`.walk` runs it.
    """
    for c in tokens:
        yield float(p[c]), p
        rest = p.copy()
        rest[c] = 0.0
        p = normalized(rest, p)
    return p
