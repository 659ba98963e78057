"""The family's loop as a stream of events, and what can be asked of a text that was decoded."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from typing import Any

from glasshouse.families.decoding.interface import Look, Method
from glasshouse.families.decoding.promise import guarantee_of
from glasshouse.families.decoding.reading import node_look
from glasshouse.families.decoding.recording import Keep
from glasshouse.families.decoding.rounds import Artefact, check, cold, prepared_for, rounds, started
from glasshouse.numerics.seeds import Seeds
from glasshouse.schema.events.base import Event, Progress
from glasshouse.schema.events.decoding import NodeLook, Prompt, Round
from glasshouse.schema.guarantee import Guarantee

BEFORE = ("packing_seconds", "preparation_seconds", "prompt_target_seconds", "prompt_draft_seconds")


def drive(method: Method, problem: Any, seeds: Seeds, prepared: Artefact | None = None,
          keep: Keep = "top") -> Iterator[Event | Progress]:
    """A :class:`Prompt`, then one :class:`Round` after the other. Everything is checked before the first.

    ``prepared`` is what :func:`prepare` gave; without it, a method that prepares does so first.
    """
    begin = time.perf_counter()
    setting = problem.open()
    packing = time.perf_counter() - begin
    check(method, setting)
    if prepared is None:
        prepared = yield from prepared_for(method, setting, seeds)
    start, piece = started(method, setting), setting.piece or str
    draft = setting.draft.name if setting.draft is not None and method.needs_draft else ""
    yield Prompt(tokens=len(setting.tokens), ids=setting.tokens, pieces=tuple(map(piece, setting.tokens)),
                 target=setting.target.name, draft=draft, target_forward=setting.forwards["target"],
                 draft_forward=setting.forwards["draft"] if draft else "", packing_seconds=packing,
                 preparation_seconds=prepared.seconds if prepared is not None else 0.0,
                 prompt_target_seconds=start.target_seconds, prompt_draft_seconds=start.draft_seconds)
    yield from rounds(method, setting, seeds, cold(method, setting.target.vocab_size, prepared), keep, start=start)


def prepare(method: Method, problem: Any, seeds: Seeds) -> Iterator[Any]:
    """Progress, and as the last item what the method measured, an :class:`Artefact` (None for one that measures nothing)."""
    setting = problem.open()
    check(method, setting)
    yield (yield from prepared_for(method, setting, seeds))


def look(events: Sequence[Event], look: Look) -> NodeLook:
    """The bars and the sentence of one node of one round; nothing is recomputed."""
    return node_look(events, look)


def summary(events: Sequence[Event]) -> dict[str, int | float | str]:
    """Totals of a text. Tokens per target forward counts the target's own token of each round; ``acceptance`` is the share of
    the guessed positions that were decided at which a guess was accepted.

    ``seconds`` are those of the rounds, and ``tokens_per_second`` the tokens over them: no method gains by reading its prompt in a
    round or outside of one, or pays for being recorded. What came before the rounds stands beside it: see :class:`Prompt`.
    """
    found = [event for event in events if isinstance(event, Round)]
    before = next((event for event in events if isinstance(event, Prompt)), None)
    tokens, seconds = sum(r.tokens for r in found), sum(r.seconds for r in found)
    return {
        "tokens": tokens,
        "rounds": len(found),
        "tokens_per_target_forward": tokens / len(found) if found else float("nan"),
        "acceptance": _acceptance(found),
        "target_calls": len(found),
        "draft_calls": sum(r.draft_calls for r in found),
        "tree_nodes_mean": sum(r.nodes for r in found) / len(found) if found else float("nan"),
        **{name: getattr(before, name) for name in BEFORE if before is not None},
        "target_seconds": sum(r.target_seconds for r in found),
        "draft_seconds": sum(r.draft_seconds for r in found),
        "seconds": seconds,
        "tokens_per_second": tokens / seconds if seconds else float("nan"),
        **{f"{role}_forward": forward for event in events if isinstance(event, Prompt)
           for role, forward in (("target", event.target_forward), ("draft", event.draft_forward)) if forward},
    }


def _acceptance(found: Sequence[Round]) -> float:
    accepted = sum(r.accepted for r in found)
    rejected = sum(r.final_kind == "correction" and r.tokens > r.accepted for r in found)     # not where the text ended before
    return accepted / (accepted + rejected) if accepted + rejected else float("nan")


def guarantee(method: Method, problem: Any, events: Sequence[Event] = ()) -> Guarantee:
    """The promise of this very run, by how it samples."""
    return guarantee_of(method, problem.sampling)
