"""What a model says of data, as the arrays that calibration takes: a fitted scikit-learn classifier, or a torch module with a loader."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

from glasshouse.schema.errors import BadType, BadValue, bad_type


def ask(model: Any, data: Any, labels: Any = None) -> tuple[np.ndarray, np.ndarray | None]:
    """(probs float64 [n, K], labels int64 [n] or None), ready for :func:`calibrate`.

    ``model`` with ``predict_proba`` and ``classes_`` (fitted, in scikit-learn's manner): ``data`` is X, and ``labels`` [n] its labels as the
    model knows them, text included; they come back as columns of ``probs``. ``model`` a torch module whose output is logits [batch, K]: ``data``
    yields (inputs, labels), or inputs alone; it is run without gradients in evaluation mode, on the device of its weights, and left as it was.

    Raises: BadType for another kind of model or output; BadValue for labels that the model does not know.
    """
    if hasattr(model, "predict_proba"):
        return _fitted(model, data, labels)
    if hasattr(model, "state_dict") and callable(model):
        if labels is not None:
            raise BadType("labels is not allowed here: a loader yields them beside the inputs", "labels")
        return _module(model, data)
    raise bad_type("model", model, "a fitted classifier with predict_proba, or a torch module")


def _fitted(model: Any, data: Any, labels: Any) -> tuple[np.ndarray, np.ndarray | None]:
    if not hasattr(model, "classes_"):
        raise BadValue("model is not fitted: it has no classes_ yet", "model")
    probs, known = np.asarray(model.predict_proba(data), np.float64), np.asarray(model.classes_)
    if labels is None:
        return probs, None
    given = np.asarray(labels)
    order = np.argsort(known)
    place = np.searchsorted(known, given, sorter=order).clip(0, len(known) - 1)
    found = order[place]
    strange = known[found] != given
    if given.shape != (len(probs),) or strange.any():
        what = f"labels has shape {list(given.shape)}" if given.shape != (len(probs),) else f"labels holds {given[strange][0]!r}"
        raise BadValue(f"{what}: it must hold {len(probs)} labels, each one of {', '.join(map(str, known[:10]))}", "labels")
    return probs, found.astype(np.int64)


def _module(model: Any, data: Iterable[Any]) -> tuple[np.ndarray, np.ndarray | None]:
    import torch

    weight = next(iter(model.parameters()), torch.empty(0))
    training = [part for part in model.modules() if part.training]
    probs: list[np.ndarray] = []
    labels: list[np.ndarray] = []
    try:
        model.eval()
        with torch.no_grad():
            for batch in data:
                inputs, truth = batch if isinstance(batch, (tuple, list)) and len(batch) == 2 else (batch, None)
                logits = model(inputs.to(weight.device))
                if not isinstance(logits, torch.Tensor) or logits.ndim != 2:
                    raise BadType("model gives no tensor of logits [batch, K]: wrap it so that it does", "model")
                probs.append(logits.double().softmax(dim=1).cpu().numpy())
                labels += [] if truth is None else [np.asarray(truth)]
    finally:
        for part in training:
            part.training = True
    if not probs:
        raise BadValue("data yields nothing: at least one batch is needed", "data")
    return np.concatenate(probs), np.concatenate(labels).astype(np.int64) if labels else None
