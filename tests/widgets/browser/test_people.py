"""People at the Draft Tree Lab: two at once, dragging, leaving in mid-run, coming one after another."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any

import pytest

from patience import until
from people import LASTING, Served, drag, expected, link, seen, settle, started, visitor

pytestmark = pytest.mark.browser
SHORT = {"max_new_tokens": 32}


@pytest.fixture(scope="module")
def served(serve: Callable[..., str], tmp_path_factory: pytest.TempPathFactory) -> Served:
    return started(serve, tmp_path_factory.mktemp("served"))


def _say(what: str) -> None:
    print(f"\n[measured] {what}; load {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores")


def test_two_people_at_once(browser: Any, served: Served) -> None:
    with visitor(browser, served.url + link(**SHORT)) as one, visitor(browser, served.url + link(**SHORT)) as two:
        settle(one)
        settle(two)
        assert seen(one) == seen(two) == expected(one, "decoding.dyspec", **SHORT)
        two.get_by_label("method", exact=True).select_option(label="Sequoia")
        drag(one, "temperature", [0.65 - 0.05 * i for i in range(14)])
        drag(two, "temperature", [0.75 + 0.05 * i for i in range(10)])
        settle(one)
        settle(two)
        for page, method, temperature in ((one, "decoding.dyspec", 0.0), (two, "decoding.sequoia", 1.2)):
            assert float(page.get_by_label("temperature, exact", exact=True).input_value()) == temperature
            assert page.get_by_label("method", exact=True).input_value() == method
            page.wait_for_function(f"() => location.search.includes('method={method}') && location.search.includes('temperature={temperature}')")
            assert seen(page) == expected(page, method, temperature=temperature, **SHORT)
        assert seen(one) != seen(two)


def _drags(browser: Any, served: Served, times: int) -> None:
    """Thirty moves of the budget, 40 ms apart: the last value is the one computed and shown, without a run for each move.

    How many runs begin says how long the browser let the hand rest, so it is counted by ``make bench`` (and with a clock in hand by
    the tests of labs).
    """
    begun, wrong = [], []
    with visitor(browser, served.url + link(**SHORT)) as page:
        settle(page)
        for i in range(times):
            end = (40, 10, 31, 19)[i % 4]
            way = 1 if end > 25 else -1
            before = served.runs
            drag(page, "budget", [end - way * k for k in range(29, -1, -1)])
            settle(page)
            begun.append(served.runs - before)
            shown = page.get_by_label("budget, nodes, exact", exact=True).input_value()
            page.wait_for_function("(end) => location.search.includes(`budget=${end}`)", arg=end)     # a browser takes its time with addresses
            if shown != str(end) or seen(page) != expected(page, "decoding.dyspec", budget=end, **SHORT):
                wrong.append((end, shown, page.url))
    _say(f"{times - len(wrong)} of {times} drags right, runs begun per drag {begun}")
    assert wrong == []
    assert min(begun) >= 1


def test_drag(browser: Any, served: Served) -> None:
    _drags(browser, served, 3)


@pytest.mark.slow
def test_twenty_drags(browser: Any, served: Served) -> None:
    _drags(browser, served, 20)


def test_closed_in_mid_run(browser: Any, served: Served) -> None:
    """Nobody is left to see a long run: it ends soon after, unfinished."""
    with visitor(browser, served.url + link(seed=LASTING, max_new_tokens=384, budget=8)) as page:
        page.wait_for_selector(".js-plotly-plot .main-svg")
        page.locator(".where").get_by_text("round 2 of").or_(page.locator(".status.running")).first.wait_for()
    until(lambda: any(line["seed"] == LASTING for line in served.lines("closed")))
    mine = [line for line in served.lines("closed") if line["seed"] == LASTING]
    assert len(mine) == 1
    assert not mine[0]["done"]
    served.idle()


def _session(browser: Any, served: Served) -> None:
    """One person: a run of 128 tokens, then twenty moves of the round."""
    with visitor(browser, served.url + link(max_new_tokens=128), 900) as page:
        settle(page)
        rounds = int(page.locator(".where").inner_text().split(" of ")[1])
        assert rounds > 20
        drag(page, "round", list(range(20)), every=60.0)
        settle(page)
        page.wait_for_function("() => location.search.includes('round=19')")


def _growth(browser: Any, served: Served, first: int, last: int) -> float:
    """MB of resident memory per session between the end of session ``first`` and that of ``last``."""
    marks = {}
    for n in range(1, last + 1):
        _session(browser, served)
        if n in (first, last):
            served.deserted()           # nobody who has gone has a run open
            served.idle()
            marks[n] = served.megabytes()
    grown = (marks[last] - marks[first]) / (last - first)
    _say(f"resident {marks} MB, {grown:.2f} MB per session")
    return grown


def test_memory_of_a_few(browser: Any, served: Served) -> None:
    assert _growth(browser, served, 3, 8) < 8.0


@pytest.mark.slow
def test_memory_of_thirty(browser: Any, served: Served) -> None:
    assert _growth(browser, served, 5, 30) < 2.0
