"""A promise's kind and its words: which pairs contradict each other."""

from __future__ import annotations

import pytest

from glasshouse.schema.guarantee import Guarantee


@pytest.mark.parametrize(("kind", "statement"), [
    ("marginal", "A set holds the true label with probability at least 1 - alpha."),
    ("lossless", "The text is drawn from exactly the target's law."),
    ("adversarial", "No image that is counted as certified gets another label."),
    ("group", "A set holds the label with at least 1 - alpha in every cluster but that of the rare ones, for which nothing is promised."),
    ("heuristic", "Thresholds meet the aim on the validation points; nothing is promised for others."),
    ("heuristic", "If the pair model is calibrated, at least 1 - beta of true probabilities are within a radius."),
    ("none", "It keeps the target's law only at temperature 0."), ("none", "Weights for x promise nothing.")])
def test_what_agrees(kind: str, statement: str) -> None:
    assert Guarantee(kind, statement).disagreement() == ""  # type: ignore[arg-type]


@pytest.mark.parametrize(("kind", "statement"), [
    ("marginal", "Nothing is proven for 23 points in 5 folds, not all of one size; usually coverage is about 1 - alpha."),
    ("marginal", "Coverage is usually about right."), ("PAC", "Holds with probability at least 1 - delta. This is not guaranteed under drift."),
    ("adversarial", "Never certified."), ("group", "In every cluster, which promises nothing."),
    ("heuristic", "A set holds the true label with probability at least 1 - alpha."), ("none", "The text has the target's law.")])
def test_what_contradicts_itself(kind: str, statement: str) -> None:
    assert Guarantee(kind, statement).disagreement().startswith(f"{kind}, but its statement")  # type: ignore[arg-type]


def test_a_promise_that_is_not_proven_has_no_level() -> None:
    assert Guarantee("heuristic", "Nothing is promised.", level=0.9).disagreement()
    assert Guarantee("PAC", "With much confidence.", level=0.9).disagreement() == ""
