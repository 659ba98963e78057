"""How the text of a token is shown: never as markup, blanks made visible, long ones cut."""

from __future__ import annotations

import textwrap
import unicodedata

_SIGNS = {"\n": "⏎", "\t": "⇥", "\r": "␍"}
# Plotly reads a few tags and entities, and TeX between dollars; each of these characters is written as an entity instead.
_ENTITIES = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;", "$": "&#36;"})


def escaped(text: str) -> str:
    """``text`` such that Plotly draws exactly these characters."""
    return text.translate(_ENTITIES)


def visible(piece: str) -> str:
    """``piece`` with blanks as signs: ␣ ⏎ ⇥; a run of four or more is written once with its length; other controls as code points."""
    found: list[str] = []
    i = 0
    while i < len(piece):
        c = piece[i]
        run = len(piece[i:]) - len(piece[i:].lstrip(c)) if c in " \n\t" else 1
        sign = "␣" if c == " " else _SIGNS.get(c) or (c if c.isprintable() else f"U+{ord(c):04X}")
        found.append(f"{sign}×{run}" if run >= 4 else sign * run)
        i += run
    return "".join(found) or "∅"


def across(text: str) -> int:
    """How many letters of equal widths ``text`` is wide: characters of East Asia and emoji take two, combining marks none."""
    return len(text) if text.isascii() else sum(map(_wide, text))


def fitting(text: str, room: int) -> int:
    """How many characters of ``text`` fit into ``room`` columns."""
    if text.isascii():
        return min(len(text), max(room, 0))
    for i, c in enumerate(text):
        room -= _wide(c)
        if room < 0:
            return i
    return len(text)


def _wide(c: str) -> int:
    return 0 if unicodedata.combining(c) else 2 if unicodedata.east_asian_width(c) in "WF" else 1


def cut(text: str, most: int, *, keep_end: bool = False) -> str:
    """``text`` shortened to ``most`` columns with an ellipsis; ``keep_end`` drops its beginning instead of its end."""
    if across(text) <= most:
        return text
    if keep_end:
        return "…" + text[len(text) - fitting(text[::-1], most - 1):]
    return text[:fitting(text, most - 1)] + "…"


def wrapped(text: str, width: int) -> str:
    """Escaped ``text`` broken into lines of at most ``width`` characters."""
    return "<br>".join(escaped(line) for line in textwrap.wrap(text, width, break_long_words=True, break_on_hyphens=False))
