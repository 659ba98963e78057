"""The one place for colours, marks, fonts and the frame that every figure shares.

Categories are Okabe and Ito's colours (Color Universal Design, 2008), which stay apart for the common kinds of colour
blindness; a decision never speaks by colour alone but also by the shape of its mark.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Literal

from glasshouse_widgets.figures.tokens import wrapped

Figure = dict[str, Any]

BLUE, ORANGE, GREEN, VERMILION = "#0072B2", "#E69F00", "#009E73", "#D55E00"
PURPLE, SKY, YELLOW, GREY = "#CC79A7", "#56B4E9", "#F0E442", "#8A8F98"
OKABE_ITO = (BLUE, ORANGE, GREEN, VERMILION, PURPLE, SKY, YELLOW)
ON_HUE = "#000000"              # words on GREEN and VERMILION
CLEAR = "rgba(0,0,0,0)"
SANS = "system-ui, -apple-system, 'Segoe UI', Roboto, 'Noto Sans', 'DejaVu Sans', sans-serif"
MONO = "ui-monospace, SFMono-Regular, Menlo, Consolas, 'DejaVu Sans Mono', monospace"
FONT = 12
POINTS = 20_000


@dataclass(frozen=True)
class Theme:
    """Colours that depend on the page behind the figure; the figure itself is transparent.

    ``tints`` go from nothing to much, for a value in [0, 1], and stay pale (light) or dark (dark) enough for ``ink`` on top.
    ``yes`` (two, for rounds in turn), ``no`` and ``own`` are the accepted, rejected and final marks' hues, dark or light enough for
    words; ``faint`` and ``grid`` are for lines alone.
    """

    name: Literal["light", "dark"]
    ink: str
    muted: str
    faint: str
    grid: str
    accent: str
    surface: str
    tints: tuple[str, ...]
    sequential: tuple[str, ...]
    yes: tuple[str, str]
    no: str
    own: str

    @property
    def series(self) -> tuple[str, ...]:
        """Seven hues for the series of a plot, the accent first."""
        return self.accent, ORANGE, GREEN, VERMILION, PURPLE, YELLOW, BLUE if self.accent == SKY else SKY

    @property
    def marks(self) -> tuple[str, ...]:
        """Hues for words, in turn."""
        return self.accent, self.own, self.yes[0]

    def tint(self, value: float) -> int:
        """Which of ``tints`` stands for ``value`` in [0, 1]; NaN counts as 0."""
        return sum(value >= edge for edge in TINT_EDGES)


TINT_EDGES = (0.02, 0.1, 0.3, 0.6)
_CIVIDIS = ("#00224e", "#123570", "#3b496c", "#575d6d", "#707173", "#8a8678", "#a59c74", "#c3b369", "#e1cc55", "#fee838")

LIGHT = Theme("light", ink="#1b1f24", muted="#5d646e", faint="#a9b1bb", grid="#e3e6ea", accent=BLUE, surface="#ffffff",
              tints=("#f5f7f9", "#e2eef6", "#c3dff0", "#98c9e6", "#63b0db"), sequential=_CIVIDIS,
              yes=("#00664a", "#0a8562"), no="#b54a00", own="#955f00")
DARK = Theme("dark", ink="#eceff3", muted="#a3acb7", faint="#5f6874", grid="#343a43", accent=SKY, surface="#16191d",
             tints=("#22262c", "#1d3140", "#1a4159", "#155779", "#0f6d9b"), sequential=_CIVIDIS[2:],
             yes=("#3ad0a0", "#8fe3c8"), no="#ff8a4c", own="#f2b63c")
THEMES: Mapping[str, Theme] = MappingProxyType({"light": LIGHT, "dark": DARK})


@dataclass(frozen=True)
class Mark:
    """A decision as colour, marker symbol, glyph for running text, and word."""

    color: str
    symbol: str
    glyph: str
    word: str


ACCEPTED = Mark(GREEN, "circle", "●", "accepted")
REJECTED = Mark(VERMILION, "x", "✕", "rejected")
UNTESTED = Mark(GREY, "circle-open", "○", "not tested")
FINAL = Mark(ORANGE, "star", "★", "the target's own token")


def color_scale(colors: Sequence[str]) -> list[list[float | str]]:
    """A Plotly colour scale with ``colors`` at equal distances."""
    return [[i / (len(colors) - 1), c] for i, c in enumerate(colors)]


def layout(theme: Theme, *, left: int = 56, right: int = 16, top: int = 28, bottom: int = 44, **more: Any) -> dict[str, Any]:
    """The frame of every figure: transparent, fixed margins in pixels, zoom kept over updates, no legend unless asked for."""
    frame: dict[str, Any] = {
        "font": {"family": SANS, "size": FONT, "color": theme.ink},
        "paper_bgcolor": CLEAR, "plot_bgcolor": CLEAR, "autosize": True, "uirevision": "glasshouse",
        "margin": {"l": left, "r": right, "t": top, "b": bottom, "pad": 0, "autoexpand": False},
        "hovermode": "closest", "showlegend": False, "dragmode": False,
        "hoverlabel": {"bgcolor": theme.surface, "bordercolor": theme.muted, "align": "left",
                       "font": {"family": SANS, "size": 13, "color": theme.ink}},
    }
    return frame | more


def axis(theme: Theme, title: str = "", **more: Any) -> dict[str, Any]:
    """A quiet axis: thin grid, no zero line, legible ticks.

    Labels are neither turned nor hidden by themselves: to find out whether they must be, the browser would measure each, at every picture.
    """
    plain: dict[str, Any] = {
        "tickangle": 0, "ticklabeloverflow": "allow",
        "title": {"text": title, "font": {"size": FONT, "color": theme.muted}, "standoff": 6},
        "gridcolor": theme.grid, "linecolor": theme.muted, "zeroline": False, "automargin": False, "ticks": "",
        "tickfont": {"size": FONT, "color": theme.ink},
    }
    return plain | more


def bare(**more: Any) -> dict[str, Any]:
    """An axis that is only a scale: nothing of it is drawn."""
    return {"showgrid": False, "zeroline": False, "showticklabels": False, "showline": False, "ticks": "", "title": {"text": ""},
            "automargin": False} | more


def note(text: str, x: float, y: float, theme: Theme, **more: Any) -> dict[str, Any]:
    """Words at a place of the paper, [0, 1] x [0, 1] over the plotting area. ``text`` must be escaped already."""
    place = {"text": text, "x": x, "y": y, "xref": "paper", "yref": "paper", "showarrow": False, "xanchor": "left",
             "yanchor": "bottom", "align": "left", "font": {"size": FONT, "color": theme.muted}}
    return place | more


def pattern(shape: str, theme: Theme) -> dict[str, Any]:
    """Texture over a bar's own colour: the second channel beside it."""
    return {"shape": shape, "fillmode": "overlay", "size": 6, "solidity": 0.25, "fgcolor": theme.surface, "fgopacity": 0.8}


def empty(theme: Theme, words: str) -> Figure:
    """A figure that says in plain words why there is nothing to draw."""
    middle = note(wrapped(words, 34), 0.5, 0.5, theme, xanchor="center", yanchor="middle", align="center",
                  font={"size": 13, "color": theme.muted})
    return {"data": [], "layout": layout(theme, xaxis=bare(), yaxis=bare(), annotations=[middle])}
