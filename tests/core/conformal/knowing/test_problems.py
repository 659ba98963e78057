"""The simulated worlds: answers follow the truth, and what is hidden is known exactly."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.integrate import quad
from scipy.special import expit
from scipy.stats import norm

from glasshouse.families.conformal.knowing.problems import PROBLEMS, Digits, Logistic, Tables, Tiny
from glasshouse.models.digits import load_digits


@pytest.mark.parametrize("problem", [p() for p in PROBLEMS] + [Logistic(hidden=9), Tables(twins=1), Digits(scenario="sigmoid")])
def test_answers_are_drawn_from_the_truth(problem: Logistic) -> None:
    """Both answers, each answer: the sum of hits minus truth is within 4 standard errors; the two are independent given the truth."""
    data = problem.open()
    hits = [np.eye(len(data.answers))[data.labels[:, i]] - data.truth for i in range(2)]
    sd = np.sqrt((data.truth * (1 - data.truth)).sum(axis=0))
    assert (np.abs(hits[0].sum(axis=0)) < 4 * sd).all()
    assert (np.abs(hits[1].sum(axis=0)) < 4 * sd).all()
    both = np.sqrt(((data.truth * (1 - data.truth)) ** 2).sum(axis=0))
    assert (np.abs((hits[0] * hits[1]).sum(axis=0)) < 4 * both).all()
    assert data.truth.sum(axis=1) == pytest.approx(1)
    parts = np.concatenate((data.train, data.valid, data.test))
    assert len(set(parts.tolist())) == len(parts) == len(data.x)


def test_what_is_hidden_by_numerical_integration() -> None:
    data = Logistic(hidden=9).open()
    whole = Logistic(hidden=0).open()
    assert (data.truth == whole.truth).all()
    assert (data.x == whole.x[:, :11]).all()
    from glasshouse.numerics.seeds import Seeds

    w = Seeds(0).numpy("weights").standard_normal(20)
    w *= 3 / np.sqrt(w @ w)
    scale = np.sqrt((w[11:] ** 2).sum())
    for i in (0, 5, 77):
        at = float(whole.x[i, :11].astype(float) @ w[:11])
        moments = [quad(lambda z, k=k, at=at: expit(at + scale * z) ** k * norm.pdf(z), -12, 12)[0] for k in (1, 2)]
        assert data.best[i, 0] == pytest.approx(moments[0], abs=1e-5)
        assert data.spread[i, 0] == pytest.approx(moments[1] - moments[0] ** 2, abs=1e-5)
    assert (whole.spread == 0).all()
    assert whole.best == pytest.approx(whole.truth)


def test_the_gap_that_stays_is_the_gap_there_is() -> None:
    """Mean squared distance of the truth from its best guess equals the mean spread, within 4 standard errors."""
    for problem in (Logistic(hidden=9), Tables()):
        data = problem.open()
        gap = ((data.truth - data.best) ** 2 - data.spread)[:, 0]
        assert abs(gap.mean()) < 4 * gap.std() / np.sqrt(len(gap))


def test_scenarios_are_those_of_the_paper() -> None:
    at = {"linear": 4 / 9, "skewed": 4 / 22.5, "centred": 4 / 27 + 0.35, "sigmoid": 1 - expit(25 * (4 / 9 - 0.29)), "discrete": 0.5}
    four = load_digits().labels == 4
    for name, value in at.items():
        assert Digits(scenario=name).open().truth[four, 0] == pytest.approx(value)  # type: ignore[arg-type]
    assert sorted(set(Digits(scenario="discrete").open().truth[:, 0].tolist())) == [0.1, 0.3, 0.5, 0.7, 0.9]


def test_hidden_rows_are_gone_and_their_gap_unknown() -> None:
    data = Digits(hidden_rows=3).open()
    assert data.x.shape == (1797, 40)
    assert np.isnan(data.spread).all()
    assert (data.labels == Digits().open().labels).all()


def test_what_is_learned_from_does_not_change_what_is_tested() -> None:
    few, many = Logistic(points=300).open(), Logistic(points=1500).open()
    assert (few.x[few.test] == many.x[many.test]).all()
    assert (few.labels[few.test] == many.labels[many.test]).all()


def test_one_against_the_rest() -> None:
    data = Tables().open()
    two = data.one_against_the_rest()
    assert two.answers == ("A", "not A")
    assert two.truth[:, 1] == pytest.approx(data.truth[:, 1:].sum(axis=1))
    assert ((two.labels == 0) == (data.labels == 0)).all()
    assert two.spread[:, 1] == pytest.approx(data.spread[:, 0])
    assert Tiny().open().one_against_the_rest().answers == ("yes", "no")
