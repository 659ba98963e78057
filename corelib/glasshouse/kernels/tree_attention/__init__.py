"""Attention of a tree of tentative tokens over a cache: the fused kernel on a GPU, the reference elsewhere.

``GLASSHOUSE_KERNELS=reference`` in the environment forces the reference; so does a machine without Triton.
"""

from __future__ import annotations

import os
from functools import cache
from importlib.util import find_spec

from torch import Tensor

from glasshouse.kernels.tree_attention import reference


def tree_attention(q: Tensor, k: Tensor, v: Tensor, visible: Tensor | None, scale: float) -> Tensor:
    """See :func:`.reference.tree_attention`, whose result this is up to rounding."""
    if q.is_cuda and os.environ.get("GLASSHOUSE_KERNELS") != "reference" and _has_triton():
        from glasshouse.kernels.tree_attention import fused

        return fused.tree_attention(q, k, v, visible, scale)
    return reference.tree_attention(q, k, v, visible, scale)


@cache
def _has_triton() -> bool:
    return find_spec("triton") is not None


__all__ = ["tree_attention"]
