"""One sentence for one cause, the same wherever it comes from; what is right is never refused."""

from __future__ import annotations

from collections import OrderedDict
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from transformers import BatchEncoding

from glasshouse.families.conformal import calibrate, calibrate_regression
from glasshouse.families.conformal.inputs import probabilities
from glasshouse.schema.errors import GlasshouseError

RNG = np.random.default_rng(3)
PROBS = RNG.dirichlet(np.ones(5), 40)
LABELS = RNG.integers(0, 5, 40)
COUNT = np.arange(40)[:, None]
ROWS: dict[str, tuple[Any, str]] = {
    "NaN": (np.where(PROBS.max() == PROBS, np.nan, PROBS), "is NaN, a missing value"),
    "infinite": (np.where(PROBS.max() == PROBS, np.inf, PROBS), "is inf"),
    "percent": (100 * PROBS, "divide by 100"), "rounded percent": (np.round(100 * PROBS, 1), "divide by 100"),
    "index from 0": (np.hstack((COUNT, PROBS)), "counts the rows"), "index from 1": (np.hstack((COUNT + 1, PROBS)), "counts the rows"),
    "labels last": (np.column_stack((PROBS, LABELS)), "the labels it seems"), "logits": (np.log(PROBS) + 7, "softmax"),
    "log-probabilities": (np.log(PROBS), "exp"), "negative": (PROBS - np.eye(1, 5) * 0.8 + np.eye(1, 5, 1) * 0.8, "negative probability"),
    "yes-or-no": (np.sqrt(PROBS), "yes-or-no"), "counts": (np.round(PROBS * 1000) + 5, "counts"),
    "text": ("probs.npy", "array of numbers"), "nothing": (None, "array of numbers"), "a set": ({1.0}, "array of numbers"),
    "a dict": ({"probs": PROBS, "y": LABELS}, "the one called 'probs'"), "a model's output": (OrderedDict(logits=PROBS), "softmax"),
    "a tokenizer's output": (BatchEncoding({"input_ids": [[1]], "attention_mask": [[1]]}), "'input_ids', 'attention_mask'"),
    "names": (PROBS.astype(str), "dtype"),
}


@pytest.mark.parametrize("cause", ROWS)
def test_rows(cause: str) -> None:
    rows, words = ROWS[cause]
    with pytest.raises(GlasshouseError, match=words) as refused:
        calibrate(rows, LABELS)
    assert refused.value.argument == "probs"
    assert "probs" in str(refused.value)
    others = {said for other, (_, said) in ROWS.items() if said != words} - {"dtype", "softmax", "exp", "is NaN, a missing value"}
    assert not [said for said in others if said in str(refused.value) and said not in words], "two causes in one sentence"


def test_a_column_too_many_after_calibration() -> None:
    calibrated = calibrate(PROBS, LABELS)
    with pytest.raises(GlasshouseError, match=r"6 classes.*counts the rows"):
        calibrated.predict(np.hstack((COUNT, PROBS)), alpha=0.2)
    with pytest.raises(GlasshouseError, match=r"it must have the 5 of calibration$"):
        calibrated.predict(RNG.dirichlet(np.ones(6), 9), alpha=0.2)


@pytest.mark.parametrize(("labels", "words"), [
    (np.eye(5)[LABELS], "one-hot"), (LABELS + 1, "subtract 1"), (LABELS.astype(float), "astype"), (np.where(LABELS == 1, np.nan, LABELS), "NaN"),
    (LABELS.astype(str), "names of classes"), ({"labels": LABELS}, "called 'labels'"), (None, "array of numbers")])
def test_labels(labels: Any, words: str) -> None:
    with pytest.raises(GlasshouseError, match=words) as refused:
        calibrate(PROBS, labels)
    assert refused.value.argument == "labels"


@given(st.integers(0, 2**32 - 1), st.integers(2, 12), st.sampled_from([np.float64, np.float32]), st.floats(0, 1e-6))
def test_what_rounding_leaves_below_zero_is_zero(seed: int, k: int, dtype: type, below: float) -> None:
    rows = np.random.default_rng(seed).dirichlet(np.ones(k), 8).astype(dtype)
    rows[:, 0], rows[:, 1] = -below, rows[:, 1] + rows[:, 0]
    kept = rows.copy()
    read = probabilities("probs", rows)
    assert read.min() >= 0
    assert np.array_equal(rows, kept)
    assert np.allclose(read, rows, atol=1e-6)


@given(st.integers(0, 2**32 - 1), st.integers(2, 8), st.integers(2, 30))
def test_probabilities_are_never_refused(seed: int, k: int, n: int) -> None:
    rows = np.random.default_rng(seed).dirichlet(np.full(k, 0.05), n)
    for one in (rows, rows.astype(np.float32), torch.tensor(rows), rows.tolist(), np.round(rows)[np.round(rows).sum(1) == 1]):
        if len(one):
            assert np.allclose(probabilities("probs", one), np.asarray(one))


@pytest.mark.parametrize(("alpha", "words"), [(90, "90 percent is 0.9"), (10, "10 percent is 0.1"), ("0,1", "alpha"), (float("nan"), "alpha")])
def test_alpha(alpha: Any, words: str) -> None:
    with pytest.raises(GlasshouseError, match=words):
        calibrate(PROBS, LABELS).predict(PROBS, alpha=alpha)


@pytest.mark.parametrize(("value", "words"), [(np.nan, "is NaN, a missing value"), (np.inf, "is inf")])
def test_regression_says_the_same(value: float, words: str) -> None:
    wrong = np.where(np.arange(40) == 7, value, 1.0)
    for arrays, argument in (((wrong, np.ones(40)), "predictions"), ((np.ones(40), wrong), "targets")):
        with pytest.raises(GlasshouseError, match=words) as refused:
            calibrate_regression(*arrays)
        assert refused.value.argument == argument
    with pytest.raises(GlasshouseError, match="holds 'y'"):
        calibrate_regression({"y": np.ones(40)}, np.ones(40))
