"""How sure a model must be to answer, from confidences of one's own, in one call."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Any, Literal

from glasshouse.families.conformal.decisions import certifying
from glasshouse.families.conformal.inputs import numbers, yes_or_no
from glasshouse.families.conformal.methods.decisions.sgr import SGR
from glasshouse.families.conformal.ranks import share
from glasshouse.schema.build import build
from glasshouse.schema.errors import BadValue
from glasshouse.schema.guarantee import Guarantee


@dataclass(frozen=True)
class Answering:
    """Answer where the confidence is at least ``threshold``; +inf, and a guarantee of kind none, where nothing can be certified.

    ``answered`` and ``errors`` count calibration points at that threshold; ``bound`` is what their risk may be at most, NaN where none is.
    """

    threshold: float
    answered: int
    errors: int
    bound: float
    guarantee: Guarantee


def answer_surest(confidence: Any, right: Any, risk: float = 0.1, delta: float = 0.1,
                  search: Literal["bisection", "fixed sequence"] = "bisection") -> Answering:
    """The least confidence with which to answer, so that at most a share ``risk`` of the answers is wrong (SGR).

    ``confidence`` [n], larger is surer, and ``right`` bool [n] of calibration points that the model was not trained on. The promise holds for
    all but a share ``delta`` of calibration samples.

    Raises: BadType, BadValue naming the argument.

    >>> found = answer_surest([0.9] * 100 + [0.2] * 100, [True] * 100 + [False] * 100)
    >>> found.threshold, found.answered, found.errors
    (0.9, 100, 0)
    """
    limit = float(share("risk", risk))
    method: SGR = build(SGR, {"search": search, "delta": float(share("delta", delta))})
    sure, correct = numbers("confidence", confidence, "[n]"), yes_or_no("right", right, "[n]")
    if len(correct) != len(sure):
        raise BadValue(f"right has {len(correct)} entries: it must have {len(sure)}, one a confidence", "right")
    chosen = 0
    if len(sure):
        tests = certifying.sharing(method.search, len(sure))
        found = certifying.bounds(sure, correct, method.delta / tests)
        ranks = certifying.path(method.search, tests, method.delta, found[3], limit)
        chosen = certifying.standing(found[3], limit, ranks)
    if not chosen:
        return Answering(math.inf, 0, 0, math.nan, method.guarantee.downgraded("none", (
            f"{len(sure)} calibration points certify no threshold at a risk of {limit:g}: nothing is answered.")))
    at = chosen - 1
    promise = replace(method.guarantee, level=1 - method.delta, statement=(
        f"With probability at least {1 - method.delta:g} over {len(sure)} calibration points, at most a share {limit:g} of the answers is wrong."))
    return Answering(float(found[0][at]), int(found[1][at]), int(found[2][at]), float(found[3][at]), promise)
