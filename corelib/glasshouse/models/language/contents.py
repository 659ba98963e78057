"""What a model is made of, remembered bit by bit: whoever wrote to its weights, and how, it is noticed."""

from __future__ import annotations

from copy import deepcopy
from typing import Any

import torch
from torch import Tensor


class Contents:
    """Copies of a model's weights and buffers, and its constants (epsilons, scales, counts, the configuration).

    Compared with the model as it is at every call. Addresses and sums miss rows that change places, version counters miss writes through
    NumPy or ``.data``; a checksum of all bits takes five times as long as this comparison, which in turn costs a copy of the weights.
    """

    def __init__(self, model: Any) -> None:
        self._constants, self._config = _constants(model), deepcopy(vars(model.config))
        self._copies = {name: tensor.detach().clone(memory_format=torch.contiguous_format) for name, tensor in _tensors(model)}

    def are_of(self, model: Any) -> bool:
        """Whether ``model`` consists of exactly this, NaN included."""
        if vars(model.config) != self._config or _constants(model) != self._constants:
            return False
        now = dict(_tensors(model))
        return now.keys() == self._copies.keys() and all(_same_bits(now[name], copy) for name, copy in self._copies.items())


def _tensors(model: Any) -> list[tuple[str, Tensor]]:
    return [*model.named_parameters(), *model.named_buffers()]


def _constants(model: Any) -> list[tuple[str, Any]]:
    plain = int, float, str, type(None)
    return [item for module in model.modules() for item in vars(module).items() if isinstance(item[1], plain)]


def _same_bits(a: Tensor, b: Tensor) -> bool:
    if (a.shape, a.dtype, a.device) != (b.shape, b.dtype, b.device):
        return False
    return torch.equal(_words(a.detach()), _words(b))


def _words(values: Tensor) -> Tensor:
    """Seen as integers, the widest that fit."""
    flat = values.contiguous().flatten().view(torch.uint8)
    return flat if len(flat) % 8 else flat.view(torch.int64)
