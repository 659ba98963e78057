from __future__ import annotations

import math

import numpy as np
import pytest

from glasshouse.families.conformal.coverage import covered_law
from glasshouse.families.conformal.methods.robust.rscp_plus import RSCPPlus
from glasshouse.families.conformal.robust.problems import Tiny
from glasshouse.families.conformal.robust.studies import resplits
from glasshouse.numerics.seeds import Seeds
from glasshouse.schema.errors import BadType, BadValue
from glasshouse.schema.events.conformal_robust import Attacked, ProvedResplits

METHOD = RSCPPlus(transform="none")


def last(total: int) -> ProvedResplits:
    items = list(resplits(METHOD, Tiny(), Seeds(0), total))
    assert not any(isinstance(item, Attacked) for item in items), "nothing is attacked"
    assert isinstance(items[-1], ProvedResplits)
    return items[-1]


def test_what_is_proved_follows_the_law_of_coverage() -> None:
    """Means of 256 copies tie so seldom that the law is exact: mean and variance within 4 standard errors at three ranks."""
    found, times = last(1500), 1500
    c = np.arange(61) / 60
    for k in (30, 50, 55):
        law = covered_law(60, 60, k)
        mean = float(law @ c)
        spread = float(law @ (c - mean) ** 2)
        assert abs(found.proved[:, k].mean() - mean) <= 4 * math.sqrt(spread / times)
        assert found.proved[:, k].var() == pytest.approx(spread, rel=0.2)
    assert (found.proved[:, 0] == 0).all()
    assert (found.proved[:, -1] == 1).all()
    assert (np.diff(found.proved, axis=1) >= 0).all()


def test_it_comes_in_parts_and_replays() -> None:
    done = [e.done for e in resplits(METHOD, Tiny(), Seeds(0), 25) if isinstance(e, ProvedResplits)]
    assert done == [10, 20, 25]
    np.testing.assert_array_equal(last(25).proved, last(25).proved)


def test_bad_totals() -> None:
    for total in (0, -1, 10_001):
        with pytest.raises(BadValue, match="total"):
            resplits(METHOD, Tiny(), Seeds(0), total)
    for wrong in (True, 2.5, "many"):
        with pytest.raises(BadType, match="total"):
            resplits(METHOD, Tiny(), Seeds(0), wrong)  # type: ignore[arg-type]
