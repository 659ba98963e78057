"""PAC prediction sets for code: the promise over resampled calibrations, what holes and strictness cost, and its costs by hand."""

from __future__ import annotations

import math
from functools import lru_cache
from typing import Any

import numpy as np
import pytest
from scipy import stats

from glasshouse import runs
from glasshouse.families.conformal.code.drive import chosen
from glasshouse.families.conformal.code.interface import Statement
from glasshouse.families.conformal.code.pac import most_errors
from glasshouse.families.conformal.code.trees import parse, wrong
from glasshouse.families.conformal.methods.code.pac_code import CAP, PACCode
from glasshouse.schema.events.conformal_code import Holed, Programs, Resamples

DRAWS = 500


@lru_cache(maxsize=4)
def studied(cost_of: str = "words", n: int = 500, joint: bool = True) -> Resamples:
    *_, last = runs.study("conformal.pac-code", "resamples", options={"total": DRAWS}, seed=1, cost_of=cost_of, calibration_size=n, joint=joint)
    assert isinstance(last, Resamples)
    assert last.done == last.total == DRAWS
    return last


@pytest.mark.parametrize("cost_of", ["words", "text"])
@pytest.mark.parametrize(("n", "eps", "delta", "m"), [(500, 0.1, 0.1, 2), (500, 0.1, 0.1, 1), (200, 0.2, 0.05, 4), (60, 0.1, 0.2, 3)])
def test_the_promise_holds_over_five_hundred_calibrations(cost_of: str, n: int, eps: float, delta: float, m: int) -> None:
    """The pool is the law that is drawn from, so the error of every choice is known. The law of failure is known too: the choice errs more than
    eps exactly where the smallest budget that does so shows at most k errors."""
    seen = studied(cost_of, n)
    k = most_errors(n, eps, delta)
    failed = sum(seen.rate[m - 1, chosen(row[m - 1], k)] > eps for row in seen.errors)
    assert failed / DRAWS <= delta + 4 * math.sqrt(delta * (1 - delta) / DRAWS)
    rates = seen.rate[m - 1]
    assert (np.diff(rates) <= 0).all(), "nested sets err more as the budget grows"
    assert k is not None
    worst = stats.binom.cdf(k, n, rates[rates > eps].min())
    assert worst <= delta
    assert abs(failed / DRAWS - worst) <= 4 * math.sqrt(worst * (1 - worst) / DRAWS) + 1e-9
    assert stats.binom.cdf(k + 1, n, eps) > delta, "one error more would break it"


@pytest.mark.parametrize(("n", "eps", "delta", "m"), [(500, 0.1, 0.1, 2), (200, 0.2, 0.05, 4), (60, 0.1, 0.2, 3)])
def test_the_promise_holds_where_every_budget_is_solved_alone(n: int, eps: float, delta: float, m: int) -> None:
    """Errors need not grow with the budget then. A choice that errs too often has let pass the smallest budget that does so: a known chance."""
    seen = studied("words", n, joint=False)
    k = most_errors(n, eps, delta)
    assert k is not None
    rates = seen.rate[m - 1]
    failed = sum(rates[chosen(row[m - 1], k)] > eps for row in seen.errors)
    smallest = int(np.flatnonzero(rates > eps)[-1])
    assert (rates[smallest + 1:] <= eps).all()
    worst = stats.binom.cdf(k, n, rates[smallest])
    assert worst <= delta
    assert failed / DRAWS <= worst + 4 * math.sqrt(worst * (1 - worst) / DRAWS) + 1e-9


def test_the_chosen_budget_is_tight() -> None:
    """A budget larger by one step would break the promise: it errs too often in more than delta of the draws."""
    seen, k, m = studied(), most_errors(500, 0.1, 0.1), 2
    at = [chosen(row[m - 1], k) for row in seen.errors]
    assert np.mean([seen.rate[m - 1, t - 1] > 0.1 for t in at]) > 0.2
    assert np.mean([seen.rate[m - 1, t] for t in at]) > 0.05


def looked(**looks: Any) -> Holed:
    seen = opened().look(**looks)
    assert isinstance(seen, Holed)
    return seen


@lru_cache(maxsize=1)
def opened() -> runs.Session:
    session = runs.open("conformal.pac-code")
    list(session.events())
    return session


def test_more_holes_and_weaker_promises_remove_less() -> None:
    """In eps always; in m on average over promises, and from one hole to four for all but a few, as budgets are steps."""
    removed = looked().curve_removed
    assert (np.diff(removed, axis=1) <= 1e-12).all()
    means = removed[:, 4:45].mean(axis=1)
    assert (np.diff(means) < 0.005).all()
    assert means[3] < 0.85 * means[0]
    assert (removed[3, 1:] <= removed[0, 1:] + 0.02).all()


def test_errors_grow_with_the_budget_for_every_number_of_holes() -> None:
    programs = looked().programs
    for counts in (programs.errors, programs.test_errors):
        assert (np.diff(counts, axis=1) <= 0).all()
        assert (counts[:, -1] == 0).all()
    assert (np.diff(programs.removed, axis=1) >= 0).all()
    assert programs.errors[0, 0] == programs.errors[3, 0] > 150, "about half of the guesses are wrong somewhere"


def test_doubt_in_words_saves_more_code_than_rarity_of_text() -> None:
    session = runs.open("conformal.pac-code", cost_of="text")
    list(session.events())
    text = session.look(eps=0.1)
    assert isinstance(text, Holed)
    assert looked(eps=0.1).removed < 0.6 * text.removed


def test_what_is_recorded_is_what_the_integer_program_gives() -> None:
    """In value: where several solutions are as good, another solver may give another."""
    method, programs = PACCode(), looked().programs
    for i in range(0, programs.m, 12):
        guess = programs.guesses[i]
        again, kept = method.keep(guess.parent, guess.cost), programs.kept[i][:, :-1]
        assert (again.sum(axis=(1, 2)) == kept.sum(axis=(1, 2))).all()
        assert (kept @ guess.cost <= programs.budgets + 1e-6).all()


def test_costs_by_hand() -> None:
    guess, truth = parse("x = f(1)"), parse("y = f(1)")
    words, nats = np.array([1, 4, 5, 6, 7, 8]), np.array([0.5, 0.0, 0.25, 0.0, 12.0, 0.0])
    tokens, rarity = np.array([1, 3, 5, 7, 8]), np.array([1.0, 2.0, 4.0, 8.0, 16.0])
    one = Statement(truth, guess, guess.text, wrong(guess, truth), words, nats, tokens, rarity)
    assert guess.kind == ("Assign", "Name", "Call", "Name", "Constant")
    assert PACCode().cost(one).tolist() == [0.0, 0.5, 0.0, 0.25, CAP]
    assert PACCode(cost_of="text").cost(one).tolist() == [2.0, 1.0, CAP, 4.0, 4.0]


def test_grids() -> None:
    for spacing in ("ratios", "paper"):
        grid = PACCode(spacing=spacing, count=10).grid()
        assert len(grid) == 10
        assert grid[-1] == 0
        assert (np.diff(grid) < 0).all()
    assert PACCode(spacing="paper", count=5).grid() == pytest.approx([-math.log(1e-5), *(-math.log(1e-5 + (1 - 2e-5) * i / 3) for i in (1, 2, 3)), 0])
    ratios = PACCode(count=10).grid()[:-1]
    assert (ratios[:-1] / ratios[1:]).std() < 1e-9
    assert (PACCode(spacing="paper", count=40).grid() < 0.7).mean() > 0.4, "half of the paper's budgets are all but nothing"


def test_alone_is_faster_and_not_nested_and_still_promised() -> None:
    session = runs.open("conformal.pac-code", "tiny", joint=False, count=40)
    list(session.events())
    seen = session.look(eps=0.3, delta=0.2)
    assert isinstance(seen, Holed)
    assert seen.allowed >= 0
    assert (seen.programs.errors[seen.holes - 1, seen.chosen:] <= seen.allowed).all(), "every budget up to the chosen one passed"


def test_a_session_says_what_it_computed() -> None:
    session = opened()
    programs = session.computed[-1]
    assert isinstance(programs, Programs)
    numbers = session.summary(eps=0.1)
    assert numbers["allowed"] == 40
    assert numbers["n"] == 500
    assert "500 programs" in session.guarantee.statement
    assert session.guarantee.kind == "PAC"
