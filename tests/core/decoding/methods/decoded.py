"""A text of the toy model by any method, for the tests of methods."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import settings

from glasshouse.families.decoding.drafting.noise import shared
from glasshouse.families.decoding.interface import Method, Sampling, Setting
from glasshouse.families.decoding.recording import Keep
from glasshouse.families.decoding.rounds import Artefact, check, cold, rounds
from glasshouse.models.language.tabular import TabularLM
from glasshouse.numerics.seeds import Seeds
from glasshouse.schema.events.decoding import Round

EXAMPLES = settings(max_examples=30, deadline=None, derandomize=True)
DRAWS = pytest.mark.parametrize("draws", [pytest.param(20_000, marks=pytest.mark.long), pytest.param(100_000, marks=pytest.mark.slow)])
GREEDY, COUPLED, RANDOM = Sampling(), Sampling(temperature=1.0, coupled=True), Sampling(temperature=1.0)


def toy(vocab_size: int = 8, order: int = 2, seed: int = 0, temperature: float = 1.0, divergence: float = 0.2) -> tuple[TabularLM, TabularLM]:
    """(target, draft) at this mean total variation."""
    target = TabularLM.random(vocab_size, order, seed, temperature)
    return target, target.perturbed(divergence)


def decoded(method: Method, models: tuple[TabularLM, TabularLM], sampling: Sampling, new: int, prompt: Sequence[int] = (1, 0), seed: int = 0,
            state: Any = None, prepared: Any = None, keep: Keep = "none") -> list[Round]:
    """``new`` tokens after ``prompt``; memory is cold unless a ``state`` is given, which is changed."""
    target, draft = models
    setting = Setting(target.fork(), draft.fork(), tuple(prompt), new, sampling)
    check(method, setting)
    artefact = None if prepared is None else Artefact(prepared, 0.0)
    state = cold(method, target.vocab_size, artefact) if state is None else state
    return list(rounds(method, setting, Seeds(seed), state, keep))


def text(found: Sequence[Round]) -> list[int]:
    return [token for r in found for token in r.committed]


def plain(target: TabularLM, sampling: Sampling, new: int, prompt: Sequence[int] = (1, 0), seed: int = 0) -> list[int]:
    """One token at a time: the arg-max, or with shared noise the arg-max of log p plus the position's noise."""
    tokens = list(prompt)
    for _ in range(new):
        score = target.next(tokens).log().numpy()
        if sampling.coupled:
            score = score + shared(Seeds(seed), target.vocab_size, len(tokens))
        tokens.append(int(score.argmax()))
    return tokens[len(prompt):]
