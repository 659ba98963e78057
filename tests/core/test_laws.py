"""What every method owes, whatever it is: for each entry of the catalogue, with no list. Uncovered means failed."""

from __future__ import annotations

import dataclasses
import importlib
import importlib.util
import json
import math
import pickle
import random
import threading
import time
from collections.abc import Callable, Iterator
from functools import lru_cache
from pathlib import Path
from typing import Any, get_args

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from glasshouse import catalogue, runs
from glasshouse.catalogue import MethodInfo
from glasshouse.numerics.seeds import Seeds
from glasshouse.schema.build import build
from glasshouse.schema.errors import GlasshouseError
from glasshouse.schema.events.base import Event, Progress
from glasshouse.schema.guarantee import Guarantee, Kind
from glasshouse.schema.knob import KnobField, knobs_of
from glasshouse.schema.paper import Paper
from glasshouse.schema.record import RunRecord
from glasshouse.schema.view import Preset, View, ViewKind

INFOS = catalogue.methods()
every_method = pytest.mark.parametrize("info", INFOS, ids=lambda info: info.id)
ROOMS = [room for family in catalogue.families() for room in catalogue.rooms(family)]
every_room = pytest.mark.parametrize("room", ROOMS)
TINY_SECONDS = 5
RESERVED = {"id", "name", "title", "problem", "seed", "executor", "grid", "options", "method", "look", "looks"}


def _laws(room: str) -> tuple[Callable[[type], Any], ...]:
    home = f"glasshouse.families.{room}.laws"
    if importlib.util.find_spec(home) is None:
        return ()
    return tuple(importlib.import_module(home).LAWS)


@lru_cache(maxsize=64)
def _tiny(id: str) -> tuple[runs.Session, float]:
    """The method's tiny run, ended, and the processor's seconds it took."""
    begun = time.process_time()
    session = runs.open(id, "tiny", seed=3)
    for _ in session.events():
        pass
    return session, time.process_time() - begun


def test_there_is_something_to_hold_to_the_laws() -> None:
    assert {info.family for info in INFOS} == set(catalogue.families()) >= {"conformal", "decoding"}
    assert len({info.id for info in INFOS}) == len(INFOS)


@every_method
def test_literals_say_what_they_must(info: MethodInfo) -> None:
    assert isinstance(info.paper, Paper)
    assert info.title
    assert info.paper.authors
    assert 1900 < info.year < 2100
    assert info.arxiv or info.doi
    assert info.paper.where
    assert info.summary.endswith((".", "?", ")", ":"))
    assert isinstance(info.guarantee, Guarantee)
    assert info.guarantee.kind in get_args(Kind)
    assert info.guarantee.statement
    assert all(isinstance(view, View) and view.kind in get_args(ViewKind) and view.title for view in info.views)
    assert all(isinstance(preset, Preset) and preset.question.strip().endswith("?") for preset in info.presets)


@every_method
def test_it_has_a_view_of_its_own_state_and_a_preset(info: MethodInfo) -> None:
    assert info.views
    assert info.presets
    for names in ([view.title for view in info.views], [preset.name for preset in info.presets]):
        assert len(set(names)) == len(names)


@every_method
def test_views_name_what_a_look_carries(info: MethodInfo) -> None:
    session, _ = _tiny(info.id)
    carried = {key for event in (*session.computed, session.look()) for key in event.extra}
    for view in info.views:
        asked = {getattr(view, axis) for axis in ("x", "y", "z", "text", "color", "size", "parent")} - {""}
        assert asked
        assert asked <= carried, view.title


@every_method
def test_presets_can_be_set(info: MethodInfo) -> None:
    for preset in info.presets:
        assert preset.values
        session = runs.open(info.id, preset.problem or None, **preset.values)
        assert session.problem.name == (preset.problem or catalogue.modules(info.room).problems[0].name)


@every_method
def test_it_has_an_oracle_test(info: MethodInfo) -> None:
    test = Path(__file__).parent / info.family / "methods" / f"test_{info.path.stem}.py"
    assert test.is_file(), f"{info.id} owes {test}"
    assert "def test_" in test.read_text("utf-8")


@every_method
def test_defaults_build_and_equal_objects_are_equal(info: MethodInfo) -> None:
    cls = catalogue.load(info.id)
    assert build(cls, {}) == cls() == pickle.loads(pickle.dumps(cls()))
    assert hash(build(cls, {})) == hash(cls())
    assert cls.__dataclass_params__.frozen
    for knob in knobs_of(cls):
        assert build(cls, {knob.name: knob.default}) == cls()
        assert build(cls, {knob.name: _as_text(knob.default)}) == cls(), f"{knob.name} read from text"
        with pytest.raises(dataclasses.FrozenInstanceError):
            setattr(cls(), knob.name, knob.default)


@every_method
@settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_every_value_within_bounds_builds(info: MethodInfo, data: st.DataObject) -> None:
    cls = catalogue.load(info.id)
    values = {knob.name: data.draw(_within(knob), label=knob.name) for knob in knobs_of(cls)}
    built = build(cls, values)
    assert all(getattr(built, name) == value for name, value in values.items())
    assert runs.open(info.id, "tiny", **values).method == built


@every_method
def test_every_value_out_of_bounds_fails_and_names_the_knob(info: MethodInfo) -> None:
    for cls in (catalogue.load(info.id), catalogue.modules(info.room).Look, *catalogue.modules(info.room).problems):
        for knob in knobs_of(cls):
            for value in _outside(knob):
                with pytest.raises(GlasshouseError, match=knob.name) as error:
                    build(cls, {knob.name: value})
                assert error.value.argument == knob.name
                assert isinstance(error.value, (ValueError, TypeError))
        with pytest.raises(GlasshouseError, match="no_such_knob"):
            build(cls, {"no_such_knob": 1})


@every_method
def test_names_never_clash(info: MethodInfo) -> None:
    family = catalogue.modules(info.room)
    knobs, looks = _names(catalogue.load(info.id)), _names(family.Look)
    for problem in family.problems:
        fields = _names(problem)
        assert not (knobs & fields)
        assert not (knobs & looks)
        assert not (fields & looks)
        assert not (knobs | fields | looks) & RESERVED
    assert all(knob.knob.cost == "look" for knob in knobs_of(family.Look))
    assert all(knob.knob.cost != "look" for knob in knobs_of(catalogue.load(info.id)))


@every_method
def test_same_seed_same_record(info: MethodInfo) -> None:
    session, _ = _tiny(info.id)
    record = session.record()
    again = runs.run(info.id, "tiny", seed=3)
    assert record.same(again)
    assert len(record.columns) > 0
    assert RunRecord.from_json(record.to_json()).same(record)
    json.loads(record.to_json(), parse_constant=lambda name: pytest.fail(f"{name} is not JSON"))
    fresh = runs.open(info.id, catalogue.problem(info.room, "tiny"), seed=3)
    while not fresh.done:  # a session that is left and taken up again after every event
        drawing = fresh.events()
        for _ in zip(range(len(fresh.computed) + 1), drawing, strict=False):
            pass
        drawing.close()  # type: ignore[attr-defined]
    assert fresh.record().same(record)
    assert len(fresh.computed) == len(session.computed)


@every_method
def test_nothing_given_is_changed_and_no_global_randomness_is_used(info: MethodInfo) -> None:
    method, problem = catalogue.load(info.id)(), catalogue.problem(info.room, "tiny")
    before = pickle.dumps((method, problem))
    states = _global_randomness()
    for _ in catalogue.modules(info.room).drive(method, problem, Seeds(1)):
        pass
    assert pickle.dumps((method, problem)) == before
    assert _global_randomness() == states


@every_method
def test_tiny_ends_within_five_seconds(info: MethodInfo) -> None:
    runs.run(info.id, "tiny", seed=3)  # imports are not the method's
    begun = time.process_time()
    runs.run(info.id, "tiny", seed=4)
    assert time.process_time() - begun < TINY_SECONDS


@every_method
def test_closing_in_mid_run_stops(info: MethodInfo) -> None:
    threads = set(threading.enumerate())
    method, problem = catalogue.load(info.id)(), catalogue.problem(info.room, "tiny")
    drawing = catalogue.modules(info.room).drive(method, problem, Seeds(0))
    assert isinstance(next(drawing), (Event, Progress))
    drawing.close()  # type: ignore[attr-defined]
    assert list(drawing) == []
    session = runs.open(info.id, "tiny")
    next(item for item in session.events() if isinstance(item, Event))
    session.close()
    assert len(list(session.events())) == len(session.computed) == 1
    assert not set(threading.enumerate()) - threads


@every_method
def test_the_actual_guarantee_is_there_and_looks_answer(info: MethodInfo) -> None:
    session = runs.open(info.id, "tiny", seed=3)
    assert session.guarantee.statement
    for _ in session.events():
        pass
    assert session.guarantee.kind in get_args(Kind)
    assert isinstance(session.look(), Event)
    numbers = session.summary()
    assert numbers
    assert all(isinstance(value, (int, float, str)) for value in numbers.values())


@every_method
def test_the_laws_of_its_family(info: MethodInfo) -> None:
    cls = catalogue.load(info.id)
    for law in _laws(info.room):
        assert law(cls) is not False, law.__name__


@every_room
def test_a_family_keeps_its_promises_to_the_rooms_above(room: str) -> None:
    found = catalogue.modules(room)
    assert _laws(room), "every question of a family has laws of its own"
    names = [problem.name for problem in found.problems]
    assert "tiny" in names
    assert len(set(names)) == len(names)
    for problem in found.problems:
        assert problem.title
        assert pickle.loads(pickle.dumps(build(problem, {}))) == build(problem, {})
    assert build(found.Look, {}) == found.Look()


def _global_randomness() -> tuple[Any, ...]:
    import torch

    numpy_state = np.random.get_state()  # noqa: NPY002 (it is what must not move)
    return random.getstate(), pickle.dumps(numpy_state), torch.get_rng_state().tolist()


def _names(cls: type) -> set[str]:
    return {knob.name for knob in knobs_of(cls)}


def _as_text(value: Any) -> Any:
    """The value as the command line writes it."""
    if isinstance(value, tuple):
        return "-".join(map(str, value))
    return "none" if value is None else str(value)


def _within(knob: KnobField) -> st.SearchStrategy[Any]:
    low, high = knob.low, knob.high
    numbers = st.integers(math.ceil(low) + (knob.low_open and low == math.ceil(low)) if low is not None else -1000,
                          math.floor(high) - (knob.high_open and high == math.floor(high)) if high is not None else 1000)
    found: st.SearchStrategy[Any] = {
        "bool": st.booleans(), "choice": st.sampled_from(knob.choices or (None,)),
        "text": st.text(max_size=min(knob.max_length or 50, 50)), "int": numbers,
        "float": st.floats(low, high, exclude_min=knob.low_open, exclude_max=knob.high_open, allow_nan=False, allow_infinity=False),
        "vector": st.lists(numbers, min_size=1, max_size=knob.max_length or 5).map(tuple)}[knob.kind]
    return st.none() | found if knob.optional else found


def _outside(knob: KnobField) -> Iterator[Any]:
    """Values that are not allowed, at the bounds and far beyond."""
    wrap: Callable[[Any], Any] = (lambda x: (x,)) if knob.kind == "vector" else (lambda x: x)
    if knob.low is not None:
        yield from map(wrap, (knob.low if knob.low_open else knob.low - 1, knob.low - 1000))
    if knob.high is not None:
        yield from map(wrap, (knob.high if knob.high_open else knob.high + 1, knob.high + 1000))
    if knob.kind in ("int", "float", "vector"):
        yield from (wrap(math.nan), "many", wrap("x"), [[1]])
    if knob.kind in ("int", "vector"):
        yield wrap(1.5)
    if knob.kind in ("int", "float"):
        yield True
    if knob.kind in ("choice", "bool"):
        yield from ("no such choice", 7.5)
    if knob.max_length is not None:
        yield ("x" if knob.kind == "text" else (1,)) * (knob.max_length + 1)
    if not knob.optional:
        yield None
