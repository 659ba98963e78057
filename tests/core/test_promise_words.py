"""The words of a promise agree with its kind: for every method, in its literal and in what its runs say."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

from core.test_laws import _tiny
from glasshouse import catalogue, runs
from glasshouse.catalogue import MethodInfo
from glasshouse.schema.errors import GlasshouseError
from glasshouse.schema.knob import KnobField, knobs_of

every_method = pytest.mark.parametrize("info", catalogue.methods(), ids=lambda info: info.id)
SECONDS = 5         # of the processor, for one method's settings


@every_method
def test_kind_and_statement_of_the_promise_agree(info: MethodInfo) -> None:
    """The literal, the tiny run's, and those of all values of its choices and the ends of its bounds, where a run ends in seconds."""
    assert info.guarantee.disagreement() == ""
    assert runs.open(info.id, "tiny", seed=3).guarantee.disagreement() == ""
    assert _tiny(info.id)[0].guarantee.disagreement() == ""


@every_method
@pytest.mark.long
def test_kind_and_statement_agree_at_every_setting(info: MethodInfo) -> None:
    begun = time.process_time()
    cls = catalogue.load(info.id)
    for knob in knobs_of(cls):
        for value in _ends(knob):
            if time.process_time() - begun > SECONDS:
                return
            try:
                session = runs.open(info.id, "tiny", seed=3, **{knob.name: value})
                for _ in session.events():
                    pass
            except GlasshouseError:         # a setting that this problem has no use for
                continue
            assert session.guarantee.disagreement() == "", f"{knob.name} = {value}"


@pytest.mark.filterwarnings("ignore")
def test_what_one_s_own_data_is_promised_agrees_too() -> None:
    """Also where there are too few points, folds of several sizes, or nothing that can be certified."""
    from glasshouse.families.conformal import Ridge, answer_surest, batch_claim, calibrate, calibrate_regression, control

    rng = np.random.default_rng(0)
    probs, x, y = rng.dirichlet(np.ones(4), 23), rng.normal(size=(23, 2)), rng.normal(size=23)
    fit, labels, losses = (x, y, Ridge()), rng.integers(4, size=23), np.sort(rng.random((23, 5)), axis=1)[:, ::-1]
    promises = [calibrate(probs, labels, score).guarantee for score in ("lac", "aps", "mondrian", "clustered")]
    promises += [calibrate(probs, labels, groups=groups).guarantee for groups in ("class", labels % 2)]
    promises += [calibrate_regression(y, y + 1).guarantee]
    fitting = (("jackknife-plus", {}), ("cv-plus", {"folds": 5}), ("cv-plus", {"folds": 20}), ("full", {}), ("full", {"candidates": [0, 1]}))
    promises += [calibrate_regression(method=m, fit=fit, **k).guarantee for m, k in fitting]  # type: ignore[arg-type]
    promises += [control(losses, alpha, method).guarantee for alpha in (0.01, 0.9) for method in ("crc", "ltt")]  # type: ignore[arg-type]
    promises += [answer_surest(y, y > limit, risk).guarantee for limit in (-9, 0) for risk in (0.01, 0.4)]
    promises += [batch_claim(y, 3, statement=s, upper=9.0).guarantee for s in ("most", "quantile", "interval", "select", "mean")]  # type: ignore[arg-type]
    assert [promise.disagreement() for promise in promises if promise.disagreement()] == []
    assert {promise.kind for promise in promises} >= {"marginal", "group", "class", "risk", "PAC", "none"}


def _ends(knob: KnobField) -> Iterator[Any]:
    """Every choice; numbers at their bounds, and in between."""
    if knob.kind in ("choice", "bool"):
        yield from knob.choices or (False, True)
    elif knob.kind in ("int", "float"):
        ends = [end for end, is_open in ((knob.low, knob.low_open), (knob.high, knob.high_open)) if end is not None and not is_open]
        yield from (int(end) if knob.kind == "int" else end for end in ends)
        if knob.kind == "int" and knob.low is not None:
            yield int(knob.low) + 1         # where parts are not all of one size
