"""A law over all labs: the state that a link carries is the state that opens, wherever the player stood and whatever ran first."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qsl, urlencode

import pytest

from glasshouse_widgets import labs
from glasshouse_widgets.labs.base import Lab
from glasshouse_widgets.labs.link import MOST
from glasshouse_widgets.renderers.arrays import to_json
from rested import at_rest, moved_about

LABS = labs.found()
PLAYED = [name for name, cls in LABS.items() if cls.sequence]


@pytest.fixture(scope="module", params=list(LABS))
def lab(request: pytest.FixtureRequest) -> Iterator[Lab]:
    with at_rest(LABS[request.param](problem="tiny")) as made:
        yield made


def opened(cls: type[Lab], query: str) -> Any:
    made = cls()
    made.open_link(query)
    return at_rest(made)


def stage(lab: Lab) -> str:
    return to_json([lab.figures[slot.name] for slot in lab.slots if slot.place == "stage"])


@pytest.mark.parametrize("seed", range(3))
def test_what_a_link_carries_is_what_opens(lab: Lab, seed: int) -> None:
    moved_about(lab, seed)
    with opened(type(lab), lab.link()) as again:
        assert again.message is None
        assert again.state() == lab.state()
        assert again.values == lab.values
        if lab.player is not None and again.player is not None:
            assert (again.player.position, again.player.length) == (lab.player.position, lab.player.length)
        assert stage(again) == stage(lab)
        assert again.link() == lab.link()


@pytest.mark.parametrize("name", PLAYED)
def test_every_place_of_the_player_opens_where_it_was(name: str) -> None:
    """The newest too: a lab that would rest elsewhere by itself stays where the link says."""
    with at_rest(LABS[name](problem="tiny")) as lab:
        assert lab.player is not None
        for go in (lab.player.newest, lambda: lab.player.scrub(0), lambda: lab.player.scrub(lab.player.length - 1)):
            go()
            with opened(type(lab), lab.link()) as again:
                assert again.values[lab.sequence] == lab.values[lab.sequence]
                assert again.message is None


def test_a_place_that_the_run_never_reaches_ends_at_its_end() -> None:
    with at_rest(LABS["certification"](problem="tiny")) as lab:
        said = lab.state()
        said["values"]["moment"] = 1000
        with at_rest(type(lab).from_state(said)) as again:
            assert again.values["moment"] == -1
            assert again.figures


def test_a_link_carries_the_preset_and_its_question(lab: Lab) -> None:
    for preset in lab.presets:
        lab.choose_preset(preset.name)
        assert lab.preset == preset.name
        made = type(lab)()
        made.open_link(lab.link())
        assert (made.preset, made.state()) == (preset.name, lab.state())
        made.close()
    lab.choose(problem="tiny")
    assert lab.preset == ""
    assert lab.wait()


def test_a_preset_that_is_no_more_does_not_keep_a_link_from_opening(lab: Lab) -> None:
    made = type(lab)()
    made.open_link(lab.link() + "&preset=Long+gone")
    assert (made.message, made.preset) == (None, "")
    assert made.values == lab.values
    made.close()


def test_links_that_say_only_what_differs_open_as_before(lab: Lab) -> None:
    """They were written before links said everything."""
    moved_about(lab, 5)
    default = {n: f.default for h in lab._holders() for n, f in h.fields.items()}
    said = dict(parse_qsl(lab.link().removeprefix("?")))
    short = {n: v for n, v in said.items() if n not in default or lab.values[n] != default[n]}
    made = type(lab)()
    made.open_link("?" + urlencode(short))
    assert made.message is None
    assert made.values == lab.values
    made.close()


def test_the_longest_link_can_be_read() -> None:
    """Every method compared with the one that has most knobs."""
    for cls in LABS.values():
        lab = cls()
        for method in lab.infos:
            for other in lab.infos:
                lab.choose(method=method, compare=other)
                assert len(lab.link()) < MOST / 2
                assert json.loads(json.dumps(lab.state())) == lab.state()
        lab.close()
