"""What the first visitor of a lab would wait for is loaded while they still look at the gallery: libraries, models and data."""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterable

from glasshouse_widgets.labs.base import Lab
from glasshouse_widgets.labs.core import Core

log = logging.getLogger(__name__)


class Warmth:
    """:meth:`begin` loads on a thread of its own, once, however many galleries are opened. No lab is opened and nothing is drawn."""

    def __init__(self, labs: Iterable[type[Lab]], core: Core) -> None:
        self._labs, self._core = tuple(labs), core
        self._lock = threading.Lock()
        self.thread: threading.Thread | None = None
        self._over = False

    def begin(self) -> None:
        with self._lock:
            if self.thread is None:
                self.thread = threading.Thread(target=self._load, name="glasshouse-warmth", daemon=True)
                self.thread.start()

    def end(self) -> None:
        """Somebody has opened a lab, which needs the processor now: what is not loaded yet waits for whoever opens it."""
        self._over = True

    def _load(self) -> None:
        for cls in self._labs:
            if self._over:
                return
            try:
                self._core.problems(cls.room)[0]().open()
            except Exception:           # whoever opens that lab is told
                log.exception("%s could not be loaded beforehand", cls.__name__)
