"""The state of a lab as JSON and as a link: names and values that the knobs know, never text that a person typed."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qsl, urlencode

from glasshouse.schema.errors import BadValue, bad_value, shown

VERSION = 1
MOST = 4000         # characters of a link that are read
_FIXED = ("version", "lab", "method", "problem", "seed", "compare", "preset")


def to_query(state: Mapping[str, Any]) -> str:
    """``?version=1&lab=conformal&method=...``; values of the compared method end in ``~b``."""
    flat = {k: v for k, v in state.items() if k in _FIXED and v != ""}
    flat |= {name: _text(value) for name, value in state["values"].items()}
    flat |= {f"{name}~b": _text(value) for name, value in state.get("other", {}).items()}
    return "?" + urlencode(flat)


def _text(value: Any) -> str:
    if value is None:
        return "none"
    if isinstance(value, bool):
        return "true" if value else "false"
    return "-".join(map(str, value)) if isinstance(value, (tuple, list)) else str(value)


def from_query(query: str) -> dict[str, Any]:
    """The state that a link says, its values still text. An empty query is an empty state.

    Raises: BadValue for a link that is too long or says a thing twice.
    """
    if len(query) > MOST:
        raise bad_value("link", query, f"at most {MOST} characters")
    pairs = parse_qsl(query.removeprefix("?"), keep_blank_values=True)
    flat = dict(pairs)
    if len(flat) < len(pairs):
        raise BadValue("This link says one thing twice, so it was changed on the way.", "link")
    if not flat:
        return {}
    state: dict[str, Any] = {k: flat.pop(k) for k in _FIXED if k in flat}
    state["other"] = {k.removesuffix("~b"): v for k, v in flat.items() if k.endswith("~b")}
    state["values"] = {k: v for k, v in flat.items() if not k.endswith("~b")}
    return state


def check(state: Mapping[str, Any], lab: str) -> dict[str, Any]:
    """The state with its fixed part read and validated.

    Raises: BadValue that says in one sentence why the state cannot be opened.
    """
    allowed = {*_FIXED, "values", "other"}
    stray = [name for name in state if name not in allowed]
    if stray:
        raise BadValue(f"This state has {shown(', '.join(map(str, stray)))}, which no lab writes.", "link")
    version = str(state.get("version", ""))
    if version != str(VERSION):
        raise BadValue(f"This link is of version {version[:20] or 'unknown'}; this is version {VERSION}.", "link")
    if state.get("lab") != lab:
        raise bad_value("lab", state.get("lab"), f"a state of {lab}")
    seed = str(state.get("seed", 0))
    if not seed.isdecimal() or len(seed) > 10 or int(seed) >= 2**31:
        raise bad_value("seed", seed, "a whole number from 0 to 2147483647")
    for part in ("values", "other"):
        if not isinstance(state.get(part, {}), Mapping):
            raise bad_value(part, state[part], "values by name")
    if state.get("other") and not state.get("compare"):
        raise BadValue(f"This link says {shown(', '.join(map(str, state['other'])))} of a second method and names none.", "link")
    return {"method": "", "problem": "", "compare": "", "preset": "", "values": {}, "other": {}, **state, "seed": int(seed)}


def to_json(state: Mapping[str, Any]) -> str:
    return json.dumps(state, sort_keys=True)
