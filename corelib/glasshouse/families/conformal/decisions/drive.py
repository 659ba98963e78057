"""The room's loop: a method's states in turn. What is done with every point under a look is read from them."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from glasshouse.families.conformal.decisions import cascade, certifying
from glasshouse.families.conformal.decisions.interface import Look, Method
from glasshouse.families.conformal.decisions.selective import area, at_coverage, risk_curve
from glasshouse.numerics.seeds import Seeds
from glasshouse.schema.errors import bad_value
from glasshouse.schema.events.base import Event, Progress
from glasshouse.schema.events.conformal_decisions import (
    Cascaded,
    Certificates,
    Decisions,
    PolicyStep,
    Selected,
    Stages,
    Tested,
    Walked,
)
from glasshouse.schema.guarantee import Guarantee

TWO = ("answered", "refused")
THREE = ("one label", "a set", "silence")
STAGES = ("answered at once", "refused at once", "passed on, then answered", "passed on, then refused")


def drive(method: Method, problem: Any, seeds: Seeds, prepared: Any = None) -> Iterator[Event | Progress]:
    """The method's states on the problem's pool."""
    yield from method.states(problem.open(), seeds)


def look(events: Sequence[Event], look: Look) -> Decisions:
    """What is done with every test point at the place on the path, or at the window, that is looked at.

    Raises: BadValue for a step or an image that is not there.
    """
    last = events[-1]
    seen: Decisions
    if isinstance(last, Stages):
        seen = _cascaded(last, look)
    elif isinstance(last, Certificates):
        seen = _selected(last, look)
    else:
        seen = _walked([e for e in events if isinstance(e, PolicyStep)], look)
    if look.image >= seen.tested.m:
        raise bad_value("image", look.image, f"a whole number from 0 to {seen.tested.m - 1}")
    return seen


def summary(events: Sequence[Event]) -> dict[str, int | float | str]:
    """The numbers of the last look, and what they are compared with."""
    numbers: dict[str, int | float | str] = {}
    seen = next((e for e in reversed(events) if isinstance(e, Decisions)), None)
    if isinstance(seen, Walked):
        numbers |= {name: value for name, value in seen.now.row().items() if name != "total"}
        numbers |= {"start_cost": seen.path[0].cost, "best_cost": seen.now.surface.best_cost, "plain_risk": seen.plain_risk,
                    "plain_aurc": area(seen.plain), "published_accuracy": seen.published_accuracy}
    if isinstance(seen, Selected):
        numbers |= {"limit": seen.limit, "bound": seen.bound, "threshold": seen.threshold, "share": seen.share, "plain_aurc": area(seen.plain)}
    if isinstance(seen, Cascaded):
        numbers |= {"boundary": seen.boundary, "passed": seen.passed, "cost": seen.cost}
        for name, curve, risk in zip(("first", "second", "window", "least"), seen.curves, seen.risks, strict=True):
            numbers |= {f"{name}_risk": float(risk), f"{name}_aurc": area(curve)}
    if seen is not None:
        numbers |= {"m": seen.tested.m, "coverage": seen.coverage, "risk": seen.risk}
    return numbers


def guarantee(method: Method, problem: Any, events: Sequence[Event]) -> Guarantee:
    """The method's promise after these events."""
    return method.promise(events)


def _said(tested: Tested, answers: np.ndarray) -> tuple[float, float, np.ndarray]:
    """(coverage, risk, right) of ``answers`` bool [m, K]."""
    answered = answers.any(axis=1)
    right = answers[np.arange(tested.m), tested.labels]
    return float(answered.mean()), float((~right[answered]).mean()) if answered.any() else math.nan, right


def _walked(path: Sequence[PolicyStep], look: Look) -> Walked:
    if look.step >= len(path):
        raise bad_value("step", look.step, f"-1, or a whole number from 0 to {len(path) - 1}")
    index = look.step if look.step >= 0 else len(path) - 1
    now, tested = path[index], path[index].tested
    coverage, risk, right = _said(tested, now.answers)
    plain = risk_curve(tested.confidence, tested.right)
    return Walked(coverage=coverage, risk=risk, names=THREE, decision=now.decision, answers=now.answers, right=right, tested=tested,
                  image=look.image, index=index, length=len(path), plain_risk=at_coverage(plain, coverage),
                  published_accuracy=float((right | ~now.answers.any(axis=1)).mean()), now=now, path=tuple(path), plain=plain, extra=now.extra)


def _selected(seen: Certificates, look: Look) -> Selected:
    """What stands after the tests up to the one looked at."""
    path = certifying.tried(seen, look.limit)
    if look.step >= len(path):
        raise bad_value("step", look.step, f"-1, or a whole number from 0 to {len(path) - 1}")
    index = look.step if look.step >= 0 else len(path) - 1
    chosen, tested = certifying.standing(seen.bounds, look.limit, path[:index + 1]), seen.tested
    threshold = float(seen.thresholds[chosen - 1]) if chosen else math.inf
    accepted = tested.confidence >= threshold
    answers = np.zeros(tested.probs.shape, bool)
    answers[np.flatnonzero(accepted), tested.answer[accepted]] = True
    coverage, risk, right = _said(tested, answers)
    return Selected(
        coverage=coverage, risk=risk, names=TWO, decision=(~accepted).astype(np.int64), answers=answers, right=right, tested=tested, image=look.image,
        limit=look.limit, index=index, length=len(path), chosen=chosen, threshold=threshold,
        bound=float(seen.bounds[chosen - 1]) if chosen else math.nan, share=float(seen.answered[chosen - 1] / seen.n) if chosen else 0.0,
        certificates=seen, tried=np.array(path[:index + 1]), plain=risk_curve(tested.confidence, tested.right), limits=certifying.LIMITS,
        shares=certifying.shares(seen), extra=seen.extra)


def _cascaded(stages: Stages, look: Look) -> Cascaded:
    """The final threshold lies where the cascade itself answers the share aimed at on the validation points."""
    pi, tau = cascade.boundary(stages, look.coverage)
    low, high = cascade.window(stages, pi, look.half_width)
    passed = cascade.inside(stages.first.confidence, low, high)
    known = np.where(cascade.inside(stages.known_first, low, high), stages.known_second, stages.known_first)
    known_right = np.where(cascade.inside(stages.known_first, low, high), stages.known_right_second, stages.known_right_first)
    aim = 1.0 - pi if math.isnan(stages.target_risk) else _allowed(known, known_right, stages.target_risk)
    threshold = float(np.sort(known)[::-1][max(round(aim * stages.n), 1) - 1])
    confidence, _ = cascade.final(stages, passed)
    accepted = confidence >= threshold
    said = np.where(passed, stages.second.answer, stages.first.answer)
    answers = np.zeros(stages.first.probs.shape, bool)
    answers[np.flatnonzero(accepted), said[accepted]] = True
    coverage, risk, right = _said(stages.first, answers)
    least = stages.first.confidence <= cascade.least_confident(stages, pi, look.half_width)
    none = np.zeros(stages.m, bool)
    curves = np.array([risk_curve(*cascade.final(stages, which)) for which in (none, ~none, passed, least)])
    costs, risks = cascade.by_width(stages, pi, aim)
    return Cascaded(
        coverage=coverage, risk=risk, names=STAGES, decision=2 * passed + ~accepted, answers=answers, right=right, tested=stages.first,
        image=look.image, half_width=look.half_width, aim=aim, aim_first=1.0 - pi, low=low, high=high, boundary=tau, threshold=threshold,
        passed=float(passed.mean()), cost=cascade.mean_cost(stages, passed), stages=stages, curves=curves,
        risks=np.array([at_coverage(curve, coverage) for curve in curves]), half_widths=cascade.HALF_WIDTHS, costs_by_width=costs,
        risks_by_width=risks, passed_on=passed, extra=cascade.histogram(stages, low, high))


def _allowed(confidence: np.ndarray, right: np.ndarray, risk: float) -> float:
    """The largest share that can be answered within ``risk``, at least one point."""
    within = np.flatnonzero(risk_curve(confidence, right) <= risk)
    return (int(within[-1]) + 1 if len(within) else 1) / len(right)
