"""What pairs tell, against enumeration: where the truth is one of finitely many laws, everything can be counted."""

from __future__ import annotations

import numpy as np
import pytest

from glasshouse.families.conformal.knowing import second_order


def mixtures(n: int = 200, laws: int = 5, classes: int = 4, zeros: float = 0.0) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """(weights [n, R], laws [n, R, K], joint [n, K, K]) of inputs, each of which could be any of R others with their own laws."""
    rng = np.random.default_rng(7)
    weights = rng.dirichlet(np.full(laws, 0.5), n)
    p = rng.dirichlet(np.full(classes, 0.5), (n, laws)) * (rng.random((n, laws, classes)) >= zeros)
    p[..., 0] += 1e-3
    p /= p.sum(axis=2, keepdims=True)
    return weights, p, np.einsum("nr,nra,nrb->nab", weights, p, p)


def test_v_is_the_variance_of_the_truth() -> None:
    weights, p, joint = mixtures()
    mean = np.einsum("nr,nra->na", weights, p)
    var = np.einsum("nr,nra->na", weights, p**2) - mean**2
    mu, cheat = second_order.marginal(joint), second_order.cheating(joint)
    assert mu == pytest.approx(mean, abs=1e-14)
    assert second_order.variance(mu, cheat) == pytest.approx(var, abs=1e-14)


def test_an_expert_does_not_cheat() -> None:
    """One law only: nothing is learned from a first answer, V = 0 and C = 1."""
    p = np.random.default_rng(0).dirichlet(np.ones(4), 50)
    joint = p[:, :, None] * p[:, None, :]
    mu, cheat = second_order.marginal(joint), second_order.cheating(joint)
    assert np.abs(cheat - p[:, None, :]).max() < 1e-14
    assert second_order.variance(mu, cheat).max() < 1e-14
    assert second_order.confidence(mu, cheat).min() > 1 - 1e-12


def test_a_perfectly_calibrated_model_has_no_second_order_error_in_expectation() -> None:
    """E[(1[y1] - mu)(1[y2] - mu)] over pairs drawn from the joint is V, exactly."""
    _, _, joint = mixtures()
    mu, cheat = second_order.marginal(joint), second_order.cheating(joint)
    for answer in range(4):
        hit = np.eye(4)[answer]
        expected = np.einsum("nab,na,nb->n", joint, hit - mu[:, [answer]], hit - mu[:, [answer]])
        assert second_order.variance(mu, cheat)[:, answer] == pytest.approx(expected, abs=1e-14)


def test_cantelli_an_answer_is_impossible_at_most_as_often_as_said() -> None:
    weights, p, joint = mixtures(zeros=0.5)
    impossible = np.einsum("nr,nra->na", weights, p == 0.0)
    confidence = second_order.confidence(second_order.marginal(joint), second_order.cheating(joint))
    assert (impossible <= 1 - confidence + 1e-12).all()
    assert impossible.max() > 0.5
    assert ((confidence >= 0) & (confidence <= 1)).all()


def test_cantelli_is_attained() -> None:
    """Zero with probability 1 - c, else a constant: then P(p = 0) is exactly 1 - C."""
    joint = 0.3 * np.array([[[0.64, 0.16], [0.16, 0.04]]]) + 0.7 * np.array([[[0.0, 0.0], [0.0, 1.0]]])
    assert second_order.confidence(second_order.marginal(joint), second_order.cheating(joint))[0, 0] == pytest.approx(0.3)


@pytest.mark.parametrize("beta", [0.05, 0.2, 0.7])
def test_the_interval_misses_at_most_beta(beta: float) -> None:
    weights, p, joint = mixtures()
    mu = second_order.marginal(joint)
    radius = second_order.radius(second_order.variance(mu, second_order.cheating(joint)), beta)
    missed = np.einsum("nr,nra->na", weights, np.abs(p - mu[:, None, :]) > radius[:, None, :] + 1e-12)
    assert missed.max() <= beta + 1e-12
    assert missed.max() > 0


def test_models_that_are_no_mixture_are_clipped_and_impossible_answers_do_no_harm() -> None:
    shy = np.array([[[0.0, 0.5], [0.5, 0.0]]])                              # never the same answer twice
    mu, cheat = second_order.marginal(shy), second_order.cheating(shy)
    assert (second_order.variance(mu, cheat) == 0).all()
    assert (second_order.confidence(mu, cheat) == 1).all()
    sure = np.array([[[1.0, 0.0], [0.0, 0.0]]])
    mu, cheat = second_order.marginal(sure), second_order.cheating(sure)
    assert (cheat[0] == [[1, 0], [1, 0]]).all()
    assert (second_order.confidence(mu, cheat) == [[1, 0]]).all()
    lopsided = np.array([[[0.1, 0.6], [0.2, 0.1]]])
    assert second_order.symmetrised(lopsided)[0].tolist() == [[0.1, 0.4], [0.4, 0.1]]
