from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
from importlib.metadata import EntryPoint
from pathlib import Path
from typing import Any

import pytest

from glasshouse import catalogue, cli
from glasshouse.schema.record import RunRecord


class Told:
    def __init__(self, status: int, out: str, err: str) -> None:
        self.status, self.out, self.err = status, out, err

    @property
    def json(self) -> Any:
        """All of stdout as one JSON value, strictly."""
        return json.loads(self.out, parse_constant=lambda name: pytest.fail(f"{name} is not JSON"))


@pytest.fixture
def glasshouse(capfd: pytest.CaptureFixture[str]) -> Any:
    def call(*arguments: str) -> Told:
        capfd.readouterr()
        with pytest.raises(SystemExit) as ending:
            cli.main(arguments)
        return Told(int(ending.value.code or 0), *capfd.readouterr())

    return call


def test_list(glasshouse: Any, toy_family: Path) -> None:
    rows = {row["id"]: row for row in glasshouse("list", "--json").json}
    assert list(rows) == [info.id for info in catalogue.methods()]
    assert rows["toy.plain-count"].keys() == {"id", "title", "year", "arxiv", "doi", "family", "guarantee"}
    assert rows["toy.plain-count"]["guarantee"]["kind"] == "exact"
    assert [row["id"] for row in glasshouse("list", "--family", "toy", "--json").json] == ["toy.plain-count", "toy.prepared-count"]
    text = glasshouse("list").out
    for info in catalogue.methods():
        assert f"{info.id} " in text
        assert info.title in text


@pytest.mark.parametrize("id", [info.id for info in catalogue.methods()])
def test_show_every_method(glasshouse: Any, id: str) -> None:
    found = glasshouse("show", id, "--json").json
    assert found["id"] == id
    for group in (found["knobs"], found["looks"], *(p["fields"] for p in found["problems"])):
        for knob in group:
            assert {"name", "kind", "default", "low", "high", "choices", "cost", "unit", "allowed"} <= knob.keys()
    assert found["paper"]["title"]
    text = glasshouse("show", id).out
    assert all(f"  {knob['name']} = " in text for knob in found["knobs"] + found["looks"])


def test_run_json_is_the_record(glasshouse: Any) -> None:
    told = glasshouse("run", "conformal.lac", "--set", "alpha=0.2", "--set", "temperature=2", "--problem", "digits:noise=0.3,split=4",
                      "--seed", "7", "--json")
    record = RunRecord.from_json(told.out)
    assert told.status == 0
    assert told.err == ""
    assert (record.seed, record.params["temperature"], record.looks["alpha"]) == (7, 2.0, 0.2)
    assert record.problem["fields"] == {"calibration_size": 500, "noise": 0.3, "split": 4}
    assert record.same(RunRecord.from_json(glasshouse("run", "conformal.lac", "--set", "alpha=0.2", "--set", "temperature=2", "--set",
                                                      "noise=.3", "--problem", "digits:split=4", "--seed", "7", "--json").out))


@pytest.mark.parametrize("suffix", ["json", "csv", "parquet"])
def test_out_by_suffix(glasshouse: Any, tmp_path: Path, suffix: str) -> None:
    target = tmp_path / f"r.{suffix}"
    told = glasshouse("run", "conformal.lac", "--problem", "tiny", "--out", str(target))
    assert told.status == 0
    assert f"saved to {target}" in told.err
    if suffix == "json":
        assert RunRecord.from_json(target.read_text("utf-8")).summary["n"] == 30
    elif suffix == "csv":
        assert target.read_bytes() == b"n,m,classes,cells,rare,deterministic\r\n30,30,3,all,False,False\r\n"
    else:
        pandas = pytest.importorskip("pandas")
        pytest.importorskip("pyarrow")
        assert pandas.read_parquet(target).to_dict("list") == {"n": [30], "m": [30], "classes": [3], "cells": ["all"], "rare": [False],
                                                               "deterministic": [False]}


def test_sweep(glasshouse: Any, tmp_path: Path) -> None:
    grid = ("sweep", "conformal.lac", "--grid", "alpha=0.1,0.3", "--grid", "calibration_size=20,30", "--problem", "tiny")
    told = glasshouse(*grid, "--set", "temperature=2", "--seed", "3", "--json", "--out", str(tmp_path / "s.csv"))
    rows = told.json
    assert [(r["looks"]["alpha"], r["problem"]["fields"]["calibration_size"]) for r in rows] == [(.1, 20), (.1, 30), (.3, 20), (.3, 30)]
    assert {r["params"]["temperature"] for r in rows} == {2.0}
    table = (tmp_path / "s.csv").read_text("utf-8").splitlines()
    assert len(table) == 5
    assert {"method", "seed", "alpha", "calibration_size", "coverage"} <= set(table[0].split(","))
    assert len(glasshouse(*grid).out.splitlines()) == 5


def test_doctor(glasshouse: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    from glasshouse import assets

    monkeypatch.setattr(assets, "verify", lambda: ())
    found = glasshouse("doctor", "--json")
    assert found.status == 0
    assert found.json.keys() == {"versions", "platform", "device", "kernels", "data"}
    assert found.json["data"]["files"] > 0
    assert "checksums right" in glasshouse("doctor").out
    monkeypatch.setattr(assets, "verify", lambda: ("models/x: missing",))
    broken = glasshouse("doctor")
    assert broken.status == 1
    assert "models/x: missing" in broken.out


def test_nothing_wrong_with_the_data_that_ships(glasshouse: Any) -> None:
    told = glasshouse("doctor", "--json")
    assert told.json["data"]["wrong"] == []
    assert told.status == 0


BAD = [
    (["run", "conformal.lak"], "method = 'conformal.lak'"), (["run", "conformal.lac", "--set", "alpha=2"], "alpha = '2'"),
    (["run", "conformal.lac", "--set", "alpha=nan"], "alpha"), (["run", "conformal.lac", "--set", "alfa=.1"], "did you mean alpha"),
    (["run", "conformal.lac", "--set", "alpha"], "knob=value"), (["run", "conformal.lac", "--set", "=3"], "knob=value"),
    (["run", "conformal.lac", "--set", "alpha=.1", "--set", "alpha=.2"], "once"),
    (["run", "conformal.lac", "--problem", "digitz"], "did you mean digits"),
    (["run", "conformal.lac", "--problem", "digits:noise=9"], "noise"), (["run", "conformal.lac", "--problem", "digits:nois=1"], "noise"),
    (["run", "conformal.lac", "--set", "image=697"], "image"), (["run", "conformal.lac", "--seed", "x"], "seed"),
    (["run", "conformal.lac", "--out", "r.xml"], ".json, .csv, .parquet"), (["run", "conformal.lac", "--out", "no/such/r.json"], "folder"),
    (["run"], "ID"), (["frobnicate"], "frobnicate"), (["list", "--family", "nope"], "family"), (["show", "x"], "method"),
    (["list", "--jsn"], "jsn"), (["sweep", "conformal.lac"], "grid"), (["sweep", "conformal.lac", "--grid", "alpha"], "knob=value"),
    (["sweep", "conformal.lac", "--grid", "alpha=.1,,.2"], "a,b,c"), (["sweep", "conformal.lac", "--grid", "alpha=.1,7"], "alpha = '7'"),
    (["sweep", "conformal.lac", "--grid", "alfa=.1"], "alfa"), (["sweep", "conformal.lac", "--grid", "alpha=.1", "--executor", "x"], "dask://"),
    (["sweep", "conformal.lac", "--grid", "alpha=.1", "--set", "alpha=.2"], "not both"), (["serve", "--port", "70000"], "port"),
    (["run", "conformal.lac", "--set", "temperature=1\n2"], "temperature"),
]


@pytest.mark.parametrize(("arguments", "word"), BAD, ids=lambda v: " ".join(v) if isinstance(v, list) else "")
def test_bad_input_is_one_clear_line_and_status_2(glasshouse: Any, arguments: list[str], word: str) -> None:
    told = glasshouse(*arguments)
    assert told.status == 2
    assert told.out == ""
    assert len(told.err.strip().splitlines()) == 1
    assert word in told.err
    assert "Traceback" not in told.err


def test_missing_extras_name_the_install_line(glasshouse: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for missing in ("pyarrow", "pandas", "distributed"):
        monkeypatch.setitem(sys.modules, missing, None)
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    told = glasshouse("run", "conformal.lac", "--problem", "tiny", "--out", str(tmp_path / "r.parquet"))
    assert (told.status, 'pip install "glasshouse[tables]"' in told.err) == (2, True)
    told = glasshouse("sweep", "conformal.lac", "--problem", "tiny", "--grid", "alpha=.1", "--executor", "dask://localhost:1")
    assert (told.status, 'pip install "glasshouse[cluster]"' in told.err) == (2, True)


def test_our_own_fault_is_status_1_with_its_story(toy_family: Path) -> None:
    code = (f"import glasshouse.families as f; f.__path__.append({str(toy_family.parent)!r}); "
            "from glasshouse.cli import main; main(['run', 'toy.plain-count', '--set', 'fail_at=1', '--json'])")
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert told.returncode == 1
    assert told.stdout == ""
    assert "the toy broke" in told.stderr


GIVEN: dict[str, Any] = {}


def pretend_gallery(**given: Any) -> None:
    GIVEN.update(given)


def _installed(monkeypatch: pytest.MonkeyPatch, *points: Any) -> None:
    monkeypatch.setattr("glasshouse.cli.gallery.entry_points", lambda group, name: points)


class _Point:
    def load(self) -> Any:
        return pretend_gallery


HOME = {"port": 5006, "browser": True, "workshop": False, "allow_models": (), "allow_origin": (), "prefix": ""}


@pytest.mark.parametrize(("arguments", "expected"), [
    ([], HOME), (["serve"], HOME),
    (["serve", "--port", "0", "--no-browser", "--workshop", "--allow-models", "a/b, c"],
     HOME | {"port": 0, "browser": False, "workshop": True, "allow_models": ("a/b", "c")}),
    (["serve", "--allow-origin", "hub.example.org,localhost:8000", "--prefix", "/lab"],
     HOME | {"allow_origin": ("hub.example.org", "localhost:8000"), "prefix": "/lab"})])
def test_serve_hands_over(glasshouse: Any, monkeypatch: pytest.MonkeyPatch, arguments: list[str], expected: dict[str, Any]) -> None:
    GIVEN.clear()
    _installed(monkeypatch, _Point())
    assert glasshouse(*arguments).status == 0
    assert expected == GIVEN


@pytest.mark.parametrize("arguments", [[], ["serve"]])
def test_no_gallery_is_status_2_with_the_install_line(glasshouse: Any, monkeypatch: pytest.MonkeyPatch, arguments: list[str]) -> None:
    for points in ([], [EntryPoint("gallery", "no_such_toolkit.serve:serve", "glasshouse.apps")]):
        _installed(monkeypatch, *points)
        told = glasshouse(*arguments)
        assert told.status == 2
        assert 'pip install "glasshouse[widgets]"' in told.err


def test_a_broken_core_is_not_called_a_missing_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    _installed(monkeypatch, EntryPoint("gallery", "glasshouse.no_such:serve", "glasshouse.apps"))
    with pytest.raises(ModuleNotFoundError):
        cli.main(["serve"])


def test_as_a_module_and_quickly() -> None:
    def seconds(*command: str) -> float:
        """Of the processor, so that a busy machine does not count."""
        before = os.times()
        subprocess.run([sys.executable, *command], check=True, capture_output=True)
        after = os.times()
        return after.children_user + after.children_system - before.children_user - before.children_system

    listing = statistics.median(seconds("-m", "glasshouse", "list") - seconds("-c", "pass") for _ in range(3))
    assert listing < 1.0


def test_a_reader_that_has_enough_is_no_error() -> None:
    program = f"{sys.executable} -m glasshouse show conformal.lac --json | head -c 1; exit ${{PIPESTATUS[0]}}"
    told = subprocess.run(["bash", "-c", program], capture_output=True, text=True)
    assert (told.returncode, told.stdout, told.stderr) == (0, "{", "")


def test_progress_goes_to_a_terminal_and_never_to_stdout(glasshouse: Any, monkeypatch: pytest.MonkeyPatch, toy_family: Path) -> None:
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    monkeypatch.setenv("FORCE_COLOR", "1")  # the way to tell rich that it is a terminal
    for arguments in (("run", "toy.prepared-count"), ("sweep", "toy.plain-count", "--grid", "by=1,2")):
        told = glasshouse(*arguments, "--json")
        assert told.status == 0
        assert arguments[1] in told.err
        assert told.json
