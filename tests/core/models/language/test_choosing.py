"""Which scorer a model gets, what the lean forward takes from it, and that the user's model is left as it was."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from core.models.language import tiny
from core.models.language.oracle import path_logits, score
from glasshouse.models.language.cached import CachedScorer
from glasshouse.models.language.lean import LeanScorer, scorer_for
from glasshouse.models.language.scorer import extend
from glasshouse.schema.errors import BadType, Unsupported

TOLERANCE = 1e-4
PROMPT = [5, 17, 3, 80, 41]


@pytest.mark.parametrize("kind", [CachedScorer, LeanScorer])
def test_the_weights_are_left_alone(kind: Any) -> None:
    model = tiny.model("qwen3")
    before = {name: value.clone() for name, value in model.state_dict().items()}
    scorer = kind(model)
    extend(scorer, PROMPT)
    score(scorer, [1, 2], [-1, -1])
    assert all(torch.equal(value, before[name]) for name, value in model.state_dict().items())
    assert all(p.requires_grad for p in model.parameters())


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
def test_half_precision_goes_through_the_model_itself(dtype: torch.dtype) -> None:
    model = tiny.model("llama").to(dtype)
    scorer = scorer_for(model)
    assert isinstance(scorer, CachedScorer)
    extend(scorer, PROMPT)
    token, parent = [9, 30, 61], [-1, -1, 0]
    found = score(scorer, token, parent)
    assert found.dtype == torch.float32
    torch.testing.assert_close(found, path_logits(model, PROMPT, token, parent).float(), atol=0.1, rtol=0.05)


@pytest.mark.parametrize("family", tiny.FAMILIES)
def test_lean_is_chosen_where_it_applies(family: str) -> None:
    expected = LeanScorer if family in tiny.LEAN else CachedScorer
    assert type(scorer_for(tiny.shared(family))) is expected


@pytest.mark.parametrize("changes", [{"hidden_act": "gelu"}, {"attention_bias": True}, {"mlp_bias": True},
                                     {"rope_parameters": {"rope_type": "dynamic", "rope_theta": 1e4, "factor": 2.0}}])
def test_what_lean_does_not_know_is_cached(changes: dict[str, Any]) -> None:
    model = tiny.model("llama", **changes)
    assert isinstance(scorer_for(model), CachedScorer)
    with pytest.raises(Unsupported, match="CachedScorer takes it"):
        LeanScorer(model)


@pytest.mark.parametrize("rope", [
    {"rope_type": "linear", "rope_theta": 1e4, "factor": 2.0},
    {"rope_type": "llama3", "rope_theta": 1e4, "factor": 8.0, "low_freq_factor": 1.0, "high_freq_factor": 4.0,
     "original_max_position_embeddings": 32},
    {"rope_type": "yarn", "rope_theta": 1e4, "factor": 4.0, "original_max_position_embeddings": 16}])
def test_lean_takes_the_rotation_from_the_model(rope: dict[str, Any]) -> None:
    model = tiny.model("llama", rope_parameters=rope)
    scorer = LeanScorer(model)
    extend(scorer, PROMPT)
    token, parent = [9, 30, 61], [-1, -1, 0]
    torch.testing.assert_close(score(scorer, token, parent), path_logits(model, PROMPT, token, parent), atol=TOLERANCE, rtol=0)


def test_lean_grows_its_buffer_under_many_nodes() -> None:
    model = tiny.model("llama")
    scorer = LeanScorer(model)
    rng = torch.Generator().manual_seed(5)
    extend(scorer, PROMPT)
    token = torch.randint(2, tiny.VOCABULARY, (90,), generator=rng).tolist()
    parent = [-1] * 30 + list(range(30)) * 2                   # 95 entries in a window of 64
    found = torch.cat([score(scorer, token[:30], parent[:30]), score(scorer, token[30:], parent[30:])])
    torch.testing.assert_close(found, path_logits(model, PROMPT, token, parent), atol=TOLERANCE, rtol=0)


def test_a_scorer_is_forked_and_strangers_are_refused() -> None:
    scorer = LeanScorer(tiny.model("llama"))
    extend(scorer, PROMPT)
    other = scorer_for(scorer)
    assert other is not scorer
    assert other.length == 0
    with pytest.raises(BadType):
        scorer_for(torch.nn.Linear(2, 2))


def test_flash_attention_is_refused_with_the_way_out() -> None:
    model = tiny.model("llama")
    model.config._attn_implementation = "flash_attention_2"
    with pytest.raises(Unsupported, match="sdpa"):
        CachedScorer(model)


@pytest.mark.parametrize("family", tiny.LEAN)
def test_lean_in_the_blocked_layout_of_many_rows(family: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("glasshouse.models.language.matrix.WORTH_BLOCKING", 1)
    model = tiny.shared(family)
    scorer = LeanScorer(model)
    extend(scorer, PROMPT)
    token, parent = [9, 30, 61, 7, 11, 12], [-1, -1, 0, 0, 1, 2]
    torch.testing.assert_close(score(scorer, token, parent), path_logits(model, PROMPT, token, parent), atol=TOLERANCE, rtol=0)
