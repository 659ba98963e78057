from __future__ import annotations

from collections.abc import Iterator

import pytest

from fake_lab import FakeCore, FakeLab


@pytest.fixture
def lab() -> Iterator[FakeLab]:
    """Not yet started."""
    one = FakeLab(core=FakeCore())
    yield one
    one.close()
