"""The integer program and the knapsack against brute force: all trees of up to 7 nodes, and drawn ones of 8."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest

from glasshouse.families.conformal.code.holes import MOST_HOLES, budgets, holes, keep, keep_alone, keep_jointly, nested, program
from glasshouse.schema.errors import GlasshouseError


def shapes(n: int) -> list[tuple[int, ...]]:
    """Every unordered rooted tree of n nodes once, as parents in preorder."""
    def forests(total: int, largest: tuple[int, ...] | None) -> Iterator[list[tuple[int, ...]]]:
        if total == 0:
            yield []
            return
        for size in range(1, total + 1):
            for tree in made[size]:
                if largest is None or (len(tree), tree) <= (len(largest), largest):
                    for rest in forests(total - size, tree):
                        yield [tree, *rest]

    made: dict[int, list[tuple[int, ...]]] = {}
    for size in range(1, n + 1):
        made[size] = []
        for forest in forests(size - 1, None):
            parent = [-1]
            for tree in forest:
                start = len(parent)
                parent += [0 if p < 0 else p + start for p in tree]
            made[size].append(tuple(parent))
    return made[n]


def trees_with(parent: np.ndarray, most: int) -> np.ndarray:
    """bool [trees, N]: everything that may be kept, by trying all subsets."""
    n = len(parent)
    every = (np.arange(2**n)[:, None] >> np.arange(n)) & 1 == 1
    closed = ~(every[:, 1:] & ~every[:, parent[1:]]).any(axis=1)
    above = np.where(parent >= 0, every[:, parent], True)
    return every[closed & ((above & ~every).sum(axis=1) <= most)]


def best_chain(parent: np.ndarray, cost: np.ndarray, grid: np.ndarray, most: int) -> int:
    """The most nodes that nested trees keep over all budgets: dynamic programming over all trees, from the smallest budget up."""
    trees = trees_with(parent, most)
    spent, size = trees @ cost, trees.sum(axis=1)
    inside = ~(trees[:, None, :] & ~trees[None, :, :]).any(axis=2)                 # [a, b]: a within b
    value = np.where(spent <= grid[-1] + 1e-9, size, -10**6)
    for budget in grid[-2::-1]:
        value = np.where(spent <= budget + 1e-9, size + np.where(inside, value[:, None], -10**6).max(axis=0), -10**6)
    return int(value.max())


def drawn_costs(n: int, rng: np.random.Generator) -> np.ndarray:
    """Whole numbers with zeros and ties, which is where things go wrong."""
    return rng.integers(0, 5, n).astype(np.float64)


GRID = np.array([30.0, 9.0, 6.0, 4.0, 3.0, 1.0, 0.0])


def test_there_are_as_many_trees_as_there_are() -> None:
    assert [len(shapes(n)) for n in range(1, 9)] == [1, 1, 2, 4, 9, 20, 48, 115]


@pytest.mark.parametrize("n", range(1, 8))
def test_the_integer_program_equals_brute_force_on_all_trees(n: int) -> None:
    rng = np.random.default_rng(n)
    for shape in shapes(n):
        parent, cost = np.array(shape), drawn_costs(n, rng)
        most = int(rng.integers(1, MOST_HOLES + 1))
        kept = program(parent, cost, GRID, most)
        check(parent, cost, GRID, most, kept)
        assert nested(kept)
        assert kept.sum() == best_chain(parent, cost, GRID, most)


@pytest.mark.long
def test_it_does_so_on_all_trees_of_eight_nodes() -> None:
    rng = np.random.default_rng(8)
    grid = np.array([12.0, 5.0, 2.0, 0.0])
    for shape in shapes(8):
        parent, cost = np.array(shape), drawn_costs(8, rng)
        kept = keep(parent, cost, grid, 2, joint=True)
        for m in (1, 2):
            best = best_chain(parent, cost, grid, m)
            for found in (kept[m - 1], program(parent, cost, grid, m)):
                check(parent, cost, grid, m, found)
                assert nested(found)
                assert found.sum() == best


def test_the_knapsack_equals_the_integer_program_for_one_budget_and_brute_force() -> None:
    rng = np.random.default_rng(1)
    for case in range(60):
        n = int(rng.integers(1, 9))
        parent = np.array([-1, *(int(rng.integers(0, v)) for v in range(1, n))])
        cost, most = drawn_costs(n, rng), case % MOST_HOLES + 1
        trees = trees_with(parent, most)
        alone = keep_alone(parent, cost, GRID, most)
        check(parent, cost, GRID, most, alone)
        for t, budget in enumerate(GRID.tolist()):
            assert alone[t].sum() == trees.sum(axis=1)[trees @ cost <= budget].max()
        one = GRID[case % len(GRID)]
        assert program(parent, cost, np.array([one]), most).sum() == alone[case % len(GRID)].sum()


def test_of_equally_many_nodes_the_cheapest() -> None:
    parent = np.array([-1, 0, 0, 0])
    assert keep_alone(parent, np.array([0.0, 2.0, 1.0, 3.0]), np.array([2.5]), 2).tolist() == [[True, False, True, False]]


def test_a_larger_tree_by_both_ways() -> None:
    """Sixty nodes: the knapsack of one budget is the integer program's value."""
    rng = np.random.default_rng(2)
    parent = np.array([-1, *(int(rng.integers(max(0, v - 6), v)) for v in range(1, 60))])
    cost = rng.exponential(1.0, 60).round(4)
    for most in (1, 3):
        found = keep_alone(parent, cost, np.array([20.0]), most)
        check(parent, cost, np.array([20.0]), most, found)
        assert program(parent, cost, np.array([20.0]), most).sum() == found.sum()


def test_budgets_alone_need_not_be_nested_and_together_are() -> None:
    """On drawn trees a good part is not: that is why all budgets are solved together."""
    rng = np.random.default_rng(3)
    crossed = 0
    for _ in range(80):
        n = int(rng.integers(8, 14))
        parent = np.array([-1, *(int(rng.integers(0, v)) for v in range(1, n))])
        cost = rng.exponential(2.0, n).round(4)
        grid = budgets(10, 30.0, 0.5)
        alone = keep_alone(parent, cost, grid, 2)
        crossed += not nested(alone)
        if not nested(alone) and crossed <= 8:
            together = keep_jointly(parent, cost, grid, 2)
            assert nested(together)
            assert 0.8 * alone.sum() < together.sum() <= alone.sum()
    assert 4 <= crossed <= 40


def test_the_ends() -> None:
    rng = np.random.default_rng(4)
    for _ in range(20):
        n = int(rng.integers(2, 9))
        parent, cost = np.array([-1, *(int(rng.integers(0, v)) for v in range(1, n))]), drawn_costs(n, rng)
        kept = keep(parent, cost, np.array([cost.sum(), 0.0]), MOST_HOLES, joint=True)
        assert kept[:, 0].all(), "a budget for everything keeps everything"
        assert (cost[kept[:, 1].any(axis=0)] == 0).all(), "no budget keeps only what costs nothing"
        if cost[0] == 0 and n > 1 and (cost == 0).all():
            assert kept[:, 1].all()


def test_more_holes_keep_no_less_at_any_budget() -> None:
    rng = np.random.default_rng(5)
    for _ in range(30):
        parent, cost = np.array([-1, *(int(rng.integers(0, v)) for v in range(1, 10))]), rng.exponential(2.0, 10)
        sizes = keep(parent, cost, GRID, MOST_HOLES, joint=False).sum(axis=2)
        assert (np.diff(sizes, axis=0) >= 0).all()
        assert (np.diff(sizes, axis=1) <= 0).all()


def test_holes_are_counted_as_defined() -> None:
    parent = np.array([-1, 0, 0, 2, 2])
    rows = {(1, 1, 1, 1, 1): 0, (0, 0, 0, 0, 0): 1, (1, 0, 1, 1, 1): 1, (1, 0, 0, 0, 0): 2, (1, 1, 1, 0, 0): 2}
    for row, count in rows.items():
        assert holes(parent, np.array(row, bool)) == count


@pytest.mark.parametrize(("parent", "cost", "grid", "most", "name"), [
    ([], [], [1.0], 1, "parent"), ([0], [1.0], [1.0], 1, "parent"), ([-1, 1], [1.0, 1.0], [1.0], 1, "parent"),
    ([-1, 0], [1.0], [1.0], 1, "cost"), ([-1, 0], [1.0, -1.0], [1.0], 1, "cost"), ([-1, 0], [1.0, np.nan], [1.0], 1, "cost"),
    ([-1], [1.0], [0.0, 1.0], 1, "budgets"), ([-1], [1.0], [], 1, "budgets"), ([-1], [1.0], [-1.0], 1, "budgets"),
    ([-1], [1.0], [1.0], 0, "most"), ([-1], [1.0], [1.0], 9, "most")])
def test_bad_input(parent: list[int], cost: list[float], grid: list[float], most: int, name: str) -> None:
    for solve in (keep_jointly, keep_alone):
        with pytest.raises(GlasshouseError, match=name):
            solve(np.array(parent, np.int64), np.array(cost), np.array(grid), most)


def check(parent: np.ndarray, cost: np.ndarray, grid: np.ndarray, most: int, kept: np.ndarray) -> None:
    assert not (kept[:, 1:] & ~kept[:, parent[1:]]).any(), "a tree with the same root"
    assert (kept @ cost <= grid + 1e-6).all()
    assert (holes(parent, kept) <= most).all()
