"""The lab of tests as a page: ``python fake_app.py PORT FILE [workshop] [HOST]``; ``HOST`` is let in besides this machine.

Each computed event adds a character to FILE, each picture a line to ``pictures`` beside it (the names of its panes), each session
that is closed one to ``closed`` (how many of its steps were computed).
"""

from __future__ import annotations

import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import panel as pn

from fake_lab import FakeCore, FakeLab, FakeSession
from glasshouse_widgets.apps import door
from glasshouse_widgets.apps.serve import GONE, STAY, pages

LOG = Path(sys.argv[2])
ENDLESS = 200       # so many steps take minutes: whoever sees them end early has stopped them


class LoggedCore(FakeCore):
    """Slow enough to be watched; what it does can be seen from outside."""

    def __init__(self) -> None:
        super().__init__(delay=0.05)

    def pause(self, session: FakeSession) -> None:
        super().pause(session)
        if session.values.get("steps") == ENDLESS:
            time.sleep(1.0)
        with LOG.open("a") as log:
            log.write(".")

    def open(self, method: str, problem: str, seed: int, values: Mapping[str, Any]) -> Any:
        session = super().open(method, problem, seed, values)
        close = session.close

        def closing() -> None:
            close()
            with LOG.with_name("closed").open("a") as log:
                log.write(f"{len(session.computed)} of {values.get('steps')} steps\n")

        session.close = closing
        return session


class SlowLab(FakeLab):
    """What :func:`pages` asks for."""

    def __init__(self, **options: object) -> None:
        super().__init__(core=LoggedCore(), **options)
        self.param.watch(self._note, ["figures"])

    def _note(self, event: Any) -> None:
        with LOG.with_name("pictures").open("a") as log:
            log.write(" ".join(event.new) + "\n")


if __name__ == "__main__":
    port = int(sys.argv[1])
    found = {"fake": SlowLab}
    built = {path: page for path, page in pages(found, workshop="workshop" in sys.argv).items() if path != "/"}
    hosts = [f"127.0.0.1:{port}", *(one for one in sys.argv[3:] if one != "workshop")]
    pn.serve(built, port=port, show=False, address="127.0.0.1", websocket_origin=hosts, session_token_expiration=STAY,
             extra_patterns=[door.route(hosts)], **GONE)
