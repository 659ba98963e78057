"""A lab for a test: started, at rest with its picture, moved about, and closed at the end."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

import numpy as np

from glasshouse.schema.knob import KnobField
from glasshouse_widgets.labs.base import Lab

L = TypeVar("L", bound=Lab)


@contextmanager
def at_rest(lab: L) -> Iterator[L]:
    assert lab.wait()
    yield lab
    lab.close()


def drawn_value(field: KnobField, rng: np.random.Generator) -> Any:
    if field.kind in ("choice", "bool"):
        return (field.choices or (False, True))[int(rng.integers(len(field.choices or (0, 1))))]
    low = field.low if field.low is not None else 0.0
    high = min(field.high if field.high is not None else low + 10.0, low + 10.0)
    if field.kind == "int":
        return int(rng.integers(int(low), int(high) + 1))
    return round(float(rng.uniform(low, high)), 3)


def moved_about(lab: Lab, seed: int) -> None:
    """The player somewhere else, and there every look and dial, as far as it is allowed."""
    rng = np.random.default_rng(seed)
    if lab.player is not None and lab.player.length > 1:
        lab.player.scrub(int(rng.integers(lab.player.length)))
    for holder in (lab.looks, lab.dial):
        for field in holder.fields.values() if holder is not None else ():
            if field.name == lab.sequence or field.kind == "text":
                continue
            before = lab.values
            lab.set(field.name, drawn_value(field, rng))
            if lab.message is not None:
                lab.update({n: before[n] for n in holder.fields})
    assert lab.wait()
