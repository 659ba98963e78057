"""Real Chromium against real servers on this machine; a request that would leave it, or an error of ours in the console, fails."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import sys
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import nbformat
import pytest

from patience import PATIENCE, until

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
        yield Patient(chromium)
        chromium.close()


class Patient:
    """The browser, whose pages wait for a state as long as it takes."""

    def __init__(self, browser: Any) -> None:
        self._browser = browser

    def __getattr__(self, name: str) -> Any:
        return getattr(self._browser, name)

    def new_context(self, **options: Any) -> Any:
        context = self._browser.new_context(**options)
        context.set_default_timeout(PATIENCE * 1000)
        return context

    def new_page(self, **options: Any) -> Any:
        page = self._browser.new_page(**options)
        page.set_default_timeout(PATIENCE * 1000)
        return page


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
    ports = ExitStack()

    def start(*args: str, path: str = "/", **environment: str) -> str:
        port = ports.enter_context(_port_of_its_own())
        roots = [str(ROOT / "corelib"), str(ROOT / "widgets"), str(ROOT / "tests")]
        env = {**os.environ, "PYTHONPATH": os.pathsep.join(roots), "JUPYTER_PATH": str(ROOT / "widgets/share/jupyter"),
               "OMP_NUM_THREADS": "1", "PYTHONWARNINGS": "ignore", **environment}
        process = subprocess.Popen([sys.executable, *(a.replace("{port}", str(port)) for a in args)], env=env, start_new_session=True,
                                   stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        started.append(process)
        url = f"http://127.0.0.1:{port}"

        def answers() -> bool:
            assert process.poll() is None, f"{args} ended with {process.returncode}"
            try:
                urllib.request.urlopen(url + path, timeout=PATIENCE).close()
                return True
            except OSError:
                return False

        until(answers)
        return url

    yield start
    for process in started:
        os.killpg(process.pid, signal.SIGTERM)
    for process in started:
        try:
            process.wait(10)                # politely asked; whoever does not hear it is ended
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
    ports.close()


@pytest.fixture(scope="session")
def notebook(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with one notebook whose only cell shows a lab."""
    folder = tmp_path_factory.mktemp("notebooks")
    cell = nbformat.v4.new_code_cell("from glasshouse_widgets import ConformalLab\nlab = ConformalLab()\nlab")
    book = nbformat.v4.new_notebook(cells=[cell], metadata={"kernelspec": {"name": "python3", "display_name": "Python 3"}})
    nbformat.write(book, folder / "lab.ipynb")
    return folder


@pytest.fixture(scope="module")
def port() -> Iterator[int]:
    """For a server that a test stops and starts."""
    with _port_of_its_own() as one:
        yield one


@contextmanager
def _port_of_its_own() -> Iterator[int]:
    """A port that nobody else is given meanwhile: it stays bound here without listening, which only a server told its number may join."""
    with socket.socket() as held:
        held.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        held.bind(("127.0.0.1", 0))
        port: int = held.getsockname()[1]
        yield port
