"""The room's loop: a method learns, step by step, and every step is held against the truth that it never saw."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from glasshouse.families.conformal.knowing import second_order
from glasshouse.families.conformal.knowing.interface import Look, Method, Step
from glasshouse.families.conformal.knowing.probabilities import (
    binned,
    brier,
    calibration_error,
    divergence,
    mean_by,
    one_hot,
    rank_correlation,
    squared_error,
)
from glasshouse.numerics.seeds import Seeds
from glasshouse.schema.errors import BadValue, bad_value
from glasshouse.schema.events.base import Event, Progress
from glasshouse.schema.events.conformal_knowing import Epoch, Known, World
from glasshouse.schema.guarantee import Guarantee


def drive(method: Method, problem: Any, seeds: Seeds, prepared: Any = None) -> Iterator[Event | Progress]:
    """One :class:`Epoch` a step of the method, the untrained model first and the kept one last."""
    data = problem.open()
    data = data.one_against_the_rest() if method.binary else data
    at = data.test
    world = World(data.answers, data.truth[at], data.labels[at], data.best[at], data.spread[at])
    count = 0
    for step in method.learn(data, seeds):
        if isinstance(step, Progress):
            yield step
            continue
        yield _measured(step, count, world)
        count += 1


def _measured(step: Step, number: int, world: World) -> Epoch:
    outcome = one_hot(world.labels[:, 0], len(world.answers))
    claimed = float(second_order.variance(step.mu, step.cheat).mean()) if len(step.cheat) else float("nan")
    return Epoch(epoch=number, phase=step.phase, valid_loss=step.valid_loss, error=squared_error(step.mu, world.truth),
                 brier=brier(step.mu, outcome), ece=calibration_error(step.mu, outcome), kl=divergence(step.mu, world.truth),
                 claimed=claimed, mu=step.mu, cheat=step.cheat, world=world, extra=dict(step.extra))


def look(events: Sequence[Event], look: Look) -> Known:
    """One epoch, one answer. Nothing is learned. The epoch is cut to what exists, so that a look survives a shorter training.

    Raises: BadValue for an answer or input that is not there, and before the first epoch.
    """
    epochs = _epochs(events)
    if not epochs:
        raise BadValue("epoch = -1 is not there yet: nothing has been learned", "epoch")
    index = min(look.epoch, len(epochs) - 1) if look.epoch >= 0 else len(epochs) - 1
    state = epochs[index]
    world = state.world
    _within("answer", look.answer, len(world.answers))
    _within("point", look.point, len(state.mu))
    mu, truth = state.mu[:, look.answer], world.truth[:, look.answer]
    outcome = (world.labels == look.answer).astype(np.float64)
    bins = binned(mu, outcome[:, 0], look.bins)
    paired = len(state.cheat) > 0
    variance = second_order.variance(state.mu, state.cheat)[:, look.answer] if paired else np.full(len(mu), np.nan)
    radius = second_order.radius(variance, look.beta)
    history = np.array([(e.error, e.brier, e.ece) for e in epochs]).T
    return Known(
        index=index, epochs=len(epochs), answer=look.answer, bins=look.bins, beta=look.beta, point=look.point, ece=bins.ece, mce=bins.mce,
        inside=float((np.abs(mu - truth) <= radius).mean()) if paired else float("nan"),
        confidence=float(second_order.confidence(state.mu, state.cheat)[look.point, look.answer]) if paired else float("nan"),
        agreement=rank_correlation(history[0], history[1]), agreement_ece=rank_correlation(history[0], history[2]),
        count=bins.count, predicted=bins.predicted, observed=bins.observed, true=mean_by(bins.which, truth, look.bins),
        variance=variance, radius=radius, spread_bins=_spread_bins(mu, truth, outcome, variance, look.bins),
        covariance=state.cheat[look.point] - state.mu[look.point] if paired else np.empty((0, 0)), history=history, state=state,
        extra=state.extra)


def _spread_bins(mu: np.ndarray, truth: np.ndarray, outcome: np.ndarray, variance: np.ndarray, bins: int) -> np.ndarray:
    """By bins of the expected squared error: that, the actual one, and what two answers tell of it without the truth."""
    if np.isnan(variance).any():
        return np.full((3, bins), np.nan)
    which = binned(variance, variance, bins).which
    pairs = (outcome[:, 0] - mu) * (outcome[:, 1] - mu)
    return np.stack([mean_by(which, values, bins) for values in (variance, (mu - truth) ** 2, pairs)])


def _within(name: str, index: int, length: int) -> None:
    if not 0 <= index < length:
        raise bad_value(name, index, f"a whole number from 0 to {length - 1}")


def summary(events: Sequence[Event]) -> dict[str, int | float | str]:
    """The kept model's numbers (the newest one's while it learns), and how well Brier score and ECE follow the hidden error over epochs."""
    epochs = _epochs(events)
    if not epochs:
        return {}
    last = epochs[-1]
    numbers: dict[str, int | float | str] = {
        "epochs": len(epochs), "error": last.error, "brier": last.brier, "ece": last.ece, "kl": last.kl, "claimed": last.claimed,
        "least_error": min(e.error for e in epochs), "phase": last.phase}
    seen = [event for event in events if isinstance(event, Known)]
    if seen:
        numbers |= {"agreement": seen[-1].agreement, "agreement_ece": seen[-1].agreement_ece, "inside": seen[-1].inside}
    return numbers


def guarantee(method: Method, problem: Any, events: Sequence[Event] = ()) -> Guarantee:
    """The method's own: nothing here is certified by data."""
    return method.guarantee


def _epochs(events: Sequence[Event]) -> list[Epoch]:
    return [event for event in events if isinstance(event, Epoch)]
