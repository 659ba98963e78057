"""The room's loop, which has one step: solve every statement for every budget and count errors. Everything after it is a look."""

from __future__ import annotations

from collections.abc import Generator, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from glasshouse.families.conformal.code.interface import Look, Method, Pool, Statement
from glasshouse.families.conformal.code.pac import most_errors, needed_points
from glasshouse.numerics.seeds import Seeds
from glasshouse.schema.errors import bad_value
from glasshouse.schema.events.base import Event, Progress
from glasshouse.schema.events.conformal_code import Guess, Holed, Programs
from glasshouse.schema.guarantee import Guarantee

CURVE = np.arange(1, 51) / 100      # promises whose price is shown beside the one that is asked for


def drive(method: Method, problem: Any, seeds: Seeds, prepared: Any = None) -> Iterator[Event | Progress]:
    """Solves the problem's statements, or reads what was recorded, and counts the errors of every budget. One event."""
    pool = problem.open()
    kept = yield from solved(method, pool, np.concatenate((pool.calibration, pool.test)))
    n, m = len(pool.calibration), len(pool.test)
    missed = errors([pool.statements[i] for i in pool.calibration] + [pool.statements[i] for i in pool.test], kept)
    tests = tuple(np.concatenate((k, np.zeros_like(k[:, :1])), axis=1) for k in kept[n:])
    guesses = tuple(_told(method, pool.statements[i]) for i in pool.test)
    budgets = method.grid()
    removed = np.mean([1.0 - k.mean(axis=-1) for k in tests], axis=0)
    yield Programs(n=n, m=m, budgets=budgets, guesses=guesses, kept=tests, errors=missed[:n].sum(axis=0),
                   test_errors=missed[n:].sum(axis=0), removed=removed, extra=_solution(budgets, guesses[0], tests[0][0]))


def solved(method: Method, pool: Pool, which: np.ndarray) -> Generator[Progress, None, list[np.ndarray]]:
    """bool [M, T, N] for each of the statements ``which``; recorded solutions are taken, others computed."""
    recorded = pool.solved.get(repr(method))
    if recorded is not None:
        return [recorded[i] for i in which.tolist()]
    kept = []
    for done, i in enumerate(which.tolist()):
        yield Progress(done=done, total=len(which), message="solving for every budget")
        kept.append(method.keep(pool.statements[i].guess.parent, method.cost(pool.statements[i])))
    return kept


def errors(statements: Sequence[Statement], kept: Sequence[np.ndarray]) -> np.ndarray:
    """bool [statements, M, T + 1]: whether what is kept is wrong somewhere; never in the last column, where nothing is kept."""
    found = np.array([(k & s.wrong).any(axis=-1) for s, k in zip(statements, kept, strict=True)])
    return np.concatenate((found, np.zeros_like(found[..., :1])), axis=-1)


def chosen(errors: np.ndarray, allowed: int | None) -> int:
    """The column of ``errors`` int64 [T + 1] to use: from the last, where nothing is kept, towards larger budgets, as long as at most
    ``allowed`` are wrong.

    Where errors grow with the budget, as they do with nested sets, this is the largest budget with at most ``allowed`` errors. Where
    they need not, the promise holds because budgets are tried in an order that was fixed before, up to the first that fails.
    """
    at = len(errors) - 1
    while allowed is not None and at > 0 and errors[at - 1] <= allowed:
        at -= 1
    return at


def look(events: Sequence[Event], look: Look) -> Holed:
    """The budget that one promise allows, and a statement at it.

    Raises: BadValue for a statement beyond the test statements.
    """
    programs = _programs(events)
    if look.statement >= programs.m:
        raise bad_value("statement", look.statement, f"a whole number from 0 to {programs.m - 1}")
    row = look.holes - 1
    allowed = most_errors(programs.n, look.eps, look.delta)
    at = chosen(programs.errors[row], allowed)
    last = len(programs.budgets)
    curve = np.array([[chosen(e, most_errors(programs.n, eps, look.delta)) for eps in CURVE.tolist()] for e in programs.errors])
    kept = programs.kept[look.statement][row]
    return Holed(
        eps=look.eps, delta=look.delta, holes=look.holes, statement=look.statement, allowed=-1 if allowed is None else allowed, chosen=at,
        budget=-1.0 if at == last else float(programs.budgets[at]), error=float(programs.test_errors[row, at] / programs.m),
        removed=float(programs.removed[row, at]), why_none=_why_none(programs, look, allowed) if at == last else "", kept=kept[at],
        programs=programs, curve_eps=CURVE, curve_removed=np.take_along_axis(programs.removed, curve, axis=1), curve_chosen=curve,
        extra=_solution(programs.budgets, programs.guesses[look.statement], kept))


def _why_none(programs: Programs, look: Look, allowed: int | None) -> str:
    if allowed is None:
        return (f"{programs.n} calibration programs prove nothing at a share of {look.eps:g} and a chance of {look.delta:g}: "
                f"{needed_points(look.eps, look.delta)} are needed")
    return f"even what the model does not doubt at all is wrong in more than {allowed} of {programs.n} calibration programs"


def summary(events: Sequence[Event]) -> dict[str, int | float | str]:
    """Sizes of the split and, where a promise was looked at, what it costs."""
    programs = _programs(events)
    numbers: dict[str, int | float | str] = {"n": programs.n, "m": programs.m, "budgets": len(programs.budgets)}
    seen = [event for event in events if isinstance(event, Holed)]
    if seen:
        numbers |= {name: value for name, value in seen[-1].row().items() if name != "statement" and value != ""}
    return numbers


def guarantee(method: Method, problem: Any, events: Sequence[Event]) -> Guarantee:
    """The promise of the method: the statements of every pool here are in random order."""
    found = [event for event in events if isinstance(event, Programs)]
    if not found:
        return method.guarantee
    return replace(method.guarantee, statement=(
        f"Calibrated on {found[-1].n} programs, and with probability at least 1 - delta over such calibrations, at most a share eps of the "
        "programs with holes does not fit the true one."))


def _programs(events: Sequence[Event]) -> Programs:
    return next(event for event in reversed(events) if isinstance(event, Programs))


def _told(method: Method, statement: Statement) -> Guess:
    guess, truth = statement.guess, statement.truth
    return Guess(truth=truth.text, typed=statement.typed, guess=guess.text, parent=guess.parent, kind=guess.kind,
                 own=tuple(" ".join(pieces) for pieces in guess.own), cost=method.cost(statement), wrong=statement.wrong,
                 owner=guess.owner, truth_owner=truth.owner)


def _solution(budgets: np.ndarray, guess: Guess, kept: np.ndarray) -> Mapping[str, Any]:
    """What the integer program keeps of one statement, budget by budget; the last row, in which nothing is kept, is left out."""
    return {"kept": kept[:len(budgets)].astype(np.float64), "node": list(guess.own), "budget": [f"{b:.3g}" for b in budgets.tolist()]}
