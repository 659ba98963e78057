"""Who may come in, on which port, what pages there are, and what a workshop changes; nothing is served here."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator
from typing import Any

import panel as pn
import pytest

from fake_lab import FakeCore, FakeLab
from glasshouse.schema.errors import BadValue
from glasshouse_widgets import labs
from glasshouse_widgets.apps import address, serve
from glasshouse_widgets.labs import choices, jobs
from glasshouse_widgets.labs.base import Lab


@pytest.fixture
def taken() -> Iterator[int]:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        one.listen()
        yield one.getsockname()[1]


@pytest.fixture
def free() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


@pytest.fixture
def served(monkeypatch: pytest.MonkeyPatch) -> list[tuple[dict[str, Any], dict[str, Any]]]:
    """What would have been served. No picture is drawn and no limit of this process moves."""
    calls: list[tuple[dict[str, Any], dict[str, Any]]] = []
    monkeypatch.setattr(pn, "serve", lambda pages, **options: calls.append((pages, options)))
    monkeypatch.setattr(jobs, "_pool", None)
    monkeypatch.setattr(jobs, "_workers", 99)
    return calls


def test_only_this_machine_at_home() -> None:
    assert address.origins(5006, workshop=False) == ["127.0.0.1:5006", "localhost:5006"]


def test_this_machines_names_in_a_workshop() -> None:
    found = address.origins(5010, workshop=True)
    assert {"127.0.0.1:5010", "localhost:5010", f"{socket.gethostname()}:5010"} < set(found)
    assert all(origin.endswith(":5010") for origin in found)
    assert not any("*" in origin or origin.startswith((":", "0.0.0.0")) for origin in found)
    assert len(found) == len(set(found))


def test_a_machine_without_a_network_has_its_names(monkeypatch: pytest.MonkeyPatch) -> None:
    def none(*_: Any, **__: Any) -> Any:
        raise OSError

    monkeypatch.setattr(socket, "getaddrinfo", none)
    monkeypatch.setattr(socket.socket, "connect", none, raising=False)
    assert f"{socket.gethostname()}:1" in address.origins(1, workshop=True)


@pytest.mark.parametrize("port", [-1, 65536])
def test_no_such_port(served: list[Any], port: int) -> None:
    with pytest.raises(BadValue, match=r"port = .*65535") as caught:
        serve.serve(port=port, browser=False)
    assert caught.value.argument == "port"
    assert served == []


def test_port_0_is_one_that_is_free_and_the_same_for_all_that_name_it(served: list[Any]) -> None:
    serve.serve(port=0, browser=False)
    (_, options), = served
    assert options["port"] > 0
    assert options["websocket_origin"] == address.origins(options["port"], workshop=False)


@pytest.mark.parametrize("workshop", [False, True])
def test_a_port_in_use(served: list[Any], taken: int, workshop: bool) -> None:
    with pytest.raises(BadValue, match="free"):
        serve.serve(port=taken, browser=False, workshop=workshop)
    assert served == []
    assert jobs._workers == 99                                  # refused before anything was begun


def test_home_answers_this_machine_only(served: list[Any], free: int) -> None:
    serve.serve(port=free, browser=False)
    (_, options), = served
    assert options["address"] == "127.0.0.1"
    assert options["websocket_origin"] == address.origins(free, workshop=False)
    assert options["port"] == free
    assert options["show"] is False
    assert options["websocket_max_message_size"] <= 1_000_000
    assert "num_threads" not in options
    assert jobs._workers == 99


def test_a_workshop_answers_all_and_computes_no_more_than_there_are_cores(served: list[Any], free: int) -> None:
    serve.serve(port=free, browser=False, workshop=True)
    (_, options), = served
    assert options["address"] is None
    assert options["websocket_origin"] == address.origins(free, workshop=True)
    assert jobs._workers == (os.cpu_count() or 1)


def test_the_limit_comes_before_the_first_computation(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(jobs, "_pool", object())
    monkeypatch.setattr(jobs, "_workers", 3)
    with pytest.raises(RuntimeError, match="before"):
        jobs.limit(1)
    assert jobs._workers == 3


def test_one_page_per_lab_and_the_gallery() -> None:
    found = labs.found()
    assert {"conformal", "decoding"} <= set(found)
    pages = serve.pages(found)
    assert set(pages) == {"/", *found}
    assert all(type(page).__name__ == "function" for page in pages.values())


@pytest.mark.parametrize("workshop", [False, True])
def test_each_visitor_gets_a_lab_of_their_own(monkeypatch: pytest.MonkeyPatch, workshop: bool) -> None:
    made: list[Any] = []
    monkeypatch.setattr(choices, "CORE", FakeCore)

    class Noted(FakeLab):
        def __init__(self, **options: Any) -> None:
            super().__init__(**options)
            made.append(self)

    class Second(Noted):
        family = "second"

    found: dict[str, type[Lab]] = {"fake": Noted, "second": Second}
    pages = serve.pages(found, workshop, ("small/one",))
    assert pages["fake"]() is not pages["fake"]()
    pages["second"]()
    assert [type(lab) for lab in made] == [Noted, Noted, Second]   # each page its own lab, not the last one of a loop
    for lab in made:
        assert lab.own is not workshop
        assert lab.models == ("small/one",)
        assert lab.home_url
        assert lab.wait()
        lab.close()


def test_the_gallery_names_every_lab_and_every_method() -> None:
    from glasshouse import catalogue
    from glasshouse_widgets.apps import gallery
    from glasshouse_widgets.labs.core import CORE

    found = labs.found()
    board = gallery.board(found, CORE())
    assert [row["lab"] for row in board["rows"]] == list(found)
    assert {m["id"] for m in board["methods"]} == {info.id for cls in found.values() for info in catalogue.methods(cls.family)}
    opened = {family: cls() for family, cls in found.items()}
    for method in board["methods"]:                             # its link opens that very method
        family, _, query = method["href"].partition("?")
        opened[family].open_link(f"?{query}")
        assert (opened[family].message, opened[family].method) == (None, method["id"])
    for lab in opened.values():
        lab.close()
    assert serve.pages(found)["/"]() is not None
