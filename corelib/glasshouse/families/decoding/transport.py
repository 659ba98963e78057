"""Draft selection as optimal transport: k guesses in, one token out, and the cost is 0 where the token is among the guesses.

SpecTr, 2310.15141. A plan carries the law of k independent draws from q to the target's law p; the most it can keep is what no
lossless rule for independent drafts can exceed. For a whole vocabulary the value has a closed form, by duality; the plan
itself, one row for every multiset of guesses, is a linear programme and small only over few symbols.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations_with_replacement
from math import comb, factorial, prod

import numpy as np

from glasshouse.families.decoding.drafting.noise import top
from glasshouse.families.decoding.verification.k_seq import beta, division_factor
from glasshouse.families.decoding.verification.residual import remainder

MOST_SETS = 90


FAINT = 1e-9


def lumped(p: np.ndarray, q: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """p and q, float64 [m], with all tokens below ``FAINT`` in both as one symbol: acceptances change by less than V FAINT."""
    kept = np.maximum(p, q) >= FAINT
    return tuple(np.append(law[kept], max(0.0, 1.0 - law[kept].sum())) for law in (p, q))   # type: ignore[return-value]


class Levels:
    """p and q, float64 [V], in the order of p/q: then beta and the optimum are sums over a prefix, found by bisection.

    ``ratio`` [V] rises; ``p_below, q_below`` [V + 1] are the masses of the first tokens in that order.
    """

    def __init__(self, p: np.ndarray, q: np.ndarray) -> None:
        ratio = np.divide(p, q, out=np.full_like(p, np.inf), where=q > 0)
        order = np.argsort(ratio, kind="stable")
        self.ratio = ratio[order]
        self.p_below, self.q_below = (np.concatenate([[0.0], law[order].cumsum()]) for law in (p, q))

    def beta(self, rho: np.ndarray | float) -> np.ndarray:
        """sum_x min(q(x), p(x) / rho), as :func:`.k_seq.beta`: p / rho where p / q is below rho, else q."""
        below = self.ratio.searchsorted(rho)
        return np.asarray(self.p_below[below] / rho + self.q_below[-1] - self.q_below[below])

    def division_factor(self, k: int) -> float:
        """rho* in [1, k], as :func:`.k_seq.division_factor` to nine digits: the interval that holds the root, cut in 40 six times."""
        low, high = 1.0, float(k)
        for _ in range(6):
            rho = np.linspace(low, high, 41)
            b = self.beta(rho)
            at = int((1.0 - (1.0 - b) ** k - rho * b > 0.0).sum())      # the excess falls
            low, high = rho[max(at - 1, 0)], rho[min(at, 40)]
        return float(high)

    def optimum(self, k: int) -> float:
        """As :func:`optimum`."""
        return float(np.clip((self.p_below + 1.0 - self.q_below**k).min(), 0.0, 1.0))


def optimum(p: np.ndarray, q: np.ndarray, k: int) -> float:
    """The greatest acceptance of any lossless rule for k independent draws from q; p, q float64 [V].

    By max-flow min-cut it is the minimum over token sets A of p(A) + 1 - q(A)^k. The objective is concave in (p(A), q(A)), so the
    minimum is at a vertex of the attainable region: the tokens with p/q below some level, one of V + 1 sets in that order.
    """
    return Levels(p, q).optimum(k)


def by_k_seq(p: np.ndarray, q: np.ndarray, k: int) -> float:
    """Acceptance of k-SEQ (V5): 1 - (1 - beta(rho*))^k."""
    return 1.0 - (1.0 - beta(p, q, division_factor(p, q, k))) ** k


def with_replacement(p: np.ndarray, q: np.ndarray, k: int) -> float:
    """Acceptance of V2 on k independent draws: what is left of p after a failure does not depend on the guess that failed."""
    failed = 1.0
    for _ in range(k):
        failed *= 1.0 - float(np.minimum(p, q).sum())
        p = remainder(p, q)
    return 1.0 - failed


def without_replacement(p: np.ndarray, q: np.ndarray, k: int) -> float:
    """Acceptance of V3 on k sequential draws without replacement, by enumeration of their order: for few symbols only."""
    mass = float(q.sum())
    if k == 0 or mass <= 0.0:
        return 0.0
    q = q / mass
    accept = np.minimum(p, q)
    total, rest = float(accept.sum()), remainder(p, q)
    for y in np.flatnonzero(q > accept) if k > 1 else ():
        total += float(q[y] - accept[y]) * without_replacement(rest, np.where(np.arange(len(q)) == y, 0.0, q), k - 1)
    return total


@dataclass(frozen=True, eq=False)
class Reduced:
    """p and q, float64 [m], over the few ``tokens`` that matter most and, last, one symbol for all others together."""

    tokens: np.ndarray
    p: np.ndarray
    q: np.ndarray


def reduced(p: np.ndarray, q: np.ndarray, k: int) -> Reduced:
    """So few symbols that k guesses of them form at most 90 multisets; tokens by falling max(p, q).

    An easier problem than the whole one: the symbol for the rest stands for any of its tokens.
    """
    most = max(m for m in range(2, 8) if comb(m + k - 1, k) <= MOST_SETS)
    tokens = top(np.maximum(p, q), most if len(p) <= most else most - 1)
    laws = [law[tokens] for law in (p, q)]
    if len(tokens) < len(p):
        laws = [np.append(law, max(0.0, 1.0 - law.sum())) for law in laws]
    return Reduced(tokens, laws[0] / laws[0].sum(), laws[1] / laws[1].sum())


@dataclass(frozen=True, eq=False)
class Plan:
    """An optimal transport. ``sets``: multisets of k symbols, ``weight`` float64 [s] their law under independent draws;
    ``mass`` float64 [s, m]: what goes from each to each output; ``value``: the part that stays inside its set."""

    sets: list[tuple[int, ...]]
    weight: np.ndarray
    mass: np.ndarray
    value: float


def plan(p: np.ndarray, q: np.ndarray, k: int) -> Plan:
    """The linear programme, solved by HiGHS; p, q float64 [m] with few symbols.

    Its unknowns are the cells of cost 0; what they leave of rows and columns can only meet outside, where any pairing is as good.
    """
    from scipy.optimize import linprog
    from scipy.sparse import csr_array

    sets = list(combinations_with_replacement(range(len(p)), k))
    weight = np.asarray([factorial(k) / prod(factorial(s.count(i)) for i in set(s)) * np.prod(q[list(s)]) for s in sets])
    row, column = np.asarray([(i, y) for i, s in enumerate(sets) for y in sorted(set(s))]).T
    cell = np.arange(len(row))
    margins = csr_array((np.ones(2 * len(row)), (np.concatenate([row, len(sets) + column]), np.concatenate([cell, cell]))))
    solved = linprog(-np.ones(len(row)), A_ub=margins, b_ub=np.concatenate([weight, p]), method="highs")
    mass = np.zeros((len(sets), len(p)))
    mass[row, column] = solved.x
    left, wanted = np.maximum(weight - mass.sum(1), 0.0), np.maximum(p - mass.sum(0), 0.0)
    value = float(mass.sum())
    if wanted.sum() > 0.0:
        mass += np.outer(left, wanted) / wanted.sum()
    return Plan(sets, weight, mass, value)
