"""Tiny random models of every accepted architecture, decided enough that a wrong mask or position shows."""

from __future__ import annotations

from functools import cache
from typing import Any

import torch

VOCABULARY = 97
SHAPE = {"vocab_size": VOCABULARY, "hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 4,
         "max_position_embeddings": 64, "bos_token_id": 0, "eos_token_id": 0, "pad_token_id": None}
GROUPED = SHAPE | {"num_key_value_heads": 2, "intermediate_size": 48}
FAMILIES = ("llama", "qwen2", "qwen3", "mistral", "gpt2", "gpt_neox", "opt")
LEAN = ("llama", "qwen2", "qwen3", "mistral")


def config(family: str) -> Any:
    import transformers as t

    if family == "llama":
        return t.LlamaConfig(**GROUPED, tie_word_embeddings=True)
    if family == "qwen2":
        return t.Qwen2Config(**GROUPED)
    if family == "qwen3":
        return t.Qwen3Config(**GROUPED, head_dim=16)
    if family == "mistral":
        return t.MistralConfig(**GROUPED, sliding_window=24)
    if family == "gpt2":
        return t.GPT2Config(vocab_size=VOCABULARY, n_embd=32, n_layer=2, n_head=4, n_positions=64)
    if family == "gpt_neox":
        return t.GPTNeoXConfig(**SHAPE, intermediate_size=48)
    return t.OPTConfig(**SHAPE | {"pad_token_id": 1}, ffn_dim=48, word_embed_proj_dim=32)


def model(family: str = "llama", attention: str = "sdpa", seed: int = 0, **changes: Any) -> Any:
    """Random float32 weights, matrices scaled so that logits spread and attention is far from uniform."""
    from transformers import AutoModelForCausalLM

    torch.manual_seed(seed)
    shape = config(family)
    for name, value in changes.items():
        setattr(shape, name, value)
    built = AutoModelForCausalLM.from_config(shape, attn_implementation=attention).eval()
    with torch.no_grad():
        for weight in built.parameters():
            if weight.ndim == 2:
                weight *= 6.0
            else:
                weight += 0.3 * torch.randn(weight.shape)       # gains of 1 and biases of 0 would hide a forgotten one
    return built


@cache
def shared(family: str, attention: str = "sdpa") -> Any:
    """As :func:`model`, built once: for tests that change nothing."""
    return model(family, attention)
