"""The folder for a course page: checked before the work, whole or as it was, every address in it leads to something beside it."""

from __future__ import annotations

import json
import os
import re
import tomllib
from collections.abc import Callable
from importlib.metadata import EntryPoint
from pathlib import Path
from typing import Any

import pytest

from glasshouse.cli import gallery as door
from glasshouse.cli import main
from glasshouse.schema.errors import BadValue, Unsupported
from glasshouse.schema.events.base import Progress
from glasshouse_widgets import labs
from glasshouse_widgets.apps.handout import INDEX, MARK, handout
from glasshouse_widgets.labs.base import Lab
from glasshouse_widgets.labs.conformal import ConformalLab
from glasshouse_widgets.labs.conformal_risk import RiskLab

Made = dict[str, Callable[[], Lab]]
TWO: Made = {"conformal": lambda: ConformalLab(problem="tiny"), "conformal-risk": lambda: RiskLab(problem="tiny")}


def never() -> Lab:
    raise AssertionError("work began")


NONE: Made = {"conformal": never}


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[Progress]]:
    told: list[Progress] = []
    return handout(tmp_path_factory.mktemp("course") / "labs", told.append, states=3, found=TWO), told


def test_every_lab_has_its_page_and_progress_names_them(made: tuple[Path, list[Progress]]) -> None:
    folder, told = made
    assert {p.name for p in folder.iterdir()} == {INDEX, "conformal.html", "conformal-risk.html", "assets", "miniatures", MARK}
    assert len(list((folder / "miniatures").iterdir())) == 4
    assert [p.message for p in told] == ["Prediction sets", "Risk control", ""]
    assert [p.share for p in told] == [0, 0.5, 1]
    assert list(folder.parent.iterdir()) == [folder], "nothing is left beside it"


def test_every_address_leads_to_something_beside_it(made: tuple[Path, list[Progress]]) -> None:
    folder, _ = made
    seen = set()
    for page in folder.glob("*.html"):
        text = page.read_text("utf-8")
        for address in re.findall(r'(?:src|href)="([^"]*)"', text) + re.findall(r'"(?:href|light|dark)":"([^"]*)"', text):
            if not address.startswith("https://"):      # a paper's
                assert (folder / address).is_file(), (page.name, address)
                assert not address.startswith(("/", ".."))
                seen.add(address)
        assert "recording" in text
    assert {INDEX, "miniatures/conformal-dark.webp", "conformal.html",
            "assets/plotly.min.js", "assets/still.js", "assets/gallery.js", "assets/glasshouse.css"} <= seen


def test_plotly_is_there_once(made: tuple[Path, list[Progress]]) -> None:
    folder, _ = made
    large = [p for p in folder.rglob("*") if p.is_file() and p.stat().st_size > 3_000_000]
    assert [p.name for p in large] == ["plotly.min.js"]


def test_an_older_handout_is_replaced_and_nothing_else(tmp_path: Path) -> None:
    target = tmp_path / "labs"
    target.mkdir()
    assert handout(target, states=1, found={"conformal": TWO["conformal"]}) == target       # empty is fine
    (target / "stale.html").write_text("old", "utf-8")
    handout(target, states=1, found={"conformal-risk": TWO["conformal-risk"]})
    assert {p.name for p in target.iterdir()} == {INDEX, "conformal-risk.html", "assets", "miniatures", MARK}


def refused(tmp_path: Path) -> dict[str, Path]:
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine/thesis.tex").write_text("mine", "utf-8")
    (tmp_path / "file").write_text("mine", "utf-8")
    return {"something else": tmp_path / "mine", "a file": tmp_path / "file", "no parent": tmp_path / "no/such/labs",
            "under a file": tmp_path / "file/labs", "no path": Path("a\0b")}


@pytest.mark.parametrize("case", ["something else", "a file", "no parent", "under a file", "no path"])
def test_a_place_that_will_not_do_is_told_before_the_work(tmp_path: Path, case: str) -> None:
    target = refused(tmp_path)[case]
    before = sorted(tmp_path.rglob("*"))
    with pytest.raises(BadValue, match="out = "):
        handout(target, found=NONE)
    assert sorted(tmp_path.rglob("*")) == before
    assert (tmp_path / "mine/thesis.tex").read_text("utf-8") == "mine"


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_a_write_protected_place_is_told_before_the_work(tmp_path: Path) -> None:
    tmp_path.chmod(0o555)
    with pytest.raises(BadValue, match="out = "):
        handout(tmp_path / "labs", found=NONE)
    tmp_path.chmod(0o755)


def test_what_fails_on_the_way_leaves_the_folder_as_it_was(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    target = handout(tmp_path / "labs", states=1, found={"conformal": TWO["conformal"]})
    before = {p.relative_to(target): p.read_bytes() for p in target.rglob("*") if p.is_file()}

    def broken() -> Lab:
        raise RuntimeError("burst")

    with pytest.raises(RuntimeError, match="burst"):
        handout(target, states=1, found={"conformal": TWO["conformal"], "conformal-risk": broken})
    assert {p.relative_to(target): p.read_bytes() for p in target.rglob("*") if p.is_file()} == before
    assert list(tmp_path.iterdir()) == [target]


def declared(group: str, name: str) -> list[EntryPoint]:
    """What ``pyproject.toml`` declares, whatever is installed."""
    project = tomllib.loads((Path(__file__).parents[3] / "pyproject.toml").read_text("utf-8"))["project"]
    return [EntryPoint(name, value, group) for n, value in project["entry-points"][group].items() if n == name]


def test_the_command_writes_there_and_says_where(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(door, "entry_points", declared)
    monkeypatch.setattr(labs, "found", lambda: {"conformal": ConformalLab})
    monkeypatch.setattr(ConformalLab, "__init__", lambda self, start=ConformalLab.__init__: start(self, problem="tiny"))
    with pytest.raises(SystemExit) as ended:
        main(["handout", "--out", str(tmp_path / "labs")])
    assert ended.value.code == 0
    said = capsys.readouterr()
    assert (said.out, "labs: open index.html there" in said.err) == ("", True)
    assert json.loads((tmp_path / "labs" / MARK).read_text("utf-8"))["pages"] == [INDEX, "conformal.html"]
    with pytest.raises(SystemExit) as ended:
        main(["handout", "--out", str(tmp_path / "no/such")])
    assert ended.value.code == 2
    assert capsys.readouterr().err.count("\n") == 1


def test_without_the_widgets_there_is_an_install_line(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    nothing: Any = lambda group, name: []       # noqa: E731
    monkeypatch.setattr(door, "entry_points", nothing)
    with pytest.raises(Unsupported, match=r"pip install \"glasshouse\[widgets\]\""):
        door.handout()
    with pytest.raises(SystemExit) as ended:
        main(["handout", "--out", "x"])
    assert ended.value.code == 2
    assert "pip install" in capsys.readouterr().err


@pytest.mark.slow
def test_the_whole_handout_is_under_40_mb(tmp_path: Path) -> None:
    folder = handout(tmp_path / "labs")
    assert {p.stem for p in folder.glob("*.html")} == {"index", *labs.found()}
    assert sum(p.stat().st_size for p in folder.rglob("*") if p.is_file()) < 40e6
