"""A forward of Llama-type models in few operations: for small models the library's bookkeeping costs more than the sums."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F

from glasshouse.kernels.tree_attention import tree_attention
from glasshouse.models.language.packed import PackedLayer, PackedWeights, pack, why_not
from glasshouse.models.language.tree import TentativeTree, check_tokens
from glasshouse.schema.errors import Unsupported


class _Workspace:
    """Buffers of a forward of n tokens and all views into them, made once for every n that recurs."""

    def __init__(self, w: PackedWeights, n: int) -> None:
        like = w.embedding
        turned = w.heads + w.kv_heads
        self.qkv = like.new_empty(n, (turned + w.kv_heads) * w.head_dim)
        heads = self.qkv.view(n, turned + w.kv_heads, w.head_dim)
        self.turned = heads[:, :turned]                                             # queries and keys
        self.pairs = torch.view_as_complex(self.turned.unflatten(-1, (-1, 2)))      # [n, h + h_kv, d / 2]
        self.q = heads[:, :w.heads].transpose(0, 1)                                 # [h, n, d]
        self.kv = heads[:, w.heads:].unflatten(1, (2, w.kv_heads)).permute(1, 2, 0, 3)     # [2, h_kv, n, d]
        self.gate_up = like.new_empty(n, 2 * w.feed_forward)
        self.gate, self.up = self.gate_up.chunk(2, -1)


class LeanScorer:
    """A :class:`~.scorer.Scorer` for float32 Llama, Mistral, Qwen2 and Qwen3 models; equals transformers up to rounding.

    The weights are copied at construction: later training of ``model`` is not seen.
    """

    def __init__(self, model: Any, *, name: str = "", weights: PackedWeights | None = None) -> None:
        if weights is None:
            reason = why_not(model)
            if reason:
                raise Unsupported(f"model cannot be run by LeanScorer: {reason}. CachedScorer takes it", "model")
            weights = pack(model)
            name = name or f"{model.config.model_type} {model.num_parameters() / 1e6:.1f}M"
        self._w, self.name = weights, name
        self.vocab_size, self.window = weights.vocab_size, weights.window
        self.calls = 0
        self._spaces: dict[int, _Workspace] = {}
        self._epsilon = weights.embedding.new_tensor((weights.width * weights.epsilon) ** 0.5)
        self._head_epsilon = weights.embedding.new_tensor((weights.head_dim * weights.epsilon) ** 0.5)
        self._capacity = 0
        self._grow(min(self.window, 512))
        self.reset()

    def reset(self) -> None:
        self._tree = TentativeTree()
        self.length = self.pending = 0

    def fork(self) -> LeanScorer:
        return LeanScorer(None, name=self.name, weights=self._w)

    def _grow(self, capacity: int) -> None:
        w = self._w
        cache = w.embedding.new_empty(len(w.layers), 2, w.kv_heads, capacity, w.head_dim)
        if self._capacity:
            cache[:, :, :, :self._capacity] = self._cache
        self._cache, self._capacity = cache, capacity
        position = torch.arange(min(capacity, self.window), device=cache.device, dtype=torch.float32)
        angle = torch.outer(position, w.frequency)
        self._turn = torch.polar(torch.full_like(angle, w.rotary_gain), angle)[:, None]     # [positions, 1, d / 2]

    def score(self, token: Tensor, parent: Tensor, rows: slice | None = None) -> Tensor:
        """See :meth:`.scorer.Scorer.score`."""
        n, before, tree = len(token), self.pending, self._tree
        parents = parent.tolist()
        check_tokens(token.tolist(), parents, self.vocab_size)
        tree.append(parents, self.window - self.length)
        total = self.length + before + n
        if total > self._capacity:
            self._grow(2 * total)
        device = self._cache.device
        visible = None
        if before + n > 1 and not (n == 1 and tree.chain):
            visible = torch.from_numpy(tree.visible(before)).to(device)
        if tree.chain:
            turn = self._turn[total - n:total]
        else:
            turn = self._turn[torch.tensor(tree.depth[before:], device=device) + self.length]
        count = n if rows is None else len(range(*rows.indices(n)))
        # Allocated outside of inference mode: the caller may change the logits in place.
        logits = torch.empty(count, self.vocab_size, device=device)
        with torch.inference_mode():
            x = F.embedding(token.to(device), self._w.embedding)
            x = self._layers(x, turn, visible, total)
            if rows is not None:
                x = x[rows]
            torch.mm(self._unit(x), self._w.head, out=logits)
        self.pending += n
        self.calls += 1
        return logits

    def _unit(self, x: Tensor) -> Tensor:
        """x / sqrt(|x|^2 + width epsilon): RMSNorm without what is multiplied into the next matrix."""
        return x / torch.linalg.vector_norm(x, dim=-1, keepdim=True).hypot_(self._epsilon)

    def _layers(self, x: Tensor, turn: Tensor, visible: Tensor | None, total: int) -> Tensor:
        w, n = self._w, len(x)
        space = self._spaces.get(n) or self._space(n)
        keys = self._cache[:, 0, :, :total].unbind()
        values = self._cache[:, 1, :, :total].unbind()
        new = self._cache[:, :, :, total - n:total].unbind()
        for layer, k, v, kv in zip(w.layers, keys, values, new, strict=True):
            self._project(self._unit(x), layer, space, turn)
            kv.copy_(space.kv)
            mixed = tree_attention(space.q, k, v, visible, 1.0)
            x.addmm_(mixed.transpose(0, 1).reshape(n, -1), layer.out)
            torch.mm(self._unit(x), layer.gate_up, out=space.gate_up)
            x.addmm_(F.silu(space.gate, inplace=True).mul_(space.up), layer.down)
        return x

    def _project(self, x: Tensor, layer: PackedLayer, space: _Workspace, turn: Tensor) -> None:
        """Queries, keys and values into the workspace, the first two turned to their positions."""
        if layer.qkv_bias is None:
            torch.mm(x, layer.qkv, out=space.qkv)
        else:
            torch.addmm(layer.qkv_bias, x, layer.qkv, out=space.qkv)
        if layer.head_gain is not None:
            norm = torch.linalg.vector_norm(space.turned, dim=-1, keepdim=True).hypot_(self._head_epsilon)
            space.turned.div_(norm).mul_(layer.head_gain)
        space.pairs.mul_(turn)

    def _space(self, n: int) -> _Workspace:
        space = _Workspace(self._w, n)
        if n <= 128:                                        # prompts are long and do not recur
            self._spaces[n] = space
        return space

    def keep(self, nodes: Sequence[int]) -> None:
        k = len(nodes)
        self._tree.check_path(nodes)
        if list(nodes) != list(range(k)):
            with torch.inference_mode():
                chosen = torch.tensor(nodes, device=self._cache.device) + self.length
                self._cache[:, :, :, self.length:self.length + k] = self._cache.index_select(3, chosen)
        self.length += k
        self.pending = 0
        self._tree = TentativeTree()
