"""The exported page opens from a file, without a server, and its one look moves the figures and the numbers."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from eye import faults, settled
from glasshouse_widgets.labs.conformal import ConformalLab
from glasshouse_widgets.labs.decoding import DraftTreeLab
from glasshouse_widgets.renderers.arrays import to_json
from glasshouse_widgets.renderers.to_html import taken
from patience import until

pytestmark = pytest.mark.browser


def test_a_saved_lab_moves_without_a_server(browser: Any, tmp_path: Path) -> None:
    lab = ConformalLab()
    assert lab.wait()
    file = tmp_path / "lab.html"
    file.write_text(lab.export_html().text, "utf-8")
    recorded = taken(lab)
    shown = {r.label: r.value.strip() for r in lab.readout}
    lab.close()
    context = browser.new_context(offline=True)
    page, errors = context.new_page(), []
    page.on("console", lambda message: errors.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.goto(file.as_uri())
    page.locator(".still-stage .main-svg").first.wait_for()
    assert page.locator(".still-where").text_content() == "0.1"
    for value in shown.values():
        page.locator(".readout", has_text=value).wait_for()
    page.locator(".still-second .main-svg").first.wait_for()
    before = page.locator(".still-second .main-svg").first.inner_html()
    page.get_by_label("alpha").fill("20")
    page.wait_for_function("(before) => document.querySelector('.still-second .main-svg').innerHTML !== before", arg=before)
    assert page.locator(".still-where").text_content() != "0.1"
    for theme in ("light", "dark"):         # what the browser puts together is what the lab draws there
        for i, state in enumerate(recorded.states):
            for name, figure in state.themed[theme].items():
                assert page.evaluate("([n, t, i]) => Recording.figure(n, t, i)", [name, theme, i]) == json.loads(to_json(figure))
    context.close()
    assert errors == []


def test_nothing_of_a_saved_lab_lies_out_of_place(browser: Any, tmp_path: Path) -> None:
    """One lab, in one file: the pages of all labs go through the eye in the handout, which is made of the same parts."""
    lab = DraftTreeLab()
    page = browser.new_page(offline=True)
    for theme in ("light", "dark"):
        lab.theme = theme
        until(lab.wait)
        file = tmp_path / f"{theme}.html"
        file.write_text(lab.export_html(states=2).text, "utf-8")
        page.goto(file.as_uri())
        page.locator(".still-stage .main-svg").first.wait_for()
        for width in (900, 1280, 1920):
            page.set_viewport_size({"width": width, "height": 900})
            assert faults(settled(page)) == {}, f"{theme}, {width}"
    lab.close()
    page.close()
