"""The first page: one row per family, a card per lab, a search over methods and papers."""

from __future__ import annotations

from typing import Any

import panel as pn
import param
from panel.custom import JSComponent

from glasshouse_widgets.apps.miniature import Frames, Miniatures
from glasshouse_widgets.labs.base import Lab
from glasshouse_widgets.labs.core import CORE, Core
from glasshouse_widgets.renderers.arrays import to_json
from glasshouse_widgets.renderers.to_panel import ENGINE, post_here
from glasshouse_widgets.renderers.view import text


class Gallery(JSComponent):
    """``board`` is all text and links; ``frames`` maps lab -> theme -> pictures."""

    board = param.String("{}")
    frames = param.String("{}")
    engine = param.String(ENGINE, constant=True)

    _esm = text("wire.js", "bring.js", "browser/gallery.js")
    _stylesheets = [text("islands.css"), text("browser/gallery.css")]


def board(labs: dict[str, type[Lab]], core: Core) -> dict[str, Any]:
    """Rows of cards, and every method with its paper as what the search looks through."""
    rows, found = [], []
    for name, cls in labs.items():
        infos = core.methods(cls.room)
        rows.append({"family": cls.family, "lab": name, "title": cls.title, "question": cls.question, "sentence": cls.sentence,
                     "href": name, "methods": len(infos)})
        for info in infos:
            query = f"?version=1&lab={name}&method={info.id}"
            found.append({"id": info.id, "paper": f"{info.paper.authors} {info.year}. {info.title}", "summary": info.summary,
                          "guarantee": str(info.guarantee), "href": f"{name}{query}"})
    return {"ack": 0, "rows": rows, "methods": found}


def page(labs: dict[str, type[Lab]], miniatures: Miniatures, core: Core | None = None) -> pn.Column:
    """The gallery for one visitor; cards fill as their pictures are ready."""
    gallery = Gallery(board=to_json(board(labs, core or CORE())), sizing_mode="stretch_width", margin=0)
    post = post_here() or (lambda callback: callback())
    shown: dict[str, Frames] = {}

    def show(name: str, frames: Frames) -> None:
        shown[name] = frames
        gallery.frames = to_json(shown)

    forget = miniatures.when(lambda name, frames: post(lambda: show(name, frames)))
    if pn.state.curdoc is not None and pn.state.curdoc.session_context is not None:
        pn.state.onload(lambda: gallery.param.update(frames=gallery.frames + " "))     # see PanelView
        pn.state.on_session_destroyed(lambda _: forget())
    return pn.Column(gallery, sizing_mode="stretch_width", margin=0)
