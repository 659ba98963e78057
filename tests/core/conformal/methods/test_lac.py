from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from glasshouse import runs
from glasshouse.families.conformal.methods.lac import LAC
from glasshouse.schema.errors import BadValue


def test_golden_vector() -> None:
    assert LAC().score(np.array([[0.5, 0.3, 0.2]]), np.array([0.4]))[0] == pytest.approx([0.5, 0.7, 0.8], abs=1e-15)


def test_least_ambiguous_of_all_classifiers_of_its_coverage() -> None:
    """Theorem of the paper by enumeration: with p the true law of three equally likely inputs, no set-valued classifier of at
    least the same total coverage has a smaller mean size than thresholding p, at any of its thresholds."""
    probs = np.array([[0.7, 0.2, 0.1], [0.45, 0.35, 0.2], [0.05, 0.36, 0.59]])
    every = [np.array(choice, bool).reshape(3, 3) for choice in itertools.product((0, 1), repeat=9)]
    sizes = np.array([c.sum() / 3 for c in every])
    coverages = np.array([(probs * c).sum() / 3 for c in every])
    scores = LAC().score(probs, np.zeros(3))
    for threshold in np.unique(scores):
        ours = scores <= threshold
        rivals = sizes[coverages >= (probs * ours).sum() / 3 - 1e-12]
        assert ours.sum() / 3 <= rivals.min() + 1e-12


@given(arrays(np.float64, (6, 4), elements=st.floats(-30, 30)), st.floats(0.05, 20))
def test_temperature_is_that_of_the_logits(logits: np.ndarray, temperature: float) -> None:
    def softmax(z: np.ndarray) -> np.ndarray:
        e: np.ndarray = np.exp(z - z.max(axis=1, keepdims=True))
        return e / e.sum(axis=1, keepdims=True)

    ours = LAC(temperature).score(softmax(logits), np.zeros(6))
    np.testing.assert_allclose(ours, 1 - softmax(logits / temperature), atol=1e-9)
    assert not np.isnan(LAC(temperature).score(np.eye(4), np.zeros(4))).any()


def test_extra_is_the_threshold_curve() -> None:
    session = runs.open("conformal.lac", "tiny")
    (event,) = session.events()
    alpha, needed = event.extra["alpha"], event.extra["needed"]  # type: ignore[union-attr]
    assert (np.diff(alpha) > 0).all()
    assert (np.diff(needed) >= 0).all()
    for a, p in zip(alpha, needed, strict=True):
        # just above the step: at the step itself a rounded alpha may fall on either side
        assert session.look(alpha=float(a) + 1e-9).threshold == pytest.approx(1 - p, abs=1e-15)  # type: ignore[attr-defined]


def test_bounds() -> None:
    for value in (0, 0.04, 21, float("nan"), "warm", True):
        with pytest.raises(BadValue, match="temperature"):
            runs.open("conformal.lac", temperature=value)


def test_brief_figures_within_their_spread() -> None:
    """The recipe of our brief: coverage .90 and about two labels a set over resplits of 500 calibration points."""
    *_, last = runs.study("conformal.lac", "resplits", "digits", options={"total": 200})
    assert last.coverage[:, 451].mean() == pytest.approx(0.90, abs=0.006)  # type: ignore[union-attr]
    assert last.mean_size[:, 451].mean() == pytest.approx(2.0, abs=0.3)  # type: ignore[union-attr]
