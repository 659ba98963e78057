"""What a test of the Draft Tree Lab in Chromium does and sees: a served lab whose runs are counted, hands and eyes."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import psutil

from glasshouse_widgets.labs.decoding import DraftTreeLab
from patience import until
from wording import plain

LASTING = 77        # a seed: with it counted.py makes a run last
COUNTED = Path(__file__).parent / "widgets/browser/counted.py"
DEEP = """
const all = (css, root = document) => [...root.querySelectorAll(css),
  ...[...root.querySelectorAll("*")].flatMap((n) => n.shadowRoot ? all(css, n.shadowRoot) : [])];
const slider = (label) => all("input[type=range]").find((box) => [...(box.labels ?? [])].map((l) => l.textContent.trim())
  .concat(box.getAttribute("aria-label") ?? "").some((n) => n.startsWith(label)));
const graph = (begin) => all(".js-plotly-plot").find((g) => (g.getAttribute("aria-label") ?? "").startsWith(begin));
const rest = (ms) => new Promise((done) => setTimeout(done, ms));
"""
DRAG = "({label, values, every}) => {" + DEEP + """
  const box = slider(label);
  window.dragging = true;
  (async () => {
    for (const value of values) {
      box.value = value;
      box.dispatchEvent(new Event("input", { bubbles: true }));
      await rest(every);
    }
    box.dispatchEvent(new Event("change", { bubbles: true }));
    window.dragging = false;
  })();
}"""
SEEN = "() => {" + DEEP + """
  const texts = (g) => g && g.layout ? [...g.querySelectorAll(".words > div")].map((line) => line.innerText.replaceAll("\\u00a0", " ")) : null;
  const kept = graph("Bars of accepted guesses");
  return { text: texts(graph("The prompt, accepted guesses")), kept: kept && kept.data ? kept.data.slice(0, 2).map((d) => [...d.y]) : null };
}"""
PARTIAL = "async ({label, value}) => {" + DEEP + """
  const stage = graph("Tree of guesses"), before = JSON.stringify(stage.data), box = slider(label), start = performance.now();
  box.value = value;
  box.dispatchEvent(new Event("input", { bubbles: true }));
  while (performance.now() - start < 120000) {
    await new Promise(requestAnimationFrame);
    if (JSON.stringify(stage.data) !== before) { await new Promise(requestAnimationFrame); return performance.now() - start; }
  }
  return null;
}"""
SETTLED = "() => {" + DEEP + """
  const status = all(".status[data-status]")[0];
  return !window.dragging && !!status && !status.classList.contains("running") && status.dataset.status === "live" && all(".main-svg").length > 0
    && !all("[aria-busy=true]").length;
}"""
MESSAGES = "() => {" + DEEP + """ return all("p.message").map((p) => p.textContent.trim()).filter((t) => t && !t.startsWith("Copied")); }"""


@dataclass(frozen=True)
class Served:
    """A server with its runs counted."""

    url: str
    folder: Path

    def lines(self, name: str) -> list[dict[str, Any]]:
        path = self.folder / name
        return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []

    @property
    def runs(self) -> int:
        return len(self.lines("runs"))

    @property
    def process(self) -> psutil.Process:
        return psutil.Process(int((self.folder / "pid").read_text()))

    @property
    def complaints(self) -> str:
        """What was logged or printed as an error."""
        return "".join((self.folder / name).read_text() for name in ("log", "errors"))

    def megabytes(self) -> float:
        return float(self.process.memory_info().rss) / 1e6

    def busy(self, seconds: float = 0.5) -> float:
        """Cores in use over the next ``seconds``."""
        process = self.process
        before, start = sum(process.cpu_times()[:2]), time.monotonic()
        time.sleep(seconds)
        return float(sum(process.cpu_times()[:2]) - before) / (time.monotonic() - start)

    def idle(self) -> None:
        """Wait until two looks in a row find less than a tenth of a core in use."""
        until(lambda: self.busy() < 0.1 and self.busy() < 0.1)

    def deserted(self) -> None:
        """Wait until every run ever begun is closed."""
        until(lambda: len(self.lines("closed")) == self.runs)


def started(serve: Callable[..., str], folder: Path) -> Served:
    """A counted server with nothing running."""
    served = Served(serve(str(COUNTED), "{port}", str(folder), path="/decoding"), folder)
    served.idle()
    return served


@contextmanager
def visitor(browser: Any, link: str, height: int = 2000) -> Iterator[Any]:
    """A person with a browser of their own at ``link``, once the first picture is complete."""
    context = browser.new_context(viewport={"width": 1280, "height": height}, reduced_motion="reduce")
    try:
        page = context.new_page()
        page.goto(link)
        yield page
    finally:
        context.close()


def settle(page: Any) -> None:
    """Wait until the lab has answered all that was asked, says that its picture is up to date, and has drawn it."""
    page.wait_for_function(SETTLED)


def drag(page: Any, label: str, values: list[float], every: float = 40.0) -> None:
    """Begin to move the slider; does not wait for its end."""
    page.evaluate(DRAG, {"label": label, "values": values, "every": every})


def link(**values: Any) -> str:
    """Of the Draft Tree Lab, from the root of a server."""
    return "/decoding?" + "&".join(f"{k}={v}" for k, v in {"version": 1, "lab": "decoding", **values}.items())


def seen(page: Any) -> dict[str, Any]:
    """The picture on the screen: the words of the text so far, and what each round kept."""
    found: dict[str, Any] = page.evaluate(SEEN)
    return found


def expected(page: Any, method: str, **values: Any) -> dict[str, Any]:
    """What :func:`seen` must be at the round that the page shows, from a lab without a screen."""
    lab = _lab(method, tuple(sorted(values.items())))
    lab.set("round", int(page.locator(".where").inner_text().split()[1]) - 1)
    assert lab.wait()
    figures: Mapping[str, Any] = lab.figures
    return {"text": [plain(a["text"]) for a in figures["text"]["layout"]["annotations"]],
            "kept": [[int(y) for y in bar["y"]] for bar in figures["rounds"]["data"][:2]]}


@cache
def _lab(method: str, values: tuple[tuple[str, Any], ...]) -> DraftTreeLab:
    lab = DraftTreeLab(method=method, **dict(values))
    assert lab.wait()
    return lab


def messages(page: Any) -> list[str]:
    """Every message on the screen."""
    found: list[str] = page.evaluate(MESSAGES)
    return found


def percentile(values: list[float], percent: int) -> float:
    ordered = sorted(values)
    return round(ordered[min(len(ordered) - 1, round((len(ordered) - 1) * percent / 100))], 1)
