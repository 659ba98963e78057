from __future__ import annotations

import math

import numpy as np
import pytest

from glasshouse import runs
from glasshouse.families.conformal.batch.drive import target_rank
from glasshouse.schema.errors import BadType, BadValue
from glasshouse.schema.events.conformal_batch import Batched, Claim, Redraws

STATEMENTS = ("most", "quantile", "interval", "select", "mean")


def opened(**values: object) -> tuple[runs.Session, Batched]:
    session = runs.open("conformal.batch-pi", **values)  # type: ignore[arg-type]
    batched = [event for event in session.events() if isinstance(event, Batched)]
    assert len(batched) == 1
    return session, batched[0]


def looked(session: runs.Session, **looks: object) -> Claim:
    seen = session.look(**looks)
    assert isinstance(seen, Claim)
    return seen


def test_target_rank_reads_the_share_as_written() -> None:
    assert [target_rank("most", 20, s, 0) for s in (0.05, 0.9, 0.95, 1.0, 1e-9)] == [1, 18, 19, 20, 1]
    assert [target_rank("most", 10, i / 10, 0) for i in range(1, 11)] == list(range(1, 11))
    assert [target_rank("select", 5, 0.9, e) for e in (0, 2, 4, 39)] == [5, 3, 1, 1]
    assert target_rank("mean", 5, 0.9, 2) == 0


def test_the_curve_says_what_the_golden_numbers_say() -> None:
    session, batched = opened()
    seen = looked(session)
    assert (batched.n, batched.m, seen.zeta, seen.rank) == (100, 20, 18, 96)
    assert seen.bound == batched.scores[95]
    assert seen.chance == pytest.approx(0.9103, abs=5e-5)
    assert seen.statistic == np.sort(batched.batch_scores[0])[17]
    assert seen.held == ((batched.batch_scores[0] <= seen.bound).sum() >= 18)
    assert seen.partition == math.inf
    assert seen.bound < seen.bonferroni
    assert "20" in session.guarantee.statement
    assert session.guarantee.kind == "marginal"


def test_held_share_counts_batches() -> None:
    session, batched = opened(batch_size=5)
    for share, alpha in ((0.5, 0.2), (0.8, 0.05), (1.0, 0.3)):
        seen = looked(session, share=share, alpha=alpha)
        within = (batched.batch_scores <= seen.bound).sum(axis=1)
        assert seen.held_share == (within >= seen.zeta).mean()


def test_selection_claims_what_is_above_the_bound() -> None:
    session, batched = opened(statement="select")
    seen = looked(session, allowed=3, batch=4)
    chosen = batched.confidence[4] > seen.bound
    assert (seen.selected, seen.false_claims) == (chosen.sum(), (chosen & batched.wrong[4]).sum())
    assert seen.held == (seen.false_claims <= 3)
    for batch in range(batched.batches):
        one = looked(session, batch=batch)
        assert one.held == (one.false_claims <= 2)


def test_an_interval_has_two_ends_with_half_of_alpha_each() -> None:
    session, batched = opened(statement="interval", batch_size=10)
    seen = looked(session, share=0.5, alpha=0.1)
    upper = looked(opened(statement="quantile", batch_size=10)[0], share=0.5, alpha=0.05)
    assert seen.bound == upper.bound
    assert seen.low == batched.scores[seen.low_rank - 2] < seen.bound
    assert seen.chance >= 0.9
    found = np.sort(batched.batch_scores, axis=1)[:, seen.zeta - 1]
    wide = looked(session, share=0.5, alpha=0.6)
    for one in (seen, wide):
        assert one.held_share == ((found >= one.low) & (found <= one.bound)).mean()
    assert (found < wide.low).any()
    at_low = seen.law.reached(seen.low_rank - 1)
    assert at_low < 1 / 20 <= seen.law.reached(seen.low_rank)


def test_too_few_points_bound_nothing() -> None:
    session, batched = opened(calibration_size=3)
    seen = looked(session, share=1.0)
    assert not seen.informative
    assert (seen.rank, seen.bound) == (4, batched.upper)
    assert seen.held_share == 1.0


def test_partition_and_bonferroni_are_what_they_say() -> None:
    session, batched = opened(calibration_size=200, batch_size=4)
    seen = looked(session, share=0.75, alpha=0.1)
    pool = session.problem.open()
    cut = np.sort(pool.error[pool.calibration].reshape(50, 4), axis=1)[:, 2]
    assert seen.partition == np.sort(cut)[math.ceil(51 * 0.9) - 1]
    assert seen.bonferroni == batched.scores[math.ceil(201 * (1 - 0.1 * 2 / 4)) - 1]


def test_batch_pi_beats_both_baselines_on_the_whole() -> None:
    """Mean bound over 40 splits; where n // m is too small the partition has none."""
    bounds = np.array([[s.bound, s.partition, s.bonferroni] for split in range(40)
                       for s in [looked(opened(split=split, calibration_size=60, batch_size=6)[0], share=0.8)]])
    finite = np.minimum(bounds, 1.0).mean(axis=0)
    assert finite[0] < finite[1]
    assert finite[0] < finite[2]
    assert np.isinf(looked(opened(calibration_size=53, batch_size=6)[0]).partition)      # 8 groups, 9 are needed


@pytest.mark.parametrize("problem", ["curve", "digits"])
@pytest.mark.parametrize("statement", STATEMENTS)
def test_redraws_hold_as_often_as_promised(problem: str, statement: str) -> None:
    total = 100 if statement == "mean" else 1000
    *_, last = (event for event in runs.study("conformal.batch-pi", "redraws", problem=problem, options={"total": total},
                                              statement=statement, calibration_size=60, batch_size=8) if isinstance(event, Redraws))
    assert last.done == total
    session, _ = opened(problem=problem, statement=statement, calibration_size=60, batch_size=8)
    for looks in ({"alpha": 0.1, "share": 0.75}, {"alpha": 0.3, "share": 0.5}):
        seen = looked(session, **looks)
        needed = last.needed[:, max(seen.zeta - 1, 0)]
        held = ((needed <= seen.rank) & (needed >= seen.low_rank)).mean()
        slack = 4 * math.sqrt(seen.chance * (1 - seen.chance) / total)
        assert held >= seen.chance - slack
        if statement in ("most", "quantile", "interval"):
            assert held <= seen.chance + slack


def test_sizes_do_not_move_what_they_need_not() -> None:
    small, large = opened(calibration_size=20)[1], opened(calibration_size=200)[1]
    assert (small.batch_scores == large.batch_scores).all()
    assert set(small.scores) <= set(large.scores)
    pool = opened()[0].problem.open()
    assert not set(pool.calibration) & set(pool.batches.ravel())


def test_bad_values() -> None:
    session, batched = opened()
    for looks in ({"alpha": 0}, {"alpha": 1}, {"alpha": math.nan}, {"share": 0}, {"share": 1.1}, {"allowed": -1}, {"batch": batched.batches}):
        with pytest.raises((BadValue, BadType), match=next(iter(looks))):
            session.look(**looks)
    for total, error in ((0, BadValue), (10_001, BadValue), (1.5, BadType), (True, BadType), ("3", BadType)):
        with pytest.raises(error, match="total"):
            runs.study("conformal.batch-pi", "redraws", "tiny", options={"total": total})


def test_a_look_counts_nothing_again(monkeypatch: pytest.MonkeyPatch) -> None:
    session, batched = opened(statement="mean")

    def no(*_: object) -> None:
        raise AssertionError("a look must not calibrate again")

    for name in ("score", "laws", "bounds", "statistics", "extra"):
        monkeypatch.setattr(type(session.method), name, no)
    assert looked(session, alpha=0.3).batched is batched
    assert looked(session, alpha=0.05).bound >= looked(session, alpha=0.3).bound


def test_record_tells_the_claim() -> None:
    record = opened()[0].record(alpha=0.2, share=0.5)
    assert record.looks["alpha"] == 0.2
    assert {"rank", "bound", "chance", "held", "held_share", "partition", "bonferroni", "n", "m"} <= set(record.summary)
