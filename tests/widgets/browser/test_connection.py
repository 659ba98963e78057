"""A page that is cut off says so, greys its figures, and goes on where it was: server stopped, socket dropped, nothing answering."""

from __future__ import annotations

import os
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from patience import PATIENCE, until
from relay import Relay

pytestmark = pytest.mark.browser
HERE = Path(__file__).parent
ROOT = HERE.parents[2]
SOURCE = (ROOT / "widgets/glasshouse_widgets/renderers/browser/connection.js").read_text("utf-8")
TITLE = "(() => { const all = (r) => [...r.querySelectorAll('.js-plotly-plot'), ...[...r.querySelectorAll('*')]" \
        ".flatMap((n) => n.shadowRoot ? all(n.shadowRoot) : [])]; return all(document).map((g) => g.layout?.title?.text ?? '').join('|'); })()"
FADED = "() => { const all = (r) => [...r.querySelectorAll('.gh.plot'), ...[...r.querySelectorAll('*')].flatMap((n) => n.shadowRoot ? all(n.shadowRoot) : [])];" \
        " return all(document).map((n) => getComputedStyle(n.querySelector('.graph')).filter !== 'none'); }"
# A clock that a test turns: time passes only in ``to``, and what is due is done in order.
WORLD = SOURCE + """
const world = (lag = 0) => {
  let t = 0, n = 0, due = [];
  const clock = { now: () => t, later: (work, ms) => { due.push({ at: t + ms, n: ++n, work }); return n; }, stop: (k) => { due = due.filter((one) => one.n !== k); } };
  const to = (end) => {
    for (;;) {
      due.sort((a, b) => a.at - b.at || a.n - b.n);
      if (!due.length || due[0].at > end) break;
      const one = due.shift();
      t = Math.max(t, one.at);
      one.work();
    }
    t = end;
  };
  const sleep = (ms) => { t += ms; };         // what was due in the meantime is done when the page wakes
  const line = new Line("x", clock), states = [];
  line.watch((state) => states.push([t, state]));
  return { clock, to, sleep, line, states };
};
"""


class Server:
    """The lab of tests, that can be stopped and started again at the same port."""

    def __init__(self, relay: Relay, log: Path) -> None:
        self.relay, self.log = relay, log
        log.touch()
        self.start()

    def start(self) -> None:
        roots = [str(ROOT / "corelib"), str(ROOT / "widgets"), str(ROOT / "tests")]
        command = [sys.executable, str(HERE / "fake_app.py"), str(self.relay.to), str(self.log), self.relay.host]
        self.process = subprocess.Popen(command, env={**os.environ, "PYTHONPATH": os.pathsep.join(roots), "PYTHONWARNINGS": "ignore"},
                                        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        until(self.answers)

    def answers(self) -> bool:
        try:
            urllib.request.urlopen(f"http://127.0.0.1:{self.relay.to}/door", timeout=PATIENCE).close()
            return True
        except OSError:
            return False

    def stop(self) -> None:
        self.process.kill()
        self.process.wait()


@pytest.fixture(scope="module")
def server(port: int, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with Relay(port) as relay:
        one = Server(relay, tmp_path_factory.mktemp("log") / "events")
        yield one
        one.stop()


@pytest.fixture
def lab(browser: Any, server: Server) -> Iterator[Any]:
    """The lab at rest."""
    context = browser.new_context(viewport={"width": 1280, "height": 900}, reduced_motion="reduce")
    page = context.new_page()
    page.goto(server.relay.url + "fake")
    at_rest(page)
    yield page
    context.close()


def at_rest(page: Any) -> None:
    page.get_by_text("Up to date").wait_for()
    page.wait_for_function(f"() => {TITLE}.includes('index=')")


def says(page: Any, *words: str) -> None:
    for word in words:
        page.locator(".severed").get_by_text(word).wait_for()


def shows(page: Any, *words: str) -> None:
    for word in words:
        page.wait_for_function(f"(word) => ({TITLE}).includes(word)", arg=word)


def moved(page: Any, label: str, times: int) -> None:
    slider = page.get_by_role("slider", name=label, exact=True)
    slider.focus()
    for _ in range(times):
        page.keyboard.press("ArrowRight")


def is_faded(page: Any) -> None:
    """Colour is taken away; a cross and words say the same."""
    assert all(page.evaluate(FADED))
    assert not page.get_by_text("Up to date").is_visible()
    assert page.locator(".severed .cross").is_visible()


def is_whole(page: Any) -> None:
    at_rest(page)
    page.locator(".severed").wait_for(state="hidden")
    assert not any(page.evaluate(FADED))


@pytest.fixture
def blank(browser: Any) -> Iterator[Any]:
    page = browser.new_page()
    yield page
    page.close()


def test_silence_is_said_within_three_seconds_whenever_it_begins(blank: Any) -> None:
    """By the page's own constants, with a clock that the test turns: the wire dies at any moment of a beat; answers took 0 to 1.5 s before."""
    found = blank.evaluate("() => { const found = [];" + WORLD + """
      for (const lag of [0, 40, 1500]) for (let dies = 5000; dies < 9000; dies += 37) {
        const { clock, to, line, states } = world();
        const ask = () => { const sent = clock.now(); if (sent + lag / 2 < dies) clock.later(() => clock.now() < dies && line.heard(), lag); };
        line.beat(ask, () => true);
        to(20000);
        found.push([states.length, states.at(-1)[1], states.at(-1)[0] - dies]);
      }
      return found; }""")
    assert {(changes, state) for changes, state, _ in found} == {(2, "silent")}       # open at first, and nothing else before
    assert 0 < min(after for *_, after in found) <= max(after for *_, after in found) < 3000


def test_an_answer_ends_the_silence_and_a_busy_kernel_is_not_silent(blank: Any) -> None:
    found = blank.evaluate("() => {" + WORLD + """
      const { clock, to, line, states } = world();
      let answers = true, busy = false;
      line.busy = () => busy;
      line.beat(() => answers && clock.later(() => line.heard(), 20), () => true);
      to(5000); answers = false; to(10000); line.heard(); answers = true; to(15000);
      answers = false; busy = true; to(20000); busy = false; to(25000); line.heard();
      return states.map(([, state]) => state); }""")
    assert found == ["open", "silent", "open", "waiting", "silent", "open"]


def test_a_page_that_slept_reads_what_has_come_before_it_doubts(blank: Any) -> None:
    found = blank.evaluate("() => {" + WORLD + """
      const { clock, to, sleep, line, states } = world();
      let answers = true;
      line.beat(() => answers && clock.later(() => line.heard(), 20), () => true);
      to(4990); answers = false; to(5000); sleep(3600000);        // the answer to the last question waits where it arrived
      answers = true; clock.later(() => line.heard(), 50); to(clock.now() + 5000);
      const awake = states.map(([, state]) => state);
      answers = false; sleep(3600000); to(clock.now() + 5000);
      return [awake, states.map(([, state]) => state)]; }""")
    assert found == [["open"], ["open", "silent"]]


def test_nobody_is_asked_while_nobody_looks(blank: Any) -> None:
    found = blank.evaluate("() => {" + WORLD + """
      const { clock, to, line } = world();
      let asked = 0, seen = true;
      line.beat(() => { asked += 1; clock.later(() => line.heard(), 20); }, () => seen);
      to(10000); const before = asked; seen = false; to(3600000);
      return [before, asked]; }""")
    assert found[0] == found[1] == 11


def test_a_dropped_socket_is_taken_up_again_and_nothing_is_lost(lab: Any, server: Server) -> None:
    moved(lab, "angle", 5)
    shows(lab, "angle=0.3 ")
    server.relay.cut()
    says(lab, "Cut off from the server", "What you change is kept")
    is_faded(lab)
    moved(lab, "angle", 7)
    moved(lab, "gain dB", 2)
    says(lab, "What you changed is kept")
    shows(lab, "angle=0.3 ")
    server.relay.mend()
    is_whole(lab)
    shows(lab, "angle=0.37 gain=2.0")
    moved(lab, "angle", 1)
    shows(lab, "angle=0.38 ")


def test_a_connection_that_only_stands_still_is_said_too(lab: Any, server: Server) -> None:
    server.relay.flow.clear()
    says(lab, "The server does not answer")
    is_faded(lab)
    moved(lab, "angle", 5)
    server.relay.flow.set()
    is_whole(lab)
    shows(lab, "angle=0.3 ")


def test_after_a_restart_the_page_offers_to_reload_with_its_state(lab: Any, server: Server) -> None:
    """What was typed and what was moved while nobody was there included; neither is in the address."""
    lab.get_by_label("problem", exact=True).select_option(label="Your own")
    lab.get_by_label("words", exact=False).first.fill("a secret of mine")
    lab.keyboard.press("Tab")
    moved(lab, "gain dB", 4)
    lab.get_by_label("compare with").select_option(label="Square Wave")
    shows(lab, "gain=3.0", "gain=0.0")
    at_rest(lab)
    server.stop()
    says(lab, "Cut off from the server")
    is_faded(lab)
    moved(lab, "angle", 9)
    assert not lab.get_by_role("button", name="Reload with this state").is_visible()        # to nowhere
    server.start()
    says(lab, "The server is back, but not this lab")
    lab.get_by_role("button", name="Reload with this state").click()
    shows(lab, "angle=0.34 gain=3.0", "gain=0.0")
    is_whole(lab)
    assert lab.get_by_label("words", exact=False).first.input_value() == "a secret of mine"
    assert "secret" not in lab.url
    assert lab.get_by_label("problem", exact=True).input_value() == "own"


def test_work_is_no_silence(lab: Any) -> None:
    """A run that computes all the time, on its threads: the line stays whole."""
    lab.evaluate("() => { window.states = []; [...window.glasshouseLines.values()].at(-1).watch((state) => window.states.push(state)); }")
    slider = lab.get_by_role("slider", name="steps \u21bb", exact=True)
    slider.focus()
    lab.keyboard.press("End")
    shows(lab, "index=16")
    assert not {"cut", "back", "gone"} & set(lab.evaluate("window.states"))
    lab.get_by_role("button", name="Stop").click()
    lab.get_by_text("Stopped.").wait_for()
