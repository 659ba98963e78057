"""A scorer tried against the model's own forward, path by path, before it is trusted."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from glasshouse.models.language.scorer import Scorer, extend

LENGTH = 5
"""Tokens of the longest path that is tried."""


def trial(scorer: Scorer, model: Any) -> str:
    """Why an empty ``scorer`` of ``model`` is not the same function; empty where its logits are the model's own.

    Three committed tokens and three tentative ones, two of them siblings, each path against one call of the model without a cache. Equal
    means: closer than half the digits of the arithmetic, by the largest logit. NaN equals NaN: it is told of where it is decided on.
    """
    if scorer.window < LENGTH:
        return f"its window of {scorer.window} tokens is too short to try it"
    tokens = [(2 * i + 1) * scorer.vocab_size // 13 for i in range(6)]
    paths = [tokens[:3], tokens[:4], tokens[:5], [*tokens[:3], tokens[5]]]
    before = scorer.calls
    try:
        found = torch.stack([extend(scorer, tokens[:3]), *scorer.score(torch.tensor(tokens[3:]), torch.tensor([-1, 0, -1]))])
        with torch.no_grad():
            truth = torch.stack([_last(model, path) for path in paths])
    except Exception as error:  # what a stranger's forward raises can be anything
        return f"its forward does not take a tree ({type(error).__name__}: {(str(error).strip() or '-').splitlines()[0]})"
    finally:
        scorer.reset()
        scorer.calls = before
    return _difference(found, truth.float(), _digits(model, truth))


def _last(model: Any, path: list[int]) -> Tensor:
    logits: Tensor = model(input_ids=torch.tensor([path], device=model.device), use_cache=False).logits[0, -1]
    return logits


def _digits(model: Any, logits: Tensor) -> float:
    """The unit in the last place of the coarsest numbers on the way, as autocast or the weights have it."""
    kind = model.device.type
    types = {p.dtype for p in model.parameters() if p.dtype.is_floating_point} | {logits.dtype}
    if torch.is_autocast_enabled(kind):
        types.add(torch.get_autocast_dtype(kind))
    return float(max(torch.finfo(dtype).eps for dtype in types))


def _difference(found: Tensor, truth: Tensor, digits: float) -> str:
    same = found.shape == truth.shape and torch.equal(found.isfinite(), truth.isfinite())
    if not same:
        return "its logits are not those of its own forward"
    finite = truth.isfinite()
    if not finite.any():
        return ""
    scale, apart = float(truth[finite].abs().max()), float((found[finite] - truth[finite]).abs().max())
    if apart <= digits ** 0.5 * max(scale, 1e-6):
        return ""
    return f"its logits depend on how tokens are spread over calls (by {apart:.2g}, the largest logit being {scale:.2g})"
