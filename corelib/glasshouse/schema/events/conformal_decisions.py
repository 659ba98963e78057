"""Deciding with a confidence: answer, give a set, stay silent, or ask a dearer model."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np

from glasshouse.schema.events.base import Event

Array = np.ndarray[Any, Any]


@dataclass(frozen=True, kw_only=True, eq=False)
class Tested(Event):
    """Test points and what one model says of each.

    ``probs`` float64 [m, K]; ``labels`` int64 [m]; ``images`` uint8 [m, h, w] (0-255) or empty; ``confidence`` float64 [m] is the
    largest probability, ``answer`` int64 [m] its label, ``right`` bool [m].
    """

    m: int
    probs: Array
    labels: Array
    images: Array
    confidence: Array
    answer: Array
    right: Array


@dataclass(frozen=True, kw_only=True, eq=False)
class Surface(Event):
    """The expected cost of fixed pairs of levels on the points a policy learns from: what learning is compared with.

    ``alphas`` float64 [A], ``betas`` float64 [B], ``cost`` float64 [A, B]; ``best_*`` where it is least.
    """

    alphas: Array
    betas: Array
    cost: Array
    best_alpha: float
    best_beta: float
    best_cost: float


@dataclass(frozen=True, kw_only=True, eq=False)
class PolicyStep(Event):
    """Where a learned policy stands after ``step`` of ``total`` updates, and what it then does on the test points.

    ``alpha``, ``beta``: the two levels; ``q_single``, ``q_silent``: their score thresholds on the points that report; ``drawn_cost``: the
    cost its last action met (NaN at step 0), ``cost`` that expected of the levels on the points it learns from, ``test_cost`` on the test
    points. ``single``, ``sets``, ``silent``: shares of the test points; ``risk``: of the answers given, label or set, the share that
    misses the truth; ``single_risk``: of the single labels; ``set_size``: labels in a set; NaN where there are none.
    ``decision`` int64 [m]: 0 one label, 1 a set, 2 silence; ``answers`` bool [m, K]. ``bound``: the certified upper bound of the risk, from
    ``errors`` in ``certified_on`` answers on points kept for it; NaN where nothing is certified.
    """

    step: int
    total: int
    alpha: float
    beta: float
    q_single: float
    q_silent: float
    drawn_cost: float
    cost: float
    test_cost: float
    single: float
    sets: float
    silent: float
    risk: float
    single_risk: float
    set_size: float
    bound: float
    certified_on: int
    errors: int
    protocol: str
    tested: Tested
    surface: Surface
    decision: Array
    answers: Array


@dataclass(frozen=True, kw_only=True, eq=False)
class Stages(Event):
    """Two models on the same points, the second dearer and better.

    ``first_cost``, ``second_cost``: what each adds per point. ``known_first``, ``known_second`` float64 [n]: confidences on the n
    validation points, ``known_right_first``, ``known_right_second`` bool [n]; ``first``, ``second``: the test points as each sees them.
    ``target_risk``: the share of wrong answers aimed at, NaN where a share of answers is held instead.
    """

    n: int
    m: int
    first_cost: float
    second_cost: float
    target_risk: float
    known_first: Array
    known_second: Array
    known_right_first: Array
    known_right_second: Array
    first: Tested
    second: Tested


@dataclass(frozen=True, kw_only=True, eq=False)
class Certificates(Event):
    """What each threshold on a confidence can be certified for: the k surest of n calibration points, k = 1 .. n.

    ``thresholds`` float64 [n], descending: answer where the confidence is at least that; ``answered`` int64 [n]: calibration points that
    do (more than k where confidences tie), ``errors`` int64 [n] the wrong ones among them, ``bounds`` float64 [n] the upper bound of the
    risk at level ``delta`` / ``sharing``. ``search``: how a threshold is looked for.
    """

    n: int
    m: int
    delta: float
    sharing: int
    search: Literal["bisection", "fixed sequence"]
    thresholds: Array
    answered: Array
    errors: Array
    bounds: Array
    tested: Tested


@dataclass(frozen=True, kw_only=True, eq=False)
class Decisions(Event):
    """What is done with every test point.

    ``decision`` int64 [m] indexes ``names``; ``answers`` bool [m, K] is what is said, empty rows where nothing is; ``right`` bool [m]:
    the truth is in it. ``coverage``: share answered; ``risk``: wrong ones among the answered, NaN if none is. ``image``: the one looked at.
    """

    coverage: float
    risk: float
    names: tuple[str, ...]
    decision: Array
    answers: Array
    right: Array
    tested: Tested
    image: int = 0


@dataclass(frozen=True, kw_only=True, eq=False)
class Walked(Decisions):
    """One place on a learned policy's way. ``path`` are all steps so far, ``now`` the one at ``index``.

    ``plain`` float64 [m]: risk of answering with one label the k surest points, k = 1 .. m; ``plain_risk`` that at the policy's coverage.
    ``published_accuracy``: as the authors count, silence among what is right.
    """

    index: int
    length: int
    plain_risk: float
    published_accuracy: float
    now: PolicyStep
    path: tuple[PolicyStep, ...]
    plain: Array


@dataclass(frozen=True, kw_only=True, eq=False)
class Selected(Decisions):
    """As much answered as a limit on the risk allows, after ``index`` + 1 of ``length`` tests.

    ``tried`` int64: the ranks k that were tested, in order; ``chosen``: the rank that stands, 0 where none passed, and its ``threshold``
    (+inf), ``bound`` (NaN) and ``share`` of calibration points. ``plain`` float64 [m]: risk of the k surest test points. ``limits`` [L]
    and ``shares`` [L]: what share of calibration points each limit would let through.
    """

    limit: float
    index: int
    length: int
    chosen: int
    threshold: float
    bound: float
    share: float
    certificates: Certificates
    tried: Array
    plain: Array
    limits: Array
    shares: Array


@dataclass(frozen=True, kw_only=True, eq=False)
class Cascaded(Decisions):
    """A two-stage cascade at one window.

    ``low``, ``high``: the window of first-stage confidences that are passed on, ``low`` > ``high`` where it is empty; ``boundary`` the
    operating threshold it lies around, which leaves the first stage a share ``aim_first``. ``aim``: the share the cascade is to answer,
    ``threshold`` what the final confidence must reach for it. ``passed``: share of test points passed on, bool [m] in ``passed_on``;
    ``cost``: mean cost a point. ``curves`` float64 [4, m]: risk among the k surest of first stage, second stage, window, and the same
    share passed from the least confident up; ``risks`` float64 [4]: those at the share answered. ``half_widths`` [W] with costs and
    risks float64 [2, W] of window and least confident, at the share aimed at.
    """

    half_width: float
    aim: float
    aim_first: float
    low: float
    high: float
    boundary: float
    threshold: float
    passed: float
    cost: float
    stages: Stages
    curves: Array
    risks: Array
    half_widths: Array
    costs_by_width: Array
    risks_by_width: Array
    passed_on: Array = field(default_factory=lambda: np.empty(0, bool))
