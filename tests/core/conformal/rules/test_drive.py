from __future__ import annotations

import math
from fractions import Fraction

import numpy as np
import pytest

from glasshouse import runs
from glasshouse.families.conformal.ranks import threshold_rank
from glasshouse.schema.errors import BadType, BadValue
from glasshouse.schema.events.conformal_rules import Attacked, Reasoned, RobustSets


def opened(problem: str = "digits", **values: object) -> tuple[runs.Session, Reasoned]:
    session = runs.open("conformal.colep", problem, **values)  # type: ignore[arg-type]
    *_, event = (e for e in session.events() if isinstance(e, Reasoned))
    return session, event


def looked(session: runs.Session, **looks: object) -> RobustSets:
    seen = session.look(**looks)
    assert isinstance(seen, RobustSets)
    return seen


def test_without_rules_it_is_split_conformal_on_the_votes() -> None:
    session, reasoned = opened(blend=0.0)
    evidence = session.problem.open()
    own = np.sort(1 - evidence.votes[evidence.calibration, evidence.labels[evidence.calibration]])
    seen = looked(session, alpha=0.1)
    assert seen.thresholds[0, 0] == own[threshold_rank(500, 0.1) - 1]
    assert (seen.sets[0] == (1 - evidence.votes[evidence.test, :10] <= seen.thresholds[0, 0])).all()
    assert (seen.sets[0] == seen.sets[1]).all()
    assert (reasoned.known[0][0] == reasoned.known[1][0]).all()
    assert seen.certified[0] == pytest.approx(seen.certified[1], abs=1e-12)


def test_a_weight_of_nothing_is_no_rules() -> None:
    seen = looked(opened(weight=0.0)[0])
    assert (seen.sets[0] == seen.sets[1]).all()
    assert seen.certified[0] == pytest.approx(seen.certified[1], abs=1e-9)


def test_robust_sets_pay_for_the_votes_error() -> None:
    session, reasoned = opened()
    seen = looked(session, alpha=0.1)
    k = threshold_rank(500, Fraction(1, 10) - Fraction("0.005"))
    assert seen.robust_thresholds[1, 0] == reasoned.known[1][0][k - 1]
    tight = looked(session, alpha=0.004)
    assert np.isinf(tight.robust_thresholds).all()
    assert tight.robust.all()
    plain = looked(opened(counted=False)[0], alpha=0.1)
    assert (plain.robust_thresholds == plain.thresholds).all()


def test_certificate_is_the_worst_case_less_two_terms() -> None:
    session, reasoned = opened()
    seen = looked(session)
    share = (reasoned.worst[1] <= seen.thresholds[1, 0]).mean(axis=-1)
    assert seen.fraction[1] == pytest.approx(share)
    assert seen.certified[1] == pytest.approx(np.maximum(np.maximum(share - math.sqrt(math.log(20) / 1000), 0) - 0.005, 0))


def test_certificate_holds_on_test_points_in_their_worst_case() -> None:
    """The worst case of test points, at thresholds from the calibration points: lower than certified in at most 5 % of splits."""
    failed = 0
    for split in range(8):
        session, reasoned = opened(split=split, counted=False)
        seen = looked(session)
        low = 1.0 - reasoned.after_box[0][:, np.arange(reasoned.m), reasoned.labels]
        failed += int((seen.certified[1] > (low <= seen.thresholds[1, 0] + 1e-6).mean(axis=1)).any())
    assert failed <= 1


def test_boxes_hold_what_they_bound() -> None:
    _, reasoned = opened()
    for middle, box in ((reasoned.before, reasoned.before_box), (reasoned.after, reasoned.after_box)):
        assert (box[0] <= middle + 1e-6).all()
        assert (middle <= box[1] + 1e-6).all()
        assert (np.diff(box[0], axis=0) <= 1e-6).all()
        assert (np.diff(box[1], axis=0) >= -1e-6).all()


def test_radius_is_rounded_up() -> None:
    session, _ = opened()
    assert [looked(session, radius=r).at for r in (0.0, 0.05, 0.06, 0.1, 0.3, 0.5)] == [0, 1, 2, 2, 6, 10]


def test_a_certificate_by_class_is_dearer() -> None:
    assert (looked(opened(calibration="one a class")[0]).certified[:, 0] < looked(opened()[0]).certified[:, 0]).all()


def test_decoupled_bounds_certify_less() -> None:
    exact, decoupled = looked(opened()[0]), looked(opened(bound="decoupled")[0])
    assert (decoupled.certified[1] <= exact.certified[1]).all()
    assert decoupled.certified[1, 4] < exact.certified[1, 4] - 0.02
    assert (decoupled.robust_sizes[1] >= exact.robust_sizes[1]).all()
    assert (decoupled.sizes == exact.sizes).all()


def test_guarantees_say_what_holds() -> None:
    assert opened("tiny")[0].guarantee.kind == "adversarial"
    assert opened("tiny", counted=False)[0].guarantee.kind == "heuristic"
    published = opened("tiny", calibration="as published")[0].guarantee
    assert published.kind == "adversarial"
    assert "1 - 3 alpha only" in published.statement


def test_attacks_start_from_the_votes() -> None:
    *_, attacked = (e for e in runs.study("conformal.colep", "attack", problem="tiny") if isinstance(e, Attacked))
    assert attacked.done == attacked.total == 11
    assert attacked.scores.shape == (2, 11, 1, 30)
    _, reasoned = opened("tiny")
    own = reasoned.scores[:, np.arange(30), reasoned.labels]
    assert attacked.scores[:, 0, 0] == pytest.approx(own, abs=0.05)
    assert (attacked.scores[0, -1, 0] > own[0]).mean() > 0.9


def test_bad_looks() -> None:
    session, _ = opened("tiny")
    for looks in ({"alpha": 0}, {"alpha": 1}, {"radius": -0.1}, {"radius": 0.6}, {"radius": math.nan}, {"image": 30}, {"image": -1}):
        with pytest.raises((BadValue, BadType), match=next(iter(looks))):
            session.look(**looks)


def test_a_look_reasons_no_more(monkeypatch: pytest.MonkeyPatch) -> None:
    session, reasoned = opened()

    def no(*_: object) -> None:
        raise AssertionError("a look must not reason again")

    for name in ("corrected", "bounds", "score", "extremes", "cells", "extra"):
        monkeypatch.setattr(type(session.method), name, no)
    assert looked(session, alpha=0.2).reasoned is reasoned
    assert looked(session, alpha=0.05).mean_size > looked(session, alpha=0.3).mean_size


def test_record_tells_both() -> None:
    record = opened()[0].record(alpha=0.2, radius=0.1)
    assert {"coverage", "mean_size", "robust_size", "certified_coverage", "mean_size_without_rules", "robust_size_without_rules"} <= set(
        record.summary)
