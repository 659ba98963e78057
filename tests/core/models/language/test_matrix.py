"""Both layouts of a matrix give torch's own linear."""

from __future__ import annotations

import pytest
import torch
from torch.nn import functional as F

from glasshouse.models.language import matrix
from glasshouse.models.language.matrix import Matrix


@pytest.mark.parametrize("blocked", [True, False])
@pytest.mark.parametrize("biased", [True, False])
@pytest.mark.parametrize(("rows", "inner", "outer"), [(1, 5, 3), (7, 64, 97), (33, 40, 1)])
def test_a_product_is_linear(blocked: bool, biased: bool, rows: int, inner: int, outer: int,
                             monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(matrix, "WORTH_BLOCKING", 1 if blocked else 1 << 50)
    rng = torch.Generator().manual_seed(0)
    weight, x = torch.randn(outer, inner, generator=rng), torch.randn(rows, inner, generator=rng)
    bias = torch.randn(outer, generator=rng) if biased else None
    product = Matrix(weight, bias)(x)
    torch.testing.assert_close(product, F.linear(x, weight, bias), atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize("blocked", [True, False])
def test_adding_to_a_total(blocked: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(matrix, "WORTH_BLOCKING", 1 if blocked else 1 << 50)
    rng = torch.Generator().manual_seed(0)
    weight, x, total = (torch.randn(*shape, generator=rng) for shape in ((12, 8), (4, 8), (4, 12)))
    expected = total + x @ weight.T
    Matrix(weight).add_to(total, x)
    torch.testing.assert_close(total, expected, atol=1e-5, rtol=1e-5)


def test_without_the_blocked_operator_the_plain_product_serves(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.ops.mkldnn, "_reorder_linear_weight", None)
    weight = torch.eye(3)
    made = Matrix(weight)
    assert made.blocked is None
    torch.testing.assert_close(made(torch.ones(100_000, 3)), torch.ones(100_000, 3))


def test_a_blocked_operator_that_computes_something_else_is_not_used(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.ops.mkldnn, "_linear_pointwise", lambda x, *_: x.new_zeros(len(x), 4))
    assert Matrix(torch.ones(4, 3)).blocked is None


def test_a_matrix_does_not_follow_its_weight() -> None:
    weight = torch.eye(3)
    made = Matrix(weight)
    weight.zero_()
    torch.testing.assert_close(made(torch.ones(1, 3)), torch.ones(1, 3))
