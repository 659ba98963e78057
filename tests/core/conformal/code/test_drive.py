"""The run and its looks: what is counted, what is chosen, what is empty and why."""

from __future__ import annotations

import itertools
import keyword
import pickle
import re
import time
from functools import lru_cache
from typing import Any

import numpy as np
import pytest

from glasshouse import runs
from glasshouse.families.conformal.code.drive import chosen, drive, errors, guarantee
from glasshouse.families.conformal.code.problems import Shorthand, Tiny
from glasshouse.families.conformal.methods.code.pac_code import PACCode
from glasshouse.numerics.seeds import Seeds
from glasshouse.schema.errors import BadValue, GlasshouseError
from glasshouse.schema.events.base import Progress
from glasshouse.schema.events.conformal_code import Holed, Programs, Resamples


@lru_cache(maxsize=4)
def opened(problem: str = "shorthand", **values: Any) -> runs.Session:
    session = runs.open("conformal.pac-code", problem, **values)
    list(session.events())
    return session


def looked(problem: str = "shorthand", **looks: Any) -> Holed:
    seen = opened(problem).look(**looks)
    assert isinstance(seen, Holed)
    return seen


def test_the_recorded_statements() -> None:
    pool = Shorthand().open()
    assert len(pool.statements) > 900
    assert len(pool.calibration) == 500
    assert not set(pool.calibration.tolist()) & set(pool.test.tolist())
    for s in pool.statements:
        assert s.truth.kind == s.guess.kind
        assert s.truth.parent.tolist() == s.guess.parent.tolist()
        assert s.word_end[-1] == s.token_end[-1] == len(s.guess.text)
        assert (s.word_nll >= 0).all()
        assert (s.token_nll >= 0).all()
        assert s.wrong.any() == (s.truth.text != s.guess.text)
    share = np.mean([s.wrong.any() for s in pool.statements])
    assert 0.4 < share < 0.55
    assert all(len(w) <= 3 for s in pool.statements[:50] for w in re.findall("[A-Za-z_]+", re.sub(r"'[^']*'|\"[^\"]*\"", "", s.typed)) if
               not keyword.iskeyword(w))


def test_test_statements_stay_whatever_the_calibration_size() -> None:
    a, b = Shorthand().open(), Shorthand(calibration_size=50).open()
    assert (a.test == b.test).all()
    assert (a.calibration[:50] == b.calibration).all()
    assert (a.test != Shorthand(split=1).open().test).any()
    assert pickle.loads(pickle.dumps(Shorthand(split=3))) == Shorthand(split=3)


def test_errors_are_wrong_nodes_that_are_kept() -> None:
    pool = Tiny().open()
    kept = [PACCode().keep(s.guess.parent, PACCode().cost(s)) for s in pool.statements[:10]]
    found = errors(pool.statements[:10], kept)
    for i, (s, k) in enumerate(zip(pool.statements[:10], kept, strict=True)):
        for m in range(k.shape[0]):
            for t in range(k.shape[1]):
                assert found[i, m, t] == any(k[m, t, v] and s.wrong[v] for v in range(len(s.guess)))
        assert not found[i, :, -1].any()


def test_the_choice_walks_from_the_safest_budget() -> None:
    assert chosen(np.array([9, 7, 4, 2, 0, 0]), 4) == 2
    assert chosen(np.array([9, 7, 4, 2, 0, 0]), 0) == 4
    assert chosen(np.array([9, 7, 4, 2, 1, 0]), 0) == 5, "nothing but the hole"
    assert chosen(np.array([1, 1, 0, 0, 0, 0]), 9) == 0
    assert chosen(np.array([0, 0, 0]), None) == 2
    assert chosen(np.array([2, 1, 5, 2, 0, 0]), 4) == 3, "what lies beyond a failure is not reached"


def test_a_look_agrees_with_the_counts() -> None:
    for eps in (0.05, 0.1, 0.3):
        for m in (1, 2, 4):
            seen = looked(eps=eps, holes=m, statement=7)
            p = seen.programs
            assert p.errors[m - 1, seen.chosen] <= seen.allowed < p.errors[m - 1, seen.chosen - 1]
            assert seen.error == p.test_errors[m - 1, seen.chosen] / p.m
            assert seen.budget == p.budgets[seen.chosen]
            assert (seen.kept == p.kept[7][m - 1, seen.chosen]).all()
            assert seen.guess is p.guesses[7]
            removed = np.mean([1 - k[m - 1, seen.chosen].mean() for k in p.kept])
            assert seen.removed == pytest.approx(removed)
            at = int(np.argmin(np.abs(seen.curve_eps - eps)))
            assert seen.curve_removed[m - 1, at] == pytest.approx(seen.removed)


def test_sets_are_nested_in_the_promise() -> None:
    for statement in (0, 11, 50):
        kept = [looked(eps=e, statement=statement).kept for e in (0.02, 0.05, 0.1, 0.2, 0.4, 0.6)]
        for strict, loose in itertools.pairwise(kept):
            assert (strict <= loose).all()


def test_too_few_programs_promise_nothing_and_say_so() -> None:
    seen = opened("shorthand", calibration_size=20).look(eps=0.1, delta=0.1)
    assert isinstance(seen, Holed)
    assert seen.allowed == -1
    assert seen.chosen == len(seen.programs.budgets)
    assert not seen.kept.any()
    assert seen.removed == 1.0
    assert seen.error == 0.0
    assert "22 are needed" in seen.why_none


def test_a_promise_that_nothing_meets_says_so() -> None:
    """Half of the words without doubt are wrong: only the whole program as one hole is safe."""
    p = looked().programs
    doomed = Programs(n=p.n, m=p.m, budgets=p.budgets, guesses=p.guesses, kept=p.kept, errors=np.maximum(p.errors, 200 * (np.arange(33) < 32)),
                      test_errors=p.test_errors, removed=p.removed)
    from glasshouse.families.conformal.code.drive import look
    from glasshouse.families.conformal.code.interface import Look

    seen = look([doomed], Look())
    assert seen.chosen == 32
    assert "even what the model does not doubt" in seen.why_none


def test_a_statement_that_is_not_there() -> None:
    with pytest.raises(BadValue, match="statement"):
        looked(statement=9000)


def test_a_look_is_quick() -> None:
    looked()
    seconds = []
    for i in range(15):
        begun = time.thread_time()
        looked(delta=0.1 + i / 100, eps=0.05 + i / 100)
        seconds.append(time.thread_time() - begun)
    assert min(seconds) < 0.3


def test_other_knobs_are_solved_with_progress_and_may_be_left() -> None:
    items = drive(PACCode(count=6), Tiny(), Seeds(0))
    first = next(items)
    assert isinstance(first, Progress)
    assert first.total == 50
    rest = list(items)
    assert sum(isinstance(i, Progress) for i in rest) == 49
    assert isinstance(rest[-1], Programs)
    assert guarantee(PACCode(), Tiny(), []).kind == "PAC"


def test_the_default_method_is_recorded() -> None:
    solved = Shorthand().open().solved
    assert repr(PACCode()) in solved
    assert repr(PACCode(cost_of="text")) in solved
    assert not any(isinstance(item, Progress) for item in drive(PACCode(), Shorthand(), Seeds(0)))


def test_resamples_count_what_was_drawn() -> None:
    *_, last = runs.study("conformal.pac-code", "resamples", "tiny", options={"total": 30})
    assert isinstance(last, Resamples)
    assert last.errors.shape == (30, 4, 33)
    assert last.n == 30
    assert (np.diff(last.errors, axis=2) <= 0).all()
    spread = 4 * np.sqrt(last.rate[0, 0] * (1 - last.rate[0, 0]) / 30 / 30)
    assert abs(last.errors[:, 0, 0].mean() / 30 - last.rate[0, 0]) <= spread


@pytest.mark.parametrize("total", [0, 10_001, 1.5, True, "many"])
def test_a_bad_number_of_resamples(total: object) -> None:
    with pytest.raises(GlasshouseError, match="total"):
        list(runs.study("conformal.pac-code", "resamples", "tiny", options={"total": total}))
