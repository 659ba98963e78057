"""Errors that a user can cause: each names the argument, what was given and what is allowed."""

from __future__ import annotations


class GlasshouseError(Exception):
    """Base of every error a user can cause.

    ``argument`` is the name of the offending argument or knob, so that a lab can show the message beside it.
    """

    def __init__(self, message: str, argument: str = "") -> None:
        super().__init__(message)
        self.argument = argument

    def __reduce__(self) -> tuple[type[GlasshouseError], tuple[str, str]]:
        # Errors travel between processes in sweeps.
        return type(self), (str(self), self.argument)


class BadValue(GlasshouseError, ValueError):
    """A value of the right type that is not allowed."""


class BadType(GlasshouseError, TypeError):
    """A value of the wrong type, shape or dtype."""


class Unsupported(GlasshouseError, ValueError):
    """A model, file or combination that is well formed but not supported; the message says why."""


def shown(value: object, most: int = 80) -> str:
    """``repr`` cut to a length that fits a message."""
    text = repr(value)
    return text if len(text) <= most else f"{text[: most - 1]}…"


def bad_value(argument: str, given: object, allowed: str) -> BadValue:
    """The one form of the message: ``argument = given is not allowed: allowed``."""
    return BadValue(f"{argument} = {shown(given)} is not allowed: {allowed}", argument)


def bad_type(argument: str, given: object, allowed: str) -> BadType:
    """Like :func:`bad_value`, for a wrong type, shape or dtype."""
    return BadType(f"{argument} = {shown(given)} ({type(given).__name__}) is not allowed: {allowed}", argument)
