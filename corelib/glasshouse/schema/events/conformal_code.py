"""Sets of programs: programs with holes for every budget, and the one budget that the promise allows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from glasshouse.schema.events.base import Event


@dataclass(frozen=True, kw_only=True, eq=False)
class Guess:
    """One statement: what was meant, what was typed, what the model makes of it, and the tree of that.

    For the N nodes in preorder: ``parent`` int64, -1 for the root; ``kind`` their classes of syntax; ``own`` the text that a node owns;
    ``cost`` float64 in nats; ``wrong`` bool, where the true statement has another text. ``owner`` int64 [characters] is
    the node that owns a character of ``guess``, -1 for none. Within a node's text, ``guess`` and ``truth`` differ; ``truth_owner`` int64
    is the same for ``truth``, whose nodes are numbered alike.
    """

    truth: str
    typed: str
    guess: str
    parent: np.ndarray
    kind: tuple[str, ...]
    own: tuple[str, ...]
    cost: np.ndarray
    wrong: np.ndarray
    owner: np.ndarray
    truth_owner: np.ndarray

    def __len__(self) -> int:
        return len(self.parent)


@dataclass(frozen=True, kw_only=True, eq=False)
class Programs(Event):
    """Every statement solved for every budget, and its errors counted. M is the most holes, T the budgets.

    ``budgets`` float64 [T], descending, in nats; column T + 1 of what follows stands for one hole in place of the whole program.
    ``kept`` has a bool array [M, T + 1, N] for every test statement of ``guesses``; ``errors`` int64 [M, T + 1] of the ``n``
    calibration statements and ``test_errors`` of the ``m`` test statements are wrong somewhere in what is kept; ``removed`` float64
    [M, T + 1] is the mean share of a test statement's nodes left out.
    """

    n: int
    m: int
    budgets: np.ndarray
    guesses: tuple[Guess, ...]
    kept: tuple[np.ndarray, ...]
    errors: np.ndarray
    test_errors: np.ndarray
    removed: np.ndarray


@dataclass(frozen=True, kw_only=True, eq=False)
class Holed(Event):
    """The budget that is promised to err at most ``eps`` of the time, and what it leaves of one statement.

    ``allowed`` errors among the n calibration statements prove the promise, -1 where none would; ``chosen`` is the column of
    `Programs.errors` that was chosen, T where only the whole program as one hole is safe, and ``why_none`` then says why. ``budget`` in
    nats is -1 there. ``error`` and ``removed`` are those of the test statements. ``kept`` bool [N] are the
    nodes left of test statement ``statement``. ``curve_eps`` float64 [E] and ``curve_removed`` float64 [M, E]: what other promises would
    cost at the same ``delta``; ``curve_chosen`` int64 [M, E] their columns.
    """

    eps: float
    delta: float
    holes: int
    statement: int
    allowed: int
    chosen: int
    budget: float
    error: float
    removed: float
    why_none: str
    kept: np.ndarray
    programs: Programs
    curve_eps: np.ndarray
    curve_removed: np.ndarray
    curve_chosen: np.ndarray

    @property
    def guess(self) -> Guess:
        """The statement looked at."""
        return self.programs.guesses[self.statement]


@dataclass(frozen=True, kw_only=True, eq=False)
class Resamples(Event):
    """Many calibrations of n statements drawn from the pool with replacement, ``done`` of ``total`` so far.

    ``errors`` int64 [done, M, T + 1] of the drawn statements; ``rate`` float64 [M, T + 1] the error of the whole pool, which is the law
    that is drawn from: for any promise, the chosen column of each draw and whether its rate is above eps follow.
    """

    done: int
    total: int
    n: int
    errors: np.ndarray
    rate: np.ndarray

    def row(self) -> dict[str, Any]:
        return {"done": self.done, "total": self.total, "n": self.n}
