"""The gallery as ``glasshouse serve`` serves it, with its runs counted: ``python counted.py PORT FOLDER``.

``FOLDER/pid`` is this process, ``FOLDER/runs`` gets a line of JSON per run begun, ``FOLDER/closed`` one per session closed,
``FOLDER/log`` what was logged.
"""

from __future__ import annotations

import json
import logging
import os
import sys
import threading
from pathlib import Path
from typing import Any


def main() -> None:
    port, folder = int(sys.argv[1]), Path(sys.argv[2])
    logging.basicConfig(filename=folder / "log", level=logging.WARNING)
    sys.stderr = (folder / "errors").open("w", buffering=1)
    from glasshouse import runs
    from glasshouse_widgets.apps.serve import serve

    opened, closed, lock = runs.open, runs.Session.close, threading.Lock()

    def note(name: str, line: dict[str, Any]) -> None:
        with lock, (folder / name).open("a") as log:
            log.write(json.dumps(line, default=str) + "\n")

    def counting(id: str, problem: Any = None, seed: int = 0, **values: Any) -> runs.Session:
        note("runs", {"method": id, "seed": seed, **values})
        return opened(id, problem, seed, **values)

    def closing(session: runs.Session) -> None:
        closed(session)
        note("closed", {"method": session.info.id, "seed": session.seed, "done": session.done, "events": len(session.computed)})

    runs.open, runs.Session.close = counting, closing  # type: ignore[method-assign]
    (folder / "pid").write_text(str(os.getpid()))
    serve(port, browser=False)


if __name__ == "__main__":
    main()
