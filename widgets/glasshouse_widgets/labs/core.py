"""The one door from a lab to Glasshouse: catalogue and runs. A test walks in with another."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, Protocol

from glasshouse.schema.events.base import Event, Progress
from glasshouse.schema.guarantee import Guarantee

if TYPE_CHECKING:
    from glasshouse.catalogue import MethodInfo


class Session(Protocol):
    """What a lab needs of ``glasshouse.runs.Session``."""

    @property
    def computed(self) -> tuple[Event, ...]: ...
    @property
    def done(self) -> bool: ...
    @property
    def guarantee(self) -> Guarantee: ...
    def events(self) -> Iterator[Event | Progress]: ...
    def look(self, **looks: Any) -> Event: ...
    def summary(self) -> Mapping[str, Any]: ...
    def record(self) -> Any: ...
    def close(self) -> None: ...


class Core(Protocol):
    """What a lab asks of Glasshouse. A ``room`` is a family, or a further question of it. ``worker`` is called on threads that compute, often."""

    def methods(self, room: str) -> list[MethodInfo]: ...
    def load(self, method: str) -> type: ...
    def problems(self, room: str) -> tuple[type[Any], ...]: ...
    def looks(self, room: str) -> type: ...
    def open(self, method: str, problem: str, seed: int, values: Mapping[str, Any]) -> Session: ...
    def study(self, method: str, name: str, problem: str, seed: int, options: Mapping[str, Any],
              values: Mapping[str, Any]) -> Iterator[Event | Progress]: ...
    def worker(self) -> None: ...


class Glasshouse:
    """The real one. Imports are late: a family brings torch."""

    def methods(self, room: str) -> list[MethodInfo]:
        from glasshouse import catalogue

        return [info for info in catalogue.methods(room.partition(".")[0]) if info.room == room]

    def load(self, method: str) -> type:
        from glasshouse import catalogue

        return catalogue.load(method)

    def problems(self, room: str) -> tuple[type[Any], ...]:
        from glasshouse import catalogue

        return tuple(catalogue.modules(room).problems)

    def looks(self, room: str) -> type:
        from glasshouse import catalogue

        return catalogue.modules(room).Look

    def open(self, method: str, problem: str, seed: int, values: Mapping[str, Any]) -> Session:
        from glasshouse import runs

        return runs.open(method, problem=problem, seed=seed, **values)

    def study(self, method: str, name: str, problem: str, seed: int, options: Mapping[str, Any],
              values: Mapping[str, Any]) -> Iterator[Event | Progress]:
        from glasshouse import runs

        return runs.study(method, name, problem=problem, seed=seed, options=options, **values)

    def worker(self) -> None:
        from glasshouse.runs.threads import one_thread

        one_thread()


CORE: Callable[[], Core] = Glasshouse
