"""Seconds of greedy and sampled generation against what a user would pick instead: transformers' own three ways.

One thread, one process, the bundled pair in float32, every greedy text equal to transformers' greedy text. A method's *ideal* is
its forwards alone at their hot cost, sum of C(n) over rounds plus its draft forwards; all else is overhead.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from functools import partial
from typing import Any

import pytest
import torch

from benchmarks.interleaved import paired, race, report
from glasshouse import runs
from glasshouse.families.decoding import generate, load_pair
from glasshouse.families.decoding.problems import Python
from glasshouse.models.language.lean import scorer_for
from glasshouse.models.language.scorer import extend

pytestmark = pytest.mark.bench
NEW = 96
OURS: dict[str, dict[str, Any]] = {
    "autoregressive": {}, "speculative-sampling 1": {"gamma": 1}, "speculative-sampling 2": {"gamma": 2},
    "speculative-sampling 4": {"gamma": 4}, "prompt-lookup ngram": {"match": "ngram"}, "prompt-lookup suffix": {"match": "suffix"},
    "token-recycling 8": {"budget": 8}, "token-recycling 16": {"budget": 16}, "token-recycling 32": {"budget": 32},
    "specinfer": {}, "sequoia": {}, "eagle-tree": {}, "dyspec": {}, "rsd": {}, "spectr": {},
}


@pytest.fixture(scope="module", autouse=True)
def one_thread() -> Any:
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="module")
def pair() -> Any:
    return load_pair("python-stdlib")


def prompts(pair: Any, per_kind: int = 2) -> list[tuple[str, torch.Tensor]]:
    found = []
    for kind in ("code", "docstring", "repetitive", "entropy"):
        for index in range(per_kind):
            ids = Python(prompt=kind, index=index).open().ids
            found.append((f"{kind} {index}", torch.tensor([ids])))
    return found


def peers(pair: Any, ids: torch.Tensor) -> dict[str, Callable[[], Any]]:
    plain = partial(pair.target.generate, ids, attention_mask=torch.ones_like(ids), max_new_tokens=NEW, do_sample=False)
    config = pair.draft.generation_config
    config.num_assistant_tokens, config.num_assistant_tokens_schedule, config.assistant_confidence_threshold = 4, "constant", 0.0
    return {"transformers generate": plain, "transformers assisted 4": partial(plain, assistant_model=pair.draft),
            "transformers prompt lookup": partial(plain, prompt_lookup_num_tokens=10)}


def ours(pair: Any, ids: torch.Tensor, name: str, **more: Any) -> Any:
    method = name.split()[0]
    return generate(pair.target, ids, method=method, draft=pair.draft, max_new_tokens=NEW, keep="none", **(OURS[name] | more))


def loops(tokens: list[int], n: int = 8) -> bool:
    grams = [tuple(tokens[i:i + n]) for i in range(len(tokens) - n + 1)]
    return len(set(grams)) < len(grams)


def hot_cost(model: Any, sizes: list[int], cached: int = 200) -> dict[int, float]:
    """Median seconds of a forward of n tokens on top of ``cached``, sizes interleaved."""
    scorer = scorer_for(model)
    extend(scorer, list(range(1, cached + 1)))
    seconds: dict[int, list[float]] = {n: [] for n in sizes}
    for _ in range(40):
        for n in sizes:
            token, parent = torch.arange(1, n + 1), torch.arange(-1, n - 1)
            for _ in range(2):      # the second finds its weights warm, as in decoding
                start = time.perf_counter()
                scorer.score(token, parent)
                took = time.perf_counter() - start
                scorer.keep([])
            seconds[n].append(took)
    return {n: statistics.median(s) for n, s in seconds.items()}


def test_greedy(pair: Any) -> None:
    totals: dict[str, list[float]] = {}
    forwards: dict[str, list[Any]] = {}
    unlooped: list[str] = []
    per_prompt: dict[str, dict[str, list[float]]] = {}
    for label, ids in prompts(pair):
        expected = pair.target.generate(ids, attention_mask=torch.ones_like(ids), max_new_tokens=NEW, do_sample=False)[0, ids.shape[1]:].tolist()
        contestants = peers(pair, ids) | {name: partial(ours, pair, ids, name) for name in OURS}
        for name in OURS:
            done = ours(pair, ids, name)
            assert done.tokens == expected, f"{name} on {label}"
            forwards.setdefault(name, []).extend(done.rounds)
        if not loops(expected):
            unlooped.append(label)
        per_prompt[label] = race(contestants)
        for name, seconds in per_prompt[label].items():
            totals[name] = [a + b for a, b in zip(totals.get(name, [0.0] * len(seconds)), seconds, strict=True)]
    sizes = sorted({r.nodes for rounds in forwards.values() for r in rounds} | {1})
    cost, draft = hot_cost(pair.target, sizes), hot_cost(pair.draft, [1])[1]
    rows = []
    for name, seconds in totals.items():
        rounds = forwards.get(name, [])
        ideal = sum(cost[r.nodes] for r in rounds) + draft * sum(r.draft_calls for r in rounds)
        apart = [paired(per_prompt[p][name], per_prompt[p]["autoregressive"]) for p in unlooped]
        rows.append({"method": name, "seconds": statistics.median(seconds), "x generate": paired(seconds, totals["transformers generate"]),
                     "x lean plain": paired(seconds, totals["autoregressive"]), "worst without loop": min(apart, default=float("nan")),
                     "tokens/forward": sum(r.tokens for r in rounds) / len(rounds) if rounds else float("nan"),
                     "of ideal": ideal / statistics.median(seconds) if rounds else float("nan")})
    report("decoding-greedy", sorted(rows, key=lambda r: -r["x generate"]))
    report("decoding-cost", [{"n": n, "ms": 1e3 * c, "C(n)/C(1)": c / cost[1]} for n, c in cost.items()])
    print("without a repeated 8-gram:", unlooped)
    by_name = {r["method"]: r for r in rows}
    assert by_name["autoregressive"]["x generate"] >= 1.9
    best = max((r for r in rows if not r["method"].startswith("transformers")), key=lambda r: r["x lean plain"])
    assert best["x lean plain"] >= 1.15
    assert best["worst without loop"] >= 1.0
    for name in ("speculative-sampling 2", "token-recycling 16"):
        assert by_name[name]["of ideal"] >= 0.85


def test_sampled(pair: Any) -> None:
    totals: dict[str, list[float]] = {}
    counts: dict[str, list[float]] = {}
    for _, ids in prompts(pair, per_kind=1):
        names = [n for n in OURS if n not in ("token-recycling 8", "token-recycling 32")]
        seconds = race({n: partial(ours, pair, ids, n, temperature=0.7) for n in names}, rounds=7)
        for name in names:
            totals[name] = [a + b for a, b in zip(totals.get(name, [0.0] * 7), seconds[name], strict=True)]
            done = ours(pair, ids, name, temperature=0.7)
            counts.setdefault(name, []).append(len(done.tokens) / done.target_calls)
    report("decoding-sampled", [{"method": n, "seconds": statistics.median(s), "x lean plain": paired(s, totals["autoregressive"]),
                                 "tokens/forward": statistics.mean(counts[n])} for n, s in totals.items()])


def test_session_overhead() -> None:
    """What keeping every event costs over keeping none: the price of the glass."""
    kept = lambda: runs.run("decoding.speculative-sampling", problem="python:max_new_tokens=48")  # noqa: E731
    report("decoding-session", [{"run": "speculative-sampling, events kept", "seconds": statistics.median(race({"kept": kept}, 5)["kept"])}])
