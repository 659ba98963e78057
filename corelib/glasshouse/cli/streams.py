"""Where the command line speaks: stdout, tried before any work, and stderr, which is never worth a failure."""

from __future__ import annotations

import codecs
import errno
import os
import select
import stat
import sys
from contextlib import suppress
from io import UnsupportedOperation

from glasshouse.schema.errors import BadValue


def check() -> None:
    """Can stdout take what will be said?

    Raises: BadValue where it is closed, full or does not speak UTF-8; BrokenPipeError where its reader has gone.
    """
    if sys.stdout is None or sys.stdout.closed:
        raise BadValue("stdout is closed: what it says must go somewhere, if only to /dev/null", "stdout")
    if not codecs.lookup(sys.stdout.encoding or "utf-8").name.startswith("utf-8"):
        raise BadValue(f"stdout takes {sys.stdout.encoding}, not UTF-8: set PYTHONIOENCODING=utf-8", "stdout")
    try:
        descriptor = sys.stdout.fileno()
    except (UnsupportedOperation, ValueError, AttributeError):
        return                                  # a stream of Python's own, in a notebook or a test
    try:
        _probe(descriptor)
    except BrokenPipeError:
        raise
    except OSError as error:
        raise _cannot(error) from None


def _probe(descriptor: int) -> None:
    os.write(descriptor, b"")                   # devices say now what they would say later
    kind = os.fstat(descriptor).st_mode
    if stat.S_ISREG(kind) and hasattr(os, "fstatvfs") and os.fstatvfs(descriptor).f_bavail == 0:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
    if stat.S_ISFIFO(kind) and hasattr(select, "poll"):
        poll = select.poll()
        poll.register(descriptor, 0)
        if any(event & select.POLLERR for _, event in poll.poll(0)):
            raise BrokenPipeError


def out(text: str) -> None:
    """Lines on stdout, at once.

    Raises: BadValue where they cannot be written; BrokenPipeError where the reader has gone.
    """
    try:
        print(text, flush=True)
    except BrokenPipeError:
        raise
    except (OSError, UnicodeEncodeError) as error:
        raise _cannot(error) from None


def note(message: str) -> None:
    """One line on stderr, if anybody listens there."""
    if sys.stderr is not None:
        try:
            print(message, file=sys.stderr, flush=True)
        except (OSError, ValueError):
            hush(2)


def hush(descriptor: int) -> None:
    """Let nothing more be said there, at the end of the process neither."""
    with suppress(OSError):
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, descriptor)
        os.close(nowhere)


def _cannot(error: OSError | UnicodeEncodeError) -> BadValue:
    hush(1)
    why = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
    return BadValue(f"stdout cannot be written to: {why}", "stdout")
