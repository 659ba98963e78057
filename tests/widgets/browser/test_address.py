"""Pages behind another address: a proxy that leaves or strips a path, a host that is not let in."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from relay import Relay

pytestmark = pytest.mark.browser
PATH = "/user/ann%40x/lab"
WIDE = ("hub.example.org", "localhost:1", "[::1]:8000")       # a list with an IPv6 literal takes another way


def port_of(url: str) -> int:
    return int(url.rsplit(":", 1)[1])


@pytest.fixture(scope="module")
def stripped(serve: Callable[..., str]) -> Iterator[Relay]:
    """In front of a server that knows nothing of the path."""
    with Relay(0, PATH, strip=True) as relay:
        relay.to = port_of(serve("-m", "glasshouse", "serve", "--no-browser", "--port", "{port}", "--allow-origin", relay.host, path="/door"))
        yield relay


@pytest.fixture(scope="module")
def prefixed(serve: Callable[..., str]) -> Iterator[Relay]:
    """In front of a server that knows the path."""
    with Relay(0, PATH) as relay:
        relay.to = port_of(serve("-m", "glasshouse", "serve", "--no-browser", "--port", "{port}", "--prefix", PATH,
                                 "--allow-origin", ",".join((relay.host, *WIDE)), path=f"{PATH}/door"))
        yield relay


@pytest.mark.parametrize("kind", ["stripped", "prefixed"])
def test_no_request_leaves_the_path(page: Any, request: pytest.FixtureRequest, kind: str) -> None:
    relay: Relay = request.getfixturevalue(kind)
    page.goto(relay.url)
    page.locator("a.gallery-card[href=conformal]").click()
    page.get_by_text("Up to date").wait_for()
    page.wait_for_function("() => location.search.includes('lab=conformal')")
    page.get_by_role("link", name="Glasshouse").click()
    page.get_by_label("Find").fill("lac least")
    page.locator(".gallery-found a").first.click()
    page.get_by_text("Up to date").wait_for()
    assert page.url.startswith(f"{relay.url}conformal?")
    assert relay.strays == []
    assert any(path.startswith(f"{PATH}/conformal/ws") for path in relay.paths)


def test_who_is_not_let_in_is_told_so(browser: Any, stripped: Relay) -> None:
    """Although Origin and Host agree: so they do for any name that somebody points at this machine."""
    with Relay(stripped.to) as other:
        for where in ("", "conformal"):
            page = browser.new_page()
            page.goto(other.url + where)
            said = page.get_by_role("alert")
            said.get_by_text(f"It was opened at {other.host}, and the server refuses connections from there.").wait_for()
            said.get_by_text(f"glasshouse serve --allow-origin {other.host}", exact=True).wait_for()
            page.close()


def test_a_proxy_without_websockets_is_named(browser: Any, stripped: Relay, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stripped, "sockets", False)
    page = browser.new_page()
    page.goto(stripped.url + "conformal")
    page.get_by_role("alert").get_by_text("does not pass WebSockets on").wait_for()
    page.close()
