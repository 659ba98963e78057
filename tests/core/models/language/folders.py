"""Tiny random models on disk, laid out as the bundled pair is."""

from __future__ import annotations

from pathlib import Path

import torch

from core.models.language import tiny

TEXT = ["def f(x):\n    return x + 1\n", "# naïve café\nvalues = [1, 2, 3]\n"] * 4


def write_tokenizer(file: Path, text: list[str] = TEXT) -> None:
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers

    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    tokenizer.train_from_iterator(text, trainers.BpeTrainer(vocab_size=280, special_tokens=["<|file|>"], show_progress=False,
                                                            initial_alphabet=alphabet))
    tokenizer.save(str(file))


def write(folder: Path, *, seed: int = 0, vocabulary: int = 280, dtype: torch.dtype = torch.float16) -> None:
    """A tiny random model on disk."""
    tiny.model("llama", seed=seed, vocab_size=vocabulary).to(dtype).save_pretrained(folder)


def lay_out(root: Path) -> Path:
    """target, draft (without a tokenizer of its own) and other (with another vocabulary), beside one tokenizer."""
    write_tokenizer(root / "tokenizer.json")
    write(root / "target")
    write(root / "draft", seed=1)
    write(root / "other", seed=2, vocabulary=281)
    return root
