"""``generate``: the same text as transformers, and one clear refusal for every bad input."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from core.models.language.tiny import VOCABULARY, model, shared
from glasshouse.families.decoding import generate
from glasshouse.families.decoding.generation import Memory, end_of_text
from glasshouse.models.language import TabularLM, scorer_for
from glasshouse.schema.errors import BadType, BadValue, GlasshouseError

IDS = torch.tensor([[5, 17, 3, 88, 5, 17, 3]])
METHODS: list[tuple[str, dict[str, Any]]] = [("autoregressive", {}), ("speculative-sampling", {"gamma": 3}), ("token-recycling", {}),
                                             ("prompt_lookup", {})]


def reference(big: Any, new: int) -> list[int]:
    """transformers' greedy text; where its two best logits are nearly equal, the text up to there."""
    out = big.generate(IDS, attention_mask=torch.ones_like(IDS), max_new_tokens=new, do_sample=False, output_logits=True,
                       return_dict_in_generate=True, pad_token_id=0)
    tokens = out.sequences[0, IDS.shape[1]:].tolist()
    gaps = [float(-row[0].topk(2).values.diff()) for row in out.logits]
    certain = next((i for i, gap in enumerate(gaps) if gap < 1e-4), len(tokens))
    assert certain >= min(20, len(tokens))
    return tokens[:certain]


@pytest.mark.parametrize("family", ["llama", "gpt2"])
@pytest.mark.parametrize(("method", "knobs"), METHODS, ids=lambda v: v if isinstance(v, str) else "")
def test_greedy_text_is_that_of_transformers(family: str, method: str, knobs: dict[str, Any]) -> None:
    big, small = shared(family), model(family, seed=1, **({"num_hidden_layers": 1} if family == "llama" else {"n_layer": 1}))
    spread = big(IDS).logits.std(-1)
    assert spread.min() >= 0.5
    wanted = reference(big, 48)
    out = generate(big, IDS, method=method, draft=small, max_new_tokens=48, keep="none", **knobs)
    assert out.tokens[:len(wanted)] == wanted
    assert out.guarantee.kind == "lossless-greedy"


@pytest.mark.parametrize("sampling", [{"temperature": 0.9}, {"temperature": 0.8, "top_p": 0.7}, {"temperature": 1.0, "coupled": True}], ids=str)
def test_point_mass_and_coupled_texts_are_those_of_plain_sampling(sampling: dict[str, Any]) -> None:
    big, small = shared("llama"), model("llama", seed=1)
    plain = generate(big, IDS, method="autoregressive", max_new_tokens=40, seed=4, keep="none", **sampling)
    assert generate(big, IDS, method="token-recycling", max_new_tokens=40, seed=4, keep="none", **sampling).tokens == plain.tokens
    if "coupled" in sampling:
        other = generate(big, IDS, method="speculative-sampling", draft=small, max_new_tokens=40, seed=4, keep="none", **sampling)
        assert other.tokens == plain.tokens
    assert generate(big, IDS, method="autoregressive", max_new_tokens=40, seed=5, keep="none", **sampling).tokens != plain.tokens


def test_the_fields_of_a_generation() -> None:
    toy = TabularLM.random(6, seed=3)
    out = generate(toy, [0, 1, 2], method="speculative-sampling", draft=toy.perturbed(0.3), max_new_tokens=20, temperature=1.0, keep="full")
    assert isinstance(out.tokens, list)
    assert len(out.tokens) == 20
    assert out.target_calls == len(out.rounds) <= 20
    assert [t for r in out.rounds for t in r.committed] == out.tokens
    assert out.seconds > 0
    assert out.guarantee.kind == "lossless"
    first = out.rounds[0]
    assert first.p.full is not None
    assert first.p.full.shape == (first.nodes, 6)
    np.testing.assert_allclose(first.p.full[0], toy.next([0, 1, 2]), atol=1e-12)
    assert first.draft_calls > 0


@pytest.mark.parametrize("given", [IDS, IDS[0], IDS.to(torch.int32), IDS.numpy(), IDS[0].tolist()], ids=["[1,n]", "[n]", "int32", "numpy", "list"])
def test_ids_are_taken_in_every_form(given: Any) -> None:
    assert generate(shared("llama"), given, method="autoregressive", max_new_tokens=3).tokens == reference(shared("llama"), 3)


def test_the_end_of_text_is_transformers_own() -> None:
    big = model("llama")
    text = generate(big, IDS, method="token-recycling", max_new_tokens=30).tokens
    big.generation_config.eos_token_id = [text[8], VOCABULARY - 1]
    assert end_of_text(big) == {text[8], VOCABULARY - 1}
    stop = text.index(text[8]) + 1
    assert generate(big, IDS, method="token-recycling", max_new_tokens=30).tokens == text[:stop] == reference(big, 30)[:stop]
    assert end_of_text(TabularLM.random(4)) == frozenset()


def test_a_state_carries_memory_and_is_not_changed() -> None:
    big = shared("llama")
    cold = generate(big, IDS, method="token-recycling", max_new_tokens=40, keep="none")
    before = copy.deepcopy(cold.state)
    warm = generate(big, IDS, method="token-recycling", max_new_tokens=40, keep="none", state=cold.state)
    assert warm.tokens == cold.tokens
    assert warm.target_calls < cold.target_calls
    np.testing.assert_array_equal(cold.state.value.successors, before.value.successors)
    again = generate(big, IDS, method="token-recycling", max_new_tokens=40, keep="none", state=cold.state)
    assert again.target_calls == warm.target_calls
    assert generate(big, IDS, method="token-recycling", max_new_tokens=40, keep="none").target_calls == cold.target_calls


def test_a_changed_model_is_packed_anew_and_left_alone() -> None:
    big = model("llama")
    first = generate(big, IDS, method="autoregressive", max_new_tokens=20).tokens
    weights = {n: p.clone() for n, p in big.state_dict().items()}
    assert generate(big, IDS, method="autoregressive", max_new_tokens=20).tokens == first
    assert all(torch.equal(p, weights[n]) for n, p in big.state_dict().items())
    with torch.no_grad():
        big.lm_head.weight.data[first[0]] *= -1
    changed = generate(big, IDS, method="autoregressive", max_new_tokens=20).tokens
    assert changed != first
    assert changed[:5] == reference(big, 20)[:5]


def test_a_scorer_is_forked() -> None:
    toy = TabularLM.random(5)
    generate(toy, [0, 1], method="autoregressive", max_new_tokens=5)
    assert (toy.length, toy.calls) == (0, 0)
    lean = scorer_for(shared("llama"))
    assert generate(lean, IDS, method="autoregressive", max_new_tokens=5).tokens == reference(shared("llama"), 5)
    assert lean.length == 0


BAD: list[tuple[dict[str, Any], str, type[GlasshouseError]]] = [
    ({"input_ids": torch.zeros(1, 0, dtype=torch.int64)}, "input_ids", BadValue),
    ({"input_ids": []}, "input_ids", BadValue),
    ({"input_ids": torch.zeros(2, 3, dtype=torch.int64)}, "input_ids", BadType),
    ({"input_ids": torch.zeros(1, 1, 3, dtype=torch.int64)}, "input_ids", BadType),
    ({"input_ids": torch.zeros(1, 3)}, "input_ids", BadType),
    ({"input_ids": "def"}, "input_ids", BadType),
    ({"input_ids": [[1, 2], [3]]}, "input_ids", BadType),
    ({"input_ids": None}, "input_ids", BadType),
    ({"input_ids": [True, False]}, "input_ids", BadType),
    ({"input_ids": [1, VOCABULARY]}, "input_ids", BadValue),
    ({"input_ids": [1, -2]}, "input_ids", BadValue),
    ({"max_new_tokens": 60}, "max_new_tokens", BadValue),
    ({"max_new_tokens": 0}, "max_new_tokens", BadValue),
    ({"max_new_tokens": 2.5}, "max_new_tokens", BadType),
    ({"max_new_tokens": True}, "max_new_tokens", BadType),
    ({"method": "token-recyclin"}, "method", BadValue),
    ({"method": 3}, "method", BadType),
    ({"depthh": 3}, "knob", BadValue),
    ({"k": 99}, "k", BadValue),
    ({"k": "many"}, "k", BadValue),
    ({"temperature": -0.1}, "temperature", BadValue),
    ({"temperature": float("nan")}, "temperature", BadValue),
    ({"temperature": float("inf")}, "temperature", BadValue),
    ({"temperature": "hot"}, "temperature", BadType),
    ({"top_p": 0.0}, "top_p", BadValue),
    ({"top_p": 1.1}, "top_p", BadValue),
    ({"seed": 1.5}, "seed", BadType),
    ({"keep": "all"}, "keep", BadValue),
    ({"coupled": "perhaps"}, "coupled", BadValue),
    ({"method": "speculative-sampling"}, "draft", BadValue),
    ({"method": "speculative-sampling", "draft": TabularLM.random(7)}, "draft", BadValue),
    ({"method": "speculative-sampling", "draft": 5}, "draft", BadType),
    ({"target": 5}, "target", BadType),
    ({"target": torch.nn.Linear(2, 2)}, "target", BadType),
    ({"target": "no/such/folder/anywhere"}, "target", BadValue),
    ({"state": 5}, "state", BadType),
    ({"state": Memory("another method", VOCABULARY, None)}, "state", BadValue),       # type: ignore[arg-type]
]


@pytest.mark.parametrize(("change", "argument", "kind"), BAD, ids=lambda v: str(v)[:40] if isinstance(v, dict) else "")
def test_bad_input_is_refused_by_name(change: dict[str, Any], argument: str, kind: type[GlasshouseError]) -> None:
    call: dict[str, Any] = {"target": shared("llama"), "input_ids": IDS, "max_new_tokens": 8} | change
    with pytest.raises(kind) as refused:
        generate(**call)
    assert refused.value.argument == argument
    assert argument in str(refused.value) or argument == "knob"
    assert "Traceback" not in str(refused.value)


def test_a_state_of_another_method_or_vocabulary_is_refused() -> None:
    toy = TabularLM.random(6)
    state = generate(toy, [0, 1], method="token-recycling", max_new_tokens=6).state
    for change in ({"method": "autoregressive"}, {"budget": 9}, {"target": TabularLM.random(7)}):
        call: dict[str, Any] = {"target": toy, "input_ids": [0, 1], "method": "token-recycling", "max_new_tokens": 6, "state": state} | change
        with pytest.raises(BadValue, match="state"):
            generate(**call)


def test_models_are_taken_from_a_folder(tmp_path: Path) -> None:
    shared("llama").save_pretrained(tmp_path)
    assert generate(str(tmp_path), IDS, method="autoregressive", max_new_tokens=6).tokens == reference(shared("llama"), 6)
    assert generate(tmp_path, IDS, method="speculative-sampling", draft=tmp_path, max_new_tokens=6).tokens == reference(shared("llama"), 6)


@pytest.mark.parametrize("method", ["autoregressive", "token-recycling"])
def test_a_text_asked_for_token_by_token_is_the_whole_text(method: str) -> None:
    """Draws belong to places in the text, not in the call: pieces of one seed are no more alike than the parts of one text."""
    language = TabularLM.random(6, order=1, seed=2)
    whole = generate(language, [1, 2], method=method, max_new_tokens=24, temperature=1.0, seed=np.int64(5)).tokens
    text = [1, 2]
    for _ in range(24):
        text += generate(language, text, method=method, max_new_tokens=np.int32(1), temperature=1.0, seed=5).tokens
    assert text[2:] == whole
