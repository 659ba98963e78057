"""The page that needs no server: whole, escaped, without an address it would load from."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest

from glasshouse.schema.errors import BadValue
from glasshouse_widgets.labs.conformal import ConformalLab
from glasshouse_widgets.renderers.arrays import to_json
from glasshouse_widgets.renderers.difference import patched
from glasshouse_widgets.renderers.to_html import page, taken


@pytest.fixture(scope="module")
def lab() -> Any:
    made = ConformalLab(problem="tiny", compare="conformal.aps")
    assert made.wait()
    yield made
    made.close()


def data_of(text: str) -> dict[str, Any]:
    found = re.search(r'<script type="application/json" id="recording">(.*?)</script>', text, re.DOTALL)
    assert found
    read: dict[str, Any] = json.loads(found[1])
    return read


def test_every_state_has_every_pane_and_the_lab_s_own_numbers(lab: ConformalLab) -> None:
    exported = lab.export_data("html")
    assert (exported.filename, exported.mime) == ("glasshouse-conformal-lac-seed0.html", "text/html")
    data = data_of(exported.text)
    assert len(data["states"]) == 30
    panes = {pane["name"] for pane in data["panes"]}
    for which in data["which"].values():
        assert len(which) == 30
        for at in which:
            assert at.keys() == panes
            assert all(0 <= k < len(data["figures"][name]) for name, k in at.items())
    now = data["states"][data["start"]]
    assert now["where"] == "0.1"
    assert [(r["value"], r["other"]) for r in now["readout"]] == [(r.value, r.other) for r in lab.readout]
    assert len(data["figures"]["scores"]) >= 15
    assert len(data["figures"]["view-0"]) == 2              # what does not change stands there once for each theme


def test_every_figure_of_every_state_and_theme_comes_back(lab: ConformalLab) -> None:
    recorded = taken(lab, states=6)
    data = data_of(page(lab, recorded))
    for theme in ("light", "dark"):
        for at, state in zip(data["which"][theme], recorded.states, strict=True):
            for name, figure in state.themed[theme].items():
                first, mine = data["figures"][name][0], data["figures"][name][at[name]]
                assert (patched(first, mine) if at[name] else first) == json.loads(to_json(figure)), (theme, name, state.value)


def test_it_says_what_is_absent_and_loads_nothing(lab: ConformalLab) -> None:
    text = lab.export_html().text
    plain = re.sub(r"<script>.*?</script>", "", text, flags=re.DOTALL)
    assert "nothing is computed" in plain
    assert "Problem tiny, seed 0" in plain
    assert not re.search(r"(src|@import|url\()\s*=?\s*[\"']?https?:", plain)
    assert "default-src 'none'" in plain


def test_one_state_and_bad_looks(lab: ConformalLab) -> None:
    assert len(data_of(lab.export_html(look="").text)["states"]) == 1
    with pytest.raises(BadValue, match="look"):
        lab.export_html(look="alhpa")
    with pytest.raises(BadValue, match="csv, json or html"):
        lab.export_data("exe")


def test_text_cannot_end_the_script_or_become_a_tag(lab: ConformalLab, monkeypatch: pytest.MonkeyPatch) -> None:
    evil = "</script><img src=x onerror=alert(1)>"
    monkeypatch.setattr(type(lab), "title", evil)
    monkeypatch.setattr(type(lab), "explain", lambda self, shown, other: __import__("glasshouse_widgets.labs.base", fromlist=["Story"]).Story(evil))
    text = lab.export_html(look="").text
    assert evil not in text
    assert data_of(text)["states"][0]["story"]["see"].startswith(evil)
