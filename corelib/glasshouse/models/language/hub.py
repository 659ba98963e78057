"""Hub ids: in the local cache, to be fetched, or out of reach."""

from __future__ import annotations

import re
import socket
from urllib.parse import urlsplit
from urllib.request import getproxies

from glasshouse.schema.errors import bad_value

_ID = re.compile(r"[A-Za-z0-9][\w.-]*(/[A-Za-z0-9][\w.-]*)?")
PATIENCE = 3.0
"""Seconds to wait for the hub: its own client would retry for half a minute."""


def is_hub_id(text: str) -> bool:
    """``model`` or ``owner/model``."""
    return _ID.fullmatch(text) is not None


def fetchable(name: str, argument: str) -> bool:
    """False where the local cache has it, True where it has to be fetched; BadValue where neither is possible."""
    from huggingface_hub import constants, try_to_load_from_cache

    if isinstance(try_to_load_from_cache(name, "config.json"), str):
        return False
    if constants.HF_HUB_OFFLINE or not _reachable(constants.ENDPOINT):
        raise bad_value(argument, name, "neither a folder nor in the local cache, and the hub cannot be reached: "
                                        "give the path of a folder, or a model that was downloaded before")
    return True


def _reachable(endpoint: str) -> bool:
    parts = urlsplit(endpoint)
    if parts.scheme in getproxies():                        # then only the proxy knows
        return True
    try:
        with socket.create_connection((parts.hostname or "", parts.port or 443), PATIENCE):
            return True
    except OSError:
        return False
