"""Pages that are wrong in one way each: the eye says which, and says nothing of a page that is right."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from eye import faults, look

pytestmark = pytest.mark.browser

CARD = "border: 1px solid grey; width: 200px; height: 60px; padding: 8px; margin: 8px; box-sizing: border-box;"
RIGHT = f"""<div style="{CARD}"><b>A name</b> <i>and a word</i><br><label>alpha <input style="width: 80px"></label></div>
  <div style="{CARD} overflow: hidden; text-overflow: ellipsis; white-space: nowrap">long words that end in three dots because they must</div>
  <details><summary>more</summary><button>Go</button></details><span class="gh"><span class="sr" style="position: absolute; width: 1px;
  height: 1px; overflow: hidden">for readers of screens only</span></span>
  <svg width="200" height="40"><text x="5" y="15">one</text><text x="5" y="35">two</text></svg>"""
WRONG = {
    "over": ["""<p style="position: absolute; top: 200px; left: 9px">first card</p><p style="position: absolute; top: 204px; left: 15px">second</p>""",
             """<svg width="200" height="40"><text x="5" y="20">a tick</text><text x="9" y="22">a label</text></svg>"""],
    "outside": [f"""<div style="{CARD}"><span style="position: relative; left: 190px">a label</span></div>""",
                f"""<div style="{CARD}"><button style="width: 400px">Go</button></div>"""],
    "cut": [f"""<div style="{CARD} overflow: hidden; white-space: nowrap">words that are much longer than the card that holds them</div>""",
            """<label>problem <select style="width: 80px"><option>a name that is too long for it</option></select></label>"""],
    "zero": ["""<p style="font-size: 0">nothing to see</p>"""],
    "scrolls": ["""<div style="width: 3000px">wide</div>"""],
    "nameless": ["""<input type="range">"""],
}


@pytest.fixture(scope="module")
def blank(browser: Any) -> Iterator[Any]:
    page = browser.new_page(viewport={"width": 900, "height": 600})
    yield page
    page.close()


def shown(page: Any, html: str, shadow: bool) -> dict[str, Any]:
    page.set_content("<!doctype html><body><main></main></body>")
    page.evaluate("""([html, shadow]) => { const main = document.querySelector("main");
      (shadow ? main.attachShadow({ mode: "open" }) : main).innerHTML = html; }""", [html, shadow])
    return faults(look(page))


@pytest.mark.parametrize("shadow", [False, True])
def test_nothing_is_said_of_a_page_that_is_right(blank: Any, shadow: bool) -> None:
    assert shown(blank, RIGHT, shadow) == {}


@pytest.mark.parametrize("shadow", [False, True])
@pytest.mark.parametrize(("kind", "html"), [(kind, html) for kind, pages in WRONG.items() for html in pages])
def test_each_fault_is_seen(blank: Any, kind: str, html: str, shadow: bool) -> None:
    assert kind in shown(blank, RIGHT + html, shadow)


def test_two_meanings_of_one_class_are_seen(blank: Any) -> None:
    """What the gallery once was: cards whose words another sheet lifts out of their place."""
    cards = "".join(f'<a class="card"><span class="words"><b>Lab {i}</b></span></a>' for i in range(3))
    style = "<style>.card {{ display: block; border: 1px solid; height: 40px }} .words {{ display: grid; {} }}</style>"
    assert shown(blank, style.format("") + cards, False) == {}
    assert "over" in shown(blank, style.format("position: absolute; inset: 0") + cards, False)
