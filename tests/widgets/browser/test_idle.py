"""A page of a real lab that nobody touches goes on hearing from its server, and is never cut off from it."""

from __future__ import annotations

from typing import Any

import pytest

pytestmark = pytest.mark.browser

COUNT = """() => {
  window.heard = 0;
  window.states = new Set();
  for (const line of window.glasshouseLines.values()) {
    const plain = line.heard.bind(line);
    line.heard = () => { window.heard += 1; plain(); };
    line.watch((state) => window.states.add(state));
  }
}"""


def test_beats_are_answered_and_heard(page: Any, serve: Any) -> None:
    url = serve("-m", "glasshouse", "serve", "--no-browser", "--port", "{port}")
    page.goto(f"{url}/conformal")
    page.get_by_text("Up to date").first.wait_for()
    page.evaluate(COUNT)
    page.wait_for_function("() => window.heard >= 4")
    assert page.evaluate("() => window.states.has('cut')") is False
