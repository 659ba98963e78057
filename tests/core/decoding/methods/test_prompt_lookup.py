"""Prompt lookup against transformers' own candidate generator and against exhaustive search."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from core.decoding.chi_square import assert_lossless
from core.decoding.methods.decoded import COUPLED, DRAWS, EXAMPLES, GREEDY, RANDOM, decoded, plain, text, toy
from core.decoding.methods.exact_law import text_law
from glasshouse.families.decoding.drive import drive
from glasshouse.families.decoding.interface import Context, Look, TokenTree
from glasshouse.families.decoding.methods.autoregressive import Autoregressive
from glasshouse.families.decoding.methods.prompt_lookup import PromptLookup
from glasshouse.families.decoding.problems import Python
from glasshouse.families.decoding.reading import node_look
from glasshouse.families.decoding.verification.point_mass import point_mass
from glasshouse.numerics.seeds import Seeds
from glasshouse.schema.errors import Unsupported


def context(tokens: list[int], room: int = 1000, vocab_size: int = 100) -> Context:
    return Context(tokens, len(tokens), room, vocab_size, GREEDY, Seeds(0))


def paths(tree: TokenTree) -> list[tuple[int, ...]]:
    found: list[tuple[int, ...]] = [()]
    for parent, token in zip(tree.parent[1:].tolist(), tree.token[1:].tolist(), strict=True):
        found.append((*found[parent], token))
    return found[1:]


def proposed(method: PromptLookup, tokens: list[int], room: int = 1000) -> TokenTree:
    return method.propose(method.init(100), context(tokens, room)).tree


def extras(method: PromptLookup, tokens: list[int]) -> Mapping[str, Any]:
    return method.propose(method.init(100), context(tokens)).extra()


def texts(number: int, seed: int) -> list[list[int]]:
    """Random texts over few tokens, some of them with a loop at the end."""
    rng = np.random.default_rng(seed)
    found = []
    for _ in range(number):
        tokens = rng.integers(0, rng.integers(1, 8) + 1, rng.integers(1, 40)).tolist()
        loop = tokens[-int(rng.integers(1, 6)):]
        found.append(tokens + loop * int(rng.integers(0, 4)))
    return found


@pytest.mark.parametrize(("most", "length"), [(1, 3), (2, 10), (3, 10), (5, 1)])
def test_it_proposes_what_transformers_would(most: int, length: int) -> None:
    from transformers.generation.candidate_generator import PromptLookupCandidateGenerator

    peer = PromptLookupCandidateGenerator(num_output_tokens=length, max_matching_ngram_size=most, max_length=10_000)
    method = PromptLookup(max_ngram=most, length=length)
    guessed = 0
    for tokens in texts(200, most):
        expected = peer.get_candidates(torch.tensor([tokens]))[0][0, len(tokens):].tolist()
        tree = proposed(method, tokens)
        assert tree.token[1:].tolist() == expected
        assert tree.parent.tolist() == list(range(-1, len(expected)))
        guessed += len(expected)
    assert guessed > 150


def longest_earlier_suffix(tokens: list[int]) -> tuple[int, list[int]]:
    """(its size, starts of all earlier occurrences) by trying every size and place."""
    n = len(tokens)
    for size in range(n - 1, 0, -1):
        starts = [i for i in range(n - size) if tokens[i:i + size] == tokens[-size:]]
        if starts:
            return size, starts
    return 0, []


@pytest.mark.parametrize("which", ["first", "last", "all"])
def test_the_longest_suffix_is_found_at_every_place(which: str) -> None:
    method = PromptLookup("suffix", which=which, length=4, budget=128)                # type: ignore[arg-type]
    for tokens in texts(200, 7):
        size, starts = longest_earlier_suffix(tokens)
        chosen = {"first": starts[:1], "last": starts[-1:], "all": starts}[which]
        copies = {tuple(tokens[i + size:i + size + end]) for i in chosen for end in range(1, 5)}
        assert set(paths(proposed(method, tokens))) == copies - {()}


def test_all_occurrences_merge_into_a_tree_that_keeps_the_most_frequent() -> None:
    tokens = [1, 2, 3, 0, 1, 2, 4, 0, 1, 2, 3, 0, 1, 2, 3, 5, 1, 2]
    tree = proposed(PromptLookup("suffix", which="all", length=2, budget=3), tokens)
    # After "1 2" came 3 three times (then 0, 0, 5) and 4 once.
    assert paths(tree) == [(3,), (3, 0), (4,)]
    assert tree.rank.tolist() == [0, 0, 0, 1]
    full = proposed(PromptLookup("suffix", which="all", length=2, budget=128), tokens)
    assert Counter(paths(full)) == Counter([(3,), (4,), (3, 0), (3, 5), (4, 0)])
    assert len(set(paths(full))) == full.size - 1


def test_little_evidence_earns_little() -> None:
    tokens = [5, 6, 7, 8, 9, 1, 2, 5, 6]
    assert proposed(PromptLookup("suffix", per_match=1), tokens).token.tolist() == [6, 7, 8]
    assert proposed(PromptLookup("suffix", per_match=2), tokens).size == 5
    assert proposed(PromptLookup("suffix", min_ngram=2), tokens).size == 8
    assert proposed(PromptLookup("suffix", min_ngram=3), tokens).size == 1
    assert proposed(PromptLookup("ngram", max_ngram=2, min_ngram=3), tokens).size == 1


@pytest.mark.parametrize("tokens", [[3], [1, 2, 3], [0xD800, 7, 0xD800], [2, 2, 2, 2]])
@pytest.mark.parametrize("room", [1, 2, 5])
def test_short_texts_no_match_and_little_room(tokens: list[int], room: int) -> None:
    for method in (PromptLookup(), PromptLookup("suffix", which="all"), PromptLookup(which="last", length=1)):
        tree = proposed(method, tokens, room)
        assert tree.token[0] == tokens[-1]
        assert tree.depth.max() <= room - 1
        if len(tokens) == len(set(tokens)):
            assert tree.size == 1


METHODS = [PromptLookup(), PromptLookup("suffix", which="last", per_match=2), PromptLookup("suffix", which="all", length=3, budget=8)]


@pytest.mark.parametrize("method", METHODS, ids=str)
@pytest.mark.parametrize("sampling", [GREEDY, COUPLED], ids=["greedy", "coupled"])
@pytest.mark.parametrize("seed", range(3))
def test_the_text_is_the_plain_one(method: PromptLookup, sampling, seed: int) -> None:      # type: ignore[no-untyped-def]
    models = toy(seed=seed)
    found = decoded(method, models, sampling, 60, seed=seed)
    assert text(found) == plain(models[0], sampling, 60, seed=seed)


@pytest.mark.parametrize("method", METHODS, ids=str)
def test_sampled_text_is_the_plain_sample_and_its_law_is_the_targets(method: PromptLookup) -> None:
    models = toy(vocab_size=3)
    for seed in range(5):
        assert text(decoded(method, models, RANDOM, 40, seed=seed)) == text(decoded(Autoregressive(), models, RANDOM, 40, seed=seed))
    tokens = [0, 1, 2, 0, 1, 1, 0, 1]
    tree = method.propose(None, context(tokens, vocab_size=3)).tree
    assert tree.size > 2
    law = text_law(tree, models[0], point_mass, 3, tuple(tokens))
    assert [law[key] for key in models[0].law(tokens, 3)] == pytest.approx([*models[0].law(tokens, 3).values()], abs=1e-12)


def test_a_loop_is_copied_in_long_strides() -> None:
    models = toy(seed=0)
    found = decoded(PromptLookup("suffix", length=10), models, GREEDY, 400)
    assert sum(r.tokens for r in found[len(found) // 2:]) / len(found[len(found) // 2:]) > 5


def test_a_reference_that_holds_the_answer_more_than_halves_the_forwards() -> None:
    """LLMA's claim (over twice as fast where outputs overlap with a reference), in forwards, against the same text without its reference.
    A source over many tokens, so that the text itself does not soon repeat."""
    alone = referred = 0
    for seed in range(6):
        models = toy(vocab_size=48, order=2, seed=seed)
        answer = plain(models[0], GREEDY, 40)
        alone += len(decoded(PromptLookup(), models, GREEDY, 40))
        found = decoded(PromptLookup(), models, GREEDY, 40, prompt=[1, 0, *answer, 1, 0])
        assert text(found) == answer
        referred += len(found)
    assert referred < alone / 2
    assert referred < 6 * 40 / 2


def test_the_guesses_come_from_no_distribution() -> None:
    assert (proposed(PromptLookup(), [1, 2, 1]).q_index == -1).all()
    assert decoded(PromptLookup(), toy(), RANDOM, 5)[0].rule == "V4"


def test_its_views_show_where_the_copy_came_from() -> None:
    extra = extras(PromptLookup("suffix", length=2), [1, 2, 3, 4, 5, 1, 2])
    assert extra["mark_span"].tolist() == [[2, 4, 3], [0, 2, 2], [5, 7, 1]]
    assert extra["matches"] == {"found at": [0], "matched tokens": [2], "copied": [2]}
    careful = extras(PromptLookup("suffix", length=2, least_chance=0.2), [1, 2, 3, 4, 5, 1, 2])
    assert careful["matches"]["chance"] == ["0.50"]
    assert extras(PromptLookup(), [1])["mark_span"].tolist() == [[1, 1, 1]]


def test_a_look_marks_the_text_as_it_was() -> None:
    """The marks by every position of the text before the round, with and without the prompt's event."""
    found = list(drive(PromptLookup("suffix", length=3), Python(prompt="repetitive", max_new_tokens=24, temperature=0.0), Seeds(0)))
    prompt, rounds = found[0], found[1:]
    for index in (0, len(rounds) // 2, len(rounds) - 1):
        seen = node_look(found, Look(index)).extra
        spoken = [piece for event in rounds[:index] for piece in event.text]
        assert seen["text"] == [*prompt.pieces, *spoken]
        assert len(seen["mark"]) == rounds[index].position
        size = rounds[index].extra["matches"]["matched tokens"]
        assert (seen["mark"] == 1).sum() == (size[0] if size else 0)
        for start, copied in zip(rounds[index].extra["matches"]["found at"], rounds[index].extra["matches"]["copied"], strict=True):
            after = start + size[0]
            assert set(seen["mark"][after:after + copied].tolist()) <= {1, 2, 3}
        alone = node_look(rounds, Look(index)).extra
        assert (alone["text"], alone["mark"].tolist()) == (spoken, seen["mark"][prompt.tokens:].tolist())


def test_a_vocabulary_larger_than_the_characters_is_refused() -> None:
    with pytest.raises(Unsupported, match="1114112"):
        PromptLookup().init(0x110001)


@DRAWS
def test_end_to_end_its_law_is_the_targets(draws: int) -> None:
    assert_lossless(PromptLookup("suffix", which="all"), draws)


@EXAMPLES
@given(method=st.from_type(PromptLookup), vocab_size=st.integers(2, 12), new=st.integers(1, 24), seed=st.integers(0, 99))
def test_at_any_knobs_the_text_is_the_plain_one(method: PromptLookup, vocab_size: int, new: int, seed: int) -> None:
    models = toy(vocab_size=vocab_size, seed=seed, divergence=0.05)
    for sampling in (GREEDY, COUPLED):
        assert text(decoded(method, models, sampling, new, seed=seed, keep="top")) == plain(models[0], sampling, new, seed=seed)


def judged(tokens: list[int], most: int, which: str) -> dict[int, list[bool]]:
    """By size of the match: was the copied token right, at every place of the text? Found by trying every size and every place."""
    found: dict[int, list[bool]] = {}
    for end in range(1, len(tokens)):
        before = tokens[:end]
        for size in range(min(most, end - 1), 0, -1):
            starts = [i for i in range(end - size) if before[i:i + size] == before[end - size:]]
            if starts:
                copied = before[starts[0 if which == "first" else -1] + size]
                found.setdefault(min(size, 6), []).append(copied == tokens[end])
                break
    return found


@pytest.mark.parametrize(("match", "which"), [("suffix", "last"), ("suffix", "first"), ("ngram", "last"), ("ngram", "first")])
def test_it_guesses_only_while_copies_like_this_were_right_often_enough(match: str, which: str) -> None:
    shortened = 0
    for k, tokens in enumerate(texts(150, 11)):
        always = PromptLookup(match=match, which=which, length=12)
        size = {"matched tokens": [0]} | extras(always, tokens)["matches"]
        matched = (size["matched tokens"] or [0])[0]
        least = (0.1, 0.3, 0.5, 0.9)[k % 4]
        tree = proposed(PromptLookup(match=match, which=which, length=12, least_chance=least), tokens)
        free = paths(proposed(always, tokens))
        right = judged(tokens, len(tokens) if match == "suffix" else 3, which).get(min(matched, 6), []) if matched else []
        chance = (sum(right) + 1) / (len(right) + 2)
        expected = [p for p in free if chance ** len(p) >= least]
        assert paths(tree) == expected
        shortened += len(expected) < len(free)
    assert shortened > 30
    assert proposed(PromptLookup(least_chance=1.0), [1, 2, 3, 1, 2, 3, 1, 2]).size == 1


def test_the_record_of_a_text_does_not_depend_on_how_it_grew() -> None:
    long = [t for text in texts(40, 3) for t in text]
    method = PromptLookup(match="suffix", which="last", least_chance=0.3)
    memory = method.init(12)
    grown = [paths(method.propose(memory, context(long[:n])).tree) for n in range(1, 200)]
    assert [paths(proposed(method, long[:n])) for n in range(1, 200)] == grown
    assert [paths(method.propose(memory, context(long[:n])).tree) for n in range(199, 0, -1)] == grown[::-1]      # other texts, one memory


def test_the_record_of_a_long_text() -> None:
    # All but the first token match, and one token follows the match: no text is too long for the way back.
    assert proposed(PromptLookup(match="suffix", length=5, least_chance=0.9), [7] * 17_000).size == 2
