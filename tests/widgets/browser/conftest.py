"""Real Chromium against real servers on this machine; a request that would leave it, or an error of ours in the console, fails."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import nbformat
import pytest

ROOT = Path(__file__).parents[3]
CHROMIUM = os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
# Noise that is not ours: a labextension of a dependency that Voilà cannot load, and Voilà's heartbeat before its own page is there.
FOREIGN = ("docmanager", "voila_heartbeat")
LOCAL = ("http://127.0.0.1", "ws://127.0.0.1", "http://localhost", "ws://localhost", "data:", "blob:", "about:")


@pytest.fixture(scope="session")
def browser() -> Iterator[Any]:
    if CHROMIUM is None:
        pytest.fail("no Chromium: install it (apt install chromium) or set CHROMIUM to its path")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield chromium
        chromium.close()


@pytest.fixture
def page(browser: Any) -> Iterator[Any]:
    """A page that may only talk to this machine. What it said wrong is checked at the end."""
    context = browser.new_context(viewport={"width": 1280, "height": 900}, reduced_motion="reduce", accept_downloads=True)
    opened = context.new_page()
    left: list[str] = []
    errors: list[str] = []

    def allow(route: Any) -> None:
        if route.request.url.startswith(LOCAL):
            route.continue_()
        else:
            left.append(route.request.url)
            route.abort()

    context.route("**/*", allow)
    opened.on("pageerror", lambda error: errors.append(str(error)))
    opened.on("console", lambda message: errors.append(f"{message.text} {message.location.get('url', '')}") if message.type == "error" else None)
    yield opened
    context.close()
    assert left == [], "requests left the machine"
    ours = [e for e in errors if not any(word in e for word in FOREIGN)]
    assert ours == [], "errors in the console"


Serve = Callable[..., str]


@pytest.fixture(scope="session")
def serve() -> Iterator[Serve]:
    """``serve(args, path)`` starts a server as a process of its own and waits until it answers; ``{port}`` is filled in."""
    started: list[subprocess.Popen[bytes]] = []

    def start(*args: str, path: str = "/", wait: float = 60.0, **environment: str) -> str:
        port = _free_port()
        roots = [str(ROOT / "corelib"), str(ROOT / "widgets"), str(ROOT / "tests")]
        env = {**os.environ, "PYTHONPATH": os.pathsep.join(roots), "JUPYTER_PATH": str(ROOT / "widgets/share/jupyter"),
               "OMP_NUM_THREADS": "1", "PYTHONWARNINGS": "ignore", **environment}
        process = subprocess.Popen([sys.executable, *(a.replace("{port}", str(port)) for a in args)], env=env, start_new_session=True,
                                   stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        started.append(process)
        url = f"http://127.0.0.1:{port}"
        end = time.monotonic() + wait
        while time.monotonic() < end:
            assert process.poll() is None, f"{args} ended with {process.returncode}"
            try:
                urllib.request.urlopen(url + path, timeout=wait).close()
                return url
            except OSError:
                time.sleep(0.2)
        raise AssertionError(f"{args} did not answer in {wait} s")

    yield start
    for process in started:
        os.killpg(process.pid, signal.SIGTERM)
    for process in started:
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)


@pytest.fixture(scope="session")
def notebook(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with one notebook whose only cell shows a lab."""
    folder = tmp_path_factory.mktemp("notebooks")
    cell = nbformat.v4.new_code_cell("from glasshouse_widgets import ConformalLab\nlab = ConformalLab()\nlab")
    book = nbformat.v4.new_notebook(cells=[cell], metadata={"kernelspec": {"name": "python3", "display_name": "Python 3"}})
    nbformat.write(book, folder / "lab.ipynb")
    return folder


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
