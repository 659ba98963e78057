from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from scipy.stats import binomtest

from glasshouse.schema.events.decoding import Round
from glasshouse_widgets.figures.decoding import rounds
from glasshouse_widgets.figures.palette import DARK, LIGHT

Make = Callable[..., Round]


@pytest.fixture(scope="module")
def run(make_round: Make) -> list[Round]:
    return [make_round(24, s, s) for s in range(30)]


def test_bars_stack_to_the_tokens_of_each_round(run: list[Round], valid: Any) -> None:
    figure = valid(rounds.per_round(run, 3, LIGHT))
    accepted, own, mean, _ = figure["data"]
    assert accepted["y"] == [len(r.committed) - 1 for r in run]
    assert [a + b for a, b in zip(accepted["y"], own["y"], strict=True)] == [len(r.committed) for r in run]
    assert mean["y"][-1] == pytest.approx(np.mean([len(r.committed) for r in run]))
    assert mean["y"][4] == pytest.approx(np.mean([len(r.committed) for r in run[:5]]))
    assert accepted["customdata"] == list(range(1, 31))


def test_the_arrow_stands_over_the_round_and_only_it_moves(run: list[Round]) -> None:
    here, there = (rounds.per_round(run, current, LIGHT) for current in (3, 29))
    arrows = [next(a for a in f["layout"]["annotations"] if "▼" in a["text"]) for f in (here, there)]
    low, high = here["layout"]["xaxis"]["range"]
    assert [low + a["x"] * (high - low) for a in arrows] == pytest.approx([4, 30])
    for figure in (here, there):
        figure["layout"].pop("annotations")
    assert here == there


def test_compare_adds_no_trace(run: list[Round], valid: Any) -> None:
    one, two = valid(rounds.per_round(run, 0, DARK)), valid(rounds.per_round(run, 0, DARK, run[:7], ("<i>a", "b")))
    assert len(one["data"]) == len(two["data"])
    assert "<i>" not in str(two)
    assert two["data"][3]["y"][-1] == pytest.approx(np.mean([r.tokens for r in run[:7]]))
    one, two = valid(rounds.by_depth(run, DARK)), valid(rounds.by_depth(run, DARK, run[:7], ("a", "b")))
    assert len(one["data"]) == len(two["data"])


def test_acceptance_counts_who_got_there_and_had_a_guess(run: list[Round]) -> None:
    offered, kept = rounds.acceptance(run)
    for d in range(1, len(offered) + 1):
        there = [r for r in run if r.accepted >= d - 1 and any(r.parent[i] == r.path[d - 1] for i in range(1, r.nodes))]
        assert offered[d - 1] == len(there)
        assert kept[d - 1] == sum(r.accepted >= d for r in there)
    assert (kept <= offered).all()
    assert kept[0] == sum(r.accepted >= 1 for r in run)


def test_the_end_of_the_text_is_no_refusal(run: list[Round]) -> None:
    event = next(r for r in run if r.accepted >= 2)
    short = dataclasses.replace(event, path=event.path[:2], committed=event.committed[:1], tokens=1, accepted=1)
    offered, kept = rounds.acceptance([short])
    assert offered[0] == kept[0] == 1
    assert offered[1:].sum() == 0


def test_rates_of_nothing() -> None:
    assert rounds.rates([]) == []
    assert rounds.wilson(0, 0) == (0.0, 1.0)


@pytest.mark.parametrize(("kept", "offered"), [(0, 5), (5, 5), (3, 7), (40, 90), (1, 1000)])
def test_wilson_against_scipy(kept: int, offered: int) -> None:
    low, high = rounds.wilson(kept, offered, z=1.959963984540054)
    truth = binomtest(kept, offered).proportion_ci(0.95, method="wilson")
    assert (low, high) == pytest.approx((truth.low, truth.high), abs=1e-12)


def test_depth_figure_shows_these_numbers(run: list[Round], valid: Any) -> None:
    trace = valid(rounds.by_depth(run, LIGHT))["data"][0]
    offered, kept = rounds.acceptance(run)
    at = np.flatnonzero(offered)
    assert trace["x"] == (at + 1).tolist()
    assert trace["y"] == pytest.approx(kept[at] / offered[at])
    for d, y, up, down in zip(at, trace["y"], trace["error_y"]["array"], trace["error_y"]["arrayminus"], strict=True):
        assert (y - down, y + up) == pytest.approx(rounds.wilson(int(kept[d]), int(offered[d])))


def test_nothing_yet(valid: Any) -> None:
    valid(rounds.per_round([], 0, LIGHT))
    valid(rounds.by_depth([], LIGHT))
