"""Whether a model is what transformers built, or has been changed: hooks, adapters, own forwards, replaced functions.

A forward written anew computes what the classes of transformers say. Whoever hangs something into a model changes what it computes
without changing a weight, so only a model in which nothing of the kind is found may be run by anything but itself.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from types import FunctionType
from typing import Any

import torch
from torch import nn
from torch.nn.modules import module as nn_module

_CALLED = ("forward", "__call__", "_call_impl", "_wrapped_call_impl")
_HOOKS = ("_forward_hooks", "_forward_pre_hooks")


def changed(model: Any) -> str:
    """What was changed in this model of transformers, in one sentence; empty where nothing was."""
    return next(_changes(model), "")


def _changes(model: Any) -> Iterator[str]:
    if nn_module._global_forward_hooks or nn_module._global_forward_pre_hooks:
        yield "a global forward hook is registered"
    if torch.is_autocast_enabled(_device(model)):
        yield "autocast is on"
    for name, module in model.named_modules():
        if why := _change_in(module):
            yield f"{name or 'the model'} ({type(module).__name__}) {why}"
    for kind in {type(module) for module in model.modules()}:
        if not all(_of_a_library(getattr(kind, called)) for called in _CALLED):
            yield f"the forward of {kind.__name__} has been replaced"
    yield from _replaced_functions(model)


def _device(model: Any) -> str:
    return next((p.device.type for p in model.parameters()), "cpu")


def _change_in(module: nn.Module) -> str:
    kind: Any = type(module)
    own = vars(module)
    if not _is_stock(kind):
        return "is not a class of transformers"
    # transformers itself hangs hooks into a model that was once asked for its hidden states: they change nothing.
    if any(own[hooks] and not all(map(_of_a_library, own[hooks].values())) for hooks in _HOOKS):
        return "has a forward hook"
    if own.get("_compiled_call_impl") is not None:
        return "is compiled"
    if not _methods(kind).isdisjoint(own):
        return f"has a {min(_methods(kind).intersection(own))} of its own"
    for key in ("weight", "bias"):
        if isinstance(own.get(key), torch.Tensor):
            return f"has a {key} that is no parameter"
    for key, value in module._parameters.items():
        if value is not None and (type(value) is not nn.Parameter or type(value.data) is not torch.Tensor):
            return f"keeps its {key} as a {type(value).__name__}"
    return ""


def _replaced_functions(model: Any) -> Iterator[str]:
    """Functions of the module in which the model's class stands, and the attention that it looks up by name."""
    from transformers.modeling_utils import ALL_ATTENTION_FUNCTIONS

    for name, function in vars(sys.modules[type(model).__module__]).items():
        if isinstance(function, FunctionType) and not _of_a_library(function):
            yield f"{name} of {type(model).__module__} has been replaced"
    attention = getattr(model.config, "_attn_implementation", None)
    if attention in ALL_ATTENTION_FUNCTIONS and not _of_a_library(ALL_ATTENTION_FUNCTIONS[attention]):
        yield f"the attention {attention!r} has been replaced"


@cache
def _is_stock(kind: type) -> bool:
    return kind.__module__.startswith(("torch.nn.modules.", "transformers."))


@cache
def _methods(kind: type) -> frozenset[str]:
    return frozenset(name for name in dir(kind) if callable(getattr(kind, name, None)))


@cache
def _homes() -> tuple[str, ...]:
    import transformers

    return tuple(f"{Path(str(package.__file__)).parent}/" for package in (torch, transformers))


def _of_a_library(function: Any) -> bool:
    """Whether a function's own code stands in torch or transformers; a wrapper is judged by itself, not by what it wraps."""
    code = getattr(function, "__code__", None)
    return code is not None and code.co_filename.startswith(_homes())
