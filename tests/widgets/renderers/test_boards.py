"""What a browser is told of a lab: controls with bounds and steps, one message in one place, what can be done now."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any

import pytest
from annotated_types import Ge, Gt, Le, Lt

from fake_lab import FakeCore, FakeLab
from glasshouse.schema.events.base import Progress
from glasshouse.schema.guarantee import Guarantee
from glasshouse.schema.knob import Knob, knobs_of
from glasshouse_widgets.labs.base import Control, Group, Lab, Message
from glasshouse_widgets.renderers import boards


@dataclass(frozen=True)
class Many:
    whole: Annotated[int, Ge(1), Le(64)] = 3
    huge: Annotated[int, Ge(-1), Le(100_000)] = -1
    share: Annotated[float, Gt(0), Lt(1), Knob(step=0.01)] = 0.1
    plain: Annotated[float, Ge(0), Le(7)] = 1.0
    heat: Annotated[float, Ge(0.05), Le(20), Knob(log=True, step=0.05)] = 1.0
    free: Annotated[float, Ge(0)] = 1.0
    maybe: Annotated[int | None, Ge(1), Le(9)] = None
    branching: tuple[Annotated[int, Ge(1)], ...] = (2, 2)
    words: str = ""


def spec(name: str) -> dict[str, Any]:
    field = next(f for f in knobs_of(Many) if f.name == name)
    return boards._control(Control(field, None))


@pytest.mark.parametrize(("name", "low", "high", "step", "slides"), [
    ("whole", 1, 64, 1, True), ("huge", -1, 100_000, 1, False), ("share", 0.01, 0.99, 0.01, True), ("plain", 0, 7, 0.02, True),
    ("heat", 0.05, 20, 0.05, True), ("free", 0, None, None, False), ("maybe", 1, 9, 1, False)])
def test_ranges(name: str, low: float, high: float, step: float, slides: bool) -> None:
    found = spec(name)
    assert (found["low"], found["high"], found["step"], bool(found["slides"])) == (low, pytest.approx(high), step, slides)
    assert bool(found["log"]) == (name == "heat")


def test_open_bounds_are_one_step_inside() -> None:
    found = spec("share")
    assert 0 < found["low"] < found["high"] < 1


def test_lists_and_words_are_typed() -> None:
    assert spec("branching")["widget"] == spec("words")["widget"] == "text"


def lab_of(**choices: Any) -> FakeLab:
    made = FakeLab(core=FakeCore(), **choices)
    assert made.wait()
    return made


def test_seven_knobs_in_sight_and_every_look() -> None:
    fields = knobs_of(Many)
    controls = tuple(Control(f, None) for f in fields)
    shown = boards._folded((Group("a", controls[:5]), Group("b", controls[5:], (controls[0],)), Group("c", controls, looks=True)))
    assert [len(g.controls) for g in shown] == [5, 2, 9]
    assert shown[1].folded == (*controls[7:], controls[0])


def test_the_shape_stays_while_values_move() -> None:
    """The browser builds controls anew only when the shape is another."""
    lab = lab_of()
    before = boards.knobs(lab)
    lab.set("gain", 3.0)
    lab.set("angle", 0.75)
    after = boards.knobs(lab)
    assert before["shape"] == after["shape"]
    assert (after["values"]["gain"], after["values"]["angle"]) == (3.0, 0.75)
    lab.choose(method="fake.square-wave")
    assert boards.knobs(lab)["shape"] != before["shape"]
    lab.close()


def test_a_message_stands_in_one_place() -> None:
    lab = lab_of()
    for knob, beside in (("gain", True), ("seed", True), ("tide", True), ("", False), ("nowhere", False)):
        lab.message = Message("no", knob)
        knobs = boards.knobs(lab)
        assert knobs["messages"] == ({knob: "no"} if beside else {})
        assert boards.status(lab, knobs["messages"])["message"] == ("" if beside else "no")
    lab.close()


@pytest.mark.parametrize(("state", "running", "offer"), [
    ("empty", False, "resume"), ("loading", True, "stop"), ("live", False, None), ("live", True, "stop"), ("stale", True, "stop"),
    ("failed", False, "resume"), ("cancelled", False, "resume")])
def test_what_can_be_done(state: str, running: bool, offer: str | None) -> None:
    lab = lab_of()
    lab.param.update(status=state, running=running, progress=Progress(done=1, total=4, message="reading"))
    board = boards.status(lab)
    assert (board["offer"] or {}).get("do") == offer
    assert board["share"] == 0.25
    assert board["text"].endswith("reading")
    lab.close()


def test_states_differ_in_words() -> None:
    states = Lab.param.status.objects
    assert len({boards._SAYS[state] for state in states}) == len(states)


@pytest.mark.parametrize(("kind", "tone"), [("lossless", "good"), ("exact", "good"), ("marginal", "fair"), ("PAC", "fair"),
                                            ("heuristic", "soft"), ("none", "bad")])
def test_a_guarantee_speaks_by_sign_too(kind: Any, tone: str) -> None:
    board = boards.badge(Guarantee(kind, "It holds.", assumptions=("a",)))
    assert board["tone"] == tone
    assert board["kind"].startswith(kind)
    assert len({boards.badge(Guarantee(k, ""))["sign"] for k in ("lossless", "marginal", "heuristic", "none")}) == 4


def test_compared_knobs_have_keys_and_names_of_their_own() -> None:
    lab = lab_of(compare="fake.wave")
    board = boards.knobs(lab)
    flat = [c for g in board["groups"] for c in (*g["controls"], *g["folded"])]
    assert len({c["key"] for c in flat}) == len(flat)
    spoken = {c["key"]: c["spoken"] for c in flat}
    assert spoken["gain~b"] != spoken["gain"]
    titles = [boards.plot(lab, slot)["title"] for slot in lab.panes]
    assert len(set(titles)) == len(titles)
    lab.close()
