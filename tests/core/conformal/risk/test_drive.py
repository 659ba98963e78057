"""The room's run and looks."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

from glasshouse import catalogue, runs
from glasshouse.families.conformal.problems import Digits
from glasshouse.schema.errors import BadType, BadValue
from glasshouse.schema.events.conformal_risk import Chosen, Losses, RiskResplits


def opened(method: str = "conformal.crc", **values: Any) -> tuple[runs.Session, Losses]:
    session = runs.open(method, **values)
    (event,) = session.events()
    assert isinstance(event, Losses)
    return session, event


def looked(session: runs.Session, **looks: Any) -> Chosen:
    seen = session.look(**looks)
    assert isinstance(seen, Chosen)
    return seen


@pytest.mark.parametrize("method", ["conformal.crc", "conformal.ltt"])
@pytest.mark.parametrize("loss", ["missed-share", "missed-any"])
def test_sets_hold_what_is_likely_enough_and_numbers_agree_with_them(method: str, loss: str) -> None:
    session, event = opened(method, loss=loss)
    for alpha in (0.05, 0.1, 0.3):
        seen = looked(session, alpha=alpha, page=3)
        assert (seen.sets == (1 - event.probs <= seen.lambda_hat)).all()
        assert (seen.missed == (event.truth & ~seen.sets)).all()
        each = seen.missed.any(1) if loss == "missed-any" else seen.missed.sum(1) / event.truth.sum(1)
        assert seen.test_risk == pytest.approx(each.mean())
        assert seen.mean_size == seen.sets.sum(1).mean()
        assert seen.calibration_risk == event.total[seen.index] / (event.unit * event.n)
        assert abs(seen.test_risk - seen.risk) < 0.09                # 160 pages of the population
        assert (seen.certified, seen.why_not, seen.page) == (True, "", 3)


def test_pages_are_what_their_digits_say() -> None:
    pages = catalogue.problem("conformal.risk", "digit-pages").open()
    pool = Digits().open()
    for page in (0, 1, 17, 5999):
        digits = [d for d in pages.places[page].tolist() if d >= 0]
        assert 2 <= len(digits) <= 4
        assert set(np.flatnonzero(pages.truth[page]).tolist()) == set(pool.labels[digits].tolist())
        np.testing.assert_allclose(pages.probs[page], 1 - np.prod(1 - pool.probs[digits], axis=0), atol=1e-12)


def test_the_pictures_are_the_pages_digits() -> None:
    session, event = opened()
    pages = session.problem.open()
    first = [d for d in pages.places[pages.test[0]].tolist() if d >= 0]
    assert event.used[0] == len(first)
    assert (event.pictures[0, :len(first)] == pages.images[first]).all()
    assert not event.pictures[0, len(first):].any()


def test_a_larger_sample_is_the_same_and_more_and_the_test_pages_stay() -> None:
    small, large = (catalogue.problem("conformal.risk", f"digit-pages:calibration_size={n}").open() for n in (5, 1000))
    assert (small.calibration == large.calibration[:5]).all()
    assert (small.test == large.test).all()
    assert (catalogue.problem("conformal.risk", "digit-pages:split=1").open().test != large.test).any()


def test_tiny_has_a_perfect_model() -> None:
    pages = catalogue.problem("conformal.risk", "tiny").open()
    spread = np.sqrt((pages.probs * (1 - pages.probs)).sum())
    assert abs(pages.truth.sum() - pages.probs.sum()) < 3 * spread


def test_looks_count_nothing_again(monkeypatch: pytest.MonkeyPatch) -> None:
    session, event = opened()
    from glasshouse.families.conformal.risk import drive

    monkeypatch.setattr(drive, "tabled", lambda *_: pytest.fail("a look must not count again"))
    sizes = [looked(session, alpha=a).mean_size for a in (0.02, 0.1, 0.3, 0.6)]
    assert sizes == sorted(sizes, reverse=True)
    assert looked(session, alpha=0.2).losses is event


def test_bad_looks() -> None:
    session, _ = opened()
    for looks in ({"alpha": 0}, {"alpha": 1}, {"alpha": 10}, {"alpha": math.nan}, {"page": -1}, {"page": 160}):
        with pytest.raises((BadValue, BadType), match=next(iter(looks))):
            session.look(**looks)


def test_the_promise_is_of_this_run() -> None:
    crc, _ = opened(calibration_size=50)
    assert crc.guarantee.kind == "risk"
    assert "50 calibration pages" in crc.guarantee.statement
    ltt, _ = opened("conformal.ltt", delta=0.05)
    assert (ltt.guarantee.kind, ltt.guarantee.level) == ("PAC", 0.95)
    record = ltt.record(alpha=0.2)
    assert record.summary["alpha"] == 0.2
    assert {"lambda_hat", "risk", "test_risk", "mean_size", "certified"} <= set(record.summary)


def test_resamples_are_partial_pictures_of_one_whole() -> None:
    pictures = [e for e in runs.study("conformal.ltt", "resamples", "tiny", options={"total": 7}) if isinstance(e, RiskResplits)]
    assert [p.done for p in pictures] == [5, 7]
    assert (pictures[0].risk == pictures[1].risk[:5]).all()
    assert (pictures[1].n, pictures[1].risk.shape, pictures[1].alphas[9]) == (30, (7, 50), 0.1)
    assert not pictures[1].risk[~pictures[1].certified].any()
    for total, error in ((0, BadValue), (10_001, BadValue), (1.5, BadType), (True, BadType)):
        with pytest.raises(error, match="total"):
            runs.study("conformal.crc", "resamples", "tiny", options={"total": total})
