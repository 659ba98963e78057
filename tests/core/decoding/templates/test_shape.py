"""Shapes: numbering, prefixes, levels."""

from __future__ import annotations

import numpy as np

from glasshouse.families.decoding.templates import numbered


def test_numbering_is_breadth_first_with_siblings_by_rank() -> None:
    shape = numbered([(0, 2), (1,), (), (0,), (0, 0), (0, 1), (1, 0), (0, 1, 0)])
    assert shape.parent.tolist() == [-1, 0, 0, 1, 1, 1, 2, 4]
    assert shape.rank.tolist() == [0, 0, 1, 0, 1, 2, 0, 0]
    assert shape.depth.tolist() == [0, 1, 1, 2, 2, 2, 2, 3]
    assert shape.levels == (slice(1, 3), slice(3, 7), slice(7, 8))
    assert shape.children().tolist() == [2, 3, 1, 0, 1, 0, 0, 0]


def test_a_shallower_tree_is_a_prefix() -> None:
    shape = numbered([(), (0,), (1,), (0, 0), (0, 0, 0)])
    assert [shape.within(d).size for d in (-1, 0, 1, 2, 3, 9)] == [1, 1, 3, 4, 5, 5]
    assert shape.within(1).levels == (slice(1, 3),)
    assert np.array_equal(shape.within(2).parent, [-1, 0, 0, 1])


def test_the_root_alone_is_a_shape() -> None:
    shape = numbered([()])
    assert (shape.size, shape.levels, shape.children().tolist()) == (1, (), [0])
