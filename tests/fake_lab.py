"""A family that exists only in tests: a lab's whole surface over a core whose timing and mistakes a test decides."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Annotated, Any, ClassVar, Literal

import numpy as np
from annotated_types import Ge, Le

from glasshouse.schema.errors import bad_value
from glasshouse.schema.events.base import Event, Progress
from glasshouse.schema.guarantee import Guarantee
from glasshouse.schema.knob import Knob
from glasshouse.schema.paper import Paper
from glasshouse.schema.view import Preset, View
from glasshouse_widgets.labs.base import Action, Lab, Reading, Shown, Slot, Story

PAPER = Paper("On Waves", "Nobody", 2020, arxiv="2000.00000")


@dataclass(frozen=True)
class Wave:
    """A wave that grows point by point."""

    gain: Annotated[float, Ge(0), Le(10), Knob(cost="live", group="how it waves", unit="dB", step=0.5, help="height")] = 1.0
    steps: Annotated[int, Ge(1), Le(200), Knob(cost="job", group="how it waves")] = 5
    kind: Annotated[Literal["sine", "saw"], Knob(cost="live", more=True)] = "sine"

    def __post_init__(self) -> None:
        if self.gain == 7:
            raise bad_value("gain", self.gain, "any gain but seven")


@dataclass(frozen=True)
class Square:
    """Another method, with knobs of its own."""

    width: Annotated[float, Ge(0), Le(1), Knob(cost="live", step=0.1)] = 0.5


@dataclass(frozen=True)
class Pond:
    name: ClassVar[str] = "pond"
    title: ClassVar[str] = "A pond"
    depth: Annotated[int, Ge(1), Le(9), Knob(cost="job", unit="m")] = 3


@dataclass(frozen=True)
class Own:
    name: ClassVar[str] = "own"
    title: ClassVar[str] = "Your own"
    words: Annotated[str, Knob(cost="job")] = ""
    model: Annotated[str, Knob(cost="job", unit="model")] = "bundled"


@dataclass(frozen=True)
class FakeLook:
    angle: Annotated[float, Ge(0), Le(1), Knob(cost="look", step=0.01)] = 0.25
    round: Annotated[int, Ge(-1), Le(100_000), Knob(cost="look")] = -1


@dataclass(frozen=True)
class Dial:
    cost: Annotated[float, Ge(0), Le(2), Knob(cost="look", group="what it costs", step=0.1)] = 1.0


@dataclass(frozen=True, kw_only=True, eq=False)
class Point(Event):
    index: int
    value: float


@dataclass(frozen=True, kw_only=True, eq=False)
class Looked(Event):
    index: int
    rounds: int
    angle: float
    gain: float
    values: np.ndarray


@dataclass(frozen=True)
class Info:
    id: str
    title: str
    name: str
    family: str = "fake"
    year: int = 2020
    arxiv: str = "2000.00000"
    doi: str = ""
    summary: str = ""
    guarantee: Guarantee = Guarantee("exact", "It waves.")
    paper: Paper = PAPER
    views: tuple[View, ...] = ()
    presets: tuple[Preset, ...] = ()


@dataclass
class FakeSession:
    core: FakeCore
    info: Info
    values: Mapping[str, Any]
    computed: tuple[Event, ...] = ()
    done: bool = False
    closed: bool = False
    open_iterators: int = 0
    guarantee: Guarantee = Guarantee("exact", "It waves.", assumptions=("water",))

    def events(self) -> Iterator[Event | Progress]:
        self.open_iterators += 1
        try:
            yield from self.computed
            for i in range(len(self.computed), int(self.values.get("steps", 1))):
                self.core.pause(self)
                if self.values.get("depth") == 6:
                    raise bad_value("depth", 6, "a pond less deep")
                if self.values.get("depth") == 8:
                    raise RuntimeError("<b>burst</b>")
                event = Point(index=i, value=float(self.values.get("gain", 0.0)), extra={"row": np.arange(3.0) * i})
                self.computed = (*self.computed, event)
                yield Progress(done=i + 1, total=float(self.values.get("steps", 1)))
                yield event
            self.done = True
        finally:
            self.open_iterators -= 1

    def look(self, **looks: Any) -> Event:
        self.core.looked.append(dict(looks))
        n = len(self.computed)
        at = n - 1 if looks["round"] == -1 else min(looks["round"], n - 1)
        return Looked(index=at, rounds=n, angle=looks["angle"], gain=float(self.values.get("gain", 0.0)),
                      values=np.arange(at + 1) * looks["angle"], extra=self.computed[at].extra)

    def summary(self) -> dict[str, Any]:
        return {"points": len(self.computed)}

    def record(self, **looks: Any) -> Any:
        session = self

        class Record:
            def to_dict(self) -> dict[str, Any]:
                return {"points": len(session.computed)}

        return Record()

    def close(self) -> None:
        self.closed = True


@dataclass
class FakeCore:
    """``delay`` seconds before each event; with ``gate`` set, events come only while it is open."""

    delay: float = 0.0
    gate: threading.Event | None = None
    sessions: list[FakeSession] = field(default_factory=list)
    looked: list[dict[str, Any]] = field(default_factory=list)
    studied: list[dict[str, Any]] = field(default_factory=list)

    def pause(self, session: FakeSession) -> None:
        if self.gate is not None:
            self.gate.wait()
        time.sleep(self.delay)

    def methods(self, family: str) -> list[Any]:
        view = View("bars", "Its own row", x="", y="row")
        presets = (Preset("Loud", "What does a loud wave do?", {"gain": 9.0, "angle": 0.5}),
                   Preset("Deep", "And in deep water?", {"depth": 5}, problem="pond"))
        return [Info("fake.wave", "On Waves", "Wave", views=(view,), presets=presets), Info("fake.square-wave", "On Squares", "SquareWave")]

    def load(self, method: str) -> type:
        return {"fake.wave": Wave, "fake.square-wave": Square}[method]

    def problems(self, family: str) -> tuple[type, ...]:
        return (Pond, Own)

    def looks(self, family: str) -> type:
        return FakeLook

    def open(self, method: str, problem: str, seed: int, values: Mapping[str, Any]) -> Any:
        info = next(i for i in self.methods("fake") if i.id == method)
        self.sessions.append(FakeSession(self, info, dict(values)))
        return self.sessions[-1]

    def study(self, method: str, name: str, problem: str, seed: int, options: Mapping[str, Any],
              values: Mapping[str, Any]) -> Iterator[Event | Progress]:
        self.studied.append(dict(options))
        for i in range(3):
            time.sleep(self.delay)
            yield Point(index=i, value=float(i))

    def worker(self) -> None:
        pass


class FakeLab(Lab):
    family = "fake"
    title = "Waves"
    question = "When does a wave break?"
    sentence = "A wave grows point by point."
    sequence = "round"
    dials = Dial
    slots = (Slot("wave", "The wave", height=360, describe="Height of the wave by point."),
             Slot("history", "Points so far", "second", height=160))
    actions = (Action("tide", "Measure the tide", "Takes a moment.", "Stop measuring"),)

    def draw(self, name: str, shown: Shown, other: Shown | None) -> dict[str, Any]:
        event: Any = shown.event
        title = f"{name} angle={event.angle} gain={event.gain} index={event.index}"
        return {"data": [{"type": "scatter", "x": np.arange(len(event.values)), "y": event.values * shown.looks["cost"]}],
                "layout": {"title": {"text": title}, "xaxis": {"range": [0, 10]}, "font": {"color": shown.theme.ink}}}

    def read(self, shown: Shown) -> tuple[Reading, ...]:
        event: Any = shown.event
        return (Reading("points", f"{event.rounds:3d}", "", "How many points there are."),
                Reading("height", f"{event.gain:5.2f}", "m", "How high it goes."))

    def explain(self, shown: Shown, other: Shown | None) -> Story:
        return Story("A wave.", "Turn the gain up.")

    def span(self, shown: Shown) -> tuple[int, int]:
        event: Any = shown.event
        return event.index, event.rounds

    def coupling(self, shown: Shown, other: Shown) -> str:
        return "Both share the wind."

    def clicked(self, slot: str, point: Mapping[str, Any]) -> None:
        self.set("angle", point["x"])
