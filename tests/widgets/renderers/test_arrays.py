"""Figures as JSON: what the browser decodes is what was drawn."""

from __future__ import annotations

import base64
import json
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from glasshouse_widgets.renderers.arrays import encode, to_json


def decoded(spec: Any) -> Any:
    """As plotly.js reads it."""
    if isinstance(spec, dict) and "bdata" in spec:
        flat = np.frombuffer(base64.b64decode(spec["bdata"]), np.dtype(spec["dtype"]))
        return flat.reshape([int(n) for n in spec["shape"].split(",")]) if "shape" in spec else flat
    return np.array(spec, float)


@given(arrays.arrays(st.sampled_from([np.float64, np.float32, np.int64, np.int32, np.uint8, np.bool_]),
                     arrays.array_shapes(min_dims=1, max_dims=3, min_side=0, max_side=5)))
def test_arrays_survive(array: np.ndarray) -> None:
    found = decoded(json.loads(json.dumps(encode(array))))
    assert np.array_equal(found.reshape(array.shape).astype(float), array.astype(float), equal_nan=True)


def test_whole_numbers_too_large_for_the_browsers_arrays_stay_exact() -> None:
    assert encode(np.array([2**40, 1])) == [2**40, 1]


@pytest.mark.parametrize(("given_", "wanted"), [
    (float("nan"), None), (float("inf"), None), (np.float64(0.5), 0.5), (np.int64(3), 3), ((1, "a", None), [1, "a", None]),
    (np.array(["a", "b"]), ["a", "b"]), (True, True), (np.array([1, None, 2.5], object), [1, None, 2.5])])
def test_everything_else_is_plain(given_: Any, wanted: Any) -> None:
    assert encode(given_) == wanted


def test_text_is_strict_json_and_the_figure_is_left_alone() -> None:
    figure = {"data": [{"y": np.array([1.0, np.nan])}], "layout": {"title": {"text": "</script>"}, "x": float("nan")}}
    text = to_json(figure)
    assert json.loads(text)["layout"] == {"title": {"text": "</script>"}, "x": None}
    assert isinstance(figure["data"][0]["y"], np.ndarray)  # type: ignore[index]
