"""Glasshouse on a screen: labs for JupyterLab, Voilà and the browser. ``from glasshouse_widgets import DraftTreeLab``."""

from __future__ import annotations

from typing import Any


def __getattr__(name: str) -> Any:
    if name.startswith("_"):
        raise AttributeError(name)
    from glasshouse_widgets.labs import found

    labs = {lab.__name__: lab for lab in found().values()}
    if name not in labs:
        raise AttributeError(f"glasshouse_widgets has no {name}: its labs are {', '.join(sorted(labs))}")
    return labs[name]
