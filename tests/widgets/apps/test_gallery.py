"""What the first page says and shows, without a browser."""

from __future__ import annotations

import json
import threading
from typing import Any

import panel as pn

from fake_lab import FakeCore, FakeLab
from glasshouse_widgets import labs
from glasshouse_widgets.apps import gallery, miniature
from glasshouse_widgets.apps.miniature import FRAMES, Miniatures
from glasshouse_widgets.labs.core import Glasshouse
from patience import PATIENCE


class Small(FakeLab):
    def __init__(self) -> None:
        super().__init__(core=FakeCore(), steps=20)


class Broken(FakeLab):
    def __init__(self) -> None:
        raise ValueError("broken")


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


def test_a_miniature_plays_the_sequence_in_both_colours() -> None:
    frames = miniature.draw(Small)
    assert {theme: len(all_) for theme, all_ in frames.items()} == {"light": FRAMES, "dark": FRAMES}
    titles = [frame["layout"]["title"]["text"] for frame in frames["light"]]
    assert "index=0" in titles[0]
    assert "index=19" in titles[-1]
    assert frames["light"][0]["layout"]["font"] != frames["dark"][0]["layout"]["font"]
    json.dumps(frames)


def test_without_a_sequence_a_look_sweeps() -> None:
    class Still(Small):
        sequence = ""

    titles = [frame["layout"]["title"]["text"] for frame in miniature.draw(Still)["light"]]
    assert len(set(titles)) == FRAMES


def test_who_waits_is_told_and_a_broken_lab_is_skipped() -> None:
    minis, told = Miniatures({"broken": Broken, "fake": Small}), list[str]()
    done = threading.Event()

    def hear(family: str, _: miniature.Frames) -> None:
        told.append(family)
        done.set()

    stop = minis.when(hear)
    minis.start()
    assert done.wait(PATIENCE)
    assert told == ["fake"]
    stop()
    late: list[str] = []
    minis.when(lambda family, _: late.append(family))
    assert late == ["fake"]
    page = gallery.page({"fake": Small}, minis, FakeCore())
    shown: Any = page.select(gallery.Gallery)[0]
    assert set(json.loads(shown.frames)) == {"fake"}
    assert isinstance(page, pn.Column)
