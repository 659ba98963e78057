from __future__ import annotations

import html

import pytest
from hypothesis import given
from hypothesis import strategies as st

from glasshouse_widgets.figures import tokens


@given(st.text())
def test_escaped_text_holds_no_markup_and_reads_back(text: str) -> None:
    safe = tokens.escaped(text)
    assert not set("<>$") & set(safe)
    assert html.unescape(safe) == html.unescape(html.escape(text, quote=False))


@pytest.mark.parametrize(("piece", "shown"), [
    (" a", "␣a"), ("\n", "⏎"), ("\t\t", "⇥⇥"), ("        ", "␣×8"), ("   x", "␣␣␣x"), ("\n\n", "⏎⏎"), ("", "∅"), ("\x00", "U+0000"),
    ("héé", "héé"), ("\r\n", "␍⏎"),
])
def test_blanks_are_seen(piece: str, shown: str) -> None:
    assert tokens.visible(piece) == shown


@given(st.text(), st.integers(1, 30), st.booleans())
def test_cut_never_exceeds(text: str, most: int, keep_end: bool) -> None:
    short = tokens.cut(text, most, keep_end=keep_end)
    assert tokens.across(short) <= most
    if tokens.across(text) <= most:
        assert short == text
    elif most > 1:
        assert (text.endswith(short[1:]) and short[0] == "…") if keep_end else (text.startswith(short[:-1]) and short[-1] == "…")


def test_wrapped_lines_fit_and_are_escaped() -> None:
    lines = tokens.wrapped("rejected because <b> & " + "x" * 50, 20).split("<br>")
    assert all(len(html.unescape(line)) <= 20 for line in lines)
    assert "<b>" not in "".join(lines)
