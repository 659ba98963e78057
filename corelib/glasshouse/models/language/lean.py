"""A forward of Llama-type models in few operations: for small models the library's bookkeeping costs more than sums."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from weakref import WeakKeyDictionary

import torch
from torch import Tensor
from torch.nn import functional as F

from glasshouse.kernels.tree_attention import tree_attention
from glasshouse.models.language import architecture
from glasshouse.models.language.cached import CachedScorer
from glasshouse.models.language.contents import Contents
from glasshouse.models.language.packed import PackedLayer, PackedWeights, pack, why_not
from glasshouse.models.language.scorer import Scorer
from glasshouse.models.language.tabular import TabularLM
from glasshouse.models.language.tree import TentativeTree, check_tokens
from glasshouse.models.language.trial import trial
from glasshouse.schema.errors import Unsupported, bad_type


class _Workspace:
    """Queries, keys and values of n tokens in one layer, and all views of them: made once for every n that recurs."""

    def __init__(self, w: PackedWeights, n: int) -> None:
        like = w.embedding
        turned = w.heads + w.kv_heads
        self.qkv = like.new_empty(n, (turned + w.kv_heads) * w.head_dim)
        heads = self.qkv.view(n, turned + w.kv_heads, w.head_dim)
        self.turned = heads[:, :turned]                                             # queries and keys
        self.pairs = torch.view_as_complex(self.turned.view(n, turned, -1, 2))      # [n, h + h_kv, d / 2]
        self.q = heads[:, :w.heads].transpose(0, 1)                                 # [h, n, d]
        fresh = heads[:, w.heads:].view(n, 2, w.kv_heads, w.head_dim)
        self.kv = fresh.permute(1, 2, 0, 3)                                         # [2, h_kv, n, d]


class LeanScorer:
    """A :class:`~.scorer.Scorer` for float32 Llama, Mistral, Qwen2 and Qwen3 models: transformers up to rounding.

    A scorer is of the weights at its construction; a fork is of the weights as they are then.
    """

    def __init__(self, model: Any, *, name: str = "") -> None:
        weights = proven(model)
        if isinstance(weights, str):
            raise Unsupported(f"model cannot be run by LeanScorer: {weights}. CachedScorer takes it", "model")
        self._open(model, weights, name)

    def _open(self, model: Any, weights: PackedWeights, name: str) -> None:
        self.model, self._w = model, weights
        self.name = name or f"{model.config.model_type} {model.num_parameters() / 1e6:.1f}M"
        self.forward = "lean"
        self.vocab_size, self.window = weights.vocab_size, weights.window
        self.calls = 0
        self._spaces: dict[int, _Workspace] = {}
        self._epsilon = weights.embedding.new_tensor((weights.width * weights.epsilon) ** 0.5)
        self._head_epsilon = weights.embedding.new_tensor((weights.head_dim * weights.epsilon) ** 0.5)
        self._capacity = 0
        self._cache = weights.embedding.new_empty(0)
        self._grow(min(self.window, 512))
        self.reset()

    def reset(self) -> None:
        self._tree = TentativeTree()
        self.length = self.pending = 0

    def fork(self) -> Scorer:
        """Of the model as it is now; another scorer where it has got a hook, say."""
        return scorer_for(self.model, self.name)

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
        if torch.is_autocast_enabled(self._cache.device.type):
            raise Unsupported("model: LeanScorer computes in float32 and not under autocast; fork it there", "model")
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
        turn = self._turn[total - n:total] if tree.chain else self._turn[[self.length + d for d in tree.depth[before:]]]
        with torch.inference_mode():
            x = F.embedding(token.to(device), self._w.embedding)
            x = self._layers(x, turn, visible, total)
            if rows is not None:
                x = x[rows]
            scores = self._w.head(self._unit(x))
        self.pending += n
        self.calls += 1
        return scores.clone()               # outside of inference mode: the caller may change the logits in place

    def _unit(self, x: Tensor) -> Tensor:
        """x / sqrt(|x|^2 + width epsilon): RMSNorm without what is multiplied into the next matrix."""
        norm: Tensor = torch.linalg.vector_norm(x, dim=-1, keepdim=True)
        return x / norm.hypot_(self._epsilon)

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
            layer.out.add_to(x, mixed.transpose(0, 1).reshape(n, -1))
            gate, up = layer.gate_up(self._unit(x)).chunk(2, -1)
            layer.down.add_to(x, F.silu(gate).mul_(up))
        return x

    def _project(self, x: Tensor, layer: PackedLayer, space: _Workspace, turn: Tensor) -> None:
        """Queries, keys and values into the workspace, the first two turned to their positions."""
        space.qkv.copy_(layer.qkv(x))
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


_tried: WeakKeyDictionary[torch.nn.Module, tuple[Contents, PackedWeights | str]] = WeakKeyDictionary()


def proven(model: Any) -> PackedWeights | str:
    """Packed weights with which the lean forward is the model's own function, or why there are none.

    What was packed is kept as long as the model lives and, bit by bit, is the same. A new pack is tried against the model's own forward.
    """
    architecture.check_model(model)
    if reason := why_not(model):
        return reason
    kept = _tried.get(model)
    if kept is not None and kept[0].are_of(model):
        return kept[1]
    contents, weights = Contents(model), pack(model)
    scorer = LeanScorer.__new__(LeanScorer)
    scorer._open(model, weights, "")
    _tried[model] = contents, trial(scorer, model) or weights
    return _tried[model][1]


def scorer_for(model: Any, name: str = "") -> Scorer:
    """A scorer with an empty cache: lean where that is the same function, else the model's own forward; its ``forward`` says which, and why.

    A scorer is forked instead, so that its cache is left alone. BadType for anything that is neither a scorer nor a
    model of transformers; Unsupported, with the reason, for a model that cannot be scored over a tree.
    """
    if isinstance(model, LeanScorer | CachedScorer | TabularLM):
        return model.fork()
    if not hasattr(model, "config") or not hasattr(model, "get_output_embeddings"):
        raise bad_type("model", model, "a causal language model of transformers, or a scorer")
    weights = proven(model)
    if isinstance(weights, str):
        own = CachedScorer(model, name=name)
        own.forward += f": {weights}"
        return own
    scorer = LeanScorer.__new__(LeanScorer)
    scorer._open(model, weights, name)
    return scorer
