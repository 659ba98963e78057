"""Every lab of the gallery, opened as a person would: each method once, a comparison, light and dark, nothing cut, nothing overlapping."""

from __future__ import annotations

from typing import Any

import pytest

from eye import PICTURES, faults, settled
from glasshouse import catalogue
from glasshouse_widgets import labs

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def url(serve: Any) -> str:
    return str(serve("-m", "glasshouse", "serve", "--no-browser", "--port", "{port}"))


def looked_at(page: Any, what: str) -> None:
    page.get_by_text("Up to date").first.wait_for()
    page.mouse.wheel(0, 4000)               # what is out of sight is drawn when it comes into sight
    page.wait_for_function(f"() => ({PICTURES})().every(([, drawn]) => drawn)")
    page.mouse.wheel(0, -9000)
    assert faults(settled(page)) == {}, what


@pytest.mark.parametrize("name", list(labs.found()))
def test_a_lab_shows_each_of_its_methods(page: Any, url: str, name: str) -> None:
    cls = labs.found()[name]
    methods = [info.id for info in catalogue.methods(cls.family) if info.room == cls.room]
    page.set_viewport_size({"width": 1280, "height": 720})
    page.emulate_media(color_scheme="dark" if len(name) % 2 else "light")
    page.goto(f"{url}/{name}")
    looked_at(page, cls.home)
    picker = page.get_by_label("method", exact=True)
    for method in [m for m in methods if m != cls.home][:3]:
        picker.select_option(value=method)
        page.wait_for_function(f"() => location.search.includes('method={method}')")
        looked_at(page, method)
    page.get_by_label("compare with", exact=True).select_option(value=cls.home or methods[0])
    page.wait_for_function("() => location.search.includes('compare=')")
    looked_at(page, f"{name}, compared")
    other = "light" if len(name) % 2 else "dark"
    for width in (900, 1920, 1280):
        page.set_viewport_size({"width": width, "height": 720})
        looked_at(page, f"{name} at {width}")
    page.get_by_role("button", name=f"{other.capitalize()} colours").click()
    page.get_by_role("button", name=f"{'Dark' if other == 'light' else 'Light'} colours").wait_for()
    for width in (1280, 900, 1920):
        page.set_viewport_size({"width": width, "height": 720})
        looked_at(page, f"{name} at {width}, {other}")


HANDLE = """
() => {
  const all = (r) => [...r.querySelectorAll(".js-plotly-plot"), ...[...r.querySelectorAll("*")].flatMap((n) => n.shadowRoot ? all(n.shadowRoot) : [])];
  const graph = all(document).find((g) => (g.getAttribute("aria-label") ?? "").startsWith("Histogram of calibration"));
  const { left, top, width, height } = graph.querySelector(".shapelayer path").getBoundingClientRect();
  return { x: left + width / 2, y: top + height / 2, at: graph.layout.shapes[0].x0, line: graph.data[1].x[0] };
}
"""


def test_the_threshold_is_a_handle_of_alpha(page: Any, url: str) -> None:
    page.set_viewport_size({"width": 1280, "height": 1200})
    page.goto(f"{url}/conformal")
    looked_at(page, "conformal")
    before = page.evaluate(HANDLE)
    page.mouse.move(before["x"], before["y"])
    page.mouse.down()
    page.mouse.move(before["x"] - 60, before["y"] + 9, steps=6)
    page.mouse.up()
    page.wait_for_function("() => /alpha=0\\.[2-5]/.test(location.search)")
    page.wait_for_function(f"(was) => {{ const now = ({HANDLE})(); return now.line < was && now.at === now.line; }}", arg=before["line"])
