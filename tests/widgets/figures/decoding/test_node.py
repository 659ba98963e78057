from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from glasshouse.schema.events.decoding import NodeLook, NodeState, Round
from glasshouse_widgets.figures.decoding import node
from glasshouse_widgets.figures.palette import DARK, LIGHT, MONO

Make, Look = Callable[..., Round], Callable[..., NodeLook]


@pytest.fixture
def refused(make_round: Make) -> tuple[Round, int]:
    event = dataclasses.replace(next(r for r in (make_round(24, s) for s in range(20)) if (r.state == NodeState.REJECTED).any()), rule="V3")
    return event, int(np.flatnonzero(event.state == NodeState.REJECTED)[0])


def labels(figure: dict[str, Any]) -> list[str]:
    """The words at the rows, from above; each in its bar's middle."""
    low, high = figure["layout"]["yaxis"]["range"]
    rows = [a for a in figure["layout"]["annotations"] if a["font"].get("family") == MONO]
    assert [low + a["y"] * (high - low) for a in rows] == pytest.approx(list(range(len(rows))))
    return [a["text"] for a in rows]


def bar(figure: dict[str, Any], name: str) -> list[Any]:
    return list(next(t for t in figure["data"] if t["name"] == name)["x"])


def test_bars_are_the_look_mirrored(refused: tuple[Round, int], make_look: Look, valid: Any) -> None:
    look = make_look(*refused)
    figure = valid(node.bars(look, LIGHT))
    assert bar(figure, "target p") == pytest.approx(np.nan_to_num(look.p))
    assert bar(figure, "draft q") == pytest.approx(-np.nan_to_num(look.q))
    assert bar(figure, "left of p") == pytest.approx(np.nan_to_num(look.residual))
    low, high = figure["layout"]["xaxis"]["range"]
    assert low == -high
    assert high >= max(np.nanmax(look.p), np.nanmax(look.q))


def test_gauge_is_the_decision(refused: tuple[Round, int], make_look: Look) -> None:
    event, child = refused
    figure = node.bars(make_look(event, child), LIGHT)
    low, high = np.asarray(figure["layout"]["xaxis"]["range"]) / 1.05       # the gauge runs from 0 to 1 between the outer lines
    accept, reject, u = (next(t for t in figure["data"] if t["name"] == name) for name in ("accept", "reject", "u"))
    edge = low + event.accept[child] * (high - low)
    assert (accept["base"], accept["x"]) == (pytest.approx([low]), pytest.approx([edge - low]))
    assert (reject["base"], reject["x"]) == (pytest.approx([edge]), pytest.approx([high - edge]))
    assert u["x"] == pytest.approx([low + event.u[child] * (high - low)] * 2)
    # Rejected, so the line of u stands in the rejecting part.
    assert event.u[child] > event.accept[child]


@pytest.mark.parametrize("rule", ["V0", "V4", "coupled"])
def test_no_gauge_where_the_target_chose_by_itself(refused: tuple[Round, int], make_look: Look, rule: str) -> None:
    event, child = refused
    figure = node.bars(make_look(dataclasses.replace(event, rule=rule), child), LIGHT)
    assert bar(figure, "accept") == bar(figure, "reject") == []
    assert bar(figure, "u") == []


def test_what_became_of_each_token_stands_beside_it(refused: tuple[Round, int], make_look: Look) -> None:
    event, child = refused
    look = make_look(event, child)
    ticks = labels(node.bars(look, LIGHT))
    glyph = {NodeState.ACCEPTED: "●", NodeState.REJECTED: "✕", NodeState.UNTESTED: "○"}
    for i in range(1, event.nodes):
        label = event.pieces[int(event.token[i])]
        if event.parent[i] == look.at and label in look.labels and label != event.pieces[event.final]:
            assert glyph[NodeState(int(event.state[i]))] in ticks[look.labels.index(label)]
    mine = event.pieces[int(event.token[child])]
    bold = [label for label, tick in zip(look.labels, ticks, strict=True) if tick.startswith("<b>")]
    assert bold == ([mine] if mine in look.labels else [])


def test_the_star_stands_where_the_target_spoke(make_round: Make, make_look: Look) -> None:
    event = make_round(24, 4)
    look = make_look(event)
    ticks = labels(node.bars(look, LIGHT))
    starred = [label for label, tick in zip(look.labels, ticks, strict=True) if "★" in tick]
    assert starred == [event.pieces[event.final]]


def test_stable_and_escaped(make_round: Make, make_look: Look, valid: Any) -> None:
    shapes = set()
    for n in (1, 9, 24):
        event = make_round(n, n)
        for at in (-1, 0, n - 1):
            look = dataclasses.replace(make_look(event, at), labels=("<script>",) * 10, sentence="<b>no</b>")
            figure = valid(node.bars(look, DARK))
            shapes.add(tuple(t["name"] for t in figure["data"]))
            assert "<script" not in str(figure)
            assert "<b>no" not in str(figure)
    assert len(shapes) == 1


def test_a_node_without_any_law(make_round: Make, make_look: Look, valid: Any) -> None:
    none = np.full(10, np.nan)
    valid(node.bars(dataclasses.replace(make_look(make_round(9, 1)), p=none, q=none, residual=none), LIGHT))
    valid(node.bars(dataclasses.replace(make_look(make_round(9, 1)), p=none[:0], q=none[:0], residual=none[:0], labels=()), LIGHT))
