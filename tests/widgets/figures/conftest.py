"""What every figure must hold, whoever drew it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import plotly.graph_objects as go
import pytest

from glasshouse_widgets.figures.palette import POINTS


def _walk(node: Any, key: str = "") -> Iterator[tuple[str, Any]]:
    yield key, node
    if isinstance(node, dict):
        for name, value in node.items():
            yield from _walk(value, name)
    elif isinstance(node, (list, tuple)):
        for value in node:
            yield from _walk(value, key)


def check(figure: dict[str, Any]) -> dict[str, Any]:
    """Plotly accepts it; it is small, transparent, keeps its zoom, and no letter is under 12 px."""
    assert set(figure) == {"data", "layout"}
    assert all(type(trace) is dict for trace in figure["data"])
    go.Figure(figure)
    points = sum(max((np.size(t[k]) for k in ("x", "y", "z") if k in t), default=0) for t in figure["data"])
    assert points <= POINTS
    layout = figure["layout"]
    assert layout["paper_bgcolor"] == layout["plot_bgcolor"] == "rgba(0,0,0,0)"
    assert layout["uirevision"]
    for key, value in _walk(figure):
        if key in ("font", "tickfont", "textfont") and isinstance(value, dict) and "size" in value:
            assert np.min(value["size"]) >= 12
    return figure


@pytest.fixture(scope="session")
def valid() -> Callable[[dict[str, Any]], dict[str, Any]]:
    return check
