"""What a record costs: memory in proportion to the text, numbers instead of rows, nothing explained before it is looked at."""

from __future__ import annotations

import gc
import pickle
import pkgutil
import sys
import types
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch

from glasshouse.families.decoding import generate, methods, transport
from glasshouse.families.decoding.generation import method_class
from glasshouse.families.decoding.interface import Look, Sampling, Setting
from glasshouse.families.decoding.laws import run
from glasshouse.families.decoding.methods.spectr import SpecTr
from glasshouse.families.decoding.reading import node_look
from glasshouse.families.decoding.sampling import distribution
from glasshouse.models.language.tabular import TabularLM
from glasshouse.schema.events.base import Lazy
from glasshouse.schema.events.decoding import Round

NAMES = sorted(m.name for m in pkgutil.iter_modules(methods.__path__) if not m.name.startswith("_"))
V = 300
SHARED = (type, types.ModuleType, types.BuiltinFunctionType, torch.nn.Module, torch.Tensor)


def large() -> tuple[TabularLM, TabularLM]:
    """(target, draft) over more tokens than a record keeps of a distribution."""
    one, other = (TabularLM(torch.from_numpy(np.random.default_rng(seed).normal(scale=3, size=(V + 1, V))).softmax(-1)) for seed in (0, 1))
    return one, one.mixed_with(other, 0.4)


def decoded(name: str, new: int, temperature: float = 1.0, **knobs: Any) -> list[Round]:
    given = Setting(*large(), tuple(range(40)), new, Sampling(temperature))
    return run(method_class(name)(**knobs), given, keep="top")[0]


def reached(*roots: Any) -> Iterator[Any]:
    """All that is kept alive by ``roots``, classes, modules and the globals of functions aside."""
    known: dict[int, Any] = {}
    waiting = list(roots)
    while waiting:
        item = waiting.pop()
        if id(item) in known or isinstance(item, SHARED):
            continue
        known[id(item)] = item
        yield item
        if isinstance(item, types.FunctionType):
            waiting += [*(item.__closure__ or ()), item.__defaults__]
        elif isinstance(item, np.ndarray):
            waiting.append(item.base)
        else:
            waiting += gc.get_referents(item)


def held(events: list[Round]) -> int:
    """Bytes, arrays with all that they are views of."""
    return sum(item.nbytes if isinstance(item, np.ndarray) else sys.getsizeof(item) for item in reached(events))


@pytest.mark.parametrize("temperature", [0.0, 1.0])
@pytest.mark.parametrize("name", NAMES)
def test_memory_is_linear_in_the_text(name: str, temperature: float) -> None:
    short, long = decoded(name, 100, temperature), decoded(name, 400, temperature)
    grown = sum(event.nodes for event in long) / sum(event.nodes for event in short)        # tables have larger trees later
    assert held(long) < 1.3 * grown * held(short)
    assert len(pickle.dumps(long)) < 1.3 * grown * len(pickle.dumps(short))
    assert max(len(pickle.dumps(event)) / event.nodes for event in long[-20:]) < 1.5 * max(len(pickle.dumps(event)) / event.nodes for event in short)
    assert not any(item.ndim and item.shape[-1] >= V for item in reached(long) if isinstance(item, np.ndarray))


def test_the_measure_of_memory_sees_what_a_closure_holds() -> None:
    text = np.zeros(1000)
    assert held([Lazy(lambda: {"text": text[:2]})]) > 8000     # type: ignore[list-item]
    assert held([text[:2]]) > 8000                              # type: ignore[list-item]


def test_the_linear_programme_is_solved_when_it_is_looked_at(monkeypatch: pytest.MonkeyPatch) -> None:
    solved, plan = [], transport.plan
    monkeypatch.setattr(transport, "plan", lambda *few: solved.append(1) or plan(*few))
    events = decoded("spectr", 12)
    assert not solved
    seen = node_look(events, Look(1)).extra
    assert not solved
    assert 0.5 < seen["plan"].sum() <= 1.0 + 1e-9
    assert len(seen["guesses"]) == len(seen["plan"])
    assert len(solved) == 1


@pytest.mark.parametrize(("temperature", "top_p"), [(0.0, 1.0), (0.7, 1.0), (1.0, 0.5), (1.0, 0.95), (1e-4, 1.0)])
def test_the_largest_entries_are_those_of_the_whole_record(temperature: float, top_p: float) -> None:
    given = Setting(*large(), (0, 1), 40, Sampling(temperature, top_p))
    again = replace(given, target=given.target.fork(), draft=given.draft.fork())       # type: ignore[union-attr]
    for a, b in zip(run(SpecTr(), again, keep="top")[0], run(SpecTr(), given, keep="full")[0], strict=True):
        np.testing.assert_allclose(a.p_token, b.p_token, rtol=1e-5, atol=1e-7)
        kept = a.p.ids[:, 0] >= 0
        assert kept[[*a.path, *a.parent[1:]]].all()
        for left, right in ((a.p, b.p), (a.q, b.q), (a.residual, b.residual)):
            rows = left.ids[:, 0] >= 0
            np.testing.assert_allclose(left.mass[rows], right.mass[rows], rtol=1e-5, atol=1e-7)
            np.testing.assert_allclose(left.rest[rows], right.rest[rows], atol=1e-6)
        assert (a.residual.ids[:, 0] >= 0).tolist() == (b.residual.ids[:, 0] >= 0).tolist()


@pytest.mark.parametrize("k", [1, 2, 4, 8])
def test_numbers_by_level_are_the_sums_over_the_vocabulary(k: int) -> None:
    rng = np.random.default_rng(k)
    for size in (3, 50, 2000):
        p, q = distribution(rng.normal(scale=3, size=(2, size)), Sampling(1.0))
        q[rng.integers(size)] = 0.0
        q /= q.sum()
        levels = transport.Levels(*transport.lumped(p, q))
        for rho in (1.0, 1.3, k):
            assert float(levels.beta(rho)) == pytest.approx(transport.beta(p, q, rho), abs=1e-6)
        assert levels.division_factor(k) == pytest.approx(transport.division_factor(p, q, k), abs=1e-5)
        assert levels.optimum(k) == pytest.approx(transport.optimum(p, q, k), abs=1e-5)


MARK = [201, 17, 263, 88, 142, 5, 299, 31]


def holds(item: Any) -> bool:
    """Whether this is the marked text: as characters, or as numbers."""
    if isinstance(item, str):
        return "".join(map(chr, MARK)) in item
    if isinstance(item, list | tuple | np.ndarray) and len(item) >= len(MARK):
        numbers = item.ravel().tolist() if isinstance(item, np.ndarray) else list(item)
        return any(numbers[i:i + len(MARK)] == MARK for i in range(len(numbers)))
    return False


def kept_by_modules() -> list[Any]:
    """What module-level caches and containers of the family and its models hold on to."""
    own = [m for name, m in sorted(sys.modules.items()) if name.startswith(("glasshouse.families.decoding", "glasshouse.models"))]
    roots = [value for module in own for name, value in vars(module).items() if not name.startswith("__")]
    caches = [value for value in roots if hasattr(value, "cache_info") or isinstance(value, dict | list | set) or hasattr(value, "data")]
    return [item for item in reached(*caches) if holds(item)]


@pytest.mark.parametrize("name", NAMES)
def test_no_module_keeps_the_text_after_the_call(name: str) -> None:
    target, draft = large()
    knobs = {"least_chance": 0.1} if name == "prompt_lookup" else {}
    for temperature in (0.0, 1.0):
        generate(target, MARK * 3, method=name, draft=draft, max_new_tokens=8, temperature=temperature, **knobs)
    assert not kept_by_modules()


def test_a_kept_text_would_be_found(monkeypatch: pytest.MonkeyPatch) -> None:
    from functools import lru_cache

    from glasshouse.families.decoding.methods import prompt_lookup

    remembered = lru_cache(len)
    monkeypatch.setattr(prompt_lookup, "remembered", remembered, raising=False)
    assert not kept_by_modules()
    remembered("".join(map(chr, MARK * 2)))
    assert kept_by_modules()
