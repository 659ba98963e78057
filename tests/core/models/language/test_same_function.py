"""The model that runs is the model that was given: every scorer equals the model's own forward, whatever was done to it, or is refused.

Each architecture is packed first, changed then, and asked again: a stale copy is the fault that this must catch. The oracle is the model's
own forward over each path alone, and for texts transformers' own greedy ``generate``.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import nullcontext
from typing import Any

import pytest
import torch

from core.models.language import changes, tiny
from core.models.language.oracle import path_logits, score
from glasshouse.families.decoding import generate
from glasshouse.models.language.cached import CachedScorer
from glasshouse.models.language.lean import LeanScorer, scorer_for
from glasshouse.models.language.scorer import extend
from glasshouse.schema.errors import GlasshouseError, Unsupported

PROMPT, TOKEN, PARENT = [5, 17, 3, 80, 41], [9, 30, 61, 7], [-1, -1, 0, 2]
VARIANTS: dict[str, tuple[str, dict[str, Any]]] = {
    **{family: (family, {}) for family in tiny.FAMILIES},
    "llama untied": ("llama", {"tie_word_embeddings": False}),
    "llama, one key head": ("llama", {"num_key_value_heads": 1}),
    "llama, dynamic": ("llama", {"rope_parameters": {"rope_type": "dynamic", "rope_theta": 1e4, "factor": 4.0}}),
    "llama, longrope": ("llama", {"rope_parameters": {"rope_type": "longrope", "rope_theta": 1e4, "factor": 4.0, "short_factor": [1.0] * 4,
                                                      "long_factor": [3.0] * 4, "original_max_position_embeddings": 16}}),
    "qwen2 tied": ("qwen2", {"tie_word_embeddings": True}),
}
QUICK = ("llama", "gpt2")
MAKERS: tuple[Callable[[Any], Any], ...] = (scorer_for, CachedScorer, LeanScorer)


def built(variant: str) -> Any:
    family, more = VARIANTS[variant]
    return tiny.model(family, **more)


def equal_or_refused(make: Callable[[], Any], model: Any, apart: float) -> str:
    """What was done: the class of the scorer that is equal, or the reason of the refusal."""
    try:
        scorer = make()
        last = extend(scorer, PROMPT)
        found = torch.cat([last[None], score(scorer, TOKEN, PARENT)])
    except GlasshouseError as error:
        return str(error)
    truth = torch.cat([path_logits(model, PROMPT[:-1], PROMPT[-1:], [-1]).float(), own_logits(model)])
    torch.testing.assert_close(found, truth, atol=apart, rtol=apart, equal_nan=True)
    return type(scorer).__name__


def own_logits(model: Any) -> torch.Tensor:
    return path_logits(model, PROMPT, TOKEN, PARENT).float()


def law(variant: str, change: Callable[[Any], Any], around: bool) -> dict[str, str]:
    model = built(variant)
    before = [maker(model) for maker in MAKERS[:2]]
    generate(model, PROMPT, method="autoregressive", max_new_tokens=2)
    was = own_logits(model)
    if not around:
        change(model)
    flags = [m.training for m in model.modules()]
    with change(model) if around else nullcontext():
        apart = 0.25 if change is changes.autocast else 2e-4
        if change is not changes.training:
            assert not torch.allclose(own_logits(model), was, atol=1e-3), "the change does nothing"
        done = {f"new {maker.__name__}": equal_or_refused(lambda m=maker: m(model), model, apart) for maker in MAKERS}  # type: ignore[misc]
        done |= {f"fork of {type(old).__name__}": equal_or_refused(old.fork, model, apart) for old in before}
    assert [m.training for m in model.modules()] == flags
    return done


CASES = [(v, c, False) for v in VARIANTS for c in changes.IN_PLACE if c is not changes.fewer_layers or VARIANTS[v][0] in tiny.LEAN]
CASES += [(v, c, True) for v in VARIANTS for c in changes.AROUND]


@pytest.mark.parametrize(("variant", "change", "around"), [
    pytest.param(v, c, a, id=f"{c.__name__}-{v}", marks=() if v in QUICK else pytest.mark.long) for v, c, a in CASES])
def test_every_scorer_is_the_models_own_function_or_refused(variant: str, change: Any, around: bool) -> None:
    done = law(variant, change, around)
    assert done["new scorer_for"] in ("CachedScorer", "LeanScorer") or change in REFUSED.get(variant, ()), done


# What is refused as a whole: dropout in training mode.
REFUSED: dict[str, tuple[Any, ...]] = {"gpt2": (changes.training,), "opt": (changes.training,)}


@pytest.mark.parametrize("family", QUICK)
@pytest.mark.parametrize("change", [changes.hook, changes.adapter, changes.model_subclass, changes.patched, changes.swapped_rows,
                                    changes.through_numpy, changes.epsilon])
def test_the_text_is_that_of_the_changed_model(family: str, change: Any) -> None:
    model = tiny.model(family)
    generate(model, PROMPT, method="token-recycling", max_new_tokens=24)
    change(model)
    ids = torch.tensor([PROMPT])
    expected = model.generate(ids, attention_mask=torch.ones_like(ids), max_new_tokens=24, do_sample=False, pad_token_id=0)[0, 5:].tolist()
    out = generate(model, PROMPT, method="token-recycling", max_new_tokens=24)
    assert out.tokens == expected
    still_lean = family == "llama" and change in (changes.swapped_rows, changes.through_numpy, changes.epsilon)
    assert (out.forward["target"] == "lean") == still_lean


def test_the_reason_is_told() -> None:
    model = tiny.model("llama")
    assert scorer_for(model).forward == "lean"
    changes.hook(model)
    assert scorer_for(model).forward == "the model's own: model.layers.1.mlp.down_proj (Linear) has a forward hook"
    assert scorer_for(tiny.shared("gpt2")).forward.startswith("the model's own: model_type gpt2 is not one of")
    with pytest.raises(Unsupported, match="forward hook"):
        LeanScorer(model)


def test_hooks_that_transformers_leaves_behind_are_none() -> None:
    model = tiny.model("llama")
    model(torch.tensor([PROMPT]), output_hidden_states=True)
    assert any(m._forward_hooks for m in model.modules())
    assert scorer_for(model).forward == "lean"


def test_a_function_of_the_call_and_not_of_the_text_is_refused() -> None:
    """A vector added at the last position of every call: with several tokens in a call the others go without."""
    def steer(module: Any, given: Any, out: Any) -> Any:
        out = out.clone()
        out[:, -1] += torch.arange(out.shape[-1]) / 3
        return out

    model = tiny.model("gpt2")
    model.transformer.h[0].mlp.register_forward_hook(steer)
    with pytest.raises(Unsupported, match="how tokens are spread over calls"):
        generate(model, PROMPT, max_new_tokens=4)


def test_a_forward_without_cache_and_mask_is_refused() -> None:
    model = tiny.model("llama")
    kind = type(model)
    model.__class__ = type("Mine", (kind,), {"forward": lambda self, input_ids: kind.forward(self, input_ids)})
    with pytest.raises(Unsupported, match="does not take a tree"):
        generate(model, PROMPT, max_new_tokens=4)


def test_a_compiled_model_runs_itself() -> None:
    model = tiny.model("llama")
    model._compiled_call_impl = model._call_impl            # what model.compile() leaves
    assert scorer_for(model).forward == "the model's own: the model (LlamaForCausalLM) is compiled"
