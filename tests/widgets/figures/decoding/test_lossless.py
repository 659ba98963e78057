from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np

from glasshouse.schema.events.decoding import LosslessCheck
from glasshouse_widgets.figures.decoding import lossless
from glasshouse_widgets.figures.palette import DARK, LIGHT, REJECTED

EXPECTED = np.array([400.0, 300.0, 200.0, 100.0])
GOOD = LosslessCheck(method="decoding.specinfer", draws=1000,
                     statistic=2.1, dof=3, p_value=0.55, planted="", observed=np.array([410, 295, 190, 105]), expected=EXPECTED,
                     cells=("aa", "ab", "<b>", "rest"))
BAD = dataclasses.replace(GOOD, statistic=90.0, p_value=3e-19, planted="iid-residual", observed=np.array([480, 215, 200, 105]))


def test_good_law_is_quiet(valid: Any) -> None:
    figure = valid(lossless.badge(GOOD, LIGHT, "decoding.rsd"))
    counted, far, expected = figure["data"]
    assert counted["y"] == [410, 295, 190, 105]
    assert far["y"] == [None] * 4
    assert expected["y"] == EXPECTED.tolist()
    words = figure["layout"]["annotations"][0]["text"]
    assert "0.55" in words
    assert "decoding.rsd" in words
    assert REJECTED.color not in words
    assert "<b>" not in figure["layout"]["xaxis"]["ticktext"][2]


def test_biased_law_turns_red(valid: Any) -> None:
    figure = valid(lossless.badge(BAD, DARK))
    counted, far, _ = figure["data"]
    # 2 sd of 400 is 40, of 300 is 35: the first two cells are out.
    assert far["y"] == [480, 215, None, None]
    assert counted["y"] == [None, None, 200, 105]
    assert far["marker"]["color"] == REJECTED.color
    assert far["marker"]["pattern"]["shape"]
    words = figure["layout"]["annotations"][0]["text"]
    assert "NOT lossless" in words
    assert "iid-residual" in words
    assert REJECTED.color in words


def test_the_alarm_is_one_in_ten_thousand() -> None:
    assert lossless.fails(dataclasses.replace(GOOD, p_value=0.99e-4))
    assert not lossless.fails(dataclasses.replace(GOOD, p_value=1e-4))


def test_stable(valid: Any) -> None:
    assert len(lossless.badge(GOOD, LIGHT)["data"]) == len(lossless.badge(BAD, LIGHT)["data"])
    none = dataclasses.replace(GOOD, observed=np.zeros(0, np.int64), expected=np.zeros(0), cells=())
    valid(lossless.badge(none, LIGHT))
