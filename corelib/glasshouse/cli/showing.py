"""Everything about one method, as data and as text."""

from __future__ import annotations

import dataclasses
from typing import Any

from glasshouse import catalogue
from glasshouse.cli.writing import listed
from glasshouse.schema.knob import KnobField, knobs_of


def shown(id: str) -> dict[str, Any]:
    """What `show --json` prints."""
    info = catalogue.info(id)
    family = catalogue.modules(info.room)
    return listed(info) | {
        "summary": info.summary, "paper": dataclasses.asdict(info.paper) | {"url": info.paper.url},
        "knobs": _knobs(catalogue.load(id)), "looks": _knobs(family.Look),
        "problems": [{"name": p.name, "title": p.title, "fields": _knobs(p)} for p in family.problems],
        "views": [dataclasses.asdict(view) for view in info.views],
        "presets": [dataclasses.asdict(preset) for preset in info.presets], "studies": sorted(family.studies)}


def told(found: dict[str, Any]) -> str:
    """The same for a person."""
    paper, promise = found["paper"], found["guarantee"]
    lines = [f"{found['id']}: {found['summary']}", "",
             f"paper      {paper['title']}. {paper['authors']}, {paper['year']}. {paper['url']}"
             + (f" ({paper['where']})" if paper["where"] else ""),
             f"guarantee  {promise['kind']}: {promise['statement']}"]
    lines += [f"           assuming {one}" for one in promise["assumptions"]]
    lines += [f"           {promise['scope']}"] if promise["scope"] else []
    for title, knobs in (("knobs", found["knobs"]), ("looks", found["looks"])):
        lines += ["", title, *map(_line, knobs)] if knobs else []
    for problem in found["problems"]:
        lines += ["", f"problem {problem['name']}: {problem['title']}", *map(_line, problem["fields"])]
    lines += ["", "views", *(f"  {view['kind']}: {view['title']}" for view in found["views"])] if found["views"] else []
    lines += ["", "presets", *(f"  {one['name']}: {one['question']}" for one in found["presets"])] if found["presets"] else []
    return "\n".join(lines)


def _knobs(cls: type) -> list[dict[str, Any]]:
    return [_knob(field) for field in knobs_of(cls)]


def _knob(field: KnobField) -> dict[str, Any]:
    said = {f.name: getattr(field, f.name) for f in dataclasses.fields(field) if f.name != "knob"}
    about = field.knob
    return said | {"allowed": field.allowed(), "cost": about.cost, "unit": about.unit, "label": field.label, "help": about.help,
                   "group": about.group}


def _line(knob: dict[str, Any]) -> str:
    default = "-".join(map(str, knob["default"])) if isinstance(knob["default"], tuple) else knob["default"]
    return f"  {knob['name']} = {default}  [{knob['cost']}]  {knob['allowed']}" + (f"; {knob['help']}" if knob["help"] else "")
