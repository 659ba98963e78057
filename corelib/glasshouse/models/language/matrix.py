"""One matrix, kept in the two layouts that a CPU multiplies fastest: one for a few rows, one for many."""

from __future__ import annotations

import torch
from torch import Tensor

# Measured: below this many multiply-adds the plain product wins, above it the blocked one is up to twice as fast.
WORTH_BLOCKING = 500_000


class Matrix:
    """x -> x W^T + b for ``weight`` W [out, in]; does not follow later changes of ``weight``."""

    def __init__(self, weight: Tensor, bias: Tensor | None = None) -> None:
        self.bias = bias
        self.plain = weight.T.contiguous()                  # [in, out]: a product with one row then reads along rows
        self.blocked = _blocked(weight)
        self.many = 1 << 60 if self.blocked is None else -(-WORTH_BLOCKING // weight.numel())

    def __call__(self, x: Tensor) -> Tensor:
        if len(x) >= self.many:
            product: Tensor = torch.ops.mkldnn._linear_pointwise(x, self.blocked, self.bias, "none", [], "")
            return product
        return torch.mm(x, self.plain) if self.bias is None else torch.addmm(self.bias, x, self.plain)

    def add_to(self, total: Tensor, x: Tensor) -> None:
        """``total`` += x W^T in place, for a matrix without bias."""
        if len(x) >= self.many:
            total += self(x)
        else:
            total.addmm_(x, self.plain)


def _blocked(weight: Tensor) -> Tensor | None:
    """The weight in oneDNN's blocked layout, or None where this build or device has none.

    This is the operator that torch.compile emits for frozen linear layers; it is not public API, so it is tried out.
    """
    if weight.device.type != "cpu":
        return None
    try:
        blocked: Tensor = torch.ops.mkldnn._reorder_linear_weight(weight.contiguous(), 32)
        probe = weight.new_ones(2, weight.shape[1])
        product = torch.ops.mkldnn._linear_pointwise(probe, blocked, None, "none", [], "")
    except (AttributeError, RuntimeError, NotImplementedError, TypeError):
        return None
    return blocked if torch.allclose(product[1], weight.sum(-1), rtol=1e-3, atol=1e-3) else None
