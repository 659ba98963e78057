"""The first page: one row per family, a card per lab, a search over methods and papers. It is all text, links and pictures that ship."""

from __future__ import annotations

from typing import Any

import panel as pn
import param
from panel.custom import JSComponent

from glasshouse_widgets.apps import miniature
from glasshouse_widgets.labs.base import Lab
from glasshouse_widgets.labs.core import CORE, Core
from glasshouse_widgets.renderers.arrays import to_json
from glasshouse_widgets.renderers.to_panel import ENGINE
from glasshouse_widgets.renderers.view import text

PROGRAM = text("wire.js", "browser/gallery.js")
STYLES = text("islands.css", "browser/gallery.css")


class Gallery(JSComponent):
    """``board`` is all that is shown; ``engine`` what the first lab will need."""

    board = param.String("{}")
    engine = param.String(ENGINE, constant=True)

    _esm = PROGRAM
    _stylesheets = [STYLES]


def board(labs: dict[str, type[Lab]], core: Core) -> dict[str, Any]:
    """Rows of cards, and every method with its paper as what the search looks through. No lab is opened."""
    rows, found, strips = [], [], miniature.shipped()
    for name, cls in labs.items():
        infos = core.methods(cls.room)
        rows.append({"family": cls.family, "lab": name, "title": cls.title, "question": cls.question, "sentence": cls.sentence,
                     "href": name, "methods": len(infos), "picture": strips[name].board(name) if name in strips else None})
        for info in infos:
            query = f"?version=1&lab={name}&method={info.id}"
            found.append({"id": info.id, "paper": f"{info.paper.authors} {info.paper.year}. {info.paper.title}", "summary": info.summary,
                          "guarantee": str(info.guarantee), "href": f"{name}{query}"})
    return {"ack": 0, "rows": rows, "methods": found}


def page(labs: dict[str, type[Lab]], core: Core | None = None) -> pn.Column:
    """The gallery for one visitor."""
    gallery = Gallery(board=to_json(board(labs, core or CORE())), sizing_mode="stretch_width", margin=0)
    return pn.Column(gallery, sizing_mode="stretch_width", margin=0)
