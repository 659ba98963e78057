"""Where results go is tried before the work: one line, status 2, nothing computed in vain and nothing half-written."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from glasshouse import runs
from glasshouse.schema import place
from glasshouse.schema.errors import BadValue

COMMANDS = {
    "list": ["list"], "list-json": ["list", "--json"], "show": ["show", "conformal.lac"],
    "run": ["run", "conformal.lac", "--problem", "tiny"], "run-json": ["run", "conformal.lac", "--problem", "tiny", "--json"],
    "sweep": ["sweep", "conformal.lac", "--problem", "tiny", "--grid", "alpha=.1,.2"], "doctor": ["doctor"], "help": ["--help"],
}
STREAMS = ["closed", "full", "ascii", "latin-1", "cp1252", "utf-16"]
HARNESS = Path(__file__).with_name("places_child.py")
pytestmark = pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs the devices of Linux")


def ended(cases: list[tuple[list[str], str]], folder: Path) -> list[tuple[int, str, bool]]:
    """Status, stderr, and whether work began, for each command and stdout."""
    folder.mkdir()
    told = subprocess.run([sys.executable, str(HARNESS), json.dumps(cases), str(folder)], capture_output=True, text=True, check=True)
    return [tuple(one) for one in json.loads(told.stdout)]


def test_a_stdout_that_cannot_take_it_is_told_before_any_work(tmp_path: Path) -> None:
    cases = [(words, stream) for words in COMMANDS.values() for stream in STREAMS]
    words = {"closed": "is closed", "full": "No space left", "ascii": "UTF-8", "latin-1": "UTF-8", "cp1252": "UTF-8", "utf-16": "UTF-8"}
    for (command, stream), (status, said, began) in zip(cases, ended(cases, tmp_path / "marks"), strict=True):
        assert (status, said.count("\n"), began) == (2, 1, False), (command, stream, said)
        assert said.startswith("glasshouse: stdout ")
        assert words[stream] in said


def test_the_harness_sees_work(tmp_path: Path) -> None:
    found = ended([(words, "fine") for name, words in COMMANDS.items() if name in ("list", "run", "sweep")], tmp_path / "marks")
    assert [(status, began) for status, _, began in found] == [(0, True)] * 3


def hostile(folder: Path) -> dict[str, tuple[str, str]]:
    """Places where nothing can be written, also by root, with a word of what must be said."""
    (folder / "file").write_text("kept")
    (folder / "folder.json").mkdir()
    (folder / "device.json").symlink_to("/dev/full")
    (folder / "around.json").symlink_to("around.json")
    return {
        "in no folder": (str(folder / "none" / "r.json"), "folder that exists"),
        "below a file": (str(folder / "file" / "r.json"), "folder that exists"),
        "a folder": (str(folder / "folder.json"), "a file"), "a device": (str(folder / "device.json"), "device"),
        "a folder of the kernel's": ("/proc/r.json", "can be written"), "another": ("/sys/r.json", "can be written"),
        "too long": (str(folder / ("x" * 300 + ".json")), "too long"), "a null": ("r\0.json", "null"),
        "a circle": (str(folder / "around.json"), "loop"),
    }


def test_an_out_that_cannot_be_written_is_told_before_any_work(tmp_path: Path) -> None:
    places = hostile(tmp_path)
    before = sorted(tmp_path.iterdir())
    cases = [([*COMMANDS[command], "--out", out], "fine") for out, _ in places.values() if "\0" not in out for command in ("run", "sweep")]
    for (command, _), (status, said, began) in zip(cases, ended(cases, tmp_path.parent / f"{tmp_path.name}-marks"), strict=True):
        assert (status, said.count("\n"), began) == (2, 1, False), (command, said)
        assert next(word for out, word in places.values() if out == command[-1]) in said
    assert sorted(tmp_path.iterdir()) == before
    assert (tmp_path / "file").read_text() == "kept"


@pytest.mark.parametrize("check", [place.new_file, place.new_folder])
def test_one_function_knows_a_place(tmp_path: Path, check: Callable[[str], Path]) -> None:
    for name, (out, word) in hostile(tmp_path).items():
        if check is place.new_folder and name == "a folder":
            continue
        with pytest.raises(BadValue) as refused:
            check(out)
        assert refused.value.argument == "out", name
        assert word in str(refused.value) or check is place.new_folder, name
    before = sorted(tmp_path.rglob("*"))
    assert check(str(tmp_path / "new")) == tmp_path / "new"
    assert sorted(tmp_path.rglob("*")) == before                  # tried, and nothing left
    assert place.new_folder(tmp_path) == tmp_path
    with pytest.raises(BadValue, match="that is a file"):
        place.new_folder(tmp_path / "file")


def test_what_is_saved_is_there_whole_or_not_at_all(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    record = runs.run("conformal.lac", "tiny")
    target = runs.save(record, tmp_path / "r.json")
    good = target.read_bytes()
    write = Path.write_text

    def half(path: Path, text: str, *given: Any, **named: Any) -> None:
        write(path, text[:100], *given, **named)
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "write_text", half)
    for name in ("r.json", "new.json", "new.csv"):
        with pytest.raises(BadValue, match="No space left"):
            runs.save(record, tmp_path / name)
    assert [path.name for path in tmp_path.iterdir()] == ["r.json"]
    assert target.read_bytes() == good


def test_a_link_is_followed_and_rights_are_kept(tmp_path: Path) -> None:
    record = runs.run("conformal.lac", "tiny")
    (tmp_path / "real.json").write_text("old")
    (tmp_path / "real.json").chmod(0o640)
    (tmp_path / "link.json").symlink_to("real.json")
    assert runs.save(record, tmp_path / "link.json") == tmp_path / "link.json"
    assert (tmp_path / "link.json").is_symlink()
    assert json.loads((tmp_path / "real.json").read_text())["method"] == "conformal.lac"
    assert (tmp_path / "real.json").stat().st_mode & 0o777 == 0o640


def test_a_folder_is_there_whole_or_not_at_all(tmp_path: Path) -> None:
    target = place.new_folder(tmp_path / "pages")

    def write(broken: bool) -> None:
        with place.whole(target) as part:
            part.mkdir()
            (part / "a").write_text("a")
            if broken:
                raise ValueError("ours")

    with pytest.raises(ValueError, match=r"^ours$"):             # a mistake of ours is not called the place's
        write(broken=True)
    assert list(tmp_path.iterdir()) == []
    write(broken=False)
    assert [p.name for p in target.iterdir()] == ["a"]
    with pytest.raises(BadValue, match="not empty"):
        write(broken=False)
    assert [p.name for p in tmp_path.rglob("*")] == ["pages", "a"]


SHELL = [
    ("{g} list >&-", 2, 1), ("{g} list > /dev/full", 2, 1), ("PYTHONIOENCODING=cp1252 {g} show conformal.lac", 2, 1),
    ("{g} list --family nope 2>&-", 2, 0), ("{g} list --family nope 2>/dev/full", 2, 0), ("{g} show conformal.lac --json | true", 0, 0),
]


@pytest.mark.parametrize(("line", "status", "lines"), SHELL)
def test_in_a_shell(line: str, status: int, lines: int) -> None:
    told = subprocess.run(["bash", "-c", line.format(g=f"{sys.executable} -m glasshouse") + "; exit ${PIPESTATUS[0]}"],
                          capture_output=True, text=True)
    assert (told.returncode, told.stderr.count("\n")) == (status, lines), told.stderr


def test_a_reader_that_is_gone_already_asks_for_no_work(tmp_path: Path) -> None:
    read, write = os.pipe()
    os.close(read)
    code = ("import sys; from glasshouse import catalogue, cli; catalogue.methods = lambda *_: sys.exit('it worked in vain'); cli.main(['list'])")
    told = subprocess.run([sys.executable, "-c", code], stdout=write, stderr=subprocess.PIPE, text=True)
    os.close(write)
    assert (told.returncode, told.stderr) == (0, "")


