"""What is new in a picture, and back: exact for anything that JSON can say."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from glasshouse_widgets.labs.conformal import ConformalLab
from glasshouse_widgets.renderers.arrays import to_json
from glasshouse_widgets.renderers.difference import difference, patched
from rested import at_rest

LEAVES = st.none() | st.text(max_size=4) | st.integers(2, 9) | st.floats(0.25, 1.75, width=16)
KEYS = st.sampled_from(["at", "gone", "new", "x"])
VALUES = st.recursive(LEAVES, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(KEYS, inner, max_size=3))


@given(VALUES, VALUES)
def test_patched_is_the_inverse(was: Any, now: Any) -> None:
    assert patched(was, json.loads(json.dumps(difference(was, now)))) == now
    assert difference(now, now) is None


def test_a_picture_in_other_colours_is_little_beside_the_picture() -> None:
    with at_rest(ConformalLab(problem="tiny")) as lab:
        light = json.loads(to_json(lab.figures["sets"]))
        lab.theme = "dark"
        assert lab.wait()
        dark = json.loads(to_json(lab.figures["sets"]))
    change = difference(light, dark)
    assert patched(light, change) == dark
    assert len(json.dumps(change)) < len(json.dumps(dark)) / 2
