"""Folders and hub ids: what is read, what is refused and in which words."""

from __future__ import annotations

import json
import shutil
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier
from typing import Any

import pytest
import torch

from core.models.language import tiny
from core.models.language.folders import TEXT, lay_out, write_tokenizer
from glasshouse.models.language import hub, loading
from glasshouse.models.language.lean import LeanScorer
from glasshouse.models.language.loading import load_model, load_pair, load_tokenizer
from glasshouse.models.language.scorer import extend
from glasshouse.schema.errors import BadType, BadValue, Unsupported


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return lay_out(tmp_path_factory.mktemp("models"))


def test_a_half_precision_folder_is_read_in_float32_evaluating_without_gradients(home: Path) -> None:
    model = load_model(home / "target")
    assert {p.dtype for p in model.parameters()} == {torch.float32}
    assert not any(p.requires_grad for p in model.parameters())
    assert not any(m.training for m in model.modules())
    original = tiny.model("llama", vocab_size=280)
    with torch.no_grad():
        for weight in original.parameters():                   # only the weights: the rotation stays in float32
            weight.copy_(weight.half())
    assert torch.equal(extend(LeanScorer(model), [1, 2, 3]), extend(LeanScorer(original), [1, 2, 3]))


def test_a_pair_from_folders(home: Path) -> None:
    pair = load_pair(target=home / "target", draft=str(home / "draft"))
    assert pair.target.config.vocab_size == pair.draft.config.vocab_size == 280
    assert pair.tokenizer.decode(pair.tokenizer.encode(TEXT[1])) == TEXT[1]
    assert pair.tokenizer.eos_token_id == pair.tokenizer.bos_token_id == 0
    assert load_pair(target=home / "target").draft is None
    assert len(repr(pair)) < 200


def test_a_named_pair_is_read_once(home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shutil.copytree(home, tmp_path / "models" / "python-stdlib")
    monkeypatch.setattr("glasshouse.assets._HOMES", (tmp_path,))
    loading._bundled.cache_clear()
    pair = load_pair()
    assert pair.name == "python-stdlib"
    assert load_pair("python-stdlib") is pair
    own = load_pair(draft=home / "draft")
    assert own.target is pair.target
    assert own.draft is not pair.draft
    loading._bundled.cache_clear()


def at_once(work: Callable[[], Any], threads: int = 4) -> list[Any]:
    start = Barrier(threads)

    def one(_: int) -> Any:
        start.wait()
        return work()

    with ThreadPoolExecutor(threads) as pool:
        return list(pool.map(one, range(threads)))


def test_threads_that_want_the_bundled_pair_at_once_share_one(home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shutil.copytree(home, tmp_path / "models" / "python-stdlib")
    monkeypatch.setattr("glasshouse.assets._HOMES", (tmp_path,))
    read = []
    monkeypatch.setattr(loading, "load_model", lambda source, **given: read.append(source) or time.sleep(0.02) or load_model(source, **given))
    loading._bundled.cache_clear()
    found = at_once(load_pair)
    loading._bundled.cache_clear()
    assert all(pair is found[0] for pair in found)
    assert sorted(path.name for path in read) == ["draft", "target"]


def test_only_one_thread_is_inside_transformers(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from transformers import AutoModelForCausalLM

    inside, most = [], []
    load = AutoModelForCausalLM.from_pretrained

    def watched(*given: Any, **named: Any) -> Any:
        inside.append(1)
        most.append(len(inside))
        time.sleep(0.02)
        try:
            return load(*given, **named)
        finally:
            inside.pop()

    monkeypatch.setattr(AutoModelForCausalLM, "from_pretrained", watched)
    found = at_once(lambda: load_pair(target=home / "target", draft=home / "draft"))
    assert most == [1] * 8
    assert {p.dtype for pair in found for p in pair.target.parameters()} == {torch.float32}
    assert torch.get_default_dtype() == torch.float32


@pytest.mark.parametrize("name", ["gpt-9", None])
def test_an_unknown_name_lists_the_known(name: str | None) -> None:
    with pytest.raises(BadValue, match="python-stdlib"):
        load_pair(name)


def test_a_draft_of_another_vocabulary_is_refused(home: Path) -> None:
    with pytest.raises(BadValue, match=r"281.*280") as caught:
        load_pair(target=home / "target", draft=home / "other")
    assert caught.value.argument == "draft"


def test_a_draft_of_another_tokenizer_is_refused(home: Path, tmp_path: Path) -> None:
    shutil.copytree(home / "draft", tmp_path / "draft")
    write_tokenizer(tmp_path / "draft" / "tokenizer.json", ["import numpy as np\nnp.zeros(3)\n"] * 9)
    with pytest.raises(BadValue, match="tokenizer") as caught:
        load_pair(target=home / "target", draft=tmp_path / "draft")
    assert caught.value.argument == "draft"


def test_a_tokenizer_with_settings_keeps_them(home: Path, tmp_path: Path) -> None:
    from transformers import PreTrainedTokenizerFast

    PreTrainedTokenizerFast(tokenizer_file=str(home / "tokenizer.json"), eos_token="x").save_pretrained(tmp_path)
    assert load_tokenizer(tmp_path).eos_token == "x"
    with pytest.raises(BadValue, match="tokenizer"):
        load_tokenizer(tmp_path / "none" / "here")


def refused(source: Any, error: type[Exception] = BadValue) -> str:
    with pytest.raises(error) as caught:
        load_model(source)
    message = str(caught.value)
    assert "\n" not in message
    assert len(message) < 500
    assert caught.value.argument == "model"  # type: ignore[attr-defined]
    return message


def test_pickled_weights_are_not_opened(home: Path, tmp_path: Path) -> None:
    shutil.copytree(home / "target", tmp_path / "m")
    (tmp_path / "m" / "model.safetensors").unlink()
    (tmp_path / "m" / "pytorch_model.bin").write_bytes(b"\x80\x02")
    message = refused(tmp_path / "m")
    assert "pytorch_model.bin can run code" in message
    assert "safetensors" in message


def test_broken_folders(home: Path, tmp_path: Path) -> None:
    assert "config.json" in refused(tmp_path)
    shutil.copytree(home / "target", tmp_path / "m")
    (tmp_path / "m" / "model.safetensors").write_bytes(b"not a tensor file")
    refused(tmp_path / "m")
    (tmp_path / "m" / "config.json").write_text("{", "utf-8")
    refused(tmp_path / "m")
    assert "hub id" in refused(tmp_path / "nowhere")
    assert "hub id" in refused(home / "tokenizer.json")


def test_weights_that_do_not_fit_are_not_filled_with_noise(home: Path, tmp_path: Path) -> None:
    from safetensors.torch import load_file, save_file

    shutil.copytree(home / "target", tmp_path / "m")
    weights = load_file(tmp_path / "m" / "model.safetensors")
    weights.pop("model.layers.1.mlp.down_proj.weight")
    save_file(weights, tmp_path / "m" / "model.safetensors", {"format": "pt"})
    assert "1 are missing" in refused(tmp_path / "m")


def test_strangers_code_and_strangers_architectures(home: Path, tmp_path: Path) -> None:
    shutil.copytree(home / "target", tmp_path / "m")
    config = json.loads((tmp_path / "m" / "config.json").read_text("utf-8"))
    for change in ({"model_type": "unheard_of"}, {"model_type": "unheard_of", "auto_map": {"AutoConfig": "evil.Config"}}):
        (tmp_path / "m" / "config.json").write_text(json.dumps(config | change), "utf-8")
        refused(tmp_path / "m")
    (tmp_path / "m" / "config.json").write_text(json.dumps({"model_type": "bert"}), "utf-8")
    assert "encoder" in refused(tmp_path / "m", Unsupported)


def test_a_hub_id_out_of_reach_is_said_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hub, "_reachable", lambda endpoint: False)
    message = refused("someone/something-not-here")
    assert "neither a folder nor in the local cache" in message


def test_only_paths_and_names() -> None:
    refused(3, BadType)
    refused("http://example.org/model")


def test_a_proxy_is_trusted_to_reach_the_hub(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hub, "getproxies", lambda: {"https": "http://proxy:1"})
    assert hub._reachable("https://nowhere.invalid")
    monkeypatch.setattr(hub, "getproxies", dict)
    assert not hub._reachable("http://127.0.0.1:9")
