"""The text of single tokens, which may hold a part of a character, and of many in a row, which is the text itself."""

from __future__ import annotations

import codecs
from collections.abc import Iterable


class Piece(str):
    """How a token whose bytes are no text alone reads by itself, with escapes like ``\\xe2``. ``raw`` are its bytes."""

    raw: bytes

    def __new__(cls, raw: bytes) -> Piece:
        piece = super().__new__(cls, raw.decode("utf-8", errors="backslashreplace"))
        piece.raw = raw
        return piece

    def __reduce__(self) -> tuple[type[Piece], tuple[bytes]]:
        return type(self), (self.raw,)


def running(pieces: Iterable[str]) -> list[str]:
    """What each token adds to the text that ``pieces`` are in a row: a character stands where it is completed.

    A window that begins inside a character leaves that one out; bytes that can be no part of a text are U+FFFD.

    >>> running(["Gr", Piece(b"\\xc3"), Piece(b"\\xb6"), "ße"])
    ['Gr', '', 'ö', 'ße']
    """
    decoder = codecs.getincrementaldecoder("utf-8")("replace")
    found, begun = [], False
    for piece in pieces:
        raw = piece.raw if isinstance(piece, Piece) else piece.encode("utf-8", errors="replace")
        if not begun:
            raw = raw.lstrip(bytes(range(0x80, 0xC0)))          # the end of a character whose beginning is not here
            begun = bool(raw)
        found.append(decoder.decode(raw))
    return found
