"""What is promised is kept: every method of every room, on fresh problems whose truth is known, calibration and test points redrawn each time.

Observed coverage, or the share of calibrations whose risk is within its limit, is not below its claim by more than four standard errors.
Nightly on hundreds of random settings, a tenth of them in CI. That text has the target's law is proved in the tests of decoding.
"""

from __future__ import annotations

import dataclasses
import math
from functools import lru_cache
from typing import Any

import numpy as np
import pytest

from core.promises.rooms import ROOMS
from core.promises.trial import PROMISING, Trial, below, margin
from glasshouse import catalogue
from glasshouse.catalogue import MethodInfo
from glasshouse.numerics.seeds import Seeds

INFOS = [info for info in catalogue.methods() if info.family != "decoding"]
every_method = pytest.mark.parametrize("info", INFOS, ids=lambda info: info.id)
FEW, MANY, COSTLY = 20, 1000, 200       # trials in CI; nightly; nightly where a trial trains, learns or solves programs
COSTLY_ROOMS = ("certification", "conformal.code", "conformal.decisions")


@lru_cache(maxsize=64)
def trials(id: str, number: int) -> list[Trial]:
    room = ROOMS[catalogue.info(id).room]
    return [room(id, Seeds(i).numpy(f"promise of {id}")) for i in range(number)]


def kept(info: MethodInfo, number: int) -> None:
    found = trials(info.id, number)
    judged = [t for t in found if t.promised and not math.isnan(t.held)]
    mean, se = margin(judged)
    print(f"\n{info.id}: observed - claimed {mean:+.4f}, standard error {se:.4f}, {len(judged)} of {number} trials promise something")
    assert not below(found)
    if info.guarantee.kind in PROMISING:
        assert len(judged) >= number / 4, "it promises something, and hardly a trial judges it"


def test_no_room_is_left_out() -> None:
    assert {info.room for info in INFOS} == set(ROOMS)


@every_method
@pytest.mark.long
def test_promises_are_kept_in_a_few_settings(info: MethodInfo) -> None:
    kept(info, FEW)


@every_method
@pytest.mark.slow
def test_promises_are_kept(info: MethodInfo) -> None:
    kept(info, COSTLY if info.room in COSTLY_ROOMS else MANY)


def test_a_threshold_that_is_two_ranks_too_low_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    from glasshouse.families.conformal.intervals import drive

    honest = drive.threshold_rank
    monkeypatch.setattr(drive, "threshold_rank", lambda n, alpha: max(1, honest(n, alpha) - 2))
    found = [ROOMS["conformal.intervals"]("conformal.split", Seeds(i).numpy("planted")) for i in range(150)]
    assert below(found)


def test_a_promise_that_fails_for_one_value_of_a_knob_is_caught() -> None:
    rng = np.random.default_rng(0)

    def trial(bad: bool, held: float) -> Trial:
        return Trial({"rule": "bad" if bad else "good", "alpha": 0.1}, held, 0.9, True)

    fair = [trial(i % 4 == 0, float(rng.random() < 0.92)) for i in range(400)]
    assert not below(fair)
    unfair = [trial(t.setting["rule"] == "bad", float(rng.random() < (0.6 if t.setting["rule"] == "bad" else 1.0))) for t in fair]
    assert [line.split(":")[0] for line in below(unfair)] == ["rule = bad"]
    assert not below([dataclasses.replace(t, promised=False) for t in unfair])


def test_settings_are_within_bounds() -> None:
    from core.promises.trial import setting
    from glasshouse.schema.build import build

    for info in INFOS:
        cls: Any = catalogue.load(info.id)
        for i in range(20):
            build(cls, setting(cls, np.random.default_rng(i)))
