"""The family's only loop: draft, one target forward over the tree, verify, commit."""

from __future__ import annotations

import time
from collections.abc import Callable, Generator
from dataclasses import dataclass
from functools import partial
from typing import Any, TypeVar

import numpy as np
import torch

from glasshouse.families.decoding.drafting.model import DraftModel
from glasshouse.families.decoding.interface import Context, Explained, Method, Outcome, Prepared, Setting, TokenTree
from glasshouse.families.decoding.recording import Keep, Measured, recorded
from glasshouse.families.decoding.sampling import checked
from glasshouse.families.decoding.verification.rule import TestInTurn
from glasshouse.families.decoding.verification.walk import verify
from glasshouse.models.language.scorer import extend
from glasshouse.numerics.seeds import Seeds
from glasshouse.schema.errors import bad_value
from glasshouse.schema.events.base import Progress
from glasshouse.schema.events.decoding import Round

T = TypeVar("T")


def check(method: Method, setting: Setting) -> None:
    """BadValue or BadType where this method cannot run on this setting. No work is done before."""
    target, draft = setting.target, setting.draft
    longest = len(setting.tokens) + setting.max_new_tokens
    if not setting.tokens:
        raise bad_value("prompt", "", "at least one token")
    if not 0 <= min(setting.tokens) <= max(setting.tokens) < target.vocab_size:
        worst = min(setting.tokens) if min(setting.tokens) < 0 else max(setting.tokens)
        raise bad_value("input_ids", worst, f"ids of the target's vocabulary, 0 to {target.vocab_size - 1}")
    if setting.max_new_tokens < 1:
        raise bad_value("max_new_tokens", setting.max_new_tokens, "a whole number at least 1")
    if len(setting.tokens) >= target.window:
        raise bad_value("prompt", f"{len(setting.tokens)} tokens", f"at most {target.window - 1} tokens, as the target's window is {target.window}")
    if longest > target.window:
        raise bad_value("max_new_tokens", setting.max_new_tokens,
                        f"prompt ({len(setting.tokens)} tokens) and new tokens must fit the target's window of {target.window}")
    if not method.needs_draft:
        return
    if draft is None:
        raise bad_value("draft", None, f"{type(method).__name__} needs a draft model")
    if draft.vocab_size != target.vocab_size:
        raise bad_value("draft", draft.name, f"a draft with the target's vocabulary of {target.vocab_size}, not {draft.vocab_size}")
    if longest > draft.window:
        raise bad_value("max_new_tokens", setting.max_new_tokens,
                        f"prompt ({len(setting.tokens)} tokens) and new tokens must fit the draft's window of {draft.window}")


def cold(method: Method, vocab_size: int, prepared: Artefact | None = None) -> Any:
    """The memory a method starts with; ``prepared`` is only for those that prepare."""
    return method.init(vocab_size) if prepared is None else method.init(vocab_size, prepared.value)  # type: ignore[call-arg]


def prepared_for(method: Method, setting: Setting, seeds: Seeds) -> Generator[Progress, None, Artefact | None]:
    """What a method measures before it starts; None for a method that measures nothing."""
    if not (isinstance(method, Prepared) and method.prepares):
        return None
    found: Any = None
    seconds, start = 0.0, time.perf_counter()
    for item in method.prepare(setting, seeds):
        found, seconds = item, seconds + time.perf_counter() - start
        if isinstance(item, Progress):
            yield item
        start = time.perf_counter()             # while progress was shown, nothing was measured
    return Artefact(found, seconds)


@dataclass(frozen=True, eq=False)
class Started:
    """A prompt that is cached but for its last token, by one forward of each model that is no round."""

    draft: DraftModel | None
    target_seconds: float
    draft_seconds: float


def started(method: Method, setting: Setting) -> Started:
    """The models of ``setting`` must be empty."""
    begin = time.perf_counter()
    if len(setting.tokens) > 1:
        extend(setting.target, setting.tokens[:-1])
    between = time.perf_counter()
    draft = DraftModel(setting.draft, setting.sampling) if setting.draft is not None and method.needs_draft else None
    if draft is not None:
        draft.read(setting.tokens)
    return Started(draft, between - begin, time.perf_counter() - between)


@dataclass(frozen=True)
class Artefact:
    """What a method measured before it started, and how long that took."""

    value: Any
    seconds: float


def drained(stream: Generator[T, None, Any]) -> tuple[list[T], Any]:
    """(all that it yields, what it returns)."""
    items = []
    while True:
        try:
            items.append(next(stream))
        except StopIteration as end:
            return items, end.value


def rule_name(method: Method, setting: Setting) -> str:
    sampling = setting.sampling
    return "V0" if sampling.greedy else "coupled" if sampling.coupled else method.rule


def rounds(method: Method, setting: Setting, seeds: Seeds, state: Any, keep: Keep = "none",
           rule: TestInTurn | None = None, start: Started | None = None) -> Generator[Round, None, Any]:
    """Continues the prompt until ``max_new_tokens`` or an end-of-text token. Returns the method's memory at the end.

    The models of ``setting`` must be empty, or started by :func:`started`, and are used up; ``state`` is owned. A ``rule`` of your own
    replaces the method's. A round's time holds no prompt and no recording.
    """
    target, sampling, tokens = setting.target, setting.sampling, list(setting.tokens)
    draft = (start or started(method, setting)).draft
    name, end, number = rule_name(method, setting), len(tokens) + setting.max_new_tokens, 0
    explain = method.explain if keep != "none" and isinstance(method, Explained) else None
    while len(tokens) < end:
        clock = _Clock()
        drafted = (draft.calls, draft.seconds) if draft is not None else (0, 0.0)
        context = Context(tokens, len(setting.tokens), end - len(tokens), target.vocab_size, sampling, seeds, draft)
        proposal = method.propose(state, context)
        extras = [clock.aside(proposal.extra)] if keep != "none" else []
        tree = fitted(proposal.tree, context.room - 1)
        before = time.perf_counter()
        logits = target.score(torch.from_numpy(tree.token), torch.from_numpy(tree.parent)).numpy(force=True)
        scored = time.perf_counter() - before
        checked(logits, "target", target.calls, lambda row: context.position + int(tree.depth[row]))  # noqa: B023
        outcome = verify(tree, logits, rule or method.rule, sampling, seeds, context.position)
        outcome = cut(outcome, context.room, setting.eos)
        target.keep(outcome.path)
        if explain is not None:
            extras.append(clock.aside(partial(explain, tree, outcome, logits, setting)))
        state = method.absorb(state, tree, outcome, logits)
        calls, seconds = (draft.calls - drafted[0], draft.seconds - drafted[1]) if draft is not None else (0, 0.0)
        measured = Measured(number, len(tokens), name, calls, scored, seconds, clock.seconds)
        tokens.extend(outcome.committed)
        yield recorded(tree, logits, outcome, setting, measured, extras, keep)
        number += 1
        if outcome.committed[-1] in setting.eos:
            break
    return state


class _Clock:
    """Seconds since it was made, without what was done aside."""

    def __init__(self) -> None:
        self._start = time.perf_counter()

    def aside(self, work: Callable[[], T]) -> T:
        before = time.perf_counter()
        done = work()
        self._start += time.perf_counter() - before
        return done

    @property
    def seconds(self) -> float:
        return time.perf_counter() - self._start


def cut(outcome: Outcome, room: int, eos: frozenset[int]) -> Outcome:
    """What of an outcome still belongs to the text: up to the first end-of-text token, it included, and no more than ``room``."""
    length = min(room, len(outcome.committed))
    if eos:
        length = next((i + 1 for i, token in enumerate(outcome.committed[:length]) if token in eos), length)
    if length == len(outcome.committed):
        return outcome
    return Outcome(outcome.path[:length + 1], outcome.committed[:length], outcome.final, outcome.final_node, outcome.final_kind,
                   outcome.tested, outcome.residual, outcome.law)


def fitted(tree: TokenTree, depth: int) -> TokenTree:
    """The tree without nodes deeper than ``depth``; methods should not propose any."""
    if tree.size <= depth + 1 or tree.depth.max() <= depth:
        return tree
    kept = np.flatnonzero(tree.depth <= depth)
    number = np.full(tree.size + 1, -1, np.int64)           # the last entry keeps -1, the root's parent
    number[kept] = np.arange(len(kept))
    return TokenTree(token=tree.token[kept], parent=number[tree.parent[kept]], rank=tree.rank[kept], q_index=tree.q_index[kept],
                     q=tree.q, source=tree.source[kept], sources=tree.sources)
