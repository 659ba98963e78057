from __future__ import annotations

import dataclasses
import re
from collections.abc import Callable
from typing import Any

import pytest

from glasshouse.schema.events.decoding import Prompt, Round
from glasshouse_widgets.figures.decoding import text
from glasshouse_widgets.figures.palette import LIGHT
from wording import plain

PROMPT = Prompt(tokens=3, ids=(0, 1, 2), pieces=("def f(", "x):", "\n    "), target="t", draft="d")


def shown(figure: dict[str, Any]) -> str:
    return plain(figure["layout"]["annotations"][1]["text"])


def test_the_whole_text_in_order(make_round: Callable[..., Round]) -> None:
    rounds = [make_round(24, s, s) for s in range(5)]
    parts = text.stretches(PROMPT, rounds)
    assert "".join(p.text for p in parts) == "".join(PROMPT.pieces) + "".join("".join(r.text) for r in rounds)
    for i, event in enumerate(rounds):
        mine = [p for p in parts if p.round == i]
        assert "".join(p.text for p in mine if p.kind == "accepted") == "".join(event.text[:event.accepted])
        assert "".join(p.text for p in mine if p.kind == "final") == event.text[-1]


@pytest.mark.parametrize("width", [1, 7, 58])
def test_lines_lose_nothing_but_newlines(make_round: Callable[..., Round], width: int) -> None:
    parts = text.stretches(PROMPT, [make_round(24, s, s) for s in range(9)])
    broken = text.lines(parts, width)
    assert all(sum(len(s.text) for s in line) <= width for line in broken)
    assert "".join(s.text for line in broken for s in line) == "".join(p.text for p in parts).replace("\n", "")


def test_figure_shows_the_end_and_marks_the_round(make_round: Callable[..., Round], valid: Any) -> None:
    rounds = [dataclasses.replace(make_round(24, s, s), text=tuple(f"<w{t}> " for t in make_round(24, s, s).committed)) for s in range(40)]
    figure = valid(text.text_so_far(PROMPT, rounds, 39, LIGHT))
    assert rounds[39].text[-1].strip() in shown(figure)
    body = figure["layout"]["annotations"][1]["text"]
    under = plain("".join(re.findall("<u>(.*?)</u>", body)))
    assert under.replace(" ", "") == "".join(rounds[39].text).replace(" ", "")
    assert "<w" not in body                                     # tokens that look like tags are text
    early = valid(text.text_so_far(PROMPT, rounds, 0, LIGHT))
    assert shown(early).startswith("def f(x):\n")
    assert early["layout"]["annotations"][1]["text"].count("<br>") < 14


def test_no_prompt_and_no_rounds(valid: Any) -> None:
    valid(text.text_so_far(None, [], 0, LIGHT))
