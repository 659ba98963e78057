"""Prompt lookup: guesses copied from the text so far. Saxena's form (2023), not the one of LLMA (Yang et al. 2023), whose idea it is."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import log
from typing import Annotated, Any, ClassVar, Literal

import numpy as np
from annotated_types import Ge, Le

from glasshouse.families.decoding.interface import Context, Outcome, Proposal, Rule, TokenTree
from glasshouse.schema.errors import Unsupported
from glasshouse.schema.events.base import Lazy
from glasshouse.schema.guarantee import Guarantee
from glasshouse.schema.knob import Knob
from glasshouse.schema.paper import Paper
from glasshouse.schema.view import Preset, View

MOST_MATCHES = 64
MOST_TOKENS = 1 << 30   # a suffix has no limit
LONG = 6                # matches of this many tokens and more are judged together


@dataclass(frozen=True)
class PromptLookup:
    """Looks for an earlier occurrence of how the text ends, and guesses that it goes on as it did then. No draft model.

    The defaults are Saxena's form (Prompt Lookup Decoding, 2023: a repository, no paper), as transformers runs it too: for n-gram sizes
    from ``max_ngram`` 3 down to ``min_ngram``, the first earlier occurrence of the last n tokens, and the next ``length`` tokens after it.
    LLMA (section 2), the paper cited, copies spans from reference documents instead, at one length of match; here the text itself is the
    reference. Ours: ``match="suffix"`` takes the longest suffix of the text that occurs earlier, however long. With several occurrences,
    ``which="all"`` merges their continuations into a tree and keeps its ``budget`` most frequent nodes. ``per_match`` makes the guess no
    longer than the evidence allows. Verified by V4: any guess is legal.

    A wrong guess costs a wider forward, so copying loses where text does not repeat. ``least_chance`` is ours: at every place of the text so
    far it is known, free of charge, whether copying would have been right; c = (right + 1) / (tried + 2) over matches of the same size
    judges the next one, and the k-th guess is made only while c^k >= least_chance.

    The search runs in C over the text as a string of one character per token; the size by bisection, since a suffix of a repeated
    suffix is repeated too. Of more than 64 occurrences the latest are used.
    """

    match: Annotated[Literal["ngram", "suffix"], Knob(cost="job", group="how it drafts", label="look for",
                                                      help="the last few tokens, or the longest suffix that occurs earlier")] = "ngram"
    max_ngram: Annotated[int, Ge(1), Le(16), Knob(cost="job", group="how it drafts", unit="tokens", label="longest n-gram",
                                                  help="tried first; the longest suffix has no such limit")] = 3
    min_ngram: Annotated[int, Ge(1), Le(16), Knob(cost="job", group="how it drafts", unit="tokens", label="shortest match",
                                                  help="shorter repetitions are not trusted, and then nothing is guessed")] = 1
    length: Annotated[int, Ge(1), Le(64), Knob(cost="job", group="how it drafts", unit="tokens", label="guess length")] = 10
    per_match: Annotated[int, Ge(0), Le(16), Knob(cost="job", group="how it drafts", label="guesses per matched token",
                                                  help="a longer match earns a longer guess; 0 is no such limit", more=True)] = 0
    least_chance: Annotated[float, Ge(0), Le(1), Knob(cost="job", group="how it drafts", label="least chance of a guess",
                                                      help="guess only while such copies were right often enough in this text; 0: always",
                                                      more=True)] = 0.0
    which: Annotated[Literal["first", "last", "all"], Knob(cost="job", group="how it drafts", label="occurrence",
                                                           help="all: a tree of every continuation")] = "first"
    budget: Annotated[int, Ge(1), Le(128), Knob(cost="job", group="how it drafts", unit="nodes", label="tree size",
                                                help="most nodes of the tree of all continuations", more=True)] = 32

    paper: ClassVar[Paper] = Paper("Inference with Reference: Lossless Acceleration of Large Language Models",
                                   "Yang, Ge, Wang, Jiao, Jiang, Yang, Majumder, Wei", 2023, arxiv="2304.04487",
                                   where="Section 2, with the text itself as the reference (Saxena, Prompt Lookup Decoding, 2023)")
    guarantee: ClassVar[Guarantee] = Guarantee(
        "lossless", "The text has the target's own law; greedy text is identical.",
        assumptions=("V4 follows one sample of the target through a tree that is fixed before the sample is drawn",), scope="every text")
    views: ClassVar[tuple[View, ...]] = (
        View("text", "Where the guess was copied from", text="text", color="mark",
             note="1 how the text ends, 2 the same tokens earlier, 3 the copied continuation."),
        View("table", "Matches", y="matches"))
    presets: ClassVar[tuple[Preset, ...]] = (
        Preset("The classic", "Three tokens decide ten guesses. Where does it copy well, and where is it fooled?",
               {"match": "ngram", "max_ngram": 3, "min_ngram": 1, "length": 10, "which": "first", "per_match": 0}),
        Preset("Repetitive text", "Nothing to train, nothing to store: why is it hard to beat here, and only here?",
               {"match": "suffix", "which": "last", "per_match": 2, "prompt": "repetitive"}, problem="python"),
        Preset("Longest suffix", "Does more evidence for a copy make it a better one?",
               {"match": "suffix", "which": "last", "min_ngram": 2, "per_match": 2}),
        Preset("Every occurrence", "The same words went on in several ways. Is a tree of all of them worth its size?",
               {"match": "suffix", "which": "all", "length": 6, "budget": 16}),
        Preset("Only where it pays", "This text hardly repeats itself. Can the text so far tell when not to guess?",
               {"match": "suffix", "which": "last", "per_match": 2, "least_chance": 0.5, "prompt": "entropy"}, problem="python"))
    rule: ClassVar[Rule] = "V4"
    needs_draft: ClassVar[bool] = False

    def init(self, vocab_size: int) -> Record:
        """What copies did, which follows from the text alone. Raises Unsupported beyond 1,114,112 tokens, the number of characters."""
        if vocab_size > 0x110000:
            raise Unsupported(f"prompt lookup holds a token in a character, of which there are {0x110000}; "
                              f"this vocabulary has {vocab_size}", "target")
        return Record(self._widest, "last" if self.which == "all" else self.which)

    def propose(self, state: Record, context: Context) -> Proposal:
        """The continuation found, cut to ``room - 1``; only the root where nothing matches."""
        text = "".join(map(chr, context.tokens))
        size = _repeated(text, self._widest)
        size = size if size >= self.min_ngram else 0
        longest = min(self.length, context.room - 1, self.per_match * size if self.per_match else self.length)
        chance = state.chance(text, size) if self.least_chance > 0 and size else None
        if chance is not None:
            longest = min(longest, _worth(chance, self.least_chance))
        starts = list(_occurrences(text, size, self.which)) if size and longest > 0 else []
        copies = [context.tokens[start + size:start + size + longest] for start in starts]
        tree = _trie(context, copies, self.budget if self.which == "all" else self.length)
        end, lengths = len(text), [len(copy) for copy in copies]
        return Proposal(tree, lambda: Lazy(lambda: _extra(end, size, starts, lengths, chance)))

    @property
    def _widest(self) -> int:
        return MOST_TOKENS if self.match == "suffix" else self.max_ngram

    def absorb(self, state: Record, tree: TokenTree, outcome: Outcome, logits: Any) -> Record:
        """Nothing is learned: what was committed is in the text."""
        return state


class Record:
    """What copying one token would have done at each place of a text, by size of the match.

    A function of the text, remembered as far as it was counted: the memory of one text and gone with it. So all records are equal.
    """

    def __init__(self, most: int, which: str) -> None:
        self._most, self._which = most, which
        self._text = ""
        self._counts = [(0, 0)] * (LONG + 1)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Record)

    __hash__ = None     # type: ignore[assignment]

    def counts(self, text: str) -> tuple[tuple[int, int], ...]:
        """(right, tried) by size of the match. Only what is new of a text that has grown is counted."""
        if not text.startswith(self._text):
            self._text, self._counts = "", [(0, 0)] * (LONG + 1)
        for end in range(max(len(self._text), 1), len(text)):
            size = _repeated(text[:end], self._most)
            if size:
                right, tried = self._counts[min(size, LONG)]
                copied = text[next(_occurrences(text[:end], size, self._which)) + size]
                self._counts[min(size, LONG)] = right + (copied == text[end]), tried + 1
        self._text = text
        return tuple(self._counts)

    def chance(self, text: str, size: int) -> float:
        """How likely the next token is the copied one, by what copies of matches of this size did: Laplace's rule."""
        right, tried = self.counts(text)[min(size, LONG)]
        return (right + 1) / (tried + 2)


def _repeated(text: str, most: int) -> int:
    """The largest s <= most such that the last s tokens also occur earlier, with a token after them; 0 if not even one does."""
    low, high, end = 0, min(most, len(text) - 1), len(text) - 1
    while low < high:
        middle = (low + high + 1) // 2
        low, high = (middle, high) if text.find(text[-middle:], 0, end) >= 0 else (low, middle - 1)
    return low


def _worth(chance: float, least: float) -> int:
    """The most guesses k with chance^k >= least > 0."""
    return int(log(least) / log(chance) + 1e-9)


def _occurrences(text: str, size: int, which: str) -> Iterator[int]:
    """Starts of earlier occurrences of the last ``size`` tokens: the first, the last, or all from the last backwards."""
    end = len(text) - 1
    if which == "first":
        yield text.find(text[-size:], 0, end)
        return
    start = end
    for _ in range(MOST_MATCHES if which == "all" else 1):
        start = text.rfind(text[-size:], 0, start + size - 1 if start < end else end)
        if start < 0:
            return
        yield start


def _trie(context: Context, copies: Sequence[Sequence[int]], budget: int) -> TokenTree:
    """The continuations merged from the root, cut to the ``budget`` most frequent nodes; of equals the shallower, then the newer."""
    below: dict[tuple[int, int], int] = {}
    seen: list[tuple[int, int, int, int]] = [(0, 0, -1, int(context.tokens[-1]))]     # (-count, depth, parent, token)
    for copy in copies:
        node = 0
        for depth, token in enumerate(copy, 1):
            child = below.setdefault((node, token), len(seen))
            count = seen[child][0] if child < len(seen) else 0
            seen[child:child + 1] = [(count - 1, depth, node, int(token))]
            node = child
    kept = [0, *sorted(range(1, len(seen)), key=lambda node: seen[node][:2])[:budget]]
    number = {-1: -1} | {node: i for i, node in enumerate(kept)}
    children = [0] * len(kept)
    rank = [0]
    for node in kept[1:]:
        above = number[seen[node][2]]
        rank.append(children[above])
        children[above] += 1
    n = len(kept)
    return TokenTree(token=np.asarray([seen[node][3] for node in kept], np.int64), rank=np.asarray(rank, np.int64),
                     parent=np.asarray([number[seen[node][2]] for node in kept], np.int64), q_index=np.full(n, -1),
                     q=np.zeros((0, context.vocab_size)), source=np.zeros(n, np.int64), sources=("copy",))


def _extra(end: int, size: int, starts: Sequence[int], lengths: Sequence[int], chance: float | None) -> Mapping[str, Any]:
    """Spans of the text of ``end`` tokens that are marked, later ones over earlier ones, and the matches as a table."""
    spans = [span for start, copied in zip(starts, lengths, strict=True)
             for span in ((start + size, start + size + copied, 3), (start, start + size, 2))]
    matches: dict[str, list[Any]] = {"found at": list(starts), "matched tokens": [size] * len(starts), "copied": list(lengths)}
    if chance is not None:
        matches["chance"] = [f"{chance:.2f}"] * len(starts)
    return {"mark_span": np.asarray([*spans, (end - size, end, 1)], np.int64), "matches": matches}
