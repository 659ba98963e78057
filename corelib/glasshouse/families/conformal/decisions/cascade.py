"""Two models in a row: which points go on to the second, and what comes of it. Xia and Bouganis 2023."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np

from glasshouse.families.conformal.decisions.selective import at_coverage, risk_curve
from glasshouse.schema.events.conformal_decisions import Stages

BINS = 20
HALF_WIDTHS = np.round(np.linspace(0, 1, 21), 2)


def boundary(stages: Stages, coverage: float) -> tuple[float, float]:
    """(pi, tau): the share of validation points below the operating threshold, and the threshold on the first stage's confidence.

    It leaves a share ``coverage`` answered or, where a risk is aimed at, as many as that risk allows on the validation points.
    """
    if not math.isnan(stages.target_risk):
        allowed = np.flatnonzero(risk_curve(stages.known_first, stages.known_right_first) <= stages.target_risk)
        coverage = (int(allowed[-1]) + 1) / stages.n if len(allowed) else 1 / stages.n
    pi = 1.0 - coverage
    return pi, float(np.quantile(stages.known_first, pi))


def window(stages: Stages, pi: float, half_width: float) -> tuple[float, float]:
    """[Q(pi - w), Q(pi + w)] of the validation confidences; without end where a share passes 0 or 1; empty at w = 0.     (Alg. 2)"""
    if half_width <= 0:
        return math.inf, -math.inf
    low, high = pi - half_width, pi + half_width
    ends = np.quantile(stages.known_first, (max(low, 0.0), min(high, 1.0))).tolist()
    return (-math.inf if low <= 0 else ends[0]), (math.inf if high >= 1 else ends[1])


def least_confident(stages: Stages, pi: float, half_width: float) -> float:
    """Passing from the least confident up, at the window's cost: the threshold below which as large a share of validation points lies."""
    if half_width <= 0:
        return -math.inf
    share = min(pi + half_width, 1.0) - max(pi - half_width, 0.0)
    return math.inf if share >= 1 else float(np.quantile(stages.known_first, share))


def final(stages: Stages, passed: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(confidence, right) of every test point, from the second stage where ``passed`` bool [m]."""
    return (np.where(passed, stages.second.confidence, stages.first.confidence), np.where(passed, stages.second.right, stages.first.right))


def inside(confidence: np.ndarray, low: float, high: float) -> np.ndarray:
    """Points on the window's ends are passed on too."""
    return np.asarray((confidence >= low) & (confidence <= high))


def by_width(stages: Stages, pi: float, coverage: float) -> tuple[np.ndarray, np.ndarray]:
    """(costs, risks) [2, W] of window and least-confident passing over ``HALF_WIDTHS``, risks at a share ``coverage`` answered."""
    first = stages.first.confidence
    costs, risks = np.empty((2, len(HALF_WIDTHS))), np.empty((2, len(HALF_WIDTHS)))
    for i, half_width in enumerate(HALF_WIDTHS.tolist()):
        for j, passed in enumerate((inside(first, *window(stages, pi, half_width)), first <= least_confident(stages, pi, half_width))):
            costs[j, i] = mean_cost(stages, passed)
            risks[j, i] = at_coverage(risk_curve(*final(stages, passed)), coverage)
    return costs, risks


def mean_cost(stages: Stages, passed: np.ndarray) -> float:
    """C1 + share passed on x C2."""
    return stages.first_cost + float(passed.mean()) * stages.second_cost


def histogram(stages: Stages, low: float, high: float) -> Mapping[str, Any]:
    """Test points by first-stage confidence: those that leave, and those passed on."""
    at = stages.first.confidence
    edges = np.linspace(0, 1, BINS + 1)
    passed = inside(at, low, high)
    return {"confidence": np.array([f"{e:.2f}" for e in edges[:-1]]),
            "images": np.array([np.histogram(at[~passed], edges)[0], np.histogram(at[passed], edges)[0]], np.float64)}
