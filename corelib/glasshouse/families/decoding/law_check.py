"""Is a method lossless? Its two-token law on the exact toy model against the target's, by chi-square."""

from __future__ import annotations

import copy
from collections.abc import Generator, Iterator, Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from glasshouse.families.decoding.interface import Method, Sampling, Setting
from glasshouse.families.decoding.planted import DRAWN, Bug, Planted
from glasshouse.families.decoding.rounds import check, cold, prepared_for, rounds
from glasshouse.families.decoding.verification.rule import TestInTurn
from glasshouse.families.decoding.verification.walk import RULES
from glasshouse.models.language.tabular import TabularLM
from glasshouse.numerics.seeds import Seeds
from glasshouse.schema.events.base import Progress
from glasshouse.schema.events.decoding import LosslessCheck

LETTERS = "abcdefghijklmnopqrstuvwxyz"
ROOM = 4
"""Room of each text. Only two tokens are counted, but the trees may be deeper."""

DIVERGENCE = 0.35
"""Between draft and target: far enough that guesses are often rejected, where a bias would sit."""

Text = tuple[int, ...]


def toy_setting(target: TabularLM, draft: TabularLM | None) -> Setting:
    """A prompt with repetitions, for methods that look back, at temperature 1."""
    size = target.vocab_size
    prompt = tuple(t % size for t in (0, 1, 3, 2, 0, 1, 4, 0, 1, 3))
    texts = tuple(tuple((7 * i + j * j) % size for j in range(48)) for i in range(4))
    return Setting(target, draft, prompt, ROOM, Sampling(1.0), calibration=texts)


def texts(method: Method, setting: Setting, seeds: Seeds, rule: TestInTurn | None = None, length: int = 2) -> Iterator[Text | Progress]:
    """Endless independent texts of ``length`` tokens. The method's memory is warm, and each text starts from the same one.

    A warm memory depends on no text that is counted, so it cannot bias them; a cold one would leave some methods without guesses.
    """
    check(method, setting)
    prepared = yield from prepared_for(method, setting, seeds)
    start = cold(method, setting.target.vocab_size, prepared)
    warm = yield from _rested(rounds(method, _emptied(replace(setting, max_new_tokens=48)), Seeds(seeds.key("warm")), start))
    number = 0
    while True:
        text: list[int] = []
        stream = rounds(method, _emptied(setting), Seeds(seeds.key("text", number)), copy.deepcopy(warm), rule=rule)
        while len(text) < length:
            text += next(stream).committed
        yield tuple(text[:length])
        number += 1


def _emptied(setting: Setting) -> Setting:
    setting.target.reset()
    if setting.draft is not None:
        setting.draft.reset()
    return setting


def _rested(stream: Generator[Any, None, Any]) -> Generator[Progress, None, Any]:
    """Run to the end; what it returns is passed on."""
    while True:
        try:
            next(stream)
        except StopIteration as end:
            return end.value
        yield Progress(done=0, message="warming up")


def biased(bug: Bug) -> tuple[Method, TestInTurn]:
    """A drafter, and the rule that is wrong for it."""
    return Planted(bug), RULES[DRAWN[bug][1]]


def chi_square(counts: Mapping[Text, int], law: Mapping[Text, float], method: str = "", bug: str = "") -> LosslessCheck:
    """Pearson's test of the ``counts`` of a method's texts against ``law``; cells that expect fewer than 5 are pooled."""
    from scipy.stats import chi2

    draws = sum(counts.values())
    found = {text: (counts.get(text, 0), draws * mass) for text, mass in law.items()}
    large = {"".join(LETTERS[t] for t in text): pair for text, pair in found.items() if pair[1] >= 5}
    rest = [pair for pair in found.values() if pair[1] < 5]
    if rest:
        pooled = (sum(o for o, _ in rest), sum(e for _, e in rest))
        if pooled[1] < 5 and large:
            least = min(large, key=lambda name: large[name][1])
            pooled = (pooled[0] + large[least][0], pooled[1] + large.pop(least)[1])
        large["rest"] = pooled
    observed = np.asarray([o for o, _ in large.values()], np.int64)
    expected = np.asarray([e for _, e in large.values()])
    statistic, dof = float(((observed - expected) ** 2 / expected).sum()), len(large) - 1
    impossible = any(n and not law.get(text) for text, n in counts.items())
    return LosslessCheck(method=method, draws=draws, statistic=statistic, dof=dof, planted=bug, observed=observed, expected=expected,
                         p_value=0.0 if impossible else float(chi2.sf(statistic, dof)) if dof else 1.0, cells=tuple(large))
