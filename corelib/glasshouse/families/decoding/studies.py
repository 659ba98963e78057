"""Side jobs of a decoding lab: what a forward costs here, and whether a method is lossless."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any, get_args

import numpy as np
import torch

from glasshouse.families.decoding.generation import method_class
from glasshouse.families.decoding.interface import Method, Sampling
from glasshouse.families.decoding.law_check import DIVERGENCE, biased, chi_square, texts, toy_setting
from glasshouse.families.decoding.planted import Bug
from glasshouse.families.decoding.problems import toy_pair
from glasshouse.families.decoding.rounds import check, cold, prepared_for, rounds
from glasshouse.models.language.scorer import Scorer, extend
from glasshouse.numerics.seeds import Seeds
from glasshouse.schema.errors import bad_value
from glasshouse.schema.events.base import Event, Progress
from glasshouse.schema.events.decoding import CostCurve, TreeRace

PATIENCE = 0.08
"""Seconds after which something is yielded."""


def cost(method: Method, problem: Any, seeds: Seeds, sizes: Sequence[int] = (1, 2, 4, 8, 16, 24, 32, 48, 64),
         repeats: int = 40) -> Iterator[Event | Progress]:
    """What a target forward over a tree of n nodes costs, hot: measured as decoding runs it, sizes interleaved.

    Called cold, a forward of one token looks dear and trees look cheap; so every measured forward follows one of the same model. One
    :class:`CostCurve` after each pass over the sizes, ``repeats`` passes.
    """
    setting = problem.open()
    check(method, setting)
    if not sizes or not all(isinstance(n, int) and 1 <= n <= 256 for n in sizes) or list(sizes) != sorted(set(sizes)):
        raise bad_value("sizes", tuple(sizes), "rising whole numbers, 1 to 256")
    if isinstance(repeats, bool) or not isinstance(repeats, int) or not 1 <= repeats <= 1000:
        raise bad_value("repeats", repeats, "a whole number, 1 to 1000")
    models = [setting.target] + ([setting.draft] if setting.draft is not None else [])
    room = min(m.window for m in models) - len(setting.tokens)
    if room < len(_tree(max(sizes))[1]):
        raise bad_value("sizes", max(sizes), f"a tree that fits the {room} positions behind the prompt")
    for model in models:
        extend(model, setting.tokens)
    spent = np.full((len(models), repeats, len(sizes)), np.nan)
    last = time.perf_counter()
    for done in range(repeats):
        for row, model in enumerate(models):
            _timed(model, 1)
            for column, n in enumerate(sizes):
                spent[row, done, column] = _timed(model, n)
                if time.perf_counter() - last > PATIENCE:
                    yield Progress(done=done + (column + 1) / len(sizes), total=repeats, message="measuring forwards")
                    last = time.perf_counter()
        yield _curve(_id(method), len(setting.tokens), sizes, spent[:, :done + 1])
        last = time.perf_counter()


def _id(method: Method) -> str:
    return f"decoding.{type(method).__module__.rpartition('.')[2].replace('_', '-')}"


def _tree(n: int) -> tuple[torch.Tensor, torch.Tensor, int]:
    """A binary tree of n nodes: (token, parent, depth)."""
    parent = torch.tensor([-1, *((i - 1) // 2 for i in range(1, n))])
    return torch.zeros(n, dtype=torch.int64), parent, n.bit_length()


def _timed(model: Scorer, n: int) -> float:
    token, parent, _ = _tree(n)
    start = time.perf_counter()
    model.score(token, parent).numpy(force=True)
    seconds = time.perf_counter() - start
    model.keep([])
    return seconds


def _curve(method: str, context: int, sizes: Sequence[int], spent: np.ndarray) -> CostCurve:
    """``spent`` float64 [1 or 2, repeats, k]: seconds of the target, and of the draft where there is one."""
    low, middle, high = np.quantile(spent[0], (0.25, 0.5, 0.75), axis=0)
    draft = np.median(spent[1], axis=0) if len(spent) > 1 else np.full(len(sizes), np.nan)
    return CostCurve(method=method, context=context, repeats=spent.shape[1], nodes=np.asarray(sizes), seconds=middle, low=low, high=high,
                     draft_seconds=draft)


def lossless(method: Method, problem: Any, seeds: Seeds, draws: int = 20_000, planted: str = "") -> Iterator[Event | Progress]:
    """The method's two-token law on the toy model at temperature 1 against the exact one: a :class:`LosslessCheck` every 100 ms.

    ``planted`` names a bug of :mod:`.planted` that runs in the method's place and must be noticed.
    """
    if planted not in ("", *get_args(Bug)):
        raise bad_value("planted", planted, f"empty, or one of {', '.join(get_args(Bug))}")
    if isinstance(draws, bool) or not isinstance(draws, int) or not 100 <= draws <= 10_000_000:
        raise bad_value("draws", draws, "a whole number, 100 to 10000000")
    tried, rule = biased(planted) if planted else (method, None)    # type: ignore[arg-type]
    setting = toy_setting(*toy_pair(DIVERGENCE))
    law = setting.target.law(setting.tokens, 2)     # type: ignore[attr-defined]
    counts: Counter[tuple[int, ...]] = Counter()
    last = time.perf_counter()
    for item in texts(tried, setting, seeds, rule):
        if isinstance(item, Progress):
            yield item
            continue
        counts[item] += 1
        drawn = counts.total()
        if drawn == draws or time.perf_counter() - last > PATIENCE:
            yield chi_square(counts, law, _id(method), planted)
            last = time.perf_counter()
        if drawn == draws:
            return


RIVALS: Mapping[str, Callable[[int], dict[str, Any]]] = {
    "dyspec": lambda n: {"growth": "heap", "budget": n}, "sequoia": lambda n: {"budget": n, "depth": 8},
    "rsd": lambda n: {"variant": "beam", "width": max(1, round(n**0.5)), "depth": max(1, min(12, round(n / max(1, round(n**0.5)))))}}
"""Knobs for trees of n guesses."""


def trees(method: Method, problem: Any, seeds: Seeds, budget: int = 16, texts: int = 8) -> Iterator[Event | Progress]:
    """DySpec, Sequoia and RSD at one budget, over the same texts: where does which tree keep more? A :class:`TreeRace` after each text.

    The texts are the problem's prompts, where it has several, and then other seeds. ``method`` does not matter.
    """
    for name, value, most in (("budget", budget, 128), ("texts", texts, 1000)):
        if isinstance(value, bool) or not isinstance(value, int) or not 2 <= value <= most:
            raise bad_value(name, value, f"a whole number, 2 to {most}")
    chosen = [method_class(name)(**knobs(budget)) for name, knobs in RIVALS.items()]
    found: list[list[float]] = []
    for number in range(texts):
        given = replace(problem, index=number % 8) if hasattr(problem, "index") else problem
        found.append([])
        for rival in chosen:
            setting, key = given.open(), Seeds(seeds.key("text", number))
            check(rival, setting)
            artefact = yield from prepared_for(rival, setting, key)
            length = forwards = 0
            for event in rounds(rival, setting, key, cold(rival, setting.target.vocab_size, artefact)):
                length, forwards = length + event.tokens, forwards + 1
                yield Progress(done=number, total=texts, message="racing trees")
            found[-1].append(length / forwards)
        if number:
            yield _race(np.asarray(found), budget, problem.sampling)


def _race(found: np.ndarray, budget: int, sampling: Sampling) -> TreeRace:
    """``found`` float64 [texts, methods]."""
    from scipy.stats import t

    def interval(x: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        mean, half = x.mean(0), t.ppf(0.975, len(x) - 1) * x.std(0, ddof=1) / np.sqrt(len(x))
        return mean, mean - half, mean + half

    (mean, low, high), (ahead, ahead_low, ahead_high) = interval(found), interval(found[:, :1] - found)
    return TreeRace(budget=budget, texts=len(found), temperature=sampling.temperature, top_p=sampling.top_p,
                    methods=tuple(f"decoding.{name}" for name in RIVALS), mean=mean, low=low, high=high,
                    ahead=ahead, ahead_low=ahead_low, ahead_high=ahead_high)


STUDIES: Mapping[str, Callable[..., Iterator[Event | Progress]]] = {"cost": cost, "lossless": lossless, "trees": trees}
