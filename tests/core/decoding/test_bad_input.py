"""What a person can get wrong at the command line: one clear line that names the argument, exit status 2, and no work."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from core.models.language.folders import lay_out, write_tokenizer
from glasshouse import cli, runs
from glasshouse.models.language.tabular import TabularLM

Told = tuple[int, str, str]
HTML = "<script>alert(1)</script><b>&amp;</b>"


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Models that fit, and everything that does not."""
    root = lay_out(tmp_path_factory.mktemp("models"))
    shutil.copytree(root / "target", root / "pickled")
    (root / "pickled" / "model.safetensors").unlink()
    (root / "pickled" / "pytorch_model.bin").write_bytes(b"\x80\x02")
    shutil.copytree(root / "target", root / "bert")
    (root / "bert" / "config.json").write_text(json.dumps({"model_type": "bert"}), "utf-8")
    shutil.copytree(root / "draft", root / "stranger")
    write_tokenizer(root / "stranger" / "tokenizer.json", ["import numpy as np\nnp.zeros(3)\n"] * 9)
    (root / "empty").mkdir()
    return root


@pytest.fixture
def run(home: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> Callable[..., Told]:
    """(status, stdout, stderr) of a run on models of one's own; the values of ``knobs`` replace what fits."""
    monkeypatch.chdir(home)

    def call(method: str = "decoding.speculative-sampling", **knobs: Any) -> Told:
        given = {"target": "target", "draft": "draft", "text": "def f", "max_new_tokens": 8} | knobs
        capfd.readouterr()
        with pytest.raises(SystemExit) as ending:
            cli.main(["run", method, "--problem", "model", *(part for k, v in given.items() for part in ("--set", f"{k}={v}")), "--json"])
        return (int(ending.value.code or 0), *capfd.readouterr())

    return call


def test_two_folders_are_all_it_takes(run: Callable[..., Told]) -> None:
    status, out, err = run()
    assert (status, err) == (0, "")
    record = json.loads(out)
    assert record["summary"]["tokens"] == 8
    assert record["problem"]["fields"]["target"] == "target"
    assert record["event"] == "Round"


BAD = [
    ({"text": ""}, "text", "at least one token"),
    ({"text": "abcdefg " * 40}, "text", "at most 63 tokens"),
    ({"text": "x" * 8001}, "text", "at most 8000 characters"),
    ({"max_new_tokens": 300}, "max_new_tokens", "window of 64"),
    ({"max_new_tokens": 385}, "max_new_tokens", "at most 384"),
    ({"max_new_tokens": 0}, "max_new_tokens", "at least 1"),
    ({"target": ""}, "target", "folder or hub id"),
    ({"target": "tokenizer.json"}, "target", "folder"),
    ({"target": "empty"}, "target", "config.json"),
    ({"target": "no/such/folder"}, "target", "folder"),
    ({"target": "http://example.org/model"}, "target", "folder"),
    ({"target": "pickled"}, "target", "pytorch_model.bin can run code"),
    ({"draft": "pickled"}, "draft", "pytorch_model.bin can run code"),
    ({"target": "bert"}, "target", "encoder"),
    ({"draft": "bert"}, "draft", "encoder"),
    ({"draft": "other"}, "draft", "target's vocabulary of 280"),
    ({"draft": "stranger"}, "draft", "tokenizer"),
    ({"draft": ""}, "draft", "needs a draft model"),
    ({"temperature": -1}, "temperature", "at least 0"),
    ({"temperature": "nan"}, "temperature", "at least 0"),
    ({"temperature": "warm"}, "temperature", "a number"),
    ({"top_p": 0}, "top_p", "above 0"),
    ({"gamma": 0}, "gamma", "at least 1"),
    ({"gama": 3}, "knob", "did you mean gamma"),
    ({"method": "decoding.speculative-samplin"}, "method", "did you mean decoding.speculative-sampling"),
]


@pytest.mark.parametrize(("knobs", "argument", "allowed"), BAD, ids=lambda v: str(v)[:40] if isinstance(v, dict) else "")
def test_one_clear_line_before_any_work(run: Callable[..., Told], knobs: dict[str, Any], argument: str, allowed: str) -> None:
    status, out, err = run(**knobs)
    assert (status, out) == (2, "")
    assert len(err.strip().splitlines()) == 1, err
    assert len(err) < 600
    assert err.startswith(f"glasshouse: {argument} = "), err
    assert allowed in err


def test_text_that_looks_like_a_page_is_text(home: Path) -> None:
    session = runs.open("decoding.prompt-lookup", "model", target=str(home / "target"), text=HTML, max_new_tokens=4)
    prompt, *rest = session.events()
    assert "".join(prompt.pieces) == HTML       # type: ignore[union-attr]
    assert len(rest) >= 1
    assert json.loads(session.record().to_json())["problem"]["fields"]["text"] == HTML


def test_a_closed_session_works_no_more(monkeypatch: pytest.MonkeyPatch) -> None:
    scored = []
    score = TabularLM.score
    monkeypatch.setattr(TabularLM, "score", lambda self, *given, **named: scored.append(1) or score(self, *given, **named))
    session = runs.open("decoding.speculative-sampling", "tiny", max_new_tokens=200)
    stream = session.events()
    for _ in range(3):
        next(stream)
    session.close()
    before = len(scored)
    assert before > 0
    list(stream)
    assert len(scored) == before
    assert len(session.computed) == 3
