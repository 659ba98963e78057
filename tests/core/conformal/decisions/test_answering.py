"""When to answer, from a person's own confidences: the run's threshold, SciPy's bound, and the promise over many samples."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from scipy.stats import binomtest

import glasshouse as gh
from glasshouse import catalogue
from glasshouse.families.conformal import answer_surest
from glasshouse.families.conformal.decisions import interface
from glasshouse.families.conformal.decisions.confidence import sureness
from glasshouse.schema.errors import GlasshouseError


@pytest.mark.parametrize("search", ["bisection", "fixed sequence"])
def test_it_chooses_what_the_run_chooses(search: Any) -> None:
    session = gh.open("conformal.sgr", problem="tiny", search=search)
    list(session.events())
    pool = catalogue.problem("conformal.decisions", "tiny").open()
    known = interface.tested(pool, pool.first, np.concatenate((pool.train, pool.policy, pool.calibration)))
    for limit in (0.05, 0.2, 0.4):
        theirs = session.look(limit=limit)
        mine = answer_surest(sureness(known.probs, "largest p"), known.right, limit, 0.1, search)
        assert mine.threshold == theirs.threshold
        assert mine.bound == theirs.bound or math.isnan(mine.bound) == math.isnan(theirs.bound)


def test_the_bound_is_clopper_and_pearsons() -> None:
    rng = np.random.default_rng(0)
    confidence = rng.random(300)
    right = rng.random(300) < 0.5 + confidence / 2
    found = answer_surest(confidence, right, 0.3, 0.1, "fixed sequence")
    exact = binomtest(found.errors, found.answered, alternative="less").proportion_ci(0.9).high
    assert found.bound == pytest.approx(exact)
    assert found.bound < 0.3
    assert found.answered == np.count_nonzero(confidence >= found.threshold)


def test_the_promise_holds_over_samples() -> None:
    """The true risk of answering above t is known: P(right | c) = c gives (1 - t) / 2. At most delta of 400 samples may break the limit."""
    rng = np.random.default_rng(1)
    broken = 0
    for _ in range(400):
        confidence = rng.random(120)
        found = answer_surest(confidence, rng.random(120) < confidence, risk=0.25, delta=0.2, search="fixed sequence")
        broken += found.guarantee.kind == "PAC" and (1 - found.threshold) / 2 > 0.25
    assert broken / 400 <= 0.2 + 4 * math.sqrt(0.2 * 0.8 / 400)
    assert broken > 0                                       # else the test could not fail


def test_nothing_can_be_certified() -> None:
    found = answer_surest([0.9] * 5, [True] * 5, 0.1, 0.1)
    assert found.threshold == math.inf
    assert found.guarantee.kind == "none"
    assert answer_surest([], [], 0.1).guarantee.kind == "none"


@pytest.mark.parametrize(("values", "argument"), [
    ({"right": [True]}, "right"), ({"right": [2, 1]}, "right"), ({"confidence": [math.nan, 1.0]}, "confidence"),
    ({"confidence": [[1.0], [1.0]]}, "confidence"),
    ({"risk": 0}, "risk"), ({"delta": 1}, "delta"), ({"delta": 0.9}, "delta"), ({"search": "luck"}, "search")])
def test_bad_arguments_are_named(values: dict[str, Any], argument: str) -> None:
    with pytest.raises(GlasshouseError) as caught:
        answer_surest(**{"confidence": [0.5, 0.6], "right": [True, False], **values})
    assert caught.value.argument == argument
