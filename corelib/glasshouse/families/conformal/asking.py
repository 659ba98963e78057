"""What a model says of data, as the arrays that calibration takes: a fitted scikit-learn classifier, or a torch module with data for it."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import numpy as np

from glasshouse.families.conformal.inputs import SUM_SLACK, array_of
from glasshouse.schema.errors import BadType, BadValue, bad_type

log = logging.getLogger(__name__)
AT_ONCE = 1024          # inputs that a module reads at a time where they come in one array
PAIRS = "(inputs, labels), or inputs alone"


def ask(model: Any, data: Any, labels: Any = None) -> tuple[np.ndarray, np.ndarray | None]:
    """(probs float64 [n, K], labels int64 [n] or None), ready for :func:`calibrate`.

    ``model`` with ``predict_proba`` and ``classes_`` (fitted, in scikit-learn's manner): ``data`` is X, and ``labels`` [n] its labels as the
    model knows them, text included; they come back as columns of ``probs``.

    ``model`` a torch module whose output is [batch, K], logits or probabilities (non-negative rows that sum to 1 are not softened again):
    ``data`` is a loader that yields (inputs, labels) or inputs alone, a pair (X, y) of arrays, or X with ``labels`` beside it or without.
    Labels are whole numbers from 0 to K - 1, of any dtype, or one-hot rows. It is run without gradients in evaluation mode, on the device and
    in the precision of its weights, and left as it was.

    Raises: BadType for another kind of model, data or output; BadValue for labels that the model does not know.
    """
    if hasattr(model, "predict_proba"):
        return _fitted(model, data, labels)
    if hasattr(model, "state_dict") and callable(model):
        return _module(model, data, labels)
    raise bad_type("model", model, "a fitted classifier with predict_proba, or a torch module")


def _fitted(model: Any, data: Any, labels: Any) -> tuple[np.ndarray, np.ndarray | None]:
    if not hasattr(model, "classes_"):
        raise BadValue("model is not fitted: it has no classes_ yet", "model")
    try:
        probs, known = np.asarray(model.predict_proba(data), np.float64), np.asarray(model.classes_)
    except (TypeError, ValueError) as error:
        raise BadValue(f"data cannot be read by model.predict_proba: {error}", "data") from error
    if probs.ndim != 2 or known.ndim != 1:
        raise BadType("model answers several questions at once: conformal sets are for one of them, so take its columns apart", "model")
    if labels is None:
        return probs, None
    given, place = array_of(labels), {name: column for column, name in enumerate(known.tolist())}
    if given.shape != (len(probs),):
        raise BadValue(f"labels has shape {list(given.shape)}: it must hold {len(probs)} labels, each one of {_some(known)}", "labels")
    found = np.array([place.get(name, -1) for name in given.tolist()], np.int64)
    if (found < 0).any():
        raise BadValue(f"labels holds {given.tolist()[int(np.argmin(found))]!r}: each must be one of {_some(known)}", "labels")
    return probs, found


def _some(known: np.ndarray) -> str:
    return ", ".join(map(str, known[:10])) + (", ..." if len(known) > 10 else "")


def _module(model: Any, data: Any, labels: Any) -> tuple[np.ndarray, np.ndarray | None]:
    import torch

    batches = _batches(data, labels)
    weight = next(iter(model.parameters()), torch.empty(0))
    training = [part for part in model.modules() if part.training]
    outputs: list[np.ndarray] = []
    truths: list[Any] = []
    slack = SUM_SLACK
    try:
        model.eval()
        with torch.no_grad():
            for batch in batches:
                inputs, truth = _parted(batch)
                output, rounding = _answer(model, inputs, weight)
                outputs.append(output)
                slack = max(slack, rounding)
                truths.append(truth if truth is None else class_numbers(truth, *outputs[-1].shape))
    finally:
        for part in training:
            part.training = True
    if not outputs:
        raise BadValue("data yields nothing: at least one batch is needed", "data")
    if len({output.shape[1] for output in outputs}) > 1:
        raise BadType("model gives another number of classes for another batch", "model")
    missing = [truth is None for truth in truths]
    if any(missing) and not all(missing):
        raise BadValue(f"data yields labels with some batches and not with others: it must always yield {PAIRS}", "data")
    return _probabilities(np.concatenate(outputs), slack), None if all(missing) else np.concatenate(truths)


def _batches(data: Any, labels: Any) -> Iterable[Any]:
    """``data`` as something that yields batches: a pair of arrays, or one array, is cut into some."""
    if isinstance(data, (str, bytes, Mapping)) or data is None:
        raise bad_type("data", data, f"a loader that yields {PAIRS}, a pair (X, y), or X")
    if _is_array(data):
        return _cut(data, labels)
    if labels is not None:
        raise BadType("labels is not allowed here: a loader yields them beside the inputs", "labels")
    if isinstance(data, (tuple, list)) and len(data) == 2 and _is_pair(data[0], data[1], sure=isinstance(data, tuple)):
        return _cut(*data)
    if not hasattr(data, "__iter__") and not hasattr(data, "__getitem__"):
        raise bad_type("data", data, f"a loader that yields {PAIRS}, a pair (X, y), or X")
    return data         # type: ignore[no-any-return]


def _is_array(given: Any) -> bool:
    return hasattr(given, "shape") and hasattr(given, "dtype")


def _is_pair(x: Any, y: Any, sure: bool) -> bool:
    """A tuple of two arrays, or of an array and a list, is (X, y); a list of two may be two batches, and is where they look alike."""
    if not _is_array(x) or not (_is_array(y) or isinstance(y, (list, tuple))):
        return False
    return sure or not _is_array(y) or tuple(x.shape[1:]) != tuple(y.shape[1:])


def _cut(x: Any, y: Any) -> Iterator[Any]:
    if y is not None and len(y) != len(x):
        raise BadValue(f"labels has {len(y)} entries: it must have {len(x)}, one an input", "labels")
    return ((x[i:i + AT_ONCE], None if y is None else y[i:i + AT_ONCE]) for i in range(0, len(x), AT_ONCE))


def _parted(batch: Any) -> tuple[Any, Any]:
    """(inputs, labels or None) of what a loader yields."""
    if isinstance(batch, Mapping):
        raise BadType(f"data yields dicts with {', '.join(map(repr, list(batch)[:6]))}: it must yield {PAIRS}; a generator that takes the "
                      "right entries out does it", "data")
    if isinstance(batch, (tuple, list)):
        if len(batch) > 2 or not batch:
            raise BadType(f"data yields {len(batch)} things at a time: it must yield {PAIRS}", "data")
        inputs, truth = batch[0], batch[1] if len(batch) == 2 else None
    else:
        inputs, truth = batch, None
    if not _is_array(inputs):
        raise BadType(f"data yields inputs of type {type(inputs).__name__}: they must be tensors or arrays [batch, ...]", "data")
    return inputs, truth


def _answer(model: Any, inputs: Any, weight: Any) -> tuple[np.ndarray, float]:
    """What the module gives for one batch, float64 [batch, K], and the rounding of the type it came in."""
    import torch

    try:
        given = torch.as_tensor(inputs).to(weight.device)
        given = given.to(weight.dtype) if given.is_floating_point() and weight.is_floating_point() else given
        output = model(given)
    except (RuntimeError, TypeError, ValueError, IndexError, AttributeError) as error:
        raise BadValue(f"data yields inputs of shape {list(inputs.shape)} that model cannot read: {error}", "data") from error
    output = getattr(output, "logits", output)
    if not isinstance(output, torch.Tensor) or output.ndim != 2 or len(output) != len(given):
        raise BadType(f"model gives no tensor of logits [batch, K] for inputs of shape {list(given.shape)}: wrap it so that it does", "model")
    if output.shape[1] < 2:
        raise BadType("model gives one number a point, where logits of K classes are needed: for two classes and a logit z, wrap it so that it "
                      "gives [0, z]", "model")
    found: np.ndarray = output.double().cpu().numpy()
    if not (np.isfinite(found).any(axis=1) & ~np.isnan(found).any(axis=1) & ~np.isposinf(found).any(axis=1)).all():
        raise BadValue("model gives NaN or infinity, of which no probabilities follow", "model")
    return found, torch.finfo(output.dtype).eps if output.is_floating_point() else 0.0


def class_numbers(given: Any, n: int, classes: int) -> np.ndarray:
    """Labels as int64 [n]: whole numbers of any dtype, [n] or [n, 1], or one-hot rows [n, K].

    Raises: BadType, BadValue for what would have to be guessed at: shares, soft labels, another length, a class that is not there.
    """
    array = array_of(given)
    if array.ndim == 0 and n == 1:
        array = array[None]
    if array.dtype.kind not in "biuf":
        raise BadType(f"labels has dtype {array.dtype}: they must be whole numbers from 0 to {classes - 1}, columns of the model's output", "labels")
    if array.shape == (n, classes):
        if not (((array == 0) | (array == 1)).all() and (array.sum(axis=1) == 1).all()):
            raise BadValue("labels come in rows that are not one-hot: one label a point is needed", "labels")
        return np.asarray(array.argmax(axis=1), np.int64)
    if array.shape not in ((n,), (n, 1)):
        raise BadValue(f"labels has shape {list(array.shape)} for {n} inputs: one label a point is needed, [{n}]", "labels")
    flat = array.reshape(n).astype(np.float64)
    strange = ~((flat >= 0) & (flat < classes) & (flat == np.round(flat)))
    if strange.any():
        raise BadValue(f"labels holds {flat[strange][0]:g}: they must be whole numbers from 0 to {classes - 1}, columns of the output", "labels")
    return flat.astype(np.int64)


def _probabilities(outputs: np.ndarray, slack: float) -> np.ndarray:
    """Softmax of logits; what is probabilities already, as it is."""
    within = bool((outputs >= 0).all() and (outputs <= 1 + slack).all())
    if within and (np.abs(outputs.sum(axis=1) - 1) <= slack).all():
        log.info("model gives probabilities, not logits: they are taken as they are")
        return np.asarray(outputs / outputs.sum(axis=1, keepdims=True))
    if within:
        log.warning("model gives numbers from 0 to 1 that do not sum to 1, as sigmoids do: they are read as logits")
    shifted = np.exp(outputs - outputs.max(axis=1, keepdims=True))
    probs: np.ndarray = shifted / shifted.sum(axis=1, keepdims=True)
    return probs
