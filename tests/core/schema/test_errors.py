"""Hints in messages about numbers and text."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any

import pytest
from annotated_types import Ge, Gt, Le, Lt
from hypothesis import given
from hypothesis import strategies as st

from glasshouse.schema.build import build
from glasshouse.schema.errors import BadValue, check_text
from glasshouse.schema.knob import Knob


@dataclass(frozen=True)
class Shares:
    alpha: Annotated[float, Gt(0), Lt(1), Knob()] = 0.1
    share: Annotated[float, Ge(0), Le(1), Knob()] = 0.5
    heat: Annotated[float, Ge(0), Le(2), Knob()] = 1.0
    name: Annotated[str, Knob()] = ""


@pytest.mark.parametrize(("knob", "value", "end"), [
    ("alpha", 90, "; 90 percent is 0.9"), ("alpha", "10", "; 10 percent is 0.1"), ("share", "5%", "; 5 percent is 0.05"),
    ("alpha", "0,1", "; with a point it is 0.1"), ("alpha", 1, "below 1"), ("alpha", -0.1, "below 1"), ("alpha", 250, "below 1"),
    ("alpha", "much", "below 1"), ("heat", 90, "at most 2"), ("alpha", None, "below 1")])
def test_percent_and_decimal_commas_are_told(knob: str, value: Any, end: str) -> None:
    with pytest.raises(BadValue) as refused:
        build(Shares, {knob: value})
    assert str(refused.value).endswith(end)


@given(st.text(st.characters(codec=None), max_size=8))
def test_text_is_what_can_be_written_down(text: str) -> None:
    whole = not any("\ud800" <= c <= "\udfff" for c in text)
    try:
        check_text("name", text)
    except BadValue as refused:
        assert not whole
        str(refused).encode()
    else:
        assert whole
        assert build(Shares, {"name": text}).name == text
