"""Tests wait for states. Whoever reads the clock on the wall or rests for a time belongs into ``make bench``, or says here why not."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

TESTS = Path(__file__).resolve().parents[1]
CLOCKS = {"time.sleep", "time.monotonic", "time.perf_counter", "time.time", "asyncio.sleep"}
PLAYWRIGHT = (".wait_for", ".wait_for_function", ".wait_for_selector", ".goto")
WHY = {
    "patience.py": "the one place that polls, and gives up what hangs",
    "people.py": "how busy a process is can only be seen over a time; what says that it rests is polled",
    "eye.py": "polls until the page lies still",
    "fake_lab.py": "its steps take a time that the test chooses",
    "core/decoding/test_problems.py": "widens a race",
    "core/models/language/test_loading.py": "widens a race",
    "core/runs/test_session.py": "widens a race",
    "widgets/browser/conftest.py": "a server that does not end when asked is ended",
    "widgets/browser/counted.py": "a run that cannot end before somebody has left it",
    "widgets/browser/fake_app.py": "a run that cannot end before somebody has left it",
    "widgets/browser/latency.py": "a tool that measures, run by hand",
    "widgets/browser/test_panel.py": "polls while Playwright goes on",
}


def readings(text: str) -> Iterator[str]:
    """Calls of a clock, rests for a time, and waits that end after a number of seconds written at the call."""
    for node in ast.walk(ast.parse(text)):
        if not isinstance(node, ast.Call):
            continue
        name = ast.unparse(node.func)
        waits = name.endswith((".wait", ".join", ".result")) and node.args and _number(node.args[0])
        hurried = name.endswith(PLAYWRIGHT) and any(k.arg == "timeout" for k in node.keywords)
        if name in CLOCKS or name.endswith(".wait_for_timeout") or waits or hurried:
            yield f"{node.lineno}: {ast.unparse(node)}"


def _number(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and isinstance(node.value, int | float) and not isinstance(node.value, bool)


def measured(text: str) -> bool:
    return "pytestmark = pytest.mark.bench" in text


@pytest.mark.parametrize("text", [
    "time.sleep(1)", "lab.wait(5)", "thread.join(2.0)", "page.wait_for_timeout(400)", "page.goto(url, timeout=9)", "assert time.monotonic() < end"])
def test_a_reading_is_seen(text: str) -> None:
    assert list(readings(text))


def test_tests_wait_for_states() -> None:
    found = {}
    for path in sorted(TESTS.rglob("*.py")):
        name, text = path.relative_to(TESTS).as_posix(), path.read_text("utf-8")
        if name.startswith("benchmarks/") or measured(text):
            continue
        if lines := list(readings(text)):
            found[name] = lines
    assert {name: lines for name, lines in found.items() if name not in WHY} == {}
    assert sorted(WHY) == sorted(found), "a reason without a reading"
