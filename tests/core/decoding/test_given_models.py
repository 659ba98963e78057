"""Models that cannot give a text say so: which model, what it is, and what to do; and the user's model is left as it was."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any

import numpy as np
import pytest
import torch

from core.models.language import tiny
from glasshouse import runs
from glasshouse.families.decoding import generate
from glasshouse.families.decoding.sampling import checked
from glasshouse.models.language import TabularLM
from glasshouse.models.language.lean import scorer_for
from glasshouse.models.language.loading import load_model
from glasshouse.schema.errors import BadValue, GlasshouseError, Unsupported

PROMPT = [5, 17, 3, 80, 41]


def own_text(model: Any, new: int) -> list[int]:
    ids = torch.tensor([PROMPT])
    out = model.generate(ids, attention_mask=torch.ones_like(ids), max_new_tokens=new, do_sample=False, pad_token_id=0)
    return out[0, len(PROMPT):].tolist()  # type: ignore[no-any-return]


def poisoned(family: str, value: float) -> Any:
    """Only token 60 is poisoned: nothing is wrong until it is read."""
    model = tiny.model(family, tie_word_embeddings=False)
    with torch.no_grad():
        model.get_input_embeddings().weight[60] = value
    return model


@pytest.mark.parametrize("family", ["llama", "gpt2"])
@pytest.mark.parametrize(("prompt", "position"), [([5, 60], 2), ([5, 60, 3], 3)])
def test_nan_names_the_forward_and_the_position(family: str, prompt: list[int], position: int) -> None:
    with pytest.raises(BadValue, match=rf"target gives logits that are NaN in its forward 2, for position {position} of the text") as caught:
        generate(poisoned(family, torch.nan), prompt, method="autoregressive", max_new_tokens=5)
    assert caught.value.argument == "target"
    generate(poisoned(family, torch.nan), [5, 61], method="autoregressive", max_new_tokens=1)


@pytest.mark.parametrize("method", ["speculative-sampling", "sequoia"])
def test_the_drafts_nan_is_the_drafts(method: str) -> None:
    with pytest.raises(BadValue, match="draft gives logits that are NaN") as caught:
        generate(tiny.shared("llama"), [5, 60, 3], method=method, draft=poisoned("llama", torch.nan), max_new_tokens=5)
    assert caught.value.argument == "draft"


def test_single_tokens_may_be_ruled_out_and_all_may_not() -> None:
    row = np.asarray([[0.0, -np.inf, 1.0]])
    assert checked(row, "target", 1, lambda row: row) is row
    for wrong, word in ((np.full((1, 3), -np.inf), "-inf for every token"), (np.asarray([[0.0, np.inf, 1.0]]), "infinite"),
                        (np.asarray([[0.0, np.nan, np.inf]]), "NaN")):
        with pytest.raises(BadValue, match=word):
            checked(wrong, "target", 1, lambda row: row)


@pytest.mark.parametrize("family", ["gpt2", "opt", "llama"])
def test_threads_on_a_model_in_training_mode_agree_or_are_refused(family: str) -> None:
    model = tiny.model(family, **({"attention_dropout": 0.0} if family == "llama" else {}))
    expected = own_text(model, 12)
    model.train()
    flags, start = [m.training for m in model.modules()], Barrier(4)

    def write(_: int) -> list[Any]:
        start.wait()
        found: list[Any] = []
        for _ in range(4):
            try:
                found.append(generate(model, PROMPT, method="token-recycling", max_new_tokens=12).tokens)
            except Unsupported as error:
                found.append(str(error))
        return found

    with ThreadPoolExecutor(4) as pool:
        texts = [text for texts in pool.map(write, range(4)) for text in texts]
    assert len(texts) == 16
    assert [m.training for m in model.modules()] == flags
    if family == "llama":
        assert texts == [expected] * 16
    else:
        assert all("target" in text and "call .eval() first" in text for text in texts)
        model.eval()
        assert generate(model, PROMPT, method="token-recycling", max_new_tokens=12).tokens == expected


def test_training_that_begins_under_a_scorer_is_noticed() -> None:
    model = tiny.model("gpt2")
    scorer = scorer_for(model)
    model.train()
    with pytest.raises(Unsupported, match="drops out at random"):
        scorer.score(torch.tensor([1]), torch.tensor([-1]))


def headless() -> Any:
    from transformers import AutoModel

    return AutoModel.from_config(tiny.config("llama")).eval()


def encoder_decoder() -> Any:
    import transformers as t

    return t.T5ForConditionalGeneration(t.T5Config(vocab_size=97, d_model=8, d_kv=4, d_ff=8, num_layers=1, num_heads=2)).eval()


def on_meta() -> Any:
    from transformers import AutoModelForCausalLM

    with torch.device("meta"):
        return AutoModelForCausalLM.from_config(tiny.config("llama")).eval()


def classifier() -> Any:
    from transformers import AutoModelForSequenceClassification

    return AutoModelForSequenceClassification.from_config(tiny.config("llama")).eval()


def other_rotation() -> Any:
    model = tiny.model("llama")
    model.config.rope_parameters["rope_type"] = "proportional"
    return model


@pytest.mark.parametrize(("make", "why"), [
    (headless, "no language-model head: load it with AutoModelForCausalLM"), (classifier, "no language-model head"),
    (encoder_decoder, "encoder-decoder"), (on_meta, "meta device"), (other_rotation, "has not been verified")])
@pytest.mark.parametrize("role", ["target", "draft"])
def test_models_without_a_next_token_are_refused_by_name(make: Any, why: str, role: str) -> None:
    good = tiny.shared("llama")
    given = {"target": good, "draft": good} | {role: make()}
    with pytest.raises(GlasshouseError, match=why) as caught:
        generate(given["target"], PROMPT, method="speculative-sampling", draft=given["draft"], max_new_tokens=4)
    assert caught.value.argument == role
    assert str(caught.value).startswith(role)


@pytest.mark.parametrize("rope", ["dynamic", "longrope"])
def test_a_rotation_that_depends_on_the_length_is_used_as_far_as_it_does_not(rope: str) -> None:
    """Up to its limit the text is transformers' own, also after a longer text of somebody else; beyond it is refused."""
    parameters = {"rope_type": rope, "rope_theta": 1e4, "factor": 4.0}
    if rope == "longrope":
        parameters |= {"short_factor": [1.0] * 4, "long_factor": [30.0] * 4, "original_max_position_embeddings": 20}     # type: ignore[dict-item]
    model = tiny.model("llama", rope_parameters=parameters, max_position_embeddings=64 if rope == "longrope" else 20)
    window = scorer_for(model).window
    assert window == (20 if rope == "longrope" else 19)
    new = window - len(PROMPT)
    expected = own_text(model, new)
    with torch.no_grad():
        model(torch.arange(40)[None])
    assert generate(model, PROMPT, method="token-recycling", max_new_tokens=new).tokens == expected
    with pytest.raises(BadValue, match=f"window of {window}"):
        generate(model, PROMPT, method="token-recycling", max_new_tokens=new + 1)


def test_a_run_says_what_computed_it(tmp_path: Any) -> None:
    for name, family in (("target", "gpt2"), ("draft", "llama")):
        tiny.model(family, vocab_size=280).save_pretrained(tmp_path / name)
    from core.models.language.folders import write_tokenizer

    write_tokenizer(tmp_path / "tokenizer.json")
    record = runs.run("decoding.speculative-sampling", problem=f"model:target={tmp_path / 'target'},draft={tmp_path / 'draft'},max_new_tokens=4")
    assert str(record.summary["target_forward"]).startswith("the model's own: model_type gpt2")
    assert record.summary["draft_forward"] == "lean"
    toy = TabularLM.random(5)
    assert generate(toy, [0, 1], method="autoregressive", max_new_tokens=2).forward == {"target": "exact"}
    assert load_model(tmp_path / "target").training is False
