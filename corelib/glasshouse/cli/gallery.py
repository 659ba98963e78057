"""The way to the screen: the core knows it by an entry point alone."""

from __future__ import annotations

from collections.abc import Callable
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any, cast

from glasshouse.schema.errors import Unsupported

INSTALL = 'the gallery is not installed: pip install "glasshouse[widgets]"'


def gallery() -> Callable[..., None]:
    """``serve(port, browser, workshop, allow_models, allow_origin, prefix)`` of the installed gallery. Raises: as :func:`_app`."""
    return _app("gallery", "serve")


def handout() -> Callable[..., Path]:
    """``handout(out, told)`` of the installed gallery. Raises: as :func:`_app`."""
    return _app("handout", "handout")


def _app(name: str, command: str) -> Callable[..., Any]:
    """Raises: Unsupported, with the install line, where it or what it needs is absent."""
    found = entry_points(group="glasshouse.apps", name=name)
    if not found:
        raise Unsupported(INSTALL, command)
    try:
        return cast("Callable[..., Any]", next(iter(found)).load())
    except ModuleNotFoundError as error:
        if (error.name or "").startswith("glasshouse."):
            raise  # a broken installation of ours, not a missing extra
        raise Unsupported(f"{INSTALL} ({error.name} is missing)", command) from None
