"""Drawing guesses from q by adding Gumbel noise to log q.

The arg-max of log q + Gumbel is one draw from q; the k largest, in falling order, are k sequential draws without
replacement. So one perturbed row serves every method, and three kinds of noise serve every mode of sampling: none (greedy: the
k most likely), one row per text position shared with the target (coupled), or a fresh row per node.
"""

from __future__ import annotations

import numpy as np

from glasshouse.families.decoding.interface import Context
from glasshouse.families.decoding.sampling import inverse_cdf
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


def top(score: np.ndarray, k: int) -> np.ndarray:
    """Indices of the k largest finite scores, falling; ties by smaller index. int64 [<= k]."""
    k = min(k, int(np.isfinite(score).sum()))
    if k == 1:
        return np.asarray([score.argmax()])
    # Partitioning alone would settle a tie at the edge by accident.
    best = np.flatnonzero(score >= np.partition(score, -k)[-k]) if 0 < k < len(score) else np.arange(len(score))
    return np.asarray(best[np.argsort(-score[best], kind="stable")[:k]])


def log(q: np.ndarray) -> np.ndarray:
    """log q with -inf for 0, without a warning."""
    with np.errstate(divide="ignore"):
        return np.asarray(np.log(q))


def without_replacement(q: np.ndarray, k: int, context: Context, depth: int, node: int) -> tuple[np.ndarray, np.ndarray]:
    """k sequential draws without replacement from q [V]: (tokens [<= k], their perturbed scores), in draw order."""
    if context.sampling.greedy:
        tokens = top(np.where(q > 0.0, q, -np.inf), k)
        return tokens, np.log(q[tokens])
    score = log(q) + gumbel(context, depth, node)
    tokens = top(score, k)
    return tokens, score[tokens]


def one(q: np.ndarray, context: Context, depth: int, node: int, draw: int = 0) -> int:
    """One draw from q [V]; greedy, the likeliest. Where no noise is shared it is found by inverse CDF, from one number instead of V."""
    if context.sampling.greedy:
        return int(q.argmax())
    if context.sampling.coupled:
        return int((log(q) + gumbel(context, depth, node)).argmax())
    return inverse_cdf(q, context.seeds.uniform("draft", context.position, node, draw))


def with_replacement(q: np.ndarray, k: int, context: Context, depth: int, node: int) -> np.ndarray:
    """k independent draws from q [V], int64 [k]. Greedy or coupled, where draws would all be equal: the k best."""
    if context.sampling.greedy or context.sampling.coupled:
        return without_replacement(q, k, context, depth, node)[0]
    return np.asarray([one(q, context, depth, node, draw) for draw in range(k)])
