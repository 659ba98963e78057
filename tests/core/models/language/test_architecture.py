"""Which architectures are taken, and the reason where they are not."""

from __future__ import annotations

from typing import Any

import pytest

from core.models.language import tiny
from glasshouse.models.language import architecture
from glasshouse.schema.errors import Unsupported


@pytest.mark.parametrize("family", tiny.FAMILIES)
def test_accepted(family: str) -> None:
    architecture.check(tiny.config(family))


@pytest.mark.parametrize(("name", "why"), [
    ("BertConfig", "encoder"), ("T5Config", "encoder-decoder"), ("MambaConfig", "recurrent"), ("Gemma2Config", "sliding"),
    ("BloomConfig", "not been verified")])
def test_refused_with_the_reason(name: str, why: str) -> None:
    import transformers

    with pytest.raises(Unsupported, match=why) as caught:
        architecture.check(getattr(transformers, name)())
    assert "llama" in str(caught.value)
    assert caught.value.argument == "model"


def windows() -> list[tuple[Any, int]]:
    import transformers as t

    return [(tiny.config("llama"), 64), (tiny.config("gpt2"), 64), (tiny.config("mistral"), 24),
            (t.MistralConfig(max_position_embeddings=100, sliding_window=None), 100),
            (t.MistralConfig(max_position_embeddings=100, sliding_window=4096), 100),
            (t.Qwen2Config(max_position_embeddings=100, use_sliding_window=True, sliding_window=30), 30),
            (t.Qwen2Config(max_position_embeddings=100, use_sliding_window=False, sliding_window=30), 100)]


@pytest.mark.parametrize(("config", "window"), windows())
def test_window(config: Any, window: int) -> None:
    assert architecture.window_of(config) == window
