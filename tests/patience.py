"""How a test waits: for a state, never for a time. Where time itself is the subject, it turns the hand of a clock (``hand.py``).

``PATIENCE`` ends what hangs. It is no bar: nothing is expected to take that long, on however busy a machine.
"""

from __future__ import annotations

import time
from collections.abc import Callable

PATIENCE = 180.0


def until(true: Callable[[], object], meanwhile: Callable[[], object] = lambda: time.sleep(0.005), seconds: float = PATIENCE) -> None:
    """Return once ``true()``; until then ``meanwhile()`` again and again."""
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end, "it never happened"
        meanwhile()
