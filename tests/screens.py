"""``make screens [LAB=name]``: every page on contact sheets in build/screens, to be looked at; what the eye finds is printed.

The gallery at four widths, each lab on a projector (1280 x 720) in both colours and in a notebook's width (900).
"""

from __future__ import annotations

import io
import math
import os
import shutil
import socket
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from PIL import Image
from playwright.sync_api import sync_playwright

from eye import PICTURES, faults, settled
from glasshouse_widgets import labs
from patience import PATIENCE, until

OUT = Path(__file__).resolve().parents[1] / "build/screens"
GALLERY = (375, 900, 1280, 1920)
VIEWS = ((1280, 720, "light"), (1280, 720, "dark"), (900, 640, "light"))


@contextmanager
def served() -> Iterator[str]:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    process = subprocess.Popen([sys.executable, "-m", "glasshouse", "serve", "--no-browser", "--port", str(port)],
                               stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    url = f"http://127.0.0.1:{port}"

    def answers() -> bool:
        try:
            urllib.request.urlopen(url).close()
        except OSError:
            return False
        return True

    try:
        until(answers)
        yield url
    finally:
        process.terminate()
        process.wait()


def seen(page: Any, what: str) -> Image.Image:
    if wrong := faults(settled(page)):
        print(what, wrong, flush=True)
    return Image.open(io.BytesIO(page.screenshot())).convert("RGB")


def sheet(name: str, pictures: list[Image.Image], width: int, columns: int = len(VIEWS)) -> None:
    """Pictures in columns, each ``width`` pixels wide."""
    scaled = [p.resize((width, round(p.height * width / p.width))) for p in pictures]
    rows = [scaled[i:i + columns] for i in range(0, len(scaled), columns)]
    heights = [max(p.height for p in row) for row in rows]
    paper = Image.new("RGB", (columns * (width + 8), sum(heights) + 8 * len(rows)), "#888888")
    top = 0
    for row, height in zip(rows, heights, strict=True):
        for i, picture in enumerate(row):
            paper.paste(picture, (i * (width + 8), top))
        top += height + 8
    paper.save(OUT / f"{name}.png")
    print(OUT / f"{name}.png", flush=True)


def gallery(page: Any, url: str) -> None:
    pictures = []
    for theme in ("light", "dark"):
        page.emulate_media(color_scheme=theme)
        page.goto(url)
        page.locator("a.gallery-card").first.wait_for()
        for width in GALLERY:
            page.set_viewport_size({"width": width, "height": 900})
            pictures.append(seen(page, f"gallery, {width}, {theme}"))
    sheet("gallery", pictures, 640, len(GALLERY))


def lab(page: Any, url: str, name: str) -> list[Image.Image]:
    pictures = []
    for width, height, theme in VIEWS:
        page.set_viewport_size({"width": width, "height": height})
        if not pictures or theme != VIEWS[len(pictures) - 1][2]:
            page.emulate_media(color_scheme=theme)
            page.goto(f"{url}/{name}")
        page.get_by_text("Up to date").first.wait_for()
        page.mouse.wheel(0, 4000)
        page.wait_for_function(f"() => ({PICTURES})().every(([, drawn]) => drawn)")
        page.mouse.wheel(0, -9000)
        pictures.append(seen(page, f"{name}, {width}, {theme}"))
    return pictures


def main() -> None:
    OUT.mkdir(parents=True, exist_ok=True)
    wanted = sys.argv[1:] or list(labs.found())
    chromium = os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("google-chrome")
    with served() as url, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        page = browser.new_context(reduced_motion="reduce").new_page()
        page.set_default_timeout(PATIENCE * 1000)
        if not sys.argv[1:]:
            gallery(page, url)
        for i in range(math.ceil(len(wanted) / 4)):
            sheet(f"labs-{i + 1}", [p for name in wanted[4 * i:4 * i + 4] for p in lab(page, url, name)], 900)
        browser.close()


if __name__ == "__main__":
    main()
