"""The gallery's pictures ship, are small, belong to today's labs, and nothing is computed to show them."""

from __future__ import annotations

import json
from typing import Any

import pytest
from PIL import Image

from fake_lab import FakeCore, FakeLab
from glasshouse_widgets import labs
from glasshouse_widgets.apps import gallery, miniature
from glasshouse_widgets.apps.miniature import FRAMES, Strip
from glasshouse_widgets.labs.base import Lab

MOST = 200_000          # bytes a strip: 80 labs, light and dark, stay far below what data may weigh


class Small(FakeLab):
    def __init__(self) -> None:
        super().__init__(core=FakeCore(), steps=20)


def test_every_lab_has_a_strip_in_both_colours() -> None:
    found, home = miniature.shipped(), miniature.folder()
    assert home is not None
    assert set(found) == set(labs.found()), "make miniatures"
    for lab, strip in found.items():
        assert 0 <= strip.still < strip.frames <= FRAMES
        for theme in ("light", "dark"):
            file = home / strip.file(lab, theme)
            assert file.stat().st_size <= MOST
            with Image.open(file) as image:
                width, height = image.size
                assert width / strip.frames / height == 1.5
                middle = image.convert("L").resize((48 * strip.frames, 32))
            low, high = middle.getextrema()
            assert high - low > 60, f"{lab}, {theme}: the picture is empty"


@pytest.mark.long
@pytest.mark.parametrize("name", list(labs.found()))
def test_a_strip_was_drawn_from_what_the_lab_is_now(name: str) -> None:
    assert miniature.fingerprint(labs.found()[name]) == miniature.shipped()[name].drawn_from, "make miniatures"


def test_the_fingerprint_sees_another_picture_and_other_defaults() -> None:
    class Coloured(Small):
        def draw(self, name: str, shown: Any, other: Any) -> dict[str, Any]:
            figure = super().draw(name, shown, other)
            return figure | {"data": [{**trace, "line": {"color": "#d55e00"}} for trace in figure["data"]]}

    class Elsewhere(Small):
        def __init__(self) -> None:
            super().__init__()
            self.set("gain", 2.0)

    plain = miniature.fingerprint(Small)
    assert plain == miniature.fingerprint(Small)
    assert len({plain, miniature.fingerprint(Coloured), miniature.fingerprint(Elsewhere)}) == 3


def test_no_lab_is_opened_to_show_the_gallery(monkeypatch: pytest.MonkeyPatch) -> None:
    def opened(self: Lab, *_: Any, **__: Any) -> None:
        raise AssertionError("a lab was opened")

    monkeypatch.setattr(Lab, "__init__", opened)
    page = gallery.page(labs.found())
    shown = json.loads(page.select(gallery.Gallery)[0].board)
    assert all(row["picture"] for row in shown["rows"])
    assert all(not place.startswith(("/", "http")) for row in shown["rows"] for place in (row["picture"]["light"], row["picture"]["dark"]))


def test_a_lab_without_a_strip_has_a_plain_card(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(miniature, "folder", lambda: None)
    assert all(row["picture"] is None for row in gallery.board(labs.found(), FakeCore())["rows"])


def test_frames_play_the_sequence_in_both_colours() -> None:
    drawn = miniature.draw(Small)
    frames = drawn.frames
    assert {theme: len(all_) for theme, all_ in frames.items()} == {"light": FRAMES, "dark": FRAMES}
    titles = [frame["layout"]["title"]["text"] for frame in frames["light"]]
    assert "index=0" in titles[0]
    assert "index=19" in titles[-1]
    assert drawn.still == FRAMES - 1
    assert frames["light"][0]["layout"]["font"] != frames["dark"][0]["layout"]["font"]
    json.dumps(frames)


def test_without_a_sequence_a_look_sweeps() -> None:
    class Still(Small):
        sequence = ""

    drawn = miniature.draw(Still)
    assert len({frame["layout"]["title"]["text"] for frame in drawn.frames["light"]}) == FRAMES
    assert drawn.still == 0


def test_places_are_relative() -> None:
    assert Strip(6, 0, "").board("a")["light"] == "miniatures/a-light.webp"
