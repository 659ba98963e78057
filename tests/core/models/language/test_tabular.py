"""The exact toy model: laws are products of conditionals, and its scores are those conditionals."""

from __future__ import annotations

import itertools
import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from core.models.language.oracle import random_tree, score
from glasshouse.models.language.scorer import extend
from glasshouse.models.language.tabular import TabularLM
from glasshouse.schema.errors import BadValue

MODELS = [(v, order) for v in (3, 4, 6) for order in (1, 2)]


@pytest.mark.parametrize(("v", "order"), MODELS)
def test_a_law_sums_to_one_and_is_the_product_of_conditionals(v: int, order: int) -> None:
    model = TabularLM.random(v, order, seed=3)
    for context in ([], [1], [2, 0, 1]):
        law = model.law(context, 3)
        assert len(law) == v ** 3
        assert math.isclose(math.fsum(law.values()), 1.0, abs_tol=1e-12)
        for text, mass in law.items():
            product = math.prod(float(model.next(context + list(text[:i]))[text[i]]) for i in range(3))
            assert math.isclose(mass, product, abs_tol=1e-15)


def test_a_hand_made_table() -> None:
    model = TabularLM(torch.tensor([[0.9, 0.1], [0.2, 0.8], [0.5, 0.5]], dtype=torch.float64))
    assert model.next([]).tolist() == [0.5, 0.5]
    assert model.next([1, 0]).tolist() == [0.9, 0.1]
    assert math.isclose(model.law([], 2)[0, 1], 0.05)


@pytest.mark.parametrize(("v", "order"), MODELS)
def test_scores_are_the_logarithms_of_the_conditionals(v: int, order: int) -> None:
    model = TabularLM.random(v, order, seed=1)
    rng = torch.Generator().manual_seed(0)
    text = [1, 2, 0]
    last = extend(model, text)
    assert last.dtype == torch.float64
    torch.testing.assert_close(last.exp(), model.next(text), atol=1e-14, rtol=0)
    token, parent = random_tree(12, v, rng)
    token = [t % v for t in token]
    grown = torch.cat([score(model, token[:4], parent[:4]), score(model, token[4:], parent[4:])])
    assert (model.length, model.pending, model.calls) == (3, 12, 3)
    for node in range(12):
        path, at = [], node
        while at >= 0:
            path.insert(0, token[at])
            at = parent[at]
        torch.testing.assert_close(grown[node].exp(), model.next(text + path), atol=1e-14, rtol=0)


def test_kept_nodes_are_the_context_of_the_next() -> None:
    model = TabularLM.random(4, 2, seed=0)
    score(model, [1, 2, 3], [-1, 0, 0])
    model.keep([0, 2])
    torch.testing.assert_close(score(model, [0], [-1], slice(0, 1))[0].exp(), model.next([1, 3, 0]))
    other = model.fork()
    assert (other.length, other.pending) == (0, 0)
    model.reset()
    torch.testing.assert_close(extend(model, [2]).exp(), model.next([2]))
    for wrong in ([1], [5]):
        with pytest.raises(BadValue):
            model.keep(wrong)


def test_context_beyond_the_order_is_not_seen_and_within_it_is() -> None:
    model = TabularLM.random(4, 2, seed=0)
    assert torch.equal(model.next([0, 1, 2]), model.next([3, 1, 2]))
    differ = [not torch.equal(model.next([a, 2]), model.next([b, 2])) for a, b in itertools.combinations(range(4), 2)]
    assert all(differ)


@settings(max_examples=30, deadline=None)
@given(st.integers(2, 6), st.integers(1, 2), st.floats(0.0, 0.25), st.integers(0, 99))
def test_a_perturbed_draft_is_as_far_as_asked(v: int, order: int, divergence: float, seed: int) -> None:
    model = TabularLM.random(v, order, seed=seed)
    other = TabularLM.random(v, order, seed=seed + 1, temperature=0.5)
    if divergence > model.divergence(other):
        with pytest.raises(BadValue, match="divergence"):
            model.perturbed(divergence, seed + 1)
        return
    draft = model.perturbed(divergence, seed + 1)
    assert math.isclose(model.divergence(draft), divergence, abs_tol=1e-12)
    assert torch.allclose(draft.table.sum(-1), torch.ones((), dtype=torch.float64), atol=1e-12)


def test_mixing_goes_from_one_law_to_the_other() -> None:
    a, b = TabularLM.random(3, 1, seed=0), TabularLM.random(3, 1, seed=1)
    assert torch.equal(a.mixed_with(b, 0.0).table, a.table)
    assert torch.equal(a.mixed_with(b, 1.0).table, b.table)
    torch.testing.assert_close(a.mixed_with(b, 0.3).table, 0.7 * a.table + 0.3 * b.table)


def test_a_low_temperature_decides() -> None:
    cold, warm = (TabularLM.random(4, 1, seed=0, temperature=t) for t in (0.1, 2.0))
    assert cold.table.max(-1).values.mean() > 0.9 > warm.table.max(-1).values.mean()


@pytest.mark.parametrize("wrong", [
    lambda: TabularLM.random(1), lambda: TabularLM.random(4, 3), lambda: TabularLM.random(4, temperature=0.0),
    lambda: TabularLM(torch.ones(5, 4)), lambda: TabularLM(torch.ones(3, 4) / 4), lambda: TabularLM(torch.tensor([[1.5, -0.5]] * 3)),
    lambda: TabularLM.random(4).mixed_with(TabularLM.random(3), 0.5), lambda: TabularLM.random(4).mixed_with(TabularLM.random(4), 2.0),
    lambda: TabularLM.random(6).law([], 9), lambda: TabularLM(torch.full((3, 2), torch.nan)),
    lambda: score(TabularLM.random(4), [4], [-1]), lambda: score(TabularLM.random(4), [1], [0])])
def test_what_is_not_allowed(wrong: object) -> None:
    with pytest.raises(BadValue, match="is not allowed"):
        wrong()  # type: ignore[operator]
