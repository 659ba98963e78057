"""What people do to a model without telling anybody: each changes a fresh one in place, or wraps it, and may be undone at the end."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import MethodType
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.utils import parametrizations, parametrize, prune


def _middle(model: Any) -> nn.Module:
    """A linear layer (or GPT-2's Conv1D) in the middle, by the name of its parent and its own."""
    found = [m for n, m in model.named_modules() if n.rsplit(".", 1)[-1] in ("down_proj", "c_proj", "dense_4h_to_h", "fc2")]
    return found[-1]


def _put(model: Any, old: nn.Module, new: nn.Module) -> None:
    for parent in model.modules():
        for name, child in parent.named_children():
            if child is old:
                setattr(parent, name, new)
                return
    raise AssertionError


class Lora(nn.Module):
    """A low-rank adapter that shows the weight of what it wraps, as published ones do."""

    def __init__(self, base: Any) -> None:
        super().__init__()
        self.base, self.a = base, nn.Parameter(torch.randn(base.weight.shape[1 if isinstance(base, nn.Linear) else 0], 2))
        self.b = nn.Parameter(torch.randn(2, base.weight.shape[0 if isinstance(base, nn.Linear) else 1]))

    @property
    def weight(self) -> Tensor:
        return self.base.weight  # type: ignore[no-any-return]

    @property
    def bias(self) -> Tensor | None:
        return self.base.bias  # type: ignore[no-any-return]

    def forward(self, x: Tensor) -> Tensor:
        return self.base(x) + x @ self.a @ self.b  # type: ignore[no-any-return]


class Doubled(nn.Module):
    def forward(self, w: Tensor) -> Tensor:
        return 2 * w


def hook(model: Any) -> None:
    _middle(model).register_forward_hook(lambda module, given, out: out * 1.5 + 0.3)


def pre_hook(model: Any) -> None:
    _middle(model).register_forward_pre_hook(lambda module, given: (given[0] * 1.5,))


def adapter(model: Any) -> None:
    _put(model, _middle(model), Lora(_middle(model)))


def subclass(model: Any) -> None:
    kind = type(_middle(model))
    _middle(model).__class__ = type(kind.__name__, (kind,), {"forward": lambda self, x: kind.forward(self, x) * 1.5})


def model_subclass(model: Any) -> None:
    kind = type(model)

    def forward(self: Any, *given: Any, **named: Any) -> Any:
        out = kind.forward(self, *given, **named)
        out.logits = out.logits.roll(1, -1)
        return out

    model.__class__ = type(kind.__name__, (kind,), {"forward": forward})


def patched(model: Any) -> None:
    linear = _middle(model)
    own = linear.forward
    linear.forward = MethodType(lambda self, x: own(x) * 1.5, linear)  # type: ignore[method-assign]


def pruned(model: Any) -> None:
    prune.random_unstructured(_middle(model), "weight", 0.5)


def parametrized(model: Any) -> None:
    parametrize.register_parametrization(_middle(model), "weight", Doubled())


def spectral(model: Any) -> None:
    parametrizations.spectral_norm(_middle(model).eval())
    model.eval()


def swapped_rows(model: Any) -> None:
    head = model.get_output_embeddings().weight
    with torch.no_grad():
        head[[20, 21]] = head[[21, 20]]


def through_data(model: Any) -> None:
    _middle(model).weight.data[3] *= -2.0  # type: ignore[index, operator]


def through_numpy(model: Any) -> None:
    _middle(model).weight.detach().numpy()[:, ::2] *= -2.0  # type: ignore[operator]


def epsilon(model: Any) -> None:
    for module in model.modules():
        for name in ("variance_epsilon", "eps"):
            if isinstance(getattr(module, name, None), float):
                setattr(module, name, 0.5)


def scaling(model: Any) -> None:
    for module in model.modules():
        if isinstance(getattr(module, "scaling", None), float):
            module.scaling *= 2
        elif hasattr(module, "activation_fn"):
            module.activation_fn = nn.Tanh()


def activation(model: Any) -> None:
    for module in model.modules():
        for name in ("act_fn", "act", "activation_fn"):
            if isinstance(getattr(module, name, None), nn.Module):
                setattr(module, name, nn.Tanh())


def fewer_layers(model: Any) -> None:
    """A configuration changed afterwards: forwards of Llama's kind read it."""
    model.config.num_hidden_layers = 1


def not_a_number(model: Any) -> None:
    with torch.no_grad():
        _middle(model).weight[0, 0] = torch.nan  # type: ignore[index, operator]


def training(model: Any) -> None:
    model.train()


IN_PLACE: tuple[Callable[[Any], None], ...] = (
    hook, pre_hook, adapter, subclass, model_subclass, patched, pruned, parametrized, spectral, swapped_rows, through_data, through_numpy,
    epsilon, scaling, activation, fewer_layers, not_a_number, training)


@contextmanager
def global_hook(model: Any) -> Iterator[None]:
    middle = _middle(model)
    handle = nn.modules.module.register_module_forward_hook(lambda module, given, out: out * 1.5 if module is middle else None)
    try:
        yield
    finally:
        handle.remove()


@contextmanager
def autocast(model: Any) -> Iterator[None]:
    with torch.autocast("cpu", torch.bfloat16):
        yield


@contextmanager
def class_patched(model: Any) -> Iterator[None]:
    """As kernels for training do: the forward of a class is replaced for all its instances."""
    kind = type(_middle(model))
    own = kind.forward
    kind.forward = lambda self, x: own(self, x) * 1.5  # type: ignore[method-assign, assignment]
    try:
        yield
    finally:
        kind.forward = own  # type: ignore[method-assign]


@contextmanager
def function_patched(model: Any) -> Iterator[None]:
    from transformers.modeling_utils import ALL_ATTENTION_FUNCTIONS

    own = ALL_ATTENTION_FUNCTIONS["sdpa"]

    def doubled(*given: Any, **named: Any) -> Any:
        out, weights = own(*given, **named)
        return 2 * out, weights

    ALL_ATTENTION_FUNCTIONS["sdpa"] = doubled
    try:
        yield
    finally:
        del ALL_ATTENTION_FUNCTIONS["sdpa"]


AROUND = (global_hook, autocast, class_patched, function_patched)
