"""What a lab says about what a person did, its presets, compare, and the workshop in which text of one's own is off."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import pytest

from fake_lab import FakeCore, FakeLab, Looked
from glasshouse_widgets.labs.base import Control, Lab
from glasshouse_widgets.labs.conformal import ConformalLab
from glasshouse_widgets.labs.decoding import DraftTreeLab

Make = Callable[..., FakeLab]


@pytest.fixture
def make() -> Iterator[Make]:
    made: list[FakeLab] = []

    def lab(wait: bool = True, **choices: Any) -> FakeLab:
        made.append(FakeLab(core=FakeCore(), **choices))
        assert not wait or made[-1].wait()
        return made[-1]

    yield lab
    for one in made:
        one.close()


def core(lab: FakeLab) -> FakeCore:
    assert isinstance(lab.core, FakeCore)
    return lab.core


def everything(lab: Lab) -> tuple[Any, ...]:
    return lab.method, lab.problem, lab.seed, lab.compare, lab.values, [side.knobs.values() for side in lab.sides]


def offered(lab: Lab) -> dict[str, Control]:
    return {c.key: c for g in lab.controls() for c in (*g.controls, *g.folded)}


@pytest.mark.parametrize(("values", "knob"), [
    ({"gain": 11}, "gain"), ({"gain": -0.1}, "gain"), ({"gain": "much"}, "gain"), ({"gain": True}, "gain"), ({"gain": None}, "gain"),
    ({"gain": 7}, "gain"), ({"steps": 2.5}, "steps"), ({"kind": "triangle"}, "kind"), ({"angle": float("nan")}, "angle"),
    ({"angle": 1.01}, "angle"), ({"cost": 3}, "cost"), ({"depth": 10}, "depth"), ({"gain": 2.0, "steps": 0}, "steps"),
    ({"gain": [1]}, "gain"), ({"gain": {"a": 1}}, "gain")])
def test_a_bad_value_leaves_all_as_it_was(make: Make, values: dict[str, Any], knob: str) -> None:
    lab = make(gain=2.0)
    before, figures, opened, moves = everything(lab), lab.figures, len(core(lab).sessions), lab.moved
    lab.update(values)
    assert lab.message is not None
    assert lab.message.knob == knob or (knob == "gain" and values == {"gain": 7})
    assert knob in lab.message.text
    assert everything(lab) == before
    assert lab.figures is figures
    assert (len(core(lab).sessions), lab.moved, lab.running) == (opened, moves, False)
    lab.set("angle", 0.5)
    assert lab.message is None


@pytest.mark.parametrize(("choice", "word"), [
    ({"method": "fake.tide"}, "method"), ({"compare": "fake.tide"}, "compare"), ({"problem": "sea"}, "problem"), ({"seed": -1}, "seed"),
    ({"seed": 2**31}, "seed"), ({"seed": 1.5}, "seed"), ({"seed": True}, "seed"), ({"method": ["fake.wave"]}, "method")])
def test_a_bad_choice_leaves_all_as_it_was(make: Make, choice: dict[str, Any], word: str) -> None:
    lab = make()
    before = everything(lab)
    lab.choose(**choice)
    assert lab.message is not None
    assert word in lab.message.text
    assert lab.message.knob == word
    assert everything(lab) == before
    lab.choose(seed=4)
    assert lab.message is None


def test_unknown_names_are_messages_with_a_hint(make: Make) -> None:
    lab = make()
    lab.set("gian", 3)
    assert lab.message is not None
    assert "did you mean gain?" in lab.message.text
    lab.choose_preset("loud")
    assert lab.message is not None
    assert "did you mean Loud?" in lab.message.text
    with pytest.raises(ValueError, match="gain"):
        make(wait=False, gain=11)                               # a mistake in code is told where it was made


def test_the_same_value_again_also_clears(make: Make) -> None:
    lab = make()
    lab.set("gain", 11)
    assert lab.message is not None
    lab.set("gain", lab.values["gain"])
    assert lab.message is None


def test_a_bad_value_of_the_compared_method_goes_to_its_side(make: Make) -> None:
    lab = make(compare="fake.square-wave")
    before = everything(lab)
    lab.set("width", 2, side=1)
    assert lab.message is not None
    assert lab.message.knob == "width~b"
    assert "width~b" in offered(lab)
    assert everything(lab) == before
    lab.set("gain", 11)
    assert lab.message.knob == "gain"
    lab.set("width", 0.9, side=1)
    assert lab.message is None
    assert lab.sides[1].knobs.values() == {"width": 0.9}


def test_a_side_that_is_not_there_is_a_message(make: Make) -> None:
    lab = make()
    lab.set("gain", 3, side=1)
    assert lab.message is not None
    assert lab.values["gain"] == 1.0


def test_presets_set_what_they_say(make: Make) -> None:
    lab = make(kind="saw", depth=7, seed=5)
    lab.choose_preset("Loud")
    assert lab.preset == "Loud"
    assert (lab.values["gain"], lab.values["angle"]) == (9.0, 0.5)
    assert (lab.values["kind"], lab.values["depth"]) == ("sine", 3)     # the rest at its defaults
    assert lab.seed == 5
    lab.choose_preset("Deep")
    assert (lab.preset, lab.problem, lab.values["depth"], lab.values["gain"]) == ("Deep", "pond", 5, 1.0)
    assert lab.wait()
    assert lab.preset == "Deep"


@pytest.mark.parametrize("move", [{"gain": 2.0}, {"depth": 2}, {"angle": 0.1}, {"cost": 0.5}])
def test_a_knob_moved_is_no_preset_any_more(make: Make, move: dict[str, Any]) -> None:
    lab = make()
    lab.choose_preset("Loud")
    lab.update(move)
    assert lab.preset == ""
    lab.choose_preset("Loud")
    lab.set("gain", 99)                                         # nothing moved
    assert lab.preset == "Loud"
    lab.choose(seed=9)
    assert lab.preset == ""


@pytest.mark.parametrize("cls", [ConformalLab, DraftTreeLab])
def test_every_preset_of_every_method_can_be_had(cls: type[Lab]) -> None:
    lab = cls()
    seen = 0
    for method in lab.infos:
        lab.choose(method=method)
        for preset in lab.presets:
            lab.choose_preset(preset.name)
            assert lab.message is None
            assert lab.preset == preset.name
            assert {name: lab.values[name] for name in preset.values} == preset.values
            assert lab.problem == (preset.problem or lab._defaults[1])
            seen += 1
    assert seen >= 3
    lab.close()


def test_reset_is_the_opening_state(make: Make) -> None:
    lab, fresh = make(), make(wait=False)
    lab.choose(compare="fake.square-wave", problem="own", seed=3)
    lab.update({"gain": 4.0, "angle": 0.9, "cost": 0.0, "words": "mine"})
    lab.set("width", 0.1, side=1)
    lab.set("gain", 11)
    lab.reset()
    assert everything(lab) == everything(fresh)
    assert lab.state() == fresh.state()
    assert (lab.message, lab.preset) == (None, "")
    assert lab.wait()
    assert lab.status == "live"


def test_compare_opens_a_second_session_with_the_same_seed(make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    lab = make(seed=11, depth=4)
    n = len(core(lab).sessions)
    asked: list[tuple[str, str, int, dict[str, Any]]] = []
    real = core(lab).open

    def noted(method: str, problem: str, seed: int, values: Mapping[str, Any]) -> Any:
        asked.append((method, problem, seed, dict(values)))
        return real(method, problem, seed, values)

    monkeypatch.setattr(core(lab), "open", noted)
    lab.choose(compare="fake.square-wave")
    assert lab.wait()
    assert len(core(lab).sessions) == n + 1
    assert asked == [("fake.square-wave", "pond", 11, {"width": 0.5, "depth": 4})]
    assert {"wave", "wave~b", "history"} <= set(lab.figures)
    assert "history~b" not in lab.figures
    assert all(r.other for r in lab.readout)
    assert "Both share the wind." in lab.story.see


def test_a_look_moves_both(make: Make) -> None:
    lab = make(compare="fake.square-wave")
    n = len(core(lab).sessions)
    lab.set("angle", 0.75)
    for side, pane in zip(lab.sides, ("wave", "wave~b"), strict=True):
        assert isinstance(side.event, Looked)
        assert side.event.angle == 0.75
        assert "angle=0.75" in lab.figures[pane]["layout"]["title"]["text"]
    assert len(core(lab).sessions) == n


def test_only_the_side_that_moved_runs_again(make: Make) -> None:
    lab = make(compare="fake.square-wave")

    def ran(move: Callable[[], None]) -> list[str]:
        n = len(core(lab).sessions)
        move()
        assert lab.wait()
        return sorted(s.info.id for s in core(lab).sessions[n:])

    assert ran(lambda: lab.set("gain", 3)) == ["fake.wave"]
    assert ran(lambda: lab.set("width", 0.2, side=1)) == ["fake.square-wave"]
    assert ran(lambda: lab.choose(seed=2)) == ["fake.square-wave", "fake.wave"]
    assert ran(lambda: lab.set("depth", 2)) == ["fake.square-wave", "fake.wave"]
    assert ran(lambda: lab.choose(compare="fake.wave")) == ["fake.wave"]
    assert ran(lambda: lab.choose(method="fake.square-wave")) == ["fake.square-wave"]


def test_workshop_offers_no_text(make: Make) -> None:
    home, away = make(problem="own"), make(problem="own", own=False)
    assert {"words", "model"} <= set(offered(home))
    assert not {"words", "model"} & set(offered(away))
    for name in ("words", "model"):
        away.set(name, "/etc/passwd")
        assert away.message is not None
        assert away.message.knob == name
        assert "switched off" in away.message.text
    assert (away.values["words"], away.values["model"]) == ("", "bundled")
    assert len(core(away).sessions) == 1


def test_workshop_offers_allowed_models_as_choices(make: Make) -> None:
    lab = make(problem="own", own=False, models=("small/one", "small/two"))
    field = offered(lab)["model"].field
    assert (field.kind, field.choices) == ("choice", ("bundled", "small/one", "small/two"))
    lab.set("model", "small/two")
    assert lab.message is None
    assert lab.values["model"] == "small/two"
    for value in ("/etc/passwd", "small/three", ["small/one"], None):
        lab.set("model", value)
        assert lab.message is not None
        assert lab.values["model"] == "small/two"
    lab.set("words", "def ")
    assert lab.message is not None
    assert "words" not in offered(lab)


@pytest.mark.parametrize(("problem", "name"), [("python", "text"), ("model", "text"), ("model", "target"), ("model", "draft")])
def test_draft_trees_in_a_workshop(problem: str, name: str) -> None:
    lab = DraftTreeLab(problem=problem, own=False)
    start = lab.values
    assert name not in offered(lab)
    lab.set(name, "/etc/passwd")
    assert lab.message is not None
    assert lab.message.knob == name
    assert lab.values == start
    lab.close()


def test_draft_trees_in_a_workshop_with_models() -> None:
    lab = DraftTreeLab(problem="model", own=False, models=("org/small",))
    for name in ("target", "draft"):
        assert offered(lab)[name].field.choices == ("", "org/small")
        lab.set(name, "org/small")
        assert lab.message is None
    assert "text" not in offered(lab)
    lab.set("target", "org/large")
    assert lab.message is not None
    assert lab.values["target"] == "org/small"
    lab.close()
