"""A multilayer perceptron in NumPy: what it says of a point, and which way the point would have to move."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Literal, get_args

import numpy as np

from glasshouse import assets
from glasshouse.schema.errors import bad_value

Name = Literal["clean", "noise25", "noise50", "noise50long", "ibp10"]
NAMES: tuple[str, ...] = get_args(Name)


@dataclass(frozen=True, eq=False)
class Network:
    """Linear layers with ReLU between. ``weights`` float32 [out, in] and ``biases`` float32 [out], from the input on."""

    weights: tuple[np.ndarray, ...]
    biases: tuple[np.ndarray, ...]

    def features(self, x: np.ndarray) -> np.ndarray:
        """What the last layer reads, float32 [n, width], for ``x`` float32 [n, inputs]."""
        for weight, bias in zip(self.weights[:-1], self.biases[:-1], strict=True):
            x = x @ weight.T
            x += bias
            np.maximum(x, 0, out=x)
        return x

    def logits(self, x: np.ndarray) -> np.ndarray:
        """float32 [n, K]."""
        found: np.ndarray = self.features(x) @ self.weights[-1].T
        found += self.biases[-1]
        return found

    def probabilities(self, x: np.ndarray) -> np.ndarray:
        """softmax(logits), float32 [n, K]."""
        return softmax(self.logits(x))

    def pullback(self, x: np.ndarray) -> tuple[np.ndarray, Callable[[np.ndarray], np.ndarray]]:
        """(logits [n, K], the map from a gradient at the logits [n, K] to the gradient at x [n, inputs])."""
        active: list[np.ndarray] = []
        for weight, bias in zip(self.weights[:-1], self.biases[:-1], strict=True):
            x = x @ weight.T
            x += bias
            active.append(x > 0)
            x *= active[-1]

        def back(gradient: np.ndarray) -> np.ndarray:
            for weight, on in zip(self.weights[:0:-1], active[::-1], strict=True):
                gradient = gradient @ weight
                gradient *= on
            moved: np.ndarray = gradient @ self.weights[0]
            return moved

        return x @ self.weights[-1].T + self.biases[-1], back

    def with_head(self, weight: np.ndarray, bias: np.ndarray) -> Network:
        """The same network with another last layer."""
        return replace(self, weights=(*self.weights[:-1], weight), biases=(*self.biases[:-1], bias))


def softmax(logits: np.ndarray) -> np.ndarray:
    """Over the last axis."""
    raised: np.ndarray = np.exp(logits - logits.max(axis=-1, keepdims=True))
    raised /= raised.sum(axis=-1, keepdims=True)
    return raised


@lru_cache(maxsize=len(NAMES))
def load_network(name: str) -> Network:
    """A bundled network by its name in ``data/models/digits-networks``. The arrays are not to be written to.

    Raises: BadValue for another name; Unsupported where the data is absent.
    """
    from safetensors.numpy import load_file

    if name not in NAMES:
        raise bad_value("network", name, "one of " + ", ".join(NAMES))
    tensors = load_file(assets.path("models", "digits-networks", f"{name}.safetensors"))
    for tensor in tensors.values():
        tensor.setflags(write=False)
    layers = range(len(tensors) // 2)
    return Network(tuple(tensors[f"{i}.weight"] for i in layers), tuple(tensors[f"{i}.bias"] for i in layers))
