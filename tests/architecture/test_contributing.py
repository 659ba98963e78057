"""CONTRIBUTING.md does what it says: its two files, and nothing else, make a method that is everywhere."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
pytestmark = pytest.mark.long


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the checkout with the two files of the guide, and no other change."""
    folder = tmp_path_factory.mktemp("guide")
    for name in ("corelib", "widgets", "tests", "data"):
        shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "pyproject.toml", folder)
    blocks = re.findall(r"```python\n(.*?)```", (ROOT / "CONTRIBUTING.md").read_text("utf-8"), re.DOTALL)
    written = []
    for block in blocks:
        lines = [line.removeprefix("   ") for line in block.splitlines()]
        path = folder / lines[0].removeprefix("# ").strip()
        assert not path.exists()
        path.write_text("\n".join(lines[1:]) + "\n", "utf-8")
        written.append(path)
    assert len(written) == 2
    return folder


def run(house: Path, *command: str) -> subprocess.CompletedProcess[str]:
    env = os.environ | {"PYTHONPATH": f"{house / 'corelib'}:{house / 'widgets'}", "OMP_NUM_THREADS": "1"}
    return subprocess.run([sys.executable, *command], cwd=house, env=env, capture_output=True, text=True)


def test_its_own_oracle_and_the_laws_pass(house: Path) -> None:
    result = run(house, "-m", "pytest", "-q", "-k", "repeat_last or repeat-last or RepeatLast", "tests/core")
    assert result.returncode == 0, result.stdout + result.stderr
    passed = re.search(r"(\d+) passed", result.stdout)
    assert passed, result.stdout
    assert int(passed.group(1)) > 3, "the laws must find it too"


def test_the_command_line_knows_it(house: Path) -> None:
    listed = run(house, "-m", "glasshouse", "list", "--family", "decoding")
    assert "decoding.repeat-last" in listed.stdout, listed.stderr
    done = run(house, "-m", "glasshouse", "run", "decoding.repeat-last", "--problem", "tiny", "--json")
    assert done.returncode == 0, done.stderr


def test_the_lab_offers_it_with_its_view_and_preset(house: Path) -> None:
    program = """
from glasshouse_widgets import DraftTreeLab
lab = DraftTreeLab(method="decoding.repeat-last", problem="tiny")
assert lab.wait()
assert "decoding.repeat-last" in lab.infos
assert [p.name for p in lab.presets] == ["Indents"]
pane = next(slot for slot in lab.panes if slot.title == "What is repeated")
assert "last token" in str(lab.figures[pane.name])
lab.close()
"""
    result = run(house, "-c", program)
    assert result.returncode == 0, result.stdout + result.stderr
