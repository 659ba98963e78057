"""What a lab shows besides figures, as plain JSON for the browser: one board per part of the frame. Functions without effects."""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable
from typing import Any

from glasshouse.schema.guarantee import Guarantee
from glasshouse_widgets.labs.base import SPEEDS, Control, Group, Lab, Reading, Slot
from glasshouse_widgets.labs.uploads import SUFFIXES

Board = dict[str, Any]
VISIBLE = 7             # knobs that are shown before the rest folds under "more"
STEPS = 200             # of a slider whose knob names no step
SLIDES = 1000           # most steps that a slider may have; beyond, a number is typed
LONG = 200              # characters from which a text gets several lines

_SIGNS = {"heuristic": ("≈", "soft"), "none": ("✕", "bad")}
_PROVED = ("lossless", "lossless-greedy", "exact")
_SAYS = {"empty": "Not started.", "loading": "Working on the first picture.", "live": "Up to date.",
         "stale": "Still the picture from before; the new one is coming.", "failed": "That did not work; the last good picture stays.",
         "cancelled": "Stopped. This much is computed."}


def head(lab: Lab) -> Board:
    """Title, method, compared method, guarantee, presets."""
    info = lab.infos[lab.method]
    paper = info.paper
    names = [{"value": id, "text": lab.call(id)} for id in lab.infos]
    return {"kind": "head", "shape": [lab.page(), lab.home_url], "theme": lab.theme, "title": lab.title, "home": lab.home_url,
            "methods": names, "method": lab.method, "others": [{"value": "", "text": "nothing"}, *names], "compare": lab.compare,
            "badge": badge(lab.badge) if lab.badge else None, "preset": lab.preset,
            "presets": [{"name": p.name, "question": p.question} for p in lab.presets],
            "paper": {"text": f"{_short(paper.authors)} {paper.year}: {paper.title}", "url": paper.url}}


def _short(authors: str) -> str:
    """Two names at most: the title matters more."""
    names = authors.split(", ")
    return authors if len(names) < 3 else f"{names[0]} et al."


def badge(promise: Guarantee) -> Board:
    """Sign and tone are a second and third channel beside the word."""
    sign, tone = _SIGNS.get(promise.kind, ("✓", "good") if promise.kind in _PROVED else ("◐", "fair"))
    return {"sign": sign, "tone": tone, "kind": str(promise), "statement": promise.statement,
            "assumptions": list(promise.assumptions), "scope": promise.scope}


def knobs(lab: Lab) -> Board:
    """Problem, seed, and groups of controls with their values and messages."""
    groups = _folded(lab.controls())
    spec = [{"title": g.title, "looks": g.looks, "controls": [_control(c) for c in g.controls],
             "folded": [_control(c) for c in g.folded]} for g in groups]
    actions = [{"name": a.name, "label": a.label, "help": a.help, "busy": a.busy} for a in lab.actions]
    values = {c.key: _plain(getattr(c.holder, c.name)) for g in groups for c in (*g.controls, *g.folded)}
    shown = {"seed", *values, *(a.name for a in lab.actions)}
    messages = {lab.message.knob: lab.message.text} if lab.message and lab.message.knob in shown else {}
    return {"kind": "knobs", "shape": [spec, actions], "theme": lab.theme, "groups": spec, "actions": actions, "values": values,
            "messages": messages, "acting": list(lab.acting), "problem": lab.problem, "seed": lab.seed,
            "problems": [{"value": name, "text": p.title} for name, p in lab.problems.items()]}


def status(lab: Lab, beside: Collection[str] = ()) -> Board:
    """The state in words, progress, what can be done about it, and the message unless it stands ``beside`` a control."""
    text = _SAYS[lab.status]
    if lab.running and lab.status == "live":
        text = "Computing on."
    if lab.progress is not None and lab.progress.message:
        text = f"{text} {lab.progress.message}"
    offer = {"do": "stop", "text": "Stop"} if lab.running or lab.acting else None
    if offer is None and lab.status in ("cancelled", "failed", "empty"):
        offer = {"do": "resume", "text": {"cancelled": "Go on", "failed": "Try again", "empty": "Start"}[lab.status]}
    message = lab.message.text if lab.message and lab.message.knob not in beside else ""
    return {"kind": "status", "shape": [], "theme": lab.theme, "status": lab.status, "running": bool(offer and offer["do"] == "stop"),
            "text": text, "share": lab.progress.share if lab.progress else None, "offer": offer, "message": message,
            "painting": lab.rest_waits}


def readout(lab: Lab) -> Board:
    return {"kind": "readout", "shape": [], "theme": lab.theme, "items": numbers(lab.readout)}


def numbers(readout: Iterable[Reading]) -> list[Board]:
    """What the readout says, number by number."""
    return [{"label": r.label, "value": r.value, "other": r.other, "unit": r.unit, "meaning": r.meaning} for r in readout]


def story(lab: Lab) -> Board:
    return {"kind": "story", "shape": [], "theme": lab.theme, "see": lab.story.see, "attempt": lab.story.attempt}


def player(lab: Lab) -> Board:
    """Only for a lab with a sequence."""
    assert lab.player is not None
    p, look = lab.player, lab.sequence
    more = "…" if lab.running else ""
    return {"kind": "player", "shape": [look], "theme": lab.theme, "look": look, "speeds": list(SPEEDS), "position": p.position,
            "length": p.length, "playing": p.playing, "speed": p.speed,
            "where": f"{look} {p.position + 1 if p.length else 0} of {p.length}{more}"}


def plot(lab: Lab, slot: Slot) -> Board:
    """What belongs to one figure besides itself."""
    config = lab.figure_config(slot.name)
    return {"theme": lab.theme, "title": title(lab, slot), "describe": slot.describe, "first": slot.place == "stage",
            "height": slot.height, "config": config, "filename": config["toImageButtonOptions"]["filename"],
            "status": lab.status if slot.place != "state" else "live", "still": False}


def title(lab: Lab, slot: Slot) -> str:
    """What stands over a figure; in compare, whose it is."""
    return f"{slot.title}: {lab.named(int(slot.name.endswith('~b')))}" if len(lab.sides) > 1 and slot.split else slot.title


def _folded(groups: tuple[Group, ...]) -> list[Group]:
    """At most seven knobs in sight; looks stay, they are safe to move."""
    left, found = VISIBLE, []
    for g in groups:
        if not g.looks:
            seen, left = g.controls[:left], max(0, left - len(g.controls))
            g = Group(g.title, seen, (*g.controls[len(seen):], *g.folded))
        found.append(g)
    return found


def _control(c: Control) -> Board:
    field, knob = c.field, c.field.knob
    unit = "" if knob.unit in (*field.label.split(), "file") else knob.unit
    spoken = field.label + (f", {unit}" if unit else "") + (", compared method" if c.side else "")
    spec: Board = {"key": c.key, "label": field.label, "spoken": spoken, "unit": unit, "cost": knob.cost, "help": knob.help,
                   "optional": field.optional, "widget": {"bool": "toggle", "choice": "choice", "int": "number", "float": "number"}.get(
                       field.kind, "text")}
    if spec["widget"] == "number":
        spec |= _range(c)
    if field.kind == "choice":
        spec["choices"] = [{"value": v, "text": "none" if v is None else str(v)} for v in field.choices]
    if spec["widget"] == "text":
        spec |= {"longest": field.max_length or 4000, "long": knob.unit != "file" and (field.max_length or 0) >= LONG,
                 "file": list(SUFFIXES) if knob.unit == "file" else None}
    return spec


def _range(c: Control) -> Board:
    """Bounds and step of a slider, or of a number alone where a slider would have no use."""
    f = c.field
    step = f.knob.step
    if step is None:
        step = 1 if f.kind == "int" else _round_step((f.high - f.low) / STEPS) if f.low is not None and f.high is not None else None
    low = f.low + step if f.low_open and step and f.low is not None else f.low
    high = f.high - step if f.high_open and step and f.high is not None else f.high
    bounded = low is not None and high is not None and step is not None
    log = f.knob.log and bounded and low is not None and low > 0
    slides = bounded and not f.optional and (log or (high - low) / step <= SLIDES)  # type: ignore[operator]
    return {"low": low, "high": high, "step": step, "log": log, "slides": slides}


def _round_step(x: float) -> float:
    """The largest of 1, 2, 5 times a power of ten that is at most ``x``."""
    power = 10.0 ** math.floor(math.log10(x))
    return float(f"{max(m for m in (1, 2, 5) if m * power <= x * (1 + 1e-9)) * power:.6g}")


def _plain(value: Any) -> Any:
    return "-".join(map(str, value)) if isinstance(value, tuple) else value
