from __future__ import annotations

import sys
from collections.abc import Callable
from concurrent.futures import Executor, Future, ProcessPoolExecutor, ThreadPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from glasshouse import catalogue, runs
from glasshouse.runs.executors import executor
from glasshouse.runs.sweep import plan
from glasshouse.schema.errors import BadType, BadValue

GRID = {"alpha": [0.1, 0.3], "calibration_size": [20, 30], "temperature": (1, 2)}


class Backwards(Executor):
    """Runs its tasks last first, and only when a result is asked for."""

    def __init__(self) -> None:
        self.tasks: list[tuple[Future[Any], Callable[..., Any], tuple[Any, ...]]] = []

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        future: Future[Any] = Future()
        self.tasks.append((future, fn, args))
        if len(self.tasks) == 8:
            for waiting, work, arguments in reversed(self.tasks):
                waiting.set_result(work(*arguments))
        return future


def _points(records: list[Any]) -> list[tuple[Any, ...]]:
    return [(r.looks["alpha"], r.problem["fields"]["calibration_size"], r.params["temperature"]) for r in records]


def test_order_of_the_grid_whatever_the_executor() -> None:
    here = runs.sweep("conformal.lac", GRID, "tiny", seed=2)
    assert _points(here) == [(a, n, t) for a in (0.1, 0.3) for n in (20, 30) for t in (1.0, 2.0)]
    assert {r.seed for r in here} == {2}
    with ThreadPoolExecutor(3) as threads:
        for pool in (threads, Backwards()):
            there = runs.sweep("conformal.lac", GRID, "tiny", seed=2, executor=pool)
            assert all(a.same(b) for a, b in zip(here, there, strict=True))


def test_in_other_processes() -> None:
    here = runs.sweep("conformal.lac", {"alpha": [0.1, 0.3]}, catalogue.problem("conformal", "tiny:split=3"), temperature=2)
    with ProcessPoolExecutor(1, get_context("spawn")) as pool:
        there = runs.sweep("conformal.lac", {"alpha": [0.1, 0.3]}, catalogue.problem("conformal", "tiny:split=3"), executor=pool,
                           temperature=2)
    assert all(a.same(b) for a, b in zip(here, there, strict=True))
    assert here[0].problem["fields"]["split"] == 3


def test_each_cell_is_what_run_gives() -> None:
    for record in runs.sweep("conformal.lac", {"split": [0, 1]}, "tiny", alpha=0.2):
        assert record.same(runs.run("conformal.lac", "tiny", split=record.problem["fields"]["split"], alpha=0.2))


def test_seeds_may_be_swept() -> None:
    assert [r.seed for r in runs.sweep("conformal.lac", {"seed": ["1", 2]}, "tiny")] == [1, 2]
    assert [r.seed for r in runs.sweep("conformal.lac", {"seed": np.arange(2, dtype=np.uint8)}, "tiny")] == [0, 1]
    with pytest.raises(BadValue, match="seed"):
        runs.sweep("conformal.lac", {"seed": ["x"]}, "tiny")


@pytest.mark.parametrize(("grid", "fixed", "word"), [
    ({}, {}, "grid"), ({"alpha": []}, {}, "alpha"), ({"alpha": "0.1"}, {}, "list of values"), ({"alpha": 0.1}, {}, "list of values"),
    ({"alfa": [0.1]}, {}, "did you mean alpha"), ({"alpha": [0.1, 2]}, {}, "alpha = 2"), ({"alpha": [0.1]}, {"alpha": 0.1}, "not both"),
    ({"alpha": [0.1]}, {"temperature": 99}, "temperature"), ({"alpha": [0.1]}, {"temprature": 1}, "temprature"), ([1], {}, "grid")])
def test_everything_is_checked_before_any_work(monkeypatch: pytest.MonkeyPatch, grid: Any, fixed: dict[str, Any], word: str) -> None:
    def no(*_: Any, **__: Any) -> None:
        raise AssertionError("work began before the grid was checked")

    monkeypatch.setattr(sys.modules["glasshouse.runs.sweep"], "_cell", no)  # the package's name for it is the function
    with pytest.raises((BadValue, BadType), match=word):
        runs.sweep("conformal.lac", grid, "tiny", executor=None, **fixed)


def test_an_error_names_its_cell(toy_family: Path) -> None:
    with pytest.raises(RuntimeError, match="in the cell by=1, fail_at=2: RuntimeError: the toy broke"):
        runs.sweep("toy.plain-count", {"by": [1, 2], "fail_at": [-1, 2]})
    with pytest.raises(BadValue, match="in the cell index=9: index = 9") as error:
        runs.sweep("toy.plain-count", {"index": [0, 9]})
    assert error.value.argument == "index"


def test_a_failure_or_an_end_cancels_the_rest() -> None:
    class Lazy(Executor):
        futures: list[Future[Any]] = []

        def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
            self.futures.append(Future())
            if len(self.futures) == 1:
                self.futures[0].set_result("first")
            return self.futures[-1]

    pool = Lazy()
    drawing = plan("conformal.lac", {"alpha": [0.1, 0.2, 0.3]}, "tiny").records(pool)
    assert next(drawing) == "first"
    drawing.close()  # type: ignore[attr-defined]
    assert [f.cancelled() for f in pool.futures] == [False, True, True]


def test_what_is_no_executor() -> None:
    with pytest.raises(BadType, match="executor"):
        runs.sweep("conformal.lac", {"alpha": [0.1]}, "tiny", executor="local")  # type: ignore[arg-type]
    for spec in ("", "dask://", "ray", "LOCAL"):
        with pytest.raises(BadValue, match="local or dask"), executor(spec):
            pass


@pytest.mark.slow
def test_the_local_executor() -> None:
    with executor("local") as pool:
        records = runs.sweep("conformal.lac", {"alpha": [0.1, 0.2]}, "tiny", executor=pool)
    assert [r.looks["alpha"] for r in records] == [0.1, 0.2]
    with executor(None) as here:
        assert here is None
