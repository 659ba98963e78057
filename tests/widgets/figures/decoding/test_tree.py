"""The stage against the event it draws: every claim is recomputed here from the event's arrays."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from glasshouse.schema.events.decoding import NodeLook, NodeState, Round
from glasshouse_widgets.figures.decoding import placing, tree
from glasshouse_widgets.figures.palette import ACCEPTED, DARK, FINAL, LIGHT, REJECTED, UNTESTED

BEFORE = ["def", " f", "(", "x", ")", ":", "\n"]
Make, Look = Callable[..., Round], Callable[..., NodeLook]


def named(figure: dict[str, Any], name: str) -> dict[str, Any]:
    return next(t for t in figure["data"] if t["name"] == name)


def strokes(trace: dict[str, Any]) -> list[list[tuple[float, float]]]:
    """The pieces of a trace between its breaks."""
    pieces: list[list[tuple[float, float]]] = [[]]
    for x, y in zip(trace["x"], trace["y"], strict=True):
        if x is None:
            pieces.append([])
        else:
            pieces[-1].append((x, y))
    return [p for p in pieces if p]


@pytest.mark.parametrize("theme", [LIGHT, DARK], ids=lambda t: t.name)
@pytest.mark.parametrize("n", [1, 2, 24, 64, 128])
def test_plotly_takes_it(make_round: Make, make_look: Look, valid: Any, theme: Any, n: int) -> None:
    valid(tree.stage(make_look(make_round(n, n)), BEFORE, [0.5], theme))


def test_number_of_traces_never_changes(make_round: Make, make_look: Look) -> None:
    rounds = [make_round(n, n, sampled=n % 2 == 0, chain=n == 9, with_q=n != 12) for n in (1, 2, 9, 12, 24, 64)]
    shapes = {tuple((t["type"], t["name"]) for t in tree.stage(make_look(r), BEFORE, [], LIGHT)["data"]) for r in rounds}
    assert len(shapes) == 1


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("sampled", [True, False])
def test_every_node_once_with_its_decision(make_round: Make, make_look: Look, seed: int, sampled: bool) -> None:
    event = make_round(24, seed, sampled=sampled)
    nodes = named(tree.stage(make_look(event), BEFORE, [], LIGHT), "nodes")
    assert nodes["customdata"][:24] == list(range(24))
    assert len(nodes["x"]) == 25
    assert nodes["x"][:24] == event.depth.tolist()
    assert len({(x, y) for x, y in zip(nodes["x"], nodes["y"], strict=True)}) == 25
    mark = {NodeState.ACCEPTED: ACCEPTED, NodeState.REJECTED: REJECTED, NodeState.UNTESTED: UNTESTED}
    for i in range(1, 24):
        expected = mark[NodeState(int(event.state[i]))]
        assert (nodes["marker"]["symbol"][i], nodes["marker"]["color"][i]) == (expected.symbol, expected.color)
    assert nodes["marker"]["symbol"][24] == FINAL.symbol
    assert nodes["x"][24] == event.depth[event.final_node] + 1
    assert nodes["customdata"][24] == event.final_node


def test_siblings_from_top_to_bottom_in_draw_order(make_round: Make, make_look: Look) -> None:
    event = make_round(40, 3)
    figure = tree.stage(make_look(event), BEFORE, [], LIGHT)
    y = named(figure, "nodes")["y"]
    low, high = figure["layout"]["yaxis"]["range"]
    assert low > high                                           # the axis points down
    for parent in range(40):
        kids = sorted((i for i in range(1, 40) if event.parent[i] == parent), key=lambda i: event.rank[i])
        assert [y[k] for k in kids] == sorted(y[k] for k in kids)


def test_edges_join_parent_and_child_and_say_q(make_round: Make, make_look: Look) -> None:
    event = make_round(40, 3)
    figure = tree.stage(make_look(event), BEFORE, [], LIGHT)
    nodes = named(figure, "nodes")
    at = {(x, y): i for i, (x, y) in enumerate(zip(nodes["x"], nodes["y"], strict=True))}
    found: dict[int, str] = {}
    for name, low, high in (("q < 0.05", -1, 0.05), ("q 0.05 to 0.2", 0.05, 0.2), ("q 0.2 to 0.5", 0.2, 0.5), ("q ≥ 0.5", 0.5, 2)):
        for stroke in strokes(named(figure, name)):
            (x0, y0), (x1, y1) = stroke[0], stroke[-1]
            child = next(i for (x, y), i in at.items() if abs(y - y1) < 1e-9 and 0 < x - x1 < 0.5)
            parent = int(event.parent[child])
            assert nodes["y"][parent] == pytest.approx(y0)
            assert nodes["x"][parent] < x0 < x1
            assert low <= event.q_token[child] < high
            found[child] = name
    assert sorted(found) == list(range(1, 40))
    widths = [named(figure, n)["line"]["width"] for n in tree.Q_NAMES[:4]]
    assert widths == sorted(widths)


def test_guesses_without_a_distribution_are_dotted(make_round: Make, make_look: Look) -> None:
    figure = tree.stage(make_look(make_round(24, 3, with_q=False)), BEFORE, [], LIGHT)
    assert len(strokes(named(figure, "no q"))) == 23
    assert named(figure, "no q")["line"]["dash"] == "dot"


def test_accepted_path_runs_from_the_root_to_the_star(make_round: Make, make_look: Look) -> None:
    event = next(r for r in (make_round(24, s) for s in range(20)) if r.accepted >= 2)
    figure = tree.stage(make_look(event), BEFORE, [], LIGHT)
    nodes, path = named(figure, "nodes"), strokes(named(figure, "accepted path"))
    ends = [nodes["y"][i] for i in (*event.path[1:], 24)]
    assert [s[-1][1] for s in path] == pytest.approx(ends)
    assert [s[0][1] for s in path] == pytest.approx([nodes["y"][i] for i in event.path])


def test_chips_say_p(make_round: Make, make_look: Look) -> None:
    event = make_round(24, 5)
    figure = tree.stage(make_look(event), BEFORE, [], LIGHT)
    y = named(figure, "nodes")["y"]
    for k in range(5):
        drawn = sorted(round((min(b for _, b in s) + max(b for _, b in s)) / 2, 6) for s in strokes(named(figure, f"p tint {k + 1}")))
        mine = [i for i in range(1, 24) if sum(event.p_token[i] >= e for e in (0.02, 0.1, 0.3, 0.6)) == k]
        mine += [0, 24] if k == 0 else []
        assert drawn == sorted(round(y[i], 6) for i in mine)


def test_tokens_are_text(make_round: Make, make_look: Look) -> None:
    event = make_round(24, 5)
    event = dataclasses.replace(event, pieces=dict.fromkeys(event.pieces, "<script>alert(1)</script> $x$ &"))
    look = dataclasses.replace(make_look(event), sentence="Rejected: <img src=x> & $y$")
    figure = tree.stage(look, ["<b>"] * 9, [], LIGHT)
    words = [*named(figure, "nodes")["text"], *named(figure, "nodes")["hovertext"], *named(figure, "text so far")["text"],
             *(a["text"] for a in figure["layout"]["annotations"])]
    assert not any(bad in w for w in words for bad in ("<script", "</script", "<img", "$", "<b>&lt;b&gt;<"))
    assert any("&lt;script&gt;" in w for w in named(figure, "nodes")["hovertext"])
    assert "&lt;b&gt;" in named(figure, "text so far")["text"][0]


def test_hover_tells_the_numbers(make_round: Make, make_look: Look) -> None:
    event = dataclasses.replace(make_round(24, 5), rule="V3")
    hover = named(tree.stage(make_look(event), BEFORE, [], LIGHT), "nodes")["hovertext"]
    tested = [i for i in range(1, 24) if event.state[i] in (NodeState.ACCEPTED, NodeState.REJECTED)]
    assert tested
    for i in tested:
        assert f"target p {event.p_token[i]:.3f}" in hover[i] or event.p_token[i] < 0.001
        assert f"draft q {event.q_token[i]:.3f}" in hover[i]
        assert f"u {event.u[i]:.3f}" in hover[i]
        assert ("accepted: u" if event.state[i] == NodeState.ACCEPTED else "rejected: u") in hover[i]


def test_large_trees_are_worded_only_where_the_eye_follows(make_round: Make, make_look: Look) -> None:
    event = next(r for r in (make_round(64, s) for s in range(20)) if r.accepted >= 1)
    leaf = max(range(64), key=lambda i: (event.depth[i], -i))
    text = named(tree.stage(make_look(event, leaf), BEFORE, [], LIGHT), "nodes")["text"]
    branch, node = {64, *event.path}, leaf
    while node >= 0:
        branch.add(node)
        node = int(event.parent[node])
    assert {i for i, t in enumerate(text) if t.strip()} == branch
    small = named(tree.stage(make_look(make_round(24, 1)), BEFORE, [], LIGHT), "nodes")["text"]
    assert all(t.strip() for t in small)


def test_axes_stay_for_a_whole_run(make_round: Make, make_look: Look) -> None:
    rounds = [make_round(n, n) for n in (3, 24, 64)]
    room = placing.Extent()
    for event in rounds:
        room = room.joined(placing.extent(event))
    layouts = [tree.stage(make_look(r), BEFORE, [0.9], LIGHT, room)["layout"] for r in rounds]
    for axis in ("xaxis", "yaxis"):
        assert len({tuple(la[axis]["range"]) for la in layouts}) == 1
    for event, la in zip(rounds, layouts, strict=True):
        assert la["xaxis"]["range"][1] > event.depth.max()
        y = named(tree.stage(make_look(event), BEFORE, [], LIGHT, room), "nodes")["y"]
        assert la["yaxis"]["range"][1] < min(y)
        assert max(y) < la["yaxis"]["range"][0]


def test_header_shows_acceptance(make_round: Make, make_look: Look) -> None:
    ticks = tree.stage(make_look(make_round(24, 5)), BEFORE, [0.816, float("nan")], LIGHT)["layout"]["xaxis"]["ticktext"]
    assert ticks[1:3] == ["+1<br>82 %", "+2<br>"]


def test_end_of_text_has_no_star(make_round: Make, make_look: Look) -> None:
    event = next(r for r in (make_round(24, s) for s in range(40)) if r.accepted >= 2)
    short = dataclasses.replace(event, path=event.path[:2], committed=event.committed[:1], tokens=1, accepted=1)
    figure = tree.stage(make_look(short), BEFORE, [], LIGHT)
    nodes = named(figure, "nodes")
    assert FINAL.symbol not in nodes["marker"]["symbol"]
    assert nodes["customdata"][-1] == event.path[1]
    assert nodes["text"][-1].strip() == "end"
    assert "the text ends" in figure["layout"]["annotations"][0]["text"]


def test_equal_guesses_go_on_together(make_round: Make, make_look: Look) -> None:
    event = make_round(4, 1)
    twins = dataclasses.replace(
        event, token=np.array([0, 5, 5, 7]), parent=np.array([-1, 0, 0, 2]), depth=np.array([0, 1, 1, 2]), rank=np.array([0, 0, 1, 0]),
        state=np.array([0, 1, 3, 2]), path=(0, 1), final_node=1, accepted=1, tokens=2, committed=(5, 9), rule="V5")
    nodes = named(tree.stage(make_look(twins), BEFORE, [], LIGHT), "nodes")
    assert nodes["marker"]["color"][2] == ACCEPTED.color
    assert nodes["marker"]["symbol"][2] != ACCEPTED.symbol
    assert "equal to the accepted guess" in nodes["hovertext"][2]


def test_a_run_that_kept_no_trees_says_so(make_round: Make, make_look: Look, valid: Any) -> None:
    event = make_round(24, 5)
    look = make_look(event)
    bare = dataclasses.replace(event, **{k: np.zeros(0) for k in ("token", "parent", "depth", "rank", "source", "state")})
    figure = valid(tree.stage(dataclasses.replace(look, round=bare), BEFORE, [], LIGHT))
    assert "kept no trees" in figure["layout"]["annotations"][0]["text"].replace("<br>", " ")
    assert placing.extent(bare) == placing.Extent()


def test_sixty_four_nodes_cost_little(make_round: Make, make_look: Look) -> None:
    look = make_look(make_round(64, 8))
    spent = []
    for _ in range(9):
        start = time.thread_time()
        tree.stage(look, BEFORE, [0.8, 0.6], LIGHT)
        spent.append(time.thread_time() - start)
    assert min(spent) < 0.03


def test_a_run_with_one_deep_round_does_not_squeeze_the_others() -> None:
    deep = placing.Extent(columns=16)
    assert deep.eased.columns == 8
    assert deep.eased.px_column >= placing.EASY
    assert placing.Extent(columns=5).eased == placing.Extent(columns=5)


def test_on_a_low_stage_rows_are_closer_and_columns_stay() -> None:
    low = placing.Extent(columns=5, height=placing.HEIGHT / 2)
    assert low.px_row == placing.Extent().px_row / 2
    assert low.px_column == placing.Extent(columns=5).px_column
