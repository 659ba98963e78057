"""The handout in Chromium: from disk with the network off and from a static host, every lab's look moves, and the eye finds nothing."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from eye import PICTURES, faults, settled
from glasshouse_widgets import labs
from glasshouse_widgets.apps.handout import handout

pytestmark = pytest.mark.browser
DRAWN = f"() => {{ const all = ({PICTURES})(); return all.length > 0 && all.every(([, drawn]) => drawn); }}"
DATA = "() => JSON.stringify([...document.querySelectorAll('.js-plotly-plot')].map((g) => [g.data, g.layout.annotations, g.layout.shapes]))"
WORDS = "() => [document.querySelector('.readout').textContent, document.querySelector('.story').textContent]"
STATE = """(i) => { const data = JSON.parse(document.getElementById('recording').textContent), now = data.states[i];
  return [now.readout.map((r) => r.value), now.story.see, now.where]; }"""
WIDTHS = (900, 1280, 1920)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """All labs, on problems that take no time."""
    tiny = {name: partial(cls, problem="tiny") for name, cls in labs.found().items()}
    (course := tmp_path_factory.mktemp("www") / "course").mkdir()
    return handout(course / "labs", states=4, found=tiny)


@pytest.fixture
def alone(browser: Any) -> Iterator[Any]:
    """A page without any network; whatever it asks for that is no file, or says in the console, fails."""
    context = browser.new_context(offline=True, viewport={"width": 1280, "height": 720}, reduced_motion="reduce")
    opened, wrong = context.new_page(), []
    opened.on("console", lambda said: wrong.append(said.text) if said.type == "error" else None)
    opened.on("pageerror", lambda error: wrong.append(str(error)))
    opened.on("request", lambda asked: None if asked.url.startswith(("file:", "blob:", "data:")) else wrong.append(asked.url))
    yield opened
    context.close()
    assert wrong == []


def looked_at(page: Any, what: str, widths: tuple[int, ...] = WIDTHS) -> None:
    for width in widths:
        page.set_viewport_size({"width": width, "height": 720})
        assert faults(settled(page)) == {}


@pytest.mark.parametrize("name", list(labs.found()))
def test_a_lab_moves_without_a_network(alone: Any, folder: Path, name: str) -> None:
    alone.emulate_media(color_scheme="dark" if len(name) % 2 else "light")
    alone.goto((folder / f"{name}.html").as_uri())
    alone.wait_for_function(DRAWN)
    slider = alone.locator(".still-look input")
    last, start = int(slider.get_attribute("max")), int(slider.input_value())
    assert last >= 1
    before = alone.evaluate(DATA)
    to = next(i for i in (last, 0) if i != start)
    slider.fill(str(to))
    alone.wait_for_function(f"(before) => ({DATA})() !== before", arg=before)
    values, see, where = alone.evaluate(STATE, to)
    readout, story = alone.evaluate(WORDS)
    assert all(value in readout for value in values)
    assert see in story
    assert alone.locator(".still-where").text_content() == where
    looked_at(alone, name)
    alone.get_by_role("button", name=" colours").click()
    alone.wait_for_function(f"(theme) => document.querySelector('.gh.plot').dataset.theme === theme && ({DRAWN})()",
                            arg="light" if len(name) % 2 else "dark")
    looked_at(alone, f"{name} in other colours", (1280,))


def test_it_plays_to_its_end(alone: Any, folder: Path) -> None:
    alone.goto((folder / "decoding.html").as_uri())
    alone.wait_for_function(DRAWN)
    alone.get_by_role("button", name="Play").click()
    alone.wait_for_function("() => Recording.state === Recording.states - 1")
    alone.get_by_role("button", name="Play").wait_for()


def test_the_gallery_leads_to_every_lab_and_back(alone: Any, folder: Path) -> None:
    alone.goto((folder / "index.html").as_uri())
    alone.wait_for_function("(n) => [...document.querySelectorAll('.gallery-strip')].filter((i) => i.naturalWidth > 0).length === n", arg=len(labs.found()))
    looked_at(alone, "the gallery")
    assert {a.get_attribute("href") for a in alone.locator("a.gallery-card").all()} == {f"{name}.html" for name in labs.found()}
    alone.get_by_label("Find").fill("token recycling")
    assert alone.locator(".gallery-found a").first.get_attribute("href") == "decoding.html"
    alone.locator("a.gallery-card").first.click()
    alone.wait_for_function(DRAWN)
    alone.get_by_role("link", name="Glasshouse").click()
    alone.locator("a.gallery-card").first.wait_for()
    assert "recordings" in alone.locator(".still-note").text_content()


class Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *said: Any) -> None:
        pass


def test_a_static_host_under_a_path_of_its_own(page: Any, folder: Path) -> None:
    """What is asked for lies below the folder; a page that could not have it says so in the console, which the fixture reads."""
    handler = partial(Quiet, directory=str(folder.parent.parent))
    asked = []
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        below = f"http://127.0.0.1:{server.server_port}/course/labs/"
        page.on("request", lambda request: asked.append(request.url))
        page.goto(below + "index.html")
        page.locator("a.gallery-card").nth(1).click()
        page.wait_for_function(DRAWN)
        assert page.url.startswith(below)
        server.shutdown()
    assert [url for url in asked if not url.startswith((below, "data:", "blob:")) and "favicon" not in url] == []
