"""The weights of a Llama-type model, rearranged so that a forward needs few operations."""

from __future__ import annotations

import importlib
import math
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import torch
from torch import Tensor, nn

from glasshouse.models.language import architecture
from glasshouse.models.language.matrix import Matrix
from glasshouse.models.language.stock import changed

LEAN_TYPES = ("llama", "mistral", "qwen2", "qwen3")
# Above this size the arithmetic hides every saved operation, and a second copy of the weights costs memory.
MOST_PARAMETERS = 300_000_000


@dataclass(frozen=True)
class PackedLayer:
    """One decoder layer; norm gains and the softmax scale are multiplied into the matrices."""

    qkv: Matrix                             # width -> (h + 2 h_kv) d, query and key rows interleaved for the rotation
    head_gain: Tensor | None                # [h + h_kv, d]: Qwen3 normalises queries and keys head by head
    out: Matrix                             # h d -> width
    gate_up: Matrix                         # width -> 2 ff
    down: Matrix                            # ff -> width


@dataclass(frozen=True)
class PackedWeights:
    """A whole model. ``frequency`` float32 [d / 2] and ``rotary_gain`` are the rotary embedding's own."""

    embedding: Tensor
    layers: tuple[PackedLayer, ...]
    head: Matrix                            # width -> V, the final norm's gain multiplied in
    heads: int
    kv_heads: int
    head_dim: int
    width: int
    feed_forward: int
    epsilon: float
    frequency: Tensor
    rotary_gain: float
    vocab_size: int
    window: int


def why_not(model: Any) -> str:
    """The reason why the lean forward is not this model's own function; empty where by its structure it is."""
    config = model.config
    if config.model_type not in LEAN_TYPES:
        return f"model_type {config.model_type} is not one of {', '.join(LEAN_TYPES)}"
    if reason := changed(model):
        return reason
    parameters = list(model.parameters())
    if {p.dtype for p in parameters} != {torch.float32}:
        return "its parameters are not all float32"
    if len({p.device for p in parameters}) != 1:
        return "it lies on several devices"
    if sum(p.numel() for p in parameters) > MOST_PARAMETERS:
        return f"it has more than {MOST_PARAMETERS} parameters"
    if config.hidden_act != "silu":
        return f"its activation is {config.hidden_act}"
    return _why_not_parts(model) or _why_not_shape(model)


def _why_not_parts(model: Any) -> str:
    """Every module has the class that the lean forward computes, and there is no module more or less."""
    expected = _parts(model.config.model_type, model.config.num_hidden_layers)
    found = {name: type(module) for name, module in model.named_modules()}
    if found == expected:
        return ""
    name = next(n for n in [*found, *expected] if found.get(n) is not expected.get(n))
    there, wanted = (parts[name].__name__ if name in parts else "nothing" for parts in (found, expected))
    return f"{name or 'the model'} is {there} where {wanted} is expected"


@lru_cache(maxsize=16)
def _parts(model_type: str, layers: int) -> dict[str, type]:
    from transformers.activations import ACT2FN

    modeling = importlib.import_module(f"transformers.models.{model_type}.modeling_{model_type}")
    named = {part: getattr(modeling, model_type.capitalize() + part) for part in ("ForCausalLM", "Model", "DecoderLayer", "Attention", "MLP",
                                                                                "RMSNorm", "RotaryEmbedding")}
    norm, linear = named["RMSNorm"], nn.Linear
    layer = {"": named["DecoderLayer"], ".self_attn": named["Attention"], ".mlp": named["MLP"], ".mlp.act_fn": type(ACT2FN["silu"]),
             ".input_layernorm": norm, ".post_attention_layernorm": norm,
             **{f".self_attn.{which}_proj": linear for which in "qkvo"}, **{f".mlp.{which}_proj": linear for which in ("gate", "up", "down")}}
    if model_type == "qwen3":
        layer |= {".self_attn.q_norm": norm, ".self_attn.k_norm": norm}
    parts = {"": named["ForCausalLM"], "model": named["Model"], "model.embed_tokens": nn.Embedding, "model.layers": nn.ModuleList,
             "model.norm": norm, "model.rotary_emb": named["RotaryEmbedding"], "lm_head": linear}
    return parts | {f"model.layers.{i}{part}": kind for i in range(layers) for part, kind in layer.items()}


def _why_not_shape(model: Any) -> str:
    config, core = model.config, model.model
    d = core.layers[0].self_attn.head_dim
    for layer in core.layers:
        attention, mlp = layer.self_attn, layer.mlp
        qkv = attention.q_proj, attention.k_proj, attention.v_proj
        biased = attention.o_proj, mlp.gate_proj, mlp.up_proj, mlp.down_proj, model.lm_head
        if any(linear.bias is not None for linear in biased) or len({linear.bias is None for linear in qkv}) > 1:
            return "it has biases outside of the query, key and value, or not in all three of them"
        heads = config.num_attention_heads, config.num_key_value_heads, config.num_key_value_heads
        if attention.head_dim != d or [len(linear.weight) for linear in qkv] != [h * d for h in heads]:
            return "its heads are not of the size that its configuration says"
    if len({m.variance_epsilon for m in core.modules() if hasattr(m, "variance_epsilon")}) != 1:
        return "its norms have several epsilons"
    if core.embed_tokens.max_norm is not None:
        return "its embedding renormalises"
    rope = config.rope_parameters.get("rope_type", "default")
    if rope in architecture.BY_LENGTH:
        return f"its rotary embedding ({rope}) depends on the length of the text"
    if 2 * core.rotary_emb.inv_freq.numel() != d:
        return "it rotates only a part of each head"
    return ""


def pack(model: Any) -> PackedWeights:
    """A rearranged copy of the weights (the embedding is shared); later changes of the model do not reach it."""
    config, core = model.config, model.model
    attention = core.layers[0].self_attn
    with torch.no_grad():
        layers = tuple(_pack_layer(layer, config) for layer in core.layers)
        head = _gained(model.lm_head.weight, core.norm)
    return PackedWeights(
        embedding=core.embed_tokens.weight.detach(), layers=layers, head=head,
        heads=config.num_attention_heads, kv_heads=config.num_key_value_heads, head_dim=attention.head_dim,
        width=config.hidden_size, feed_forward=config.intermediate_size, epsilon=core.norm.variance_epsilon,
        frequency=core.rotary_emb.inv_freq.detach().float(), rotary_gain=float(core.rotary_emb.attention_scaling),
        vocab_size=config.vocab_size, window=architecture.window_of(config))


def _gained(weight: Tensor, norm: Any, bias: Tensor | None = None) -> Matrix:
    """With the norm's gain, and the sqrt(width) between a vector's length and its root mean square."""
    return Matrix(weight * (norm.weight * math.sqrt(weight.shape[1])), bias)


def _interleaved(rows: Tensor, head_dim: int) -> Tensor:
    """Move the pairs (i, i + d / 2) that rotary embedding turns together side by side, where complex numbers want them.

    Products of queries and keys do not notice: both are permuted alike.
    """
    return rows.view(-1, 2, head_dim // 2, *rows.shape[1:]).transpose(1, 2).flatten(0, 2)


def _pack_layer(layer: Any, config: Any) -> PackedLayer:
    attention, mlp, d = layer.self_attn, layer.mlp, layer.self_attn.head_dim
    scale, normed = attention.scaling, hasattr(attention, "q_norm")
    q, k, v = attention.q_proj, attention.k_proj, attention.v_proj
    # A head-wise norm would undo a scale multiplied into the query matrix, so there it goes into the norm's gain.
    q_scale = 1.0 if normed else scale
    qkv = torch.cat([_interleaved(q.weight, d) * q_scale, _interleaved(k.weight, d), v.weight])
    bias = None
    if q.bias is not None:
        bias = torch.cat([_interleaved(q.bias, d) * q_scale, _interleaved(k.bias, d), v.bias])
    head_gain = None
    if normed:
        q_gain, k_gain = (_interleaved(n.weight, d) * math.sqrt(d) for n in (attention.q_norm, attention.k_norm))
        head_gain = torch.cat([(q_gain * scale).expand(config.num_attention_heads, d),
                               k_gain.expand(config.num_key_value_heads, d)])
    return PackedLayer(
        qkv=_gained(qkv, layer.input_layernorm, bias), head_gain=head_gain, out=Matrix(attention.o_proj.weight),
        gate_up=_gained(torch.cat([mlp.gate_proj.weight, mlp.up_proj.weight]), layer.post_attention_layernorm),
        down=Matrix(mlp.down_proj.weight))
