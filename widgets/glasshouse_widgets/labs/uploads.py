"""Files of a person's own, sent by the browser piece by piece into a folder that goes with the lab."""

from __future__ import annotations

import re
import shutil
import tempfile
from pathlib import Path

from glasshouse.schema.errors import bad_value

LARGEST = 64_000_000        # bytes of a file
SUFFIXES = (".npz", ".csv")


class Uploads:
    """One folder, made when the first piece comes; pieces of a file come in order."""

    def __init__(self) -> None:
        self._folder: Path | None = None
        self._begun = 0

    def take(self, name: str, at: int, size: int, piece: bytes) -> Path | None:
        """Appends ``piece`` at byte ``at`` of the file ``name`` of ``size`` bytes. The path once it is whole, None before.

        Raises: BadValue naming ``file`` for a suffix that is not taken, a file that is too large, or a piece out of turn.
        """
        plain = re.sub(r"[^\w.-]", "_", Path(name.replace("\\", "/")).name)[-80:]
        if Path(plain).suffix.lower() not in SUFFIXES or plain.startswith("."):
            raise bad_value("file", name, f"a file ending in {' or '.join(SUFFIXES)}")
        if not 0 < size <= LARGEST:
            raise bad_value("file", f"{name}, {size:,} bytes", f"at most {LARGEST // 1_000_000} MB")
        self._begun += at == 0
        path = self._home() / str(self._begun) / plain         # a path of its own each time, or the same name once more would move nothing
        path.parent.mkdir(exist_ok=True)
        there = path.stat().st_size if at and path.exists() else 0
        if at != there or at + len(piece) > size:
            path.unlink(missing_ok=True)
            raise bad_value("file", name, "a file that arrives whole: try again")
        with path.open("ab" if at else "wb") as file:
            file.write(piece)
        if at + len(piece) < size:
            return None
        for older in path.parent.parent.iterdir():              # the arrays of what was there before are read already
            if older != path.parent:
                shutil.rmtree(older, ignore_errors=True)
        return path

    def close(self) -> None:
        """What was sent is deleted."""
        if self._folder is not None:
            shutil.rmtree(self._folder, ignore_errors=True)
            self._folder = None

    def _home(self) -> Path:
        if self._folder is None:
            self._folder = Path(tempfile.mkdtemp(prefix="glasshouse-"))
        return self._folder
