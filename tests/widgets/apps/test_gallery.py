"""What the first page says and shows, without a browser."""

from __future__ import annotations

import json

from glasshouse_widgets import labs
from glasshouse_widgets.apps import gallery
from glasshouse_widgets.labs.core import Glasshouse


def test_every_lab_has_a_card_and_every_method_is_found() -> None:
    found = labs.found()
    board = gallery.board(found, Glasshouse())
    assert [row["lab"] for row in board["rows"]] == list(found)
    assert board["rows"][0]["family"] == "decoding"
    for row, cls in zip(board["rows"], found.values(), strict=True):
        assert row["question"].endswith("?")
        assert len(row["sentence"].split()) < 30
        assert row["title"] == cls.title
    assert len(board["methods"]) == sum(row["methods"] for row in board["rows"]) >= 11
    json.dumps(board)


def test_a_searched_method_opens_its_lab_with_it() -> None:
    board = gallery.board(labs.found(), Glasshouse())
    for method in board["methods"][:3]:
        family, _, query = method["href"].partition("?")
        lab = labs.found()[family]()
        lab.open_link(query)
        assert lab.message is None
        assert lab.method == method["id"]
        lab.close()
