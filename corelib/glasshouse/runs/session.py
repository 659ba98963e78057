"""A session: one method on one problem, drawn event by event, looked at without recomputing."""

from __future__ import annotations

import dataclasses
import platform
import sys
from collections import Counter
from collections.abc import Generator, Iterator
from importlib import metadata
from threading import Lock
from typing import Any

import numpy as np

import glasshouse
from glasshouse import catalogue
from glasshouse.catalogue import FamilyModules, MethodInfo
from glasshouse.numerics.seeds import Seeds, checked_seed
from glasshouse.runs import cache
from glasshouse.schema.build import build
from glasshouse.schema.errors import BadValue, GlasshouseError
from glasshouse.schema.events.base import Event, Progress
from glasshouse.schema.guarantee import Guarantee
from glasshouse.schema.record import RunRecord


class Session:
    """A run that can be watched, stopped, gone on with and looked at, from several threads.

    Computing is drawing from :meth:`events`: nothing runs between draws. One thread computes at a time; others wait for
    its step and then read what it found.
    """

    def __init__(self, info: MethodInfo, modules: FamilyModules, method: Any, problem: Any, seed: int, looks: Any) -> None:
        self.info = info
        self.method = method
        self.problem = problem
        self.seed = seed
        self.look_values = looks
        self._modules = modules
        self._events: list[Event] = []
        self._work = self._draw()
        self._one_at_a_time = Lock()
        self._done = False
        self._closed = False
        self._failure: BaseException | None = None

    @property
    def computed(self) -> tuple[Event, ...]:
        """The events so far."""
        return tuple(self._events)

    @property
    def done(self) -> bool:
        """Whether the run has come to its end."""
        return self._done

    @property
    def guarantee(self) -> Guarantee:
        """The promise that holds for this run with these knobs, as far as it is computed."""
        promise = self._modules.guarantee(self.method, self.problem, self.computed)
        assert isinstance(promise, Guarantee)
        return promise

    def events(self) -> Iterator[Event | Progress]:
        """What is computed, then what is computed from there on. May be closed and asked for again at any time.

        Progress is passed to whoever draws it and not repeated. After :meth:`close`, only what is computed.
        """
        seen = 0
        while True:
            while seen < len(self._events):
                seen += 1
                yield self._events[seen - 1]
            progress = self._advance(seen)
            if progress is not None:
                yield progress
            elif seen >= len(self._events):
                return

    def look(self, **looks: Any) -> Event:
        """What is computed, seen through ``looks`` (others as the session was opened with).

        Raises: BadValue for an unknown or forbidden look, or when nothing is computed yet.
        """
        return self._look(self._build_look(looks))

    def summary(self, **looks: Any) -> dict[str, int | float | str]:
        """The run's own numbers, under ``looks`` where they depend on them; empty before the first event."""
        return self._summary(self._build_look(looks), explicit=bool(looks))

    def record(self, **looks: Any) -> RunRecord:
        """What is computed so far, with everything needed to run it again."""
        look = self._build_look(looks)
        events = self.computed
        kinds = Counter(type(event) for event in reversed(events))
        kind = max(kinds, key=lambda k: kinds[k], default=Event)  # of equally common ones the latest: steps follow what starts them
        rows = [event.row() for event in events if type(event) is kind]
        columns = {name: [_scalar(row.get(name)) for row in rows] for name in (rows[0] if rows else ())}
        return RunRecord(
            method=self.info.id, params=_fields(self.method), looks=_fields(look), seed=self.seed, versions=_versions(),
            problem={"name": self.problem.name, "fields": _fields(self.problem)}, guarantee=self.guarantee,
            event=kind.__name__, columns=columns, complete=self._done,
            summary={name: _scalar(value) for name, value in self._summary(look, explicit=bool(looks)).items()})

    def close(self) -> None:
        """Stops the work for good, waiting for a step in progress; what is computed stays."""
        self._closed = True
        with self._one_at_a_time:
            self._work.close()

    def _draw(self) -> Generator[Event | Progress, None, None]:
        prepared = None
        seeds = Seeds(self.seed)
        if getattr(self.method, "prepares", False):
            prepared = yield from cache.prepared(self.info, self._modules, self.method, self.problem, seeds)
        yield from self._modules.drive(self.method, self.problem, seeds, prepared)

    def _advance(self, seen: int) -> Progress | None:
        """Computes until there is more than ``seen`` events, the end, or some progress to tell."""
        with self._one_at_a_time:
            if self._failure is not None:
                raise self._failure
            if seen < len(self._events) or self._done or self._closed:
                return None
            try:
                item = next(self._work)
            except StopIteration:
                self._done = True
                return None
            except BaseException as failure:
                self._failure = failure
                raise
            if isinstance(item, Progress):
                return item
            self._events.append(item)
            return None

    def _build_look(self, looks: dict[str, Any]) -> Any:
        return build(self._modules.Look, {**_fields(self.look_values), **looks}) if looks else self.look_values

    def _look(self, look: Any) -> Event:
        events = self.computed
        if not events:
            raise BadValue("look: nothing is computed yet, draw from events() first", "look")
        seen = self._modules.look(events, look)
        assert isinstance(seen, Event)
        return seen

    def _summary(self, look: Any, explicit: bool) -> dict[str, Any]:
        events = self.computed
        if not events:
            return {}
        try:
            events = (*events, self._look(look))
        except GlasshouseError:
            if explicit or look != self._modules.Look():
                raise
            # a default look is nobody's error: a run may have nothing there to see
        return self._modules.summary(events)


def open(id: str, problem: Any = None, seed: int = 0, **values: Any) -> Session:
    """A session of method ``id``; ``values`` are its knobs, fields of the problem and looks, by name.

    ``problem``: None for the family's default, ``"name"``, ``"name:key=value,..."`` or a problem. Everything is validated
    here and nothing is computed yet.

    Raises: BadValue or BadType naming the argument or knob, its value and what is allowed.
    """
    info = catalogue.info(id)
    modules = catalogue.modules(info.room)
    parts = catalogue.split(id, problem, values)
    return Session(info, modules, build(catalogue.load(id), parts.method),
                   catalogue.problem(info.room, problem, parts.problem), checked_seed(seed), build(modules.Look, parts.look))


def _fields(instance: Any) -> dict[str, Any]:
    return {field.name: getattr(instance, field.name) for field in dataclasses.fields(instance)}


def _scalar(value: Any) -> Any:
    """A NumPy scalar as its Python equal."""
    return value.item() if isinstance(value, np.generic) else value


def _versions() -> dict[str, str]:
    """What could change the numbers, as far as it is imported."""
    imported = [name for name in ("numpy", "scipy", "torch", "transformers") if name in sys.modules]
    return {"glasshouse": glasshouse.__version__, "python": platform.python_version(),
            **{name: metadata.version(name) for name in imported}}
