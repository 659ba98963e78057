"""A family and a method added by nothing but files in a folder, as a stranger would add them."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import glasshouse.families
from glasshouse import catalogue

HEAD = """
from __future__ import annotations
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated, Any, ClassVar, Literal
from annotated_types import Ge, Le
from glasshouse.schema.events.base import Event, Progress
from glasshouse.schema.errors import BadValue
from glasshouse.schema.guarantee import Guarantee
from glasshouse.schema.knob import Knob
from glasshouse.schema.paper import Paper
from glasshouse.schema.view import Preset, View
"""

TOY = {
    "_papers.py": 'from glasshouse.schema.paper import Paper\nCOUNTING = Paper("On counting", "A. Toy", 1999, arxiv="9901.00001")\n',
    "interface.py": HEAD + """
@dataclass(frozen=True)
class Look:
    index: Annotated[int, Ge(-1), Le(1000), Knob(cost="look")] = -1
""",
    "problems.py": HEAD + """
@dataclass(frozen=True)
class Numbers:
    name: ClassVar[str] = "numbers"
    title: ClassVar[str] = "Numbers"
    steps: Annotated[int, Ge(1), Le(1000), Knob(cost="live")] = 5
    note: Annotated[str, Knob(cost="job")] = ""
    def open(self): return list(range(self.steps))

@dataclass(frozen=True)
class Tiny:
    name: ClassVar[str] = "tiny"
    title: ClassVar[str] = "Three numbers"
    def open(self): return [0, 1, 2]

PROBLEMS = (Numbers, Tiny)
""",
    "drive.py": HEAD + """
TRACE = []   # what has been computed, for the tests

@dataclass(frozen=True, kw_only=True, eq=False)
class Step(Event):
    i: int
    total: float
    seconds: float

@dataclass(frozen=True, kw_only=True, eq=False)
class Seen(Event):
    i: int
    total: float

def drive(method, problem, seeds, prepared=None):
    noise = seeds.numpy("toy").normal()
    total = float(prepared or 0)
    for i in problem.open():
        TRACE.append(i)
        yield Progress(done=i)
        total += method.by + noise
        if method.fail_at == i:
            raise RuntimeError("the toy broke")
        import time
        yield Step(i=i, total=total, seconds=time.perf_counter())

def prepare(method, problem, seeds):
    TRACE.append("prepare")
    yield Progress(done=1, total=2, message="preparing")
    yield 100.0

def look(events, look):
    if look.index >= len(events):
        raise BadValue(f"index = {look.index}: there are {len(events)} steps", "index")
    event = events[look.index]
    return Seen(i=event.i, total=event.total)

def summary(events):
    steps = [e for e in events if isinstance(e, Step)]
    seen = [e.i for e in events if isinstance(e, Seen)]
    return {"steps": len(steps), "total": steps[-1].total, "seen": seen[-1] if seen else -1, "total_seconds": steps[-1].seconds}

def guarantee(method, problem, events):
    return method.guarantee if method.by == 1 else method.guarantee.downgraded("heuristic", "by is not 1")
""",
    "studies.py": HEAD + """
def double(method, problem, seeds, times=2):
    for i in problem.open():
        yield Progress(done=i)
    yield Event(extra={"value": method.by * times})

STUDIES = {"double": double}
""",
    "methods/plain_count.py": HEAD + """
from glasshouse.families.toy._papers import COUNTING

EXACT = Guarantee("exact", "Counts exactly.", level=1.0, assumptions=("numbers are numbers",))

@dataclass(frozen=True)
class PlainCount:
    \"\"\"Counts by a step.

    More words.
    \"\"\"
    paper: ClassVar[Paper] = COUNTING
    guarantee: ClassVar[Guarantee] = EXACT
    views: ClassVar[tuple[View, ...]] = (View("line", "Total", x="i", y="total", series=("a", "b")),)
    presets: ClassVar[tuple[Preset, ...]] = (Preset("down", "What if we count down?", {"by": -1}, problem="tiny"),)
    by: Annotated[int, Ge(-5), Le(5), Knob(cost="live")] = 1
    fail_at: Annotated[int, Ge(-1), Le(5), Knob(cost="job")] = -1
    pace: Annotated[Literal["slow", "fast"], Knob()] = "slow"
""",
    "methods/prepared_count.py": HEAD + """
@dataclass(frozen=True)
class PreparedCount:
    \"\"\"Counts from a prepared start.\"\"\"
    paper: ClassVar[Paper] = Paper("Preparing", "B. Toy", 2001, doi="10.1/x", where="eq. 2")
    guarantee: ClassVar[Guarantee] = Guarantee("none", "Nothing.")
    views: ClassVar[tuple[View, ...]] = ()
    presets: ClassVar[tuple[Preset, ...]] = ()
    prepares: ClassVar[bool] = True
    by: Annotated[int, Ge(-5), Le(5), Knob(cost="job")] = 1
    fail_at: Annotated[int, Ge(-1), Le(5), Knob(cost="job")] = -1
""",
}


@pytest.fixture(scope="session", autouse=True)
def cache_of_this_run(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Prepared artefacts of tests stay out of the user's cache."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("GLASSHOUSE_CACHE", str(tmp_path_factory.mktemp("cache")))
        yield


@pytest.fixture
def toy_family(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The folder of a family ``toy``, known to the catalogue while the test runs."""
    root = tmp_path / "more_families"
    for name, text in TOY.items():
        (root / "toy" / name).parent.mkdir(parents=True, exist_ok=True)
        (root / "toy" / name).write_text(text, "utf-8")
    monkeypatch.setenv("GLASSHOUSE_CACHE", str(tmp_path / "cache"))
    glasshouse.families.__path__.append(str(root))
    yield root / "toy"
    glasshouse.families.__path__.remove(str(root))
    catalogue.modules.cache_clear()
    for name in [n for n in sys.modules if n.startswith("glasshouse.families.toy")]:
        del sys.modules[name]
    vars(glasshouse.families).pop("toy", None)
