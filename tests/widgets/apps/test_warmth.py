"""Behind the gallery every lab's problem is loaded once, and one that cannot be loaded stops no other."""

from __future__ import annotations

from typing import Any

import pytest

from fake_lab import FakeCore, FakeLab
from glasshouse_widgets.apps.warmth import Warmth


class Noted(FakeCore):
    def __init__(self) -> None:
        super().__init__()
        self.opened: list[str] = []

    def problems(self, room: str) -> Any:
        def open_one() -> None:
            self.opened.append(room)
            if room == "fake.broken":
                raise OSError("no such file")

        return (lambda: type("Spec", (), {"open": staticmethod(open_one)}),)


class Broken(FakeLab):
    room = "fake.broken"


class Other(FakeLab):
    room = "fake.other"


def test_problems_are_loaded_once_and_errors_stop_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    def opened(self: FakeLab, *_: Any, **__: Any) -> None:
        raise AssertionError("a lab was opened")

    monkeypatch.setattr(FakeLab, "__init__", opened)
    core = Noted()
    warmth = Warmth([Broken, Other], core)
    for _ in range(3):
        warmth.begin()
    assert warmth.thread is not None
    warmth.thread.join()
    assert core.opened == ["fake.broken", "fake.other"]


def test_it_ends_where_somebody_opens_a_lab() -> None:
    core = Noted()
    warmth = Warmth([Broken, Other], core)
    warmth.end()
    warmth.begin()
    assert warmth.thread is not None
    warmth.thread.join()
    assert core.opened == []
