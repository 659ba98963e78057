"""What a lab promises about work: the newest wins, little is started, stopping stops, mistakes keep the picture, looks cost nothing."""

from __future__ import annotations

import threading
from typing import Any

import pytest

import patience
from fake_lab import FakeCore, FakeLab, FakeSession
from glasshouse_widgets.labs.running import JOB_DELAY
from hand import Hand
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
    patience.until(lambda: len(core.sessions[-1].computed) == 2)    # its first picture is on its way, and not yet taken
    lab.update({"gain": 3.0, "steps": 7})
    seen = painted(lab)
    lab.inbox.drain()
    core.flow()
    assert lab.wait()
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
    assert lab.wait()
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
    assert lab.wait()
    assert len(core.sessions) - before <= 2
    assert gains([title(lab)]) == [3.0]


def test_thirty_moves_of_a_job_start_one_and_show_the_last(tapped: Make) -> None:
    hand = Hand()
    lab = tapped(clock=hand)
    lane, core = lab.sides[0].lane, tap(lab)
    started, opened = lane.started, len(core.sessions)
    for steps in range(11, 41):
        lab.set("steps", steps)
        hand.turn(0.01)
    assert lane.started == started                              # the hand has not rested
    assert lab.status == "stale"
    hand.turn(JOB_DELAY)
    assert lab.wait()
    assert lane.started - started == len(core.sessions) - opened == 1
    assert "index=39" in title(lab)
    assert lab.status == "live"


@pytest.mark.parametrize(("pause", "waits"), [(10.0, JOB_DELAY), (0.3, JOB_DELAY), (0.2, 0.4), (0.05, 0.1), (0.03, JOB_DELAY)])
def test_a_job_waits_for_the_hand(tapped: Make, pause: float, waits: float) -> None:
    """80 ms, and in a slow drag twice the time between its moves."""
    hand = Hand()
    lab = tapped(clock=hand)
    hand.turn(10.0)
    lab.set("steps", 7)
    hand.turn(pause)
    if pause > JOB_DELAY:
        assert lab.wait()                                       # the first had its turn
    n = len(tap(lab).sessions)
    lab.set("steps", 8)
    hand.turn(waits - 0.001)
    assert len(tap(lab).sessions) == n
    assert lab.sides[0].lane.busy
    hand.turn(0.002)
    assert lab.wait()
    assert len(tap(lab).sessions) == n + 1
    assert "index=7" in title(lab)


def test_a_live_knob_does_not_wait(tapped: Make) -> None:
    lab = tapped(clock=Hand())
    lab.set("gain", 2.0)
    until(lab, lambda: gains([title(lab)]) == [2.0])            # the clock stands still


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
    assert lab.wait()
    assert len(core.sessions) == n
    assert "index=19" in title(lab)
    assert (lab.status, lab.running) == ("live", False)


def test_close_stops_everything(tapped: Make) -> None:
    hand = Hand()
    lab = tapped(compare="fake.square-wave", clock=hand)
    core = tap(lab)
    core.shut()
    lab.set("depth", 4)
    hand.turn(JOB_DELAY)
    until(lab, lambda: core.iterators == 2)                     # one of each method, both waiting
    lab.act("tide")
    lab.set("depth", 5)                                         # a job waits for the hand to rest
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
    hand.turn(10.0)                                             # longer than a job waits
    assert not lab.inbox.drain()
    assert seen == []
    assert len(core.sessions) == n
    assert not lab.player.playing


def test_a_replaced_session_is_closed(tapped: Make) -> None:
    lab = tapped()
    old = lab.sides[0].session
    lab.set("gain", 2.0)
    assert lab.wait()
    assert isinstance(old, FakeSession)
    assert old.closed
    assert lab.sides[0].session is not old


def test_every_session_ever_opened_is_closed_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Also one that was cancelled between its opening and its first event, and one that opens while its lab is closed."""
    closed: list[int] = []
    monkeypatch.setattr(FakeSession, "close", lambda self: closed.append(id(self)))
    core = FakeCore()
    opened, held, going = core.open, threading.Event(), threading.Event()

    def slowly(*given: Any) -> Any:
        going.set()
        held.wait()
        return opened(*given)

    lab = FakeLab(core=core)
    assert lab.wait()
    monkeypatch.setattr(core, "open", slowly)
    lab.set("gain", 2.0)                    # begins at once, and hangs in its opening
    going.wait()
    lab.close()
    held.set()
    patience.until(lambda: len(core.sessions) == len(closed) == 2)
    assert sorted(closed) == sorted(map(id, core.sessions))



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
    assert lab.wait()
    assert lab.status == "failed"
    assert not lab.running
    assert [(m.text, m.knob) for m in told] == [(words, knob)]
    assert lab.message is told[0]
    assert {*seen, title(lab)} == {picture}
    lab.set("angle", 0.5)                                       # the last good result can still be looked at
    assert "angle=0.5" in title(lab)
    lab.set("depth", 2)
    assert lab.wait()
    assert (lab.status, lab.message) == ("live", None)


def test_partial_pictures_are_coalesced(tapped: Make) -> None:
    hand = Hand()
    lab = tapped(clock=hand)
    seen = painted(lab)
    lab.set("steps", 200)
    hand.turn(JOB_DELAY)
    assert lab.wait()
    assert "index=199" in title(lab)
    assert 1 <= len(set(seen)) <= 3                             # the first, perhaps what came with it, the last: the clock stands still


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
