"""Any lab in the Panel server: what the machinery owes to every one of them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from eye import apart, look, settled
from patience import until

pytestmark = pytest.mark.browser

TITLE = "[...document.querySelectorAll('*')].length && (() => { const all = (r) => [...r.querySelectorAll('.js-plotly-plot'), ...[...r.querySelectorAll('*')]" \
        ".flatMap((n) => n.shadowRoot ? all(n.shadowRoot) : [])]; return all(document).map((g) => g.layout.title?.text ?? '').join('|'); })()"


@pytest.fixture(scope="module")
def log(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("log") / "events"


@pytest.fixture(scope="module")
def url(serve: Any, log: Path) -> str:
    log.touch()
    return str(serve(str(Path(__file__).parent / "fake_app.py"), "{port}", str(log), path="/fake")) + "/fake"


@pytest.fixture
def lab(page: Any, url: str) -> Iterator[Any]:
    """The lab at rest."""
    page.goto(url)
    at_rest(page)
    yield page


def pictured(log: Path) -> str:
    """The panes of every picture that the server has made."""
    made = log.with_name("pictures")
    return made.read_text() if made.exists() else ""


def at_rest(page: Any) -> None:
    page.get_by_text("Up to date").wait_for()


def shows(page: Any, *words: str) -> None:
    for word in words:
        page.wait_for_function(f"(word) => ({TITLE}).includes(word)", arg=word)


def moved(page: Any, label: str, key: str, times: int = 1) -> None:
    slider = page.get_by_role("slider", name=label, exact=True)
    slider.focus()
    for _ in range(times):
        page.keyboard.press(key)


def test_looks_live_knobs_and_jobs_move_the_picture_by_keyboard(lab: Any) -> None:
    moved(lab, "angle", "ArrowRight", 5)
    shows(lab, "angle=0.3 ")
    moved(lab, "gain dB", "ArrowRight", 2)
    shows(lab, "gain=2.0")
    moved(lab, "steps \u21bb", "End")
    lab.get_by_role("button", name="Stop").wait_for()
    shows(lab, "index=8")
    lab.get_by_role("button", name="Stop").click()
    lab.get_by_text("Stopped.").wait_for()
    lab.get_by_role("button", name="Go on").click()
    lab.get_by_text("Computing on.").wait_for()
    lab.get_by_role("button", name="Stop").click()


def test_every_control_has_a_name(lab: Any) -> None:
    lab.locator("summary", has_text="more").first.click()
    assert look(lab)["nameless"] == []
    for name in ("method", "compare with", "problem"):
        assert lab.get_by_role("combobox", name=name).count() == 1
    assert lab.get_by_role("slider", name="round").count() == 1
    assert lab.get_by_role("spinbutton", name="angle, exact").count() == 1


@pytest.mark.parametrize("width", [640, 860, 900, 1199, 1200, 1280, 1920])
def test_nothing_overlaps_nor_is_too_small(lab: Any, width: int) -> None:
    lab.set_viewport_size({"width": width, "height": 800})
    found = settled(lab)
    assert found["wide"] == []
    assert found["small"] == []
    assert not found["scrolls"]
    boxes = found["boxes"]
    assert len(boxes) == 7
    assert apart(boxes) == []
    assert (boxes["gh-aside"][1] > boxes["gh-stage"][3] - 1) == (width < 1200)


def test_the_message_stands_beside_its_knob_and_the_picture_stays(lab: Any) -> None:
    box = lab.get_by_role("spinbutton", name="gain, dB, exact")
    box.fill("99")
    box.press("Enter")
    message = lab.locator(".knob", has=box).locator("p.message")
    message.get_by_text("gain = 99 is not allowed: a number at least 0 and at most 10 (dB)").wait_for()
    assert box.get_attribute("value") != "99"
    shows(lab, "gain=1.0")
    box.fill("2")
    box.press("Enter")
    shows(lab, "gain=2.0")
    assert message.inner_text() == ""


def test_panes_that_come_while_the_page_is_on_its_way_are_shown(page: Any, url: str, log: Path) -> None:
    """Panel throws away what changes before the page says that it is ready, and the page every message about a pane it was not told of."""
    held: list[str] = []
    server: list[Any] = []

    def relay(socket: Any) -> None:
        server.append(socket.connect_to_server())
        parts: list[str] = []

        def on_message(part: str) -> None:      # header, metadata, content
            parts.append(part)
            if len(parts) == 3:
                ready = "document_ready" in parts[2]
                for one in parts:
                    held.append(one) if ready else server[0].send(one)
                parts.clear()

        socket.on_message(on_message)

    page.route_web_socket("**/ws", relay)
    page.goto(url)
    page.get_by_label("compare with").wait_for()
    until(lambda: held, lambda: page.wait_for_timeout(50))
    compared = pictured(log).count("wave~b")
    page.get_by_label("compare with").select_option(label="Square Wave")
    until(lambda: pictured(log).count("wave~b") > compared, lambda: page.wait_for_timeout(50))     # the server shows the second method
    for part in held:
        server[0].send(part)
    shows(page, "gain=1.0", "gain=0.0")
    at_rest(page)
    moved(page, "angle", "ArrowRight", 5)
    shows(page, "angle=0.3 ")


def test_the_address_opens_exactly_the_same_in_another_browser(lab: Any, browser: Any) -> None:
    moved(lab, "angle", "ArrowRight", 7)
    moved(lab, "gain dB", "ArrowRight", 4)
    lab.get_by_label("compare with").select_option(label="Square Wave")
    shows(lab, "gain=3.0", "angle=0.32", "gain=0.0")
    at_rest(lab)
    lab.wait_for_function("() => location.search.includes('angle=0.32') && location.search.includes('compare=fake.square-wave')")
    other = browser.new_page()
    other.goto(lab.url)
    shows(other, "gain=3.0", "angle=0.32", "gain=0.0")
    at_rest(other)
    assert other.evaluate(TITLE) == lab.evaluate(TITLE)
    other.close()


def test_what_comes_while_the_page_loads_is_not_lost(browser: Any, url: str) -> None:
    """Panel drops changes between the moment a page is sent and the moment it is there; the run ends in just that time."""
    for steps in (4, 8, 12, 16):
        page = browser.new_page()
        page.goto(f"{url}?version=1&lab=fake&steps={steps}")
        at_rest(page)
        shows(page, f"index={steps - 1}")
        page.get_by_text(f"round {steps} of {steps}", exact=True).wait_for()
        page.close()


def test_play_step_and_scrub(lab: Any) -> None:
    lab.get_by_role("button", name="First").click()
    shows(lab, "index=0")
    lab.get_by_role("button", name="Step", exact=True).click()
    shows(lab, "index=1")
    moved(lab, "round", "End")
    shows(lab, "index=4")
    lab.get_by_role("button", name="Play").click()
    lab.get_by_role("button", name="Pause").wait_for()
    shows(lab, "index=0")
    shows(lab, "index=4")
    lab.get_by_role("button", name="Play").wait_for()


def test_a_thirty_step_drag_ends_right(lab: Any) -> None:
    lab.evaluate("""async () => {
      const all = (r) => [...r.querySelectorAll("input[type=range]"), ...[...r.querySelectorAll("*")].flatMap((n) => n.shadowRoot ? all(n.shadowRoot) : [])];
      const slider = all(document).find((n) => n.labels?.[0]?.textContent.startsWith("angle"));
      for (let i = 1; i <= 30; i++) { slider.value = i / 100; slider.dispatchEvent(new Event("input")); await new Promise((done) => setTimeout(done, 15)); }
    }""")
    shows(lab, "angle=0.3 ")
    assert lab.get_by_role("spinbutton", name="angle, exact").input_value() == "0.3"


def test_two_people_do_not_meet(lab: Any, browser: Any, url: str) -> None:
    other = browser.new_page()
    other.goto(url)
    at_rest(other)
    moved(lab, "angle", "Home")
    moved(other, "angle", "End")
    shows(lab, "angle=0.0")
    shows(other, "angle=1.0")
    other.close()


def test_downloads_have_good_names(lab: Any) -> None:
    for button, name in (("CSV", "glasshouse-fake-wave-seed0.csv"), ("JSON", "glasshouse-fake-wave-seed0.json"),
                         ("Download The wave as PNG", "glasshouse-fake-wave-wave.png"), ("Download The wave as SVG", "glasshouse-fake-wave-wave.svg")):
        with lab.expect_download() as download:
            lab.get_by_role("button", name=button, exact=True).click(force=True)
        assert download.value.suggested_filename == name


def test_colours_follow_the_system_and_can_be_chosen(browser: Any, url: str) -> None:
    page = browser.new_page(color_scheme="dark")
    page.goto(url)
    at_rest(page)
    ink = "() => getComputedStyle([...document.querySelectorAll('*')].flatMap(function deep(n) { return n.shadowRoot ? [...n.shadowRoot.querySelectorAll('*')].flatMap(deep) : [n]; }).find((n) => n.matches('h1'))).color"
    page.get_by_role("button", name="Light colours").wait_for()         # the browser has said what it prefers
    dark = page.evaluate(ink)
    page.get_by_role("button", name="Light colours").click()
    page.get_by_role("button", name="Dark colours").wait_for()
    assert dark == "rgb(236, 239, 243)"
    assert page.evaluate(ink) == "rgb(27, 31, 36)"
    page.close()


def test_a_closed_browser_stops_the_work(browser: Any, url: str, log: Path) -> None:
    """The run takes minutes if nobody stops it."""
    page = browser.new_page()
    page.goto(f"{url}?version=1&lab=fake&steps=200&depth=2")
    shows(page, "index=")
    page.close()
    ended = log.with_name("closed")
    until(lambda: ended.exists() and "200 steps" in ended.read_text())
    computed = [int(line.split()[0]) for line in ended.read_text().splitlines() if "200 steps" in line]
    assert len(computed) == 1
    assert 0 < computed[0] < 200
