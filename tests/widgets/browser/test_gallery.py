"""The first page: a card opens in one click, the search finds methods and papers."""

from __future__ import annotations

from typing import Any

import pytest

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def url(serve: Any) -> str:
    return str(serve("-m", "glasshouse", "serve", "--no-browser", "--port", "{port}"))


def test_the_first_card_opens_its_lab(page: Any, url: str) -> None:
    page.goto(url)
    page.locator("a.lab").first.click()
    page.wait_for_selector(".js-plotly-plot .main-svg")
    assert page.url.split("?")[0].endswith("/decoding")
    page.get_by_role("link", name="Glasshouse").click()
    page.locator("a.lab").first.wait_for()


def test_cards_show_what_their_labs_drew(page: Any, url: str) -> None:
    page.goto(url)
    page.wait_for_function("(n) => { const all = (r) => [...r.querySelectorAll('.mini.drawn .main-svg'), ...[...r.querySelectorAll('*')]"
                           ".flatMap((m) => m.shadowRoot ? all(m.shadowRoot) : [])]; return all(document).length >= n; }", arg=2)


def test_the_search_finds_methods_by_name_author_and_title(page: Any, url: str) -> None:
    page.goto(url)
    search = page.get_by_label("Find")
    for typed, found in (("token recycling", "decoding.token-recycling"), ("Sadinle", "conformal.lac"), ("accelerating large", "decoding.")):
        search.fill(typed)
        page.locator(".found a", has_text=found).first.wait_for()
    search.fill("<b>nothing</b>")
    page.get_by_text("No method or paper has these words.").wait_for()
    search.fill("lac least")
    page.locator(".found a").first.click()
    page.wait_for_selector(".js-plotly-plot .main-svg")
    assert "method=conformal.lac" in page.url
