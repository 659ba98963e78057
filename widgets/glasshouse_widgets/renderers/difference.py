"""What is new in one picture against another: most of a look's pictures differ in little, and so do light and dark ones."""

from __future__ import annotations

import json
from typing import Any


def difference(was: Any, now: Any) -> Any:
    """None where nothing differs; ``{"new": value}``; or ``{"at": {key: difference}, "gone": [keys]}`` inside of objects and lists."""
    if was == now and type(was) is type(now):
        return None
    if isinstance(was, dict) and isinstance(now, dict):
        at = {key: difference(was[key], value) if key in was else {"new": value} for key, value in now.items()}
        parts: dict[str, Any] = {"at": {key: part for key, part in at.items() if part is not None}}
        gone = [key for key in was if key not in now]
        return parts | ({"gone": gone} if gone else {})
    if isinstance(was, list) and isinstance(now, list) and len(was) == len(now) and any(isinstance(v, (dict, list)) for v in now):
        at = {str(i): difference(a, b) for i, (a, b) in enumerate(zip(was, now, strict=True))}
        parts = {"at": {key: part for key, part in at.items() if part is not None}}
        return parts if len(json.dumps(parts)) < len(json.dumps(now)) else {"new": now}
    return {"new": now}


def patched(was: Any, change: Any) -> Any:
    """The inverse: ``patched(was, difference(was, now)) == now``. Pages do it in ``browser/still.js``."""
    if change is None:
        return was
    if "new" in change:
        return change["new"]
    if isinstance(was, list):
        return [patched(value, change["at"].get(str(i))) for i, value in enumerate(was)]
    kept = {key: value for key, value in was.items() if key not in change.get("gone", ())}
    return kept | {key: patched(kept.get(key), part) for key, part in change["at"].items()}
