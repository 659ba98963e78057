"""What people hand over in place of a prompt's numbers: each gets its own sentence, before anything is loaded."""

from __future__ import annotations

from typing import Any

import pytest
from tokenizers import Tokenizer
from tokenizers.models import WordLevel
from transformers import BatchEncoding

import glasshouse as gh
from glasshouse.families.decoding import generate
from glasshouse.families.decoding.problems import OwnModels, Python
from glasshouse.schema.build import build
from glasshouse.schema.errors import BadType, BadValue

WHOLE = Tokenizer(WordLevel({"a": 0, "b": 1}, "a"))


@pytest.mark.parametrize(("given", "words"), [
    (BatchEncoding({"input_ids": [[1]], "attention_mask": [[1]]}), r"whole output \(BatchEncoding of input_ids, attention_mask\).*\[.input_ids.\]"),
    ({"input_ids": [1]}, "whole output"), (WHOLE.encode("a"), r"whole output \(Encoding\): give its .ids"),
    ({"ids": [1]}, "without an entry input_ids"),
    ("a b", "tokenize it first"), (b"a b", "tokenize it first"), ([0.5], "float64"), ([[0], [1]], "one text at a time")])
def test_input_ids(given: Any, words: str) -> None:
    with pytest.raises(BadType, match=words) as refused:
        generate("no/such/model", given)
    assert refused.value.argument == "input_ids"


@pytest.mark.parametrize("cls", [Python, OwnModels])
def test_half_a_character_in_a_prompt(cls: type) -> None:
    with pytest.raises(BadValue, match=r"text holds '\\ud83d' at character 3, half of a character") as refused:
        build(cls, {"text": "ab\ud83d"})
    assert refused.value.argument == "text"
    assert str(refused.value).encode()                          # the message itself can be printed
    with pytest.raises(BadValue, match="half of a character"):
        gh.open("decoding.dyspec", problem="python", text="\udce9t\udce9")
    assert build(cls, {"text": "ab\U0001f600"}).text == "ab\U0001f600"
