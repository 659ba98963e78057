"""Every method of the family obeys every law; and each law can be broken."""

from __future__ import annotations

import pkgutil
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from glasshouse.families.decoding import laws, methods
from glasshouse.families.decoding.generation import method_class
from glasshouse.families.decoding.interface import Context, Method, Outcome, Proposal, TokenTree
from glasshouse.families.decoding.methods.autoregressive import Autoregressive
from glasshouse.families.decoding.methods.speculative_sampling import SpeculativeSampling
from glasshouse.schema.events.base import Lazy
from glasshouse.schema.knob import knobs_of

NAMES = sorted(m.name for m in pkgutil.iter_modules(methods.__path__) if not m.name.startswith("_"))


@pytest.mark.parametrize("law", laws.LAWS, ids=lambda law: law.__name__)
@pytest.mark.parametrize("name", NAMES)
def test_law(name: str, law: laws.Law) -> None:
    assert law(method_class(name))


@pytest.mark.parametrize("name", NAMES)
def test_a_method_is_a_method_with_bounded_knobs(name: str) -> None:
    cls = method_class(name)
    assert isinstance(cls(), Method)
    for knob in knobs_of(cls):
        assert knob.kind in ("bool", "choice") or (knob.low is not None and knob.high is not None) or knob.max_length is not None, knob.name


def broken(change: Callable[[Proposal, Context], Proposal]) -> type:
    class Broken(SpeculativeSampling):
        def propose(self, state: Any, context: Context) -> Proposal:
            return change(super().propose(state, context), context)
    return Broken


def remade(**arrays: Any) -> Callable[[Proposal, Context], Proposal]:
    def change(proposal: Proposal, context: Context) -> Proposal:
        tree = vars(proposal.tree) | {k: f(proposal.tree) for k, f in arrays.items()}
        return Proposal(TokenTree(**{k: tree[k] for k in TokenTree.__dataclass_fields__}), proposal.extra)
    return change


@pytest.mark.parametrize("arrays", [
    {"token": lambda t: t.token.astype(np.int32)}, {"token": lambda t: (t.token + 1) % 8}, {"q_index": lambda t: np.full(t.size, -1)},
    {"q": lambda t: 2 * t.q}, {"rank": lambda t: t.rank.astype(float)}, {"parent": lambda t: np.where(t.parent > 0, 0, t.parent)}],
    ids=["int32", "root", "undrawn", "q", "rank", "parent"])
def test_a_malformed_tree_is_noticed(arrays: dict[str, Any]) -> None:
    with pytest.raises((AssertionError, IndexError, ValueError, TypeError, RuntimeError)):      # some are so wrong that they do not even run
        laws.trees_are_well_formed(broken(remade(**arrays)))


class Careless(SpeculativeSampling):
    def absorb(self, state: Any, tree: TokenTree, outcome: Outcome, logits: Any) -> Any:
        logits[0] = 0.0
        return super().absorb(state, tree, outcome, logits)


class Remembering(Autoregressive):
    def init(self, vocab_size: int) -> Any:
        return []

    def absorb(self, state: Any, tree: TokenTree, outcome: Outcome, logits: Any) -> Any:
        state.append(len(state))
        return state


class Meddling(Remembering):
    def propose(self, state: Any, context: Context) -> Proposal:
        state.append(0)
        return super().propose(state, context)


class Unsteady(SpeculativeSampling):
    def propose(self, state: Any, context: Context) -> Proposal:
        proposal = super().propose(state, context)
        return Proposal(proposal.tree, lambda: {"noise": np.random.default_rng().random(3)})


class Shared(Remembering):
    def propose(self, state: Any, context: Context) -> Proposal:
        return Proposal(super().propose(state, context).tree, lambda: {"seen": state})


class Late(Remembering):
    def propose(self, state: Any, context: Context) -> Proposal:
        return Proposal(super().propose(state, context).tree, lambda: Lazy(lambda: {"seen": list(state)}))


class Nameless(SpeculativeSampling):
    def propose(self, state: Any, context: Context) -> Proposal:
        return Proposal(super().propose(state, context).tree)


@pytest.mark.parametrize(("law", "cls", "reason"), [
    (laws.arguments_are_left_alone, Careless, "absorb changed"), (laws.arguments_are_left_alone, Meddling, "propose changed"),
    (laws.one_seed_gives_one_trace, Unsteady, "extra differs"), (laws.pictures_stay_as_they_were, Shared, "changed afterwards"),
    (laws.pictures_stay_as_they_were, Late, "changed afterwards"), (laws.pictures_stay_as_they_were, Unsteady, "changed afterwards"),
    (laws.pictures_stay_as_they_were, Nameless, "names")], ids=lambda v: getattr(v, "__name__", v))
def test_each_law_can_be_broken(law: laws.Law, cls: type, reason: str) -> None:
    with pytest.raises(AssertionError, match=reason):
        law(cls)


@pytest.mark.parametrize(("law", "cls"), [
    (laws.greedy_text_is_the_targets, SpeculativeSampling), (laws.coupled_text_is_the_targets, SpeculativeSampling),
    (laws.two_tokens_are_vocabulary_enough, SpeculativeSampling), (laws.point_mass_text_is_the_targets, Autoregressive)])
def test_a_text_of_another_target_is_noticed(law: laws.Law, cls: type, monkeypatch: pytest.MonkeyPatch) -> None:
    right = laws.plain
    monkeypatch.setattr(laws, "plain", lambda given, seed=0: right(given, seed)[::-1])
    with pytest.raises(AssertionError, match="text"):
        law(cls)
