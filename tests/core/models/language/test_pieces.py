"""Single tokens as text."""

from __future__ import annotations

import pickle
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.models.language.test_loading import TEXT, write_tokenizer
from glasshouse import assets
from glasshouse.models.language.loading import load_tokenizer
from glasshouse.models.language.pieces import pieces
from glasshouse.schema.piece import Piece, running


@pytest.fixture(scope="module")
def tokenizer(tmp_path_factory: pytest.TempPathFactory) -> Any:
    folder = tmp_path_factory.mktemp("tokenizer")
    write_tokenizer(folder / "tokenizer.json")
    return load_tokenizer(folder)


def test_pieces_of_ascii_text_join_to_the_text(tokenizer: Any) -> None:
    text = "def f(x):\n\treturn  x\n"
    ids = tokenizer.encode(text)
    shown = pieces(tokenizer, ids)
    assert len(shown) == len(ids)
    assert "".join(shown) == text


def test_every_token_is_its_bytes_or_their_escapes(tokenizer: Any) -> None:
    shown = pieces(tokenizer, range(280))
    assert shown[0] == "<|file|>"
    assert all(piece and "\ufffd" not in piece for piece in shown)
    euro = tokenizer.encode("€")
    assert "".join(pieces(tokenizer, euro)) == "\\xe2\\x82\\xac", "three tokens of one byte each"
    assert "é" in "".join(pieces(tokenizer, tokenizer.encode(TEXT[1]))), "bytes that were merged into a character"


def test_a_vocabulary_padded_beyond_the_tokenizer(tokenizer: Any) -> None:
    assert pieces(tokenizer, [len(tokenizer.get_vocab()) + 5]) == ("<unused>",)


def test_a_sentencepiece_style_vocabulary(tmp_path: Path) -> None:
    from tokenizers import Tokenizer, models
    from transformers import PreTrainedTokenizerFast

    words = {"<unk>": 0, "▁def": 1, "x": 2, "<0xE2>": 3, "<0x0A>": 4, "▁": 5}
    Tokenizer(models.WordLevel(words, unk_token="<unk>")).save(str(tmp_path / "t.json"))
    tokenizer = PreTrainedTokenizerFast(tokenizer_file=str(tmp_path / "t.json"))
    assert pieces(tokenizer, [1, 2, 3, 4, 5]) == (" def", "x", "\\xe2", "\n", " ")


MIXED = "Größe 数据 🙂 = naïve\n\tπ² → é"


@pytest.mark.parametrize("text", [MIXED, "🙂🙂", "ß", "plain"])
def test_a_running_text_is_the_text_whatever_the_tokens_are(tokenizer: Any, text: str) -> None:
    """The tokenizer of the test, then every byte its own token: most tokens hold a part of a character."""
    for shown in (pieces(tokenizer, tokenizer.encode(text)), tuple(map(alone, (bytes([b]) for b in text.encode())))):
        assert "".join(running(shown)) == text
        for end in range(len(shown)):
            assert text.startswith("".join(running(shown[:end])))       # nothing is said too early
            assert text.endswith("".join(running(shown[end:])))         # a window never begins with a broken character


def test_a_running_text_by_the_bundled_tokenizer() -> None:
    bundled = load_tokenizer(assets.path("models", "python-stdlib"))
    shown = pieces(bundled, bundled.encode(MIXED))
    assert any(isinstance(piece, Piece) for piece in shown), "no character is cut: this text proves nothing"
    assert "".join(running(shown)) == MIXED == bundled.decode(bundled.encode(MIXED))
    assert "\\x" in "".join(shown)                                      # but each by itself is escaped


def alone(raw: bytes) -> str:
    try:
        return raw.decode()
    except UnicodeDecodeError:
        return Piece(raw)


@given(st.text(max_size=30), st.lists(st.integers(0, 120), max_size=20))
def test_cut_anywhere_the_running_text_is_the_text(text: str, cuts: list[int]) -> None:
    raw = text.encode()
    edges = [0, *sorted(c for c in cuts if c < len(raw)), len(raw)]
    assert "".join(running(alone(raw[a:b]) for a, b in pairwise(edges))) == text


def test_a_piece_travels_with_its_bytes() -> None:
    piece = pickle.loads(pickle.dumps(Piece(b"\xe6\x95")))
    assert (piece, piece.raw) == ("\\xe6\\x95", b"\xe6\x95")
    assert running(["\\xe6", piece, Piece(b"\xb0")]) == ["\\xe6", "", "数"]     # what a text says of itself is left alone
    assert running(["a", Piece(b"\xe6"), "b"]) == ["a", "", "\ufffdb"]
