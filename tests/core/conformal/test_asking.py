"""Models of other libraries give the arrays that calibration takes, and are left as they were."""

from __future__ import annotations

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
