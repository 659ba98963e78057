"""The gallery as ``glasshouse serve`` serves it, with its runs counted: ``python counted.py PORT FOLDER``.

``FOLDER/pid`` is this process, ``FOLDER/runs`` gets a line of JSON per run begun, ``FOLDER/closed`` one per session closed,
``FOLDER/log`` what was logged. A run with the seed ``LASTING`` rests after each event, so that it cannot end before somebody has left it.
"""

from __future__ import annotations

import json
import logging
import os
import sys
import threading
import time
from collections.abc import Generator
from pathlib import Path
from typing import Any

from people import LASTING


def slowly(work: Generator[Any, None, None]) -> Generator[Any, None, None]:
    try:
        for item in work:
            yield item
            time.sleep(0.5)
    finally:
        work.close()


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
        session = opened(id, problem, seed, **values)
        if seed == LASTING:
            session._work = slowly(session._work)
        return session

    def closing(session: runs.Session) -> None:
        closed(session)
        note("closed", {"method": session.info.id, "seed": session.seed, "done": session.done, "events": len(session.computed)})

    runs.open, runs.Session.close = counting, closing  # type: ignore[method-assign]
    (folder / "pid").write_text(str(os.getpid()))
    serve(port, browser=False)


if __name__ == "__main__":
    main()
