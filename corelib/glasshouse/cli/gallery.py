"""The way to the screen: the core knows it by an entry point alone."""

from __future__ import annotations

from collections.abc import Callable
from importlib.metadata import entry_points
from typing import cast

from glasshouse.schema.errors import Unsupported

INSTALL = 'the gallery is not installed: pip install "glasshouse[widgets]"'


def gallery() -> Callable[..., None]:
    """``serve(port, browser, workshop, allow_models, allow_origin, prefix)`` of the installed gallery.

    Raises: Unsupported, with the install line, where it or what it needs is absent.
    """
    found = entry_points(group="glasshouse.apps", name="gallery")
    if not found:
        raise Unsupported(INSTALL, "serve")
    try:
        return cast("Callable[..., None]", next(iter(found)).load())
    except ModuleNotFoundError as error:
        if (error.name or "").startswith("glasshouse."):
            raise  # a broken installation of ours, not a missing extra
        raise Unsupported(f"{INSTALL} ({error.name} is missing)", "serve") from None
