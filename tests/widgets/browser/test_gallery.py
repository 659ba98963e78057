"""The first page: a card opens in one click, the search finds methods and papers."""

from __future__ import annotations

from typing import Any

import pytest

from eye import faults, settled
from glasshouse_widgets import labs

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def url(serve: Any) -> str:
    return str(serve("-m", "glasshouse", "serve", "--no-browser", "--port", "{port}"))


def test_the_first_card_opens_its_lab(page: Any, url: str) -> None:
    page.goto(url)
    page.locator("a.gallery-card").first.click()
    page.wait_for_selector(".js-plotly-plot .main-svg")
    assert page.url.split("?")[0].endswith("/decoding")
    page.get_by_role("link", name="Glasshouse").click()
    page.locator("a.gallery-card").first.wait_for()


LOADED = """(want) => {
  const all = (r) => [...r.querySelectorAll(".gallery-strip"), ...[...r.querySelectorAll("*")].flatMap((n) => n.shadowRoot ? all(n.shadowRoot) : [])];
  const strips = all(document);
  return strips.length === want.labs && strips.every((s) => s.complete && s.naturalWidth > 0 && s.src.includes(`-${want.theme}.`));
}"""


def test_cards_show_what_their_labs_drew_in_the_colours_of_the_page(page: Any, url: str) -> None:
    for theme in ("light", "dark"):
        page.emulate_media(color_scheme=theme)
        page.goto(url)
        page.wait_for_function(LOADED, arg={"labs": len(labs.found()), "theme": theme})
    page.emulate_media(color_scheme="light")            # and they follow while the page stands
    page.wait_for_function(LOADED, arg={"labs": len(labs.found()), "theme": "light"})


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_nothing_lies_out_of_place(page: Any, url: str, theme: str) -> None:
    page.emulate_media(color_scheme=theme)
    page.goto(url)
    page.wait_for_function(LOADED, arg={"labs": len(labs.found()), "theme": theme})
    for searched in ("", "conformal"):
        page.get_by_label("Find").fill(searched)
        for width in (375, 900, 1280, 1920):
            page.set_viewport_size({"width": width, "height": 900})
            assert faults(settled(page)) == {}, f"{width}, {searched}"


def test_a_strip_plays_while_its_card_is_pointed_at_and_not_for_those_who_want_calm(page: Any, url: str) -> None:
    page.goto(url)
    strip = page.locator(".gallery-strip").first
    strip.wait_for()
    moves = "(n) => getComputedStyle(n).animationName"
    page.mouse.move(2, 2)
    assert strip.evaluate(moves) == "none"
    page.locator("a.gallery-card").first.hover()
    assert strip.evaluate(moves) == "none"              # the page's visitor asked for reduced motion
    page.emulate_media(reduced_motion="no-preference")
    assert strip.evaluate(moves) == "gallery-play"


def test_the_search_finds_methods_by_name_author_and_title(page: Any, url: str) -> None:
    page.goto(url)
    search = page.get_by_label("Find")
    for typed, found in (("token recycling", "decoding.token-recycling"), ("Sadinle", "conformal.lac"), ("accelerating large", "decoding.")):
        search.fill(typed)
        page.locator(".gallery-found a", has_text=found).first.wait_for()
    search.fill("<b>nothing</b>")
    page.get_by_text("No method or paper has these words.").wait_for()
    search.fill("lac least")
    page.locator(".gallery-found a").first.click()
    page.wait_for_selector(".js-plotly-plot .main-svg")
    assert "method=conformal.lac" in page.url
