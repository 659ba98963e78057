"""Places that results are written to: tried before the work, filled at once after it."""

from __future__ import annotations

import os
import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from glasshouse.schema.errors import BadValue, bad_value

UNKNOWN = (OSError, ValueError, RuntimeError)
"""What a path raises that no file system knows: with a null character, or links that go round."""


def new_file(path: str | Path, argument: str = "out") -> Path:
    """``path`` with its links followed, if a file can be written there. A file that stands there will be replaced.

    Raises: BadValue where the folder is missing or takes no files, and where something else than a file stands there.
    """
    with _told(path, argument, *UNKNOWN):
        target = Path(path).resolve()
        if not target.parent.is_dir():
            raise bad_value(argument, str(path), "a file in a folder that exists")
        if target.exists() and not target.is_file():
            raise bad_value(argument, str(path), "a file, and that is a folder or a device")
        if target.exists() and not os.access(target, os.W_OK):
            raise bad_value(argument, str(path), "a file that may be replaced, and that is write-protected")
        _try(target.parent)
    return target


def new_folder(path: str | Path, argument: str = "out") -> Path:
    """``path`` with its links followed, if a folder is there that takes files, or can be made there.

    Raises: BadValue as :func:`new_file`, and where a file stands there. Nothing is made yet.
    """
    with _told(path, argument, *UNKNOWN):
        target = Path(path).resolve()
        if target.exists() and not target.is_dir():
            raise bad_value(argument, str(path), "a folder, and that is a file")
        if not target.exists() and not target.parent.is_dir():
            raise bad_value(argument, str(path), "a folder in a folder that exists")
        _try(target if target.exists() else target.parent)
    return target


@contextmanager
def whole(target: Path, argument: str = "out") -> Iterator[Path]:
    """A path beside ``target`` to write a file or a folder to; it takes the place of ``target`` when all is written, or goes.

    ``target`` comes from :func:`new_file` or :func:`new_folder`; a folder that holds something is not replaced.
    """
    part = _beside(target)
    try:
        with _told(target, argument, OSError):
            yield part
            if target.is_file():
                shutil.copymode(target, part)
            os.replace(part, target)
    finally:
        with suppress(OSError):
            shutil.rmtree(part) if part.is_dir() else part.unlink(missing_ok=True)


def _beside(target: Path) -> Path:
    return target.with_name(f".{secrets.token_hex(6)}.part")


def _try(folder: Path) -> None:
    """Write a page there and take it away: permissions and free space say less than the attempt."""
    trial = _beside(folder / "x")
    try:
        with trial.open("xb") as file:
            file.write(bytes(4096))
            file.flush()
            os.fsync(file.fileno())
    finally:
        trial.unlink(missing_ok=True)


@contextmanager
def _told(path: str | Path, argument: str, *kinds: type[Exception]) -> Iterator[None]:
    try:
        yield
    except BadValue:
        raise
    except kinds as error:
        why = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        raise bad_value(argument, str(path), f"a place that can be written to, and here: {why}") from None
