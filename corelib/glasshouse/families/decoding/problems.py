"""What can be decoded: the bundled pair on held-out prompts, the exact toy model, or models and a prompt of your own."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache, partial
from typing import Annotated, Any, ClassVar, Literal

from annotated_types import Ge, Le, MaxLen

from glasshouse import assets
from glasshouse.families.decoding.generation import end_of_text
from glasshouse.families.decoding.interface import Coupled, DraftTopP, Sampling, Setting, Temperature, TopP
from glasshouse.models.language import LoadedOnce, Scorer, TabularLM, load_pair, pieces, scorer_for
from glasshouse.schema.errors import bad_value
from glasshouse.schema.knob import Knob

Length = Annotated[int, Ge(1), Le(384), Knob(cost="job", group="what it writes", unit="tokens", label="new tokens")]
OwnText = Annotated[str, MaxLen(8000), Knob(cost="job", group="what it writes", label="your prompt", more=True,
                                            help="continued instead of the prompt chosen above; never part of a link")]
Kind = Literal["code", "docstring", "repetitive", "entropy"]


@dataclass(frozen=True)
class Python:
    """The bundled pair, trained on Python's standard library, continuing modules it has never seen."""

    name: ClassVar[str] = "python"
    title: ClassVar[str] = "Unseen Python, bundled models"

    prompt: Annotated[Kind, Knob(cost="job", group="what it writes")] = "code"
    index: Annotated[int, Ge(0), Le(7), Knob(cost="job", group="what it writes", help="which of the eight prompts of this kind")] = 0
    max_new_tokens: Length = 96
    temperature: Temperature = 0.7
    top_p: TopP = 1.0
    coupled: Coupled = False
    draft_top_p: DraftTopP = True
    text: OwnText = ""

    @property
    def sampling(self) -> Sampling:
        return Sampling(self.temperature, self.top_p, self.coupled, self.draft_top_p)

    def open(self) -> Setting:
        models = _bundled()
        chosen = self.text or prompts(self.prompt)[self.index]
        others = tuple(models.encode(t) for i, t in enumerate(prompts(self.prompt)) if self.text or i != self.index)
        return models.setting(chosen, self.max_new_tokens, self.sampling, others)


@dataclass(frozen=True)
class Tiny:
    """A Markov source over five letters, every law known exactly, and a draft at a chosen distance from it."""

    name: ClassVar[str] = "tiny"
    title: ClassVar[str] = "Five letters, exact law"

    divergence: Annotated[float, Ge(0), Le(0.4), Knob(cost="job", group="what it writes", step=0.01, label="draft divergence",
                                                     help="total variation between draft and target, averaged over contexts")] = 0.2
    max_new_tokens: Length = 32
    temperature: Temperature = 1.0
    top_p: TopP = 1.0
    coupled: Coupled = False
    draft_top_p: DraftTopP = True

    @property
    def sampling(self) -> Sampling:
        return Sampling(self.temperature, self.top_p, self.coupled, self.draft_top_p)

    def open(self) -> Setting:
        target, draft = toy_pair(self.divergence)
        texts = tuple(tuple((7 * i + j * j) % target.vocab_size for j in range(48)) for i in range(4))
        return Setting(target, draft, (0, 1), self.max_new_tokens, self.sampling, piece="abcde".__getitem__, calibration=texts)


@dataclass(frozen=True)
class OwnModels:
    """Models of your own by folder or hub id; the draft only where the method needs one."""

    name: ClassVar[str] = "model"
    title: ClassVar[str] = "Your models, your prompt"

    target: Annotated[str, MaxLen(400), Knob(cost="job", group="what it writes", unit="model", help="a folder or hub id")] = ""
    draft: Annotated[str, MaxLen(400), Knob(cost="job", group="what it writes", unit="model",
                                            help="a folder or hub id with the target's tokenizer")] = ""
    text: OwnText = "def "
    max_new_tokens: Length = 96
    temperature: Temperature = 0.7
    top_p: TopP = 1.0
    coupled: Coupled = False
    draft_top_p: DraftTopP = True

    @property
    def sampling(self) -> Sampling:
        return Sampling(self.temperature, self.top_p, self.coupled, self.draft_top_p)

    def open(self) -> Setting:
        if not self.target:
            raise bad_value("target", self.target, "a folder or hub id of a causal language model")
        models = _own(self.target, self.draft)
        return models.setting(self.text, self.max_new_tokens, self.sampling)


PROBLEMS: tuple[type, ...] = (Python, Tiny, OwnModels)


def toy_pair(divergence: float = 0.2) -> tuple[TabularLM, TabularLM]:
    """(target, draft) over five tokens with this mean total variation between their conditional laws."""
    target = TabularLM.random(5, order=1, seed=0)
    return target, target.perturbed(divergence)


@lru_cache(maxsize=1)
def _prompts() -> dict[str, list[dict[str, Any]]]:
    return json.loads(assets.path("datasets", "decoding-prompts", "prompts.json").read_text("utf-8"))["prompts"]  # type: ignore[no-any-return]


def prompts(kind: Kind) -> list[str]:
    """The eight held-out prompts of a kind."""
    return [str(entry["text"]) for entry in _prompts()[kind]]


@dataclass(frozen=True, eq=False)
class _Models:
    """Loaded once, forked for each text."""

    target: Scorer
    draft: Scorer | None
    eos: frozenset[int]
    encode: Callable[[str], tuple[int, ...]]
    pieces: tuple[str, ...]

    def setting(self, text: str, new: int, sampling: Sampling, calibration: tuple[tuple[int, ...], ...] = ()) -> Setting:
        tokens = self.encode(text)
        if not tokens:
            raise bad_value("text", text, "a prompt of at least one token")
        if len(tokens) >= self.target.window:
            raise bad_value("text", text, f"a prompt of at most {self.target.window - 1} tokens for this target, not {len(tokens)}")
        return Setting(self.target.fork(), self.draft.fork() if self.draft is not None else None, tokens, new, sampling, self.eos,
                       self.pieces.__getitem__, calibration or (tokens,))


def _opened(pair: Any, special: bool) -> _Models:
    tokenizer, target = pair.tokenizer, scorer_for(pair.target)

    def encode(text: str) -> tuple[int, ...]:
        return tuple(tokenizer.encode(text, add_special_tokens=special))

    draft = scorer_for(pair.draft) if pair.draft is not None else None
    return _Models(target, draft, end_of_text(pair.target), encode, pieces(tokenizer, range(target.vocab_size)))


@LoadedOnce
def _bundled() -> _Models:
    return _opened(load_pair(), special=False)


@partial(LoadedOnce, most=2)
def _own(target: str, draft: str) -> _Models:
    return _opened(load_pair(target=target, draft=draft or None), special=True)
