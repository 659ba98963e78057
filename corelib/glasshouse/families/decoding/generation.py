"""``generate``: one call that continues a prompt with any method."""

from __future__ import annotations

import copy
import importlib
import math
import pkgutil
import time
from collections.abc import Mapping
from dataclasses import dataclass, field, is_dataclass
from os import PathLike
from typing import Any, get_args

import numpy as np
import torch

from glasshouse.families.decoding import methods
from glasshouse.families.decoding.interface import Method, Sampling, Setting
from glasshouse.families.decoding.promise import guarantee_of
from glasshouse.families.decoding.recording import Keep
from glasshouse.families.decoding.rounds import check, cold, drained, prepared_for, rounds, started
from glasshouse.models.language import Scorer, load_model, scorer_for
from glasshouse.numerics.seeds import Seeds, checked_seed, whole_number
from glasshouse.schema.build import build, unknown
from glasshouse.schema.errors import Unsupported, bad_type, bad_value
from glasshouse.schema.events.decoding import Round
from glasshouse.schema.guarantee import Guarantee


@dataclass(frozen=True)
class Memory:
    """A method's memory, to be passed on as ``state``: what it learned, and for which method and vocabulary."""

    method: Method
    vocab_size: int
    value: Any


@dataclass(frozen=True, eq=False)
class Generation:
    """``tokens``: the new ones only. ``target_calls``: target forwards, one a round; the one that caches the prompt is not counted.

    ``seconds`` is the wall-clock time of decoding: the prompt included; not what is done once, which is loading and packing the models
    and, for a method that prepares, measuring (on the prompt). ``parts`` names all that lies outside of the rounds, in seconds:
    ``packing``, ``preparation``, ``prompt_target``, ``prompt_draft``. ``state`` is the method's memory, for another call.
    ``forward`` says by what "target" and "draft" were computed: "lean", or "the model's own" with the reason.
    """

    tokens: list[int]
    rounds: list[Round]
    target_calls: int
    seconds: float
    guarantee: Guarantee
    state: Memory
    parts: Mapping[str, float] = field(default_factory=dict)
    forward: Mapping[str, str] = field(default_factory=dict)


def generate(target: Any, input_ids: Any, method: str = "token-recycling", draft: Any = None, max_new_tokens: int = 128,
             temperature: float = 0.0, top_p: float = 1.0, seed: int = 0, state: Memory | None = None, keep: Keep = "top",
             coupled: bool = False, draft_top_p: bool = True, **knobs: Any) -> Generation:
    """Continue a prompt until ``max_new_tokens`` or one of the target's end-of-text tokens, itself included.

    ``target``, ``draft``: causal language models of transformers, a folder or hub id of one, or scorers (which are forked,
    and know no end-of-text token). ``input_ids``: integers [1, n] or [n]. ``temperature`` 0
    is greedy. ``keep``: "none" records scalars and text of a round, "top" the 16 largest entries of every distribution too, "full"
    all of them. ``state``: the ``.state`` of an earlier call with the same method and vocabulary; it is copied. ``coupled``: sample
    with one Gumbel row per text position, so that all lossless methods give the same text. ``draft_top_p``: cut the draft's law
    by top-p too. ``knobs`` are the method's.

    Raises BadValue, BadType or Unsupported, before any work, naming the argument, its value and what is allowed.
    """
    chosen: Method = build(method_class(method), knobs)
    max_new_tokens, seed = _checked_scalars(max_new_tokens, seed, keep)
    sampling = build(Sampling, {"temperature": _number("temperature", temperature), "top_p": _number("top_p", top_p), "coupled": coupled,
                                "draft_top_p": draft_top_p})
    tokens = _prompt(input_ids)
    model = _loaded(target, "target")
    small = _loaded(draft, "draft") if draft is not None and chosen.needs_draft else None
    begin = time.perf_counter()
    setting = Setting(_scorer(model, "target"), None if small is None else _scorer(small, "draft"), tokens, max_new_tokens, sampling,
                      end_of_text(model), calibration=(tokens,))
    packing = time.perf_counter() - begin
    check(chosen, setting)
    _check_state(state, chosen, setting.target.vocab_size)
    seeds, size = Seeds(seed), setting.target.vocab_size
    prepared = drained(prepared_for(chosen, setting, seeds))[1] if state is None else None
    start = time.perf_counter()
    memory = cold(chosen, size, prepared) if state is None else copy.deepcopy(state.value)
    ready = started(chosen, setting)
    events, memory = drained(rounds(chosen, setting, seeds, memory, keep, start=ready))
    seconds = time.perf_counter() - start
    new = [token for event in events for token in event.committed]
    parts = {"packing": packing, "preparation": prepared.seconds if prepared is not None else 0.0,
             "prompt_target": ready.target_seconds, "prompt_draft": ready.draft_seconds}
    return Generation(new, events, len(events), seconds, guarantee_of(chosen, sampling), Memory(chosen, size, memory), parts,
                      setting.forwards)


def end_of_text(model: Any) -> frozenset[int]:
    """The ids at which transformers would stop: of the generation config, else of the config; none for a scorer."""
    for holder in ("generation_config", "config"):
        ids = getattr(getattr(model, holder, None), "eos_token_id", None)
        if ids is not None:
            return frozenset([ids] if isinstance(ids, int) else map(int, ids))
    return frozenset()


def method_class(name: Any) -> type:
    """A method of this family by name, underscores or hyphens; BadValue with the nearest for one that is not known."""
    if not isinstance(name, str):
        raise bad_type("method", name, "a method's name, for example 'token-recycling'")
    known = {m.name.replace("_", "-"): m.name for m in pkgutil.iter_modules(methods.__path__) if not m.name.startswith("_")}
    slug = name.removeprefix("decoding.").replace("_", "-")
    if slug not in known:
        raise unknown("method", name, known)
    module = importlib.import_module(f"{methods.__name__}.{known[slug]}")
    return next(c for c in vars(module).values() if is_dataclass(c) and hasattr(c, "paper") and c.__module__ == module.__name__)  # type: ignore


def _number(argument: str, value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, (int, float, np.integer, np.floating)):
        raise bad_type(argument, value, "a number")
    if not math.isfinite(value):
        raise bad_value(argument, value, "a finite number")
    return float(value)


def _checked_scalars(max_new_tokens: Any, seed: Any, keep: Any) -> tuple[int, int]:
    count, checked = whole_number("max_new_tokens", max_new_tokens), checked_seed(seed)
    if keep not in get_args(Keep):
        raise bad_value("keep", keep, "one of none, top, full")
    return count, checked


def _prompt(input_ids: Any) -> tuple[int, ...]:
    """int64 [1, n] or [n], as a tuple."""
    shape = "a tensor, array or list of integers, [1, n] or [n]"
    ids = input_ids.detach().cpu().numpy() if isinstance(input_ids, torch.Tensor) else input_ids
    try:
        ids = np.asarray(ids)
    except ValueError:
        raise bad_type("input_ids", input_ids, shape) from None
    if ids.ndim not in (1, 2) or (ids.ndim == 2 and ids.shape[0] != 1):
        raise bad_type("input_ids", tuple(ids.shape), f"{shape}: one text at a time")
    if ids.size == 0:
        raise bad_value("input_ids", tuple(ids.shape), "at least one token")
    if ids.dtype.kind not in "iu":
        raise bad_type("input_ids", str(ids.dtype), shape)
    return tuple(ids.ravel().tolist())


def _loaded(model: Any, argument: str) -> Any:
    return load_model(model, argument=argument) if isinstance(model, str | PathLike) else model


def _scorer(model: Any, argument: str) -> Scorer:
    """A scorer of our own, of the model as it is now; Unsupported, naming the argument, where it cannot be the model's own function."""
    if all(hasattr(model, name) for name in ("score", "keep", "fork")):
        return model.fork()  # type: ignore[no-any-return]
    if not isinstance(model, torch.nn.Module) or not hasattr(model, "config"):
        raise bad_type(argument, model, "a causal language model of transformers, a folder or hub id of one, or a scorer")
    try:
        return scorer_for(model)
    except Unsupported as error:
        raise Unsupported(str(error).replace("model", argument, 1), argument) from None


def _check_state(state: Any, method: Method, vocab_size: int) -> None:
    if state is None:
        return
    if not isinstance(state, Memory):
        raise bad_type("state", state, "the .state of an earlier generation, or None")
    if (state.method, state.vocab_size) != (method, vocab_size):
        raise bad_value("state", f"of {state.method!r}, vocabulary {state.vocab_size}",
                        f"a state made by {method!r} with a vocabulary of {vocab_size}")
