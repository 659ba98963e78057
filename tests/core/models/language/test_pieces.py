"""Single tokens as text."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from core.models.language.test_loading import TEXT, write_tokenizer
from glasshouse.models.language.loading import load_tokenizer
from glasshouse.models.language.pieces import pieces


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
