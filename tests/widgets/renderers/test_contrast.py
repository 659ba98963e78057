"""Every declared text colour can be read on every surface it stands on, light and dark: at least 4.5 : 1 by WCAG 2."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import glasshouse_widgets
from contrast import contrast, faint
from glasshouse import catalogue
from glasshouse_widgets import labs
from glasshouse_widgets.figures.palette import GREEN, ON_HUE, THEMES, VERMILION, Theme, layout, note
from rested import at_rest

SHEETS = sorted(Path(glasshouse_widgets.__file__).parent.rglob("*.css"))
PYTHON = sorted((Path(glasshouse_widgets.__file__).parent / "renderers").glob("*.py"))
WORDS = ("ink", "muted", "accent", "good", "bad", "soft")       # variables that text is set in
BEHIND = ("page", "surface", "wash")                            # what it stands on
FILLS = ("accent", "bad")                                       # what "on" stands on


def variables(dark: bool) -> dict[str, str]:
    sheet = next(s for s in SHEETS if s.name == "islands.css").read_text("utf-8")
    rules = re.findall(r"(\.gh(?:\[data-theme=\"dark\"\])?) \{([^}]*)\}", sheet)
    found: dict[str, str] = {}
    for selector, body in rules:
        if dark or selector == ".gh":
            found |= dict(re.findall(r"--(\w+):\s*(#\w+)", body))
    return found


def test_the_measure_is_that_of_the_standard() -> None:
    assert contrast("#000000", "#ffffff") == pytest.approx(21)
    assert contrast("#fff", "#777777") == pytest.approx(4.48, abs=0.005)        # the standard's well-known pair around its limit
    assert contrast("#ffffff", "#767676") == pytest.approx(4.54, abs=0.005)


@pytest.mark.parametrize("dark", [False, True])
def test_every_text_colour_of_the_style_sheets(dark: bool) -> None:
    colors = variables(dark)
    pairs = [(w, b) for w in WORDS for b in BEHIND] + [("on", fill) for fill in FILLS]
    assert [(w, b, round(contrast(colors[w], colors[b]), 2)) for w, b in pairs if contrast(colors[w], colors[b]) < 4.5] == []


def test_no_text_has_a_colour_of_its_own() -> None:
    """Else the test above would not see it; a page before our components says what its words stand on in the same rule."""
    for file in (*SHEETS, *PYTHON):
        bare = re.sub(r"/\*.*?\*/", "", file.read_text("utf-8"), flags=re.DOTALL)
        for body in re.findall(r"\{([^{}]*)\}", bare) if file.suffix == ".css" else [bare]:
            behind = re.search(r"background:\s*(#\w+)", body)
            for color in re.findall(r"(?:^|[{;\s])color:\s*([^;}\"']+)", body):
                named = re.fullmatch(r"var\(--(\w+)\)", color.strip())
                literal = behind and color.startswith("#") and contrast(color.strip(), behind[1]) >= 4.5
                assert literal or color.strip() in ("inherit", "currentColor") or (named and named[1] in (*WORDS, "on")), (file.name, color)


@pytest.mark.parametrize("theme", THEMES.values(), ids=list(THEMES))
def test_every_text_colour_of_the_palette(theme: Theme) -> None:
    words = {"ink": theme.ink, "muted": theme.muted, "accent": theme.accent, "own": theme.own, "no": theme.no,
             **{f"yes {i}": c for i, c in enumerate(theme.yes)}, **{f"mark {i}": c for i, c in enumerate(theme.marks)}}
    assert {n: round(contrast(c, theme.surface), 2) for n, c in words.items() if contrast(c, theme.surface) < 4.5} == {}
    assert {t: round(contrast(theme.ink, t), 2) for t in theme.tints if contrast(theme.ink, t) < 4.5} == {}
    assert min(contrast(ON_HUE, hue) for hue in (GREEN, VERMILION)) >= 4.5


@pytest.mark.parametrize("theme", THEMES.values(), ids=list(THEMES))
def test_faint_words_in_a_figure_are_found(theme: Theme) -> None:
    good = {"data": [], "layout": layout(theme, annotations=[note("words", 0, 0, theme)])}
    assert faint(good, theme.surface) == []
    bad = note(f'fine <span style="color:{theme.faint}">faint</span>', 0, 0, theme)
    assert [words for _, words, *_ in faint({"data": [], "layout": layout(theme, annotations=[bad])}, theme.surface)] == ["faint"]
    bar = {"type": "bar", "y": [1, 2], "text": ["a", "b"], "textposition": "inside", "insidetextfont": {"color": ["#ffffff", "#000000"]},
           "marker": {"color": [GREEN, GREEN]}}
    assert [words for _, words, *_ in faint({"data": [bar], "layout": layout(theme)}, theme.surface)] == ["a"]


@pytest.mark.parametrize("name", list(labs.found()))
def test_all_that_is_written_in_a_lab_s_figures_can_be_read(name: str) -> None:
    cls = labs.found()[name]
    for method in [info.id for info in catalogue.methods(cls.family) if info.room == cls.room]:
        with at_rest(cls(method=method, problem="tiny")) as lab:
            for theme in THEMES.values():
                lab.theme = theme.name
                assert lab.wait()
                for pane, figure in lab.figures.items():
                    assert faint(figure, theme.surface) == [], (method, pane, theme.name)
