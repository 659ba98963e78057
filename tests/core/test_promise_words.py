"""The words of a promise agree with its kind: for every method, in its literal and in what its runs say."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import pytest

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
    session = runs.open(info.id, "tiny", seed=3)
    assert session.guarantee.disagreement() == ""
    for _ in session.events():
        pass
    assert session.guarantee.disagreement() == ""


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


def _ends(knob: KnobField) -> Iterator[Any]:
    """Every choice; numbers at their bounds, and in between."""
    if knob.kind in ("choice", "bool"):
        yield from knob.choices or (False, True)
    elif knob.kind in ("int", "float"):
        ends = [end for end, is_open in ((knob.low, knob.low_open), (knob.high, knob.high_open)) if end is not None and not is_open]
        yield from (int(end) if knob.kind == "int" else end for end in ends)
        if knob.kind == "int" and knob.low is not None:
            yield int(knob.low) + 1         # where parts are not all of one size
