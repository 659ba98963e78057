"""Algorithms as iterators of states: run them, watch them, turn their knobs.

    import glasshouse as gh
    gh.methods()                                     # what there is; imports no family
    record = gh.run("conformal.lac", alpha=0.1)      # to the end, as a table with its summary
    session = gh.open("conformal.lac")               # step by step: session.events(), session.look(alpha=0.2)

Nothing heavy is imported until a method is loaded.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from glasshouse.catalogue import load, methods
    from glasshouse.runs import open, run
    from glasshouse.runs.sweep import sweep

__version__ = "0.1.0"
__all__ = ["__version__", "load", "methods", "open", "run", "sweep"]

_HOMES = {"load": "glasshouse.catalogue", "methods": "glasshouse.catalogue",
          "open": "glasshouse.runs", "run": "glasshouse.runs", "sweep": "glasshouse.runs"}


def __getattr__(name: str) -> Any:
    home = _HOMES.get(name)
    if home is None:
        raise AttributeError(f"module 'glasshouse' has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(home), name)


def __dir__() -> list[str]:
    return sorted(__all__)
