from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any, ClassVar

import numpy as np
import pytest
from scipy.special import ndtr
from scipy.stats import binom

from glasshouse.families.conformal import scores as base_scores
from glasshouse.families.conformal.methods.robust.rscp_plus import RSCPPlus
from glasshouse.families.conformal.robust.certificate import hoeffding
from glasshouse.families.conformal.robust.drive import drive, look
from glasshouse.families.conformal.robust.interface import Look, Pool
from glasshouse.families.conformal.robust.problems import Digits
from glasshouse.families.conformal.robust.smoothing import copies, smoothed
from glasshouse.numerics.seeds import Seeds
from glasshouse.schema.events.base import Event
from glasshouse.schema.events.conformal_robust import Attacked, RobustSets, Smoothed

SIGMA, TURN = 0.4, np.array([0.6, 0.8], np.float32)


class HalfSpace:
    """p(label 0) = 1{w x <= 1/2}, |w| = 1: the HPS of label 0 is 1{w x > 1/2}, whose mean over noise is known."""

    def probabilities(self, x: np.ndarray) -> np.ndarray:
        beyond = (x @ TURN > 0.5).astype(np.float32)
        return np.stack((1 - beyond, beyond), axis=1)

    def pullback(self, x: np.ndarray) -> tuple[np.ndarray, Callable[[np.ndarray], np.ndarray]]:
        raise NotImplementedError


@dataclass(frozen=True)
class Once:
    """The digits under attacks of the given radii alone."""

    name: ClassVar[str] = "once"
    radii: tuple[float, ...] = ()
    split: int = 0
    steps: int = 10

    def open(self) -> Pool:
        pool = Digits(split=self.split, attack_steps=self.steps).open()
        return replace(pool, radii=self.radii)


def events(problem: Any, seed: int = 0, **knobs: Any) -> list[Event]:
    return [e for e in drive(RSCPPlus(**knobs), problem, Seeds(seed)) if isinstance(e, Event)]


def value(work: Any) -> Any:
    while True:
        try:
            next(work)
        except StopIteration as end:
            return end.value


def size(split: int, bound: str, **knobs: Any) -> float:
    """Mean size of the clean points' robust sets at radius 0.25."""
    return look([replace(e, error=bound) if isinstance(e, Smoothed) else e for e in scored(split, **knobs)], Look(attack=0.0)).mean_size


@lru_cache(maxsize=16)
def scored(split: int, **knobs: Any) -> list[Event]:
    return events(Once(split=split), **knobs)


def test_a_half_space_is_smoothed_to_the_normal_law_and_shifts_by_delta_over_sigma() -> None:
    rng = Seeds(0).numpy("half-space")
    x = rng.random((300, 2), np.float32)
    method, beta = RSCPPlus(sigma=SIGMA, n_mc=512, transform="none"), 1e-6
    bound = hoeffding(512, beta)

    def means(points: np.ndarray) -> np.ndarray:
        probs = value(copies(HalfSpace(), points, SIGMA, 512, Seeds(1), "n", ""))
        found: np.ndarray = value(smoothed(method, probs, np.zeros(300), np.empty(0), ""))[0]
        return found

    for delta in (0.0, 0.1, 0.4):
        want = ndtr(((x + delta * TURN) @ TURN - 0.5) / SIGMA)
        assert np.abs(means(x + delta * TURN)[:, 0] - want).max() <= bound     # 600 bounds that fail once in a million each
    assert np.abs(means(x)[:, 0] - ndtr(((x + 0.1 * TURN) @ TURN - 0.5) / SIGMA)).max() > bound, "the test can fail"
    np.testing.assert_allclose(means(x).sum(axis=1), 1, atol=1e-12)


def test_ptt_as_written() -> None:
    """The two maps one number at a time."""
    rng = Seeds(0).numpy("ptt")
    holdout, scores = np.sort(rng.random(40).round(2)), rng.random((30, 4)).round(2)
    for steepness, center in ((400.0, 0.9), (10.0, 0.5), (0.0, 0.3)):
        method = RSCPPlus(steepness=steepness, center=center)
        want = [[1 / (1 + math.exp(-steepness * (sum(h <= s for h in holdout) / 40 - center))) for s in row] for row in scores.tolist()]
        np.testing.assert_allclose(method.transformed(scores, holdout), want, rtol=1e-12)
    np.testing.assert_array_equal(RSCPPlus(transform="none").transformed(scores, holdout), scores)


def test_base_scores_are_those_of_the_family() -> None:
    probs, u = np.array([[0.5, 0.3, 0.2]]), np.array([0.4])
    assert RSCPPlus().score(probs, u)[0] == pytest.approx([0.5, 0.7, 0.8])
    assert RSCPPlus(base="aps").score(probs, u)[0] == pytest.approx([0.2, 0.62, 0.88])
    np.testing.assert_array_equal(RSCPPlus(base="aps").score(probs, u), base_scores.aps(probs, u))


def test_a_flat_sigmoid_makes_all_scores_alike_and_every_set_full() -> None:
    found = look(events(Once(), steepness=0.0), Look())
    assert found.sets.all()
    assert found.threshold == 0.5


def test_apart_from_the_bounds_it_is_rscp() -> None:
    """Same copies: the same means, a set that holds RSCP's, and at radius 0 RSCP is split conformal on the means."""
    plus, plain = events(Once(), transform="none"), events(Once(), transform="none", variant="rscp")
    for radius in (0.0, 0.25, 0.6):
        wide, narrow = (look(e, Look(radius=radius)) for e in (plus, plain))
        np.testing.assert_array_equal(wide.under.means, narrow.under.means)
        assert (narrow.sets <= wide.sets).all()
        assert wide.mean_size > narrow.mean_size
    still = look(plain, Look(radius=0.0))
    assert still.k == math.ceil(401 * 0.9)
    np.testing.assert_array_equal(still.sets, still.under.means <= still.smoothed.calibration[still.k - 1])


@pytest.mark.long
def test_the_papers_claims_on_the_small_recipe() -> None:
    """Mean sizes over two splits at sigma 0.5, radius 0.25, 256 copies, 200 + 400 + 597 points. APS alone rules nothing out."""
    def mean(**knobs: Any) -> float:
        return float(np.mean([size(split, **knobs) for split in range(2)]))

    for bound in ("bernstein", "hoeffding"):
        hps, aps = mean(base="hps", transform="none", bound=bound), mean(base="aps", transform="none", bound=bound)
        ptt_hps, ptt_aps = mean(bound=bound), mean(base="aps", bound=bound)
        assert aps == 10.0
        assert ptt_aps <= 0.5 * aps
        assert ptt_hps <= 0.5 * aps
        assert ptt_hps <= 0.7 * hps
    assert mean(bound="hoeffding") < mean(bound="bernstein"), "nearly 0/1 scores vary much: Bernstein loses"
    assert mean(transform="none", bound="hoeffding") > mean(transform="none", bound="bernstein")


@pytest.mark.slow
def test_training_shrinks_the_sets_that_the_transformation_left_large() -> None:
    """RCT against the network as it is; with PTT on HPS there is nothing left to gain here."""
    for knobs in ({"transform": "none"}, {"base": "aps"}):
        for bound in ("bernstein", "hoeffding"):
            assert size(0, bound, training="rct", **knobs) <= 0.85 * size(0, bound, **knobs)


def broken(found: RobustSets) -> int:
    """Points that the certificate holds at the radius of the attack, and that the attack has driven out."""
    own = found.sets[np.arange(len(found.sets)), found.smoothed.labels]
    return int(((found.withstood >= found.attack) & ~own).sum())


@pytest.mark.long
def test_no_attack_undoes_what_is_certified_and_ordinary_sets_fail() -> None:
    radii = (0.25, 0.5)
    for knobs in ({"transform": "none"}, {"base": "aps"}, {}):
        seen = events(Once(radii=radii), **knobs)
        for radius in radii:
            found = look(seen, Look(radius=radius, attack=radius))
            assert found.attack == radius
            assert broken(found) <= binom.ppf(1 - 1e-4, 597, 2 * found.beta)
            assert found.certified <= found.coverage + 2 * found.beta + 4 * math.sqrt(2 * found.beta / 597)
            assert found.coverage >= 0.9 - 4 * math.sqrt(0.09 * (1 / 597 + 1 / 400))
            assert found.plain_coverage < 0.8 or knobs.get("base") == "aps"
        assert all(0.5 < e.used <= 1.2 for e in seen if isinstance(e, Attacked) and e.radius)
        beyond = look(seen, Look(radius=0.0, attack=0.5))
        assert beyond.certified < 0.8, "what sets made for no attack withstand"


@pytest.mark.slow
def test_coverage_under_attack_over_200_runs() -> None:
    """Splits and noise anew each time; the certificate's breaches are counted over all runs."""
    breaches, points, covered, certified = 0, 0, [], []
    for run in range(200):
        found = look(events(Once(radii=(0.25,), split=run), seed=run, n_mc=64), Look())
        breaches += broken(found)
        points += len(found.sets)
        covered.append(found.coverage)
        certified.append(found.certified)
        assert found.certified <= found.coverage + 2 * found.beta + 4 * math.sqrt(2 * found.beta / 597)
    assert breaches <= binom.ppf(1 - 1e-6, points, 2 * 0.001)
    assert np.mean(covered) >= 0.9 - 4 * np.std(covered) / math.sqrt(200)
    # The certificate at its own radius is the coverage of clean means at level alpha - 2 beta: exactly 1 - .098 on average, at best + 1 / 401.
    error = 4 * np.std(certified) / math.sqrt(200)
    assert 0.902 - error <= np.mean(certified) <= 0.902 + 1 / 401 + error
