from __future__ import annotations

import re

import pytest

from glasshouse_widgets.figures import palette
from glasshouse_widgets.figures.palette import DARK, LIGHT, Theme

PAGE = {"light": "#ffffff", "dark": "#1e1e1e"}      # behind the figure; dark as JupyterLab's


def luminance(color: str) -> float:
    """Relative luminance of WCAG 2."""
    parts = [int(color[i:i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(a: str, b: str) -> float:
    high, low = sorted((luminance(a), luminance(b)), reverse=True)
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("theme", [LIGHT, DARK], ids=lambda t: t.name)
def test_words_can_be_read(theme: Theme) -> None:
    page = PAGE[theme.name]
    for color in (theme.ink, theme.muted, theme.accent, theme.own, *theme.yes):
        assert contrast(color, page) >= 4.5, color
    for tint in theme.tints:
        assert contrast(theme.ink, tint) >= 4.5, tint


@pytest.mark.parametrize("theme", [LIGHT, DARK], ids=lambda t: t.name)
def test_marks_are_told_by_shape_and_seen(theme: Theme) -> None:
    marks = (palette.ACCEPTED, palette.REJECTED, palette.UNTESTED, palette.FINAL)
    assert len({m.symbol for m in marks}) == len({m.glyph for m in marks}) == len({m.color for m in marks}) == 4
    for mark in (palette.ACCEPTED, palette.REJECTED, palette.UNTESTED):
        assert contrast(mark.color, PAGE[theme.name]) >= 3.0    # the star has an outline of ink


def test_series_are_seven_apart() -> None:
    for theme in (LIGHT, DARK):
        assert sorted(theme.series) == sorted(palette.OKABE_ITO)
        assert theme.series[0] == theme.accent


def test_tints_rise_with_the_value() -> None:
    bins = [LIGHT.tint(p) for p in (float("nan"), 0.0, 0.02, 0.1, 0.3, 0.6, 1.0)]
    assert bins == [0, 0, 1, 2, 3, 4, 4]
    assert len(LIGHT.tints) == len(DARK.tints) == 5


def test_two_themes_say_the_same() -> None:
    assert set(palette.THEMES) == {"light", "dark"}
    assert all(re.fullmatch(r"#[0-9a-f]{6}", c) for t in palette.THEMES.values() for c in (*t.tints, *t.sequential, t.ink, t.grid))


def test_an_empty_figure_says_why(valid) -> None:  # type: ignore[no-untyped-def]
    figure = valid(palette.empty(LIGHT, "nothing yet"))
    assert figure["layout"]["annotations"][0]["text"] == "nothing yet"


def test_layouts_are_fresh() -> None:
    assert palette.layout(LIGHT)["margin"] is not palette.layout(LIGHT)["margin"]
    assert palette.axis(LIGHT)["title"] is not palette.axis(LIGHT)["title"]
