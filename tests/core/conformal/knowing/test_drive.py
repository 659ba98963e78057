"""The loop and its looks, on a method whose every prediction is known."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pytest

from glasshouse.families.conformal.knowing.drive import drive, look, summary
from glasshouse.families.conformal.knowing.interface import Data, Look, Step
from glasshouse.families.conformal.knowing.problems import Tables, Tiny
from glasshouse.numerics.seeds import Seeds
from glasshouse.schema.errors import BadValue
from glasshouse.schema.events.base import Progress
from glasshouse.schema.events.conformal_knowing import Epoch


@dataclass(frozen=True)
class Oracle:
    """Half of what is true, then all that can be known, with the pairs that follow."""

    binary = False

    def learn(self, data: Data, seeds: Seeds) -> Iterator[Step | Progress]:
        best = data.best[data.test]
        yield Step("untrained", 1.0, (best + 1 / best.shape[1]) / 2)
        yield Progress(done=1, total=2)
        var = data.spread[data.test]
        cheat = np.repeat(best[:, None, :], best.shape[1], axis=1)
        again = np.arange(best.shape[1])
        cheat[:, again, again] += var / best
        yield Step("kept", 0.5, best, cheat, {"own": np.ones(3)})


def events(problem: Tables | Tiny) -> list[Epoch]:
    return [e for e in drive(Oracle(), problem, Seeds(0)) if isinstance(e, Epoch)]  # type: ignore[arg-type]


def test_scalars_are_the_means_of_what_they_say() -> None:
    first, last = events(Tiny())
    world = last.world
    assert last.error == pytest.approx(np.mean((world.truth[:, 0] - last.mu[:, 0]) ** 2))
    assert last.brier == pytest.approx(np.mean(((world.labels[:, 0] == 0) - last.mu[:, 0]) ** 2))
    assert last.claimed == pytest.approx(world.spread[:, 0].mean())
    assert np.isnan(first.claimed)
    assert (first.epoch, last.epoch, last.phase) == (0, 1, "kept")
    assert last.extra["own"].sum() == 3


def test_looks_by_brute_force() -> None:
    seen = events(Tables())
    known = look(seen, Look(epoch=1, answer=2, bins=4, beta=0.2, point=5))
    mu, truth = seen[1].mu[:, 2], seen[1].world.truth[:, 2]
    assert known.index == 1
    assert known.epochs == 2
    assert known.variance == pytest.approx(seen[1].world.spread[:, 2])
    assert known.inside == pytest.approx(np.mean(np.abs(mu - truth) <= np.sqrt(known.variance / 0.2)))
    assert known.inside >= 0.8
    for b in range(4):
        rows = (mu >= known.predicted[b] - 1e-9) & (mu <= known.predicted[b] + 1e-9)
        if known.count[b] and rows.sum() == known.count[b]:
            assert known.true[b] == pytest.approx(truth[rows].mean())
    assert known.covariance == pytest.approx(seen[1].cheat[5] - seen[1].mu[5])
    assert known.history[0].tolist() == [e.error for e in seen]


def test_an_expected_error_that_is_right_lies_on_the_diagonal() -> None:
    """The oracle's variance against the actual squared error and against pairs, kind by kind: within 4 standard errors."""
    known = look(events(Tables()), Look(bins=6))
    full = ~np.isnan(known.spread_bins[0])
    claimed, actual, pairs = known.spread_bins[:, full]
    assert len(claimed) >= 4
    assert (np.abs(actual - claimed) < 4 * 0.25 / np.sqrt(2000 / 6)).all()
    assert (np.abs(pairs - claimed) < 4 * 0.5 / np.sqrt(2000 / 6)).all()
    assert np.abs(actual - claimed).mean() < 0.01


@pytest.mark.parametrize(("name", "value"), [("answer", 2), ("point", 200)])
def test_what_is_not_there_is_named(name: str, value: int) -> None:
    seen = events(Tiny())
    with pytest.raises(BadValue, match=name) as error:
        look(seen, Look(**{name: value}))
    assert error.value.argument == name


def test_an_epoch_beyond_the_end_is_the_last() -> None:
    """Of two trainings side by side, the shorter one stays at its end."""
    seen = events(Tiny())
    assert look(seen, Look(epoch=7)).state is look(seen, Look()).state is seen[-1]
    assert look(seen, Look(epoch=0)).state is seen[0]


def test_nothing_is_there_before_the_first_epoch() -> None:
    assert summary([]) == {}
    with pytest.raises(BadValue, match="epoch"):
        look([], Look())


def test_summary_tells_the_kept_model() -> None:
    seen = events(Tiny())
    numbers = summary([*seen, look(seen, Look())])
    assert numbers["error"] == seen[-1].error == numbers["least_error"]
    assert numbers["phase"] == "kept"
    assert numbers["agreement"] == pytest.approx(1)
