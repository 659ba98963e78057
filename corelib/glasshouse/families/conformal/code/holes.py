"""Which nodes of a tree to keep: as many as a budget of cost pays for, with at most m holes, for many budgets at once.

Kept nodes are a tree with the same root; a *hole* is a left-out node whose parent is kept, or the root itself. ``parent`` int64 [N] in
preorder, ``cost`` float64 [N] not negative, ``budgets`` float64 [T] descending.
"""

from __future__ import annotations

import numpy as np
from scipy import sparse
from scipy.optimize import Bounds, LinearConstraint, milp

from glasshouse.schema.errors import BadValue, bad_value

MOST_HOLES = 4
SLACK = 1e-9            # of a budget: what the solver may be off, and what rounding a sum of costs adds


def budgets(count: int, highest: float, lowest: float) -> np.ndarray:
    """``count`` budgets in equal ratios from ``highest`` down to ``lowest``, and 0 last."""
    return np.append(np.geomspace(highest, lowest, count - 1), 0.0)


def holes(parent: np.ndarray, kept: np.ndarray) -> np.ndarray:
    """int64 [...]: how many holes ``kept`` bool [..., N] has."""
    above = np.where(parent >= 0, kept[..., parent], True)
    count: np.ndarray = np.count_nonzero(above & ~kept, axis=-1)
    return count


def keep_jointly(parent: np.ndarray, cost: np.ndarray, budgets: np.ndarray, most: int) -> np.ndarray:
    """bool [T, N]: the nodes kept at each budget, such that a smaller budget keeps no node that a larger one leaves out.

    Solves maximise sum x[t, v] subject to x[t, child] <= x[t, parent], sum_v cost[v] x[t, v] <= B_t, at most ``most`` holes at each t,
    and x[t + 1, v] <= x[t, v]. Where the best of every budget alone happen to be nested, they are the solution; else it is
    an integer program.

    Raises: BadValue for arrays that are no tree, negative or infinite costs, budgets that ascend, or no hole allowed.
    """
    rows = keep_alone(parent, cost, budgets, most)
    return rows if nested(rows) else program(parent, cost, budgets, most)


def keep_alone(parent: np.ndarray, cost: np.ndarray, budgets: np.ndarray, most: int) -> np.ndarray:
    """bool [T, N]: the most nodes that each budget pays for by itself, of equally many the cheapest. Sets need not be nested.

    Raises: as :func:`keep_jointly`.
    """
    _check(parent, cost, budgets, most)
    return _rows(_Knapsack(parent, cost, most), budgets, most)


def keep(parent: np.ndarray, cost: np.ndarray, budgets: np.ndarray, most: int, joint: bool) -> np.ndarray:
    """bool [most, T, N]: :func:`keep_jointly` or :func:`keep_alone` for 1, 2 ... ``most`` holes."""
    _check(parent, cost, budgets, most)
    table = _Knapsack(parent, cost, most)
    kept = np.zeros((most, len(budgets), len(parent)), bool)
    for m in range(1, most + 1):
        rows = _rows(table, budgets, m)
        kept[m - 1] = program(parent, cost, budgets, m) if joint and not nested(rows) else rows
    return kept


def _rows(table: _Knapsack, budgets: np.ndarray, m: int) -> np.ndarray:
    """bool [T, N]: the best of every budget alone with at most ``m`` holes."""
    rows = np.zeros((len(budgets), len(table.children)), bool)
    for t, budget in enumerate(budgets.tolist()):
        rows[t] = rows[t - 1] if t and table.count(budget, m) == rows[t - 1].sum() else table.best(budget, m)
    return rows


def nested(kept: np.ndarray) -> bool:
    """Whether each row of ``kept`` bool [T, N] holds the next."""
    return bool((kept[1:] <= kept[:-1]).all())


def program(parent: np.ndarray, cost: np.ndarray, budgets: np.ndarray, most: int) -> np.ndarray:
    """bool [T, N]: the integer program of :func:`keep_jointly`, solved by HiGHS."""
    t, n = len(budgets), len(parent)
    below = np.flatnonzero(parent >= 0)
    eye = sparse.identity(t, format="csr")
    tree = sparse.coo_array((np.r_[np.ones(len(below)), -np.ones(len(below))],
                             (np.r_[np.arange(len(below)), np.arange(len(below))], np.r_[below, parent[below]])), (len(below), n))
    # holes = 1 - x_root + sum over the others of (x_parent - x_v) = 1 + sum of x_v (children of v - 1)
    children = np.bincount(parent[below], minlength=n)
    step = sparse.diags([np.ones(t), -np.ones(t - 1)], [0, 1], shape=(t, t), format="csr")[:t - 1] if t > 1 else None
    rules = [LinearConstraint(sparse.kron(eye, tree, "csr"), ub=0),
             LinearConstraint(sparse.kron(eye, cost[None, :], "csr"), ub=budgets),
             LinearConstraint(sparse.kron(eye, (children - 1.0)[None, :], "csr"), ub=most - 1)]
    if step is not None:
        rules.append(LinearConstraint(sparse.kron(step, sparse.identity(n), "csr"), lb=0))
    found = milp(-np.ones(t * n), constraints=rules, integrality=np.ones(t * n), bounds=Bounds(0, 1))
    if not found.success:
        raise BadValue(f"the integer program has no solution ({found.message})", "cost")
    return np.asarray(found.x > 0.5).reshape(t, n)


class _Knapsack:
    """f[v][h][c]: the least cost of keeping v and c nodes in all of its subtree, with h holes there. Children join one by one."""

    def __init__(self, parent: np.ndarray, cost: np.ndarray, most: int) -> None:
        self.most, n = most, len(parent)
        self.children: list[list[int]] = [[] for _ in range(n)]
        for v in range(1, n):
            self.children[parent[v]].append(v)
        self.steps: list[list[np.ndarray]] = [[] for _ in range(n)]     # f[v] after each child
        for v in range(n - 1, -1, -1):                                  # preorder backwards: children first
            f = np.full((most + 1, 2), np.inf)
            f[0, 1] = cost[v]
            self.steps[v].append(f)
            for child in self.children[v]:
                f = self._joined(f, self.steps[child][-1])
                self.steps[v].append(f)
        top = self.steps[0][-1].copy()
        top[1, 0] = 0.0                                                 # the root itself left out: one hole
        self.least = np.minimum.accumulate(top, axis=0)                 # [most + 1, N + 1]: at most so many holes, so many nodes

    def _joined(self, f: np.ndarray, g: np.ndarray) -> np.ndarray:
        """The (min, +) convolution of what is there with a child that is kept; and the child left out, for one hole more."""
        most, size = self.most, g.shape[1]
        joined = np.full((most + 1, f.shape[1] + size - 1), np.inf)
        joined[1:, :f.shape[1]] = f[:-1]
        for h in range(most + 1):
            for c in range(1, size):
                if np.isfinite(g[h, c]):
                    part = joined[h:, c:c + f.shape[1]]
                    np.minimum(part, f[:most + 1 - h] + g[h, c], out=part)
        return joined

    def count(self, budget: float, most: int) -> int:
        """How many nodes ``budget`` pays for."""
        return int(np.flatnonzero(self.least[most] <= budget * (1 + SLACK))[-1])

    def best(self, budget: float, most: int) -> np.ndarray:
        """bool [N]: the cheapest tree of that many nodes."""
        kept = np.zeros(len(self.children), bool)
        count = self.count(budget, most)
        if count:
            h = int(self.steps[0][-1][:most + 1, count].argmin())
            self._trace(0, h, count, kept)
        return kept

    def _trace(self, v: int, h: int, count: int, kept: np.ndarray) -> None:
        """Walks the joins of v backwards to find which split gave the least cost."""
        kept[v] = True
        for place in range(len(self.children[v]) - 1, -1, -1):
            before, child = self.steps[v][place], self.children[v][place]
            g, value = self.steps[child][-1], self.steps[v][place + 1][h, count]
            if h >= 1 and count < before.shape[1] and before[h - 1, count] == value:
                h -= 1
                continue
            own_h, own_c = next((i, c) for i in range(h + 1) for c in range(1, g.shape[1])
                                if 0 <= count - c < before.shape[1] and before[h - i, count - c] + g[i, c] == value)
            self._trace(child, own_h, own_c, kept)
            h, count = h - own_h, count - own_c


def _check(parent: np.ndarray, cost: np.ndarray, budgets: np.ndarray, most: int) -> None:
    n = len(parent)
    if n == 0 or parent[0] != -1 or not ((parent[1:] >= 0) & (parent[1:] < np.arange(1, n))).all():
        raise bad_value("parent", parent, "a tree in preorder: -1 first, then each node's parent, which comes before it")
    if np.shape(cost) != (n,) or not (np.isfinite(cost) & (np.asarray(cost) >= 0)).all():
        raise bad_value("cost", cost, f"{n} finite numbers of at least 0")
    if len(budgets) == 0 or not ((budgets >= 0).all() and (np.diff(budgets) <= 0).all()):
        raise bad_value("budgets", budgets, "numbers of at least 0 in descending order")
    if not 1 <= most <= MOST_HOLES:
        raise bad_value("most", most, f"a whole number from 1 to {MOST_HOLES}")
