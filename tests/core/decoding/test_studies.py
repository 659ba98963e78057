"""Costs measured hot, and the badge: green for lossless methods, red for planted bugs."""

from __future__ import annotations

import time
from typing import Any, get_args

import numpy as np
import pytest
from scipy.stats import chisquare, ttest_rel

from core.decoding.chi_square import drawn
from glasshouse.families.decoding.interface import Sampling
from glasshouse.families.decoding.law_check import chi_square
from glasshouse.families.decoding.methods.autoregressive import Autoregressive
from glasshouse.families.decoding.methods.speculative_sampling import SpeculativeSampling
from glasshouse.families.decoding.planted import Bug
from glasshouse.families.decoding.problems import Tiny
from glasshouse.families.decoding.studies import RIVALS, STUDIES, _race, cost, lossless, trees
from glasshouse.numerics.seeds import Seeds
from glasshouse.schema.errors import BadValue
from glasshouse.schema.events.base import Progress
from glasshouse.schema.events.decoding import CostCurve, LosslessCheck, TreeRace


def test_costs_come_in_growing_repeats() -> None:
    curves = [e for e in cost(SpeculativeSampling(), Tiny(), Seeds(0), sizes=(1, 4, 64), repeats=6) if isinstance(e, CostCurve)]
    assert [c.repeats for c in curves] == [1, 2, 3, 4, 5, 6]
    last = curves[-1]
    assert last.nodes.tolist() == [1, 4, 64]
    assert last.context == 2
    assert last.method == "decoding.speculative-sampling"
    assert (last.low <= last.seconds).all()
    assert (last.seconds <= last.high).all()
    assert (last.seconds > 0).all()
    assert (last.draft_seconds > 0).all()
    assert last.seconds[2] > last.seconds[0]


@pytest.mark.parametrize("options", [{"sizes": ()}, {"sizes": (4, 2)}, {"sizes": (0, 1)}, {"sizes": (1, 2.5)}, {"sizes": (1, 999)},
                                     {"repeats": 0}, {"repeats": True}, {"repeats": 2.0}], ids=str)
def test_costs_of_what_cannot_be_measured_are_refused(options: dict[str, Any]) -> None:
    with pytest.raises(BadValue) as refused:
        next(iter(cost(Autoregressive(), Tiny(), Seeds(0), **options)))
    assert refused.value.argument in options


def test_the_check_grows_and_stays_green() -> None:
    checks = [e for e in lossless(SpeculativeSampling(2), Tiny(), Seeds(0), draws=4000) if isinstance(e, LosslessCheck)]
    assert checks[-1].draws == 4000
    assert checks[-1].p_value > 1e-3
    assert checks[-1].planted == ""
    assert checks[-1].observed.sum() == 4000
    assert checks[-1].expected.sum() == pytest.approx(4000)
    assert np.all(np.diff([c.draws for c in checks]) > 0)


@pytest.mark.long
@pytest.mark.parametrize("bug", get_args(Bug))
def test_planted_bugs_turn_the_badge_red(bug: Bug) -> None:
    *_, last = lossless(SpeculativeSampling(), Tiny(), Seeds(0), draws=5000, planted=bug)
    assert isinstance(last, LosslessCheck)
    assert last.planted == bug
    assert last.method == "decoding.speculative-sampling"
    assert last.p_value < 1e-9


def test_the_first_answer_comes_at_once() -> None:
    start = time.thread_time()
    next(iter(lossless(Autoregressive(), Tiny(), Seeds(0))))
    assert time.thread_time() - start < 5


@pytest.mark.parametrize(("options", "argument"), [({"planted": "typo"}, "planted"), ({"draws": 5}, "draws"), ({"draws": 1e4}, "draws")])
def test_options_of_the_check_are_guarded(options: dict[str, Any], argument: str) -> None:
    with pytest.raises(BadValue) as refused:
        next(iter(lossless(Autoregressive(), Tiny(), Seeds(0), **options)))
    assert refused.value.argument == argument


def test_one_seed_gives_one_check() -> None:
    first, second = (drawn(SpeculativeSampling(2), 500, seed=3) for _ in range(2))
    np.testing.assert_array_equal(first.observed, second.observed)
    assert drawn(SpeculativeSampling(2), 500, seed=4).statistic != first.statistic


def test_chi_square_is_scipys() -> None:
    law = {(0,): 0.5, (1,): 0.3, (2,): 0.2}
    counts = {(0,): 70, (1,): 20, (2,): 10}
    check = chi_square(counts, law)
    wanted = chisquare([70, 20, 10], [50, 30, 20])
    assert (check.statistic, check.p_value) == (pytest.approx(wanted.statistic), pytest.approx(wanted.pvalue))
    assert check.dof == 2


def test_rare_cells_are_pooled_and_impossible_texts_are_damning() -> None:
    law = {(0,): 0.96, (1,): 0.02, (2,): 0.015, (3,): 0.005, (4,): 0.0}
    check = chi_square({(0,): 97, (1,): 1, (2,): 2}, law)
    assert check.cells == ("rest",)
    assert check.dof == 0
    many = chi_square({(0,): 960, (1,): 20, (2,): 15, (3,): 5}, law)
    assert many.cells == ("a", "b", "c", "rest")
    assert (many.expected >= 5).all()
    assert chi_square({(0,): 999, (4,): 1}, law).p_value == 0.0


def test_all_studies_are_offered() -> None:
    assert set(STUDIES) == {"cost", "lossless", "trees"}
    assert all(isinstance(e, Progress | CostCurve) for e in cost(Autoregressive(), Tiny(), Seeds(0), sizes=(1,), repeats=2))


def test_trees_race_at_one_budget_with_intervals_by_text() -> None:
    races = [e for e in trees(SpeculativeSampling(), Tiny(max_new_tokens=24), Seeds(0), budget=9, texts=6) if isinstance(e, TreeRace)]
    assert [race.texts for race in races] == [2, 3, 4, 5, 6]
    last = races[-1]
    assert last.methods == ("decoding.dyspec", "decoding.sequoia", "decoding.rsd")
    assert (last.budget, last.temperature, last.top_p) == (9, 1.0, 1.0)
    assert (last.low < last.mean).all()
    np.testing.assert_allclose(last.ahead, last.mean[0] - last.mean)
    assert last.ahead[0] == last.ahead_low[0] == last.ahead_high[0] == 0
    for name, knobs in RIVALS.items():
        assert knobs(16), name


def test_an_interval_is_the_t_interval_of_the_differences() -> None:
    found = np.random.default_rng(0).normal(3, 1, (8, 3))
    race = _race(found, 16, Sampling(1.0))
    for column in (1, 2):
        wanted = ttest_rel(found[:, 0], found[:, column]).confidence_interval(0.95)
        assert (race.ahead_low[column], race.ahead_high[column]) == (pytest.approx(wanted.low), pytest.approx(wanted.high))


@pytest.mark.parametrize(("options", "argument"), [({"budget": 1}, "budget"), ({"texts": 1}, "texts"), ({"texts": 2.0}, "texts")])
def test_options_of_the_race_are_guarded(options: dict[str, Any], argument: str) -> None:
    with pytest.raises(BadValue) as refused:
        next(iter(trees(SpeculativeSampling(), Tiny(), Seeds(0), **options)))
    assert refused.value.argument == argument
