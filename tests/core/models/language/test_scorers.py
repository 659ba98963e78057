"""Cached and lean scorers against the model itself, path by path."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor

from core.models.language import tiny
from core.models.language.oracle import path_logits, random_tree, score, some_path
from glasshouse.models.language.cached import CachedScorer
from glasshouse.models.language.lean import LeanScorer, scorer_for
from glasshouse.models.language.scorer import extend
from glasshouse.schema.errors import BadValue

TOLERANCE = 1e-4
PROMPT = [5, 17, 3, 80, 41]
CASES = [(CachedScorer, family, attention) for family in tiny.FAMILIES for attention in ("sdpa", "eager")]
CASES += [(LeanScorer, family, "sdpa") for family in tiny.LEAN]


def label(case: Any) -> str:
    return f"{case[0].__name__}-{case[1]}-{case[2]}"


@pytest.fixture(params=CASES, ids=label)
def pair(request: pytest.FixtureRequest) -> tuple[Any, Any]:
    """(model, a fresh scorer of it)."""
    kind, family, attention = request.param
    model = tiny.shared(family, attention)
    return model, kind(model)


def test_a_tree_equals_its_paths_run_alone(pair: tuple[Any, Any]) -> None:
    model, scorer = pair
    rng = torch.Generator().manual_seed(1)
    last = extend(scorer, PROMPT)
    truth = path_logits(model, PROMPT[:-1], PROMPT[-1:], [-1])[0]
    assert truth.std() >= 0.5, "flat logits would hide a wrong mask"
    torch.testing.assert_close(last, truth, atol=TOLERANCE, rtol=0)
    for n in (1, 2, 9, 14):
        token, parent = random_tree(n, tiny.VOCABULARY, rng)
        found = score(scorer, token, parent)
        assert found.dtype == torch.float32
        assert scorer.pending == n
        torch.testing.assert_close(found, path_logits(model, PROMPT, token, parent), atol=TOLERANCE, rtol=0)
        scorer.keep([])
    assert scorer.length == len(PROMPT)


def test_growing_a_tree_equals_scoring_it_at_once(pair: tuple[Any, Any]) -> None:
    model, scorer = pair
    rng = torch.Generator().manual_seed(2)
    extend(scorer, PROMPT)
    token, parent = random_tree(11, tiny.VOCABULARY, rng)
    at_once = score(scorer, token, parent)
    scorer.keep([])
    grown = [score(scorer, token[a:b], parent[a:b]) for a, b in ((0, 1), (1, 2), (2, 6), (6, 11))]
    torch.testing.assert_close(torch.cat(grown), at_once, atol=TOLERANCE, rtol=0)
    torch.testing.assert_close(at_once, path_logits(model, PROMPT, token, parent), atol=TOLERANCE, rtol=0)


def test_a_grown_chain_equals_its_paths(pair: tuple[Any, Any]) -> None:
    model, scorer = pair
    extend(scorer, PROMPT)
    chain, parents = [9, 30, 61, 7], [-1, 0, 1, 2]
    grown = [score(scorer, chain[a:b], parents[a:b]) for a, b in ((0, 1), (1, 2), (2, 4))]
    torch.testing.assert_close(torch.cat(grown), path_logits(model, PROMPT, chain, parents), atol=TOLERANCE, rtol=0)


def test_twenty_rounds_leave_the_cache_of_a_fresh_run(pair: tuple[Any, Any]) -> None:
    model, scorer = pair
    rng = torch.Generator().manual_seed(3)
    text: list[int] = []
    for turn in range(20):
        token, parent = random_tree(3 + turn % 4, tiny.VOCABULARY, rng)
        score(scorer, token, parent)
        path = some_path(parent, rng)[:2] if scorer.length < scorer.window - 8 else []
        scorer.keep(path)
        text += [token[i] for i in path]
        assert (scorer.length, scorer.pending, scorer.calls) == (len(text), 0, turn + 1)
    assert len(text) >= 12
    torch.testing.assert_close(score(scorer, [4], [-1])[0], path_logits(model, text, [4], [-1])[0], atol=TOLERANCE, rtol=0)


def test_rows_are_rows(pair: tuple[Any, Any]) -> None:
    _, scorer = pair
    extend(scorer, PROMPT)
    token, parent = [9, 30, 61, 7, 11], [-1, -1, 0, 0, 1]
    every = score(scorer, token, parent)
    for rows in (slice(4, 5), slice(1, None), slice(0, 5, 2)):
        scorer.keep([])
        torch.testing.assert_close(score(scorer, token, parent, rows), every[rows], atol=TOLERANCE, rtol=0)


def test_a_fork_shares_nothing_but_weights_and_reset_forgets(pair: tuple[Any, Any]) -> None:
    _, scorer = pair
    first = extend(scorer, PROMPT)
    other = scorer.fork()
    assert (other.length, other.calls, other.window, other.name) == (0, 0, scorer.window, scorer.name)
    torch.testing.assert_close(extend(other, PROMPT), first)
    other.reset()
    assert other.length == 0
    assert scorer.length == len(PROMPT)
    torch.testing.assert_close(extend(other, PROMPT), first)


def test_logits_may_be_changed_in_place_by_the_caller(pair: tuple[Any, Any]) -> None:
    _, scorer = pair
    logits = extend(scorer, PROMPT)
    again = logits.clone()
    logits /= 0.5
    torch.testing.assert_close(extend(scorer.fork(), PROMPT), again)


@pytest.mark.parametrize(("token", "parent", "named"), [
    ([1], [0], "parent[0]"), ([1, 2], [-1, 1], "parent[1]"), ([1], [-2], "parent[0]"), ([97], [-1], "token"),
    ([-1], [-1], "token"), ([], [], "token, parent"), ([1, 2], [-1], "token, parent")])
def test_wrong_trees_are_named_and_change_nothing(pair: tuple[Any, Any], token: list[int], parent: list[int], named: str) -> None:
    _, scorer = pair
    extend(scorer, PROMPT)
    with pytest.raises(BadValue) as caught:
        score(scorer, token, parent)
    assert caught.value.argument == named
    assert (scorer.length, scorer.pending) == (len(PROMPT), 0)
    score(scorer, [1], [-1])


def test_wrong_paths_are_refused(pair: tuple[Any, Any]) -> None:
    _, scorer = pair
    score(scorer, [1, 2, 3], [-1, 0, 0])
    for nodes in ([1], [0, 1, 2], [2, 0], [3], [-1]):
        with pytest.raises(BadValue):
            scorer.keep(nodes)
    scorer.keep([0, 2])
    assert scorer.length == 2


def test_the_window_is_the_limit_of_a_path_not_of_a_tree(pair: tuple[Any, Any]) -> None:
    model, scorer = pair
    text = [(7 * i) % 90 + 2 for i in range(scorer.window - 2)]
    extend(scorer, text)
    token, parent = [3, 9, 4, 8, 5], [-1, -1, 0, 0, 1]         # five nodes, two deep: they fit where a chain would not
    torch.testing.assert_close(score(scorer, token, parent), path_logits(model, text, token, parent), atol=TOLERANCE, rtol=0)
    with pytest.raises(BadValue, match="at most 2"):
        score(scorer, [3], [2])
    scorer.keep([0, 2])
    with pytest.raises(BadValue, match="at most 0"):
        score(scorer, [3], [-1])


def planted(scorer: CachedScorer, monkeypatch: pytest.MonkeyPatch, defect: str) -> None:
    forward = scorer.model.forward

    def wrong(**given: Any) -> Any:
        if defect == "positions":
            first = given["position_ids"].min()
            given["position_ids"] = first + torch.arange(given["input_ids"].shape[1])[None]
        elif defect == "bool mask":
            given["attention_mask"] = given["attention_mask"] == 0
        else:
            given["attention_mask"] = torch.zeros_like(given["attention_mask"])
        return forward(**given)

    monkeypatch.setattr(scorer.model, "forward", wrong)


@pytest.mark.parametrize("defect", ["positions", "bool mask", "no mask"])
@pytest.mark.parametrize("family", tiny.FAMILIES)
def test_a_planted_defect_is_seen(family: str, defect: str, monkeypatch: pytest.MonkeyPatch) -> None:
    model = tiny.shared(family, "eager")
    scorer = CachedScorer(model)
    extend(scorer, PROMPT)
    token, parent = [9, 30, 61, 7, 11, 12], [-1, -1, 0, 0, 1, 2]
    truth: Tensor = path_logits(model, PROMPT, token, parent)
    planted(scorer, monkeypatch, defect)
    assert (score(scorer, token, parent) - truth).abs().max() > 10 * TOLERANCE


def test_extend_wants_a_clean_end() -> None:
    scorer = LeanScorer(tiny.model("llama"))
    with pytest.raises(BadValue):
        extend(scorer, [])
    score(scorer, [1], [-1])
    with pytest.raises(BadValue, match="keep"):
        extend(scorer, [1])


@pytest.mark.parametrize("family", ["llama", "qwen2", "qwen3", "gpt2", "opt"])
def test_a_plain_greedy_loop_writes_what_generate_writes(family: str) -> None:
    model = tiny.shared(family)
    prompt = torch.tensor([PROMPT])
    expected = model.generate(prompt, attention_mask=torch.ones_like(prompt), max_new_tokens=40, do_sample=False,
                              eos_token_id=None, pad_token_id=1)[0, len(PROMPT):].tolist()
    scorer = scorer_for(model)
    written = [int(extend(scorer, PROMPT).argmax())]
    while len(written) < 40:
        written.append(int(score(scorer, written[-1:], [-1])[0].argmax()))
        scorer.keep([0])
    assert written == expected
