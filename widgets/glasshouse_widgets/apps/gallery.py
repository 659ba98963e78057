"""The first page: one row per family, a card per lab, a search over methods and papers."""

from __future__ import annotations

from typing import Any

import panel as pn
import param
from panel.custom import JSComponent

from glasshouse_widgets.apps.miniature import Frames, Miniatures
from glasshouse_widgets.labs.base import Lab
from glasshouse_widgets.labs.core import CORE, Core
from glasshouse_widgets.renderers.view import text


class Gallery(JSComponent):
    """``board`` is all text and links; ``frames`` maps family -> theme -> pictures."""

    board = param.Dict({})
    frames = param.Dict({})

    _esm = text("wire.js", "../apps/gallery.js")
    _stylesheets = [text("islands.css"), text("../apps/gallery.css")]


def board(labs: dict[str, type[Lab]], core: Core) -> dict[str, Any]:
    """Rows of cards, and every method with its paper as what the search looks through."""
    rows, found = [], []
    for family, cls in labs.items():
        infos = core.methods(family)
        rows.append({"family": family, "title": cls.title, "question": cls.question, "sentence": cls.sentence, "href": family,
                     "methods": len(infos)})
        for info in infos:
            query = f"?version=1&lab={family}&method={info.id}"
            found.append({"id": info.id, "paper": f"{info.paper.authors} {info.year}. {info.title}", "summary": info.summary,
                          "guarantee": str(info.guarantee), "href": f"{family}{query}"})
    return {"ack": 0, "rows": rows, "methods": found}


def page(labs: dict[str, type[Lab]], miniatures: Miniatures) -> pn.Column:
    """The gallery for one visitor; cards fill as their pictures are ready."""
    gallery = Gallery(board=board(labs, CORE()), sizing_mode="stretch_width", margin=0)
    doc = pn.state.curdoc

    def ready(family: str, frames: Frames) -> None:
        def show() -> None:
            gallery.frames = {**gallery.frames, family: frames}

        if doc is None or doc.session_context is None:
            show()
        else:
            doc.add_next_tick_callback(show)

    forget = miniatures.when(ready)
    if doc is not None and doc.session_context is not None:
        pn.state.on_session_destroyed(lambda _: forget())
    return pn.Column(gallery, sizing_mode="stretch_width", margin=0)
