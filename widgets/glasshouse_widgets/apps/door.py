"""What a page asks before it has a connection, or after it lost one: is the server there, is my lab, may I come in?"""

from __future__ import annotations

from typing import Any

from bokeh.server.util import check_allowlist
from bokeh.server.views.ws import WSHandler
from bokeh.settings import settings
from tornado.web import HTTPError, RequestHandler

from glasshouse_widgets.renderers.view import LINES, text

PATH = "door"           # relative to every page: pages stand side by side


class Door(RequestHandler):
    """``door?host=HOST&line=LINE`` -> ``{"welcome": may a page at HOST open its connection, "alive": is that view still there}``."""

    def initialize(self, origins: list[str]) -> None:
        self.origins = origins

    def get(self) -> None:
        self.set_header("Cache-Control", "no-store")
        origins = settings.allowed_ws_origin() or self.origins          # as Bokeh decides
        self.write({"welcome": check_allowlist(self.get_query_argument("host", "").lower(), origins),
                    "alive": self.get_query_argument("line", "") in LINES})


def guard() -> None:
    """From now on the list of hosts alone decides who may open a connection.

    Tornado from 6.6 on lets in every Origin that equals the Host, so any name that somebody points at this machine would be let in.
    """
    before = getattr(WSHandler.prepare, "before", WSHandler.prepare)

    async def prepare(self: WSHandler) -> None:
        origin = self.request.headers.get("Origin")
        if origin is not None and not self.check_origin(origin):
            raise HTTPError(403, "this origin is not let in")
        await before(self)

    prepare.before = before         # type: ignore[attr-defined]
    WSHandler.prepare = prepare


def route(origins: list[str]) -> tuple[str, type[Door], dict[str, Any]]:
    """For the server's list of patterns."""
    return f"/{PATH}", Door, {"origins": origins}


def frame() -> str:
    """What every page has around its content: it stands in the page itself, for without a connection nothing else arrives."""
    return "{% block postamble %}<style>{% raw %}" + text("browser/door.css") + "{% endraw %}</style><script>{% raw %}" \
        + text("browser/door.js") + "{% endraw %}</script>{% endblock %}"
