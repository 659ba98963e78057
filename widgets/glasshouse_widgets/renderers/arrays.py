"""Figures as JSON: arrays in Plotly's own compact form, what is no number as null."""

from __future__ import annotations

import base64
import json
import math
from typing import Any

import numpy as np

_SMALLER = {"int64": "int32", "uint64": "uint32", "float16": "float32", "bool": "uint8"}
_CODES = {"int8": "i1", "uint8": "u1", "int16": "i2", "uint16": "u2", "int32": "i4", "uint32": "u4", "float32": "f4", "float64": "f8"}


def to_json(value: Any) -> str:
    """As text: toolkits walk through what is not, at ten times the cost."""
    try:
        return json.dumps(value, allow_nan=False, separators=(",", ":"), default=_plain)
    except ValueError:          # NaN or infinity somewhere: only then every number is looked at here
        return json.dumps(encode(value), allow_nan=False, separators=(",", ":"))


def _plain(value: Any) -> Any:
    if isinstance(value, (np.ndarray, np.generic)):
        return encode(value)
    raise TypeError(f"{type(value).__name__} has no place in a figure")


def encode(value: Any) -> Any:
    """A copy of a figure, or a part of one, that JSON can carry."""
    if isinstance(value, dict):
        return {k: encode(v) for k, v in value.items()}
    if isinstance(value, (list, tuple)):
        return [encode(v) for v in value]
    if isinstance(value, np.ndarray):
        return _array(value)
    if isinstance(value, np.generic):
        return encode(value.item())
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value


def _array(array: np.ndarray) -> Any:
    kind = _SMALLER.get(array.dtype.name, array.dtype.name)
    small = array.astype(kind) if kind in _CODES else array
    fits = kind in _CODES and array.size > 0 and 1 <= array.ndim <= 3 and (kind == array.dtype.name or bool((small == array).all()))
    if not fits:
        return encode(array.tolist())
    code = {"dtype": _CODES[kind], "bdata": base64.b64encode(np.ascontiguousarray(small).tobytes()).decode()}
    return code if array.ndim == 1 else code | {"shape": ", ".join(map(str, array.shape))}
