from __future__ import annotations

import numpy as np
import pytest

from glasshouse_widgets.figures import extras
from glasshouse_widgets.figures.palette import POINTS


@pytest.mark.parametrize("extra", [{}, {"a": None}, {"a": []}, {"a": np.zeros((0, 3))}])
def test_nothing_is_missing(extra: extras.Extra) -> None:
    with pytest.raises(extras.Missing):
        extras.read(extra, "a")


def test_words_are_cut_then_escaped() -> None:
    assert extras.words(["<<<<<", "a\nb", 0.123456, 7], 4) == ["&lt;&lt;&lt;…", "a⏎b", "0.1…", "7"]


def test_gaps_are_none() -> None:
    assert extras.numbers(np.array([1.0, np.nan, np.inf, -np.inf])) == [1.0, None, None, None]


@pytest.mark.parametrize(("count", "series"), [(0, 1), (1, 1), (POINTS, 1), (POINTS + 1, 1), (5 * POINTS, 3), (7, 5), (12_345, 7)])
def test_thinned_points_stay_within_the_limit(count: int, series: int) -> None:
    step = extras.thinning(count, series)
    assert step >= 1
    assert series * len(range(0, count, step)) <= max(POINTS, series)
    assert step == 1 or series * len(range(0, count, step - 1)) > POINTS - series


def test_many_labels_are_shown_in_part() -> None:
    few, many = extras.labelled(["a", "b"]), extras.labelled([str(i) for i in range(100)], 10)
    assert few == {"tickvals": [0, 1], "ticktext": ["a", "b"]}
    assert len(many["tickvals"]) == 10
    assert many["ticktext"][3] == str(many["tickvals"][3])
