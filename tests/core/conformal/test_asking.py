"""Models of other libraries give the arrays that calibration takes, and are left as they were."""

from __future__ import annotations

import logging
from typing import Any

import numpy as np
import pytest
import torch
from sklearn.datasets import load_iris
from sklearn.linear_model import LogisticRegression

from glasshouse.families.conformal import ask, calibrate
from glasshouse.schema.errors import BadType, BadValue

X, Y = load_iris(return_X_y=True)
NAMES = np.array(["setosa", "versicolor", "virginica"])


def test_a_fitted_classifier_with_text_as_labels() -> None:
    words = NAMES[Y]
    model = LogisticRegression(max_iter=1000).fit(X[::2], words[::2])
    probs, labels = ask(model, X[1::2], words[1::2])
    assert np.array_equal(probs, model.predict_proba(X[1::2]))
    assert labels is not None
    assert np.array_equal(model.classes_[labels], words[1::2])
    sets = calibrate(probs, labels, score="lac").predict(ask(model, X[::2])[0], alpha=0.1)
    assert sets.shape == (75, 3)
    with pytest.raises(BadValue, match="'rose'"):
        ask(model, X[:2], ["rose", "setosa"])
    with pytest.raises(BadValue, match="shape"):
        ask(model, X[:2], ["setosa"])


def test_columns_follow_the_model_s_own_order_of_classes() -> None:
    class Backwards:
        classes_ = np.array([7, 3])

        def predict_proba(self, x: np.ndarray) -> np.ndarray:
            return np.tile([0.9, 0.1], (len(x), 1))

    _, labels = ask(Backwards(), np.zeros((3, 1)), [3, 7, 3])
    assert labels is not None
    assert labels.tolist() == [1, 0, 1]


def test_a_torch_module_with_a_loader_is_left_in_training() -> None:
    torch.manual_seed(0)
    model = torch.nn.Sequential(torch.nn.Linear(4, 8), torch.nn.Dropout(0.5), torch.nn.Linear(8, 3)).train()
    model[1].eval()
    set_ = torch.utils.data.TensorDataset(torch.tensor(X, dtype=torch.float32), torch.tensor(Y))
    probs, labels = ask(model, torch.utils.data.DataLoader(set_, batch_size=40))
    assert np.array_equal(labels, Y)
    assert [part.training for part in model] == [True, False, True]
    expected = torch.softmax(model.eval()(set_.tensors[0]).double(), 1).detach().numpy()
    assert np.allclose(probs, expected, atol=1e-6)
    assert all(p.grad is None for p in model.parameters())
    alone, none = ask(model, [set_.tensors[0][:5]])
    assert none is None
    assert np.allclose(alone, expected[:5], atol=1e-6)


def test_what_is_no_model_is_refused() -> None:
    for wrong in (3, np.zeros(3), lambda x: x):
        with pytest.raises(BadType, match="model"):
            ask(wrong, X)
    with pytest.raises(BadValue, match="fitted"):
        ask(LogisticRegression(), X)
    with pytest.raises(BadType, match="labels"):
        ask(torch.nn.Linear(4, 3), [torch.zeros(2, 4)], labels=[0, 1])
    with pytest.raises(BadType, match="logits"):
        ask(torch.nn.Flatten(0), [torch.zeros(2, 4)])
    with pytest.raises(BadValue, match="nothing"):
        ask(torch.nn.Linear(4, 3), [])


T = torch.tensor(X, dtype=torch.float32)
LABELS = torch.tensor(Y)


def module() -> torch.nn.Module:
    torch.manual_seed(1)
    return torch.nn.Linear(4, 3)


EXPECTED = torch.softmax(module()(T).double(), 1).detach().numpy()


def loader(*arrays: Any) -> Any:
    return torch.utils.data.DataLoader(torch.utils.data.TensorDataset(*arrays), batch_size=37)


@pytest.mark.parametrize("data", [
    loader(T, LABELS), loader(T, LABELS.float()), loader(T, LABELS.int()), loader(T, torch.nn.functional.one_hot(LABELS)),
    loader(T, torch.nn.functional.one_hot(LABELS).float()), loader(T, LABELS[:, None]), loader(T.double(), LABELS), (T, LABELS), (X, Y), [T, LABELS],
    [T, torch.nn.functional.one_hot(LABELS)], (T, Y.tolist()), [(T[:99], LABELS[:99]), (T[99:], LABELS[99:])], [(X, Y.astype(float))],
    ((T[i:i + 1], LABELS[i]) for i in range(150))],
    ids=["loader", "float labels", "int32", "one-hot", "float one-hot", "column", "double", "pair", "numpy pair", "list", "list one-hot",
         "list of labels", "batches", "numpy batch", "labels of no dimension"])
def test_labels_in_many_forms_are_the_same_labels(data: Any) -> None:
    probs, labels = ask(module(), data)
    assert np.allclose(probs, EXPECTED, atol=1e-6)
    assert labels is not None
    assert labels.dtype == np.int64
    assert np.array_equal(labels, Y)


@pytest.mark.parametrize("data", [loader(T), T, X, [T], [T[:50], T[50:100], T[100:]], [T[:75], T[75:]], [(T, None)], iter([T])],
                         ids=["loader", "tensor", "array", "batch", "batches", "two alike", "none", "iterator"])
def test_inputs_alone(data: Any) -> None:
    probs, labels = ask(module(), data)
    assert np.allclose(probs, EXPECTED, atol=1e-6)
    assert labels is None


def test_labels_beside_an_array() -> None:
    for given in (Y, LABELS, Y.tolist(), Y.astype(float)):
        assert np.array_equal(ask(module(), T, given)[1], Y)  # type: ignore[arg-type]


@pytest.mark.parametrize(("data", "labels", "argument"), [
    (loader(T, T, LABELS), None, "data"), ([{"x": T, "y": LABELS}], None, "data"), ({"x": T}, None, "data"), (3, None, "data"), (None, None, "data"),
    ("file.pt", None, "data"), ([[T[0], T[1], T[2]]], None, "data"), ([((T, T), LABELS)], None, "data"), ([()], None, "data"), ([], None, "data"),
    ([(T, LABELS), (T, None)], None, "data"), (loader(T, LABELS + 0.5), None, "labels"), (loader(T, LABELS + 1), None, "labels"),
    (loader(T, LABELS - 1), None, "labels"), (loader(T, torch.tensor(EXPECTED)), None, "labels"),
    (loader(T, LABELS.float() * float("nan")), None, "labels"), ((T, LABELS[:9]), None, "labels"), ([(T, LABELS[:9])], None, "labels"),
    ([(T, ["a"] * 150)], None, "labels"), (T, LABELS[:9], "labels"), (loader(T, LABELS), LABELS, "labels"), (loader(T[:, :3], LABELS), None, "data"),
    (torch.utils.data.TensorDataset(T, LABELS), None, "model"), (T.to(torch.int64), None, "data"), (T * float("nan"), None, "model"),
    ((T, torch.nn.functional.one_hot(LABELS, 5)), None, "labels")])
def test_what_would_have_to_be_guessed_at_is_told(data: Any, labels: Any, argument: str) -> None:
    with pytest.raises((BadType, BadValue)) as error:
        ask(module(), data, labels)
    assert error.value.argument == argument


def test_a_module_that_ends_in_probabilities(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO, "glasshouse"):
        for end in (torch.nn.Softmax(1), torch.nn.LogSoftmax(1)):
            assert np.allclose(ask(torch.nn.Sequential(module(), end), loader(T))[0], EXPECTED, atol=1e-6)
    assert caplog.text.count("taken as they are") == 1
    half = ask(torch.nn.Sequential(module(), torch.nn.Softmax(1)).to(torch.bfloat16), loader(T))[0]
    assert half.sum(axis=1) == pytest.approx(1, abs=1e-12)
    assert half == pytest.approx(EXPECTED, abs=0.02)
    with caplog.at_level(logging.WARNING, "glasshouse"):
        ask(torch.nn.Sequential(module(), torch.nn.Sigmoid()), T)
    assert "sigmoids" in caplog.text
    with pytest.raises(BadType, match="two classes"):
        ask(torch.nn.Linear(4, 1), T)


def test_outputs_with_logits_and_masked_classes() -> None:
    class Named(torch.nn.Module):
        def forward(self, x: torch.Tensor) -> Any:
            return type("Output", (), {"logits": module()(x)})()

    class Masked(torch.nn.Module):
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return torch.cat((module()(x), torch.full((len(x), 1), -torch.inf)), 1)

    assert np.allclose(ask(Named(), T)[0], EXPECTED, atol=1e-6)
    assert np.allclose(ask(Masked(), T)[0][:, :3], EXPECTED, atol=1e-6)


def test_labels_that_a_fitted_classifier_does_not_know() -> None:
    numbers, words = (LogisticRegression(max_iter=1000).fit(X, y) for y in (Y, NAMES[Y]))
    assert np.array_equal(ask(numbers, X, Y.astype(float))[1], Y)  # type: ignore[arg-type]
    assert np.array_equal(ask(numbers, X, LABELS)[1], Y)  # type: ignore[arg-type]
    for model, labels in ((numbers, Y + 0.5), (numbers, NAMES[Y]), (numbers, Y.astype(str)), (words, Y), (words, [None] * 150), (numbers, Y * np.nan),
                          (numbers, np.eye(3)[Y]), (numbers, Y[:, None])):
        with pytest.raises(BadValue, match="labels"):
            ask(model, X, labels)
    with pytest.raises(BadValue, match="data"):
        ask(numbers, loader(T, LABELS))
    with pytest.raises(BadValue, match="data"):
        ask(numbers, X[:, :2], Y)
