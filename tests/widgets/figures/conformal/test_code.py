"""Pictures of programs with holes, read back against what they show."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import lru_cache
from typing import Any

import numpy as np
import pytest

from glasshouse import runs
from glasshouse.schema.events.conformal_code import Holed, Resamples
from glasshouse_widgets.figures.conformal import code, code_budget
from glasshouse_widgets.figures.palette import DARK, GREEN, LIGHT, VERMILION, Theme

Check = Callable[[dict[str, Any]], dict[str, Any]]


@lru_cache(maxsize=4)
def opened(problem: str, **values: Any) -> runs.Session:
    session = runs.open("conformal.pac-code", problem, **values)
    list(session.events())
    return session


def looked(problem: str = "tiny", **looks: Any) -> Holed:
    seen = opened(problem).look(**{"eps": 0.3, "delta": 0.3} | looks)
    assert isinstance(seen, Holed)
    return seen


def bars(figure: dict[str, Any]) -> list[dict[str, Any]]:
    return [t for t in figure["data"] if t["type"] == "bar"]


@pytest.mark.parametrize("theme", [LIGHT, DARK])
@pytest.mark.parametrize("eps", [0.001, 0.2, 0.6])
def test_plotly_takes_them_and_their_traces_stay(theme: Theme, eps: float, valid: Check) -> None:
    counts = set()
    for statement in range(12):
        seen = looked(eps=eps, statement=statement, holes=statement % 4 + 1)
        figures = (code.program(seen, theme), code.statements(seen, theme), code_budget.errors(seen, theme),
                   code_budget.removed(seen, None, theme), code_budget.removed(seen, seen, theme), code_budget.kept_promise(seen, None, theme))
        for figure in figures:
            valid(figure)
        counts.add(tuple(len(figure["data"]) for figure in figures))
    assert len(counts) == 1


def test_blocks_of_the_set_are_the_kept_text_and_the_holes() -> None:
    for statement in range(20):
        seen = looked(statement=statement, holes=2)
        block = bars(code.program(seen, LIGHT))[1]
        hatched = [s == "/" for s in block["marker"]["pattern"]["shape"]]
        text = "".join("?" if h else t for t, h in zip(block["text"], hatched, strict=True))
        above = np.where(seen.guess.parent >= 0, seen.kept[seen.guess.parent], True)
        assert hatched.count(True) >= int((above & ~seen.kept).sum()) > 0 or not (above & ~seen.kept).any()
        assert hatched.count(True) == 0 or "?" in text
        assert sum(block["x"]) == pytest.approx(sum(bars(code.program(seen, LIGHT))[0]["x"]) + 0.08 * (len(bars(
            code.program(seen, LIGHT))[0]["x"]) - len(block["x"])))


def test_a_wrong_word_is_red_where_kept_and_green_in_a_hole() -> None:
    colors = {VERMILION: 0, GREEN: 0}
    for eps in (0.001, 0.9):
        for statement in range(20):
            seen = looked(eps=eps, statement=statement)
            fill = bars(code.program(seen, LIGHT))[2]["marker"]["color"]
            assert (VERMILION in fill) == bool((seen.guess.wrong & seen.kept).any())
            assert (GREEN in fill) == bool((seen.guess.wrong & ~seen.kept).any())
            for color in colors:
                colors[color] += color in fill
    assert min(colors.values()) > 0


def test_the_tree_has_every_node_and_its_holes() -> None:
    seen = looked(statement=3, eps=0.2)
    nodes = bars(code.program(seen, LIGHT))[3]
    assert len(nodes["y"]) == len(seen.guess)
    above = np.where(seen.guess.parent >= 0, seen.kept[seen.guess.parent], True)
    assert [s == "/" for s in nodes["marker"]["pattern"]["shape"]] == (above & ~seen.kept).tolist()
    assert min(nodes["y"]) > 0


def test_text_of_a_program_is_never_markup() -> None:
    seen = looked(statement=0)
    nasty = "<b>&x $y$"
    guess = replace(seen.guess, guess=nasty, truth=nasty, typed=nasty, own=(nasty,) * len(seen.guess),
                    owner=np.zeros(len(nasty), np.int64), truth_owner=np.zeros(len(nasty), np.int64))
    programs = replace(seen.programs, guesses=(guess, *seen.programs.guesses[1:]))
    shown = replace(seen, programs=programs)
    for figure in (code.program(shown, LIGHT), code.statements(shown, LIGHT)):
        texts = [t for trace in figure["data"] for key in ("text", "hovertext") for t in np.atleast_1d(trace.get(key, ""))]
        texts += [a["text"] for a in figure["layout"].get("annotations", [])]
        assert any("&lt;b&gt;" in t for t in texts)
        assert not any("<b>" in t or "$y" in t for t in texts)


@pytest.mark.parametrize("half", [False, True])
def test_a_long_statement_stays_in_the_picture(half: bool) -> None:
    for statement in range(0, 400, 20):
        seen = opened("shorthand").look(statement=statement)
        assert isinstance(seen, Holed)
        figure = code.program(seen, LIGHT, half)
        assert bars(figure)[2]["base"][-1] < (34 if half else 68)
        low, high = figure["layout"]["xaxis"]["range"]
        for trace in bars(figure)[:3]:
            assert min(trace["base"]) >= low
            assert max(b + x for b, x in zip(trace["base"], trace["x"], strict=True)) <= high


def test_the_budget_and_its_errors() -> None:
    seen = looked(holes=3)
    data = code_budget.errors(seen, LIGHT)["data"]
    assert data[2]["y"].tolist() == seen.programs.errors[2][::-1].tolist()
    assert data[4]["y"] == [seen.allowed] * 2
    assert data[5]["y"] == [seen.programs.errors[2, seen.chosen]]
    assert data[2]["y"][data[5]["x"][0]] == data[5]["y"][0]


def test_what_a_promise_costs() -> None:
    seen = looked(holes=1)
    data = code_budget.removed(seen, None, LIGHT)["data"]
    assert data[0]["y"].tolist() == (seen.curve_removed[0] * 100).tolist()
    assert data[-1]["y"] == [seen.removed * 100]
    assert data[4]["y"] == []


def test_other_calibrations_choose_as_the_run_does() -> None:
    """Their chosen budgets by the drive's own rule, row by row."""
    from glasshouse.families.conformal.code.drive import chosen

    seen = looked(holes=2)
    *_, studied = runs.study("conformal.pac-code", "resamples", "tiny", options={"total": 40})
    assert isinstance(studied, Resamples)
    rates = code_budget.chosen_rates(seen, studied)
    assert rates.tolist() == [studied.rate[1, chosen(row[1], seen.allowed)] for row in studied.errors]
    figure = code_budget.kept_promise(seen, studied, LIGHT)
    assert "of 40 beyond" in figure["layout"]["annotations"][0]["text"]
    none = replace(seen, allowed=-1)
    assert (code_budget.chosen_rates(none, studied) == 0).all()


def test_the_list_carries_the_numbers_of_its_statements() -> None:
    seen = looked(statement=11)
    data = code.statements(seen, LIGHT)["data"]
    assert data[1]["customdata"] == data[2]["customdata"] == list(range(9, 18))
    assert data[0]["y"] == [6]
    marks = data[1]["text"]
    for i, mark in zip(range(9, 18), marks, strict=True):
        kept = seen.programs.kept[i][seen.holes - 1, seen.chosen]
        assert (mark == "✗") == bool((kept & seen.programs.guesses[i].wrong).any())
    last = looked(statement=19)
    assert len(code.statements(last, LIGHT)["data"][1]["y"]) == 2
