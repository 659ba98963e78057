"""A notebook: a cell run again, a kernel that is busy or dead. The lab says which, and its state goes on, in JupyterLab and in Voilà."""

from __future__ import annotations

import os
import re
import signal
from pathlib import Path
from typing import Any

import nbformat
import pytest

pytestmark = pytest.mark.browser
IPC = "--KernelManager.transport=ipc"      # TCP ports of kernels that start together can collide
IDLE = "() => window.jupyterapp?.shell?.currentWidget?.context?.sessionContext?.session?.kernel?.status === 'idle'"
AGAIN = "() => window.jupyterapp.commands.execute('notebook:run-cell')"
ALIVE = """async () => {
  const kernel = window.jupyterapp.shell.currentWidget.context.sessionContext.session.kernel;
  const labs = "sum(isinstance(one, ConformalLab) and not one.closed for one in __import__('gc').get_objects())";
  const reply = await kernel.requestExecute({ code: "", silent: true, user_expressions: { labs } }).done;
  return +reply.content.user_expressions.labs.data["text/plain"];
}"""
RUN = "() => window.jupyterapp.commands.execute('notebook:run-cell-and-select-next')"
FADED = "[...document.querySelectorAll('.gh.plot')].map((n) => n.classList.contains('faded'))"
PAINTED = ".gh-grid .js-plotly-plot .main-svg"


@pytest.fixture
def book(tmp_path: Path) -> Path:
    """A lab, and a cell that keeps the kernel busy until a file is there."""
    show = f"import os\nfrom pathlib import Path\nfrom glasshouse_widgets import ConformalLab\n_ = Path({str(tmp_path / 'pid')!r}).write_text(str(os.getpid()))\nConformalLab()"
    wait = f"import time\nwhile not Path({str(tmp_path / 'go')!r}).exists():\n    time.sleep(0.05)"
    cells = [nbformat.v4.new_code_cell(show)]
    nbformat.write(nbformat.v4.new_notebook(cells=cells, metadata={"kernelspec": {"name": "python3", "display_name": "Python 3"}}), tmp_path / "lab.ipynb")
    cells = [nbformat.v4.new_code_cell(source) for source in (show, wait)]
    nbformat.write(nbformat.v4.new_notebook(cells=cells, metadata={"kernelspec": {"name": "python3", "display_name": "Python 3"}}), tmp_path / "two.ipynb")
    return tmp_path


def kill(book: Path) -> None:
    os.kill(int((book / "pid").read_text()), signal.SIGKILL)


def moved(page: Any, times: int) -> None:
    page.get_by_role("slider", name="alpha").focus()
    for _ in range(times):
        page.keyboard.press("ArrowRight")


def says(page: Any, words: str) -> None:
    page.locator(".severed").get_by_text(words).wait_for()


def up_to_date(page: Any) -> None:
    page.wait_for_selector(PAINTED)
    page.get_by_text("Up to date").wait_for()


def is_faded(page: Any) -> None:
    assert set(page.evaluate(FADED)) == {True}
    assert not page.get_by_text("Up to date").is_visible()


def test_jupyterlab(browser: Any, serve: Any, book: Path) -> None:
    url = serve("-m", "jupyterlab", "--no-browser", "--port={port}", "--ServerApp.ip=127.0.0.1", "--IdentityProvider.token=",
                f"--ServerApp.root_dir={book}", "--LabApp.expose_app_in_browser=True", "--LabApp.news_url=", "--allow-root", IPC, path="/api")
    context = browser.new_context(viewport={"width": 1280, "height": 900}, permissions=["clipboard-read", "clipboard-write"])
    page = context.new_page()
    page.goto(f"{url}/lab/tree/two.ipynb?reset")
    page.wait_for_function(IDLE)
    for one in (AGAIN, AGAIN, RUN):
        page.evaluate(one)
        up_to_date(page)
        assert page.evaluate(ALIVE) == 1            # the lab of a cell that is run again is closed
    assert page.locator(".gh-outer").count() == 1
    page.wait_for_function(IDLE)
    page.evaluate("() => { window.jupyterapp.commands.execute('notebook:run-cell-and-select-next'); }")      # not awaited: it lasts
    page.wait_for_function("() => window.jupyterapp.shell.currentWidget.context.sessionContext.session.kernel.status === 'busy'")
    moved(page, 2)
    says(page, "The kernel is busy")
    assert set(page.evaluate(FADED)) == {False}
    (book / "go").touch()
    up_to_date(page)
    page.locator(".severed").wait_for(state="hidden")
    moved(page, 5)
    page.wait_for_function("() => document.querySelector('.gh-grid dl.readout').innerText.includes('83.0')")

    kill(book)
    says(page, "The kernel has ended or was restarted")
    page.get_by_role("button", name="Ok").click()               # JupyterLab's own word on it
    is_faded(page)
    moved(page, 3)
    page.get_by_role("button", name="Copy the line that opens this state").click()
    says(page, "Copied.")
    line = page.evaluate("() => navigator.clipboard.readText()")
    assert re.fullmatch(r"ConformalLab\.from_state\(\{.*\}\)", line)
    from glasshouse_widgets import ConformalLab

    lab = eval(line, {"ConformalLab": ConformalLab})     # ours, and that is what a person does with it
    assert lab.message is None
    assert lab.values["alpha"] == 0.2
    context.close()


def test_voila(browser: Any, serve: Any, book: Path) -> None:
    url = serve("-m", "voila", str(book / "lab.ipynb"), "--no-browser", "--port={port}", "--template=glasshouse", "--Voila.ip=127.0.0.1", IPC,
                path="/voila/static/voila.js")
    context = browser.new_context(viewport={"width": 1280, "height": 900})
    page = context.new_page()
    page.goto(url)
    up_to_date(page)
    moved(page, 5)
    page.wait_for_function("() => document.querySelector('.gh-grid dl.readout').innerText.includes('85.0')")
    kill(book)
    says(page, "The kernel has ended or was restarted")
    is_faded(page)
    moved(page, 5)
    page.get_by_role("button", name="Reload with this state").click()
    page.wait_for_function("() => document.querySelector('.gh-grid dl.readout')?.innerText.includes('80.0')")
    up_to_date(page)
    context.close()
