"""Greedy text of every lossless method is transformers' greedy text, token for token.

Floats differ between one forward over a tree and many over single tokens, so a difference is allowed where the target's two best
logits lie closer than 1e-4; such places are counted and may be at most 1 in 2,000 tokens.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import torch

from core.models.language import tiny
from glasshouse import catalogue
from glasshouse.families.decoding import generate, load_pair
from glasshouse.families.decoding.problems import prompts

METHODS = [i.id for i in catalogue.methods("decoding") if i.guarantee.kind == "lossless"]
KINDS = ("code", "docstring", "repetitive", "entropy")


def greedy(model: Any, ids: torch.Tensor, new: int) -> list[int]:
    out = model.generate(ids, attention_mask=torch.ones_like(ids), max_new_tokens=new, do_sample=False, pad_token_id=0)
    return out[0, ids.shape[1]:].tolist()


def gap(model: Any, ids: torch.Tensor, text: list[int], at: int) -> float:
    """How far the best logit stands above the second, where token ``at`` of ``text`` is chosen."""
    with torch.no_grad():
        logits = model(torch.cat([ids, torch.tensor([text[:at]], dtype=torch.long)], 1)).logits[0, -1]
    first, second = logits.topk(2).values.tolist()
    return first - second


def near_ties(model: Any, ids: torch.Tensor, expected: list[int], found: list[int], what: str) -> int:
    """0 where equal, 1 where they part at a near tie; anything else fails."""
    if found == expected:
        return 0
    assert len(found) == len(expected), what
    at = next(i for i, (a, b) in enumerate(zip(expected, found, strict=True)) if a != b)
    assert gap(model, ids, expected, at) < 1e-4, f"{what}: token {at} differs and is no near tie"
    return 1


def bundled(per_kind: int) -> Iterator[tuple[str, torch.Tensor]]:
    tokenizer = load_pair("python-stdlib").tokenizer
    for kind in KINDS:
        for index, text in enumerate(prompts(kind)[:per_kind]):
            yield f"{kind} {index}", tokenizer(text, return_tensors="pt").input_ids


def compare_on_the_bundled_pair(per_kind: int, new: int) -> None:
    pair = load_pair("python-stdlib")
    tokens, ties = 0, 0
    for label, ids in bundled(per_kind):
        expected = greedy(pair.target, ids, new)
        for method in METHODS:
            found = generate(pair.target, ids, method=method.split(".")[1], draft=pair.draft, max_new_tokens=new, keep="none").tokens
            ties += near_ties(pair.target, ids, expected, found, f"{method} on {label}")
            tokens += len(expected)
    print(f"\n{len(METHODS)} methods, {tokens} tokens, {ties} near ties")
    assert ties * 2000 <= max(tokens, 2000)


@pytest.mark.long
def test_every_kind_of_prompt() -> None:
    compare_on_the_bundled_pair(per_kind=1, new=24)


@pytest.mark.slow
def test_all_held_out_prompts() -> None:
    compare_on_the_bundled_pair(per_kind=8, new=64)


@pytest.mark.parametrize("family", tiny.FAMILIES)
def test_every_architecture(family: str) -> None:
    model, draft = tiny.model(family, seed=0), tiny.model(family, seed=1)
    ids = torch.tensor([[3, 1, 4, 1, 5, 9, 2, 6]])
    assert model(ids).logits.std(-1).min() >= 0.5
    expected = greedy(model, ids, 12)
    ties = 0
    for method in METHODS:
        found = generate(model, ids, method=method.split(".")[1], draft=draft, max_new_tokens=12, keep="none").tokens
        ties += near_ties(model, ids, expected, found, f"{method} on {family}")
    assert ties == 0
