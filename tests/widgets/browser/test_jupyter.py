"""The same lab in JupyterLab and in Voilà, with no network."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.browser
IPC = "--KernelManager.transport=ipc"      # TCP ports of kernels that start together can collide
IDLE = "() => window.jupyterapp?.shell?.currentWidget?.context?.sessionContext?.session?.kernel?.status === 'idle'"
FIGURES = "[...document.querySelectorAll('.js-plotly-plot')].map((g) => JSON.stringify(g.data) + g.innerText).join()"
PAINTED = ".gh-grid .js-plotly-plot .main-svg"


def _knob_is_live(page: Any) -> None:
    page.wait_for_selector(PAINTED)
    slider = page.get_by_role("slider", name="alpha")
    slider.focus()
    for _ in range(5):
        page.keyboard.press("ArrowRight")
    page.wait_for_function(f"() => ({FIGURES}).includes('alpha 0.15')")
    assert page.locator(".gh-grid dl.readout dd b").first.inner_text().strip() == "85.0"


def test_voila(page: Any, serve: Any, notebook: Path) -> None:
    url = serve("-m", "voila", str(notebook / "lab.ipynb"), "--no-browser", "--port={port}", "--template=glasshouse", "--Voila.ip=127.0.0.1", IPC,
                path="/voila/static/voila.js")
    page.goto(url)
    _knob_is_live(page)


def test_jupyterlab(page: Any, serve: Any, notebook: Path) -> None:
    url = serve("-m", "jupyterlab", "--no-browser", "--port={port}", "--ServerApp.ip=127.0.0.1", "--IdentityProvider.token=",
                f"--ServerApp.root_dir={notebook}", "--LabApp.expose_app_in_browser=True", "--LabApp.news_url=", "--allow-root", IPC, path="/api")
    page.goto(f"{url}/lab/tree/lab.ipynb?reset")
    page.wait_for_function(IDLE)
    page.evaluate("() => window.jupyterapp.commands.execute('notebook:run-all-cells')")
    _knob_is_live(page)
