"""The import contracts hold, and each of them catches a violation planted in a copy of the tree."""

from __future__ import annotations

import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from glasshouse_widgets import labs

ROOT = Path(__file__).resolve().parents[2]
pytestmark = pytest.mark.long

# contract -> (file planted into, line planted)
PLANTED = {
    "core: imports go downwards only": ("glasshouse/schema/paper.py", "import glasshouse.runs"),
    "widgets: imports go downwards only": ("glasshouse_widgets/figures/palette.py", "import glasshouse_widgets.labs.base"),
    "families are strangers": ("glasshouse/families/conformal/problems.py", "import glasshouse.families.decoding.sampling"),
    "methods are strangers": ("glasshouse/families/decoding/methods/rsd.py", "import glasshouse.families.decoding.methods.dyspec"),
    "methods of one question are strangers": (
        "glasshouse/families/conformal/methods/risk/crc.py", "import glasshouse.families.conformal.methods.risk.ltt"),
    "the core knows no screen": ("glasshouse/runs/session.py", "import param"),
    "figures know events only": ("glasshouse_widgets/figures/palette.py", "import torch"),
    "labs reach methods through runs and catalogue, and know no toolkit": ("glasshouse_widgets/labs/decoding.py", "import panel"),
    "renderers know the lab base only": ("glasshouse_widgets/renderers/to_panel.py", "import glasshouse_widgets.figures.palette"),
}


def lint(folder: Path) -> subprocess.CompletedProcess[str]:
    program = "import sys; from importlinter.cli import lint_imports_command as c; c()"
    return subprocess.run([sys.executable, "-P", "-c", program, "--no-cache"], cwd=folder, capture_output=True, text=True,
                          env={"PYTHONPATH": f"{folder / 'corelib'}:{folder / 'widgets'}", "PATH": "/usr/bin:/bin", "COLUMNS": "300"})


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("house")
    for name in ("corelib", "widgets"):
        shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "pyproject.toml", folder)
    return folder


def test_every_contract_holds(copy: Path) -> None:
    result = lint(copy)
    assert result.returncode == 0, result.stdout + result.stderr


def test_the_renderers_contract_names_every_lab() -> None:
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["tool"]["importlinter"]["contracts"]
    named = next(set(c["forbidden_modules"]) for c in contracts if c["name"] == "renderers know the lab base only")
    assert {lab.__module__ for lab in labs.found().values()} <= named


@pytest.mark.parametrize("contract", PLANTED)
def test_a_planted_violation_is_caught(copy: Path, contract: str) -> None:
    name, line = PLANTED[contract]
    path = next(root / name for root in (copy / "corelib", copy / "widgets") if (root / name).exists())
    before = path.read_text()
    path.write_text(f"{before}\n{line}\n")
    try:
        result = lint(copy)
    finally:
        path.write_text(before)
    assert result.returncode == 1, result.stdout + result.stderr
    assert f"{contract} BROKEN" in " ".join(result.stdout.split()), result.stdout


def test_a_stray_module_is_caught(copy: Path) -> None:
    stray = copy / "corelib" / "glasshouse" / "utils.py"
    stray.write_text("")
    try:
        result = lint(copy)
    finally:
        stray.unlink()
    assert result.returncode == 1, result.stdout
    assert "utils" in result.stdout
