from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from glasshouse import catalogue, runs
from glasshouse.schema.build import build
from glasshouse.schema.errors import BadType, BadValue
from glasshouse.schema.guarantee import Guarantee
from glasshouse.schema.view import Preset, View

ALL = catalogue.methods()


@pytest.mark.parametrize("info", ALL, ids=lambda i: i.id)
def test_reading_equals_importing(info: catalogue.MethodInfo) -> None:
    cls = catalogue.load(info.id)
    assert info.name == cls.__name__
    assert info.module == cls.__module__
    assert info.paper == cls.paper
    assert info.guarantee == cls.guarantee
    assert info.views == tuple(cls.views)
    assert info.presets == tuple(cls.presets)
    assert cls.__doc__ is not None
    assert info.summary == cls.__doc__.split("\n")[0] != ""


def test_listing_imports_no_family() -> None:
    code = ("import sys; from glasshouse import catalogue; assert catalogue.methods(); "
            "assert not [m for m in sys.modules if m.startswith('glasshouse.families.')]; "
            "assert not {'torch', 'scipy', 'pandas', 'pydantic', 'numpy'} & set(sys.modules)")
    subprocess.run([sys.executable, "-c", code], check=True)


def test_ids_are_unique_and_hyphenated() -> None:
    ids = [info.id for info in ALL]
    assert len(set(ids)) == len(ids)
    assert not any("_" in id for id in ids)


def test_toy_family_is_found(toy_family: Path) -> None:
    assert "toy" in catalogue.families()
    assert [i.id for i in catalogue.methods("toy")] == ["toy.plain-count", "toy.prepared-count"]
    info = catalogue.info("toy.plain_count")
    assert (info.title, info.year, info.arxiv, info.doi, info.summary) == ("On counting", 1999, "9901.00001", "", "Counts by a step.")
    assert info.guarantee == Guarantee("exact", "Counts exactly.", level=1.0, assumptions=("numbers are numbers",))
    assert info.views == (View("line", "Total", x="i", y="total", series=("a", "b")),)
    assert info.presets == (Preset("down", "What if we count down?", {"by": -1}, problem="tiny"),)
    assert "glasshouse.families.toy.methods.plain_count" not in sys.modules
    cls = catalogue.load("toy.plain-count")
    assert (cls.paper, cls.guarantee, cls.views, cls.presets) == (info.paper, info.guarantee, info.views, info.presets)


def test_sub_families_one_level_down(toy_family: Path) -> None:
    deeper = toy_family / "methods" / "named"
    deeper.mkdir()
    (toy_family / "methods" / "prepared_count.py").rename(deeper / "prepared_count.py")
    assert catalogue.info("toy.prepared-count").module == "glasshouse.families.toy.methods.named.prepared_count"
    assert catalogue.load("toy.prepared-count")().by == 1
    assert catalogue.info("toy.prepared-count").room == "toy"


def test_a_further_question_has_a_room_of_its_own(toy_family: Path) -> None:
    room = toy_family / "named"
    room.mkdir()
    for name in ("drive.py", "interface.py", "problems.py"):
        (room / name).write_text((toy_family / name).read_text("utf-8").replace("toy.interface", "toy.named.interface"), "utf-8")
    (toy_family / "methods" / "named").mkdir()
    (toy_family / "methods" / "prepared_count.py").rename(toy_family / "methods" / "named" / "prepared_count.py")
    info = catalogue.info("toy.prepared-count")
    assert (info.family, info.room, catalogue.rooms("toy")) == ("toy", "toy.named", ["toy", "toy.named"])
    assert [i.id for i in catalogue.methods("toy")] == ["toy.plain-count", "toy.prepared-count"]
    assert catalogue.modules("toy.named").Look is not catalogue.modules("toy").Look
    assert type(runs.open("toy.prepared-count").problem).__module__ == "glasshouse.families.toy.named.problems"
    with pytest.raises(BadValue, match="family"):
        catalogue.modules("toy.unnamed")


def test_a_changed_file_is_read_again(toy_family: Path) -> None:
    path = toy_family / "methods" / "prepared_count.py"
    assert catalogue.info("toy.prepared-count").title == "Preparing"
    path.write_text(path.read_text("utf-8").replace("Preparing", "Prepared"), "utf-8")
    assert catalogue.info("toy.prepared-count").title == "Prepared"


@pytest.mark.parametrize("broken", [
    'Paper("a".upper(), "b", 2000)', 'Paper(*("a", "b"), 2000)', "make_paper()", 'Paper(title(), "b", 2000)',
    'Guarantee(**{"kind": "none"})'])
def test_what_is_no_literal_is_refused(toy_family: Path, broken: str) -> None:
    path = toy_family / "methods" / "prepared_count.py"
    text = path.read_text("utf-8").replace('Paper("Preparing", "B. Toy", 2001, doi="10.1/x", where="eq. 2")', broken)
    path.write_text(text, "utf-8")
    with pytest.raises(SyntaxError, match=r"prepared_count\.py.*not a literal"):
        catalogue.methods("toy")


def test_missing_literal_and_second_class_are_refused(toy_family: Path) -> None:
    path = toy_family / "methods" / "prepared_count.py"
    whole = path.read_text("utf-8")
    path.write_text(whole.replace("guarantee: ClassVar", "promise: ClassVar"), "utf-8")
    with pytest.raises(SyntaxError, match="says no guarantee"):
        catalogue.methods("toy")
    for other in (whole.replace("paper: ClassVar", "source: ClassVar"), whole + "\nclass Another:\n    paper = Paper('a', 'b', 2000)\n"):
        path.write_text(other, "utf-8")
        with pytest.raises(SyntaxError, match="one public class"):
            catalogue.methods("toy")
    path.write_text(whole + "\nclass Memory:\n    size = 3\n", "utf-8")
    assert catalogue.info("toy.prepared-count").name == "PreparedCount"


@pytest.mark.parametrize(("id", "hint"), [("toy.plain-cuont", "toy.plain-count"), ("toy", ""), ("toy.", ""), ("", ""),
                                          ("no.such", ""), ("../toy.plain-count", "toy.plain-count")])
def test_unknown_method_names_the_nearest(toy_family: Path, id: str, hint: str) -> None:
    with pytest.raises(BadValue, match="method") as error:
        catalogue.info(id)
    assert hint in str(error.value)
    assert error.value.argument == "method"


def test_wrong_type_of_id_and_unknown_family(toy_family: Path) -> None:
    with pytest.raises(BadType, match="method"):
        catalogue.info(3)  # type: ignore[arg-type]
    with pytest.raises(BadValue, match="family"):
        catalogue.methods("tay")
    with pytest.raises(BadValue, match="family"):
        catalogue.modules("tay")


def test_problem_specs(toy_family: Path) -> None:
    default = catalogue.problem("toy")
    assert (default.name, default.steps) == ("numbers", 5)
    assert catalogue.problem("toy", "tiny").name == "tiny"
    assert catalogue.problem("toy", "numbers:steps=7").steps == 7
    assert catalogue.problem("toy", "numbers:steps=7", {"steps": 8}).steps == 8
    assert catalogue.problem("toy", default) == default
    assert catalogue.problem("toy", default, {"steps": 9}).steps == 9
    both = catalogue.problem("toy", "numbers:note=f(a, b=2), done,steps=3")
    assert (both.note, both.steps) == ("f(a, b=2), done", 3)


@pytest.mark.parametrize(("spec", "word"), [("nambers", "numbers"), ("numbers:steps=0", "steps"), ("numbers:stops=1", "stops"),
                                            ("numbers:steps", "key=value"), ("numbers:steps=x", "whole number"), ("numbers:", "key")])
def test_bad_problem_specs(toy_family: Path, spec: str, word: str) -> None:
    with pytest.raises(BadValue, match=word):
        catalogue.problem("toy", spec)


def test_bad_problem_objects(toy_family: Path) -> None:
    for wrong in (3, object(), catalogue.modules("toy").problems[0]):
        with pytest.raises(BadType, match="problem"):
            catalogue.problem("toy", wrong)
    too_many = type(catalogue.problem("toy"))(steps=5000)
    with pytest.raises(BadValue, match="steps = 5000"):
        catalogue.problem("toy", too_many)


def test_split_sorts_a_flat_namespace(toy_family: Path) -> None:
    parts = catalogue.split("toy.plain-count", None, {"by": 2, "steps": 3, "index": 0})
    assert parts == catalogue.Parts({"by": 2}, {"steps": 3}, {"index": 0})
    with pytest.raises(BadValue, match=r"knob = 'buy'.*did you mean by") as error:
        catalogue.split("toy.plain-count", None, {"buy": 2})
    assert error.value.argument == "knob"
    for name in ("by", "steps", "index", "note", "fail_at", "pace"):
        assert name in str(error.value)
    with pytest.raises(BadValue, match="steps"):  # not a field of this problem
        catalogue.split("toy.plain-count", "tiny", {"steps": 3})


def test_build_of_the_toy(toy_family: Path) -> None:
    with pytest.raises(BadValue, match="by = 6"):
        build(catalogue.load("toy.plain-count"), {"by": 6})
