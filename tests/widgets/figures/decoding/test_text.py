from __future__ import annotations

import dataclasses
import re
from collections.abc import Callable
from typing import Any

import pytest

from glasshouse.schema.events.decoding import Prompt, Round
from glasshouse.schema.piece import Piece
from glasshouse_widgets.figures.decoding import text
from glasshouse_widgets.figures.palette import LIGHT
from glasshouse_widgets.figures.tokens import across
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


GERMAN = "Größe 数据 🙂 = 1"


def by_bytes(text: str) -> tuple[str, ...]:
    return tuple(chr(b) if b < 128 else Piece(bytes([b])) for b in text.encode())


@pytest.mark.parametrize("split", range(3, 23, 2))
def test_characters_that_tokens_and_rounds_share_read_as_such(make_round: Callable[..., Round], split: int) -> None:
    """Every byte a token, the round's end anywhere in the text."""
    whole = by_bytes(GERMAN)
    prompt = dataclasses.replace(PROMPT, pieces=whole[:2])
    first = dataclasses.replace(make_round(24, 0, 0), text=whole[2:split], accepted=split - 3)
    last = dataclasses.replace(make_round(24, 1, 1), text=whole[split:], accepted=len(whole) - split - 1)
    parts = text.stretches(prompt, [first, last])
    assert "".join(p.text for p in parts) == GERMAN
    assert GERMAN in shown(text.text_so_far(prompt, [first, last], 1, LIGHT))
    assert "\ufffd" not in shown(text.text_so_far(prompt, [first], 0, LIGHT))


def test_wide_characters_take_the_room_that_they_need() -> None:
    broken = text.lines([text.Stretch("数据" * 30 + "e\u0301" * 50, 0, "final")], 20)
    assert all(sum(across(s.text) for s in line) <= 20 for line in broken)
    assert "".join(s.text for line in broken for s in line) == "数据" * 30 + "e\u0301" * 50
    assert across("e\u0301") == 1
    assert len(broken) == 60 * 2 // 20 + 3
