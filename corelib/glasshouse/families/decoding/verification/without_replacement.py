"""V3: guesses drawn one after another without replacement. RSD 2402.14160, Sequoia 2402.12374, DySpec 2410.11744."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from glasshouse.families.decoding.verification.residual import NOTHING, ratio, remainder
from glasshouse.families.decoding.verification.rule import Tests


def without_replacement(p: np.ndarray, tokens: Sequence[int], q: Sequence[np.ndarray]) -> Tests:
    """Accept c with min(1, p(c)/q(c)); on failure p <- norm((p - q)+), then q(c) <- 0 and q <- norm(q).

    ``q`` names the same row for every child: the draft as it stood before the first was drawn. Once q is used up, what
    follows was not drawn from it and is not tested.
    """
    if not tokens:
        return p
    left = q[0]
    for c in tokens:
        mass = left.sum()
        if mass <= NOTHING:
            break
        left = left / mass
        yield ratio(p[c], left[c]), p
        p = remainder(p, left)
        left[c] = 0.0
    return p
