"""The loop: where texts end, what is refused before any work, and limits in which the answer is known."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any, ClassVar

import numpy as np
import pytest

from glasshouse.families.decoding.interface import Context, Outcome, Proposal, Rule, Sampling, Setting, TokenTree
from glasshouse.families.decoding.laws import plain, run, setting, text
from glasshouse.families.decoding.methods.autoregressive import Autoregressive
from glasshouse.families.decoding.methods.speculative_sampling import SpeculativeSampling
from glasshouse.families.decoding.rounds import check, cut, fitted
from glasshouse.models.language.scorer import extend
from glasshouse.models.language.tabular import TabularLM
from glasshouse.schema.errors import BadValue

GREEDY, RANDOM = Sampling(), Sampling(1.0)


@dataclass(frozen=True)
class Told:
    """Proposes the true greedy continuation as a chain, as long as ``ahead`` whatever the room: the limits must hold without its help."""

    truth: tuple[int, ...]
    ahead: int = 6
    needs_draft: ClassVar[bool] = False
    rule: ClassVar[Rule] = "V4"
    absorbed: list[Outcome] = field(default_factory=list)

    def init(self, vocab_size: int) -> Any:
        return None

    def propose(self, state: Any, context: Context) -> Proposal:
        done = context.position - context.prompt_length
        guesses = self.truth[done:done + self.ahead]
        n = 1 + len(guesses)
        tree = TokenTree(token=np.asarray([context.tokens[-1], *guesses]), parent=np.arange(-1, n - 1), rank=np.zeros(n, np.int64),
                         q_index=np.full(n, -1), q=np.zeros((0, context.vocab_size)), source=np.zeros(n, np.int64))
        return Proposal(tree)

    def absorb(self, state: Any, tree: TokenTree, outcome: Outcome, logits: Any) -> Any:
        assert logits.shape[0] == tree.size
        self.absorbed.append(outcome)
        return state


def told(new: int = 40, **changes: Any) -> tuple[Any, Setting, list[int]]:
    longer = tuple(plain(setting(GREEDY, new=new + 20)))
    given = replace(setting(GREEDY, new=new), **changes)
    return Told(longer), given, list(longer[:new])


def test_right_guesses_are_all_accepted() -> None:
    method, given, truth = told(35)
    events, _ = run(method, given)
    assert text(events) == truth
    assert [e.tokens for e in events] == [7] * 5
    assert [e.final_kind for e in events] == ["bonus"] * 5


@pytest.mark.parametrize("new", [1, 2, 5, 6, 7, 8, 20])
def test_a_text_never_grows_beyond_its_length_even_inside_a_tree(new: int) -> None:
    method, given, truth = told(new)
    events, _ = run(method, given)
    assert text(events) == truth
    assert all(e.accepted <= e.tokens <= e.accepted + 1 for e in events)
    assert all(e.nodes <= max(1, room) for e, room in zip(events, [new, *(new - np.cumsum([e.tokens for e in events]))], strict=False))


@pytest.mark.parametrize("method", ["told", "autoregressive"])
def test_the_text_stops_at_the_first_end_token_which_stays(method: str) -> None:
    teller, given, truth = told(40)
    for token in sorted(set(truth)):
        first = truth.index(token) + 1
        ended = replace(given, target=given.target.fork(), eos=frozenset({token}))
        events, _ = run(replace(teller, absorbed=[]) if method == "told" else Autoregressive(), ended)
        assert text(events) == truth[:first], token
        last = events[-1]
        assert last.accepted == len(last.path) - 1 <= last.tokens == len(last.committed)


def test_what_is_cut_keeps_path_and_text_together() -> None:
    outcome = Outcome((0, 1, 2, 3), (5, 6, 7, 8), 8, 3, "bonus")
    assert cut(outcome, 9, frozenset()) is outcome
    assert (cut(outcome, 2, frozenset()).committed, cut(outcome, 2, frozenset()).path) == ((5, 6), (0, 1, 2))
    assert (cut(outcome, 9, frozenset({6, 8})).committed, cut(outcome, 9, frozenset({6})).path) == ((5, 6), (0, 1, 2))
    assert cut(outcome, 9, frozenset({8})) is outcome


def test_a_tree_that_is_too_deep_loses_its_deepest_nodes_only() -> None:
    parent = np.asarray([-1, 0, 1, 0, 2, 3])
    tree = TokenTree(token=np.arange(6), parent=parent, rank=np.asarray([0, 0, 0, 1, 0, 0]), q_index=np.full(6, -1), q=np.zeros((0, 6)),
                     source=np.zeros(6, np.int64))
    smaller = fitted(tree, 1)
    assert smaller.token.tolist() == [0, 1, 3]
    assert smaller.parent.tolist() == [-1, 0, 0]
    assert fitted(tree, 2).parent.tolist() == [-1, 0, 1, 0, 3]
    assert fitted(tree, 3) is tree


def test_the_cache_holds_the_text_but_its_last_token() -> None:
    given = setting(RANDOM)
    tokens = [*given.tokens, *text(run(SpeculativeSampling(3), given)[0])]
    assert given.target.length == len(tokens) - 1
    fresh = given.target.fork()
    extend(fresh, tokens[:-1])
    np.testing.assert_array_equal(extend(given.target, tokens[-1:]), extend(fresh, tokens[-1:]))


@pytest.mark.parametrize("sampling", [RANDOM, Sampling(0.5, 0.6), Sampling(1.0, coupled=True), GREEDY])
def test_a_draft_equal_to_the_target_is_always_accepted(sampling: Sampling) -> None:
    given = setting(sampling)
    events, _ = run(SpeculativeSampling(4), replace(given, draft=given.target.fork()))
    assert all(e.accepted == 4 for e in events[:-1])


def test_drafting_costs_one_draft_call_a_guess() -> None:
    events, _ = run(SpeculativeSampling(4), setting(RANDOM, new=60))
    # No round caches the prompt. A last guess that was accepted is caught up with by the next round's first call.
    assert [e.draft_calls for e in events[:-2]] == [4] * (len(events) - 2)
    assert all(e.target_seconds <= e.seconds for e in events)
    assert all(e.draft_seconds <= e.seconds for e in events)


def test_top_p_that_leaves_one_token_is_greedy() -> None:
    found, _ = run(SpeculativeSampling(3), setting(Sampling(1.0, top_p=1e-9)))
    assert text(found) == plain(setting(GREEDY))


@pytest.mark.parametrize("temperature", [1e-5, 1e-12])
def test_the_coldest_sampling_is_greedy(temperature: float) -> None:
    found, _ = run(SpeculativeSampling(3), setting(Sampling(temperature)))
    assert text(found) == plain(setting(GREEDY))


def test_drafts_that_exclude_what_the_target_wants_are_survived() -> None:
    """Disjoint supports: nothing is ever accepted, and the text is the target's."""
    target = torch_table([[0, 0, 0.5, 0.5]] * 5)
    draft = torch_table([[0.5, 0.5, 0, 0]] * 5)
    given = Setting(target, draft, (2,), 30, RANDOM)
    events, _ = run(SpeculativeSampling(2), given)
    assert all(e.accepted == 0 for e in events)
    assert set(text(events)) == {2, 3}


def torch_table(rows: list[list[float]]) -> TabularLM:
    import torch

    return TabularLM(torch.tensor(rows, dtype=torch.float64))


@pytest.mark.parametrize(("changes", "argument"), [
    ({"tokens": ()}, "prompt"), ({"tokens": (0, 99)}, "input_ids"), ({"tokens": (-1,)}, "input_ids"), ({"max_new_tokens": 0}, "max_new_tokens"),
    ({"max_new_tokens": 1 << 41}, "max_new_tokens"), ({"draft": None}, "draft"), ({"draft": TabularLM.random(5)}, "draft")])
def test_what_cannot_run_is_refused_before_any_work(changes: dict[str, Any], argument: str) -> None:
    given = replace(setting(RANDOM), **changes)
    with pytest.raises(BadValue) as refused:
        check(SpeculativeSampling(), given)
    assert refused.value.argument == argument
    assert given.target.calls == 0


def test_a_method_without_a_draft_needs_none() -> None:
    check(Autoregressive(), replace(setting(RANDOM), draft=None))
