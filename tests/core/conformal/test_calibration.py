from __future__ import annotations

import math
import subprocess
import sys
import tracemalloc
from decimal import Decimal
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from glasshouse.families.conformal import calibrate, calibration
from glasshouse.schema.errors import BadType, BadValue, GlasshouseError

RNG = np.random.default_rng(0)
PROBS = RNG.dirichlet(np.ones(4), 50)
LABELS = RNG.integers(0, 4, 50)
TEST = RNG.dirichlet(np.ones(4), 30)


def test_whole_way_against_the_definition() -> None:
    c = calibrate(PROBS, LABELS, "lac")
    scores = np.sort(1 - PROBS[np.arange(50), LABELS])
    assert c.n == 50
    assert c.threshold(0.1) == scores[46 - 1]  # ceil(51 * .9) = 46
    ranked = c.rank(TEST)
    assert (ranked.sets(0.1) == (scores[45] >= 1 - TEST)).all()
    assert (c.predict(TEST, alpha=0.1) == ranked.sets(0.1)).all()
    assert (c.predict(TEST) == ranked.sets(0.1)).all()
    assert c.guarantee.kind == "marginal"
    assert "50 calibration points" in c.guarantee.statement


def test_too_few_points_give_full_sets() -> None:
    c = calibrate(PROBS[:8], LABELS[:8], "lac")
    assert c.threshold(0.1) == math.inf
    assert c.predict(TEST, 0.1).all()
    assert c.threshold(0.2) < 1


def test_no_points_give_full_sets_and_say_so(caplog: pytest.LogCaptureFixture) -> None:
    c = calibrate(PROBS[:0], LABELS[:0], "lac")
    assert "no calibration points" in caplog.text
    assert c.predict(TEST, 0.9).all()
    assert calibrate(PROBS, LABELS, "lac").rank(TEST[:0]).sets(0.1).shape == (0, 4)


def test_nothing_is_mutated() -> None:
    probs, labels, test = PROBS.copy(), LABELS.copy(), TEST.copy()
    calibrate(probs, labels, "lac", temperature=2.0).predict(test)
    assert (probs == PROBS).all()
    assert (labels == LABELS).all()
    assert (test == TEST).all()


def test_torch_tensors_are_as_good() -> None:
    torch = pytest.importorskip("torch")
    probs = torch.tensor(PROBS, requires_grad=True)
    c = calibrate(probs, torch.tensor(LABELS), "lac")
    assert (c.scores == calibrate(PROBS, LABELS, "lac").scores).all()
    half = torch.tensor(TEST).half()  # its rows miss 1 by a little
    assert (c.predict(half) == c.predict(half.double().numpy())).all()


def test_works_without_importing_torch() -> None:
    code = ("import sys, numpy as np; from glasshouse.families.conformal import calibrate; "
            "c = calibrate(np.full((20, 2), .5), np.zeros(20, int), 'lac'); assert c.predict(np.full((1, 2), .5)).all(); "
            "assert not {'torch', 'sklearn', 'pandas', 'transformers'} & set(sys.modules)")
    subprocess.run([sys.executable, "-c", code], check=True)


@pytest.mark.parametrize(("probs", "word"), [
    (PROBS * 1.01, "sum to 1"), (np.log(PROBS), "negative"), (np.where(np.eye(50, 4) == 1, np.nan, PROBS), "NaN"),
    (PROBS[0], "shape"), (PROBS[None], "shape"), (np.empty((50, 0)), "shape"), (PROBS > 0.5, "dtype"),
    (PROBS.astype(complex), "dtype"), ([["a", "b"]] * 50, "dtype"), (None, "dtype"), ([[0.5, 0.5], [1.0]], "read"),
    (np.where(PROBS > 0.5, np.inf, PROBS), "sum to 1")])
def test_bad_probabilities(probs: Any, word: str) -> None:
    with pytest.raises(GlasshouseError, match=word):
        calibrate(probs, LABELS)


@pytest.mark.parametrize(("labels", "word"), [
    (np.full(50, 4), "0 to 3"), (np.full(50, -1), "0 to 3"), (LABELS[:-1], "must have 50"), (LABELS.astype(float), "whole"),
    (LABELS[:, None], "shape"), (["a"] * 50, "whole"), (None, "whole"), (LABELS > 1, "whole")])
def test_bad_labels(labels: Any, word: str) -> None:
    with pytest.raises(GlasshouseError, match=f"labels.*{word}"):
        calibrate(PROBS, labels)


def test_bad_names_and_knobs() -> None:
    with pytest.raises(BadValue, match=r"score = 'lak'.*did you mean lac"):
        calibrate(PROBS, LABELS, score="lak")
    with pytest.raises(BadType, match="score"):
        calibrate(PROBS, LABELS, score=3)  # type: ignore[arg-type]
    with pytest.raises(BadValue, match="temperature = 0"):
        calibrate(PROBS, LABELS, temperature=0)
    with pytest.raises(BadValue, match="temprature"):
        calibrate(PROBS, LABELS, temprature=1)


@pytest.mark.parametrize("alpha", [0, 1, 10, math.nan, -0.5])
def test_bad_alpha_everywhere(alpha: float) -> None:
    c = calibrate(PROBS, LABELS, "lac")
    for call in (c.threshold, c.rank(TEST).sets, c.rank(TEST).sizes, lambda a: c.predict(TEST, a)):
        with pytest.raises(BadValue, match="alpha"):
            call(alpha)


def test_bad_test_points() -> None:
    c = calibrate(PROBS, LABELS, "lac")
    with pytest.raises(BadValue, match="classes"):
        c.rank(TEST[:, :3] / TEST[:, :3].sum(axis=1, keepdims=True))
    with pytest.raises(BadValue, match=r"probs\[0\] holds NaN"):
        c.predict(np.full((1, 4), np.nan))


@given(st.integers(0, 40), st.integers(1, 5), st.integers(0, 2**32 - 1), st.floats(0.001, 0.999))
def test_sets_of_any_shape(n: int, classes: int, seed: int, alpha: float) -> None:
    rng = np.random.default_rng(seed)
    probs, labels = rng.dirichlet(np.ones(classes), n), rng.integers(0, classes, n)
    c = calibrate(probs.reshape(n, classes), labels)
    ranked = c.rank(rng.dirichlet(np.ones(classes), 7))
    assert ranked.sets(alpha).shape == (7, classes)
    assert (ranked.sizes(alpha) <= ranked.sizes(alpha / 2)).all()
    assert ((ranked.p_values() > 0) & (ranked.p_values() <= 1)).all()


@pytest.mark.parametrize("groups", [None, "class", "points"])
def test_many_rows_are_scored_by_blocks_and_nothing_changes(monkeypatch: pytest.MonkeyPatch, groups: str | None) -> None:
    rng = np.random.default_rng(4)
    probs, labels, of = rng.dirichlet(np.ones(5), 130), rng.integers(5, size=100), rng.integers(3, size=130)
    given, test = (of[:100], of[100:]) if groups == "points" else (groups, None)

    def made() -> tuple[np.ndarray, np.ndarray]:
        calibrated = calibrate(probs[:100], labels, score="aps", randomized=True, groups=given)
        ranks = calibrated.rank(probs[100:], groups=test)
        return ranks.p_values(), ranks.sets(0.2)

    whole = made()
    monkeypatch.setattr(calibration, "ENTRIES", 35)         # seven rows a block
    for a, b in zip(whole, made(), strict=True):
        assert np.array_equal(a, b)


def test_scoring_a_large_pool_needs_little_memory() -> None:
    """2,000 x 1,000: the probabilities take 16 MB; scoring and ranking them must not take several times as much as a block does."""
    rng = np.random.default_rng(0)
    probs, labels = rng.dirichlet(np.ones(1000), 4000), rng.integers(1000, size=2000)
    tracemalloc.start()
    calibrate(probs[:2000], labels, score="aps").rank(probs[2000:]).sets(0.1)
    peak = tracemalloc.get_traced_memory()[1] / 1e6
    tracemalloc.stop()
    assert peak < 80


def test_bfloat16_rows_are_taken() -> None:
    """Eight bits: rows miss 1 by up to 1 / 128, and are divided by their sum."""
    torch = pytest.importorskip("torch")
    wide = np.random.default_rng(5).dirichlet(np.ones(3), 60)
    probs, labels = torch.tensor(wide).bfloat16(), np.arange(60) % 3
    assert np.abs(probs.double().sum(dim=1).numpy() - 1).max() > 1e-3
    exact = probs.double().numpy()
    exact /= exact.sum(axis=1, keepdims=True)
    for score in ("lac", "aps"):
        assert (calibrate(probs, labels, score).scores == calibrate(exact, labels, score).scores).all()
    with pytest.raises(BadValue, match="does not sum to 1"):
        calibrate(1.02 * probs, labels)


def test_a_calibration_says_in_one_line_what_it_is() -> None:
    for c, words in ((calibrate(PROBS, LABELS, "aps", seed=3), "APS(randomized=False, temperature=1.0), n=50, classes=4, one threshold, seed=3"),
                     (calibrate(PROBS, LABELS, "lac", groups="class"), "a threshold a class"),
                     (calibrate(PROBS, LABELS, "lac", groups=np.arange(50) % 3), "3 groups")):
        assert words in repr(c)
        assert "\n" not in repr(c)
        assert len(repr(c)) < 150


def test_whether_u_is_drawn_is_said_in_the_guarantee() -> None:
    assert "drawn anew for every prediction" in calibrate(PROBS, LABELS, "aps", randomized=True).guarantee.statement
    assert "drawn anew" in calibrate(PROBS, LABELS, "mondrian", base="aps", randomized=True).guarantee.statement
    for plain in (calibrate(PROBS, LABELS, "aps"), calibrate(PROBS, LABELS, "lac"), calibrate(PROBS, LABELS, "mondrian", base="aps")):
        assert "drawn anew" not in plain.guarantee.statement


def test_methods_with_cells_are_randomised_as_their_base_is() -> None:
    for score in ("mondrian", "clustered"):
        plain = calibrate(PROBS, LABELS, score, base="aps")
        assert (plain.rank(TEST).ranks == plain.rank(TEST).ranks).all()
        drawn = calibrate(PROBS, LABELS, score, base="aps", randomized=True)
        assert (drawn.rank(TEST).ranks != drawn.rank(TEST).ranks).any()
        with pytest.raises(BadValue, match=r"randomized = True is not allowed: False: the score lac"):
            calibrate(PROBS, LABELS, score, randomized=True)


def test_levels_and_seeds_of_any_exact_type() -> None:
    c = calibrate(PROBS, LABELS, "aps", randomized=True, seed=np.int64(3))
    same = calibrate(PROBS, LABELS, "aps", randomized=True, seed=3)
    assert (c.predict(TEST, Decimal("0.1")) == same.predict(TEST, 0.1)).all()
    assert c.seed == 3
    assert type(c.seed) is int
    for seed in (True, np.True_, 1.0, "1", None):
        with pytest.raises(BadType, match="seed"):
            calibrate(PROBS, LABELS, seed=seed)
