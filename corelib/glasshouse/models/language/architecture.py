"""Which models can be scored over a tree, and how long a context they take."""

from __future__ import annotations

from typing import Any

from glasshouse.schema.errors import Unsupported, shown

ACCEPTED = ("llama", "qwen2", "qwen3", "mistral", "gpt2", "gpt_neox", "opt")

# Families that people try first, with the reason that a tree cannot be scored on them.
_RECURRENT = ("mamba", "mamba2", "falcon_mamba", "rwkv", "recurrent_gemma", "jamba", "zamba", "zamba2", "bamba",
              "granitemoehybrid", "qwen3_next", "lfm2", "nemotron_h", "minimax", "xlstm")
_WINDOWED = ("gemma2", "gemma3", "gemma3_text", "gemma3n", "gpt_oss", "cohere2", "llama4", "llama4_text", "gpt_neo")
_ENCODERS = ("bert", "roberta", "distilbert", "albert", "electra", "deberta", "deberta-v2", "mpnet", "modernbert",
             "xlm-roberta", "camembert")


def check(config: Any, argument: str = "model", source: str = "") -> None:
    """Unsupported, with the reason, unless ``config`` (of transformers) is of an accepted causal architecture.

    ``argument`` and ``source`` say in the message where it came from.
    """
    kind = getattr(config, "model_type", "")
    if getattr(config, "is_encoder_decoder", False):
        why = "it is an encoder-decoder"
    elif kind in _ENCODERS:
        why = "it is an encoder: it predicts no next token"
    elif kind in _RECURRENT:
        why = "its recurrent (linear attention, state space) layers keep a state that a tree of tokens cannot share"
    elif kind in _WINDOWED:
        why = "its layers alternate sliding windows with full attention, which a tree mask does not describe"
    elif kind not in ACCEPTED:
        why = "its attention over a tree has not been verified"
    elif window_of(config) < 2:
        why = f"its context holds {window_of(config)} tokens"
    else:
        return
    given = f"{argument} = {shown(source)}" if source else argument
    raise Unsupported(f"{given} of model_type {kind!r} is not supported: {why}. Supported are {', '.join(ACCEPTED)}", argument)


def window_of(config: Any) -> int:
    """The longest context in tokens: the position table, or the sliding window where that is shorter.

    Within one sliding window a sliding layer is a full one, so nothing else has to be known about it.
    """
    window = int(config.max_position_embeddings)            # GPT-2's n_positions answers to this name too
    sliding = getattr(config, "sliding_window", None)       # Qwen's configuration clears it where it is switched off
    return min(window, int(sliding)) if sliding else window
