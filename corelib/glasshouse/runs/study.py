"""Side studies: jobs beside a run that a family offers, such as measured costs or many resplits."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from inspect import signature
from typing import Any

from glasshouse import catalogue
from glasshouse.numerics.seeds import Seeds, checked_seed
from glasshouse.schema.build import build, unknown
from glasshouse.schema.events.base import Event, Progress


def study(id: str, name: str, problem: Any = None, seed: int = 0, options: Mapping[str, Any] | None = None,
          **values: Any) -> Iterator[Event | Progress]:
    """Study ``name`` of the method's family: partial events first, the whole one last. Closing the iterator stops it.

    ``values`` are knobs and fields of the problem, and looks, which a study has no use for; ``options`` are the study's own.

    Raises: BadValue for an unknown study, option, knob or value, before any work.
    """
    info = catalogue.info(id)
    modules = catalogue.modules(info.room)
    if name not in modules.studies:
        raise unknown("study", str(name), modules.studies)
    work = modules.studies[name]
    known = [p for p in signature(work).parameters if p not in ("method", "problem", "seeds")]
    for option in options or {}:
        if option not in known:
            raise unknown("option", option, known)
    parts = catalogue.split(id, problem, values)
    build(modules.Look, parts.look)
    return work(build(catalogue.load(id), parts.method), catalogue.problem(info.room, problem, parts.problem),
                Seeds(checked_seed(seed)), **dict(options or {}))
