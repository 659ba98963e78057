"""The laws can fail: each of them catches a violation planted in a toy family."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from core import test_laws as laws
from core import test_promise_words as words
from glasshouse import catalogue

ID = "toy.plain-count"
GLOBAL = ("drive.py", 'seeds.numpy("toy").normal()', '__import__("numpy").random.normal()')

# law -> (file, what stood there, what is planted)
PLANTED: list[tuple[Callable[..., Any], tuple[str, str, str]]] = [
    (laws.test_literals_say_what_they_must, ("methods/plain_count.py", '"What if we count down?"', '"Counting down."')),
    (laws.test_literals_say_what_they_must, ("_papers.py", ', arxiv="9901.00001", where="p. 1"', "")),
    (laws.test_it_has_a_view_of_its_own_state_and_a_preset, ("methods/plain_count.py", 'View("line", "Total", x="i", y="total"),', "")),
    (laws.test_views_name_what_a_look_carries, ("methods/plain_count.py", 'y="total"', 'y="totl"')),
    (laws.test_presets_can_be_set, ("methods/plain_count.py", '{"by": -1}', '{"buy": -1}')),
    (laws.test_presets_can_be_set, ("methods/plain_count.py", '{"by": -1}', '{"by": -9}')),
    (laws.test_it_has_an_oracle_test, ("methods/plain_count.py", "", "")),
    (laws.test_defaults_build_and_equal_objects_are_equal, ("methods/plain_count.py", "frozen=True", "frozen=True, eq=False")),
    (laws.test_defaults_build_and_equal_objects_are_equal, ("methods/plain_count.py", "Knob(cost=\"live\")] = 1", "Knob(cost=\"live\")] = 9")),
    (laws.test_names_never_clash, ("interface.py", "index:", "by:")),
    (laws.test_names_never_clash, ("problems.py", "note:", "pace:")),
    (laws.test_names_never_clash, ("methods/plain_count.py", "pace:", "seed:")),
    (laws.test_same_seed_same_record, GLOBAL),
    (laws.test_nothing_given_is_changed_and_no_global_randomness_is_used, GLOBAL),
    (laws.test_nothing_given_is_changed_and_no_global_randomness_is_used,
     ("drive.py", "    for i in problem.open():", '    object.__setattr__(method, "by", 2)\n    for i in problem.open():')),
    (laws.test_closing_in_mid_run_stops, ("drive.py", "        yield Progress(done=i)",
                                          "        from threading import Event as E, Thread; Thread(target=E().wait, daemon=True).start()\n"
                                          "        yield Progress(done=i)")),
    (laws.test_the_actual_guarantee_is_there_and_looks_answer, ("drive.py", "return method.guarantee if", "return None if")),
    (words.test_kind_and_statement_of_the_promise_agree,
     ("methods/plain_count.py", 'Guarantee("exact", "', 'Guarantee("exact", "Nothing is proven. ')),
    (words.test_kind_and_statement_of_the_promise_agree,
     ("drive.py", "return method.guarantee if", 'return method.guarantee.downgraded("marginal", "Nothing is proven for these.") if')),
    (laws.test_the_laws_of_its_family, ("laws.py", "return True", "return False")),
]


def _toy(folder: Path, planted: tuple[str, str, str] | None) -> catalogue.MethodInfo:
    """The toy without a fault of its own, then with the planted one."""
    plain = folder / "methods" / "plain_count.py"
    plain.write_text(plain.read_text("utf-8").replace(', series=("a", "b")', ""), "utf-8")
    papers = folder / "_papers.py"
    papers.write_text(papers.read_text("utf-8").replace('"9901.00001")', '"9901.00001", where="p. 1")'), "utf-8")
    drive = folder / "drive.py"
    drive.write_text(drive.read_text("utf-8").replace("Step(i=i,", 'Step(extra={"i": [i], "total": [total]}, i=i,'), "utf-8")
    (folder / "laws.py").write_text("def law(method):\n    return True\n\n\nLAWS = (law,)\n", "utf-8")
    if planted is not None:
        name, before, after = planted
        text = (folder / name).read_text("utf-8")
        assert before in text
        (folder / name).write_text(text.replace(before, after), "utf-8")
    laws._tiny.cache_clear()
    return catalogue.info(ID)


@pytest.mark.parametrize(("law", "planted"), PLANTED, ids=lambda value: getattr(value, "__name__", ""))
def test_a_planted_violation_is_caught(toy_family: Path, law: Callable[..., Any], planted: tuple[str, str, str]) -> None:
    info = _toy(toy_family, planted)
    with pytest.raises((AssertionError, Exception)):
        law(info)


@pytest.mark.parametrize("law", sorted({law for law, _ in PLANTED} - {laws.test_it_has_an_oracle_test}, key=lambda f: f.__name__),
                         ids=lambda law: law.__name__)
def test_the_toy_without_a_plant_is_lawful(toy_family: Path, law: Callable[..., Any]) -> None:
    law(_toy(toy_family, None))


def test_bounds_that_validation_does_not_hold_are_caught(toy_family: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    info = _toy(toy_family, None)
    laws.test_every_value_out_of_bounds_fails_and_names_the_knob(info)
    monkeypatch.setattr(laws, "build", lambda cls, values: cls(**values))
    with pytest.raises(pytest.fail.Exception, match="DID NOT RAISE"):
        laws.test_every_value_out_of_bounds_fails_and_names_the_knob(info)


def test_a_family_without_laws_is_caught(toy_family: Path) -> None:
    with pytest.raises(AssertionError, match="laws of its own"):
        laws.test_a_family_keeps_its_promises_to_the_rooms_above("toy")


def test_a_tiny_that_takes_long_is_caught(toy_family: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(laws, "TINY_SECONDS", 0)
    with pytest.raises(AssertionError):
        laws.test_tiny_ends_within_five_seconds(_toy(toy_family, None))
