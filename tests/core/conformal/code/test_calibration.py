"""Holes in a person's own programs: errors and sets are those of the recorded run; the text with holes is read back."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np
import pytest

import glasshouse as gh
from glasshouse import catalogue
from glasshouse.families.conformal import calibrate_code
from glasshouse.families.conformal.code.interface import Statement
from glasshouse.schema.errors import GlasshouseError
from glasshouse.schema.events.conformal_code import Programs


def _handed_over(statement: Statement) -> tuple[list[str], list[float]]:
    ends = [0, *statement.token_end.tolist()]
    return [statement.guess.text[a:b] for a, b in pairwise(ends)], statement.token_nll.tolist()


def test_it_makes_the_holes_of_the_run() -> None:
    session = gh.open("conformal.pac-code", problem="tiny", cost_of="text")
    programs = next(event for event in session.events() if isinstance(event, Programs))
    pool = catalogue.problem("conformal.code", "tiny").open()
    given = [_handed_over(pool.statements[i]) for i in pool.calibration]
    for holes in (1, 3):
        found = calibrate_code([t for t, _ in given], [n for _, n in given], [pool.statements[i].truth.text for i in pool.calibration], holes)
        assert np.array_equal(found.errors, programs.errors[holes - 1])
        for place, i in enumerate(pool.test.tolist()):
            for eps in (0.2, 0.5):
                theirs = session.look(eps=eps, holes=holes, statement=place)
                assert np.array_equal(found.program(*_handed_over(pool.statements[i]), eps=eps).kept, theirs.kept)


def test_holes_stand_where_nodes_are_left_out() -> None:
    tokens, nll = ["total", " = ", "f", "(", "x", ", ", "y", ")"], [0.0, 0.0, 0.0, 0.0, 5.0, 0.0, 6.0, 0.0]
    wrong = "total = f(a, b)"
    found = calibrate_code([tokens] * 50, [nll] * 50, [wrong] * 50, holes=2)
    result = found.program(tokens, nll)
    assert result.text == "total = f(??, ??)"
    assert result.guarantee.kind == "PAC"
    assert calibrate_code([tokens] * 50, [nll] * 50, ["total = f(x, y)"] * 50).program(tokens, nll).text == "total = f(x, y)"
    few = calibrate_code([tokens] * 3, [nll] * 3, [wrong] * 3).program(tokens, nll)
    assert few.text == "??"
    assert "too few" in few.guarantee.statement


@pytest.mark.parametrize(("values", "argument"), [
    ({"tokens": [["x = "]]}, "tokens"), ({"tokens": ["x = 1"]}, "tokens"), ({"tokens": [["x = 1\n", "y = 2"]], "nll": [[0.0, 0.0]]}, "tokens"),
    ({"nll": [[0.1]]}, "nll"), ({"nll": [[0.1, -1.0]]}, "nll"), ({"nll": []}, "nll"), ({"truths": ["x = "]}, "truths"), ({"truths": []}, "truths"),
    ({"holes": 5}, "holes"), ({"cost_of": "words"}, "cost_of"), ({"count": 2}, "count")])
def test_bad_arguments_are_named(values: dict[str, Any], argument: str) -> None:
    good: dict[str, Any] = {"tokens": [["x = ", "1"]], "nll": [[0.1, 0.2]], "truths": ["x = 1"]}
    with pytest.raises(GlasshouseError) as caught:
        calibrate_code(**{**good, **values})
    assert caught.value.argument == argument


def test_a_bad_promise_is_named() -> None:
    found = calibrate_code([["x"]], [[0.1]], ["x"])
    for values in ({"eps": 0}, {"delta": 1.5}):
        with pytest.raises(GlasshouseError) as caught:
            found.program(["x"], [0.1], **values)
        assert caught.value.argument == next(iter(values))
