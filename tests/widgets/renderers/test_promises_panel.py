"""Any lab in Panel, without a browser: what travels, what stays the same object, what a missing private attribute does."""

from __future__ import annotations

import copy
import json
from typing import Any

import numpy as np
import panel as pn
import pytest
from panel.io.resources import DIST_DIR
from panel.reactive import Syncable

from fake_lab import FakeLab
from glasshouse_widgets.renderers import to_panel, view
from glasshouse_widgets.renderers.to_panel import PanelView

NASTY = "<img src=x onerror=alert(1)></script>"


def shown(view: PanelView, pane: str = "wave") -> dict[str, Any]:
    figure: dict[str, Any] = json.loads(view.plots[pane].figure)
    return figure


def title(view: PanelView, pane: str = "wave") -> str:
    return str(shown(view, pane)["layout"]["title"]["text"])


def said(view: PanelView, board: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(view.islands[board].board)
    return found


def test_a_knob_moved_is_a_new_figure_in_the_same_pane(lab: FakeLab) -> None:
    page = PanelView(lab)
    root = page.root.get_root()
    assert lab.wait()
    plots, islands, models = dict(page.plots), dict(page.islands), {id(m) for m in root.references()}
    assert "gain=1.0" in title(page)
    lab.set("gain", 4.0)
    assert lab.wait()
    assert "gain=4.0" in title(page)
    lab.set("angle", 0.5)
    assert "angle=0.5" in title(page)
    assert page.plots == plots
    assert all(page.plots[name] is plots[name] for name in plots)
    assert all(page.islands[name] is islands[name] for name in islands)
    assert {id(m) for m in root.references()} == models           # nor did Bokeh's own side change
    models_of = [m for m in root.references() if getattr(getattr(m, "data", None), "figure", "")]
    assert any("angle=0.5" in m.data.figure for m in models_of)


def test_what_the_browser_says_moves_the_lab(lab: FakeLab) -> None:
    page = PanelView(lab)
    assert lab.wait()
    page.said("knobs", {"do": "set", "key": "angle", "value": 0.75, "n": 3})
    assert "angle=0.75" in title(page)
    assert said(page, "knobs")["values"]["angle"] == 0.75
    assert said(page, "knobs")["ack"] == 3
    page.said("knobs", {"do": "set", "key": "gain", "value": 11, "n": 4})
    assert "at most 10" in said(page, "knobs")["messages"]["gain"]
    assert said(page, "knobs")["values"]["gain"] == 1.0
    assert said(page, "status")["message"] == ""                  # it stands beside its knob
    page.said("knobs", {"do": "set", "key": "gain", "value": 2.0, "n": 5})
    assert said(page, "knobs")["messages"] == {}


def test_a_message_is_answered_once_all_that_it_changed_is_there(lab: FakeLab, monkeypatch: pytest.MonkeyPatch) -> None:
    page = PanelView(lab)
    assert lab.wait()
    told: list[str] = []
    for name in ("show_figure", "show_board"):
        monkeypatch.setattr(page, name, lambda one, *_: told.append(getattr(one, "name", one)))
    page.said("knobs", {"do": "set", "key": "angle", "value": 0.75, "n": 1})
    page.said("knobs", {"do": "set", "key": "gain", "value": 2.0, "n": 2})
    assert "wave" in told
    assert "status" in told
    assert told[-1] == "knobs"
    assert told.index("wave") < told.index("knobs")
    assert told.index("status") < len(told) - 1


@pytest.mark.parametrize("message", [None, 3, "set", [], {}, {"do": None}, {"do": "close"}, {"do": "__init__"}, {"do": "set"},
                                     {"do": "set", "key": "gain~b", "value": 1}, {"do": "set", "key": {}, "value": {}},
                                     {"do": "choose", "what": "core", "value": 1}, {"do": "choose", "what": "method", "value": {}},
                                     {"do": "player", "what": "scrub", "value": "x"}, {"do": "player", "what": [], "value": 0},
                                     {"do": "click", "pane": "elsewhere", "point": {}}, {"do": "act", "name": "close"},
                                     {"do": "export", "kind": "pickle"}, {"do": [], "n": "x"}])
def test_nonsense_from_the_browser_changes_nothing(lab: FakeLab, message: Any) -> None:
    page = PanelView(lab)
    assert lab.wait()
    before, values = lab.figures, lab.values
    assert page.said("knobs", message) is None
    assert lab.figures is before
    assert lab.values == values
    assert not lab.closed
    assert lab.method == "fake.wave"


def test_a_question_is_answered_and_moves_nothing(lab: FakeLab) -> None:
    page = PanelView(lab)
    assert lab.wait()
    boards = {name: island.board for name, island in page.islands.items()}
    assert page.said("status", {"do": "beat"}) == {"beat": True}
    assert {name: island.board for name, island in page.islands.items()} == boards


def test_a_figure_is_replaced_and_never_changed_in_place(lab: FakeLab) -> None:
    page = PanelView(lab)
    assert lab.wait()
    for move in ({"angle": 0.5}, {"cost": 0.5}, {"round": 1}):
        old = lab.figures
        kept = copy.deepcopy(dict(old))
        lab.update(move)
        assert lab.wait()
        assert lab.figures is not old
        for name, figure in old.items():
            assert lab.figures[name] is not figure
            assert figure["layout"] == kept[name]["layout"]
            for now, then in zip(figure["data"], kept[name]["data"], strict=True):
                assert now.keys() == then.keys()
                assert all(np.array_equal(now[k], then[k]) for k in now)
    assert len(page.plots) == len(lab.panes)


def test_panes_come_and_go_with_compare(lab: FakeLab) -> None:
    page = PanelView(lab)
    assert lab.wait()
    wave = page.plots["wave"]
    assert set(page.plots) == {"wave", "history", "view-0"}
    lab.choose(compare="fake.square-wave")
    assert lab.wait()
    assert "wave~b" in page.plots
    assert "gain=0.0" in title(page, "wave~b")
    lab.choose(compare="")
    assert lab.wait()
    assert set(page.plots) == {"wave", "history", "view-0"}
    assert page.plots["wave"] is wave
    assert page.places["stage"].objects == [wave]


def test_what_a_person_typed_travels_as_json_only(lab: FakeLab) -> None:
    lab.choose(problem="own")
    page = PanelView(lab)
    assert lab.wait()
    lab.set("words", NASTY)
    assert said(page, "knobs")["values"]["words"] == NASTY
    assert NASTY not in said(page, "knobs")["link"]
    assert not [p for p in page.root.select(pn.pane.HTML) if "alert" in str(p.object)]


def test_what_draws_comes_from_this_server() -> None:
    assert (DIST_DIR / to_panel.ENGINE.removeprefix("static/extensions/panel/")).stat().st_size > 1e6


def test_the_browser_writes_text_never_markup() -> None:
    for source in (view.ISLAND, view.text("words.js", "bring.js", "plot.js", "browser/door.js", view.CONNECTION)):
        for sink in ("innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "eval(", "new Function"):
            assert sink not in source


def test_events_are_hastened_and_a_missing_attribute_is_left_alone(monkeypatch: pytest.MonkeyPatch, lab: FakeLab) -> None:
    monkeypatch.setattr(Syncable, "_debounce", 50)
    assert to_panel.hasten(7)
    assert Syncable._debounce == 7
    monkeypatch.setattr(Syncable, "_debounce", "soon")
    assert not to_panel.hasten()
    assert Syncable._debounce == "soon"
    monkeypatch.delattr(Syncable, "_debounce")
    assert not to_panel.hasten()
    assert not hasattr(Syncable, "_debounce")
    to_panel.render(lab)
    assert lab.wait()
    assert lab.status == "live"


def test_without_a_loop_results_wait_in_the_inbox(lab: FakeLab) -> None:
    assert to_panel.post_here() is None
    assert lab.panel() is not None
    assert lab.wait()
    assert lab.figures


def test_a_closed_lab_is_not_drawn(lab: FakeLab) -> None:
    page = PanelView(lab)
    assert lab.wait()
    before = page.plots["wave"].figure
    lab.close()
    lab.set("angle", 0.9)
    lab.theme = "dark"
    assert page.plots["wave"].figure == before
