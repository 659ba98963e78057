"""A folder for a course page: the gallery and every lab as pages that need no server and no network."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Mapping
from pathlib import Path

import glasshouse
from glasshouse.schema.errors import bad_value
from glasshouse.schema.events.base import Progress
from glasshouse.schema.place import new_folder, whole
from glasshouse_widgets import labs
from glasshouse_widgets.apps import gallery, miniature
from glasshouse_widgets.labs.base import Lab
from glasshouse_widgets.labs.core import CORE
from glasshouse_widgets.labs.snapshot import MOST
from glasshouse_widgets.renderers import to_html
from glasshouse_widgets.renderers.view import text

MARK = "glasshouse.json"        # says that a folder is a handout, which may be replaced by a newer one
ASSETS = "assets"
INDEX = "index.html"
PATIENCE = 600.0                # seconds that a lab may train before it is recorded


def handout(out: str | Path, told: Callable[[Progress], object] = lambda progress: None, states: int = MOST,
            found: Mapping[str, Callable[[], Lab]] | None = None) -> Path:
    """Write the gallery and every lab, each with one look that moves through up to ``states`` values. Returns the folder.

    ``told`` hears which lab is under way. ``found``: labs by page, by default all. The folder is new, empty, or an older handout, and
    is there whole or as it was.

    Raises: BadValue, before any work, for a folder that cannot be written or holds something else.
    """
    target = _place(out)
    chosen = labs.found() if found is None else found
    classes = {name: cls for name, cls in labs.found().items() if name in chosen}
    with whole(target) as part:
        (part / ASSETS).mkdir(parents=True)
        for done, (name, cls) in enumerate(classes.items()):
            told(Progress(done=done, total=len(classes), message=cls.title))
            (part / f"{name}.html").write_text(_recorded(chosen[name], name, states), "utf-8")
        for file, source in {**to_html.assets(), **_gallery_assets()}.items():
            (part / ASSETS / file).write_text(source, "utf-8")
        (part / INDEX).write_text(_index(classes, part), "utf-8")
        (part / MARK).write_text(json.dumps({"glasshouse": glasshouse.__version__, "pages": [INDEX, *(f"{n}.html" for n in classes)]}), "utf-8")
        if target.exists():
            shutil.rmtree(target)
    told(Progress(done=len(classes), total=len(classes)))
    return target


def _place(out: str | Path) -> Path:
    target = new_folder(out)
    if target.is_dir() and any(target.iterdir()) and not (target / MARK).is_file():
        raise bad_value("out", str(out), "a new folder, an empty one or an older handout, and this holds something else")
    return target


def _recorded(make: Callable[[], Lab], name: str, states: int) -> str:
    """The page of a lab."""
    lab = make()
    try:
        if not lab.wait(PATIENCE) or not lab.figures:
            raise RuntimeError(f"{name} has no picture: {lab.message}")
        return to_html.page(lab, to_html.taken(lab, states=states), home=INDEX, shared=[f"{ASSETS}/{file}" for file in to_html.assets()])
    finally:
        lab.close()


def _gallery_assets() -> dict[str, str]:
    return {"gallery.css": text("browser/gallery.css"), "gallery.js": to_html.part("Gallery", gallery.PROGRAM) + "\n" + text("browser/shelf.js")}


def _index(classes: Mapping[str, type[Lab]], part: Path) -> str:
    """The gallery with its links to the pages beside it, and its pictures copied there."""
    board = gallery.board(dict(classes), CORE())
    for one in (*board["rows"], *board["methods"]):
        one["href"] = f"{one['href'].partition('?')[0]}.html"
    pictures = miniature.folder()
    for picture in [row["picture"] for row in board["rows"] if row["picture"]]:
        for address in (picture["light"], picture["dark"]):
            (part / address).parent.mkdir(exist_ok=True)
            assert pictures is not None
            shutil.copyfile(pictures / Path(address).name, part / address)
    shared = [f"{ASSETS}/{file}" for file in ("glasshouse.css", "gallery.css", "gallery.js")]
    data = f'<script type="application/json" id="board">{to_html.script(board)}</script>'
    return to_html.document("Glasshouse", f'<div id="gallery"></div>{_NOTE}{data}', shared)


_NOTE = f"""<footer class="gh still-note"><p><b>These pages are recordings</b>: one look of every lab moves, and nothing is computed.
The live labs, with every knob and method: <code>{to_html.LIVE.replace('"', "&quot;")}</code>, then <code>glasshouse</code>.</p></footer>"""
