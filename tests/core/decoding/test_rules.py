"""V0-V5 as tables: the law of what leaves a node, by enumeration of every draft, and the acceptance that theory gives."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from itertools import permutations, product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import linprog

from glasshouse.families.decoding.verification import Table, TestInTurn, table
from glasshouse.families.decoding.verification.chain import chain
from glasshouse.families.decoding.verification.greedy import greedy
from glasshouse.families.decoding.verification.k_seq import beta, division_factor, k_seq
from glasshouse.families.decoding.verification.point_mass import point_mass
from glasshouse.families.decoding.verification.with_replacement import with_replacement
from glasshouse.families.decoding.verification.without_replacement import without_replacement

Drafts = Iterator[tuple[tuple[int, ...], float]]
EXACT = 1e-12


def pair(size: int, seed: int, zeros: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """(p, q); the first ``zeros`` entries of q, and as many others of p, are 0."""
    rng = np.random.default_rng(seed)
    p, q = rng.dirichlet(np.full(size, 0.7)), rng.dirichlet(np.full(size, 0.7))
    q[:zeros] = 0.0
    p[zeros:2 * zeros] = 0.0
    return p / p.sum(), q / q.sum()


def independent(*rows: np.ndarray) -> Drafts:
    for tokens in product(range(len(rows[0])), repeat=len(rows)):
        yield tokens, float(np.prod([q[t] for q, t in zip(rows, tokens, strict=True)]))


def in_sequence(q: np.ndarray, k: int) -> Drafts:
    """k draws without replacement, fewer where q runs out."""
    support = np.flatnonzero(q).tolist()
    for tokens in permutations(support, min(k, len(support))):
        mass, left = 1.0, 1.0
        for t in tokens:
            mass *= q[t] / left
            left -= q[t]
        yield tokens, mass


def law(rule: TestInTurn, p: np.ndarray, drafts: Drafts, rows: Sequence[np.ndarray]) -> tuple[np.ndarray, float]:
    """(law of the emitted token, probability that a guess is accepted)."""
    total, accepted = np.zeros_like(p), 0.0
    for tokens, mass in drafts:
        if mass > 0:
            found = table(rule, p, tokens, rows[:len(tokens)])
            total += mass * found.law(tokens)
            accepted += mass * found.acceptance
    return total, accepted


SIZES = [(size, k, zeros) for size in (3, 4, 5) for k in sorted({1, 2, 3, min(size, 4)}) for zeros in (0, 1)]


@pytest.mark.parametrize(("size", "k", "zeros"), SIZES)
@pytest.mark.parametrize("seed", range(2))
def test_the_law_of_one_token_is_p(size: int, k: int, zeros: int, seed: int) -> None:
    p, q = pair(size, seed, zeros)
    other = pair(size, seed + 100)[1]
    mixed = [q, other, q, other, q][:k]
    cases: list[tuple[TestInTurn, Drafts, Sequence[np.ndarray]]] = [
        (with_replacement, independent(*mixed), mixed), (without_replacement, in_sequence(q, k), [q] * k), (k_seq, independent(*[q] * k), [q] * k)]
    if k == 1:
        cases.append((chain, independent(q), [q]))
    for rule, drafts, rows in cases:
        np.testing.assert_allclose(law(rule, p, drafts, rows)[0], p, atol=EXACT, err_msg=rule.__name__)


@pytest.mark.parametrize("size", [3, 4, 5])
def test_point_mass_is_exact_for_any_choice_of_children(size: int) -> None:
    p, q = pair(size, size)
    for k in range(size + 1):
        for tokens in permutations(range(size), k):
            found = table(point_mass, p, tokens, [q] * k)
            np.testing.assert_allclose(found.law(tokens), p, atol=EXACT)
            assert found.acceptance == pytest.approx(p[list(tokens)].sum(), abs=EXACT)


def test_greedy_emits_the_arg_max_whatever_was_guessed() -> None:
    p, q = pair(5, 1)
    for tokens in permutations(range(5), 3):
        np.testing.assert_array_equal(table(greedy, p, tokens, [q] * 3).law(tokens), np.eye(5)[p.argmax()])


@pytest.mark.parametrize("seed", range(6))
def test_one_guess_passes_with_probability_one_minus_tv(seed: int) -> None:
    p, q = pair(5, seed)
    accepted = law(chain, p, independent(q), [q])[1]
    assert accepted == pytest.approx(1 - np.abs(p - q).sum() / 2, abs=EXACT)
    for same in (with_replacement, without_replacement, k_seq):
        assert law(same, p, independent(q), [q])[1] == pytest.approx(accepted, abs=EXACT)


@pytest.mark.parametrize("seed", range(6))
def test_more_guesses_without_replacement_never_hurt_and_all_are_certain(seed: int) -> None:
    p, q = pair(5, seed)
    accepted = [law(without_replacement, p, in_sequence(q, k), [q] * k)[1] for k in range(1, 6)]
    assert np.all(np.diff(accepted) >= -EXACT)
    assert accepted[-1] == pytest.approx(1.0, abs=EXACT)


def transport(p: np.ndarray, q: np.ndarray, k: int) -> float:
    """The best acceptance of k independent guesses: a transport of their law onto p with reward where the output is a guess."""
    drafts = list(independent(*[q] * k))
    size, n = len(p), len(drafts)
    reward = np.asarray([[y in tokens for y in range(size)] for tokens, _ in drafts], float)
    rows = np.kron(np.eye(n), np.ones(size))
    columns = np.kron(np.ones(n), np.eye(size))
    best = linprog(-reward.ravel(), A_eq=np.vstack([rows, columns]), b_eq=[*(m for _, m in drafts), *p], bounds=(0, None))
    return float(-best.fun)


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("k", [2, 3])
def test_independent_guesses_stay_below_optimal_transport(seed: int, k: int) -> None:
    p, q = pair(4, seed)
    best = transport(p, q, k)
    sequential, multi_round = (law(rule, p, independent(*[q] * k), [q] * k)[1] for rule in (k_seq, with_replacement))
    assert max(sequential, multi_round) <= best + 1e-9
    assert sequential >= (1 - 1 / np.e) * best - 1e-9           # theorem of SpecTr


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("k", [1, 2, 5, 16])
def test_the_division_factor_solves_its_equation(seed: int, k: int) -> None:
    p, q = pair(5, seed)
    rho = division_factor(p, q, k)
    b = beta(p, q, rho)
    accepted = 1 - (1 - b) ** k
    assert 1 <= rho <= k
    assert accepted == pytest.approx(rho * b, abs=1e-12)
    assert (p - np.minimum(q, p / rho) * accepted / b >= -1e-12).all()
    if k <= 2:
        assert law(k_seq, p, independent(*[q] * k), [q] * k)[1] == pytest.approx(accepted, abs=EXACT)


def test_distinct_guesses_pass_at_least_as_often_as_independent_ones() -> None:
    rng = np.random.default_rng(3)
    for _ in range(20):
        p, q = rng.dirichlet(np.ones(5)), rng.dirichlet(np.full(5, 0.3))
        distinct = law(without_replacement, p, in_sequence(q, 2), [q] * 2)[1]
        assert distinct >= law(with_replacement, p, independent(q, q), [q] * 2)[1] - EXACT


K = 3
BIASED: dict[str, tuple[TestInTurn, Callable[[np.ndarray], Drafts]]] = {
    "iid-residual": (with_replacement, lambda q: in_sequence(q, K)),
    "ratio-on-top-k": (without_replacement, lambda q: iter([(tuple(np.argsort(-q)[:K].tolist()), 1.0)])),
    "sample-then-drop": (with_replacement, lambda q: ((tuple(t for t in tokens if q[t] >= 0.2), m) for tokens, m in independent(*[q] * K))),
}


@pytest.mark.parametrize("bug", BIASED)
def test_guesses_and_rules_that_do_not_belong_together_are_biased(bug: str) -> None:
    """The checks above must be able to fail."""
    rule, drafts = BIASED[bug]
    worst = max(np.abs(law(rule, p, drafts(q), [q] * K)[0] - p).max() for p, q in (pair(5, seed) for seed in range(5)))
    assert worst > 0.01


laws = st.lists(st.floats(0, 1), min_size=4, max_size=4).filter(lambda w: sum(w) > 1e-3).map(lambda w: np.asarray(w) / sum(w))


@settings(max_examples=60, deadline=None)
@given(p=laws, q=laws, tokens=st.lists(st.integers(0, 3), max_size=5))
def test_tables_are_distributions_for_any_input(p: np.ndarray, q: np.ndarray, tokens: list[int]) -> None:
    """Zeros, equal laws and guesses that q excludes included: no NaN, nothing negative, nothing lost."""
    kept = list(dict.fromkeys(tokens))
    for rule, children in ((with_replacement, tokens), (k_seq, tokens), (without_replacement, kept), (point_mass, kept), (chain, tokens[:1])):
        before = p.copy(), q.copy()
        found: Table = table(rule, p, children, [q] * len(children))
        assert ((found.accept >= 0) & (found.accept <= 1)).all()
        assert (found.residual >= 0).all()
        assert found.residual.sum() == pytest.approx(1.0, abs=1e-9)
        assert (p == before[0]).all()
        assert (q == before[1]).all()


def test_where_p_equals_q_every_guess_passes() -> None:
    p = pair(5, 0)[0]
    for token in range(5):
        for rule in (chain, with_replacement, without_replacement, k_seq):
            assert table(rule, p, [token], [p]).accept[0] == 1.0


def test_once_q_is_used_up_nothing_more_is_tested() -> None:
    p = np.asarray([0.2, 0.3, 0.5])
    found = table(without_replacement, p, [0, 1, 2], [np.asarray([0.5, 0.5, 0.0])] * 3)
    assert len(found.accept) == 2
    np.testing.assert_allclose(found.residual, [0, 0, 1], atol=EXACT)
