"""COLEP's circuits against enumeration over all bits, its bounds against every corner, its sets against what they claim."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest

from glasshouse import runs
from glasshouse.families.conformal.methods.rules.colep import COLEP
from glasshouse.families.conformal.rules.circuit import decoupled_bounds, exact_bounds, marginals
from glasshouse.schema.events.conformal_rules import Attacked, Reasoned, RobustSets

ONE = np.array([[True]])


def enumerated(probs: np.ndarray, implies: np.ndarray, weight: float) -> np.ndarray:
    """Marginals of one point [K + L] by summing over all states of every circuit's K + 1 bits."""
    k = implies.shape[1]
    found = np.zeros(len(probs))
    for number, has in enumerate(implies):
        p = np.append(probs[:k], probs[k + number])
        total, ones = 0.0, np.zeros(k + 1)
        for bits in itertools.product((0, 1), repeat=k + 1):
            a = np.array(bits)
            kept = sum(not a[i] or a[-1] == has[i] for i in range(k))
            mass = float(np.prod(np.where(a == 1, p, 1 - p))) * math.exp(weight * kept)
            total, ones = total + mass, ones + mass * a
        found[:k] += ones[:k] / total / len(implies)
        found[k + number] = ones[k] / total
    return found


def circuits(seed: int, points: int, classes: int = 4, properties: int = 2) -> tuple[np.ndarray, np.ndarray, float]:
    rng = np.random.default_rng(seed)
    return rng.random((points, classes + properties)), rng.random((properties, classes)) < 0.5, float(rng.uniform(0, 4))


def test_golden_value() -> None:
    p, q, w = 0.6, 0.3, 1.5
    found = marginals(np.array([[p, q]]), ONE, w)[0, 0]
    a = q + (1 - q) * math.exp(-w)
    assert found == pytest.approx(0.406277, abs=5e-7)
    assert found == pytest.approx(p * a / (p * a + 1 - p), abs=1e-14)


def test_no_weight_is_the_identity_and_much_weight_is_logic() -> None:
    probs, implies, _ = circuits(0, 20)
    assert marginals(probs, implies, 0.0) == pytest.approx(probs, abs=1e-12)
    p, q = 0.6, 0.3
    assert marginals(np.array([[p, q]]), ONE, 40.0)[0, 0] == pytest.approx(p * q / (p * q + 1 - p), abs=1e-12)


@pytest.mark.parametrize("seed", range(6))
def test_marginals_equal_enumeration(seed: int) -> None:
    probs, implies, weight = circuits(seed, 8, classes=3 + seed % 3, properties=1 + seed % 3)
    expected = np.stack([enumerated(p, implies, weight) for p in probs])
    assert marginals(probs, implies, weight) == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize("seed", range(8))
def test_exact_bounds_are_the_extremes_over_all_corners(seed: int) -> None:
    """One property, five classes: 64 corners of the box, where a ratio of multilinear functions has its extremes."""
    rng = np.random.default_rng(seed)
    ends, has, weight = np.sort(rng.random((2, 10, 6)), axis=0), rng.random((1, 5)) < 0.5, float(rng.uniform(0.2, 4))
    corners = np.stack([np.where(c, ends[1], ends[0]) for c in itertools.product((False, True), repeat=6)])
    all_values = np.stack([marginals(c, has, weight) for c in corners])
    low, high = exact_bounds(ends[0], ends[1], has, weight)
    assert low == pytest.approx(all_values.min(axis=0), abs=1e-10)
    assert high == pytest.approx(all_values.max(axis=0), abs=1e-10)


def test_decoupled_bounds_contain_the_exact_ones_and_are_looser() -> None:
    widths = []
    for seed in range(60):
        _, implies, weight = circuits(seed, 1)
        ends = np.sort(np.random.default_rng(seed).random((2, 20, 6)), axis=0)
        low, high = exact_bounds(ends[0], ends[1], implies, weight)
        least, most = decoupled_bounds(ends[0], ends[1], implies, weight)
        assert (least <= low + 1e-12).all()
        assert (high <= most + 1e-12).all()
        inside = marginals(ends[0] + np.random.default_rng(seed + 99).random((20, 6)) * (ends[1] - ends[0]), implies, weight)
        assert ((low <= inside + 1e-12) & (inside <= high + 1e-12)).all()
        widths.append([(high - low)[:, :4].mean(), (most - least)[:, :4].mean()])
    exact, decoupled = np.mean(widths, axis=0)
    assert exact < 0.95 * decoupled


def test_decoupled_sums_are_bounded_as_the_corners_say() -> None:
    """Z_0 and Z_1 each over all corners on its own: the published form of the bound, by brute force."""
    rng, weight = np.random.default_rng(4), 1.3
    has, ends = rng.random((1, 4)) < 0.5, np.sort(rng.random((2, 5)), axis=0)
    t = math.exp(-weight)
    z: dict[int, list[float]] = {0: [], 1: []}
    for corner in itertools.product((0, 1), repeat=5):
        p = ends[list(corner), range(5)]
        for own in (0, 1):
            z[own].append(sum((p[4] if v else 1 - p[4]) * (t if own and v != has[0, 0] else 1.0)
                              * math.prod(1 - p[i] * (1 - t) if v != has[0, i] else 1.0 for i in (1, 2, 3)) for v in (0, 1)))
    low, high = decoupled_bounds(ends[:1], ends[1:], has, weight)
    lo, hi = ends[:, 0]
    assert low[0, 0] == pytest.approx(1 / (1 + (1 - lo) * max(z[0]) / (lo * min(z[1]))), abs=1e-12)
    assert high[0, 0] == pytest.approx(1 / (1 + (1 - hi) * min(z[0]) / (hi * max(z[1]))), abs=1e-12)


def test_rules_only_lower_a_class() -> None:
    probs, implies, weight = circuits(3, 200)
    assert (marginals(probs, implies, weight)[:, :4] <= probs[:, :4] + 1e-12).all()


def test_the_yes_score_is_aps_of_two_answers() -> None:
    from glasshouse.families.conformal.scores import aps

    rng = np.random.default_rng(0)
    p, u = rng.random(200), rng.random(200)
    ours = COLEP(calibration="as published").score(p[:, None], u)[:, 0]
    assert ours == pytest.approx(aps(np.stack((1 - p, p), axis=1), u)[:, 1], abs=1e-15)


@pytest.mark.parametrize("calibration", ["one threshold", "as published"])
def test_extremes_are_those_of_the_score_over_the_interval(calibration: str) -> None:
    """A fine grid, both ends and just above 1/2, where the published score drops."""
    method, rng = COLEP(calibration=calibration), np.random.default_rng(0)  # type: ignore[arg-type]
    ends, u = np.sort(rng.random((2, 300, 1)), axis=0), rng.random(300)
    least, largest = method.extremes(ends[0], ends[1], u)
    grid = [ends[0] + i / 400 * (ends[1] - ends[0]) for i in range(401)] + [np.clip(np.full((300, 1), 0.5 + 1e-12), ends[0], ends[1])]
    scores = np.stack([method.score(p, u) for p in grid])
    assert least == pytest.approx(scores.min(axis=0), abs=1e-9)
    assert largest == pytest.approx(scores.max(axis=0), abs=1e-9)


def looked(split: int, **values: object) -> RobustSets:
    session = runs.open("conformal.colep", "digits", split=split, **values)  # type: ignore[arg-type]
    for _ in session.events():
        pass
    seen = session.look()
    assert isinstance(seen, RobustSets)
    return seen


@pytest.mark.parametrize("calibration", ["one threshold", "one a class"])
def test_coverage_is_as_promised(calibration: str) -> None:
    """Ordinary sets cover 1 - alpha and robust ones, on unattacked points, more: mean over 8 splits, 4 standard errors."""
    seen = [looked(s, calibration=calibration) for s in range(8)]
    ordinary, robust = np.mean([[*s.covered, *s.robust_covered] for s in seen], axis=0).reshape(2, 2)
    slack = 4 * math.sqrt(0.09 * (1 / 697 + 1 / 500) / 8)
    assert (ordinary >= 0.9 - slack).all()
    assert (robust > ordinary).all()


def test_one_question_a_class_covers_less_than_it_seems_to_promise() -> None:
    """The published calibration at alpha = 0.1: its truth is 1 - 10 alpha, and the sets show it."""
    covered = np.mean([looked(s, calibration="as published").coverage for s in range(4)])
    assert covered < 0.87
    session = runs.open("conformal.colep", "tiny", calibration="as published")
    list(session.events())
    assert "3 alpha only" in session.guarantee.statement


def test_attacked_coverage_keeps_what_is_certified() -> None:
    """Three attacks by every radius on test points, ordinary and robust sets, with rules and without."""
    for calibration in ("one threshold", "as published", "one a class"):
        session = runs.open("conformal.colep", "digits", calibration=calibration)
        *_, reasoned = (e for e in session.events() if isinstance(e, Reasoned))
        *_, attacked = (e for e in runs.study("conformal.colep", "attack", problem="digits", calibration=calibration) if isinstance(e, Attacked))
        seen = session.look(radius=0.2)
        assert isinstance(seen, RobustSets)
        limit = seen.thresholds[:, None, None, reasoned.cell[reasoned.labels]]
        hit = (attacked.scores <= limit).all(axis=2).mean(axis=-1)
        assert hit.shape == seen.certified.shape
        assert (seen.certified <= hit + 1e-12).all()
        assert hit[:, -1].max() < hit[:, 0].min() - 0.1, "an attack that does nothing tests nothing"


def test_sure_properties_make_robust_sets_smaller_and_guessed_ones_do_not() -> None:
    """Mean over 4 splits: at equal promise, at most 0.85 of the size with properties that are told; no gain with guessed ones."""
    ratio = {p: np.mean([s.robust_sizes[1] / s.robust_sizes[0] for s in (looked(i, properties=p, sigma=sigma) for i in range(4))], axis=0)
             for p, sigma in (("told", 0.5), ("trained", 0.25), ("guessed", 0.5))}
    assert (ratio["told"] < 0.85).all()
    assert ratio["trained"][0] < 0.99
    assert (ratio["guessed"] > 1.0).all()


def test_the_papers_claim_holds_as_published_where_properties_are_sure() -> None:
    """Certified coverage gains at every radius if votes are noisy and properties told, and loses if these are guessed (4 splits)."""
    gain = {p: np.mean([s.certified[1] - s.certified[0] for s in (looked(i, calibration="as published", properties=p, sigma=1.0)
                        for i in range(4))], axis=0) for p in ("told", "guessed")}
    assert (gain["told"][:8] > 0.02).all()
    assert (gain["guessed"][:8] < -0.05).all()


def test_with_one_threshold_rules_certify_no_more_coverage() -> None:
    """A rule lowers classes, the true one too, and the threshold follows: told properties keep what is certified to 0.02 up to 0.15."""
    gain = np.mean([s.certified[1] - s.certified[0] for s in (looked(i, properties="told", sigma=0.5) for i in range(4))], axis=0)
    assert (gain[:4] >= -0.02).all()
    assert gain[5:].max() < 0.0
