"""The stream of events, what is recorded in a round, and what can be read from it."""

from __future__ import annotations

import pickle
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any, ClassVar

import numpy as np
import pytest

from glasshouse.families.decoding.drive import drive, guarantee, look, prepare, summary
from glasshouse.families.decoding.interface import Look, Sampling, Setting
from glasshouse.families.decoding.laws import run, setting
from glasshouse.families.decoding.methods.autoregressive import Autoregressive
from glasshouse.families.decoding.methods.speculative_sampling import SpeculativeSampling
from glasshouse.families.decoding.planted import Planted
from glasshouse.families.decoding.problems import Tiny
from glasshouse.families.decoding.rounds import rounds
from glasshouse.families.decoding.sampling import distribution
from glasshouse.families.decoding.studies import lossless
from glasshouse.numerics.seeds import Seeds
from glasshouse.schema.errors import BadValue
from glasshouse.schema.events.base import Event, Progress
from glasshouse.schema.events.decoding import NodeState, Prompt, Round

SAMPLED = Tiny(divergence=0.4, max_new_tokens=40)
ROOT, ACCEPTED, REJECTED, UNTESTED = NodeState


def events(problem: Tiny = SAMPLED, method: Any = None, seed: int = 0) -> list[Any]:
    return list(drive(method or SpeculativeSampling(4), problem, Seeds(seed)))


def tree_rounds(rule: str, keep: Any = "full") -> list[Round]:
    """Rounds over trees three wide. The rule may not fit the guesses, which recording does not mind."""
    method = type("Wide", (Planted,), {"rule": rule})("iid-residual")
    return list(rounds(method, setting(Sampling(1.0)), Seeds(0), None, keep))


def test_a_prompt_and_then_rounds_that_join_into_the_text() -> None:
    first, *rest = events()
    assert isinstance(first, Prompt)
    assert (first.ids, first.pieces, first.tokens) == ((0, 1), ("a", "b"), 2)
    assert first.draft
    assert events(method=Autoregressive())[0].draft == ""
    position = 2
    for i, event in enumerate(rest):
        assert (event.round, event.position, event.tokens) == (i, position, len(event.committed))
        assert event.text == tuple("abcde"[t] for t in event.committed)
        position += event.tokens
    assert position == 42


def test_arrays_say_what_scalars_say() -> None:
    for event in events()[1:]:
        n = event.nodes
        for name in ("token", "parent", "depth", "rank", "source", "q_token", "p_token", "accept", "u", "state"):
            assert getattr(event, name).shape == (n,), name
        assert event.state[0] == ROOT
        assert [int(i) for i in np.flatnonzero(event.state == ACCEPTED)] == list(event.path[1:])
        assert event.accepted == len(event.path) - 1
        tested = np.isin(event.state, (ACCEPTED, REJECTED))
        assert (np.isfinite(event.accept) == tested).all()
        assert ((event.u < event.accept)[tested] == (event.state == ACCEPTED)[tested]).all()
        children = event.parent[1:]
        np.testing.assert_allclose(event.p_token[1:], [dict(zip(event.p.ids[p], event.p.mass[p], strict=True))[t]
                                                        for p, t in zip(children, event.token[1:], strict=True)])
        np.testing.assert_allclose(event.accept[tested], np.minimum(1, event.p_token / event.q_token)[tested])
        assert set(event.token) | {event.final} <= set(event.pieces)


@pytest.mark.parametrize("top_p", [1.0, 0.8])
def test_recorded_laws_are_the_models_own(top_p: float) -> None:
    given = setting(Sampling(0.7, top_p))
    found, _ = run(SpeculativeSampling(3), given, keep="full")
    text = list(given.tokens)
    for event in found:
        paths = {0: tuple(text)}
        for node in range(1, event.nodes):
            paths[node] = (*paths[int(event.parent[node])], int(event.token[node]))
        for node, path in paths.items():
            p = distribution(given.target.next(path).log().numpy(), given.sampling)     # type: ignore[attr-defined]
            np.testing.assert_allclose(event.p.full[node], p, atol=1e-12)               # type: ignore[index]
            row = event.q.full[node]                                                    # type: ignore[index]
            if node < event.nodes - 1:
                q = distribution(given.draft.next(path).log().numpy(), given.sampling)  # type: ignore[union-attr]
                np.testing.assert_allclose(row, q, atol=1e-12)
            else:
                assert np.isnan(row).all()
        text += event.committed


def test_top_rows_and_the_rest_are_the_whole() -> None:
    from glasshouse.families.decoding.recording import TOP, top_rows

    law = np.random.default_rng(0).dirichlet(np.full(50, 0.3), 3)
    rows = top_rows(law, np.asarray([0, 2, 3]), 5, "top")
    assert rows.ids.shape == (5, TOP)
    assert (rows.ids[[1, 4]] == -1).all()
    assert np.isnan(rows.mass[[1, 4]]).all()
    for row, node in enumerate((0, 2, 3)):
        np.testing.assert_array_equal(rows.mass[node], np.sort(law[row])[::-1][:TOP])
        np.testing.assert_array_equal(law[row][rows.ids[node]], rows.mass[node])
        assert rows.mass[node].sum() + rows.rest[node] == pytest.approx(1)


@pytest.mark.parametrize("rule", ["V2", "V3", "V5", "V4"])
def test_the_residual_is_what_the_final_token_came_from(rule: str) -> None:
    seen = 0
    for event in tree_rounds(rule):
        row = event.residual.full[event.final_node]             # type: ignore[index]
        rejected = event.final_kind == "correction"
        assert np.isfinite(row).all() == rejected
        if rejected:
            seen += 1
            assert row.sum() == pytest.approx(1)
            assert row[event.final] > 0
            if rule == "V4":
                assert (row[event.token[event.parent == event.final_node]] == 0).all()
    assert seen > 0


def test_greedy_shows_laws_at_temperature_one() -> None:
    for event in events(replace(SAMPLED, temperature=0.0))[1:]:
        assert event.rule == "V0"
        assert (event.p.mass[event.p.ids[:, 0] >= 0] > 0).all()
        assert (event.p.ids[[*event.path, *event.parent[1:]], 0] >= 0).all()
        assert set(event.accept[np.isfinite(event.accept)]) <= {0.0, 1.0}
        assert np.isnan(event.u).all()
        assert event.final == event.p.ids[event.final_node][0]


def test_nothing_kept_is_lean_and_the_same_text() -> None:
    lean, full = (run(SpeculativeSampling(4), setting(Sampling(1.0)), keep=keep)[0] for keep in ("none", "full"))
    for a, b in zip(lean, full, strict=True):
        assert (a.committed, a.path, a.nodes, a.accepted, a.final_kind) == (b.committed, b.path, b.nodes, b.accepted, b.final_kind)
        assert a.token.size == a.p.ids.size == 0
        assert a.extra == {}


def test_events_travel_between_processes() -> None:
    for event in (*events()[:4], look(events(), Look()), *lossless(SpeculativeSampling(), SAMPLED, Seeds(0), draws=100), Event()):
        again = pickle.loads(pickle.dumps(event))
        assert vars(again).keys() == vars(event).keys()
        if isinstance(event, Event):
            assert again.row() == event.row()
            assert again.extra.keys() == event.extra.keys()


# ---- looks
def test_the_look_follows_the_newest_decision() -> None:
    found = events()
    seen = look(found, Look())
    assert seen.round is found[-1]
    assert (seen.index, seen.rounds, seen.node, seen.at) == (len(found) - 2, len(found) - 1, found[-1].final_node, found[-1].final_node)
    assert len(seen.labels) == len(seen.p) == len(seen.q) == len(seen.residual)
    assert list(seen.p) == sorted(seen.p, reverse=True)


def test_looks_beyond_what_exists_show_the_last() -> None:
    found = events()
    seen = look(found, Look(round=5000, node=5000))
    assert seen.index == seen.rounds - 1
    assert seen.node == found[-1].nodes - 1
    with pytest.raises(BadValue):
        look(found[:1], Look())
    with pytest.raises(BadValue, match="keep"):
        look(list(drive(SpeculativeSampling(), SAMPLED, Seeds(0), keep="none")), Look())


def test_sentences_do_the_decisions_arithmetic() -> None:
    found = events()
    said = set()
    for index, event in enumerate(found[1:]):
        for node in range(1, event.nodes):
            seen = look(found, Look(round=index, node=node))
            assert seen.at == event.parent[node]
            word = {ACCEPTED: "Accepted", REJECTED: "Rejected", UNTESTED: "Never tested"}[NodeState(int(event.state[node]))]
            assert seen.sentence.startswith(word), seen.sentence
            if word != "Never tested":
                assert f"u = {event.u[node]:.3g}" in seen.sentence
            said.add(word)
        final = look(found, Look(round=index)).sentence
        assert repr("abcde"[event.final]) in final
        assert ("rejected" in final) == (event.final_kind == "correction")
    assert said == {"Accepted", "Rejected", "Never tested"}


def ended_by_a_guess(draft: int) -> tuple[list[Any], Round]:
    """All events, and the last: its path ends in a guess that is an end-of-text token, before ``draft`` guesses were used up."""
    for seed in range(50):
        given = replace(Tiny(divergence=0.0, temperature=1.0, max_new_tokens=60).open(), eos=frozenset({3}))
        found = list(drive(SpeculativeSampling(draft), Opened(given), Seeds(seed)))
        last = found[-1]
        if last.committed[-1] == 3 and len(last.committed) < len(last.path):
            return found, last
    raise AssertionError("no text ended in a guess")


@pytest.mark.parametrize("draft", [1, 6])
def test_where_a_guess_ended_the_text_nothing_is_said_to_follow(draft: int) -> None:
    found, event = ended_by_a_guess(draft)
    *_, before, end = event.path
    newest = look(found, Look())
    assert (newest.node, newest.at) == (before, before)
    assert newest.sentence == "The guess 'd' was accepted, and the text ended with it."
    assert look(found, Look(node=end)).sentence.startswith("Accepted")
    for node in np.flatnonzero(event.parent == end):
        assert look(found, Look(node=int(node))).sentence == "Never tested: the text ended before it."
    behind = np.flatnonzero(event.depth >= len(event.committed))
    assert (event.residual.ids[behind] == -1).all()
    assert all("rejected" not in look(found, Look(node=n)).sentence.lower() for n in range(event.nodes))


@pytest.mark.parametrize(("changes", "phrase"), [({"temperature": 0.0}, "most likely"), ({"coupled": True}, "this position's noise")])
def test_sentences_of_followed_choices(changes: dict[str, Any], phrase: str) -> None:
    found = events(replace(SAMPLED, **changes))
    sentences = [look(found, Look(round=i, node=1)).sentence for i in range(4)]
    assert all(phrase in s for s in sentences)


@pytest.mark.parametrize(("rule", "phrase"), [("V4", "one sample from p"), ("V5", "rho"), ("V3", "left of p")])
def test_sentences_of_trees(rule: str, phrase: str) -> None:
    found = tree_rounds(rule)
    sentences = [look(found, Look(round=i, node=n)).sentence for i, event in enumerate(found) for n in range(event.nodes)]
    assert any(phrase in s for s in sentences)
    assert len(sentences) > 20


# ---- summary, guarantee, prepare
def test_the_summary_adds_up() -> None:
    found = events()
    total = summary(found)
    own = found[1:]
    assert total["tokens"] == 40
    assert total["rounds"] == total["target_calls"] == len(own)
    assert total["tokens_per_target_forward"] == pytest.approx(40 / len(own))
    rejected = sum(e.final_kind == "correction" for e in own)
    assert total["acceptance"] == pytest.approx(sum(e.accepted for e in own) / (sum(e.accepted for e in own) + rejected))
    assert summary([])["tokens"] == 0


def test_the_guarantee_is_that_of_the_run() -> None:
    method = SpeculativeSampling()
    assert guarantee(method, SAMPLED).kind == "lossless"
    assert "temperature 0.5 and top-p 0.9" in guarantee(method, replace(SAMPLED, temperature=0.5, top_p=0.9)).statement
    assert guarantee(method, replace(SAMPLED, temperature=0.0)).kind == "lossless-greedy"
    assert "same noise" in guarantee(method, replace(SAMPLED, coupled=True)).statement
    assert guarantee(Planted(), SAMPLED).kind == "none"


@dataclass(frozen=True)
class Measuring(SpeculativeSampling):
    """Prepares a number and starts from it."""

    prepares: ClassVar[bool] = True

    def prepare(self, setting: Setting, seeds: Seeds) -> Iterator[Any]:
        assert setting.calibration
        yield Progress(done=0.5)
        yield 17

    def init(self, vocab_size: int, prepared: Any = None) -> Any:
        assert prepared == 17
        return super().init(vocab_size)


def test_what_is_prepared_reaches_the_method() -> None:
    items = list(prepare(Measuring(), SAMPLED, Seeds(0)))
    assert isinstance(items[0], Progress)
    assert items[-1].value == 17
    with_it = list(drive(Measuring(), SAMPLED, Seeds(0), prepared=items[-1]))
    alone = list(drive(Measuring(), SAMPLED, Seeds(0)))
    assert isinstance(with_it[0], Prompt)
    assert isinstance(alone[0], Progress)
    assert [e.committed for e in alone[2:]] == [e.committed for e in with_it[1:]]
    assert list(prepare(SpeculativeSampling(), SAMPLED, Seeds(0))) == [None]


def test_closing_the_stream_stops_the_work() -> None:
    problem = Opened(SAMPLED.open())
    stream = drive(Autoregressive(), problem, Seeds(0))
    for _ in range(4):
        next(stream)
    calls = problem.setting.target.calls
    stream.close()     # type: ignore[attr-defined]
    assert list(stream) == []
    assert problem.setting.target.calls == calls


@dataclass
class Opened:
    setting: Setting

    def open(self) -> Setting:
        return self.setting
