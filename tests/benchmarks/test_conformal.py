"""Glasshouse beside TorchCP, crepes, MAPIE and puncc: the same sets where their rank is right, a list where it is not, and the time it takes.

They live in an environment of their own (`make peers`); what they disagree on is settled by rational arithmetic.
"""

from __future__ import annotations

import math
import sys
import time
import tracemalloc
import types
import warnings
from collections.abc import Callable
from fractions import Fraction
from typing import Any

import numpy as np
import pytest

from glasshouse.families.conformal import calibrate
from glasshouse.families.conformal.ranks import rank, threshold_rank

pytestmark = pytest.mark.peers
ALPHAS = [i / 100 for i in range(1, 100)]
SIZES = (19, 50, 99, 200, 499)


@pytest.fixture(scope="module")
def torchcp() -> Any:
    """Its losses and its graph and language parts want large packages that scores and predictors do not touch."""
    for name in ("torchsort", "torchcp.graph", "torchcp.llm", "torchcp.regression"):
        stand_in = types.ModuleType(name)
        stand_in.soft_rank = stand_in.soft_sort = None  # type: ignore[attr-defined]
        sys.modules.setdefault(name, stand_in)
    import torchcp.classification.predictor as predictor
    import torchcp.classification.score as score

    return types.SimpleNamespace(split=predictor.SplitPredictor, LAC=score.LAC, APS=score.APS, RAPS=score.RAPS)


def drawn(n: int, m: int, k: int, seed: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    probs = rng.dirichlet(np.full(k, 0.3), n + m)
    labels = np.array([rng.choice(k, p=p) for p in probs[:n]])
    return probs[:n], labels, probs[n:]


def right_rank(n: int, alpha: float) -> int:
    """ceil((n + 1)(1 - alpha)) in rational arithmetic."""
    return math.ceil((n + 1) * (1 - Fraction(repr(alpha))))


def agree(their_rank: Callable[[int, float], float]) -> tuple[int, list[tuple[int, float, float, int]]]:
    """(pairs on which a rank is right, the others as (n, alpha, theirs, right)) over every n to 1000 and alpha on a .01 grid."""
    wrong = [(n, a, their_rank(n, a), right_rank(n, a)) for n in range(1, 1001) for a in ALPHAS
             if min(their_rank(n, a), n + 1) != min(right_rank(n, a), n + 1)]
    return 99_000 - len(wrong), wrong


def told(name: str, formula: str, found: tuple[int, list[tuple[int, float, float, int]]]) -> None:
    right, wrong = found
    low = sum(theirs < exact for _, _, theirs, exact in wrong)
    print(f"\n{name}: {formula}: right for {right:,} of 99,000 (n, alpha), {len(wrong):,} wrong ({low:,} too low), for example "
          + "; ".join(f"n={n}, alpha={a}: {t} for {k}" for n, a, t, k in wrong[:: max(1, len(wrong) // 3)][:3]))


@pytest.mark.parametrize("score", ["lac", "aps", "raps"])
def test_sets_equal_torchcp_wherever_its_rank_is_right(torchcp: Any, score: str) -> None:
    import torch

    theirs = {"lac": lambda: torchcp.LAC(score_type="identity"), "aps": lambda: torchcp.APS(score_type="identity", randomized=False),
              "raps": lambda: torchcp.RAPS(score_type="identity", randomized=False, penalty=0.1, kreg=2)}[score]()
    knobs: dict[str, Any] = {"penalty": 0.1, "free": 2} if score == "raps" else {}
    equal = skipped = 0
    for n in SIZES:
        probs, labels, test = drawn(n, 200, 8, n)
        ours = calibrate(probs, labels, score=score, **knobs).rank(test)
        predictor = torchcp.split(theirs)
        for alpha in ALPHAS:
            if right_rank(n, alpha) > n or math.ceil((n + 1) * (1 - alpha)) != right_rank(n, alpha):
                skipped += 1
                continue
            predictor.calculate_threshold(torch.tensor(probs), torch.tensor(labels), alpha)
            assert np.array_equal(predictor.predict_with_logits(torch.tensor(test)).numpy().astype(bool), ours.sets(alpha)), (n, alpha)
            equal += 1
    print(f"\nTorchCP {score}: {equal} of {equal + skipped} (n, alpha) with a finite, right rank: identical sets of 200 points")
    assert equal > 400


def test_p_values_equal_crepes() -> None:
    from crepes.base import p_values_batch

    for n in SIZES:
        rng = np.random.default_rng(n)
        known, new = rng.integers(40, size=n) / 40, rng.integers(40, size=(60, 5)) / 40         # with many ties
        assert np.array_equal(p_values_batch(known, new, smoothing=False), rank(np.sort(known), new).p_values())


def test_whose_rank_is_right() -> None:
    """Every formula as it is written in the peer's source, against rational arithmetic."""
    told("TorchCP", "ceil((n + 1)(1 - alpha)) in floats", agree(lambda n, a: math.ceil((n + 1) * (1 - a))))
    told("crepes intervals", "int((1 - confidence)(n + 1)) - 1 from the top", agree(lambda n, a: n + 1 - int((1 - (1 - a)) * (n + 1))))
    ours, wrong = agree(threshold_rank)
    told("Glasshouse", "Fraction(repr(alpha))", (ours, wrong))
    assert not wrong


def split_residuals(n: int) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(n)
    return np.zeros(n), rng.normal(size=n)


@pytest.mark.parametrize("peer", ["mapie", "puncc", "crepes"])
def test_split_regression_intervals(peer: str) -> None:
    """The half width of the interval is an order statistic of |residual|: which one, at every alpha."""
    half: Callable[[np.ndarray, float], float] = {"mapie": _mapie, "puncc": _puncc, "crepes": _crepes}[peer]
    same, differ = 0, []
    for n in SIZES:
        _, y = split_residuals(n)
        residuals = np.append(np.sort(np.abs(y)), np.inf)
        for alpha in ALPHAS[::3]:
            k = min(threshold_rank(n, alpha), n + 1)
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                try:
                    theirs = half(y, alpha)
                except ValueError:
                    theirs = math.nan
            if theirs == pytest.approx(residuals[k - 1], rel=1e-12):
                same += 1
            else:
                found = np.flatnonzero(np.isclose(residuals, theirs, rtol=1e-12))
                said = f"rank {int(found[0]) + 1}" if len(found) else "an error" if math.isnan(theirs) else "infinite"
                differ.append((n, alpha, said, f"rank {k}"))
    print(f"\n{peer}: the same half width for {same} of {same + len(differ)} (n, alpha); rational arithmetic is right in the others: "
          + "; ".join(f"n={n}, alpha={a}: {t} for {r}" for n, a, t, r in differ[:6]))
    assert same >= 0.6 * (same + len(differ))
    assert all(right_rank(n, a) == threshold_rank(n, a) for n, a, _, _ in differ)


class Zero:
    """A fitted regressor that predicts 0."""

    def fit(self, x: np.ndarray, y: np.ndarray) -> Zero:
        self.is_fitted_ = True
        return self

    def predict(self, x: np.ndarray) -> np.ndarray:
        return np.zeros(len(x))

    def __sklearn_is_fitted__(self) -> bool:
        return True


def _mapie(y: np.ndarray, alpha: float) -> float:
    from mapie.regression import SplitConformalRegressor
    from sklearn.dummy import DummyRegressor

    zero = DummyRegressor(strategy="constant", constant=0.0).fit(np.zeros((2, 1)), np.zeros(2))
    model = SplitConformalRegressor(zero, confidence_level=1 - alpha, prefit=True).conformalize(np.zeros((len(y), 1)), y)
    return float(model.predict_interval(np.zeros((1, 1)))[1][0, 1, 0])


def _puncc(y: np.ndarray, alpha: float) -> float:
    from deel.puncc.api.prediction import BasePredictor
    from deel.puncc.regression import SplitCP

    model = SplitCP(BasePredictor(Zero(), is_trained=True), train=False)
    model.fit(X_calib=np.zeros((len(y), 1)), y_calib=y)
    return float(np.ravel(model.predict(np.zeros((1, 1)), alpha=alpha)[2])[0])


def _crepes(y: np.ndarray, alpha: float) -> float:
    from crepes import ConformalRegressor

    return float(ConformalRegressor().fit(y).predict_int(np.zeros(1), confidence=1 - alpha)[0, 1])


@pytest.mark.parametrize(("score", "least", "least_counted", "alphas"), [("lac", 50, 3, 50), ("aps", 500, 25, 50)])
def test_moving_alpha_is_a_look_up(torchcp: Any, score: str, least: float, least_counted: float, alphas: int) -> None:
    """10,000 x 1,000 with 10,000 calibration points, in one run. TorchCP is timed on every tenth alpha, its time being the same for each."""
    import torch

    rng = np.random.default_rng(0)
    logits = 3 * rng.standard_normal((20_000, 1000), dtype=np.float32)
    probs = np.exp(logits - logits.max(axis=1, keepdims=True))
    probs = (probs / probs.sum(axis=1, keepdims=True)).astype(np.float64)
    labels = rng.integers(1000, size=10_000)
    grid = [(i + 1) / (alphas + 1) for i in range(alphas)]
    theirs = {"lac": lambda: torchcp.LAC(score_type="identity"), "aps": lambda: torchcp.APS(score_type="identity", randomized=False)}[score]()
    known, new, truth = torch.tensor(probs[:10_000]), torch.tensor(probs[10_000:]), torch.tensor(labels)
    predictor = torchcp.split(theirs)
    spent: list[float] = []
    for alpha in grid[::10]:
        start = time.perf_counter()
        predictor.calculate_threshold(known, truth, alpha)
        their_sets = predictor.predict_with_logits(new)
        spent.append(time.perf_counter() - start)
    peer = float(np.median(spent))
    start = time.perf_counter()
    ranks = calibrate(probs[:10_000], labels, score=score).rank(probs[10_000:])
    before = time.perf_counter() - start
    out, took = np.empty((10_000, 1000), bool), []
    for alpha in grid:
        start = time.perf_counter()
        ranks.sets(alpha, out=out)
        took.append(time.perf_counter() - start)
    ranks.sets(grid[::10][-1], out=out)
    assert (out == their_sets.numpy().astype(bool)).mean() > 0.999999
    each = float(np.median(took))
    counted = peer * alphas / (before + sum(took))
    print(f"\n{score}: TorchCP {1000 * peer:.0f} ms an alpha, here {1000 * each:.2f} ms after {before:.2f} s of scoring and ranking: "
          f"{peer / each:.0f} x, all counted {counted:.1f} x over {alphas} alphas")
    assert each <= 0.003
    assert peer / each >= least
    assert counted >= least_counted


def test_extra_memory_stays_below_200_mb() -> None:
    rng = np.random.default_rng(0)
    probs = rng.dirichlet(np.ones(1000), 20_000)
    labels = rng.integers(1000, size=10_000)
    tracemalloc.start()
    calibrated = calibrate(probs[:10_000], labels, score="aps")
    ranks = calibrated.rank(probs[10_000:])
    ranks.sets(0.1)
    peak = tracemalloc.get_traced_memory()[1] / 1e6
    tracemalloc.stop()
    print(f"\npeak extra memory {peak:.0f} MB")
    assert peak < 200
