"""``import glasshouse`` is nearly free: issue's bar is 0.2 s over a bare interpreter, and none of the heavy packages."""

from __future__ import annotations

import os
import statistics
import subprocess
import sys

import pytest

HEAVY = {"torch", "scipy", "pandas", "pydantic", "plotly", "transformers", "joblib", "numpy", "typer", "rich", "panel", "param"}


def _seconds(code: str) -> float:
    """Of the processor, so that a busy machine does not count."""
    before = os.times()
    subprocess.run([sys.executable, "-c", code], check=True)
    after = os.times()
    return after.children_user + after.children_system - before.children_user - before.children_system


def test_import_brings_nothing_heavy() -> None:
    code = f"import sys, glasshouse; found = {HEAVY!r} & set(sys.modules); assert not found, found"
    subprocess.run([sys.executable, "-c", code], check=True)


def test_import_takes_no_time() -> None:
    rounds = [(_seconds("pass"), _seconds("import glasshouse")) for _ in range(5)]
    assert statistics.median(b - a for a, b in rounds) <= 0.2


def test_lazy_names_are_all_there_and_others_are_not() -> None:
    import glasshouse

    assert set(dir(glasshouse)) == set(glasshouse.__all__) == {"__version__", "load", "methods", "open", "run", "sweep"}
    for name in glasshouse.__all__:
        assert getattr(glasshouse, name) is not None
    with pytest.raises(AttributeError, match="no_such_name"):
        _ = glasshouse.no_such_name
