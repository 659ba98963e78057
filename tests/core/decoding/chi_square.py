"""The end-to-end test of losslessness: texts of a method on the toy model against its exact two-token law, by chi-square.

A method's test file calls :func:`assert_lossless` once with 20,000 draws under ``long``, and with 100,000 under ``slow``.
"""

from __future__ import annotations

from collections import Counter

from glasshouse.families.decoding.interface import Method
from glasshouse.families.decoding.law_check import DIVERGENCE, chi_square, texts, toy_setting
from glasshouse.families.decoding.problems import toy_pair
from glasshouse.families.decoding.verification import TestInTurn
from glasshouse.models.language.tabular import TabularLM
from glasshouse.numerics.seeds import Seeds
from glasshouse.schema.events.base import Progress
from glasshouse.schema.events.decoding import LosslessCheck

LEVEL = 1e-3
TESTS = 24
"""Upper bound on how many such tests the suite holds: with Holm's correction the smallest p-value must stay above LEVEL / TESTS."""


def drawn(method: Method, draws: int, seed: int = 0, rule: TestInTurn | None = None,
          pair: tuple[TabularLM, TabularLM] | None = None) -> LosslessCheck:
    """The check after ``draws`` texts of two tokens, at temperature 1. ``pair`` (target, draft) is the study's unless given."""
    target, draft = pair or toy_pair(DIVERGENCE)
    setting = toy_setting(target, draft)
    counts: Counter[tuple[int, ...]] = Counter()
    for item in texts(method, setting, Seeds(seed), rule):
        if isinstance(item, Progress):
            continue
        counts[item] += 1
        if counts.total() == draws:
            break
    return chi_square(counts, target.law(setting.tokens, 2))


def assert_lossless(method: Method, draws: int = 20_000, seed: int = 0) -> None:
    check = drawn(method, draws, seed)
    assert check.p_value > LEVEL / TESTS, f"chi-square {check.statistic:.1f} at {check.dof} dof, p = {check.p_value:.2g}"
