"""What every method of this room must satisfy, whatever it decides by."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import lru_cache
from typing import Any

import numpy as np

from glasshouse.families.conformal.decisions.drive import look
from glasshouse.families.conformal.decisions.interface import Look, Method, Pool
from glasshouse.families.conformal.decisions.problems import Tiny
from glasshouse.numerics.seeds import Seeds
from glasshouse.schema.events.base import Event
from glasshouse.schema.events.conformal_decisions import Decisions

LOOKS = (Look(), Look(step=0), Look(coverage=0.05, half_width=0.0), Look(coverage=1.0, half_width=1.0), Look(coverage=0.4, half_width=0.3))


@lru_cache(maxsize=8)
def _events(method: Method) -> tuple[Event, ...]:
    return tuple(method.states(Tiny().open(), Seeds(5)))


def _seen(method: type[Any], at: Look) -> Decisions:
    return look(_events(method()), at)


def every_point_gets_one_decision(method: type[Any]) -> bool:
    return all(seen.decision.shape == (seen.tested.m,) and bool(np.isin(seen.decision, range(len(seen.names))).all())
               and seen.answers.shape == seen.tested.probs.shape for seen in (_seen(method, at) for at in LOOKS))


def coverage_and_risk_are_counted_from_the_answers(method: type[Any]) -> bool:
    for seen in (_seen(method, at) for at in LOOKS):
        given = [set(np.flatnonzero(row).tolist()) for row in seen.answers]
        said = [i for i, answer in enumerate(given) if answer]
        missed = sum(int(seen.tested.labels[i]) not in given[i] for i in said)
        if not np.isclose(seen.coverage, len(said) / seen.tested.m) or (said and not np.isclose(seen.risk, missed / len(said))):
            return False
    return True


def decisions_do_not_read_the_test_labels(method: type[Any]) -> bool:
    """With every test label changed, all is decided and said as before."""
    pool = Tiny().open()
    labels = pool.labels.copy()
    labels[pool.test] = (labels[pool.test] + 1) % pool.first.shape[1]
    other: Pool = replace(pool, labels=labels)
    events = tuple(method().states(other, Seeds(5)))
    return all(bool((look(events, at).answers == _seen(method, at).answers).all()) for at in LOOKS)


def one_label_is_a_models_first_choice(method: type[Any]) -> bool:
    """An answer of one label is the most probable label of the first or of the second model."""
    pool = Tiny().open()
    for seen in (_seen(method, at) for at in LOOKS):
        single = seen.answers.sum(axis=1) == 1
        said = seen.answers[single].argmax(axis=1)
        first, second = (probs[pool.test][single].argmax(axis=1) for probs in (pool.first, pool.second))
        if not ((said == first) | (said == second)).all():
            return False
    return True


LAWS: tuple[Callable[[type[Any]], bool], ...] = (
    every_point_gets_one_decision, coverage_and_risk_are_counted_from_the_answers, decisions_do_not_read_the_test_labels,
    one_label_is_a_models_first_choice)
