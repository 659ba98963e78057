"""Where the data is: ``data/`` in a checkout, ``glasshouse/_data`` in a wheel. No other module knows."""

from __future__ import annotations

import hashlib
import tomllib
from dataclasses import dataclass
from pathlib import Path

from glasshouse.schema.errors import Unsupported

_PACKAGE = Path(__file__).resolve().parent
_HOMES = (_PACKAGE / "_data", _PACKAGE.parents[1] / "data")


@dataclass(frozen=True)
class Entry:
    """What the manifest says of one file: its size in bytes and its SHA-256 in hexadecimal."""

    size: int
    sha256: str


def home() -> Path:
    """The data folder of this installation."""
    for folder in _HOMES:
        if folder.is_dir():
            return folder
    raise Unsupported(f"the data folder is missing (looked in {' and '.join(map(str, _HOMES))}): install "
                      "glasshouse again, or keep data/ beside corelib/ in a checkout", "data")


def path(*parts: str) -> Path:
    """A file or folder of the data, for example ``path("models", "python-stdlib")``; Unsupported where it is absent."""
    found = home().joinpath(*parts)
    if not found.exists():
        raise Unsupported(f"{'/'.join(parts)} is not among the data in {home()}", "data")
    return found


def manifest() -> dict[str, Entry]:
    """``manifest.toml`` by file name relative to :func:`home`."""
    files = tomllib.loads(path("manifest.toml").read_text("utf-8"))["files"]
    return {name: Entry(int(said["bytes"]), str(said["sha256"])) for name, said in files.items()}


def entry(file: Path) -> Entry:
    """What the manifest should say of a file."""
    with file.open("rb") as stream:
        return Entry(file.stat().st_size, hashlib.file_digest(stream, "sha256").hexdigest())


def verify() -> tuple[str, ...]:
    """What is wrong with the files of the manifest, one line each; empty where all is well."""
    wrong = []
    for name, said in manifest().items():
        file = home() / name
        if not file.is_file():
            wrong.append(f"{name}: missing")
        elif file.stat().st_size != said.size:
            wrong.append(f"{name}: {file.stat().st_size} bytes instead of {said.size}")
        elif entry(file) != said:
            wrong.append(f"{name}: the checksum differs")
    return tuple(wrong)
