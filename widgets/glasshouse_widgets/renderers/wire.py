"""From messages of a browser to verbs of a lab. Nothing but these verbs can be reached, and nothing is trusted."""

from __future__ import annotations

import base64
import math
from collections.abc import Callable, Mapping
from typing import Any

from glasshouse.schema.errors import GlasshouseError
from glasshouse_widgets.labs.base import SPEEDS, Export, Lab, Message

Said = Mapping[str, Any]


def handle(lab: Lab, said: Any) -> dict[str, Any] | None:
    """Do what was asked. Returns a file for the browser to save, if that was asked. What makes no sense is ignored."""
    if not isinstance(said, Mapping):
        return None
    verb = _VERBS.get(str(said.get("do")))
    if verb is None:
        return None
    done = verb(lab, said)
    return {"filename": done.filename, "mime": done.mime, "text": done.text} if isinstance(done, Export) else None


def _set(lab: Lab, said: Said) -> None:
    name, _, second = str(said.get("key")).partition("~")
    side = int(bool(second))
    if side < len(lab.sides):
        lab.set(name, said.get("value"), side)


def _upload(lab: Lab, said: Said) -> None:
    """A piece of a file for a knob that takes one; the last piece sets the knob."""
    name, _, second = str(said.get("key")).partition("~")
    at, size, data = said.get("at"), said.get("size"), said.get("data")
    offered = {c.key: c.field for group in lab.controls() for c in (*group.controls, *group.folded)}
    field = offered.get(str(said.get("key")))
    if field is None or field.knob.unit != "file" or not lab.own or type(at) is not int or type(size) is not int or not isinstance(data, str):
        return
    try:
        path = lab.uploads.take(str(said.get("name")), at, size, base64.b64decode(data, validate=True))
    except (GlasshouseError, ValueError) as error:      # no base64 is a ValueError too
        lab.message = Message(str(error), str(said.get("key")))
        return
    if path is not None:
        lab.set(name, str(path), int(bool(second)))


def _choose(lab: Lab, said: Said) -> None:
    what = said.get("what")
    if what in ("method", "problem", "compare", "seed"):
        lab.choose(**{what: said.get("value")})


def _player(lab: Lab, said: Said) -> None:
    player, value = lab.player, said.get("value")
    if player is None or isinstance(value, bool) or not isinstance(value, (int, float)) or not math.isfinite(value):
        return
    moves: dict[Any, Callable[[], None]] = {
        "play": player.play, "pause": player.pause, "step": player.step, "back": lambda: player.step(-1),
        "first": lambda: player.step(-player.position), "newest": player.newest}
    what = said.get("what")
    if what in moves:
        moves[what]()
    elif what == "scrub":
        player.pause()
        player.scrub(int(value))
    elif what == "speed" and value in SPEEDS:
        player.speed = float(value)


def _export(lab: Lab, said: Said) -> Export | None:
    try:
        return lab.export_data(str(said.get("kind")))
    except GlasshouseError as error:
        lab.message = Message(str(error))
        return None


def _click(lab: Lab, said: Said) -> None:
    point = said.get("point")
    if isinstance(point, Mapping) and said.get("pane") in lab.figures:
        lab.click(str(said["pane"]), {k: point.get(k) for k in ("curve", "index", "x", "y", "customdata")})


def _theme(lab: Lab, said: Said) -> None:
    lab.theme = "light" if lab.theme == "dark" else "dark"


def _hello(lab: Lab, said: Said) -> None:
    lab.theme = "dark" if said.get("dark") is True else "light"


def _act(lab: Lab, said: Said) -> None:
    if said.get("name") in [a.name for a in lab.actions]:
        lab.act(str(said["name"]))


_VERBS: dict[str, Callable[[Lab, Said], Any]] = {
    "set": _set, "upload": _upload, "choose": _choose, "player": _player, "export": _export, "click": _click, "theme": _theme, "hello": _hello,
    "act": _act, "preset": lambda lab, said: lab.choose_preset(str(said.get("name"))), "reset": lambda lab, _: lab.reset(),
    "stop": lambda lab, _: lab.stop(), "resume": lambda lab, _: lab.resume()}
