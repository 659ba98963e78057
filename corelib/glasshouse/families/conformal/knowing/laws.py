"""What every method of this room must satisfy, whatever it learns."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Any

import numpy as np

from glasshouse.families.conformal.knowing.drive import drive, look
from glasshouse.families.conformal.knowing.interface import Data, Look
from glasshouse.families.conformal.knowing.problems import Tiny
from glasshouse.numerics.seeds import Seeds
from glasshouse.schema.events.conformal_knowing import Epoch


@dataclasses.dataclass(frozen=True)
class Blinded:
    """The tiny problem with a truth that is nonsense: whoever learns from it is found out."""

    def open(self) -> Data:
        data = Tiny().open()
        nonsense = np.full_like(data.truth, 0.5)
        return dataclasses.replace(data, truth=nonsense, best=nonsense, spread=np.zeros_like(nonsense))


@lru_cache(maxsize=16)
def _epochs(method: Any, problem: Any) -> Sequence[Epoch]:
    return tuple(event for event in drive(method, problem, Seeds(0)) if isinstance(event, Epoch))


def predictions_are_probabilities(method: type[Any]) -> bool:
    """mu sums to 1, and so does the law of a second answer after every first one; without an order, both answers have the law mu."""
    for epoch in _epochs(method(), Tiny()):
        rows = [epoch.mu, *epoch.cheat.transpose(1, 0, 2)] if len(epoch.cheat) else [epoch.mu]
        if any((p < 0).any() or np.abs(p.sum(axis=1) - 1).max() > 1e-9 for p in rows):
            return False
        if len(epoch.cheat):
            joint = epoch.mu[:, :, None] * epoch.cheat
            if np.abs(joint - np.swapaxes(joint, 1, 2)).max() > 1e-9 or np.abs(joint.sum(axis=1) - epoch.mu).max() > 1e-9:
                return False
    return True


def the_truth_is_never_learned_from(method: type[Any]) -> bool:
    """With another truth on paper and the same answers, every prediction is the same."""
    pairs = zip(_epochs(method(), Tiny()), _epochs(method(), Blinded()), strict=True)
    return all(bool((a.mu == b.mu).all() and (a.cheat == b.cheat).all() and a.valid_loss == b.valid_loss) for a, b in pairs)


def the_kept_model_is_the_best_of_its_phase_by_validation(method: type[Any]) -> bool:
    """It comes last, it is one of the models that were seen, and none that could have been kept has a smaller loss."""
    *before, kept = _epochs(method(), Tiny())
    after = [e for e in before if e.phase in ("soft targets", "outcomes")] or before
    return kept.phase == "kept" and kept.valid_loss == min([kept.valid_loss, *(e.valid_loss for e in after)])


def looks_only_read(method: type[Any]) -> bool:
    """Every point is in one bin; smaller beta, wider intervals; the newest epoch is the last; events stay as they were."""
    epochs = _epochs(method(), Tiny())
    before = [e.mu.copy() for e in epochs]
    wide, narrow = look(epochs, Look(beta=0.05)), look(epochs, Look(beta=0.5, bins=3, epoch=len(epochs) - 1))
    held = wide.count.sum() == narrow.count.sum() == len(epochs[-1].mu) and wide.state is narrow.state is epochs[-1]
    same = all(bool((a == e.mu).all()) for a, e in zip(before, epochs, strict=True))
    return bool(held and same and (np.isnan(wide.inside) or wide.inside >= narrow.inside))


LAWS: tuple[Callable[[type[Any]], bool], ...] = (
    predictions_are_probabilities, the_truth_is_never_learned_from, the_kept_model_is_the_best_of_its_phase_by_validation, looks_only_read)
