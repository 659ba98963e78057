"""The wheel, installed away from the checkout, carries its data and works without a network."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
pytestmark = pytest.mark.long


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    subprocess.run([sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(folder), str(ROOT)], check=True,
                   capture_output=True)
    wheel = next(folder.glob("*.whl"))
    subprocess.run([sys.executable, "-m", "pip", "install", "-q", "--no-deps", "--no-index", "--target", str(folder / "site"), str(wheel)],
                   check=True, capture_output=True)
    return folder / "site"


def glasshouse(site: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    # A proxy that refuses stands in for "no network".
    env = os.environ | {"PYTHONPATH": str(site), "http_proxy": "http://127.0.0.1:9", "https_proxy": "http://127.0.0.1:9", "HF_HUB_OFFLINE": "1"}
    return subprocess.run([sys.executable, "-m", "glasshouse", *arguments], cwd=site.parent, env=env, capture_output=True, text=True)


def test_the_wheel_is_what_runs(installed: Path) -> None:
    where = subprocess.run([sys.executable, "-c", "import glasshouse; print(glasshouse.__file__)"], cwd=installed.parent,
                           env=os.environ | {"PYTHONPATH": str(installed)}, capture_output=True, text=True).stdout
    assert str(installed) in where


def test_doctor_offline(installed: Path) -> None:
    result = glasshouse(installed, "doctor")
    assert result.returncode == 0, result.stdout + result.stderr


def test_a_method_runs_on_the_bundled_pair(installed: Path) -> None:
    result = glasshouse(installed, "run", "decoding.speculative-sampling", "--set", "max_new_tokens=16", "--json")
    assert result.returncode == 0, result.stderr
    assert json.loads(result.stdout)["summary"]["tokens"] == 16


def test_the_voila_template_travels(installed: Path) -> None:
    assert (installed / "share" / "jupyter" / "voila" / "templates" / "glasshouse" / "conf.json").exists()
