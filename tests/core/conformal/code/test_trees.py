"""Trees of statements: every character has one owner, and two statements are compared by place."""

from __future__ import annotations

import ast
import doctest

import numpy as np
import pytest

from glasshouse.families.conformal.code import trees
from glasshouse.families.conformal.code.trees import counterpart, parse, shared, wrong
from glasshouse.schema.errors import GlasshouseError

TEXTS = ("x = f(1)", "self.a, b = (a + b) * c[1:2], [x for x in y if z]", "return foo(a, k=1, *b)", "foo(x)", "d = {a: 1, **c}",
         "assert x == y, 'no'", "x = f'{a} b'", "é = 'ü' + x", "raise ValueError('x') from None", "del a[0]", "x: int = -1",
         "f = lambda a, b=2: a if a else b", "x = a < b <= c", "async_ = await_.x", "a = b = c")


def test_doctest() -> None:
    assert doctest.testmod(trees).failed == 0


@pytest.mark.parametrize("text", TEXTS)
def test_every_character_is_owned_once_by_the_innermost_node(text: str) -> None:
    tree = parse(text)
    assert len(tree.owner) == len(text)
    assert tree.parent[0] == -1
    assert (tree.parent[1:] < np.arange(1, len(tree))).all()
    for v in range(len(tree)):
        mine = "".join(c for c, o in zip(text, tree.owner.tolist(), strict=True) if o == v)
        assert "".join("".join(tree.own[v]).split()) == "".join(mine.split())
        if v:
            assert tree.own[v], "a node without text is left out"
            above = tree.span[tree.parent[v]]
            assert above[0] <= tree.span[v, 0] < tree.span[v, 1] <= above[1]
    assert all(o >= 0 for c, o in zip(text, tree.owner.tolist(), strict=True) if not c.isspace())


@pytest.mark.parametrize("text", TEXTS)
def test_words_belong_to_their_nodes(text: str) -> None:
    """Names, by Python's own account of where they stand."""
    if "'" in text or "é" in text:
        return
    tree = parse(text)
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Name):
            owner = tree.owner[node.col_offset]
            assert tree.kind[owner] == "Name"
            assert tree.own[owner] == (node.id,)


def test_preorder_with_siblings_in_the_order_of_the_text() -> None:
    tree = parse("g(a, k=b)[c] = d + e")
    assert tree.kind == ("Assign", "Subscript", "Call", "Name", "Name", "keyword", "Name", "Name", "BinOp", "Name", "Name")
    assert tree.parent.tolist() == [-1, 0, 1, 2, 2, 2, 5, 1, 0, 8, 8]


def test_a_statement_equals_itself_and_differs_where_a_word_does() -> None:
    for text in TEXTS:
        assert not wrong(parse(text), parse(text)).any()
        assert counterpart(parse(text), parse(text)).tolist() == list(range(len(parse(text))))
    guess = parse("x = f(a, b)")
    assert wrong(guess, parse("x = f(a, c)")).tolist() == [False, False, False, False, False, True]
    assert wrong(guess, parse("x += f(a, b)")).tolist()[0], "another operator"
    assert wrong(guess, parse("x = f(a, b, c)")).tolist() == [False, False, True, False, False, False], "one argument more"
    assert wrong(guess, parse("x = f")).tolist() == [False, False, True, True, True, True], "what is not there cannot be right"


def test_identical_siblings_are_matched_by_place() -> None:
    """By their text, f(a, a) and f(a, b) would agree in both arguments."""
    assert wrong(parse("f(a, a)"), parse("f(a, b)")).tolist() == [False, False, False, True]
    assert wrong(parse("f(a, a)"), parse("f(b, a)")).tolist() == [False, False, True, False]


def test_nats_go_to_the_owners_of_the_characters() -> None:
    tree = parse("x = f(1)")
    ends, nats = np.array([1, 3, 5, 7, 8]), np.array([1.0, 2.0, 4.0, 8.0, 16.0])     # "x", " =", " f", "(1", ")"
    cost = shared(tree, ends, nats)
    assert dict(zip(tree.own, cost.tolist(), strict=True)) == {("x",): 1.0, ("=",): 2.0, ("f",): 4.0, ("(", ")"): 4.0 + 16.0, ("1",): 4.0}
    assert cost.sum() == nats.sum()


@pytest.mark.parametrize("text", ["", "x = ", "x = 1\ny = 2", "x = 1; y = 2", "if x:\n    y", "x = (1,\n 2)", "\0"])
def test_what_is_not_one_statement_on_one_line(text: str) -> None:
    with pytest.raises(GlasshouseError, match="text"):
        parse(text)


def test_bad_types_and_tokens() -> None:
    with pytest.raises(TypeError, match="text"):
        parse(3)  # type: ignore[arg-type]
    tree = parse("x = 1")
    with pytest.raises(GlasshouseError, match="ends"):
        shared(tree, np.array([1, 2]), np.array([1.0]))
    with pytest.raises(GlasshouseError, match="ends"):
        shared(tree, np.array([3, 1]), np.array([1.0, 1.0]))
    with pytest.raises(GlasshouseError, match="ends"):
        shared(tree, np.array([3, 9]), np.array([1.0, 1.0]))


@pytest.mark.parametrize(("one", "other"), [("b = a[1:]", "b = a[:1]"), ("b = a[x:y:]", "b = a[:x:y]")])
def test_the_same_text_on_the_other_side_of_a_child_is_another_program(one: str, other: str) -> None:
    assert trees.wrong(trees.parse(one), trees.parse(other)).any()
    assert not trees.wrong(trees.parse(one), trees.parse(one)).any()
