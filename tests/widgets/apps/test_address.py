"""Which hosts may come in and under which path, read before anything starts; what Panel makes of a Host header."""

from __future__ import annotations

import pytest
from bokeh.server.util import check_allowlist
from panel.io import location

from glasshouse.schema.errors import BadValue
from glasshouse_widgets.apps import address, serve


@pytest.mark.parametrize(("text", "origin"), [
    ("hub.example.org", "hub.example.org"), ("Hub.Example.org", "hub.example.org"), ("localhost:8000", "localhost:8000"),
    ("hub.example.org:443", "hub.example.org"), ("10.0.0.7:5006", "10.0.0.7:5006"), ("[::1]:8000", "[::1]:8000"), ("[::1]", "[::1]")])
def test_a_host_lets_in_the_origin_that_a_browser_names(text: str, origin: str) -> None:
    allowed = address.hosts((f" {text} ",))
    assert check_allowlist(origin, allowed)
    for other in ("evil.example.org", "example.org", f"{origin.partition(':')[0]}:81", "localhost"):
        assert not check_allowlist(other, allowed)


@pytest.mark.parametrize("text", ["https://hub.example.org", "hub.example.org/lab", "*", "*.example.org", "hub:port", "hub:99999", "hub:0", "hub:",
                                  "a b", "[::1", "::1", "[::g]", "user@hub", "-hub", "", "http:", "hub?x", "ünder.example.org"])
def test_no_host(text: str) -> None:
    with pytest.raises(BadValue, match=r"allow_origin = .*hub.example.org") as caught:
        address.hosts((text,))
    assert caught.value.argument == "allow_origin"


@pytest.mark.parametrize(("text", "path"), [("", ""), ("/", ""), ("lab", "/lab"), ("/user/ann%40x/lab/", "/user/ann%40x/lab"), (" /a ", "/a")])
def test_a_path(text: str, path: str) -> None:
    assert address.prefix(text) == path


@pytest.mark.parametrize("text", ["a//b", "../a", "a/./b", "a b", "a?b", "a#b", "a+b", "(a)", "a\\b", "ä"])
def test_no_path(text: str) -> None:
    with pytest.raises(BadValue, match=r"prefix = .*user/ann/lab"):
        address.prefix(text)


@pytest.mark.parametrize("wrong", [{"allow_origin": ("https://hub",)}, {"prefix": "a b"}])
def test_a_mistake_is_told_before_anything_starts(monkeypatch: pytest.MonkeyPatch, wrong: dict[str, object]) -> None:
    def started(*_: object, **__: object) -> None:
        raise AssertionError("something was started")

    monkeypatch.setattr(serve, "_free", started)
    monkeypatch.setattr(serve.pn, "serve", started)
    with pytest.raises(BadValue):
        serve.serve(browser=False, **wrong)     # type: ignore[arg-type]


@pytest.mark.parametrize("host", ["[::1]:5006", "[fe80::1", "a:b:c", "127.0.0.1:5006", "", None])
def test_no_host_header_is_an_error(monkeypatch: pytest.MonkeyPatch, host: str | None) -> None:
    plain = getattr(location._get_location_params, "plain", location._get_location_params)
    monkeypatch.setattr(location, "_get_location_params", plain)
    assert address.takes_any_host()
    assert address.takes_any_host()         # once is enough
    found = location._get_location_params("http", host, "/lab/conformal?alpha=0.2")
    assert (found["pathname"], found["search"]) == ("/lab/conformal", "?alpha=0.2")
    if host == "127.0.0.1:5006":
        assert (found["hostname"], found["port"]) == ("127.0.0.1", "5006")


def test_a_panel_without_that_function_is_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(location, "_get_location_params")
    assert not address.takes_any_host()
    assert not hasattr(location, "_get_location_params")
