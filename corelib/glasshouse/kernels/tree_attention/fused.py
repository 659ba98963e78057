"""Tree attention as one Triton kernel: an online softmax over blocks of keys, no [n, L + m] matrix in memory.

Status: interpreter-verified.
"""

from __future__ import annotations

import torch
import triton
import triton.language as tl
from torch import Tensor


@triton.jit
def _kernel(q, k, v, visible, out, n, t, m, scale, group,  # type: ignore[no-untyped-def]
            q_head, q_row, k_head, k_row, v_head, v_row, o_head, o_row,
            DIM: tl.constexpr, WIDE: tl.constexpr, ROWS: tl.constexpr, KEYS: tl.constexpr, MASKED: tl.constexpr):
    head = tl.program_id(1)
    row = tl.program_id(0) * ROWS + tl.arange(0, ROWS)
    column = tl.arange(0, WIDE)
    in_q = (row < n)[:, None] & (column < DIM)[None, :]
    query = tl.load(q + head * q_head + row[:, None] * q_row + column[None, :], mask=in_q, other=0.0).to(tl.float32) * scale
    kv_head = head // group

    highest = tl.full([ROWS], float("-inf"), tl.float32)
    total = tl.zeros([ROWS], tl.float32)
    mixed = tl.zeros([ROWS, WIDE], tl.float32)
    committed = t - m
    for start in range(0, t, KEYS):
        key = start + tl.arange(0, KEYS)
        in_k = (key < t)[:, None] & (column < DIM)[None, :]
        keys = tl.load(k + kv_head * k_head + key[:, None] * k_row + column[None, :], mask=in_k, other=0.0).to(tl.float32)
        score = tl.dot(query, tl.trans(keys), input_precision="ieee")
        seen = (key < t)[None, :] & (row < n)[:, None]
        if MASKED:
            tentative = seen & (key >= committed)[None, :]
            marked = tl.load(visible + row[:, None] * m + (key - committed)[None, :], mask=tentative, other=0)
            seen = seen & ((key < committed)[None, :] | (marked != 0))
        score = tl.where(seen, score, float("-inf"))
        raised = tl.maximum(highest, tl.max(score, 1))
        # A row that has seen nothing yet: its maximum is -inf, and -inf - -inf would be NaN.
        base = tl.where(raised == float("-inf"), 0.0, raised)
        weight = tl.exp(score - base[:, None])
        shrink = tl.exp(highest - base)
        values = tl.load(v + kv_head * v_head + key[:, None] * v_row + column[None, :], mask=in_k, other=0.0).to(tl.float32)
        mixed = mixed * shrink[:, None] + tl.dot(weight, values, input_precision="ieee")
        total = total * shrink + tl.sum(weight, 1)
        highest = raised
    mixed = mixed / tl.where(total == 0.0, 1.0, total)[:, None]
    tl.store(out + head * o_head + row[:, None] * o_row + column[None, :], mixed.to(out.dtype.element_ty), mask=in_q)


def tree_attention(q: Tensor, k: Tensor, v: Tensor, visible: Tensor | None, scale: float) -> Tensor:
    """As :func:`.reference.tree_attention`; forward only. Sums are taken in float32 whatever the dtype."""
    h, n, d = q.shape
    h_kv, t, _ = k.shape
    q, k, v = (x if x.stride(-1) == 1 else x.contiguous() for x in (q, k, v))
    out = torch.empty(h, n, d, dtype=q.dtype, device=q.device)
    m = 0 if visible is None else visible.shape[1]
    marks = out if visible is None else visible.contiguous().view(torch.uint8)
    rows, keys = 16 if n <= 16 else 32, 32
    _kernel[(triton.cdiv(n, rows), h)](
        q, k, v, marks, out, n, t, m, scale, h // h_kv,
        q.stride(0), q.stride(1), k.stride(0), k.stride(1), v.stride(0), v.stride(1), out.stride(0), out.stride(1),
        DIM=d, WIDE=max(16, triton.next_power_of_2(d)), ROWS=rows, KEYS=keys, MASKED=visible is not None)
    return out
