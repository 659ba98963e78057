"""Seconds of greedy and sampled generation against what a user would pick instead: transformers' own three ways.

One thread, one process, the bundled pair in float32, every greedy text equal to transformers' greedy text. Prompts are scored anew in
every run, by all alike. Two ratios are told of each: to transformers' ``generate``, most of which is the lean forward, and to the plain
loop over the same lean forward, which is what guessing alone is worth.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from typing import Any

import pytest
import torch

from benchmarks.interleaved import paired, race, report
from glasshouse.families.decoding import generate, load_pair
from glasshouse.families.decoding.problems import Python
from glasshouse.models.language.lean import scorer_for
from glasshouse.models.language.scorer import extend

pytestmark = pytest.mark.bench
NEW = 96
BRIEF = 32      # tokens within which some greedy texts do not loop yet; within 128 all of them do
OURS: dict[str, dict[str, Any]] = {
    "autoregressive": {}, "speculative-sampling 1": {"gamma": 1}, "speculative-sampling 2": {"gamma": 2},
    "speculative-sampling 4": {"gamma": 4}, "prompt-lookup suffix": {"match": "suffix"},
    "prompt-lookup careful": {"match": "suffix", "which": "last", "per_match": 2},
    "prompt-lookup cautious": {"match": "suffix", "which": "last", "least_chance": 0.8},
    "token-recycling 8": {"budget": 8}, "token-recycling 16": {"budget": 16},
}
TREES: dict[str, dict[str, Any]] = {"autoregressive": {}, "specinfer": {}, "sequoia": {}, "eagle-tree": {}, "dyspec": {}, "rsd": {}, "spectr": {}}
KINDS = ("code", "docstring", "repetitive", "entropy")


@pytest.fixture(scope="module", autouse=True)
def one_thread() -> Any:
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="module")
def pair() -> Any:
    return load_pair("python-stdlib")


def prompts(per_kind: int = 8) -> list[tuple[str, torch.Tensor]]:
    return [(f"{kind} {i}", torch.tensor([Python(prompt=kind, index=i).open().tokens])) for kind in KINDS for i in range(per_kind)]


def peers(pair: Any, ids: torch.Tensor) -> dict[str, Callable[[], Any]]:
    plain = partial(pair.target.generate, ids, attention_mask=torch.ones_like(ids), max_new_tokens=NEW, do_sample=False)
    config = pair.draft.generation_config
    config.num_assistant_tokens, config.num_assistant_tokens_schedule, config.assistant_confidence_threshold = 4, "constant", 0.0
    return {"transformers generate": plain, "transformers assisted 4": partial(plain, assistant_model=pair.draft),
            "transformers prompt lookup": partial(plain, prompt_lookup_num_tokens=10)}


def ours(pair: Any, ids: torch.Tensor, name: str, **more: Any) -> Any:
    knobs = {"max_new_tokens": NEW, "keep": "none", **(OURS | TREES)[name], **more}
    return generate(pair.target, ids, method=name.split()[0], draft=pair.draft, **knobs)


def loops(tokens: list[int], n: int = 8) -> bool:
    grams = [tuple(tokens[i:i + n]) for i in range(len(tokens) - n + 1)]
    return len(set(grams)) < len(grams)


class Hot:
    """Seconds of a forward of n tokens on top of 200 cached ones, weights warm as in decoding; asked again and again between the races."""

    def __init__(self, model: Any) -> None:
        self.scorer = scorer_for(model)
        extend(self.scorer, list(range(1, 201)))
        self.seconds: dict[int, list[float]] = {}

    def measure(self, sizes: Iterable[int], times: int = 5) -> None:
        for n in sizes:
            token, parent = torch.arange(1, n + 1), torch.arange(-1, n - 1)
            for i in range(times + 1):
                start = time.perf_counter()
                self.scorer.score(token, parent)
                if i:
                    self.seconds.setdefault(n, []).append(time.perf_counter() - start)
                self.scorer.keep([])

    def __getitem__(self, n: int) -> float:
        return statistics.median(self.seconds[n])


class Tally:
    """Seconds and rounds of every contestant, prompt by prompt.

    *ideal* is tokens per forward x C(1) / (C(n) + draft forwards): how many times faster than the plain loop, if nothing but forwards cost.
    """

    def __init__(self, pair: Any, plain: str = "autoregressive") -> None:
        self.target, self.draft, self.plain = Hot(pair.target), Hot(pair.draft), plain
        self.seconds: dict[str, dict[str, list[float]]] = {}
        self.rounds: dict[str, dict[str, list[Any]]] = {}

    def add(self, label: str, seconds: dict[str, list[float]], rounds: dict[str, list[Any]]) -> None:
        self.seconds[label] = seconds
        for name, found in rounds.items():
            self.rounds.setdefault(name, {})[label] = found
        self.target.measure(sorted({r.nodes for found in rounds.values() for r in found} | {1}))
        self.draft.measure([1])

    def total(self, name: str) -> list[float]:
        return [sum(parts) for parts in zip(*(s[name] for s in self.seconds.values()), strict=True)]

    def ideal(self, found: Sequence[Any]) -> float:
        forwards = sum(self.target[r.nodes] for r in found) + self.draft[1] * sum(r.draft_calls for r in found)
        return sum(r.tokens for r in found) * self.target[1] / forwards if found else float("nan")

    def row(self, name: str, against: Sequence[str]) -> dict[str, Any]:
        by_prompt, total = self.rounds.get(name, {}), self.total(name)
        found = [r for rounds in by_prompt.values() for r in rounds]
        ideal = self.ideal(found)
        return {"method": name, "seconds": statistics.median(total), **{f"x {a}": paired(total, self.total(a)) for a in against},
                "worst prompt": min(paired(s[name], s[self.plain]) for s in self.seconds.values()),
                "its ideal": min(map(self.ideal, by_prompt.values()), default=float("nan")),
                "tokens/forward": sum(r.tokens for r in found) / len(found) if found else float("nan"),
                "ideal": ideal, "of ideal": paired(total, self.total(self.plain)) / ideal}


def test_greedy(pair: Any) -> None:
    """All held-out prompts. Every text is transformers' own, or the race does not count."""
    tally, brief = Tally(pair), Tally(pair)
    for label, ids in prompts():
        expected = peers(pair, ids)["transformers generate"]()[0, ids.shape[1]:].tolist()
        rounds = {}
        for name in OURS:
            done = ours(pair, ids, name)
            assert done.tokens == expected, f"{name} on {label}"
            rounds[name] = done.rounds
        tally.add(label, race(peers(pair, ids) | {name: partial(ours, pair, ids, name) for name in OURS}), rounds)
        if not loops(expected[:BRIEF]):
            short = {name: partial(ours, pair, ids, name, max_new_tokens=BRIEF) for name in OURS}
            brief.add(label, race(short), {name: run().rounds for name, run in short.items()})
    names = [*tally.seconds["code 0"]]
    rows = sorted((tally.row(n, ("transformers generate", "autoregressive")) for n in names), key=lambda r: -r["x autoregressive"])
    report("decoding-greedy", rows)
    report("decoding-greedy-no-loop", [brief.row(n, ("autoregressive",)) for n in OURS])
    report("decoding-cost", [{"n": n, "ms": 1e3 * tally.target[n], "C(n)/C(1)": tally.target[n] / tally.target[1]}
                             for n in sorted(tally.target.seconds)])
    print(f"{len(brief.seconds)} of {len(tally.seconds)} texts have no repeated 8-gram within {BRIEF} tokens: {', '.join(brief.seconds)}")
    by_name = {r["method"]: r for r in rows}
    assert by_name["autoregressive"]["x transformers generate"] >= 1.9
    # Prompt by prompt the plain loop has .96 to 1.14 against itself here, so that below 1.0 is told of all together; each is in the table.
    steady = [n for n in OURS if n != "autoregressive" and brief.row(n, ("autoregressive",))["x autoregressive"] >= 1.0]
    assert max(by_name[n]["x autoregressive"] for n in steady) >= 1.15
    for name in ("speculative-sampling 2", "token-recycling 16"):
        assert by_name[name]["of ideal"] >= 0.85


def test_greedy_trees(pair: Any) -> None:
    """The methods that grow trees with the draft model, on eight prompts: reported."""
    tally = Tally(pair)
    for label, ids in prompts(per_kind=2):
        runs_ = {name: partial(ours, pair, ids, name) for name in TREES}
        tally.add(label, race(runs_, rounds=3), {name: run().rounds for name, run in runs_.items()})
    report("decoding-greedy-trees", [tally.row(n, ("autoregressive",)) for n in TREES])


def test_sampled(pair: Any) -> None:
    totals: dict[str, list[float]] = {}
    counts: dict[str, list[float]] = {}
    for _, ids in prompts(per_kind=1):
        names = [*OURS, *(n for n in TREES if n not in OURS)]
        sampled = partial(pair.target.generate, ids, attention_mask=torch.ones_like(ids), max_new_tokens=NEW, do_sample=True, temperature=0.7)
        seconds = race({"transformers generate": sampled} | {n: partial(ours, pair, ids, n, temperature=0.7) for n in names}, rounds=7)
        for name in seconds:
            totals[name] = [a + b for a, b in zip(totals.get(name, [0.0] * 7), seconds[name], strict=True)]
            if name not in names:
                continue
            done = ours(pair, ids, name, temperature=0.7)
            counts.setdefault(name, []).append(len(done.tokens) / done.target_calls)
    report("decoding-sampled", [{"method": n, "seconds": statistics.median(s),
                                 **{f"x {a}": paired(s, totals[a]) for a in ("transformers generate", "autoregressive")},
                                 "tokens/forward": statistics.mean(counts.get(n, [1.0]))} for n, s in totals.items()])


@pytest.mark.parametrize("temperature", [0.0, 0.7])
def test_what_a_record_costs(pair: Any, temperature: float) -> None:
    """The default record against none, CPU seconds, by method: the price of the glass, at most a twentieth."""
    ids = torch.tensor([Python(prompt="code", index=1).open().tokens])
    rows = []
    for name in TREES | {"speculative-sampling 4": {}, "prompt-lookup suffix": {}, "token-recycling 16": {}}:
        seconds = race({keep: partial(ours, pair, ids, name, keep=keep, temperature=temperature) for keep in ("none", "top")}, 9, time.process_time)
        rows.append({"method": name, "none": statistics.median(seconds["none"]), "top / none": min(seconds["top"]) / min(seconds["none"]),
                     "median of pairs": 1 / paired(seconds["top"], seconds["none"])})
    report(f"decoding-records-{temperature:g}", rows)
    assert all(min(r["top / none"], r["median of pairs"]) <= 1.05 for r in rows)
