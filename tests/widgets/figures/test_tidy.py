from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from glasshouse_widgets.figures.tidy import rows

trees = st.integers(1, 60).flatmap(lambda n: st.tuples(*(st.integers(0, max(i - 1, 0)) for i in range(1, n))))


def depths(parent: list[int]) -> list[int]:
    depth = [0]
    for above in parent[1:]:
        depth.append(depth[above] + 1)
    return depth


@given(trees)
def test_columns_keep_their_order_and_distance(above: tuple[int, ...]) -> None:
    """Two nodes of one depth stand at least a row apart, and subtrees never cross: order in a column is order of the parents."""
    parent = [-1, *above]
    row, depth = rows(parent, list(range(len(parent)))), depths(parent)
    assert min(row) == 0
    for d in set(depth):
        column = sorted((i for i in range(len(parent)) if depth[i] == d), key=lambda i: row[i])
        assert all(row[b] - row[a] > 1 - 1e-9 for a, b in pairwise(column))
        above_rows = [row[parent[i]] for i in column if d]
        assert above_rows == sorted(above_rows)


@given(trees)
def test_siblings_stand_in_draw_order_around_their_parent(above: tuple[int, ...]) -> None:
    parent = [-1, *above]
    order = list(range(len(parent)))[::-1]                      # drawn last to first
    row = rows(parent, order)
    for node in range(len(parent)):
        kids = sorted((i for i in range(1, len(parent)) if parent[i] == node), key=lambda i: order[i])
        if kids:
            assert [row[k] for k in kids] == sorted(row[k] for k in kids)
            assert abs((row[kids[0]] + row[kids[-1]]) / 2 - row[node]) < 1e-9


def test_a_deep_branch_packs_beside_a_shallow_one() -> None:
    # Root with three children; the first has a child with two children, the others are leaves: leaves may stand beside the branch.
    row = rows([-1, 0, 1, 2, 2, 0, 0], list(range(7)))
    assert row[5] - row[1] == 1
    assert row[6] - row[5] == 1


def test_one_node() -> None:
    assert rows([-1], [0]) == [0.0]
