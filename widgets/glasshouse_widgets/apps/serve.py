"""The gallery and one page per lab, from one Panel server."""

from __future__ import annotations

import os
import socket
from collections.abc import Callable
from typing import Any

import panel as pn
from bokeh.settings import settings
from panel.io.resources import LOCAL_DIST

from glasshouse.schema.errors import bad_value
from glasshouse_widgets import labs
from glasshouse_widgets.apps import address, door, gallery, miniature
from glasshouse_widgets.apps.warmth import Warmth
from glasshouse_widgets.labs import jobs
from glasshouse_widgets.labs.base import Lab
from glasshouse_widgets.labs.core import CORE
from glasshouse_widgets.renderers.to_panel import render

# A browser that has gone is noticed after this; what it computed stops then.
GONE = {"unused_session_lifetime_milliseconds": 10_000, "check_unused_sessions_milliseconds": 2_000, "keep_alive_milliseconds": 10_000}
STAY = 7 * 24 * 3600    # seconds for which a page that lost its connection may take it up again, if its session still lives
LARGEST = 1_000_000     # bytes of a message from a browser
PAGE = """
body { margin: 0; background: #f6f7f9; }
@media (prefers-color-scheme: dark) { body { background: #0f1114; } }
"""


def serve(port: int = 5006, browser: bool = True, workshop: bool = False, allow_models: tuple[str, ...] = (),
          allow_origin: tuple[str, ...] = (), prefix: str = "") -> None:
    """Serve until stopped. Only this machine is answered, except in a ``workshop``.

    ``workshop``: everyone who can reach this machine may use the labs; paths, prompts and uploads are off but for the models
    named in ``allow_models``, and no more computations run at once than there are cores.
    ``allow_origin``: further hosts (``host`` or ``host:port``) under which a proxy or a tunnel shows these pages; ``prefix``: the path
    that it leaves before theirs.

    Raises: BadValue, before anything starts, for a port that cannot be had, a host that is none, a path that cannot be served.
    """
    allowed, path = address.hosts(allow_origin), address.prefix(prefix)
    port = _free(port, "" if workshop else "127.0.0.1")
    found = labs.found()
    if workshop:
        jobs.limit(os.cpu_count() or 1)
    welcome = address.origins(port, workshop, allowed)
    if literals := [host for host in welcome if host.startswith("[")]:
        settings.allowed_ws_origin.set_value(welcome)      # Bokeh's list of hosts knows no IPv6; this one is read as it is
        welcome = [host for host in welcome if host not in literals]
    address.takes_any_host()
    door.guard()
    pictures = miniature.folder()
    static = {miniature.SLUG: str(pictures)} if pictures else {}
    pn.serve(pages(found, workshop, allow_models), static_dirs=static, port=port, show=browser, address=None if workshop else "127.0.0.1",
             websocket_origin=welcome, title={"/": "Glasshouse", **{f: cls.title for f, cls in found.items()}}, prefix=path,
             websocket_max_message_size=LARGEST, session_token_expiration=STAY, extra_patterns=[door.route([*welcome, *literals])], **GONE)


def pages(found: dict[str, type[Lab]], workshop: bool = False, allow_models: tuple[str, ...] = ()) -> dict[str, Callable[[], Any]]:
    """Path -> what builds the page for one visitor."""
    warmth = Warmth(found.values(), CORE())
    built: dict[str, Callable[[], Any]] = {"/": lambda: _gallery(found, warmth)}     # Panel calls functions, not partials
    return built | {name: lambda cls=cls: _lab(cls, workshop, allow_models, warmth) for name, cls in found.items()}


def _gallery(found: dict[str, type[Lab]], warmth: Warmth) -> Any:
    _begin_page()
    if pn.state.curdoc is not None and pn.state.curdoc.session_context is not None:
        pn.state.onload(warmth.begin)
    return gallery.page(found)


def _lab(cls: type[Lab], workshop: bool, allow_models: tuple[str, ...], warmth: Warmth) -> Any:
    warmth.end()
    _begin_page()
    lab = cls(own=not workshop, models=allow_models)
    lab.home_url = "./"
    if pn.state.location is not None:
        lab.open_link(pn.state.location.search or "")
    return render(lab)


def _begin_page() -> None:
    """A document takes its styles from this server from its first model on: until Panel has written the page it would take them from afar."""
    pn.extension(raw_css=[PAGE])
    if pn.state.curdoc is not None:
        pn.state.curdoc.template_variables.setdefault("dist_url", LOCAL_DIST)
        pn.state.curdoc.template = door.frame()


def _free(port: int, address: str) -> int:
    """``port``, or for 0 one that the system chooses."""
    if not 0 <= port <= 65535:
        raise bad_value("port", port, "a whole number from 1 to 65535, or 0 for any that is free")
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((address, port))
        except OSError:
            raise bad_value("port", port, "a port that is free: try another with --port") from None
        return int(probe.getsockname()[1])
