"""One process that is ready to work, and a child of it for each command and stdout: ``python places_child.py CASES FOLDER``.

Prints status, stderr and whether work began, of each. ``FOLDER`` gets a mark from each that began to work.
"""

from __future__ import annotations

import io
import json
import os
import sys
import traceback
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any

from glasshouse import catalogue, cli, runs


def marked(work: Callable[..., Any], mark: Path) -> Callable[..., Any]:
    def at_work(*given: Any, **named: Any) -> Any:
        mark.touch()
        return work(*given, **named)
    return at_work


def speak(stream: str, errors: int) -> None:
    """stdout becomes ``stream``, stderr the descriptor."""
    os.dup2(errors, 2)
    sys.stderr = io.TextIOWrapper(io.FileIO(2, "w", closefd=False), "utf-8", write_through=True)
    if stream == "closed":
        os.close(1)
        sys.stdout = None  # type: ignore[assignment]
        return
    os.dup2(os.open("/dev/full" if stream == "full" else os.devnull, os.O_WRONLY), 1)
    sys.stdout = io.TextIOWrapper(io.FileIO(1, "w", closefd=False), "utf-8" if stream in ("full", "fine") else stream)


def child(words: list[str], stream: str, errors: int, mark: Path) -> int:
    """Never returns to its parent's work."""
    sweeping = import_module("glasshouse.runs.sweep")
    runs.open, sweeping.plan, catalogue.methods = (marked(f, mark) for f in (runs.open, sweeping.plan, catalogue.methods))
    speak(stream, errors)
    try:
        cli.main(words)
    except SystemExit as end:
        return int(end.code or 0)
    except BaseException:
        traceback.print_exc()
    return 1


def main() -> None:
    found = []
    for words, stream in json.loads(sys.argv[1]):
        read, write = os.pipe()
        mark = Path(sys.argv[2]) / str(len(found))
        pid = os.fork()
        if pid == 0:
            os._exit(child(words, stream, write, mark))
        os.close(write)
        with open(read, encoding="utf-8") as said:
            text = said.read()
        found.append([os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), text, mark.exists()])
    print(json.dumps(found))


if __name__ == "__main__":
    main()
