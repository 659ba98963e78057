from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from fake_lab import FakeLab
from tapped import Make, Tap, tap


@pytest.fixture
def tapped() -> Iterator[Make]:
    """A started lab at rest on a core that a test opens and shuts."""
    made: list[FakeLab] = []

    def lab(**choices: Any) -> FakeLab:
        made.append(FakeLab(core=Tap(), **choices))
        assert made[-1].wait()
        return made[-1]

    yield lab
    for one in made:
        one.close()
        tap(one).flow()
