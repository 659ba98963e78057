"""The lab of tests as a page: ``python fake_app.py PORT FILE``. Each computed event adds a character to FILE."""

from __future__ import annotations

import sys
import time
from pathlib import Path

import panel as pn

from fake_lab import FakeCore, FakeLab, FakeSession
from glasshouse_widgets.apps.miniature import Miniatures
from glasshouse_widgets.apps.serve import GONE, pages

LOG = Path(sys.argv[2])
ENDLESS = 200       # so many steps take a minute: whoever sees them end early has stopped them


class LoggedCore(FakeCore):
    """Slow enough to be watched; what it does can be seen from outside."""

    def __init__(self) -> None:
        super().__init__(delay=0.05)

    def pause(self, session: FakeSession) -> None:
        super().pause(session)
        if session.values.get("steps") == ENDLESS:
            time.sleep(0.25)
        with LOG.open("a") as log:
            log.write(".")


class SlowLab(FakeLab):
    """What :func:`pages` asks for."""

    def __init__(self, **options: object) -> None:
        super().__init__(core=LoggedCore(), **options)


if __name__ == "__main__":
    port = int(sys.argv[1])
    found = {"fake": SlowLab}
    built = {path: page for path, page in pages(found, Miniatures(found), workshop="workshop" in sys.argv).items() if path != "/"}
    pn.serve(built, port=port, show=False, address="127.0.0.1", websocket_origin=[f"127.0.0.1:{port}"], **GONE)
