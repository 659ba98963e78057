"""Drawing guesses from q by adding Gumbel noise to log q.

The arg-max of log q + Gumbel is one draw from q; the k largest, in falling order, are k sequential draws without
replacement. So one perturbed row serves every method, and three kinds of noise serve every mode of sampling: none (greedy: the
k most likely), one row per text position shared with the target (coupled), or a fresh row per node.
"""

from __future__ import annotations

import numpy as np

from glasshouse.families.decoding.interface import Context
from glasshouse.numerics.seeds import Seeds


def gumbel_row(seeds: Seeds, size: int, purpose: str, *position: int) -> np.ndarray:
    """Standard Gumbel noise, float64 [size]. In float32 the noise would be capped near 16.6 and the law distorted."""
    u = seeds.numpy(purpose, *position).random(size)
    return np.asarray(-np.log(-np.log(np.maximum(u, np.finfo(np.float64).tiny))))


def shared(seeds: Seeds, size: int, position: int) -> np.ndarray:
    """The row that target and draft share for the token at text ``position``, in the coupled mode."""
    return gumbel_row(seeds, size, "shared", position)


def gumbel(context: Context, depth: int, node: int, draw: int = 0) -> np.ndarray | float:
    """Noise for the children of tree ``node`` at ``depth``, float64 [V], or 0.0 when greedy. ``draw`` numbers independent rows."""
    if context.sampling.greedy:
        return 0.0
    if context.sampling.coupled:
        return shared(context.seeds, context.vocab_size, context.position + depth)
    return gumbel_row(context.seeds, context.vocab_size, "draft", context.position, node, draw)


def _top(score: np.ndarray, k: int) -> np.ndarray:
    """Indices of the k largest finite scores, falling; ties by smaller index."""
    k = min(k, int(np.isfinite(score).sum()))
    if k == 1:
        return np.asarray([score.argmax()])
    best = np.argpartition(-score, k - 1)[:k] if k < len(score) else np.arange(len(score))
    return np.asarray(best[np.lexsort((best, -score[best]))][:k])


def log(q: np.ndarray) -> np.ndarray:
    """log q with -inf for 0, without a warning."""
    with np.errstate(divide="ignore"):
        return np.asarray(np.log(q))


def without_replacement(q: np.ndarray, k: int, context: Context, depth: int, node: int) -> tuple[np.ndarray, np.ndarray]:
    """k sequential draws without replacement from q [V]: (tokens [<= k], their perturbed scores), in draw order."""
    score = log(q) + gumbel(context, depth, node)
    tokens = _top(score, k)
    return tokens, score[tokens]


def with_replacement(q: np.ndarray, k: int, context: Context, depth: int, node: int) -> np.ndarray:
    """k independent draws from q [V], int64 [k]. Greedy or coupled, where draws would all be equal: the k best."""
    if context.sampling.greedy or context.sampling.coupled:
        return without_replacement(q, k, context, depth, node)[0]
    base = log(q)
    return np.asarray([int((base + gumbel(context, depth, node, draw)).argmax()) for draw in range(k)])
