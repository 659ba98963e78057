"""What is looked at costs nothing and is answered at once; a compared method and a study leave the run alone."""

from __future__ import annotations

from typing import Any

import pytest

from fake_lab import FakeSession, Point
from tapped import Make, tap, title, until


def test_a_look_recomputes_nothing(tapped: Make) -> None:
    lab = tapped()
    core, lane = tap(lab), lab.sides[0].lane
    opened, started, looked = len(core.sessions), lane.started, len(core.looked)
    for i in range(20):
        lab.set("angle", i / 100)
        assert f"angle={i / 100} " in title(lab)                # at once, on this very call
        assert not lab.running
    lab.set("cost", 2.0)                                        # a dial of the lab's own
    assert lab.wait()
    assert (len(core.sessions), lane.started) == (opened, started)
    assert len(core.looked) >= looked + 20
    assert core.iterators == 0


def test_a_look_is_answered_while_the_job_runs(tapped: Make) -> None:
    lab = tapped()
    core = tap(lab)
    core.shut()
    core.let(2)
    lab.set("steps", 30)
    until(lab, lambda: "index=1" in title(lab) and core.waiting.is_set())
    sessions = len(core.sessions)
    lab.set("angle", 0.75)
    assert "angle=0.75" in title(lab)
    assert lab.running
    assert core.iterators == 1
    assert len(core.sessions) == sessions
    core.flow()
    assert lab.wait()
    assert "angle=0.75" in title(lab)
    assert "index=29" in title(lab)


def test_a_look_that_cannot_be_had_says_so(tapped: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    from glasshouse.schema.errors import bad_value

    lab = tapped()
    before = lab.figures

    def no(self: FakeSession, **looks: Any) -> Any:
        raise bad_value("angle", looks["angle"], "one that this wave has")

    monkeypatch.setattr(FakeSession, "look", no)
    lab.set("angle", 0.9)
    assert lab.message is not None
    assert (lab.message.knob, lab.message.text) == ("angle", "angle = 0.9 is not allowed: one that this wave has")
    assert lab.figures is before
    monkeypatch.undo()
    lab.set("angle", 0.5)
    assert lab.message is None
    assert "angle=0.5" in title(lab)


def test_the_compared_method_gone_recomputes_nothing(tapped: Make) -> None:
    lab = tapped(compare="fake.square-wave")
    core = tap(lab)
    n = len(core.sessions)
    assert "wave~b" in lab.figures
    lab.choose(compare="")
    assert lab.wait()
    assert len(core.sessions) == n
    assert "wave~b" not in lab.figures
    assert (lab.running, lab.status) == (False, "live")
    lab.choose(compare="fake.square-wave")
    core.shut()
    lab.set("width", 0.9, side=1)
    until(lab, lambda: core.waiting.is_set() and lab.running)
    lab.choose(compare="")                                      # while only it was running
    assert (lab.running, lab.status) == (False, "live")
    core.flow()
    assert lab.wait()


def test_a_study_stops_when_asked_and_leaves_the_run_alone(tapped: Make) -> None:
    lab = tapped()
    core = tap(lab)
    core.delay = 0.0
    lab.act("tide")
    assert lab.acting == ("tide",)
    assert lab.wait()
    assert lab.acting == ()
    last = lab.studies["tide"]
    assert isinstance(last, Point)
    assert last.index == 2
    assert len(core.studied) == 1
    core.delay = 0.05
    lab.act("tide")
    lab.act("tide")                                             # pressed again: stop
    assert lab.acting == ()
    assert lab.wait()
    assert (lab.status, lab.message) == ("live", None)
