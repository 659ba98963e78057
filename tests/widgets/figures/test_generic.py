from __future__ import annotations

import re
from typing import Any, get_args

import numpy as np
import pytest

from glasshouse.schema.view import View, ViewKind
from glasshouse_widgets.figures import generic
from glasshouse_widgets.figures.palette import DARK, LIGHT, POINTS
from wording import plain

RNG = np.random.default_rng(0)
EXTRA: dict[str, Any] = {
    "z": RNG.random((5, 3)), "names": ["a", "<script>", "c"], "rows": ["r1", "r2", "r3", "r4", "r5\n"],
    "text": RNG.integers(0, 9, (5, 3)).astype(str),
    "x": np.arange(4), "y": np.array([[1.0, 2.0, np.nan, 4.0], [4.0, 3.0, 2.0, 1.0]]), "one": np.array([1.0, 2.0, 3.0, np.inf]),
    "color": np.array([0.0, 0.5, 1.0, np.nan]), "kind": ["yes", "no", "yes", "no"], "size": np.array([0.0, 1.0, 4.0, np.nan]),
    "parent": np.array([-1, 0, 0, 1]), "label": ["root", "a<b", "b&", "$c$"], "table": {"token <b>": ["<i>", "y"], "count": [1, 2]},
    "story": "line one\n<b>two</b>", "pieces": ["def", " f", "<b>", " def", " f"], "mark": np.array([2, 2, 0, 1, 1]),
}
VIEWS = [
    View("matrix", "m", x="names", y="rows", z="z", text="text"), View("matrix", "m", z="z"),
    View("bars", "b", x="label", y="y", series=("first", "second <i>")), View("bars", "b", x="label", y="one"),
    View("line", "l", x="x", y="y", series=("first", "second")),
    View("line", "l", y="one", note="a note that is long enough to be broken in two lines"),
    View("scatter", "s", x="x", y="one", color="color", size="size", text="label"), View("scatter", "s", x="x", y="one", color="kind"),
    View("tree", "t", parent="parent", text="label", color="color"), View("tree", "t", parent="parent", text="label"),
    View("table", "t", y="table"), View("text", "t", text="story"), View("text", "t", text="pieces", color="mark"),
    View("scene3d", "s", x="x", y="one", z="color", color="kind", text="label"),
]


@pytest.mark.parametrize("theme", [LIGHT, DARK], ids=lambda t: t.name)
@pytest.mark.parametrize("view", VIEWS, ids=lambda v: f"{v.kind}-{len(v.series)}{v.color}")
def test_every_kind_is_drawn_and_escaped(view: View, theme: Any, valid: Any) -> None:
    figure = valid(generic.draw(view, EXTRA, theme))
    assert not any(bad in repr(figure) for bad in ("<script", "<i>", "a<b'", "$c$", "<b>two"))


def test_the_set_is_closed_and_covered() -> None:
    assert {v.kind for v in VIEWS} == set(get_args(ViewKind)) == set(generic._KINDS)


@pytest.mark.parametrize("view", VIEWS, ids=lambda v: v.kind)
def test_what_is_missing_is_said(view: View, valid: Any) -> None:
    figure = valid(generic.draw(view, {}, LIGHT))
    assert figure["data"] == []
    assert "nothing to show yet" in figure["layout"]["annotations"][0]["text"].replace("<br>", " ")


def test_values_land_on_their_axes() -> None:
    matrix = generic.draw(VIEWS[0], EXTRA, LIGHT)
    assert (np.asarray(matrix["data"][0]["z"]) == EXTRA["z"]).all()
    assert matrix["layout"]["yaxis"]["ticktext"] == ["r1", "r2", "r3", "r4", "r5⏎"]
    first, second = generic.draw(VIEWS[4], EXTRA, LIGHT)["data"]
    assert first["y"] == [1, 2, None, 4]
    assert second["y"] == [4, 3, 2, 1]
    assert first["x"] == [0, 1, 2, 3]
    assert first["name"] == "first"
    assert first["line"]["dash"] != second["line"]["dash"]
    bars = generic.draw(VIEWS[2], EXTRA, LIGHT)["data"]
    assert bars[0]["marker"]["pattern"]["shape"] != bars[1]["marker"]["pattern"]["shape"]
    cells = generic.draw(VIEWS[10], EXTRA, LIGHT)["data"][0]["cells"]["values"]
    assert cells == [["&lt;i&gt;", "y"], ["1", "2"]]


def test_names_of_points_differ_by_shape_too() -> None:
    marker = generic.draw(VIEWS[7], EXTRA, LIGHT)["data"][0]["marker"]
    assert marker["color"][0] == marker["color"][2] != marker["color"][1]
    assert marker["symbol"][0] == marker["symbol"][2] != marker["symbol"][1]


def test_marked_text_keeps_every_letter_in_order() -> None:
    body = generic.draw(VIEWS[12], EXTRA, LIGHT)["layout"]["annotations"][0]["text"]
    assert plain(re.sub("<sup>.</sup>", "", body)) == "def f<b> def f"
    assert body.index("<sup>2</sup>") < body.index("<sup>1</sup>")


def test_too_much_is_thinned(valid: Any) -> None:
    n = 5 * POINTS
    extra = {"z": np.ones((700, 900)), "x": np.arange(n), "y": np.ones((3, n)), "one": np.ones(n)}
    valid(generic.draw(View("matrix", "m", z="z"), extra, LIGHT))
    valid(generic.draw(View("bars", "m", y="y"), extra, LIGHT))
    valid(generic.draw(View("line", "m", x="x", y="y"), extra, LIGHT))
    valid(generic.draw(View("scatter", "m", x="x", y="one"), extra, LIGHT))
    valid(generic.draw(View("scene3d", "m", x="x", y="one", z="one"), extra, LIGHT))


def test_nothing_given_is_changed() -> None:
    before = {k: np.array(v) for k, v in EXTRA.items() if isinstance(v, np.ndarray)}
    for view in VIEWS:
        generic.draw(view, EXTRA, LIGHT)
    assert all((np.isnan(v) | (v == EXTRA[k])).all() if v.dtype.kind == "f" else (v == EXTRA[k]).all() for k, v in before.items())


def test_a_scale_of_colours_is_said_from_the_least_to_the_greatest() -> None:
    for view in (VIEWS[0], View("scatter", "s", x="x", y="one", color="color"), View("tree", "t", parent="parent", color="color")):
        values = np.asarray(EXTRA["z" if view.kind == "matrix" else "color"], float)
        lines = [plain(a["text"]) for a in generic.draw(view, EXTRA, LIGHT)["layout"]["annotations"]]
        assert lines == [f"{np.nanmin(values):.3g} {'█' * len(LIGHT.sequential)} {np.nanmax(values):.3g}"]
    names = generic.draw(View("scatter", "s", x="x", y="one", color="kind"), EXTRA, LIGHT)["layout"]["annotations"]
    assert [plain(a["text"]) for a in names] == ["● no   ◆ yes"]
    same = EXTRA | {"color": np.ones(4)}
    assert generic.draw(View("tree", "t", parent="parent", color="color"), same, LIGHT)["layout"]["annotations"] == []
