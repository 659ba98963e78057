from __future__ import annotations

import sys
import threading
import time
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from glasshouse import catalogue, runs
from glasshouse.schema.errors import BadType, BadValue
from glasshouse.schema.events.base import Progress
from glasshouse.schema.record import RunRecord
from patience import PATIENCE

pytestmark = pytest.mark.usefixtures("toy_family")


def _trace() -> list[Any]:
    return sys.modules["glasshouse.families.toy.drive"].TRACE  # type: ignore[no-any-return]


def _steps(items: Iterator[Any]) -> list[Any]:
    return [item for item in items if not isinstance(item, Progress)]


def test_seeds_and_levels_of_any_exact_type() -> None:
    record = runs.run("conformal.lac", "tiny", np.int64(3), alpha=Decimal("0.2"))
    assert record.seed == 3
    assert type(record.seed) is int
    assert record.same(runs.run("conformal.lac", "tiny", 3, alpha=0.2))
    assert [type(event) for event in runs.study("conformal.lac", "resplits", "tiny", np.uint8(1), options={"total": 1})]


def test_open_validates_and_computes_nothing() -> None:
    session = runs.open("toy.plain_count", steps=3, by=2, index=1, seed=4)
    assert (session.info.id, session.method.by, session.problem.steps) == ("toy.plain-count", 2, 3)
    assert (session.look_values.index, session.seed, session.computed, session.done) == (1, 4, (), False)
    assert _trace() == []
    assert session.summary() == {}
    with pytest.raises(BadValue, match="nothing is computed"):
        session.look()
    assert session.guarantee.kind == "heuristic"
    assert runs.open("toy.plain-count").guarantee.kind == "exact"


@pytest.mark.parametrize(("values", "word"), [({"by": 9}, "by = 9"), ({"buy": 1}, "buy"), ({"steps": 0}, "steps"),
                                              ({"index": -2}, "index"), ({"problem": "x"}, "problem"), ({"seed": 1.5}, "seed"),
                                              ({"seed": True}, "seed"), ({"seed": "1"}, "seed"), ({"pace": "brisk"}, "slow, fast")])
def test_open_refuses(values: dict[str, Any], word: str) -> None:
    with pytest.raises((BadValue, BadType), match=word):
        runs.open("toy.plain-count", **values)


def test_events_replay_then_go_on() -> None:
    session = runs.open("toy.plain-count", steps=5)
    first = session.events()
    assert isinstance(next(first), Progress)
    one, two = next(first), [next(first), next(first)][1]
    first.close()
    assert session.computed == (one, two)
    assert _trace() == [0, 1]
    assert not session.done
    again = session.events()
    assert next(again) is one
    assert next(again) is two
    assert _trace() == [0, 1]
    rest = _steps(again)
    assert [e.i for e in rest] == [2, 3, 4]
    assert session.done
    assert _trace() == [0, 1, 2, 3, 4]
    assert _steps(session.events()) == list(session.computed)
    assert _trace() == [0, 1, 2, 3, 4]


def test_look_recomputes_nothing_and_keeps_the_session() -> None:
    session = runs.open("toy.plain-count", index=1)
    list(session.events())
    assert session.look().i == 1
    assert session.look(index=3).i == 3
    assert session.look().i == 1
    assert _trace() == [0, 1, 2, 3, 4]
    with pytest.raises(BadValue, match="index = 7"):
        session.look(index=7)
    with pytest.raises(BadValue, match="indax"):
        session.look(indax=1)


def test_close_stops_for_good_and_keeps_what_is_computed() -> None:
    session = runs.open("toy.plain-count")
    drawing = session.events()
    next(drawing), next(drawing)
    session.close()
    assert _steps(drawing) == []
    assert len(_steps(session.events())) == 1
    assert _trace() == [0]
    assert not session.done
    assert session.look().i == 0
    assert not session.record().complete
    session.close()


def test_a_failure_is_told_to_everyone() -> None:
    session = runs.open("toy.plain-count", fail_at=1)
    for _ in range(2):
        with pytest.raises(RuntimeError, match="the toy broke"):
            list(session.events())
    assert len(session.computed) == 1
    assert not session.done


def test_two_threads_never_compute_at_once(toy_family: Path) -> None:
    inside, most = 0, 0
    lock = threading.Lock()
    session = runs.open("toy.plain-count", steps=60)
    drive = sys.modules["glasshouse.families.toy.drive"]
    original = session._work

    def watched() -> Iterator[Any]:
        nonlocal inside, most
        while True:
            with lock:
                inside += 1
                most = max(most, inside)
            time.sleep(0.001)
            item = next(original, None)
            with lock:
                inside -= 1
            if item is None:
                return
            yield item

    session._work = watched()
    drawn: list[list[Any]] = [[], [], []]
    failures: list[BaseException] = []

    def draw(mine: list[Any]) -> None:
        try:
            mine.extend(_steps(session.events()))
        except BaseException as failure:
            failures.append(failure)

    threads = [threading.Thread(target=draw, args=(mine,)) for mine in drawn]
    for thread in threads:
        thread.start()
    looks = 0
    while any(thread.is_alive() for thread in threads):
        if session.computed:
            looks += session.look(index=0).i == 0  # type: ignore[attr-defined]
    for thread in threads:
        thread.join()
    assert failures == []
    assert most == 1
    assert looks > 0
    assert list(range(60)) == drive.TRACE
    assert all([e.i for e in mine] == list(range(60)) for mine in drawn)


def test_close_from_another_thread_waits_for_the_step() -> None:
    session = runs.open("toy.plain-count", steps=1000)
    thread = threading.Thread(target=lambda: list(session.events()))
    thread.start()
    while not session.computed:
        time.sleep(0.001)
    session.close()
    thread.join(PATIENCE)
    assert not thread.is_alive()


def test_same_arguments_same_record_and_durations_do_not_count() -> None:
    one, two = (runs.run("toy.plain-count", seed=3, steps=4) for _ in range(2))
    assert one.same(two)
    assert one.columns["seconds"] != two.columns["seconds"]
    assert one.columns["i"] == [0, 1, 2, 3]
    assert one.event == "Step"
    assert one.complete
    assert not one.same(runs.run("toy.plain-count", seed=4, steps=4))
    assert not one.same(runs.run("toy.plain-count", seed=3, steps=4, index=0))
    assert RunRecord.from_json(one.to_json()) == one


def test_record_holds_all_that_repeats_it() -> None:
    record = runs.run("toy.plain-count", problem="numbers:steps=2", by=3, index=0, seed=1)
    assert record.method == "toy.plain-count"
    assert record.seed == 1
    assert record.looks == {"index": 0}
    assert record.problem == {"name": "numbers", "fields": {"steps": 2, "note": ""}}
    assert record.params == {"by": 3, "fail_at": -1, "pace": "slow"}
    assert record.guarantee.kind == "heuristic"
    assert record.summary["steps"] == 2
    assert record.summary["seen"] == 0
    assert {"glasshouse", "python", "numpy"} <= set(record.versions)
    again = runs.run(record.method, catalogue.problem("toy", record.problem["name"], record.problem["fields"]), record.seed,
                     **record.params, **record.looks)
    assert again.same(record)


@pytest.mark.parametrize(("stop", "kind", "rows"), [(1, "Prompt", 1), (2, "Round", 1), (3, "Round", 2)])
def test_the_rows_of_a_record_are_the_steps_and_not_what_they_start_from(stop: int, kind: str, rows: int) -> None:
    session = runs.open("decoding.autoregressive", "tiny")
    stream = session.events()
    for _ in range(stop):
        next(stream)
    record = session.record()
    assert (record.event, {len(cells) for cells in record.columns.values()}) == (kind, {rows})


def test_a_look_that_sees_nothing_matters_only_when_asked_for() -> None:
    session = runs.open("toy.plain-count", steps=2)
    list(session.events())
    with pytest.raises(BadValue, match="index = 5"):
        session.record(index=5)
    with pytest.raises(BadValue, match="index = 5"):
        runs.run("toy.plain-count", steps=2, index=5)


def test_prepared_artefacts_are_kept_by_everything_they_depend_on(toy_family: Path) -> None:
    def prepared(**values: Any) -> tuple[float, int, int]:
        _trace().clear() if "glasshouse.families.toy.drive" in sys.modules else None
        items = list(runs.open("toy.prepared-count", "tiny", **values).events())
        told = sum(isinstance(i, Progress) and i.message == "preparing" for i in items)
        return _steps(iter(items))[-1].total, _trace().count("prepare"), told

    first = prepared()
    assert first[0] > 90
    assert first[1:] == (1, 1)
    assert prepared() == (first[0], 0, 0)
    assert prepared(by=2)[1] == 1
    assert prepared(seed=1)[1] == 1
    assert prepared(seed=1)[1] == 0
    (toy_family / "extra.py").write_text("# the code has changed\n", "utf-8")
    from glasshouse.runs.cache import code_version

    code_version.cache_clear()
    assert prepared()[1] == 1


def test_a_folder_that_cannot_be_used_costs_only_the_keeping(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").write_text("not a folder", "utf-8")
    monkeypatch.setenv("GLASSHOUSE_CACHE", str(tmp_path / "file"))
    assert runs.run("toy.prepared-count", "tiny").summary["steps"] == 3


@pytest.mark.filterwarnings("ignore::UserWarning")
def test_a_spoilt_artefact_is_made_again(tmp_path: Path) -> None:
    whole = runs.run("toy.prepared-count", "tiny")
    spoilt = list((tmp_path / "cache").rglob("output.pkl"))
    assert len(spoilt) == 1
    spoilt[0].write_bytes(b"spoilt")
    assert runs.run("toy.prepared-count", "tiny").same(whole)


def test_study() -> None:
    items = list(runs.study("toy.plain-count", "double", options={"times": 5}, by=3, index=0))
    assert items[-1].extra["value"] == 15
    assert isinstance(items[0], Progress)
    for arguments, word in ((("dauble",), "double"), (("double", "tinny"), "tiny")):
        with pytest.raises(BadValue, match=word):
            runs.study("toy.plain-count", *arguments)
    with pytest.raises(BadValue, match="option = 'tames'"):
        runs.study("toy.plain-count", "double", options={"tames": 1})
    with pytest.raises(BadValue, match="by = 99"):
        runs.study("toy.plain-count", "double", by=99)
