"""How single tokens are shown."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import cache
from typing import Any

from glasshouse.schema.piece import Piece

_BYTE = re.compile(r"<0x([0-9A-F]{2})>")


def pieces(tokenizer: Any, ids: Sequence[int]) -> tuple[str, ...]:
    """Display text of each token by itself, spaces kept; one whose bytes are no text alone is a :class:`Piece`, which remembers them."""
    tokens = tokenizer.convert_ids_to_tokens([int(i) for i in ids])
    added = tokenizer.get_added_vocab()
    byte_level = _is_byte_level(tokenizer)
    return tuple(_shown(token, token in added, byte_level) for token in tokens)


def _shown(token: str | None, added: bool, byte_level: bool) -> str:
    if token is None:                       # a vocabulary padded beyond the tokenizer's
        return "<unused>"
    if added:
        return token
    if byte_level:
        return _text(bytes(_byte_of()[c] for c in token))
    single = _BYTE.fullmatch(token)
    return _text(bytes([int(single[1], 16)])) if single else token.replace("▁", " ")


def _text(raw: bytes) -> str:
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError:
        return Piece(raw)


def _is_byte_level(tokenizer: Any) -> bool:
    """A byte-level vocabulary writes the space as Ġ, and every character of every token stands for one byte."""
    vocabulary = tokenizer.get_vocab()
    return "Ġ" in vocabulary and "▁" not in vocabulary


@cache
def _byte_of() -> dict[str, int]:
    """The byte-level alphabet: printable Latin-1 stands for itself, other bytes for the characters from U+0100 on."""
    printable = [*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100)]
    others = [b for b in range(256) if b not in printable]
    return {chr(b): b for b in printable} | {chr(0x100 + i): b for i, b in enumerate(others)}
