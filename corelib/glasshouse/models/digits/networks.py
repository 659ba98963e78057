"""Small ReLU networks in NumPy: what they say of a point, and which way the point would have to move.

A convolution of an 8 x 8 image is a matrix like any other layer, and no larger: it is unrolled when it is read.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Literal, get_args

import numpy as np
from scipy.special import softmax

from glasshouse import assets
from glasshouse.schema.errors import bad_value

Name = Literal["clean", "noise25", "noise50", "noise50long", "ibp10", "conv", "conv50", "convibp10"]
STRIDE, PADDING, SIDE = 2, 1, 8          # of every convolution; of the image
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
        probabilities: np.ndarray = softmax(self.logits(x), axis=1)
        return probabilities

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


@lru_cache(maxsize=len(NAMES))
def load_network(name: str) -> Network:
    """A bundled network by its name in ``data/models/digits-networks``. The arrays are not to be written to.

    Raises: BadValue for another name; Unsupported where the data is absent.
    """
    from safetensors.numpy import load_file

    if name not in NAMES:
        raise bad_value("network", name, "one of " + ", ".join(NAMES))
    tensors = load_file(assets.path("models", "digits-networks", f"{name}.safetensors"))
    weights, biases, side = [], [], SIDE
    for i in range(len(tensors) // 2):
        weight, bias = tensors[f"{i}.weight"], tensors[f"{i}.bias"]
        if weight.ndim == 4:
            weight, side = unrolled(weight, side)
            bias = np.repeat(bias, side * side)
        weights.append(weight)
        biases.append(bias)
    for array in (*weights, *biases):
        array.setflags(write=False)
    return Network(tuple(weights), tuple(biases))


def unrolled(kernel: np.ndarray, side: int) -> tuple[np.ndarray, int]:
    """The matrix float32 [out * s * s, in * side * side] of a convolution of images ``side`` x ``side``, and the side s of what it gives.

    ``kernel`` float32 [out, in, h, w], applied with stride 2 and padding 1.
    """
    outs, ins, height, width = kernel.shape
    small = (side + 2 * PADDING - height) // STRIDE + 1
    matrix = np.zeros((outs, small, small, ins, side, side), np.float32)
    for row, column, i, j in np.ndindex(small, small, height, width):
        y, x = STRIDE * row + i - PADDING, STRIDE * column + j - PADDING
        if 0 <= y < side and 0 <= x < side:
            matrix[:, row, column, :, y, x] = kernel[:, :, i, j]
    return matrix.reshape(outs * small * small, ins * side * side), small
