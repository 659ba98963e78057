"""Tree attention in plain torch: new tokens see all committed tokens and the tentative ones marked visible.

Status: reference.
"""

from __future__ import annotations

import torch
from torch import Tensor


def tree_attention(q: Tensor, k: Tensor, v: Tensor, visible: Tensor | None, scale: float) -> Tensor:
    """softmax(scale q k^T) v over the visible keys, [h, n, d].

    ``q`` [h, n, d]; ``k``, ``v`` [h_kv, L + m, d] with h a multiple of h_kv (query head i reads key head
    i // (h / h_kv)): L committed tokens, then m tentative ones. ``visible`` bool [n, m] or None where every key is visible. A row that
    sees nothing at all gives zeros. Keys and values must be finite, hidden ones too.
    """
    h, n, d = q.shape
    h_kv, t, _ = k.shape
    grouped = q if h == h_kv else q.reshape(h_kv, h // h_kv * n, d)
    weight = torch.bmm(grouped, k.mT)
    if scale != 1.0:
        weight *= scale
    if visible is None:
        return torch.bmm(weight.softmax(-1), v).view(h, n, d)
    m = visible.shape[1]
    weight.view(h, n, t)[:, :, t - m:].masked_fill_(~visible, -torch.inf)
    weight = weight.softmax(-1)
    if t == m:                              # only without committed tokens can a row be empty: 0 / 0
        weight.view(h, n, t).masked_fill_(~visible.any(-1, keepdim=True), 0.0)
    return torch.bmm(weight, v).view(h, n, d)
