"""spectr: acceptance against the linear programme and enumeration, and its losslessness over all drafts."""

from __future__ import annotations

import math
from itertools import product

import numpy as np
import pytest
import torch

from core.decoding.methods.decoded import COUPLED, GREEDY, RANDOM, decoded, plain, text, toy
from core.decoding.methods.exact_law import Choose, Text, distance, every, mean_law, orders, paths, propose, text_law
from glasshouse.families.decoding import transport
from glasshouse.families.decoding.interface import Outcome, Sampling, Setting
from glasshouse.families.decoding.methods import spectr
from glasshouse.families.decoding.methods.spectr import SpecTr
from glasshouse.families.decoding.verification import TestInTurn, table
from glasshouse.families.decoding.verification.k_seq import k_seq
from glasshouse.families.decoding.verification.with_replacement import with_replacement
from glasshouse.families.decoding.verification.without_replacement import without_replacement
from glasshouse.models.language.tabular import TabularLM

TARGET, DRAFT = TabularLM.random(4, order=1, seed=3), TabularLM.random(4, order=1, seed=8)
SMALL, SMALL_DRAFT = TabularLM.random(3, order=1, seed=1), TabularLM.random(3, order=1, seed=6)


def laws(seed: int, size: int = 5) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    p, q = rng.dirichlet(np.full(size, 0.6)), rng.dirichlet(np.full(size, 0.6))
    if seed % 3 == 0:
        p, q = np.where(np.arange(size) == 1, 0.0, p), np.where(np.arange(size) == 2, 0.0, q)
    return p / p.sum(), q / q.sum()


@pytest.mark.parametrize("seed", range(12))
@pytest.mark.parametrize("k", [1, 2, 3, 5])
def test_optimum_by_duality_is_the_linear_programmes(seed: int, k: int) -> None:
    p, q = laws(seed)
    plan = transport.plan(p, q, k)
    assert transport.optimum(p, q, k) == pytest.approx(plan.value, abs=1e-9)
    assert plan.weight.sum() == pytest.approx(1.0, abs=1e-12)
    assert plan.mass.min() >= -1e-12
    assert plan.mass.sum(1) == pytest.approx(plan.weight, abs=1e-9)
    assert plan.mass.sum(0) == pytest.approx(p, abs=1e-9)
    inside = sum(plan.mass[i, list(set(s))].sum() for i, s in enumerate(plan.sets))
    assert inside == pytest.approx(plan.value, abs=1e-9)


@pytest.mark.parametrize("seed", range(12))
def test_optimum_by_duality_is_the_best_cut_of_all(seed: int) -> None:
    p, q = laws(seed, 7)
    cuts = [p[list(a)].sum() + 1 - q[list(a)].sum() ** 3 for a in ([i for i in range(7) if bits >> i & 1] for bits in range(128))]
    assert transport.optimum(p, q, 3) == pytest.approx(min(cuts), abs=1e-12)


@pytest.mark.parametrize("seed", range(12))
@pytest.mark.parametrize("k", [1, 2, 3])
def test_acceptance_of_each_rule_is_what_its_table_gives(seed: int, k: int) -> None:
    p, q = laws(seed, 4)
    independent = [(list(t), float(np.prod(q[list(t)]))) for t in product(range(4), repeat=k)]
    in_turn = [(t.tolist(), weight) for t, weight in orders(q, k)]
    for rule, drawn, closed in ((k_seq, independent, transport.by_k_seq), (with_replacement, independent, transport.with_replacement),
                                (without_replacement, in_turn, transport.without_replacement)):
        enumerated = sum(w * table(rule, p, t, [q] * len(t)).acceptance for t, w in drawn)
        assert closed(p, q, k) == pytest.approx(enumerated, abs=1e-9)


@pytest.mark.parametrize("seed", range(30))
@pytest.mark.parametrize("k", [1, 2, 4, 8])
def test_k_seq_is_within_its_factor_of_the_optimum(seed: int, k: int) -> None:
    # The paper's theorem.
    p, q = laws(seed, 40)
    best, kept = transport.optimum(p, q, k), transport.by_k_seq(p, q, k)
    assert (1 - 1 / math.e) * best <= kept + 1e-12
    assert kept <= best + 1e-12
    assert transport.with_replacement(p, q, k) <= best + 1e-12
    if k == 1:
        assert kept == pytest.approx(best) == pytest.approx(1 - np.abs(p - q).sum() / 2)


@pytest.mark.parametrize("k", range(1, 9))
@pytest.mark.parametrize("size", [2, 3, 500])
def test_the_reduced_problem_is_small_and_easier(k: int, size: int) -> None:
    p, q = laws(k, size)
    few = transport.reduced(p, q, k)
    assert [few.p.sum(), few.q.sum()] == pytest.approx([1.0, 1.0])
    assert math.comb(len(few.p) + k - 1, k) <= transport.MOST_SETS
    assert transport.optimum(few.p, few.q, k) >= transport.optimum(p, q, k) - 1e-12
    if size == 2:
        assert transport.optimum(few.p, few.q, k) == pytest.approx(transport.optimum(p, q, k), abs=1e-12)


def enumerated_law(method: SpecTr, rule: TestInTurn, monkeypatch: pytest.MonkeyPatch) -> dict[Text, float]:
    """The law of the next two tokens over all drafts."""
    def one(choose: Choose) -> dict[Text, float]:
        def single(q: np.ndarray) -> int:
            return int(choose([(t, float(q[t])) for t in range(len(q)) if q[t] > 0]))

        monkeypatch.setattr(spectr, "with_replacement", lambda q, k, *address: np.asarray([single(q) for _ in range(k)]))
        monkeypatch.setattr(spectr, "without_replacement", lambda q, k, *address: (np.asarray([single(q)]), None))
        return text_law(propose(method, SMALL_DRAFT).tree, SMALL, rule, 2)

    return mean_law(every(one))


@pytest.mark.parametrize("method", [SpecTr(drafts=1, length=2), SpecTr(drafts=2, length=2), SpecTr(drafts=3, length=1), SpecTr(drafts=3, length=2)])
def test_the_law_of_the_text_is_exact(method: SpecTr, monkeypatch: pytest.MonkeyPatch) -> None:
    assert distance(enumerated_law(method, k_seq, monkeypatch), SMALL.law((0, 1), 2)) < 1e-12


def test_that_check_can_fail(monkeypatch: pytest.MonkeyPatch) -> None:
    # Independent drafts under the rule for draws without replacement.
    law = enumerated_law(SpecTr(drafts=3, length=1), without_replacement, monkeypatch)
    assert distance(law, SMALL.law((0, 1), 2)) > 1e-3


def test_drafts_are_independent_and_stay_apart() -> None:
    q = DRAFT.next((0, 1)).numpy()
    counts = np.zeros((4, 4))
    for seed in range(1500):
        tree = propose(SpecTr(drafts=2, length=3), DRAFT, seed).tree
        assert tree.size == 7
        assert [len(tree.children[n]) for n in range(7)] == [2, 1, 1, 1, 1, 0, 0]
        counts[tuple(tree.token[list(tree.children[0])])] += 1
    assert counts / 1500 == pytest.approx(np.outer(q, q), abs=0.045)
    together = [propose(SpecTr(drafts=2, length=6), DRAFT, seed).tree for seed in range(40)]
    assert any(tree.token[1] == tree.token[2] and tree.token[3] != tree.token[4] for tree in together)


@pytest.mark.parametrize("sampling", [Sampling(0.0), Sampling(1.0, coupled=True)])
def test_without_chance_the_first_tokens_differ(sampling: Sampling) -> None:
    tree = propose(SpecTr(drafts=8, length=2), DRAFT, sampling=sampling).tree
    assert sorted(tree.token[list(tree.children[0])].tolist()) == [0, 1, 2, 3]


def test_small_rooms_and_supports() -> None:
    assert propose(SpecTr(), DRAFT, room=1).tree.size == 1
    assert propose(SpecTr(drafts=3, length=12), DRAFT, room=3).tree.depth.max() == 2
    certain = TabularLM(torch.eye(4)[[1, 2, 3, 0, 0]])
    tree = propose(SpecTr(drafts=3, length=3), certain).tree
    assert set(paths(tree)[1:]) == {(2,), (2, 3), (2, 3, 0)}


@pytest.mark.parametrize("drafts", [1, 2, 4, 8])
@pytest.mark.parametrize("room", [1, 8])
def test_the_story_compares_the_rules_at_the_root(drafts: int, room: int) -> None:
    method = SpecTr(drafts=drafts, length=2)
    setting = Setting(TARGET, DRAFT, (0, 1), 8, Sampling(1.0))
    tree = propose(method, DRAFT, room=room).tree
    logits = np.log(np.stack([TARGET.next((0, 1, *path)).numpy() for path in paths(tree)]))
    extra = method.explain(tree, Outcome((0,), (0,), 0, 0, "bonus"), logits, setting)
    p, q = TARGET.next((0, 1)).numpy(), DRAFT.next((0, 1)).numpy()
    v2, v5, best, _ = extra["acceptance"][0]
    assert best == pytest.approx(transport.optimum(p, q, drafts))
    assert best + 1e-12 >= max(v2, v5)
    assert extra["acceptance"][1, 2] >= extra["acceptance"][1, 1] - 1e-9
    left, right = extra["rho_sides"]
    before = extra["rho"] < extra["rho_root"][0] - 1e-9
    assert (left[before] >= right[before] - 1e-12).all()
    assert (left[~before] <= right[~before] + 1e-9).all()
    assert extra["plan"].shape == (len(extra["guesses"]), len(extra["output"])) == np.shape(extra["plan_note"])


def test_a_draft_equal_to_the_target_is_never_refused() -> None:
    tree = propose(SpecTr(drafts=3, length=2), TARGET, seed=1).tree
    p = TARGET.next((0, 1)).numpy()
    children = list(tree.children[0])
    assert table(k_seq, p, tree.token[children].tolist(), [tree.q[0]] * 3).accept[0] == pytest.approx(1.0, abs=1e-9)


@pytest.mark.parametrize("sampling", [GREEDY, COUPLED])
@pytest.mark.parametrize("method", [SpecTr(), SpecTr(drafts=8, length=12), SpecTr(drafts=1, length=1)])
def test_the_text_is_the_targets_token_for_token(method: SpecTr, sampling: Sampling) -> None:
    models = toy()
    assert text(decoded(method, models, sampling, 30)) == plain(models[0], sampling, 30)


@pytest.mark.parametrize("method", [SpecTr(), SpecTr(drafts=1)])
def test_the_loop_never_refuses_a_draft_equal_to_the_target(method: SpecTr) -> None:
    target = toy()[0]
    assert {r.final_kind for r in decoded(method, (target, target), RANDOM, 40)} == {"bonus"}
