"""The Draft Tree Lab in the three places that have a screen, as a person would use it. The fourth is tests/widgets/labs."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import nbformat
import pytest

pytestmark = pytest.mark.browser

# The stage's title line, and the number of points it draws: what a person sees change.
STAGE = """
() => {
  const all = (root, css) => [...root.querySelectorAll(css),
    ...[...root.querySelectorAll("*")].flatMap((n) => n.shadowRoot ? all(n.shadowRoot, css) : [])];
  const graphs = all(document, ".js-plotly-plot").filter((g) => g.offsetParent && g.data);
  return graphs.flatMap((g) => [...g.querySelectorAll(".words > div")]).map((n) => n.innerText).find((t) => /Round \\d+ of \\d+/.test(t)) ?? "";
}
"""
NAMELESS = """
() => {
  const all = (root, css) => [...root.querySelectorAll(css),
    ...[...root.querySelectorAll("*")].flatMap((n) => n.shadowRoot ? all(n.shadowRoot, css) : [])];
  const named = (n) => (n.labels?.length ?? 0) > 0 || n.getAttribute("aria-label") || n.getAttribute("aria-labelledby") || n.title;
  const ours = all(document, "input, select, button, [role=slider]").filter((n) => n.offsetParent && !n.closest(".jp-Toolbar, .jp-SideBar"));
  return ours.filter((n) => !named(n) && !(n.textContent ?? "").trim()).map((n) => n.outerHTML.slice(0, 120));
}
"""


def stage(page: Any, says: str) -> str:
    """The stage's title once the lab rests and the title holds ``says``."""
    page.get_by_text("Up to date").first.wait_for()
    page.wait_for_function(f"(says) => ({STAGE})().includes(says)", arg=says)
    return str(page.evaluate(STAGE))


def press(page: Any, label: str, key: str) -> None:
    """A key on the slider of that name, as the keyboard reaches it."""
    slider = page.get_by_role("slider", name=label).first
    slider.focus()
    slider.press(key)


def drive(page: Any) -> None:
    """A look moves the picture; a knob starts a new run."""
    stage(page, says="Round ")
    press(page, "round", "Home")
    first = stage(page, says="Round 1 of")
    rounds = first.split(" of ")[1].split(":")[0]
    press(page, "new tokens", "Home")
    stage(page, says="Round 1 of 1:")
    assert rounds != "1"


def test_panel(page: Any, serve: Any) -> None:
    url = serve("-m", "glasshouse", "serve", "--no-browser", "--port", "{port}")
    page.goto(f"{url}/")
    page.get_by_text("Draft trees").first.wait_for()
    page.goto(f"{url}/decoding")
    drive(page)
    assert page.evaluate(NAMELESS) == [], "controls without a name for the keyboard and the screen reader"
    with page.expect_download() as download:        # what is set beside the drawing is in the picture that is taken away
        page.get_by_role("button", name="Download What was guessed, and what was kept as SVG").click(force=True)
    assert "Round 1 of 1:" in download.value.path().read_text("utf-8")


@pytest.fixture(scope="module")
def book(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("draft-trees")
    cell = nbformat.v4.new_code_cell("from glasshouse_widgets import DraftTreeLab\nDraftTreeLab()")
    made = nbformat.v4.new_notebook(cells=[cell], metadata={"kernelspec": {"name": "python3", "display_name": "Python 3"}})
    nbformat.write(made, folder / "lab.ipynb")
    return folder


def test_voila(page: Any, serve: Any, book: Path) -> None:
    url = serve("-m", "voila", str(book / "lab.ipynb"), "--no-browser", "--port={port}", "--template=glasshouse", "--Voila.ip=127.0.0.1",
                "--KernelManager.transport=ipc", path="/voila/static/voila.js")
    page.goto(url)
    drive(page)


def test_jupyterlab(page: Any, serve: Any, book: Path) -> None:
    url = serve("-m", "jupyterlab", "--no-browser", "--port={port}", "--ServerApp.ip=127.0.0.1", "--IdentityProvider.token=",
                "--LabApp.news_url=", f"--ServerApp.root_dir={book}", "--LabApp.expose_app_in_browser=True", "--allow-root",
                "--KernelManager.transport=ipc", path="/api")
    page.goto(f"{url}/lab/tree/lab.ipynb?reset")
    idle = "() => window.jupyterapp?.shell?.currentWidget?.context?.sessionContext?.session?.kernel?.status === 'idle'"
    page.wait_for_function(idle)
    page.evaluate("() => window.jupyterapp.commands.execute('notebook:run-all-cells')")
    drive(page)
