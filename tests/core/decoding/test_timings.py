"""Timings compare: what comes before the rounds is named for every method alike, and in no round. Time is a counter that models turn."""

from __future__ import annotations

import pkgutil
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any, ClassVar

import pytest
import torch

from glasshouse.families.decoding import drive as drive_module
from glasshouse.families.decoding import generate, methods
from glasshouse.families.decoding import generation as generation_module
from glasshouse.families.decoding import rounds as rounds_module
from glasshouse.families.decoding.drafting import model as model_module
from glasshouse.families.decoding.drive import BEFORE, drive, prepare, summary
from glasshouse.families.decoding.generation import method_class
from glasshouse.families.decoding.interface import Sampling, Setting
from glasshouse.families.decoding.rounds import Artefact
from glasshouse.models.language.tabular import TabularLM
from glasshouse.numerics.seeds import Seeds
from glasshouse.schema.events.decoding import Prompt, Round

NAMES = sorted(m.name for m in pkgutil.iter_modules(methods.__path__) if not m.name.startswith("_"))
PROMPT = tuple(i % 6 for i in range(50))
PACKING, TARGET, DRAFT, EXPLAINING = 1000.0, 1.0, 0.125, 10_000.0


class Clocked(TabularLM):
    """Every token that is scored takes ``each`` seconds."""

    def __init__(self, table: torch.Tensor, order: int = 1, name: str = "tabular") -> None:
        super().__init__(table, order, name)
        self.each, self.clock = 0.0, SimpleNamespace(now=0.0)

    def score(self, token: Any, parent: Any, rows: slice | None = None) -> Any:
        self.clock.now += self.each * len(token)
        return super().score(token, parent, rows)

    def fork(self) -> Clocked:
        return clocked(self, self.each, self.clock)


def clocked(model: TabularLM, each: float, clock: Any) -> Clocked:
    made = Clocked(model.table, model.order, model.name)
    made.each, made.clock = each, clock
    return made


@dataclass(frozen=True)
class Given:
    name: ClassVar[str] = "given"
    target: Any
    draft: Any
    clock: Any
    sampling: Sampling = Sampling(1.0)

    def open(self) -> Setting:
        self.clock.now += PACKING
        return Setting(self.target.fork(), self.draft.fork(), PROMPT, 30, self.sampling, calibration=(PROMPT,))


@pytest.fixture
def given(monkeypatch: pytest.MonkeyPatch) -> Given:
    clock = SimpleNamespace(now=0.0)
    for module in (drive_module, generation_module, rounds_module, model_module):
        monkeypatch.setattr(module, "time", SimpleNamespace(perf_counter=lambda: clock.now))
    target = TabularLM.random(6, order=1, seed=0)
    return Given(clocked(target, TARGET, clock), clocked(target.perturbed(0.2), DRAFT, clock), clock)


@pytest.mark.parametrize("name", NAMES)
def test_what_comes_before_the_rounds_is_named_and_in_no_round(name: str, given: Given) -> None:
    method = method_class(name)()
    found = list(drive(method, given, Seeds(0)))
    prompt = next(event for event in found if isinstance(event, Prompt))
    seen = [event for event in found if isinstance(event, Round)]
    assert prompt.packing_seconds == PACKING
    assert prompt.prompt_target_seconds == TARGET * (len(PROMPT) - 1)
    assert prompt.prompt_draft_seconds == (DRAFT * (len(PROMPT) - 1) if method.needs_draft else 0.0)
    assert (prompt.preparation_seconds > 0) == getattr(method, "prepares", False)
    assert [event.target_seconds for event in seen] == [TARGET * event.nodes for event in seen]
    assert [event.seconds for event in seen] == [event.target_seconds + event.draft_seconds for event in seen]
    assert max(event.draft_seconds for event in seen) < DRAFT * len(PROMPT)             # the first round drafts like any other
    total = summary(found)
    assert {name: total[name] for name in BEFORE} == {name: getattr(prompt, name) for name in BEFORE}
    assert total["tokens_per_second"] == pytest.approx(30 / sum(event.seconds for event in seen))


def test_explaining_is_in_no_round(given: Given) -> None:
    cls = method_class("spectr")

    class Slow(cls):        # type: ignore[misc, valid-type]
        def explain(self, *told: Any) -> Any:
            given.clock.now += EXPLAINING
            return super().explain(*told)

    assert max(event.seconds for event in drive(Slow(), given, Seeds(0)) if isinstance(event, Round)) < EXPLAINING


def test_preparation_takes_what_it_took_when_it_was_measured(given: Given) -> None:
    method = method_class("sequoia")()
    *_, artefact = prepare(method, given, Seeds(0))
    assert isinstance(artefact, Artefact)
    assert artefact.seconds == (TARGET + DRAFT) * len(PROMPT)
    prompt = next(iter(drive(method, given, Seeds(0), prepared=artefact)))
    assert isinstance(prompt, Prompt)
    assert prompt.preparation_seconds == artefact.seconds


@pytest.mark.parametrize("name", ["autoregressive", "sequoia"])
def test_generate_names_the_same_parts(name: str, given: Given) -> None:
    out = generate(given.target, PROMPT, method=name, draft=given.draft, max_new_tokens=20)
    read = len(PROMPT) - 1
    drafts = name == "sequoia"
    assert out.parts == {"packing": 0.0, "preparation": (TARGET + DRAFT) * len(PROMPT) if drafts else 0.0,
                         "prompt_target": TARGET * read, "prompt_draft": DRAFT * read if drafts else 0.0}
    assert out.seconds == out.parts["prompt_target"] + out.parts["prompt_draft"] + sum(event.seconds for event in out.rounds)
