"""The hand-written policy gradient and Adam against torch's own, update by update."""

from __future__ import annotations

import numpy as np
import torch

from glasshouse.families.conformal.decisions import reinforce
from glasshouse.numerics.seeds import Seeds


class Network(torch.nn.Module):
    def __init__(self, weights: reinforce.Weights) -> None:
        super().__init__()
        self.hidden, self.mean, self.log_std = (torch.nn.Linear(*size, dtype=torch.float64) for size in ((2, 64), (64, 2), (64, 2)))
        with torch.no_grad():
            for parameter, value in zip(self.parameters(), weights, strict=True):
                parameter.copy_(torch.from_numpy(value))

    def forward(self, state: torch.Tensor) -> torch.distributions.Normal:
        seen = torch.relu(self.hidden(state))
        return torch.distributions.Normal(self.mean(seen), torch.exp(self.log_std(seen)))


def test_fifty_updates_are_torchs() -> None:
    learner = reinforce.untrained(Seeds(0))
    network = Network(learner.weights)
    adam = torch.optim.Adam(network.parameters(), lr=1e-3)
    rng = np.random.default_rng(0)
    for _ in range(50):
        state, action, reward = rng.random(2), rng.normal(size=2), float(rng.normal())
        law = network(torch.from_numpy(state))
        mean, std = reinforce.policy(learner, state)
        np.testing.assert_allclose(mean, law.mean.detach().numpy(), rtol=1e-9)
        np.testing.assert_allclose(std, law.stddev.detach().numpy(), rtol=1e-9)
        loss = -law.log_prob(torch.from_numpy(action)).sum() * reward
        adam.zero_grad()
        loss.backward()
        adam.step()
        learner = reinforce.updated(learner, state, action, reward, 1e-3)
    for mine, theirs in zip(learner.weights, network.parameters(), strict=True):
        np.testing.assert_allclose(mine, theirs.detach().numpy(), rtol=1e-7, atol=1e-10)


def test_an_update_changes_nothing_that_was_given() -> None:
    learner = reinforce.untrained(Seeds(1))
    before = [w.copy() for w in learner.weights]
    reinforce.updated(learner, np.array([0.85, 0.025]), np.ones(2), 1.0, 0.01)
    assert all((a == b).all() for a, b in zip(before, learner.weights, strict=True))


def test_a_rewarded_action_becomes_likelier() -> None:
    learner, state, action = reinforce.untrained(Seeds(2)), np.array([0.85, 0.025]), np.array([1.5, -1.0])
    start = reinforce.policy(learner, state)[0]
    for _ in range(40):
        learner = reinforce.updated(learner, state, action, 1.0, 1e-3)
    assert (np.abs(reinforce.policy(learner, state)[0] - action) < np.abs(start - action)).all()


def test_learning_at_the_largest_rate_stays_finite() -> None:
    learner, rng, state = reinforce.untrained(Seeds(3)), np.random.default_rng(3), np.array([0.9, 0.05])
    for _ in range(2000):
        mean, std = reinforce.policy(learner, state)
        learner = reinforce.updated(learner, state, mean + std * rng.standard_normal(2), -5.0, 0.01)
    assert all(np.isfinite(w).all() for w in learner.weights)
