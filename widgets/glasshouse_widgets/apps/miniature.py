"""The pictures on the gallery's cards: strips of frames that the labs drew beforehand, so that nobody waits for them."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from glasshouse import assets
from glasshouse.schema.errors import Unsupported
from glasshouse_widgets.labs.base import Lab
from glasshouse_widgets.renderers.arrays import encode

FRAMES = 6
PATIENCE = 120.0        # seconds that a lab may take for a frame
SLUG = "miniatures"     # the path under which they are served

Frames = dict[str, list[dict[str, Any]]]        # by theme


@dataclass(frozen=True)
class Strip:
    """``frames`` pictures side by side in one file a theme; ``still`` is the one shown at rest. ``drawn_from``: see :func:`fingerprint`."""

    frames: int
    still: int
    drawn_from: str

    @staticmethod
    def file(lab: str, theme: str) -> str:
        return f"{lab}-{theme}.webp"

    def board(self, lab: str) -> dict[str, Any]:
        """For the browser: places relative to the gallery."""
        return {"frames": self.frames, "still": self.still, **{theme: f"{SLUG}/{self.file(lab, theme)}" for theme in ("light", "dark")}}


def folder() -> Path | None:
    """Where the strips are; None where this installation has none."""
    try:
        return assets.path("miniatures")
    except Unsupported:
        return None


def shipped() -> dict[str, Strip]:
    """The strips by lab. A lab without one has a plain card."""
    home = folder()
    if home is None or not (home / "index.json").is_file():
        return {}
    found = {lab: Strip(**said) for lab, said in json.loads((home / "index.json").read_text("utf-8")).items()}
    return {lab: strip for lab, strip in found.items() if all((home / strip.file(lab, theme)).is_file() for theme in ("light", "dark"))}


@dataclass(frozen=True, eq=False)
class Drawn:
    """``frames`` of a lab's stage, which of them tells most at rest, and the choices that the lab opened with."""

    frames: Frames
    still: int
    choices: dict[str, Any]


def draw(cls: type[Lab], frames: int = FRAMES) -> Drawn:
    """The stage as its sequence is played, or as its first look sweeps its range."""
    lab = cls()
    choices = {name: lab.state()[name] for name in ("method", "problem", "seed", "values")}
    stage = next(slot.name for slot in lab.slots if slot.place == "stage")
    found: Frames = {"light": [], "dark": []}
    try:
        lab.wait(PATIENCE)
        stops = _stops(lab, frames)
        for name, value in stops:
            lab.set(name, value)
            for theme, shown in found.items():
                lab.theme = theme
                lab.wait(PATIENCE)
                if stage in lab.figures:
                    shown.append(encode(lab.figures[stage]))
    finally:
        lab.close()
    return Drawn(found, len(found["light"]) - 1 if lab.player is not None else 0, choices)


def fingerprint(cls: type[Lab]) -> str:
    """A hash of what a strip is drawn from: the choices that the lab opens with, and the form of its stage at both ends of what is played.

    The form is what every machine agrees on: kinds, names, colours and titles of axes. Numbers are left out, since the last digits of a
    network's differ between processors; every knob is among the choices, so other defaults count.
    """
    drawn = draw(cls, 2)
    said = [drawn.choices, [[_form(figure) for figure in shown] for shown in drawn.frames.values()]]
    return hashlib.sha256(json.dumps(said, sort_keys=True, default=str).encode()).hexdigest()[:16]


def _form(figure: dict[str, Any]) -> Any:
    def titled(part: Any) -> Any:
        return part.get("title", {}).get("text") if isinstance(part, dict) and isinstance(part.get("title"), dict) else None

    layout = figure["layout"]
    traces = [[t.get("type"), t.get("mode"), t.get("name"), _colour(t.get("marker")), _colour(t.get("line"))] for t in figure["data"]]
    return [traces, sorted((name, titled(part)) for name, part in layout.items() if "axis" in name), sorted(layout)]


def _colour(part: Any) -> Any:
    colour = part.get("color") if isinstance(part, dict) else None
    return colour if isinstance(colour, str) else None


def _stops(lab: Lab, frames: int) -> list[tuple[str, Any]]:
    if lab.player is not None:
        n = lab.player.length
        return [(lab.sequence, round(i * (n - 1) / max(frames - 1, 1))) for i in range(min(frames, n))]
    for field in lab.looks.fields.values():
        if field.kind == "float" and field.low is not None and field.high is not None:
            start, end = field.default, field.low + 0.4 * (field.high - field.low)
            return [(field.name, round(start + i * (end - start) / (frames - 1), 4)) for i in range(frames)]
    return [(name, value) for name, value in list(lab.looks.values().items())[:1]]
