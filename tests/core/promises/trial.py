"""One trial of a promise: a random setting, calibration and test points drawn anew, what was claimed and what was observed."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from glasshouse import catalogue
from glasshouse.numerics.seeds import Seeds
from glasshouse.schema.build import build
from glasshouse.schema.events.base import Progress
from glasshouse.schema.guarantee import Guarantee
from glasshouse.schema.knob import KnobField, knobs_of

SE = 4.0                # standard errors by which what is observed may lie below its claim
GROUP = 50              # trials with one value of a knob that are judged on their own
PROMISING = ("lossless", "lossless-greedy", "exact", "marginal", "group", "class", "PAC", "risk", "adversarial")
ALPHAS = (0.05, 0.1, 0.2, 0.3, 0.5)


@dataclass(frozen=True)
class Given:
    """A problem that was drawn by hand."""

    pool: Any
    name: str = "drawn"

    def open(self) -> Any:
        return self.pool


@dataclass(frozen=True)
class Trial:
    """``held`` in [0, 1]: the share of test points for which the promise held, or whether it did; NaN where there was none to count on.

    ``claim`` is the least that its expectation may be. ``promised``: the guarantee of this very run promises something.
    """

    setting: dict[str, Any]
    held: float
    claim: float
    promised: bool


def drawn(knob: KnobField, rng: np.random.Generator) -> Any:
    """A value within a knob's bounds, on a logarithm where the knob is on one."""
    if knob.kind == "bool":
        return bool(rng.random() < 0.5)
    if knob.kind == "choice":
        return knob.choices[int(rng.integers(len(knob.choices)))]
    low, high = float(knob.low or 0.0), float(knob.high if knob.high is not None else 1.0)
    if knob.kind == "int":
        whole = rng.integers(int(low), int(high) + 1)
        return round(math.exp(rng.uniform(math.log(low), math.log(high)))) if knob.knob.log and low > 0 else int(whole)
    inner = rng.uniform(0.001, 0.999) if knob.low_open or knob.high_open else rng.random()
    return float(low * (high / low) ** inner if knob.knob.log and low > 0 else low + inner * (high - low))


def setting(cls: type, rng: np.random.Generator, **fixed: Callable[[np.random.Generator], Any]) -> dict[str, Any]:
    """Random knobs of a method; those in ``fixed`` are drawn by the room, which knows what is affordable."""
    return {knob.name: fixed[knob.name](rng) if knob.name in fixed else drawn(knob, rng) for knob in knobs_of(cls)}


def ran(id: str, knobs: dict[str, Any], pool: Any, seed: int) -> tuple[list[Any], Guarantee]:
    """The events of the method on the pool, by the room's own loop, and what the run promises."""
    modules, method = catalogue.modules(catalogue.info(id).room), build(catalogue.load(id), knobs)
    events = [item for item in modules.drive(method, Given(pool), Seeds(seed)) if not isinstance(item, Progress)]
    return events, modules.guarantee(method, Given(pool), events)


def tried(knobs: dict[str, Any], promise: Guarantee, held: float, claim: float, **look: Any) -> Trial:
    return Trial(knobs | look, float(held), float(claim), promise.kind in PROMISING)


def an_alpha(rng: np.random.Generator) -> float:
    return float(rng.choice(ALPHAS))


def below(trials: list[Trial]) -> list[str]:
    """Where what was observed is below what was claimed by more than chance allows: in all, and for every value of a knob or a look."""
    judged = [t for t in trials if t.promised and not math.isnan(t.held)]
    values = {(name, str(value)) for t in judged for name, value in t.setting.items() if isinstance(value, (str, bool)) or name == "alpha"}
    groups = {"in all": judged} | {f"{name} = {value}": [t for t in judged if str(t.setting.get(name)) == value] for name, value in sorted(values)}
    found = []
    for name, group in groups.items():
        mean, se = margin(group)
        if (name == "in all" or len(group) >= GROUP) and mean < -SE * se:
            found.append(f"{name}: {mean:+.4f} in {len(group)} trials, standard error {se:.4f}")
    return found


def margin(trials: list[Trial]) -> tuple[float, float]:
    """(observed minus claimed on average, its standard error)."""
    difference = np.array([t.held - t.claim for t in trials])
    return (float(difference.mean()), float(difference.std(ddof=1) / math.sqrt(len(trials)))) if len(trials) > 1 else (0.0, 0.0)
