"""The rules of the house that a machine can hold: sizes, names, places, and what every method file carries."""

from __future__ import annotations

import ast
import hashlib
import re
import subprocess
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
TOP = {"pyproject.toml", "notebooks", "widgets", "corelib", "data", "tests", "README.md", "Makefile", "constraints.txt", "LICENSE",
       "NOTICE", "CONTRIBUTING.md"}


def tracked() -> list[Path]:
    """What git tracks; in an unpacked archive, every file."""
    listing = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True).stdout.split("\n")
    return [ROOT / name for name in listing if name and (ROOT / name).exists()]


def sources() -> list[Path]:
    return [p for p in tracked() if p.suffix == ".py"]


def functions(path: Path) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            yield node


def methods() -> list[Path]:
    return [p for p in sources() if "methods" in p.parts and "families" in p.parts and "tests" not in p.parts and p.name != "__init__.py"]


def relative(path: Path) -> str:
    return str(path.relative_to(ROOT))


def test_the_top_level_is_the_agreed_one() -> None:
    found = {p.relative_to(ROOT).parts[0] for p in tracked()}
    assert {name for name in found if not name.startswith(".")} <= TOP


def test_no_file_is_longer_than_300_lines() -> None:
    assert [relative(p) for p in sources() if len(p.read_text("utf-8").splitlines()) > 300] == []


def test_no_function_is_longer_than_60_lines() -> None:
    # Triton bodies are one function by nature.
    long = [f"{relative(p)}:{f.name}" for p in sources() if p.name != "fused.py" for f in functions(p)
            if (f.end_lineno or f.lineno) - f.lineno + 1 > 60]
    assert long == []


def test_no_room_attracts_everything() -> None:
    banned = {"utils", "common", "helpers", "manager", "misc"}
    assert [relative(p) for p in sources() if banned & {part.removesuffix(".py") for part in p.relative_to(ROOT).parts}] == []


def test_triton_only_in_fused_kernels() -> None:
    pattern = re.compile(r"^\s*(import|from) triton", re.MULTILINE)
    inside = [relative(p) for p in sources() if pattern.search(p.read_text("utf-8")) and "tests" not in p.parts]
    assert all(re.fullmatch(r"corelib/glasshouse/kernels/\w+/fused\.py", name) for name in inside)


def test_nothing_unsafe_is_loaded() -> None:
    # Training checkpoints of the recipe are its own files, read with weights_only.
    pattern = re.compile(r"trust_remote_code=True|pickle\.loads?\(|allow_pickle=True|torch\.load\((?!.*weights_only=True)|\beval\(\s*[\"'f]|\bexec\(")
    product = [p for p in sources() if "tests" not in p.parts]
    assert [f"{relative(p)}: {m.group()}" for p in product for m in pattern.finditer(p.read_text("utf-8"))] == []


@pytest.mark.parametrize("path", methods(), ids=lambda p: p.stem)
def test_a_method_file_carries_one_method_with_its_paper_and_test(path: Path) -> None:
    tree = ast.parse(path.read_text("utf-8"))
    public = [n for n in tree.body if isinstance(n, ast.ClassDef) and not n.name.startswith("_")]
    with_paper = [c for c in public if any(isinstance(n, ast.AnnAssign) and getattr(n.target, "id", "") == "paper" for n in c.body)]
    assert len(with_paper) == 1, "one published method a file"
    assert ast.get_docstring(with_paper[0]), "the method's docstring says its idea"
    paper = next(n.value for n in with_paper[0].body if isinstance(n, ast.AnnAssign) and getattr(n.target, "id", "") == "paper")
    if isinstance(paper, ast.Call):
        given = {k.arg for k in paper.keywords}
        assert given & {"arxiv", "doi"}, "a paper has an arXiv id or a DOI"
        assert "where" in given, "a paper says where in it the method stands"
    family = path.parts[path.parts.index("families") + 1]
    assert (ROOT / "tests" / "core" / family / "methods" / f"test_{path.stem}.py").exists(), "an oracle test of the same name"


def test_every_item_of_data_is_in_the_manifest_and_within_budget() -> None:
    manifest = tomllib.loads((ROOT / "data" / "manifest.toml").read_text("utf-8"))
    listed = {name: entry for name, entry in manifest["files"].items()}
    present = {relative(p).removeprefix("data/"): p for p in tracked() if relative(p).startswith("data/")}
    data = {n: p for n, p in present.items() if p.suffix not in (".py", ".md", ".toml")}
    assert set(listed) == set(data)
    for name, path in data.items():
        content = path.read_bytes()
        assert listed[name]["sha256"] == hashlib.sha256(content).hexdigest(), name
        assert listed[name]["bytes"] == len(content) <= 16_000_000, name
    assert sum(p.stat().st_size for p in present.values()) <= 40_000_000
    folders = {p.parent for n, p in present.items() if len(Path(n).parts) >= 3}
    homes = {ROOT / "data" / Path(n).parts[0] / Path(n).parts[1] for n in present if len(Path(n).parts) >= 3}
    assert folders
    assert [relative(h) for h in homes if not (h / "CARD.md").exists()] == []


def test_notebooks_are_committed_without_outputs() -> None:
    import json

    for path in (p for p in tracked() if p.suffix == ".ipynb"):
        cells = json.loads(path.read_text("utf-8"))["cells"]
        assert all(not c.get("outputs") for c in cells if c["cell_type"] == "code"), relative(path)
