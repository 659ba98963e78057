"""A style class has one owner: sheets that are loaded together never give one name two meanings."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

WIDGETS = Path(__file__).resolve().parents[2] / "widgets"
SHARED = {"gh", "gh-dark"}      # what every sheet stands under: ours at all, and in dark colours
RULE = re.compile(r"([^{};]+)\{[^{}]*:[^{}]*\}")
CLASS = re.compile(r"\.(-?[A-Za-z_][\w-]*)")


def classes(sheet: str) -> set[str]:
    """Every class that a selector of the sheet names."""
    plain = re.sub(r"/\*.*?\*/", "", sheet, flags=re.DOTALL)
    return {name for selector in RULE.findall(plain) for name in CLASS.findall(re.sub(r"\"[^\"]*\"", "", selector))}


def sheets(root: Path) -> Iterator[tuple[str, str]]:
    """(name, text) of each sheet below ``root``: files of their own, and what stands in strings and templates."""
    for path in sorted(p for p in root.rglob("*") if p.suffix in (".css", ".py", ".j2")):
        text = path.read_text("utf-8")
        if path.suffix == ".py":
            strings = (n.value for n in ast.walk(ast.parse(text)) if isinstance(n, ast.Constant) and isinstance(n.value, str))
            text = "\n".join(s for s in strings if "=>" not in s)      # a program has braces and dots too
        elif path.suffix == ".j2":
            text = "\n".join(re.findall(r"<style>(.*?)</style>", text, re.DOTALL))
        if classes(text):
            yield str(path.relative_to(root)), text


def twice(root: Path) -> dict[str, list[str]]:
    """Classes that more than one sheet names, with these sheets."""
    owners: dict[str, list[str]] = {}
    for name, text in sheets(root):
        for one in classes(text) - SHARED:
            owners.setdefault(one, []).append(name)
    return {one: names for one, names in owners.items() if len(names) > 1}


def test_every_class_belongs_to_one_sheet() -> None:
    assert {"plot", "words"} <= classes((WIDGETS / "glasshouse_widgets/renderers/islands.css").read_text("utf-8"))
    assert twice(WIDGETS) == {}


@pytest.mark.parametrize(("name", "text"), [
    ("gallery.css", ".gh .lab, .gh .words > b { color: red; }"),
    ("page.py", 'SHEET = """\n@media (min-width: 9px) { .gh .few .words { left: 0 } }\n"""'),
    ("page.html.j2", "<style>\n .words { left: 0 }</style><p>.lab { a: b }</p>")])
def test_a_class_in_two_sheets_is_found(tmp_path: Path, name: str, text: str) -> None:
    (tmp_path / "islands.css").write_text("/* .lab { a: b } */ .gh .words { position: absolute } .gh { margin: .5em }", "utf-8")
    (tmp_path / name).write_text(text, "utf-8")
    assert twice(tmp_path) == {"words": sorted(["islands.css", name])}
