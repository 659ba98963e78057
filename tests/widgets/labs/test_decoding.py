"""The Draft Tree Lab without a screen, on the exact toy problem and the real methods."""

from __future__ import annotations

import dataclasses
import gc
import weakref
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import plotly.graph_objects as go
import pytest

import patience
from glasshouse import catalogue
from glasshouse.schema.events.decoding import CostCurve, LosslessCheck, NodeLook, NodeState, Prompt, Round
from glasshouse_widgets.figures.palette import REJECTED
from glasshouse_widgets.labs import decoding
from glasshouse_widgets.labs.decoding import DraftTreeLab


@pytest.fixture
def lab_of() -> Iterator[Callable[..., DraftTreeLab]]:
    """A lab that has come to rest; closed afterwards."""
    made: list[DraftTreeLab] = []

    def make(**choices: Any) -> DraftTreeLab:
        lab = DraftTreeLab(**{"problem": "tiny", **choices})
        made.append(lab)
        assert lab.wait()
        assert lab.message is None
        assert lab.status == "live"
        return lab

    yield make
    for lab in made:
        lab.close()


def rounds_of(lab: DraftTreeLab, side: int = 0) -> list[Round]:
    session = lab.sides[side].session
    assert session is not None
    return [e for e in session.computed if isinstance(e, Round)]


def look_of(lab: DraftTreeLab) -> NodeLook:
    event = lab.sides[0].event
    assert isinstance(event, NodeLook)
    return event


def until(lab: DraftTreeLab, true: Callable[[], bool]) -> None:
    patience.until(true, lambda: lab.inbox.drain(0.01))


@pytest.mark.parametrize("method", [info.id for info in catalogue.methods("decoding")])
def test_every_method_has_its_pictures(lab_of: Callable[..., DraftTreeLab], method: str) -> None:
    lab = lab_of(method=method)
    views = [p.name for p in lab.panes if p.name.startswith("view-")]
    assert len(views) == len(lab.infos[method].views) >= 1
    shapes = set()
    for position in range(0, len(rounds_of(lab)), 3):
        assert lab.player is not None
        lab.player.scrub(position)
        lab.wait()
        assert lab.message is None
        assert set(lab.figures) == {p.name for p in lab.panes}
        shapes.add(tuple((name, len(lab.figures[name]["data"])) for name in ("tree", "node", "rounds", "depth")))
        for figure in lab.figures.values():
            go.Figure(figure)
            drawn = {t.get("xaxis", "x") for t in figure["data"] if len(t.get("x", t.get("z", [0])))}
            assert {t.get("xaxis", "x") for t in figure["data"]} - {"x"} <= drawn   # Plotly drops further axes whose traces are all empty
    assert len(shapes) == 1                                     # renderers update in place
    assert len(lab.story.see.split()) <= 80


def test_it_rests_on_a_telling_round(lab_of: Callable[..., DraftTreeLab]) -> None:
    lab = lab_of(problem="tiny", seed=3, divergence=0.35)
    at = look_of(lab).index
    event = rounds_of(lab)[at]
    assert lab.values["round"] == at
    assert lab.player is not None
    assert lab.player.position == at
    both = [i for i, r in enumerate(rounds_of(lab)) if r.accepted and (r.state == NodeState.REJECTED).any()]
    assert at in both or not both
    lab.set("divergence", 0.3)                                  # a held round is kept over a new text
    assert lab.wait()
    assert lab.values["round"] == at
    assert event.round == at


def test_telling_prefers_what_has_both(lab_of: Callable[..., DraftTreeLab]) -> None:
    one = next(r for r in rounds_of(lab_of(method="decoding.specinfer")) if r.nodes > 3)

    def with_states(accepted: int, *states: NodeState) -> Round:
        return dataclasses.replace(one, accepted=accepted, state=np.array([NodeState.ROOT, *states]))

    plain = with_states(0, NodeState.REJECTED, NodeState.UNTESTED)
    lucky = with_states(3, NodeState.ACCEPTED, NodeState.ACCEPTED)
    both = with_states(1, NodeState.ACCEPTED, NodeState.REJECTED)
    assert decoding.telling([plain, lucky, both, both]) == 2
    assert decoding.telling([plain, lucky, plain]) == 1
    assert decoding.telling([]) == 0


def test_a_prompt_alone_is_no_error(lab_of: Callable[..., DraftTreeLab], monkeypatch: pytest.MonkeyPatch) -> None:
    """Between the prompt and the first round, which may take long, the last good picture stays and nothing is complained of."""
    lab = lab_of()
    session, before = lab.sides[0].session, lab.figures
    assert session is not None
    monkeypatch.setattr(session, "_events", list(session.computed[:1]))
    lab.set("node", 2)
    lab.theme = "dark"                                          # paints again all the same
    lab.wait()
    assert lab.message is None
    assert lab.status == "live"
    assert set(lab.figures) == set(before)


def test_a_click_opens_the_node_and_its_sentence(lab_of: Callable[..., DraftTreeLab]) -> None:
    lab = lab_of(method="decoding.specinfer", divergence=0.4)
    event = next(r for r in rounds_of(lab) if (r.state[1:] == NodeState.REJECTED).any())
    lab.click("rounds", {"customdata": event.round + 1})
    assert look_of(lab).index == event.round
    assert lab.values["node"] == -1
    node = int((event.state[1:] == NodeState.REJECTED).argmax()) + 1
    lab.click("tree", {"customdata": node})
    assert (lab.values["round"], lab.values["node"]) == (event.round, node)
    look = look_of(lab)
    assert look.node == node
    assert look.at == event.parent[node]
    words = lab.figures["tree"]["layout"]["annotations"][1]["text"]
    assert f"{event.u[node]:.3g}"[:4] in words
    lab.click("tree", {"customdata": None})
    lab.click("text", {"customdata": 3})
    assert lab.values["node"] == node                           # clicks that mean nothing change nothing
    assert lab.player is not None
    lab.player.step(1)
    assert lab.values["node"] == -1                             # another round, another tree


def test_readout_counts_the_run(lab_of: Callable[..., DraftTreeLab]) -> None:
    lab = lab_of()
    found = rounds_of(lab)
    lab.wait()
    read = {r.label: r.value for r in lab.readout}
    tokens = sum(len(r.committed) for r in found)
    assert float(read["tokens per forward"]) == pytest.approx(tokens / len(found), abs=0.005)
    assert float(read["guesses"]) == pytest.approx(sum(len(r.token) - 1 for r in found) / len(found), abs=0.05)
    assert int(read["this round"]) == len(look_of(lab).round.committed)
    assert 3 <= len(lab.readout) <= 5
    assert all(r.meaning for r in lab.readout)
    prompt = next(e for e in lab.sides[0].session.computed if isinstance(e, Prompt))    # type: ignore[union-attr]
    assert prompt.tokens + tokens == found[-1].position + len(found[-1].committed)


def test_plain_decoding_says_what_is_to_be_beaten(lab_of: Callable[..., DraftTreeLab]) -> None:
    lab = lab_of(method="decoding.autoregressive")
    lab.wait()
    assert lab.story.see == decoding.PLAIN
    assert "nothing drafted" in lab.figures["tree"]["layout"]["annotations"][0]["text"]


def test_studies_are_asked_for(lab_of: Callable[..., DraftTreeLab]) -> None:
    lab = lab_of()
    for name, words in (("cost", decoding.ASK_COST), ("lossless", decoding.ASK_LAW)):
        assert lab.figures[name]["layout"]["annotations"][0]["text"].replace("<br>", " ") == words
    lab.act("cost")
    until(lab, lambda: isinstance(lab.studies.get("cost"), CostCurve))
    lab.stop_study("cost")
    lab.wait()
    assert len(lab.figures["cost"]["data"]) == 8
    assert lab.message is None
    before = lab.figures["cost"]["data"][4]["y"]
    lab.set("knee", 1)
    lab.wait()
    assert lab.figures["cost"]["data"][4]["y"][-1] > before[-1] == 1.0


@pytest.mark.long
def test_a_planted_bug_turns_the_badge_red(lab_of: Callable[..., DraftTreeLab]) -> None:
    lab = lab_of(method="decoding.specinfer")

    def verdict() -> str:
        return str(lab.figures["lossless"]["layout"]["annotations"][0]["text"])

    def counted(planted: str, draws: int) -> bool:
        check = lab.studies.get("lossless")
        return isinstance(check, LosslessCheck) and check.planted == planted and check.draws >= draws

    lab.act("lossless")
    until(lab, lambda: counted("", 300))
    until(lab, lambda: "decoding.specinfer" in verdict())
    assert "NOT lossless" not in verdict()
    lab.set("planted", "ratio-on-top-k")                        # counting starts again with the bug
    until(lab, lambda: counted("ratio-on-top-k", 1000))
    until(lab, lambda: "NOT lossless" in verdict())
    assert REJECTED.color in verdict()
    lab.set("planted", "none")
    until(lab, lambda: counted("", 300))
    lab.stop()


def test_the_bug_alone_starts_nothing(lab_of: Callable[..., DraftTreeLab]) -> None:
    lab = lab_of()
    lab.set("planted", "iid-residual")
    assert lab.acting == ()
    assert lab.studies == {}
    lab.act("lossless")
    assert lab.acting == ("lossless",)
    lab.act("lossless")                                         # pressed again: stop
    assert lab.acting == ()


@pytest.mark.parametrize(("a", "b", "values", "same"), [
    ("token-recycling", "eagle-tree", {}, True),                            # V4: one uniform per position
    ("specinfer", "token-recycling", {"temperature": 0.0}, True),           # greedy
    ("specinfer", "rsd", {"coupled": True}, True),                          # one row of noise per position
    ("specinfer", "token-recycling", {}, False),
])
def test_compare_says_the_truth_about_shared_noise(lab_of: Callable[..., DraftTreeLab], a: str, b: str, values: dict[str, Any], same: bool) -> None:
    lab = lab_of(method=f"decoding.{a}", compare=f"decoding.{b}", max_new_tokens=64, **values)
    lab.wait()
    texts = ["".join("".join(r.text) for r in rounds_of(lab, side)) for side in (0, 1)]
    assert (texts[0] == texts[1]) is same
    assert ("same text" in lab.story.see) is same
    assert {"tree", "tree~b", "node~b", "text~b", "cost~b"} <= set(lab.figures)
    for figure in lab.figures.values():
        go.Figure(figure)
    assert all(r.other for r in lab.readout)
    # One stage for both: the columns of the two trees stand alike.
    assert lab.figures["tree"]["layout"]["xaxis"]["range"] == lab.figures["tree~b"]["layout"]["xaxis"]["range"]


def test_rooms_are_forgotten_with_their_run(lab_of: Callable[..., DraftTreeLab]) -> None:
    lab = lab_of()
    old = [weakref.ref(r) for r in rounds_of(lab)]
    lab.set("max_new_tokens", 16)
    assert lab.wait()
    gc.collect()
    assert sum(ref() is not None for ref in old) == 0
    assert len(lab._rooms) == len(rounds_of(lab))


def test_playing_through_a_preset_leaves_it_chosen(lab_of: Callable[..., DraftTreeLab]) -> None:
    lab = lab_of()
    name = lab.presets[0].name
    lab.choose_preset(name)
    assert lab.wait()
    assert lab.player is not None
    lab.player.step(1)
    assert lab.preset == name


def test_theme_and_state_travel(lab_of: Callable[..., DraftTreeLab]) -> None:
    lab = lab_of(planted="iid-residual", knee=32)
    light = lab.figures["tree"]["layout"]["font"]["color"]
    lab.theme = "dark"
    assert lab.figures["tree"]["layout"]["font"]["color"] != light
    state = lab.state()
    other = DraftTreeLab.from_state(state)
    assert other.message is None
    assert other.state() == state
    assert other.values["knee"] == 32


def test_stories_are_short() -> None:
    longest = decoding.SEE.format(guessed="128 guesses were drafted as a tree.", outcome=max(decoding.OUTCOME.values(), key=len))
    assert len(f"{longest} {max(decoding.COUPLED.values(), key=len)}".split()) <= 80
    assert all(len(text.split()) <= 30 for text in decoding.TRY.values())
    assert dataclasses.is_dataclass(decoding.Dials)
