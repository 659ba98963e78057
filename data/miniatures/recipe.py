"""Draws the pictures of the gallery's cards: every lab's stage, as its sequence is played or its first look moves, light and dark.

    python data/miniatures/recipe.py [LAB ...]      # two minutes on 2 cores; needs Chromium, as the browser tests do
"""

from __future__ import annotations

import io
import json
import os
import shutil
import sys
from dataclasses import asdict
from pathlib import Path
from typing import Any

from PIL import Image
from playwright.sync_api import sync_playwright
from plotly.offline import get_plotlyjs

from glasshouse_widgets import labs
from glasshouse_widgets.apps.miniature import Strip, draw, fingerprint

HERE = Path(__file__).resolve().parent
DRAWN = (720, 480)          # pixels at which a figure is laid out
SHOWN = (480, 320)          # and kept: more than the largest card takes
QUALITY = 55
PAPER = {"light": "#ffffff", "dark": "#16191d"}
DRAW = """([figure, paper, width, height]) => {
  document.body.style.cssText = `margin: 0; background: ${paper}`;
  const node = document.getElementById("stage");
  const layout = { ...figure.layout, width, height, paper_bgcolor: paper };
  return Plotly.newPlot(node, figure.data, layout, { staticPlot: true });
}"""


def chromium() -> str:
    found = os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("google-chrome")
    if not found:
        sys.exit("Chromium is needed: install it, or give its path as CHROMIUM=/path/to/chromium")
    return found


def strip(page: Any, figures: list[dict[str, Any]], theme: str) -> bytes:
    """All frames side by side."""
    whole = Image.new("RGB", (SHOWN[0] * len(figures), SHOWN[1]), PAPER[theme])
    for place, figure in enumerate(figures):
        page.evaluate(DRAW, [figure, PAPER[theme], *DRAWN])
        shot = Image.open(io.BytesIO(page.screenshot(clip={"x": 0, "y": 0, "width": DRAWN[0], "height": DRAWN[1]})))
        whole.paste(shot.convert("RGB").resize(SHOWN, Image.Resampling.LANCZOS), (place * SHOWN[0], 0))
    out = io.BytesIO()
    whole.save(out, "WEBP", quality=QUALITY, method=6)
    return out.getvalue()


def main(chosen: list[str]) -> None:
    index = HERE / "index.json"
    said: dict[str, Any] = json.loads(index.read_text("utf-8")) if index.is_file() else {}
    found = labs.found()
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium(), args=["--no-sandbox"])
        page = browser.new_page(viewport={"width": DRAWN[0], "height": DRAWN[1]}, device_scale_factor=2)
        page.set_content('<div id="stage"></div>')
        page.add_script_tag(content=get_plotlyjs())
        for name in chosen or list(found):
            drawn = draw(found[name])
            for theme, figures in drawn.frames.items():
                content = strip(page, figures, theme)
                (HERE / Strip.file(name, theme)).write_bytes(content)
                print(f"{name} {theme}: {len(figures)} frames, {len(content) / 1000:.0f} kB", flush=True)
            said[name] = asdict(Strip(len(drawn.frames["light"]), drawn.still, fingerprint(found[name])))
        browser.close()
    index.write_text(json.dumps({name: said[name] for name in found if name in said}, indent=1) + "\n", "utf-8")


if __name__ == "__main__":
    main(sys.argv[1:])
