"""The dial against the arithmetic done by hand, round by round and size by size."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from glasshouse.schema.events.decoding import CostCurve, Round
from glasshouse_widgets.figures.decoding import cost
from glasshouse_widgets.figures.palette import DARK, LIGHT

NODES = np.array([1, 2, 4, 8, 16, 32, 64])
SECONDS = 0.004 * (1 + NODES / 20)
CURVE = CostCurve(method="decoding.specinfer", context=64, repeats=9, nodes=NODES, seconds=SECONDS,
                  low=0.9 * SECONDS, high=1.2 * SECONDS, draft_seconds=0.1 * SECONDS)


@pytest.fixture(scope="module")
def run(make_round: Callable[..., Round]) -> list[Round]:
    return [make_round(n, s, s) for s, n in enumerate((24, 24, 12, 24, 18, 24, 24, 9))]


def test_tokens_of_cut_trees(run: list[Round]) -> None:
    for event in run:
        got = cost.tokens_by_size(event, 30)
        for m in range(1, 31):
            kept = 0
            for node in event.path[1:]:
                if node >= m:
                    break
                kept += 1
            assert got[m - 1] == 1 + kept
        assert got[0] == 1
        assert got[-1] == event.tokens


def test_cut_trees_are_trees(run: list[Round]) -> None:
    """The first m nodes hold every node's parent: what the projection stands on."""
    assert all((event.parent[1:] < np.arange(1, event.nodes)).all() for event in run)


def test_draft_calls_of_cut_trees(run: list[Round]) -> None:
    for event in run:
        level = cost.draft_calls_by_size(dataclasses.replace(event, draft_calls=int(event.depth.max())), 30)
        each = cost.draft_calls_by_size(dataclasses.replace(event, draft_calls=400), 30)
        for m in range(1, event.nodes + 1):
            assert level[m - 1] == max(event.depth[:m])
            assert each[m - 1] == pytest.approx(400 * len(set(event.parent[1:m].tolist())) / len(set(event.parent[1:].tolist())))
        assert level[0] == each[0] == 0
        assert each[-1] == 400
    assert not cost.draft_calls_by_size(dataclasses.replace(run[0], draft_calls=0), 30).any()


def test_speed_is_tokens_over_cost(run: list[Round]) -> None:
    found = cost.dial(run, CURVE, knee=8)
    assert found is not None
    assert found.size.tolist() == list(range(1, 25))
    for m in (1, 5, 13, 24):
        one = np.interp(1, NODES, SECONDS)
        sizes = [min(m, r.nodes) for r in run]
        draft = np.mean([cost.draft_calls_by_size(r, 24)[m - 1] for r in run]) * 0.1
        here = np.mean([np.interp(s, NODES, SECONDS) for s in sizes]) / one + draft
        assumed = np.mean([max(1.0, s / 8) for s in sizes]) + draft
        tokens = np.mean([cost.tokens_by_size(r, 24)[m - 1] for r in run])
        assert found.speed_here[m - 1] == pytest.approx(tokens / here)
        assert found.speed_assumed[m - 1] == pytest.approx(tokens / assumed)
    assert found.speed_here[0] == pytest.approx(1.0)            # a root alone is plain decoding
    assert found.tokens[-1] == pytest.approx(np.mean([r.tokens for r in run]))


def test_best_size_is_marked(run: list[Round], valid: Any) -> None:
    found = cost.dial(run, CURVE, knee=64)
    assert found is not None
    for theme in (LIGHT, DARK):
        figure = valid(cost.figure(found, theme))
        stars = figure["data"][-1]
        (size, speed), (size_assumed, _) = cost.best(found)
        assert stars["x"] == [size, size_assumed]
        assert stars["y"][0] == pytest.approx(max(found.speed_here)) == speed
        assert any(s["y0"] == s["y1"] == 1 and s["yref"] == "y3" for s in figure["layout"]["shapes"])
    assert len(cost.figure(found, LIGHT)["data"]) == 8


def test_no_draft_model_costs_nothing(run: list[Round]) -> None:
    blind = dataclasses.replace(CURVE, draft_seconds=np.full(len(NODES), np.nan))
    found = cost.dial([dataclasses.replace(r, draft_calls=0) for r in run], blind, knee=64)
    assert found is not None
    assert (found.cost_here == found.forward_here).all()


def test_rounds_cut_by_the_end_are_left_out(run: list[Round]) -> None:
    event = next(r for r in run if r.accepted >= 2)
    short = dataclasses.replace(event, path=event.path[:2], committed=event.committed[:1], tokens=1, accepted=1)
    assert cost.dial([short], CURVE, 64) is None
    both, one = cost.dial([event, short], CURVE, 64), cost.dial([event], CURVE, 64)
    assert both is not None
    assert one is not None
    assert (both.tokens == one.tokens).all()


def test_without_recorded_trees(run: list[Round]) -> None:
    none: dict[str, Any] = {k: np.zeros(0, np.int64) for k in ("parent", "depth", "token")}
    found = cost.dial([dataclasses.replace(r, **none) for r in run], CURVE, 64)
    assert found is not None
    assert found.tokens[-1] == pytest.approx(np.mean([r.tokens for r in run]))
