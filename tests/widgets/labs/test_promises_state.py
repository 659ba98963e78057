"""A lab's state travels as JSON and as a link, says only what the knobs know, and anything else is answered with one message."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import urlencode

import pytest

from fake_lab import FakeCore, FakeLab
from glasshouse_widgets.labs.base import Lab
from glasshouse_widgets.labs.conformal import ConformalLab
from glasshouse_widgets.labs.decoding import DraftTreeLab

SECRET = "/home/somebody/secret"
LABS: dict[str, tuple[Callable[..., Lab], dict[str, Any], dict[str, Any]]] = {
    "fake": (lambda **choices: FakeLab(core=FakeCore(), **choices),
             {"gain": 2.5, "kind": "saw", "depth": 4, "angle": 0.5, "cost": 1.5}, {"compare": "fake.square-wave"}),
    "conformal": (lambda **choices: ConformalLab(**{"problem": "tiny", **choices}),
                  {"temperature": 2.0, "calibration_size": 20, "alpha": 0.25, "image": 3}, {}),
    "decoding": (lambda **choices: DraftTreeLab(**{"problem": "tiny", **choices}),
                 {"growth": "threshold", "budget": 8, "divergence": 0.3, "coupled": True, "node": 2, "knee": 32,
                  "planted": "iid-residual"}, {"compare": "decoding.rsd"}),
}
BARE: dict[str, Callable[..., Lab]] = {"fake": LABS["fake"][0], "conformal": ConformalLab, "decoding": DraftTreeLab}
OTHER: dict[str, dict[str, Any]] = {"fake": {"width": 0.3}, "conformal": {}, "decoding": {"branching": (2, 2, 1), "variant": "beam"}}


@pytest.fixture(params=LABS)
def kind(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def make(kind: str) -> Iterator[Callable[..., Lab]]:
    """Labs of one kind that are never started: a state is about choices, not results."""
    made: list[Lab] = []

    def lab(**choices: Any) -> Lab:
        made.append(LABS[kind][0](**choices))
        return made[-1]

    yield lab
    for one in made:
        one.close()


def moved(make: Callable[..., Lab], kind: str) -> Lab:
    _, values, more = LABS[kind]
    lab = make(seed=7, **more, **values)
    if OTHER[kind]:
        lab.update(OTHER[kind], side=1)
    assert lab.message is None
    return lab


def everything(lab: Lab) -> dict[str, Any]:
    return {"method": lab.method, "problem": lab.problem, "seed": lab.seed, "compare": lab.compare,
            "values": lab.values, "other": lab.sides[1].knobs.values() if len(lab.sides) > 1 else None}


def test_round_trip_through_json(make: Callable[..., Lab], kind: str) -> None:
    lab = moved(make, kind)
    said = json.loads(json.dumps(lab.state()))
    other = make()
    assert everything(other) != everything(lab)
    other.open_state(said)
    assert other.message is None
    assert everything(other) == everything(lab)
    assert json.loads(json.dumps(other.state())) == said


def test_round_trip_through_the_link(make: Callable[..., Lab], kind: str) -> None:
    lab = moved(make, kind)
    other = make()
    other.open_link(lab.link())
    assert other.message is None
    assert everything(other) == everything(lab)
    assert other.link() == lab.link()


def defaults(lab: Lab) -> dict[str, Any]:
    return {name: f.default for holder in lab._holders(0) for name, f in holder.fields.items()}


def test_every_choice_is_said_the_defaults_too(make: Callable[..., Lab], kind: str) -> None:
    """So that a link opens the same after a default has changed."""
    lab = make()
    said = {n: v for n, v in defaults(lab).items() if not isinstance(v, str) or n in lab.state()["values"]}
    assert lab.state()["values"] == said
    name, value = next(iter(LABS[kind][1].items()))
    lab.set(name, value)
    assert lab.state()["values"] == said | {name: value}
    assert lab.state()["version"] == 1


@pytest.mark.parametrize(("kind", "problem", "name"), [
    ("fake", "own", "words"), ("fake", "own", "model"), ("decoding", "model", "target"), ("decoding", "model", "draft"),
    ("decoding", "model", "text"), ("decoding", "python", "text")], indirect=["kind"])
class TestTyped:
    def test_text_is_never_said(self, make: Callable[..., Lab], problem: str, name: str) -> None:
        lab = make(problem=problem)
        lab.set(name, SECRET)
        assert lab.values[name] == SECRET                       # it did move, it just does not travel
        assert SECRET not in json.dumps(lab.state())
        assert "secret" not in lab.link()
        assert name not in lab.state()["values"]

    def test_text_is_never_taken_from_a_link(self, make: Callable[..., Lab], problem: str, name: str) -> None:
        """Nobody may be sent a link that makes their machine open a path or read a prompt."""
        lab = make()
        family = lab.family
        for values in ({name: SECRET}, {f"{name}~b": SECRET}):
            lab.open_link("?" + urlencode({"version": 1, "lab": family, "problem": problem, **values}))
            assert lab.message is not None
            assert name in lab.message.text
            assert SECRET not in lab.values.values()
        lab.open_state({"version": 1, "lab": family, "problem": problem, "values": {name: SECRET}})
        assert lab.message is not None
        assert lab.values == defaults(lab)


def refused(kind: str) -> dict[str, dict[str, Any]]:
    """What a link may get wrong, with a good value beside it that must not stay either."""
    name, value = next(iter(LABS[kind][1].items()))
    bad: dict[str, dict[str, Any]] = {"fake": {"gain": 11}, "conformal": {"alpha": 1}, "decoding": {"divergence": 0.5}}
    good = {"version": 1, "lab": kind, name: value}
    here = {} if kind == "fake" else {"problem": "tiny"}
    return {
        "another version": {**good, "version": 2},
        "no version": {k: v for k, v in good.items() if k != "version"},
        "another lab": {**good, "lab": "elsewhere"},
        "an unknown key": {**good, **here, "no_such_knob": 1},
        "an unknown method": {**good, "method": f"{kind}.no-such"},
        "an unknown problem": {**good, "problem": "no-such"},
        "out of bounds": {**good, **here, **bad[kind]},
        "no number": {**good, **here, next(iter(bad[kind])): "many"},
        "not a number": {**good, **here, next(iter(bad[kind])): "nan"},
        "a bad seed": {**good, "seed": -1},
        "a large seed": {**good, "seed": 2**31},
        "text for a seed": {**good, "seed": "one"},
        "a second method's value and no second method": {**good, f"{name}~b": value},
        "10 kB": {**good, "words": "x" * 10_000},
    }


@pytest.mark.parametrize("case", list(refused("fake")))
def test_a_bad_link_is_one_message_and_the_defaults(make: Callable[..., Lab], kind: str, case: str) -> None:
    fresh = BARE[kind]()
    start = everything(fresh)
    lab = moved(make, kind)
    told: list[Any] = []
    lab.param.watch(lambda event: told.append(event.new) if event.new is not None else None, ["message"])
    lab.open_link("?" + urlencode(refused(kind)[case]))
    assert len(told) == 1
    assert lab.message is told[0]
    assert lab.message is not None
    assert 10 < len(lab.message.text) < 500
    assert "Traceback" not in lab.message.text
    assert everything(lab) == start
    fresh.close()


def test_a_key_said_twice_is_one_message_and_the_defaults(make: Callable[..., Lab], kind: str) -> None:
    lab, name = make(), next(iter(LABS[kind][1]))
    lab.open_link(f"{lab.link()}&{name}=1&{name}=2")
    assert lab.message is not None
    assert "twice" in lab.message.text
    assert lab.values == defaults(lab)


def test_states_that_no_lab_writes(make: Callable[..., Lab], kind: str) -> None:
    for state in ({}, {"version": 1}, {"version": 1, "lab": kind, "stray": 1}, {"version": 1, "lab": kind, "values": [1]},
                  {"version": 1, "lab": kind, "values": {"seed": 1}}, {"version": 1, "lab": kind, "seed": None},
                  {"version": "v" * 100_000, "lab": kind}, {"version": 1, "lab": kind, "k" * 100_000: 1},
                  {"version": 1, "lab": kind, "method": ["a"]}, {"version": 1, "lab": kind, "values": {next(iter(LABS[kind][1])): {"a": 1}}}):
        lab = type(make()).from_state(state, **({"core": FakeCore()} if kind == "fake" else {}))
        assert lab.message is not None, str(state)[:80]
        assert len(lab.message.text) < 500
        assert lab.values == defaults(lab)
        lab.close()


def test_an_empty_link_changes_nothing(make: Callable[..., Lab], kind: str) -> None:
    lab = moved(make, kind)
    before = everything(lab)
    for query in ("", "?"):
        lab.open_link(query)
    assert everything(lab) == before
    assert lab.message is None


def test_repr_is_the_line_that_opens_it_again(make: Callable[..., Lab], kind: str) -> None:
    lab = moved(make, kind)
    options = {"core": FakeCore()} if kind == "fake" else {}
    state = eval(repr(lab).partition("from_state")[2])          # its own words, a literal
    other = type(lab).from_state(state, **options)
    assert everything(other) == everything(lab)
    other.close()
