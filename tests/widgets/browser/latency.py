"""From an input event to the painted figure, in a real browser: two animation frames after Plotly has drawn.

Run by itself against a served lab: ``python latency.py http://127.0.0.1:5006/decoding "test image" 200``.
"""

from __future__ import annotations

import json
import os
import statistics
import sys
from dataclasses import asdict, dataclass
from typing import Any

MOVE = """
async ({label, moves, stage, most}) => {
  const all = (root, css) => [...root.querySelectorAll(css), ...[...root.querySelectorAll("*")].flatMap((n) => n.shadowRoot ? all(n.shadowRoot, css) : [])];
  const named = (box) => [...(box.labels ?? [])].map((l) => l.textContent.trim()).concat(box.getAttribute("aria-label") ?? "");
  const slider = all(document, "input[type=range]").find((box) => named(box).some((n) => n.startsWith(label)));
  const graphs = all(document, ".js-plotly-plot").filter((g) => g.offsetParent);
  const target = graphs.find((g) => (g.getAttribute("aria-label") ?? "").startsWith(stage)) ?? graphs.sort((a, b) => b.clientWidth * b.clientHeight - a.clientWidth * a.clientHeight)[0];
  const frames = () => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)));
  const wait = (ms) => new Promise((done) => setTimeout(done, ms));
  const drawn = new Map();
  graphs.forEach((g) => g.addEventListener("drawn", async () => { const n = (drawn.get(g)?.n ?? 0) + 1; await frames(); drawn.set(g, { n, at: performance.now() }); }));
  const first = [], last = [];
  const low = +slider.min, high = +slider.max, step = +slider.step;
  let value = +slider.value, way = 1, seen = 0;
  for (let i = 0; i < moves; i++) {
    if (value + way * step > high || value + way * step < low) way = -way;
    value = +(value + way * step).toFixed(6);
    drawn.clear();
    const start = performance.now();
    slider.value = value;
    slider.dispatchEvent(new Event("input", { bubbles: true }));
    while (drawn.size === 0 && performance.now() - start < 5000) await wait(1);
    if (drawn.size === 0) throw new Error("no picture after 5 s");
    while (drawn.size < most && performance.now() - start < 700) await wait(1);
    seen = Math.max(seen, drawn.size);
    if (drawn.has(target)) first.push(drawn.get(target).at - start);
    last.push(Math.max(...[...drawn.values()].map((d) => d.at)) - start);
    slider.dispatchEvent(new Event("change", { bubbles: true }));
    await wait(30);
  }
  return { first, last, figures: seen };
}
"""


@dataclass(frozen=True)
class Latency:
    """Milliseconds. ``stage`` is the one picture, ``all`` the last of those that the move redrew.

    ``painted`` of the ``moves`` changed the stage: a figure that stays the same is not drawn again.
    """

    moves: int
    painted: int
    figures: int
    stage_p50: float
    stage_p95: float
    all_p50: float
    all_p95: float


def measure(page: Any, label: str, moves: int = 200, stage: str = "") -> Latency:
    """Moves the slider whose label begins with ``label`` step by step, each after the last one was painted.

    ``stage`` begins the description of the figure that counts as the stage; empty: the largest one.
    """
    asked = {"label": label, "stage": stage or "\0"}
    warm = page.evaluate(MOVE, asked | {"moves": 6, "most": 1000})
    found = page.evaluate(MOVE, asked | {"moves": moves, "most": warm["figures"]})
    return Latency(moves, len(found["first"]), found["figures"], _at(found["first"], 50), _at(found["first"], 95), _at(found["last"], 50), _at(found["last"], 95))


def _at(values: list[float], percent: int) -> float:
    return round(statistics.quantiles(values, n=100, method="inclusive")[percent - 1], 1)


def main() -> None:
    from playwright.sync_api import sync_playwright

    url, label, moves = sys.argv[1], sys.argv[2], int(sys.argv[3]) if len(sys.argv) > 3 else 200
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=os.environ.get("CHROMIUM", "/usr/bin/chromium"), args=["--no-sandbox"])
        page = browser.new_page(viewport={"width": 1280, "height": 1600})
        page.goto(url)
        page.wait_for_selector(".js-plotly-plot .plot-container")
        page.wait_for_timeout(2000)
        print(json.dumps(asdict(measure(page, label, moves))))
        browser.close()


if __name__ == "__main__":
    main()
