"""Any lab as ipywidgets, without a browser: figures change in place, text of a person's own is never markup."""

from __future__ import annotations

import json
from typing import Any

import ipywidgets
import pytest

from fake_lab import FakeCore, FakeLab
from glasshouse_widgets.renderers.to_ipywidgets import Figure, IpywidgetsView, Island

NASTY = "<img src=x onerror=alert(1)></script>"


def tree(widget: ipywidgets.Widget) -> list[ipywidgets.Widget]:
    return [widget, *(w for child in getattr(widget, "children", ()) for w in tree(child))]


def board(view: IpywidgetsView, name: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(view.islands[name].board)
    return found


def test_traces_are_updated_in_place(lab: FakeLab) -> None:
    view = IpywidgetsView(lab)
    assert lab.wait()
    figures = dict(view.figures)
    traces = {name: figure.data for name, figure in figures.items()}
    assert len(traces["wave"]) == 1
    for move, word in (({"gain": 4.0}, "gain=4.0"), ({"angle": 0.5}, "angle=0.5"), ({"steps": 9}, "index=8"), ({"cost": 0.5}, "")):
        lab.update(move)
        assert lab.wait()
        assert word in figures["wave"].layout.title.text
        assert list(figures["wave"].data[0].y) == list(lab.figures["wave"]["data"][0]["y"])
        assert json.loads(figures["wave"].figure)["layout"]["title"]["text"] == figures["wave"].layout.title.text
    assert view.figures == figures
    for name, figure in figures.items():
        assert view.figures[name] is figure
        assert len(figure.data) == len(traces[name])
        assert all(a is b for a, b in zip(figure.data, traces[name], strict=True))


def test_a_value_set_by_the_browser(lab: FakeLab) -> None:
    view = IpywidgetsView(lab)
    assert lab.wait()
    knobs = view.islands["knobs"]
    knobs._handle_custom_msg({"do": "set", "key": "angle", "value": 0.75, "n": 2}, [])
    assert lab.values["angle"] == 0.75
    assert "angle=0.75" in view.figures["wave"].layout.title.text
    assert (board(view, "knobs")["values"]["angle"], board(view, "knobs")["ack"]) == (0.75, 2)
    knobs._handle_custom_msg({"do": "set", "key": "gain", "value": "<b>", "n": 3}, [])
    assert "<b>" in board(view, "knobs")["messages"]["gain"]
    assert lab.values["gain"] == 1.0


def test_a_click_on_a_figure_is_a_look(lab: FakeLab) -> None:
    view = IpywidgetsView(lab)
    assert lab.wait()
    view.figures["wave"]._handle_custom_msg({"do": "click", "pane": "elsewhere", "point": {"x": 0.6}}, [])
    assert lab.values["angle"] == 0.6


def test_a_file_goes_back_to_who_asked(lab: FakeLab, monkeypatch: pytest.MonkeyPatch) -> None:
    view = IpywidgetsView(lab)
    assert lab.wait()
    sent: list[Any] = []
    monkeypatch.setattr(Island, "send", lambda self, content, buffers=None: sent.append((self, content)))
    view.islands["head"]._handle_custom_msg({"do": "export", "kind": "json"}, [])
    assert [(one is view.islands["head"], json.loads(content["text"])["points"]) for one, content in sent] == [(True, 5)]


def test_what_a_person_typed_is_never_markup(lab: FakeLab) -> None:
    lab.choose(problem="own")
    view = IpywidgetsView(lab)
    assert lab.wait()
    lab.set("words", NASTY)
    lab.set("gain", NASTY)
    widgets = tree(view.root)
    assert any(isinstance(w, Figure) for w in widgets)
    assert any(isinstance(w, Island) for w in widgets)
    assert not [w for w in widgets if isinstance(w, (ipywidgets.HTML, ipywidgets.HTMLMath, ipywidgets.Label))]
    assert board(view, "knobs")["values"]["words"] == NASTY
    assert NASTY not in view.link()
    assert "alert" not in repr(lab)
    for figure in view.figures.values():
        assert "alert" not in figure.figure


def test_another_number_of_traces_is_drawn_afresh() -> None:
    figure = Figure()
    one = {"data": [{"type": "scatter", "y": [1, 2]}], "layout": {"title": {"text": "one"}, "xaxis": {"range": [0, 1]}}}
    two = {"data": [{"type": "bar", "y": [3]}, {"type": "scatter", "y": [4]}], "layout": {"title": {"text": "two"}}}
    figure.draw(None, one)
    figure.draw(one, two)
    assert [t.type for t in figure.data] == ["bar", "scatter"]
    assert (figure.layout.title.text, figure.layout.xaxis.range) == ("two", None)
    figure.draw(two, one)
    assert [t.type for t in figure.data] == ["scatter"]
    assert list(figure.data[0].y) == [1, 2]


def test_what_is_no_longer_said_is_forgotten_in_place() -> None:
    figure = Figure()
    full = {"data": [{"type": "scatter", "y": [1], "name": "a", "marker": {"size": 9}}], "layout": {"title": {"text": "one"}, "showlegend": True}}
    bare = {"data": [{"type": "scatter", "y": [2]}], "layout": {}}
    figure.draw(None, full)
    trace = figure.data[0]
    figure.draw(full, bare)
    assert figure.data[0] is trace
    assert (trace.name, trace.marker.size, list(trace.y)) == (None, None, [2])
    assert (figure.layout.title.text, figure.layout.showlegend) == (None, None)


def test_panes_come_and_go_with_compare(lab: FakeLab) -> None:
    view = IpywidgetsView(lab)
    assert lab.wait()
    wave = view.figures["wave"]
    lab.choose(compare="fake.square-wave")
    assert lab.wait()
    assert view.places["stage"].children == (wave, view.figures["wave~b"])
    lab.choose(compare="")
    assert lab.wait()
    assert view.places["stage"].children == (wave,)
    assert "wave~b" not in view.figures


def test_only_its_own_link_is_opened(monkeypatch: pytest.MonkeyPatch) -> None:
    for query, angle in (("version=1&lab=fake&angle=0.5", 0.5), ("version=1&lab=conformal&alpha=0.5", 0.25), ("token=abc", 0.25)):
        monkeypatch.setenv("QUERY_STRING", query)
        lab = FakeLab(core=FakeCore())
        IpywidgetsView(lab)
        assert (lab.values["angle"], lab.message) == (angle, None)
        lab.close()


def test_a_lab_shows_itself_in_a_notebook(lab: FakeLab) -> None:
    bundle = lab._repr_mimebundle_()
    assert "application/vnd.jupyter.widget-view+json" in bundle
    assert bundle["text/plain"].startswith("FakeLab.from_state(")
