"""Any supported transformers model as a scorer, through its own forward and cache."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from glasshouse.models.language import architecture
from glasshouse.models.language.stock import changed
from glasshouse.models.language.tree import TentativeTree, check_tokens
from glasshouse.models.language.trial import trial
from glasshouse.schema.errors import Unsupported


class CachedScorer:
    """A :class:`~.scorer.Scorer` over a causal language model of transformers, with ``sdpa`` or ``eager`` attention.

    The tree goes in as a complete additive float mask and explicit positions: a boolean mask is added to the scores as
    0 / 1 by eager attention, and without positions siblings would be numbered one after the other.

    A model in which something was changed (hooks, adapters, a forward of its own) is tried first: what it computes may depend on how tokens
    are spread over calls, as with a hook that writes to the last position only. Dropout is refused, not switched off.
    """

    def __init__(self, model: Any, *, name: str = "") -> None:
        architecture.check_model(model)
        self.model = model
        self.forward = "the model's own"
        self.name = name or f"{model.config.model_type} {model.num_parameters() / 1e6:.1f}M"
        self.vocab_size = int(model.config.vocab_size)
        self.window = architecture.window_of(model.config)
        self.calls = 0
        self.reset()
        if (change := changed(model)) and (why := trial(self, model)):
            raise Unsupported(f"model ({type(model).__name__}) cannot be scored over a tree: {change}, and {why}", "model")

    def reset(self) -> None:
        from transformers import DynamicCache

        # Without a config every layer keeps all tokens: within the window a sliding layer needs nothing else.
        self._cache = DynamicCache()
        self._tree = TentativeTree()
        self.length = self.pending = 0

    def fork(self) -> CachedScorer:
        other = CachedScorer(self.model, name=self.name)
        other.forward = self.forward
        return other

    def score(self, token: Tensor, parent: Tensor, rows: slice | None = None) -> Tensor:
        """See :meth:`.scorer.Scorer.score`."""
        if why := architecture.noise(self.model):           # another thread may have begun to train it
            raise Unsupported(f"model {self.name} {why}", "model")
        n, device = len(token), self.model.device
        parents = parent.tolist()
        check_tokens(token.tolist(), parents, self.vocab_size)
        self._tree.append(parents, self.window - self.length)
        wanted = torch.arange(n, device=device)[rows if rows is not None else slice(None)]
        position = torch.tensor(self._tree.depth[self.pending:], device=device) + self.length
        with torch.no_grad():
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

