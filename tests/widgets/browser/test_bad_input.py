"""What a person can do wrong on the screen: one message in plain words, the last good picture kept, and nothing of theirs is run."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from people import DEEP, Served, drag, link, messages, seen, settle, started

pytestmark = pytest.mark.browser
SHORT = {"max_new_tokens": 24}
MARKUP = ("<img src=x onerror=\"window.ran = 1\">", "<script>window.ran = 1</script>", "<b onmouseover=\"window.ran = 1\">bold</b>",
          "<a href=\"javascript:window.ran=1\">x</a>")
FOREIGN = "() => {" + DEEP + """
  const planted = (n) => n.tagName.toLowerCase() !== "a" || (n.href.baseVal ?? n.href).startsWith("javascript:");
  return all("img[src=x], [onerror], [onmouseover], a").filter(planted).length
    + all("script").filter((n) => n.textContent.includes("window.ran")).length;
}"""
WORDS = "() => {" + DEEP + " return all('.js-plotly-plot text, .words > div').map((n) => n.textContent).join(' '); }"


@pytest.fixture(scope="module")
def served(serve: Callable[..., str], tmp_path_factory: pytest.TempPathFactory) -> Served:
    return started(serve, tmp_path_factory.mktemp("bad"))


@pytest.fixture
def lab(page: Any, served: Served) -> Any:
    page.set_viewport_size({"width": 1280, "height": 2000})
    page.goto(served.url + link(**SHORT))
    settle(page)
    return page


def _works(page: Any) -> None:
    """A knob moves the picture, and nothing is said."""
    before = seen(page)
    drag(page, "temperature", [1.5])
    settle(page)
    assert seen(page) != before
    assert messages(page) == []


@pytest.mark.parametrize("text", MARKUP)
def test_markup_in_a_prompt_is_only_text(lab: Any, text: str) -> None:
    said: list[str] = []
    lab.on("dialog", lambda dialog: (said.append(dialog.message), dialog.dismiss()))
    before = seen(lab)
    field = lab.get_by_label("your prompt")
    lab.locator("details:has(textarea) summary").first.click()
    field.fill(text)
    field.blur()
    settle(lab)
    shown = seen(lab)
    assert shown != before
    assert "window.ran" in lab.evaluate(WORDS).replace(" ", "").replace("\u2423", ""), "the prompt is not on the screen"
    assert lab.evaluate("() => window.ran === undefined")
    assert lab.evaluate(FOREIGN) == 0
    assert said == []
    assert "text=" not in lab.url


LINKS = {
    "unknown knob": (link(bogus=3, **SHORT), "bogus"),
    "another version": (link(**{**SHORT, "version": 99}), "version 99"),
    "no version": ("/decoding?temperature=1", "version"),
    "negative": (link(temperature=-1), "temperature"),
    "not a number": (link(temperature="nan"), "temperature"),
    "unknown method": (link(method="decoding.bogus"), "bogus"),
    "said twice": (link(temperature=1) + "&temperature=2", "twice"),
    "markup": (link(prompt="%3Cimg%20src=x%20onerror=alert(1)%3E"), "prompt"),
    "own text": (link(text="hello"), "text"),
}


@pytest.mark.parametrize("name", LINKS)
def test_a_link_that_cannot_be_had(page: Any, served: Served, name: str) -> None:
    address, word = LINKS[name]
    page.set_viewport_size({"width": 1280, "height": 2000})
    page.goto(served.url + address)
    settle(page)
    said = messages(page)
    assert len(said) == 1
    assert word in said[0]
    assert "Traceback" not in page.content()
    assert page.get_by_label("temperature, exact", exact=True).input_value() == "0.7"
    _works(page)


@pytest.mark.parametrize(("knob", "value"), [("temperature", "9"), ("temperature", "-1"), ("new tokens", "4000"), ("top-p", "0")])
def test_a_number_out_of_bounds(lab: Any, knob: str, value: str) -> None:
    before = seen(lab)
    box = lab.get_by_role("spinbutton", name=knob).first
    good = box.input_value()
    box.fill(value)
    box.press("Enter")
    message = lab.locator(".knob", has=box).locator("p.message")
    message.get_by_text(value).wait_for()
    settle(lab)
    assert messages(lab) == [message.inner_text().strip()]
    assert seen(lab) == before
    box.fill(good)
    box.press("Enter")
    _works(lab)


def test_nothing_broke(served: Served) -> None:
    """Last: none of this left a trace in the server's log."""
    assert "Traceback" not in served.complaints
    assert "ERROR" not in served.complaints
