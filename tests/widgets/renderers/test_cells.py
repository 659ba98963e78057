"""A cell that is run again closes the lab it replaces, and no other: in a real kernel, with the cell ids that JupyterLab sends."""

from __future__ import annotations

import ast
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from jupyter_client.manager import KernelManager

from patience import PATIENCE, until

pytestmark = pytest.mark.notebook
ROOT = Path(__file__).parents[3]
BEGIN = """
import gc, threading, time, weakref
import ipywidgets
from fake_lab import FakeCore, FakeLab
made = []
def lab_(**choices):
    lab = FakeLab(core=FakeCore(), **choices)
    made.append([weakref.ref(lab), weakref.ref(lab.core)])
    return lab
"""
# What there is of the labs made so far: "open", "closed", or "gone" from memory.
STATES = """
def states():       # between two calls the kernel's loop takes what threads have sent it, which holds their lab
    gc.collect()
    return [("gone" if ref() is None else "closed" if ref().closed else "open") for ref, _ in made]
"""
WIDGETS = "said = len(ipywidgets.widgets.widget._instances)"


class Notebook:
    """Cells of one kernel, each with an id."""

    def __init__(self, client: Any) -> None:
        self.client = client

    def run(self, cell: str, code: str, fails: bool = False) -> Any:
        """What ``code`` ends with, if that is a literal."""
        content = {"code": code, "silent": False, "store_history": True, "user_expressions": {"x": "globals().get('said')"}, "allow_stdin": False}
        message = self.client.session.msg("execute_request", content, metadata={"cellId": cell} if cell else {})
        self.client.shell_channel.send(message)
        while True:
            reply = self.client.get_shell_msg(timeout=PATIENCE)
            if reply["parent_header"].get("msg_id") == message["header"]["msg_id"]:
                break
        assert (reply["content"]["status"] == "error") == fails, reply["content"]
        shown = reply["content"].get("user_expressions", {}).get("x", {})
        return ast.literal_eval(shown["data"]["text/plain"]) if shown.get("status") == "ok" else None

    def comes_to(self, *states: str) -> None:
        """Work under way ends at its next step; until then it holds its lab."""
        until(lambda: (found := self.run("test", "said = states()")) == list(states) or self.wrong(found, states))

    def wrong(self, found: list[str], states: tuple[str, ...]) -> bool:
        assert [one == "open" for one in found] == [one == "open" for one in states], found
        return False


@pytest.fixture(scope="module")
def kernel() -> Iterator[Any]:
    roots = [str(ROOT / "corelib"), str(ROOT / "widgets"), str(ROOT / "tests")]
    manager = KernelManager(kernel_name="python3", transport="ipc")      # TCP ports of kernels that start together can collide
    manager.start_kernel(env={**os.environ, "PYTHONPATH": os.pathsep.join(roots)})
    client = manager.client()
    client.start_channels()
    client.wait_for_ready()
    yield client
    client.stop_channels()
    manager.shutdown_kernel(now=True)


@pytest.fixture
def notebook(kernel: Any) -> Notebook:
    one = Notebook(kernel)
    one.run("begin", "%reset -f" + BEGIN + STATES)
    return one


def test_a_cell_run_again_closes_the_lab_that_it_replaces(notebook: Notebook) -> None:
    """Its threads end in mid-run, its widgets are closed, its memory is free although IPython keeps every result."""
    cell = "lab = lab_(steps=200)\nlab.core.delay = 0.02\nlab"
    notebook.run("a", cell)
    widgets = notebook.run("test", WIDGETS)
    for again in range(1, 4):
        notebook.run("a", cell)
        notebook.comes_to(*["gone"] * again, "open")
    assert notebook.run("test", WIDGETS) == widgets
    notebook.run("a", "lab = None")
    notebook.comes_to(*["gone"] * 4)


def test_a_lab_without_a_name_lives_as_long_as_its_cell_shows_it(notebook: Notebook) -> None:
    notebook.run("a", "lab_()")
    notebook.run("b", "1 + 1")
    notebook.comes_to("open")
    notebook.run("a", "lab_()")
    notebook.comes_to("gone", "open")


def test_labs_of_other_cells_stay(notebook: Notebook) -> None:
    notebook.run("a", "lab = lab_()\nlab")
    notebook.run("b", "lab = lab_()\nlab")          # the name moves on, the first is still on the screen
    notebook.comes_to("open", "open")
    notebook.run("b", "lab = lab_()\nlab")
    notebook.comes_to("open", "gone", "open")
    notebook.run("a", "2")
    notebook.comes_to("gone", "gone", "open")


def test_a_lab_in_two_cells_goes_with_the_last(notebook: Notebook) -> None:
    notebook.run("make", "lab = lab_()")
    notebook.run("a", "lab")
    notebook.run("b", "lab")
    notebook.run("a", "lab")
    notebook.comes_to("open")
    notebook.run("make", "lab = lab_()")
    notebook.comes_to("open", "open")    # the old one is on the screen, twice
    notebook.run("a", "lab")
    notebook.comes_to("open", "open")
    notebook.run("b", "lab")
    notebook.comes_to("gone", "open")


@pytest.mark.parametrize("keep", ["kept = [lab_()]\nkept[0]", "kept = {'x': (lab_(),)}\nkept['x'][0]",
                                  "class Box: pass\nkept = Box()\nkept.lab = lab_()\nkept.lab", "kept = lab_()\nkept"])
def test_what_a_name_holds_stays(notebook: Notebook, keep: str) -> None:
    notebook.run("a", keep)
    notebook.run("a", "3")
    notebook.comes_to("open")
    notebook.run("b", "del kept")
    notebook.comes_to("gone")


def test_a_cell_that_fails_has_taken_its_output_back(notebook: Notebook) -> None:
    notebook.run("a", "lab_()")
    notebook.run("a", "1 / 0", fails=True)
    notebook.comes_to("gone")


def test_where_cells_have_no_id_nothing_is_taken_back(notebook: Notebook) -> None:
    notebook.run("", "lab_()")
    notebook.run("", "lab_()")
    notebook.comes_to("open", "open")
