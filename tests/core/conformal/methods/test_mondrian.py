"""Mondrian: each cell alone is split conformal, and each is covered as promised."""

from __future__ import annotations

import numpy as np
import pytest

from glasshouse import runs
from glasshouse.families.conformal import calibrate
from glasshouse.families.conformal.calibration import fit
from glasshouse.families.conformal.methods.mondrian import Mondrian
from glasshouse.families.conformal.ranks import threshold_rank
from glasshouse.numerics.seeds import Seeds
from glasshouse.schema.errors import BadValue, GlasshouseError
from glasshouse.schema.events.conformal import Sets


def drawn(n: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Class 2 is rare and hard: the model hardly ever believes in it."""
    rng = np.random.default_rng(seed)
    labels = rng.choice(3, n, p=(0.6, 0.3, 0.1))
    logits = rng.normal(size=(n, 3)) + 2.0 * np.eye(3)[labels] * np.array([1.0, 1.0, 0.2])
    probs = np.exp(logits)
    return probs / probs.sum(axis=1, keepdims=True), labels, rng.integers(2, size=n)


def test_every_class_is_split_conformal_with_its_own_points() -> None:
    probs, labels, _ = drawn(400)
    test, _, _ = drawn(100, 1)
    sets = fit(Mondrian(), probs, labels, np.zeros(400), np.zeros(400, int), 1, Seeds(0)).predict(test, 0.1)
    for y in range(3):
        own = np.sort(1 - probs[labels == y, y])
        assert (sets[:, y] == (1 - test[:, y] <= own[threshold_rank(len(own), 0.1) - 1])).all()


def test_every_group_is_split_conformal_with_its_own_points() -> None:
    probs, labels, group = drawn(400)
    test, _, at = drawn(100, 1)
    c = calibrate(probs, labels, "lac", groups=group)
    sets = c.predict(test, 0.1, groups=at)
    assert c.guarantee.kind == "group"
    for g in range(2):
        alone = calibrate(probs[group == g], labels[group == g], "lac")
        assert (sets[at == g] == alone.predict(test[at == g], 0.1)).all()
        assert c.threshold(0.1)[g] == alone.threshold(0.1)  # type: ignore[index]


def test_the_rare_class_is_covered_where_one_threshold_leaves_it_out() -> None:
    """Class-conditional coverage over 400 draws; the pooled threshold sacrifices the rare class."""
    held = {"class": np.zeros(2), "pooled": np.zeros(2)}
    for seed in range(400):
        probs, labels, _ = drawn(600, seed)
        rare = labels[300:] == 2
        for name, groups in (("class", "class"), ("pooled", None)):
            sets = calibrate(probs[:300], labels[:300], "lac", groups=groups).predict(probs[300:], 0.1)
            held[name] += sets[rare, 2].sum(), rare.sum()
    assert held["class"][0] / held["class"][1] > 0.89
    assert held["pooled"][0] / held["pooled"][1] < 0.75


def test_a_class_without_points_stays_in_every_set() -> None:
    probs, labels, _ = drawn(200)
    c = calibrate(probs[labels < 2], labels[labels < 2], "lac", groups="class")
    assert c.predict(probs, 0.3)[:, 2].all()
    assert c.guarantee.kind == "class"


def test_a_single_group_is_still_a_group() -> None:
    probs, labels, _ = drawn(200)
    c = calibrate(probs, labels, "lac", groups=np.zeros(200, int))
    assert c.guarantee.kind == "group"
    assert (c.predict(probs, 0.1, groups=np.zeros(200, int)) == calibrate(probs, labels, "lac").predict(probs, 0.1)).all()


def test_what_is_full_is_said() -> None:
    session = runs.open("conformal.mondrian", "digits", calibration_size=90)
    list(session.events())
    sets = session.look(alpha=0.1)
    assert isinstance(sets, Sets)
    small = sets.calibrated.cell_n < 9
    assert 0 < small.sum() < 10
    assert sets.full_because.startswith(f"{small.sum()} of 10 cells have too few")
    assert sets.sets[:, small].all()
    assert not sets.sets.all()


def test_session_by_class_and_by_group() -> None:
    for by, cells in (("class", 10), ("group", 3)):
        session = runs.open("conformal.mondrian", "digits", by=by)
        list(session.events())
        sets = session.look(alpha=0.1)
        assert isinstance(sets, Sets)
        assert len(sets.thresholds) == cells == len(sets.calibrated.cell_names)
        assert (sets.sets == (sets.calibrated.test_scores <= sets.thresholds[sets.calibrated.cell])).all()
        assert 0.85 < sets.coverage < 0.97
        assert session.guarantee.kind == by == sets.calibrated.cells
        where = sets.calibrated.labels if by == "class" else sets.calibrated.group
        held = sets.sets[np.arange(sets.calibrated.m), sets.calibrated.labels]
        assert sets.cell_coverage == pytest.approx([held[where == c].mean() for c in range(cells)])


@pytest.mark.parametrize(("groups", "word"), [
    ("label", "groups"), (np.zeros(5, int), "entries"), (np.full(400, -1), "groups"), (np.zeros(400), "dtype")])
def test_bad_groups(groups: object, word: str) -> None:
    probs, labels, _ = drawn(400)
    with pytest.raises(GlasshouseError, match=word):
        calibrate(probs, labels, "lac", groups=groups)


def test_groups_of_test_points_where_they_belong() -> None:
    probs, labels, group = drawn(400)
    with pytest.raises(BadValue, match="name each point's group"):
        calibrate(probs, labels, "lac", groups=group).predict(probs)
    with pytest.raises(BadValue, match="not calibrated in groups"):
        calibrate(probs, labels, "lac").predict(probs, groups=group)
