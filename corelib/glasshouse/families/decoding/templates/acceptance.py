"""Measuring which sibling is accepted: the positional acceptance vector."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import torch

from glasshouse.families.decoding.drafting.noise import log
from glasshouse.families.decoding.interface import Sampling
from glasshouse.families.decoding.sampling import checked, distribution
from glasshouse.models.language.scorer import Scorer
from glasshouse.numerics.seeds import Seeds
from glasshouse.schema.events.base import Progress

CHUNK = 32
"""Positions scored at once, so that progress is reported often enough."""


def measured_acceptance(target: Scorer, draft: Scorer, texts: Sequence[Sequence[int]], sampling: Sampling, seeds: Seeds,
                        prior: tuple[float, ...], weight: int) -> Iterator[Progress | tuple[float, ...]]:
    """a[b] averaged over every position of ``texts`` (cut to the models' windows); the last item is the vector.

    ``prior`` is a vector of the same length that counts as ``weight`` more positions, so that a few tokens do not decide alone. The
    models must be empty, and are used up. Vocabularies must be equal.
    """
    window = min(target.window, draft.window)
    texts = [text[:window] for text in texts]
    total, done, whole = weight * np.asarray(prior), 0, sum(map(len, texts))
    for text in texts:
        target.reset()
        draft.reset()
        for start in range(0, len(text), CHUNK):
            chunk = text[start:start + CHUNK]
            p, q = _next(target, "target", chunk, sampling), _next(draft, "draft", chunk, sampling.of_draft)
            u = seeds.numpy("acceptance", done).random(p.shape)
            total += sibling_acceptance(p, q, -np.log(-np.log(np.maximum(u, np.finfo(np.float64).tiny))), len(prior), sampling)
            done += len(chunk)
            yield Progress(done=done, total=whole, message="measuring which sibling is accepted")
    yield tuple((total / (weight + done)).tolist()) if weight + done else prior


def _next(scorer: Scorer, role: str, chunk: Sequence[int], sampling: Sampling) -> np.ndarray:
    """The law after each token of a chunk that goes on the text, float64 [n, V]."""
    n = len(chunk)
    logits = scorer.score(torch.tensor(chunk, dtype=torch.int64), torch.arange(-1, n - 1))
    law = distribution(checked(logits.numpy(force=True), role, scorer.calls, lambda row: scorer.length + row + 1), sampling)
    scorer.keep(range(n))
    return law


def sibling_acceptance(p: np.ndarray, q: np.ndarray, gumbel: np.ndarray, siblings: int, sampling: Sampling) -> np.ndarray:
    """Sum over positions of P(the b-th sibling is the accepted one), float64 [siblings]; p, q, gumbel float64 [n, V].

    Greedy and coupled, one token of the target is awaited: it is the b-th choice of the draft or not. Otherwise V3 given the draws
    that ``gumbel`` makes: its acceptance probabilities are summed, no uniform is drawn, which leaves less noise.
    """
    noise = 0.0 if sampling.greedy else gumbel
    order = np.argsort(-(log(q) + noise), axis=1, kind="stable")[:, :siblings]
    found = np.zeros(siblings)
    rows = np.arange(len(p))
    if sampling.greedy or sampling.coupled:
        awaited = (log(p) + noise).argmax(1)
        drawable = q[rows[:, None], order] > 0.0
        found[:order.shape[1]] = ((order == awaited[:, None]) & drawable).sum(0)
        return found
    alive, p, left = np.ones(len(p)), p.copy(), q.copy()
    for b, c in enumerate(order.T):
        mass = left.sum(1, keepdims=True)
        left /= np.where(mass > 0.0, mass, 1.0)
        drawn = left[rows, c]
        accept = np.where(drawn > 0.0, np.minimum(1.0, p[rows, c] / np.where(drawn > 0.0, drawn, 1.0)), 0.0)
        found[b] = (alive * accept).sum()
        alive *= 1.0 - accept
        residual = np.maximum(p - left, 0.0)
        mass = residual.sum(1, keepdims=True)
        p = np.where(mass > 1e-12, residual / np.where(mass > 0.0, mass, 1.0), p)
        left[rows, c] = 0.0
    return found
