"""Threads that compute for a screen."""

from __future__ import annotations

import sys
import threading

_told = threading.local()


def one_thread() -> None:
    """Let torch, if it is loaded, use one thread where this is called from: workers beside each other fill the cores.

    Cheap, so that it can be called often: torch may be loaded by the very work that a thread does.
    """
    torch = sys.modules.get("torch")
    if torch is not None and hasattr(torch, "set_num_threads") and not getattr(_told, "done", False):
        torch.set_num_threads(1)
        _told.done = True
