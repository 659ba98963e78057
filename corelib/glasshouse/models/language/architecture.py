"""Which models can be scored over a tree, and how long a context they take."""

from __future__ import annotations

from typing import Any

from torch import nn

from glasshouse.schema.errors import Unsupported, shown

ACCEPTED = ("llama", "qwen2", "qwen3", "mistral", "gpt2", "gpt_neox", "opt")

# Families that people try first, with the reason that a tree cannot be scored on them.
_RECURRENT = ("mamba", "mamba2", "falcon_mamba", "rwkv", "recurrent_gemma", "jamba", "zamba", "zamba2", "bamba",
              "granitemoehybrid", "qwen3_next", "lfm2", "nemotron_h", "minimax", "xlstm")
_WINDOWED = ("gemma2", "gemma3", "gemma3_text", "gemma3n", "gpt_oss", "cohere2", "llama4", "llama4_text", "gpt_neo")
_ENCODERS = ("bert", "roberta", "distilbert", "albert", "electra", "deberta", "deberta-v2", "mpnet", "modernbert",
             "xlm-roberta", "camembert")

_STEADY = ("default", "linear", "llama3", "yarn")
BY_LENGTH = ("dynamic", "longrope")
"""Rotary embeddings that turn by other angles once a call holds more tokens than a limit: up to there, and no further, they are functions."""


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
    elif rope_of(config) not in (*_STEADY, *BY_LENGTH):
        why = f"its rotary embedding ({rope_of(config)}) has not been verified"
    elif window_of(config) < 2:
        why = f"its context holds {window_of(config)} tokens"
    else:
        return
    given = f"{argument} = {shown(source)}" if source else argument
    raise Unsupported(f"{given} of model_type {kind!r} is not supported: {why}. Supported are {', '.join(ACCEPTED)}", argument)


def rope_of(config: Any) -> str:
    """The kind of rotary embedding; "default" also where there is none."""
    rope = getattr(config, "rope_parameters", None) or {}
    return "one for each kind of layer" if any(isinstance(v, dict) for v in rope.values()) else str(rope.get("rope_type", "default"))


def window_of(config: Any) -> int:
    """The longest context in tokens: the position table, or what is shorter: the sliding window, or the length within which a rotary
    embedding that depends on the length of the call does not change.

    Within one sliding window a sliding layer is a full one, so nothing else has to be known about it.
    """
    window = int(config.max_position_embeddings)            # GPT-2's n_positions answers to this name too
    sliding = getattr(config, "sliding_window", None)       # Qwen's configuration clears it where it is switched off
    if rope_of(config) == "longrope":
        window = min(window, int(config.rope_parameters["original_max_position_embeddings"]))
    elif rope_of(config) == "dynamic":
        window -= 1                 # a longer text of somebody else changes the angles until a call of fewer than this many tokens
    return min(window, int(sliding)) if sliding else window


def check_model(model: Any, argument: str = "model") -> None:
    """Unsupported, with the reason, unless ``model`` (of transformers) can be scored over a tree as it is."""
    check(model.config, argument)
    attention = getattr(model.config, "_attn_implementation", None)
    if model.get_output_embeddings() is None:
        why = "has no language-model head: load it with AutoModelForCausalLM"
    elif any(p.is_meta for p in model.parameters()):
        why = "has weights on the meta device, which holds no values: load them"
    elif attention not in ("sdpa", "eager"):
        why = f"with attn_implementation = {attention!r} takes no tree mask: load it with 'sdpa' or 'eager'"
    else:
        why = noise(model)
    if why:
        raise Unsupported(f"{argument} ({type(model).__name__}) {why}", argument)


def noise(model: Any) -> str:
    """Why a model in training mode is not a function of its tokens; empty where training changes nothing. No flag of it is touched."""
    for name, module in model.named_modules():
        if not module.training:
            continue
        at = f"is in training mode: {name or 'the model'} ({type(module).__name__})"
        if getattr(module, "gradient_checkpointing", False):
            return f"{at} checkpoints gradients and keeps no cache; call .eval() first"
        if isinstance(module, nn.modules.batchnorm._BatchNorm):
            return f"{at} normalises over the batch; call .eval() first"
        if (isinstance(module, nn.modules.dropout._DropoutNd) and module.p > 0) or any(
                "drop" in key and isinstance(value, float) and value > 0 for key, value in vars(module).items()):
            return f"{at} drops out at random; call .eval() first"
    return ""
