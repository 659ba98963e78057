"""The labs: a module for each question of a family. They are found by looking into this folder; there is no list."""

from __future__ import annotations

import importlib
import inspect
import pkgutil
from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from glasshouse_widgets.labs.base import Lab


@cache
def found() -> dict[str, type[Lab]]:
    """Every lab by its page, by rank and then by name."""
    from glasshouse_widgets.labs.base import Lab

    labs = {}
    for module in sorted(info.name for info in pkgutil.iter_modules(__path__)):
        for _, cls in inspect.getmembers(importlib.import_module(f"{__name__}.{module}"), inspect.isclass):
            if issubclass(cls, Lab) and cls.family and cls.__module__ == f"{__name__}.{module}":
                labs[cls.page()] = cls
    return dict(sorted(labs.items(), key=lambda item: (item[1].rank, item[0])))
