"""What the command line's texts say: ``knob=value`` and ``knob=a,b,c``."""

from __future__ import annotations

from collections.abc import Iterable

from glasshouse.schema.errors import bad_value


def settings(option: str, texts: Iterable[str]) -> dict[str, str]:
    """``knob=value`` texts by knob; values stay text, for they are read as the knob's type later.

    Raises: BadValue for a text without ``=`` or name, and for a knob set twice.
    """
    found: dict[str, str] = {}
    for text in texts:
        name, equals, value = text.partition("=")
        name = name.strip().replace("-", "_")
        if not equals or not name:
            raise bad_value(f"--{option}", text, "knob=value")
        if name in found:
            raise bad_value(f"--{option}", text, f"{name} once, not twice")
        found[name] = value
    return found


def grid(texts: Iterable[str]) -> dict[str, list[str]]:
    """``knob=a,b,c`` texts as a grid.

    Raises: BadValue as :func:`settings`, and for an empty value between commas.
    """
    found = {name: [part.strip() for part in value.split(",")] for name, value in settings("grid", texts).items()}
    for name, values in found.items():
        if "" in values:
            raise bad_value("--grid", f"{name}={','.join(values)}", "knob=a,b,c")
    return found


def names(text: str) -> tuple[str, ...]:
    """``a,b`` as names; empty ones are none."""
    return tuple(name.strip() for name in text.split(",") if name.strip())
