"""What a lab promises about work: the newest wins, little is started, stopping stops, mistakes keep the picture, looks cost nothing."""

from __future__ import annotations

import threading
import time
from typing import Any

import pytest

from fake_lab import FakeLab, FakeSession
from tapped import Make, tap, title, until


def painted(lab: FakeLab) -> list[str]:
    """Titles of the stage from now on, one per change of picture."""
    seen: list[str] = []
    lab.param.watch(lambda event: seen.append(event.new["wave"]["layout"]["title"]["text"]), ["figures"])
    return seen


def gains(titles: list[str]) -> list[float]:
    return [float(t.partition("gain=")[2].split()[0]) for t in titles]


def test_a_job_overtaken_is_never_painted(tapped: Make) -> None:
    lab = tapped(gain=1.0)
    core = tap(lab)
    core.shut()
    core.let(2)
    lab.update({"gain": 2.0, "steps": 6})
    end = time.monotonic() + 5
    while len(core.sessions[-1].computed) != 2 and time.monotonic() < end:
        threading.Event().wait(0.005)                           # its first picture is on its way, and not yet taken
    lab.update({"gain": 3.0, "steps": 7})
    seen = painted(lab)
    lab.inbox.drain()
    core.flow()
    assert lab.wait(5)
    assert 2.0 not in gains(seen)
    assert gains([title(lab)]) == [3.0]
    assert "index=6" in title(lab)
    assert core.iterators == 0


def test_pictures_never_go_back(tapped: Make) -> None:
    """A live drag may show what was under way, but never after what came later."""
    lab = tapped()
    core = tap(lab)
    seen = painted(lab)
    for i in range(40):
        core.shut()
        lab.set("gain", 1 + i / 10)
        core.flow()
        lab.inbox.drain()
    assert lab.wait(5)
    order = gains(seen)
    assert order == sorted(order)
    assert order[-1] == lab.values["gain"] == 4.9


def test_live_has_one_in_flight(tapped: Make) -> None:
    lab = tapped()
    core = tap(lab)
    before = len(core.sessions)
    core.shut()
    for i in range(1, 31):
        lab.set("gain", i / 10)
        assert core.iterators <= 1
    until(lab, core.waiting.is_set)
    assert core.iterators == 1
    core.flow()
    assert lab.wait(5)
    assert len(core.sessions) - before <= 2
    assert gains([title(lab)]) == [3.0]


def test_thirty_moves_of_a_job_start_few_and_show_the_last(tapped: Make) -> None:
    lab = tapped()
    lane, core = lab.sides[0].lane, tap(lab)
    started, opened = lane.started, len(core.sessions)
    for steps in range(11, 41):
        lab.set("steps", steps)
    assert lane.started == started                              # the hand has not rested
    assert lab.status == "stale"
    assert lab.wait(5)
    assert lane.started - started <= 3
    assert len(core.sessions) - opened <= 3
    assert "index=39" in title(lab)
    assert lab.status == "live"


def test_a_job_waits_for_the_hand_and_a_live_knob_does_not(tapped: Make) -> None:
    lab = tapped()
    for name, value, least, most in (("steps", 7, 0.08, 1.0), ("gain", 2.0, 0.0, 0.079)):
        core = tap(lab)
        n, begun = len(core.sessions), time.monotonic()
        lab.set(name, value)
        until(lab, lambda core=core, n=n: len(core.sessions) > n)       # type: ignore[misc]
        assert least <= time.monotonic() - begun <= most
        assert lab.wait(5)


def test_stop_closes_the_iterator_and_keeps_what_is_there(tapped: Make) -> None:
    lab = tapped()
    core = tap(lab)
    core.shut()
    core.let(3)
    lab.set("steps", 50)
    until(lab, lambda: lab.figures and "index=2" in title(lab) and core.waiting.is_set())
    assert core.iterators == 1
    assert lab.running
    lab.stop()
    assert (lab.running, lab.status, lab.progress) == (False, "cancelled", None)
    core.let(1)                                                 # the step under way may end
    until(lab, lambda: core.iterators == 0 and not lab.sides[0].lane.busy)
    lab.inbox.drain()
    assert "index=2" in title(lab)
    assert lab.status == "cancelled"


def test_resume_goes_on_with_the_same_session(tapped: Make) -> None:
    lab = tapped()
    core = tap(lab)
    core.shut()
    core.let(2)
    lab.set("steps", 20)
    until(lab, lambda: "index=1" in title(lab) and core.waiting.is_set())
    lab.stop()
    core.let(1)
    until(lab, lambda: not lab.sides[0].lane.busy)
    n = len(core.sessions)
    core.flow()
    lab.resume()
    assert lab.running
    assert lab.wait(5)
    assert len(core.sessions) == n
    assert "index=19" in title(lab)
    assert (lab.status, lab.running) == ("live", False)


def test_close_stops_everything(tapped: Make) -> None:
    lab = tapped(compare="fake.square-wave")
    core = tap(lab)
    core.shut()
    lab.set("gain", 2.0)
    lab.act("tide")
    lab.set("depth", 4)                                         # a job waits for the hand to rest
    until(lab, lambda: core.iterators == 2)                     # one of each method, both waiting
    lanes, n = lab._lanes(), len(core.sessions)
    assert lab.player is not None
    lab.player.play()
    seen = painted(lab)
    lab.close()
    core.flow()
    until(lab, lambda: not any(lane.busy for lane in lanes) and core.iterators == 0)
    lab.inbox.drain()
    for name, value in (("gain", 3.0), ("steps", 9), ("angle", 0.75)):
        lab.set(name, value)
    assert not lab.inbox.drain(0.15)                            # longer than a job waits
    assert seen == []
    assert len(core.sessions) == n
    assert not lab.player.playing


def test_a_replaced_session_is_closed(tapped: Make) -> None:
    lab = tapped()
    old = lab.sides[0].session
    lab.set("gain", 2.0)
    assert lab.wait(5)
    assert isinstance(old, FakeSession)
    assert old.closed
    assert lab.sides[0].session is not old


@pytest.mark.parametrize(("depth", "words", "knob"), [
    (6, "depth = 6 is not allowed: a pond less deep", "depth"),
    (8, "Something of ours broke (RuntimeError). The last good picture is kept.", "")])
def test_a_failure_is_one_message_and_keeps_the_picture(tapped: Make, depth: int, words: str, knob: str) -> None:
    lab = tapped(gain=2.0)
    told: list[Any] = []
    lab.param.watch(lambda event: told.append(event.new) if event.new else None, ["message"])
    picture, seen = title(lab), painted(lab)
    tap(lab).shut()
    lab.set("depth", depth)
    assert lab.status == "stale"                                # while it is still the picture from before
    tap(lab).flow()
    assert lab.wait(5)
    assert lab.status == "failed"
    assert not lab.running
    assert [(m.text, m.knob) for m in told] == [(words, knob)]
    assert lab.message is told[0]
    assert {*seen, title(lab)} == {picture}
    lab.set("angle", 0.5)                                       # the last good result can still be looked at
    assert "angle=0.5" in title(lab)
    lab.set("depth", 2)
    assert lab.wait(5)
    assert (lab.status, lab.message) == ("live", None)


def test_partial_pictures_are_coalesced(tapped: Make) -> None:
    lab = tapped()
    seen = painted(lab)
    begun = time.monotonic()
    lab.set("steps", 200)
    assert lab.wait(5)
    took = time.monotonic() - begun
    assert "index=199" in title(lab)
    assert 1 <= len(set(seen)) <= 3 + took / 0.1


def test_pictures_come_before_the_end(tapped: Make) -> None:
    lab = tapped()
    core = tap(lab)
    core.shut()
    core.let(1)
    lab.set("steps", 100)
    until(lab, lambda: "index=0" in title(lab))
    assert lab.running
    assert lab.progress is not None
    assert lab.progress.total == 100
