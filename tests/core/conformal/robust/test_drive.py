from __future__ import annotations

import dataclasses
from functools import lru_cache
from typing import Any

import numpy as np
import pytest

from glasshouse import catalogue, runs
from glasshouse.families.conformal.robust import drive as loop
from glasshouse.families.conformal.robust.problems import Digits, Tiny
from glasshouse.families.conformal.robust.smoothing import Memory, copies
from glasshouse.numerics.seeds import Seeds
from glasshouse.schema.errors import BadValue
from glasshouse.schema.events.base import Event, Progress
from glasshouse.schema.events.conformal_robust import Attacked, RobustSets, Smoothed

RSCP = "conformal.rscp-plus"


@lru_cache(maxsize=8)
def tiny(**knobs: Any) -> runs.Session:
    session = runs.open(RSCP, "tiny", seed=2, **knobs)
    for _ in session.events():
        pass
    return session


def seen(session: runs.Session, **looks: Any) -> RobustSets:
    event = session.look(**looks)
    assert isinstance(event, RobustSets)
    return event


def test_the_method_is_at_home_in_its_room() -> None:
    assert catalogue.info(RSCP).room == "conformal.robust"
    assert "conformal.robust" in catalogue.rooms("conformal")


def test_events_come_in_order_and_are_read_only_by_looks() -> None:
    kinds = [type(e) for e in tiny().computed]
    assert kinds == [Smoothed, Attacked, Attacked, Attacked]
    assert [e.radius for e in tiny().computed if isinstance(e, Attacked)] == [0.0, 0.1, 0.2]
    found = seen(tiny(), radius=0.1, attack=0.13)
    assert found.attack == 0.1
    assert found.coverages.shape == found.radii.shape == (3,)
    rows = np.arange(60)
    assert found.coverage == found.coverages[1] == found.sets[rows, found.smoothed.labels].mean()
    assert found.mean_size == found.sizes.mean() == found.sets.sum(axis=1).mean()


def test_ordinary_sets_are_split_conformal_ones() -> None:
    """Against the family's own calibration of the same scores."""
    from glasshouse.families.conformal import calibrate

    pool = Tiny().open()
    probs = pool.classifier.probabilities(pool.x).astype(np.float64)
    probs /= probs.sum(axis=1, keepdims=True)
    ours = seen(tiny(), alpha=0.2, attack=0.0)
    fitted = calibrate(probs[pool.calibration], pool.labels[pool.calibration], "lac")
    theirs = fitted.predict(probs[pool.test], 0.2)
    assert (ours.plain_sets == theirs).mean() > 0.99        # float32 probabilities were renormalised: a label at the threshold may differ


def test_what_does_not_depend_on_the_score_is_not_computed_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(loop, "KEPT", Memory(10**8))
    calls: list[str] = []

    def counted(*args: Any) -> Any:
        calls.append(args[5])
        return (yield from copies(*args))

    monkeypatch.setattr(loop, "copies", counted)
    first = runs.run(RSCP, "tiny", seed=4)
    assert len(calls) == 4
    runs.run(RSCP, "tiny", seed=4, base="aps", transform="none")
    assert len(calls) == 4
    assert runs.run(RSCP, "tiny", seed=4).same(first)
    runs.run(RSCP, "tiny", seed=4, sigma=0.4)
    assert len(calls) == 8
    runs.run(RSCP, "tiny", seed=5)
    assert len(calls) == 12


def test_memory_forgets_the_longest_unused() -> None:
    memory = Memory(2400)
    for key in "abc":
        memory.put(key, np.zeros(100))
    assert memory.get("a") is not None
    memory.put("d", np.zeros(100))
    assert memory.get("b") is None
    assert all(memory.get(key) is not None for key in "acd")
    memory.put("large", np.zeros(1000))
    assert memory.get("large") is None


def test_a_copy_is_the_point_plus_scaled_noise_of_its_own_address() -> None:
    class Identity:
        def probabilities(self, x: np.ndarray) -> np.ndarray:
            return x

        def pullback(self, x: np.ndarray) -> Any:
            raise NotImplementedError

    x = Seeds(0).numpy("x").random((5, 3), np.float32)

    def read(rows: np.ndarray, sigma: float) -> np.ndarray:
        work = copies(Identity(), rows, sigma, 2000, Seeds(1), "noise", "")
        while True:
            try:
                next(work)
            except StopIteration as end:
                found: np.ndarray = end.value
                return found

    half = read(x, 0.5)
    assert half.shape == (5, 2000, 3)
    assert np.abs(half.mean(axis=1) - x).max() < 4 * 0.5 / np.sqrt(2000)
    assert half.std(axis=1) == pytest.approx(0.5, abs=0.04)
    np.testing.assert_allclose(read(x + 0.1, 1.0) - (x + 0.1)[:, None], 2 * (half - x[:, None]), atol=1e-5)
    np.testing.assert_array_equal(read(x[:2], 0.5), half[:2])


def test_progress_comes_before_every_event() -> None:
    items = list(catalogue.modules("conformal.robust").drive(catalogue.load(RSCP)(), Tiny(split=7), Seeds(9)))
    assert isinstance(items[0], Progress)
    assert sum(isinstance(item, Event) for item in items) == 4


def test_pools_are_disjoint_and_never_trained_on() -> None:
    from glasshouse.models.digits import load_digits

    for size in (9, 400):
        pool = Digits(calibration_size=size).open()
        parts = [set(a.tolist()) for a in (pool.holdout, pool.calibration, pool.test, load_digits().train)]
        assert [len(p) for p in parts] == [200, size, 597, 600]
        assert len(set().union(*parts)) == sum(map(len, parts))
    other = Digits(split=1).open()
    assert set(other.test.tolist()) != parts[2]
    assert other.key != pool.key


def test_small_and_impossible_calibrations_say_why_the_sets_are_full() -> None:
    session = tiny(calibration_size=9)
    few = seen(session, alpha=0.05)
    assert few.sets.all()
    assert "9 calibration points are too few" in few.full_because
    spent = seen(session, alpha=0.05, beta=0.03)
    assert spent.sets.all()
    assert "beta takes all of alpha" in spent.full_because
    assert seen(tiny(), alpha=0.3).full_because == ""
    assert session.summary(alpha=0.05)["full"] == 1.0


def test_bad_looks_are_named() -> None:
    for looks, name in (({"image": 60}, "image"), ({"radius": -0.1}, "radius"), ({"alpha": 10}, "alpha"), ({"beta": 0.2}, "beta"),
                        ({"attack": float("nan")}, "attack")):
        with pytest.raises(BadValue, match=name) as error:
            tiny().look(**looks)
        assert error.value.argument == name
    waiting = runs.open(RSCP, "tiny", seed=2)
    drawing = waiting.events()
    while not waiting.computed:
        next(drawing)
    assert [type(e) for e in waiting.computed] == [Smoothed]
    assert seen(waiting, attack=0.2).attack == 0.0, "the nearest that is computed"


def test_the_promise_is_honest() -> None:
    assert tiny().guarantee.kind == "adversarial"
    assert "60 calibration points" in tiny().guarantee.statement
    rscp = tiny(variant="rscp").guarantee
    assert rscp.kind == "heuristic"
    assert "not proved" in rscp.statement
    assert runs.open(RSCP, "tiny", variant="rscp").guarantee.kind == "heuristic"


def test_the_record_has_a_row_an_attack() -> None:
    record = tiny().record()
    assert record.columns["radius"] == [0.0, 0.1, 0.2]
    assert record.summary["sigma"] == 0.5
    assert record.summary["radius"] == 0.25
    assert all(dataclasses.asdict(tiny().problem)[k] == v for k, v in record.problem["fields"].items())
