"""Decoding: how a language model's next tokens are found, one at a time or many at once.

``generate`` continues a prompt with any method of the family; ``load_pair`` gives a target and a draft model.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from glasshouse.families.decoding.generation import Generation, generate
    from glasshouse.models.language.loading import Pair, load_pair

__all__ = ["Generation", "Pair", "generate", "load_pair"]

_HOMES = {"generate": "glasshouse.families.decoding.generation", "Generation": "glasshouse.families.decoding.generation",
          "load_pair": "glasshouse.models.language.loading", "Pair": "glasshouse.models.language.loading"}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    import importlib

    return getattr(importlib.import_module(_HOMES[name]), name)
