"""Any supported transformers model as a scorer, through its own forward and cache."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor

from glasshouse.models.language import architecture
from glasshouse.models.language.tree import TentativeTree, check_tokens
from glasshouse.schema.errors import Unsupported


class CachedScorer:
    """A :class:`~.scorer.Scorer` over a causal language model of transformers, with ``sdpa`` or ``eager`` attention.

    The tree goes in as a complete additive float mask and explicit positions: a boolean mask is added to the scores as
    0 / 1 by eager attention, and without positions siblings would be numbered one after the other.
    """

    def __init__(self, model: Any, *, name: str = "") -> None:
        architecture.check(model.config)
        attention = getattr(model.config, "_attn_implementation", None)
        if attention not in ("sdpa", "eager"):
            raise Unsupported(f"attn_implementation = {attention!r} takes no tree mask: load the model with 'sdpa' or "
                              "'eager'", "model")
        self.model = model
        self.name = name or f"{model.config.model_type} {model.num_parameters() / 1e6:.1f}M"
        self.vocab_size = int(model.config.vocab_size)
        self.window = architecture.window_of(model.config)
        self.calls = 0
        self.reset()

    def reset(self) -> None:
        from transformers import DynamicCache

        # Without a config every layer keeps all tokens: within the window a sliding layer needs nothing else.
        self._cache = DynamicCache()
        self._tree = TentativeTree()
        self.length = self.pending = 0

    def fork(self) -> CachedScorer:
        return CachedScorer(self.model, name=self.name)

    def score(self, token: Tensor, parent: Tensor, rows: slice | None = None) -> Tensor:
        """See :meth:`.scorer.Scorer.score`."""
        n, device = len(token), self.model.device
        parents = parent.tolist()
        check_tokens(token.tolist(), parents, self.vocab_size)
        self._tree.append(parents, self.window - self.length)
        wanted = torch.arange(n, device=device)[rows if rows is not None else slice(None)]
        position = torch.tensor(self._tree.depth[self.pending:], device=device) + self.length
        with torch.no_grad(), _evaluating(self.model):
            logits: Tensor = self.model(
                input_ids=token.to(device)[None], position_ids=position[None], attention_mask=self._mask(),
                past_key_values=self._cache, use_cache=True, logits_to_keep=wanted).logits[0]
        self.pending += n
        self.calls += 1
        return logits.float()

    def _mask(self) -> Tensor:
        """[1, 1, n, length + all tentative] in the model's dtype: 0 where a node looks, the least number elsewhere."""
        dtype, device = self.model.dtype, self.model.device
        hidden = torch.from_numpy(~self._tree.visible(self.pending)).to(device)
        tail = torch.zeros(hidden.shape, dtype=dtype, device=device).masked_fill_(hidden, torch.finfo(dtype).min)
        return torch.cat([tail.new_zeros(len(hidden), self.length), tail], -1)[None, None]

    def keep(self, nodes: Sequence[int]) -> None:
        self._tree.check_path(nodes)
        if list(nodes) != list(range(self.pending)):
            chosen = torch.tensor([*range(self.length), *(self.length + node for node in nodes)],
                                  dtype=torch.int64, device=self.model.device)
            for layer in self._cache.layers:
                layer.keys = layer.keys.index_select(2, chosen.to(layer.keys.device))
                layer.values = layer.values.index_select(2, chosen.to(layer.values.device))
        self.length += len(nodes)
        self.pending = 0
        self._tree = TentativeTree()


@contextmanager
def _evaluating(model: Any) -> Iterator[None]:
    """Dropout off; every module is left as it was found."""
    training = [module for module in model.modules() if module.training]
    for module in training:
        module.training = False
    try:
        yield
    finally:
        for module in training:
            module.training = True
