"""A grid of runs over any ``concurrent.futures.Executor``."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass
from typing import Any

from glasshouse import catalogue
from glasshouse.runs.record import run
from glasshouse.runs.session import open
from glasshouse.schema.errors import GlasshouseError, bad_type, bad_value
from glasshouse.schema.record import RunRecord


@dataclass(frozen=True)
class Plan:
    """A checked grid: every cell is known to have allowed values. Nothing has run yet."""

    id: str
    problem: Any
    cells: tuple[dict[str, Any], ...]
    seeds: tuple[int, ...]
    names: tuple[str, ...]

    def records(self, executor: Executor | None = None) -> Iterator[RunRecord]:
        """The records in the order of the grid, each as soon as it and all before it are there."""
        if executor is None:
            yield from (_cell(self, i) for i in range(len(self.cells)))
            return
        if not callable(getattr(executor, "submit", None)):
            raise bad_type("executor", executor, "a concurrent.futures.Executor, or None for this process")
        futures = [executor.submit(_cell, self, i) for i in range(len(self.cells))]
        try:
            for future in futures:
                yield future.result()
        finally:
            for future in futures:
                future.cancel()


def plan(id: str, grid: Mapping[str, Sequence[Any]], problem: Any = None, seed: int = 0,
         fixed: Mapping[str, Any] | None = None) -> Plan:
    """Checks every name and value of the grid. ``"seed"`` may be one of its names.

    Raises: BadValue or BadType naming the knob, before any work.
    """
    if not isinstance(grid, Mapping) or not grid:
        raise bad_type("grid", grid, "a mapping of at least one knob to a list of values")
    for name, values in grid.items():
        if isinstance(values, (str, bytes)) or not hasattr(values, "__iter__"):
            raise bad_type(f"grid[{name!r}]", values, "a list of values")
        if name in (fixed or {}):
            raise bad_value(f"grid[{name!r}]", values, "either in the grid or fixed, not both")
    columns = {name: list(values) for name, values in grid.items()}
    if empty := [name for name, values in columns.items() if not values]:
        raise bad_value(f"grid[{empty[0]!r}]", [], "a list of at least one value")
    catalogue.split(id, problem, {n: v for n, v in {**dict(fixed or {}), **columns}.items() if n != "seed"})
    cells = [dict(zip(columns, point, strict=True)) for point in itertools.product(*columns.values())]
    seeds = tuple(_seed(cell.pop("seed", seed)) for cell in cells)
    whole = tuple({**dict(fixed or {}), **cell} for cell in cells)
    for cell, at in zip(whole, seeds, strict=True):
        open(id, problem, at, **cell)
    return Plan(id, problem, whole, seeds, tuple(columns))


def sweep(id: str, grid: Mapping[str, Sequence[Any]], problem: Any = None, seed: int = 0,
          executor: Executor | None = None, **fixed: Any) -> list[RunRecord]:
    """Runs every combination of ``grid`` (knob, field of the problem, look or ``"seed"`` -> values), ``fixed`` held fast.

    ``executor``: any ``concurrent.futures.Executor``, or None for this process. Records come in the order of the grid, the
    last name fastest. Raises: as :func:`plan`; an error inside a cell is raised again with the cell's values in its message.
    """
    return list(plan(id, grid, problem, seed, fixed).records(executor))


def _cell(planned: Plan, index: int) -> RunRecord:
    values, seed = planned.cells[index], planned.seeds[index]
    at = ", ".join(f"{name}={seed if name == 'seed' else values[name]}" for name in planned.names)
    try:
        return run(planned.id, planned.problem, seed, **values)
    except GlasshouseError as error:
        raise type(error)(f"in the cell {at}: {error}", error.argument) from error
    except Exception as error:
        raise RuntimeError(f"in the cell {at}: {type(error).__name__}: {error}") from error


def _seed(given: Any) -> Any:
    """A seed as the command line gives it, in text."""
    if isinstance(given, str):
        try:
            return int(given)
        except ValueError:
            raise bad_value("seed", given, "a whole number") from None
    return given
