"""Problems open into settings that can run; the prompts are what their card says."""

from __future__ import annotations

import hashlib
import json
import pickle
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from core.models.language.tiny import VOCABULARY, model
from glasshouse import assets
from glasshouse.families.decoding import problems
from glasshouse.families.decoding.drive import drive, summary
from glasshouse.families.decoding.methods.speculative_sampling import SpeculativeSampling
from glasshouse.families.decoding.problems import PROBLEMS, OwnModels, Python, Tiny, prompts, toy_pair
from glasshouse.models.language import Pair
from glasshouse.numerics.seeds import Seeds
from glasshouse.schema.build import build
from glasshouse.schema.errors import BadValue
from glasshouse.schema.knob import knobs_of

KINDS = ("code", "docstring", "repetitive", "entropy")


class Bytes:
    """A tokenizer in miniature: the characters' codes."""

    def encode(self, text: str, add_special_tokens: bool = True) -> list[int]:
        return [0] * add_special_tokens + [ord(c) % VOCABULARY for c in text]

    def convert_ids_to_tokens(self, ids: list[int]) -> list[str]:
        return [chr(i) for i in ids]

    def get_added_vocab(self) -> dict[str, int]:
        return {}

    def get_vocab(self) -> dict[str, int]:
        return {chr(i): i for i in range(VOCABULARY)}


@pytest.fixture
def small_pair(monkeypatch: pytest.MonkeyPatch) -> Pair:
    """A random pair in the place of the bundled one."""
    target, draft = (model("llama", seed=seed, max_position_embeddings=900) for seed in (0, 1))
    pair = Pair(target, draft, Bytes(), "small")
    monkeypatch.setattr(problems, "load_pair", lambda **_: pair)
    for cached in (problems._bundled, problems._own):
        cached.cache_clear()
    yield pair      # type: ignore[misc]
    for cached in (problems._bundled, problems._own):
        cached.cache_clear()


def test_problems_are_small_specs_with_distinct_fields() -> None:
    assert [p.name for p in PROBLEMS] == ["python", "tiny", "model"]
    for cls in PROBLEMS:
        assert pickle.loads(pickle.dumps(cls())) == cls()
        assert all(k.knob.group for k in knobs_of(cls))


def test_the_toy_pair_is_as_far_apart_as_asked() -> None:
    for divergence in (0.0, 0.2, 0.4):
        target, draft = toy_pair(divergence)
        assert target.divergence(draft) == pytest.approx(divergence)
        np.testing.assert_allclose(target.table, toy_pair(0.1)[0].table)


def test_tiny_runs_at_once() -> None:
    total = summary([e for e in drive(SpeculativeSampling(), Tiny(), Seeds(0)) if hasattr(e, "row")])
    assert total["tokens"] == Tiny().max_new_tokens


def test_python_continues_a_held_out_prompt(small_pair: Pair) -> None:
    first = Python(prompt="docstring", index=2, max_new_tokens=5).open()
    assert "".join(map(chr, first.tokens)) == "".join(chr(ord(c) % VOCABULARY) for c in prompts("docstring")[2])
    assert len(first.calibration) == 7
    assert first.tokens not in first.calibration
    assert first.piece is not None
    assert first.piece(65) == "A"
    assert first.eos == {0}
    assert first.target.vocab_size == VOCABULARY
    assert Python().open().target is not Python().open().target
    own = Python(text="x = 1").open()
    assert len(own.tokens) == 5
    assert len(own.calibration) == 8


def test_python_is_driven(small_pair: Pair) -> None:
    found = list(drive(SpeculativeSampling(2), Python(max_new_tokens=6), Seeds(0)))
    assert 1 <= sum(e.tokens for e in found[1:]) <= 6
    assert all(len(e.text) == e.tokens for e in found[1:])


def test_own_models_need_a_target_and_a_text(small_pair: Pair) -> None:
    with pytest.raises(BadValue, match="target"):
        OwnModels().open()
    with pytest.raises(BadValue, match="text"):
        problems._bundled().setting("", 4, Python().sampling)
    assert OwnModels(target="folder", text="ab").open().tokens == (0, ord("a") % VOCABULARY, ord("b") % VOCABULARY)


def test_two_sides_that_open_at_once_load_once(small_pair: Pair, monkeypatch: pytest.MonkeyPatch) -> None:
    loaded = []
    monkeypatch.setattr(problems, "load_pair", lambda **given: loaded.append(given) or time.sleep(0.02) or small_pair)
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda p: p.open(), [Python(), Python(index=1), OwnModels(target="a"), OwnModels(target="a")] * 2))
    assert len(loaded) == 2


def test_labs_can_tell_which_knobs_name_a_model() -> None:
    assert [k.name for k in knobs_of(OwnModels) if k.knob.unit == "model"] == ["target", "draft"]


@pytest.mark.parametrize(("cls", "values", "argument"), [
    (Tiny, {"divergence": 0.9}, "divergence"), (Tiny, {"temperature": -1}, "temperature"), (Tiny, {"temperature": float("nan")}, "temperature"),
    (Python, {"prompt": "poem"}, "prompt"), (Python, {"index": 8}, "index"), (Python, {"max_new_tokens": 0}, "max_new_tokens"),
    (Python, {"text": "x" * 9000}, "text"), (Tiny, {"top_p": 0}, "top_p"), (Python, {"colour": 1}, "knob")])
def test_fields_are_guarded(cls: type[Any], values: dict[str, Any], argument: str) -> None:
    with pytest.raises(BadValue) as refused:
        build(cls, values)
    assert refused.value.argument == argument


# ---- the prompts
@pytest.fixture(scope="module")
def entries() -> dict[str, Any]:
    return json.loads(assets.path("datasets", "decoding-prompts", "prompts.json").read_text("utf-8"))     # type: ignore[no-any-return]


def test_eight_prompts_a_kind_from_eight_modules(entries: dict[str, Any]) -> None:
    assert tuple(entries["prompts"]) == KINDS
    for kind in KINDS:
        found = entries["prompts"][kind]
        assert len(found) == len({e["module"] for e in found}) == 8
        assert all(60 <= e["tokens"] <= 200 for e in found)
        assert not any(e["text"][-1].isspace() for e in found)      # a newline alone would be a token that means "nothing follows"


def test_prompts_stand_in_the_held_out_text_as_said(entries: dict[str, Any]) -> None:
    text = assets.path("datasets", "python-stdlib-heldout", "heldout.txt").read_text("utf-8")
    assert hashlib.sha256(text.encode()).hexdigest() == entries["held_out_sha256"]
    modules = text.split("<|file|>")
    for found in entries["prompts"].values():
        for e in found:
            home = next(m for m in modules if e["text"] in m)
            assert "\n".join(home.split("\n")[e["line"] - 1:]).startswith(e["text"])


def test_kinds_are_what_they_are_called(entries: dict[str, Any]) -> None:
    def repeated(text: str) -> float:
        grams = [text[i:i + 12] for i in range(len(text) - 12)]
        return 1 - len(set(grams)) / len(grams)

    mean = {kind: np.mean([repeated(e["text"]) for e in entries["prompts"][kind]]) for kind in KINDS}
    assert mean["repetitive"] > 3 * mean["entropy"]
    assert all(e["text"].count('"""') == 1 for e in entries["prompts"]["docstring"])
    assert all('"""' not in e["text"] for e in entries["prompts"]["code"])


def test_the_card_is_there() -> None:
    assert "Licence" in Path(assets.path("datasets", "decoding-prompts", "CARD.md")).read_text("utf-8")
