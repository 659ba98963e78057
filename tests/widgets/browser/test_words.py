"""The words of a figure, which the page sets itself: they say what Plotly's annotations would, where Plotly would have said it."""

from __future__ import annotations

import json
from typing import Any

import pytest
from plotly.offline import get_plotlyjs

from glasshouse_widgets.figures.palette import LIGHT, bare, layout, note
from glasshouse_widgets.figures.tokens import escaped
from glasshouse_widgets.renderers.view import text

pytestmark = pytest.mark.browser

NASTY = "<img src=x onerror=alert(1)> & $x$ </b> &lt;"
TAGGED = '<span style="color:#D55E00">\u2715</span> rejected   <b>a <u>b</u></b><i>c</i>'
QUOTED = "<span style='color:#009E73'>\u25cf</span> held"
WORDS = [
    note("left above", 0, 1, LIGHT), note("two<br>lines below", 0, 0, LIGHT, yanchor="top", xshift=-20, yshift=-12),
    note("right", 1, 1, LIGHT, xanchor="right", yshift=14), note("middle<br>of it", 0.5, 0.5, LIGHT, xanchor="center", yanchor="middle", align="center"),
    note(TAGGED, 0.3, 0.8, LIGHT, font={"size": 14, "color": "#123456"}), note(escaped(NASTY), 0.1, 0.2, LIGHT),
    note(QUOTED, 0.5, 0.65, LIGHT),
    note("x<sup>2</sup> 5\u2007&#8199;\u00a0 end", 0.6, 0.3, LIGHT, yanchor="top"),
]
FIGURE = {"data": [], "layout": layout(LIGHT, left=60, right=20, top=40, bottom=50, xaxis=bare(range=[0, 1]), yaxis=bare(range=[0, 1]),
                                       annotations=WORDS, width=520, height=320)}
STYLE = text("islands.css") + ".gh .graph { height: 320px; width: 520px }"
BOTH = """
async (figure) => {
  const place = (node, from) => { const a = node.getBoundingClientRect(), b = from.getBoundingClientRect();
    return [a.left - b.left, a.top - b.top, a.right - b.left, a.bottom - b.top]; };
  const graphs = ["theirs", "ours"].map((id) => document.getElementById(id)), [theirs, ours] = graphs;
  const [under, texts] = parted(figure.layout), sheet = ours.appendChild(document.createElement("div"));
  sheet.className = "words";
  const say = setter(sheet);
  say(texts.slice(0, 2), figure.layout);        // what is set twice, and once more than before, is set right
  say(texts, figure.layout);
  await Plotly.react(theirs, figure.data, figure.layout);
  await Plotly.react(ours, figure.data, under);
  const color = (node) => getComputedStyle(node).color, fill = (node) => getComputedStyle(node).fill;
  const drawn = [...theirs.querySelectorAll(".annotation-text")], set = [...sheet.children];
  return { left: under.annotations.length, theirs: drawn.map((n) => [n.textContent, place(n, theirs), [...n.querySelectorAll("tspan")].map(fill)]),
           ours: set.map((n) => [n.textContent, place(n, ours), [color(n), ...[...n.querySelectorAll("*")].map(color)]]), images: ours.querySelectorAll("img").length };
}
"""


@pytest.fixture
def blank(page: Any) -> Any:
    page.set_content(f"<!doctype html><style>{STYLE}</style><body class=gh><div id=theirs class=graph></div><div id=ours class=graph></div>"
                     f"<script>{get_plotlyjs()}</script><script>{text('words.js')}</script>")
    return page


def test_they_say_what_plotly_says_in_the_same_place(blank: Any) -> None:
    found = blank.evaluate(BOTH, json.loads(json.dumps(FIGURE)))
    assert found["left"] == 0
    assert len(found["ours"]) == len(found["theirs"]) == len(WORDS)
    for (theirs, box, fills), (ours, mine, colors) in zip(found["theirs"], found["ours"], strict=True):
        assert ours == theirs.replace("\u200b", "")         # Plotly puts it around raised text
        assert max(abs(a - b) for a, b in zip(box, mine, strict=True)) < 5, (ours, box, mine)
        assert set(fills) - {"rgb(27, 31, 36)"} <= set(colors)
    assert found["images"] == 0


def test_what_is_more_than_words_stays_with_plotly(blank: Any) -> None:
    arrow = {**WORDS[0], "showarrow": True}
    data = {**WORDS[0], "xref": "x"}
    turned = {**WORDS[0], "textangle": 90}
    left = blank.evaluate("(layout) => { const [under, texts] = parted(layout); return [under.annotations, texts.length]; }",
                          FIGURE["layout"] | {"annotations": [arrow, data, turned, WORDS[1]]})
    assert left == [json.loads(json.dumps([arrow, data, turned])), 1]
    loose = FIGURE["layout"] | {"margin": {"l": 60, "r": 20, "t": 40, "b": 50}}         # Plotly may widen these: only it knows the place
    assert blank.evaluate("(layout) => parted(layout)[1].length", loose) == 0


KEY = "   ".join(f'<span style="color:#0072B2">{glyph}</span> {word}' for glyph, word in zip("\u25cf\u2715\u25cb\u2605", ("accepted", "rejected", "not tested", "its own"), strict=True))
LONG = "Nine <b>words of a sentence</b> that no narrow pane can hold &amp; keep"
NARROW = FIGURE["layout"] | {"annotations": [
    note(KEY, 0, 1, LIGHT, yshift=4), note(LONG, 0, 1, LIGHT, yshift=24), note(LONG, 0, 0, LIGHT, yanchor="top", yshift=-14),
    note(KEY, 0, 0, LIGHT, yanchor="top", yshift=-32), note(LONG, 0.1, 0.5, LIGHT)]}
FITTED = """
async ({ layout, width }) => {
  const [full, grown] = fitted(layout, width), [again] = fitted(layout, width, [90, 80]), [wide] = fitted(layout, 2000);
  const graph = document.getElementById("theirs");
  Object.assign(graph.style, { width: `${width}px`, height: `${320 + grown[0] + grown[1]}px` });
  await Plotly.react(graph, [], { ...full, width, height: 320 + grown[0] + grown[1] });
  const place = (node) => { const a = node.getBoundingClientRect(), b = graph.getBoundingClientRect(); return [a.left - b.left, a.top - b.top, a.right - b.left, a.bottom - b.top]; };
  return { grown, drawn: [...graph.querySelectorAll(".annotation-text")].map(place), texts: full.annotations.map((a) => a.text),
           inner: graph._fullLayout._size.h, least: [again.margin.t - layout.margin.t, again.margin.b - layout.margin.b],
           same: JSON.stringify(wide) === JSON.stringify(layout) };
}
"""


@pytest.mark.parametrize("width", [220, 300])
def test_they_break_where_the_pane_ends_and_the_figure_makes_room(blank: Any, width: int) -> None:
    """Plotly itself draws what was broken: nothing is cut, nothing overlaps, no word is lost, no item of a key is torn, the drawing keeps its height."""
    found = blank.evaluate(FITTED, {"layout": json.loads(json.dumps(NARROW)), "width": width})
    for now, before in zip(found["texts"][:4], NARROW["annotations"], strict=False):
        assert "<br>" in now
        assert now.replace("<br>", " ").split() == before["text"].split()
    for line in [line for key in (found["texts"][0], found["texts"][3]) for line in key.split("<br>")]:
        assert all(item in KEY.split("   ") for item in line.split("   "))
    assert found["texts"][4] == LONG, "words inside the drawing stay as they are"
    above, higher, below, lower = boxes = found["drawn"][:4]
    for left, top, right, bottom in boxes:
        assert left >= 0
        assert right <= width
        assert top >= 0
        assert bottom <= 320 + sum(found["grown"])
    assert higher[3] <= above[1] + 2
    assert below[3] <= lower[1] + 2
    assert found["inner"] == 320 - 40 - 50
    assert found["least"] == [90, 80], "no less room than there was"
    assert found["same"], "where all fits, nothing changes"
