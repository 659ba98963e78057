"""Finds families and methods by reading files: there is no list of them anywhere.

A method's id is ``family.slug`` (``decoding.token-recycling`` is ``families/decoding/methods/token_recycling.py``).
Methods may stand one level down, in ``methods/<name>/``. Where such a group answers a question of its own, its loop, looks and
problems are in ``<family>/<name>/``: that is a *room* of the family. The id does not say it.
Listing parses source text and imports no family; only :func:`load`, :func:`modules` and what needs them do.
"""

from __future__ import annotations

import ast
import dataclasses
import importlib
import importlib.util
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import glasshouse.families
from glasshouse.schema.build import build, unknown
from glasshouse.schema.errors import bad_type, bad_value
from glasshouse.schema.guarantee import Guarantee
from glasshouse.schema.knob import knobs_of
from glasshouse.schema.paper import Paper
from glasshouse.schema.view import Preset, View

_SPEAKABLE: dict[str, Callable[..., Any]] = {"Paper": Paper, "Guarantee": Guarantee, "View": View, "Preset": Preset}


@dataclass(frozen=True)
class MethodInfo:
    """What a method's file says about it, read without importing it.

    ``room`` is the family, or ``family.question`` for a question other than its first. ``guarantee`` is the best case;
    ``summary`` the first line of the class's docstring; ``module`` and ``name`` say where the class is.
    """

    id: str
    title: str
    year: int
    arxiv: str
    doi: str
    family: str
    room: str
    guarantee: Guarantee
    summary: str
    paper: Paper
    views: tuple[View, ...]
    presets: tuple[Preset, ...]
    path: Path
    module: str
    name: str


@dataclass(frozen=True)
class FamilyModules:
    """What a family offers to the rooms above it, for one of its questions."""

    drive: Callable[..., Iterator[Any]]
    look: Callable[..., Any]
    summary: Callable[..., dict[str, Any]]
    guarantee: Callable[..., Guarantee]
    prepare: Callable[..., Iterator[Any]] | None
    studies: Mapping[str, Callable[..., Iterator[Any]]]
    Look: type
    problems: tuple[type[Any], ...]


@dataclass(frozen=True)
class Parts:
    """One flat namespace of values, sorted by what each belongs to."""

    method: dict[str, Any]
    problem: dict[str, Any]
    look: dict[str, Any]


def families() -> list[str]:
    """Names of the families, sorted."""
    return sorted(_homes())


def rooms(family: str) -> list[str]:
    """The family, and its further questions as ``family.question``, sorted.

    Raises: BadValue for a family that does not exist.
    """
    return sorted({i.room for i in methods(family)})


def methods(family: str | None = None) -> list[MethodInfo]:
    """All methods, or those of one family, sorted by id.

    Raises: BadValue for a family that does not exist.
    """
    homes = _homes()
    if family is not None and family not in homes:
        raise unknown("family", str(family), homes)
    chosen = homes if family is None else {family: homes[family]}
    found = [_info(name, home, path) for name, home in chosen.items() for path in _method_files(home)]
    return sorted(found, key=lambda i: i.id)


def info(id: str) -> MethodInfo:
    """One method by id; an underscore is as good as a hyphen.

    Raises: BadValue, with the nearest id, for one that does not exist.
    """
    if not isinstance(id, str):
        raise bad_type("method", id, "an id such as 'conformal.lac'")
    family, _, slug = id.strip().replace("-", "_").partition(".")
    home = _homes().get(family)
    path = next((p for p in _method_files(home) if p.stem == slug), None) if home else None
    if home is None or path is None:
        known = [_id(f, p) for f, h in _homes().items() for p in _method_files(h)]
        raise unknown("method", id.replace("_", "-"), known)
    return _info(family, home, path)


def load(id: str) -> type[Any]:
    """The method's class: a frozen dataclass of its knobs."""
    found = info(id)
    cls: type[Any] = getattr(importlib.import_module(found.module), found.name)
    return cls


@lru_cache(maxsize=64)
def modules(room: str) -> FamilyModules:
    """The loop, looks and problems of a family, or of one of its further questions (``family.question``), imported now."""
    family = room.partition(".")[0]
    if family not in _homes() or room not in (family, *rooms(family)):
        raise unknown("family", str(room), _homes())
    base = f"glasshouse.families.{room}"
    drive = importlib.import_module(f"{base}.drive")
    has_studies = importlib.util.find_spec(f"{base}.studies") is not None
    return FamilyModules(
        drive=drive.drive, look=drive.look, summary=drive.summary, guarantee=drive.guarantee,
        prepare=getattr(drive, "prepare", None),
        studies=importlib.import_module(f"{base}.studies").STUDIES if has_studies else {},
        Look=importlib.import_module(f"{base}.interface").Look,
        problems=importlib.import_module(f"{base}.problems").PROBLEMS)


def problem(room: str, spec: Any = None, values: Mapping[str, Any] | None = None) -> Any:
    """A validated problem of the family, or of one of its questions.

    ``spec``: None for the default, ``"name"``, ``"name:key=value,key=value"``, or a problem itself.
    ``values`` are fields by name and win over those in ``spec``.
    """
    cls = _problem_type(room, spec)
    return build(cls, _problem_values(cls, spec) | dict(values or {}))


def split(id: str, problem_spec: Any, values: Mapping[str, Any]) -> Parts:
    """Sorts flat ``values`` into knobs of the method, fields of the problem and looks. Nothing is validated but the names.

    Raises: BadValue (argument ``knob``) for a name that none of the three has, listing all.
    """
    found = info(id)
    owners = {"method": load(id), "problem": _problem_type(found.room, problem_spec), "look": modules(found.room).Look}
    names = {role: {knob.name for knob in knobs_of(cls)} for role, cls in owners.items()}
    parts: dict[str, dict[str, Any]] = {role: {} for role in owners}
    for name, value in values.items():
        role = next((role for role, own in names.items() if name in own), None)
        if role is None:
            raise unknown("knob", name, set().union(*names.values()))
        parts[role][name] = value
    return Parts(**parts)


def _homes() -> dict[str, Path]:
    """Family name -> its folder, over every place that `glasshouse.families` extends to."""
    roots = [Path(root) for root in glasshouse.families.__path__]
    return {home.name: home for root in roots if root.is_dir() for home in sorted(root.iterdir())
            if (home / "methods").is_dir() and home.name.isidentifier()}


def _method_files(home: Path) -> list[Path]:
    """The method files, also those one level down in named sub-families."""
    return sorted(p for pattern in ("*.py", "*/*.py") for p in (home / "methods").glob(pattern) if not p.stem.startswith("_"))


def _id(family: str, path: Path) -> str:
    return f"{family}.{path.stem.replace('_', '-')}"


def _info(family: str, home: Path, path: Path) -> MethodInfo:
    papers = home / "_papers.py"
    name, doc, said = _read(path, path.stat().st_mtime_ns, papers, papers.stat().st_mtime_ns if papers.exists() else 0)
    paper: Paper = said["paper"]
    inside = path.relative_to(home / "methods").with_suffix("").parts
    module = ".".join(["glasshouse.families", family, "methods", *inside])
    room = ".".join([family, *inside[:-1]]) if home.joinpath(*inside[:-1], "drive.py").exists() else family
    return MethodInfo(_id(family, path), paper.title, paper.year, paper.arxiv, paper.doi, family, room, said["guarantee"],
                      doc, paper, tuple(said.get("views", ())), tuple(said.get("presets", ())), path, module, name)


@lru_cache(maxsize=1024)
def _read(path: Path, _changed: int, papers: Path, _papers_changed: int) -> tuple[str, str, dict[str, Any]]:
    """(class name, first line of its docstring, its literals) of a method file; the times only refresh the cache."""
    tree = ast.parse(path.read_text("utf-8"), str(path))
    shared = _constants(ast.parse(papers.read_text("utf-8"), str(papers)), {}, papers) if papers.exists() else {}
    imported = {a.asname or a.name: shared[a.name] for node in tree.body if isinstance(node, ast.ImportFrom)
                and (node.module or "").split(".")[-1] == "_papers" for a in node.names if a.name in shared}
    classes = [node for node in tree.body if isinstance(node, ast.ClassDef)]
    public = [c for c in classes if any(name == "paper" for name, _ in _assignments(c)) and not c.name.startswith("_")]
    if len(public) != 1:
        raise SyntaxError(f"{path}: a method file has one public class with a paper, found {[c.name for c in public]}")
    names = imported | _constants(tree, imported, path)
    said = {name: _literal(node, names, path) for name, node in _assignments(public[0])
            if name in ("paper", "guarantee", "views", "presets")}
    if "guarantee" not in said:
        raise SyntaxError(f"{path}: class {public[0].name} says no guarantee")
    doc = (ast.get_docstring(public[0]) or ast.get_docstring(tree) or "").split("\n")[0]
    return public[0].name, doc, said


def _assignments(scope: ast.Module | ast.ClassDef) -> Iterator[tuple[str, ast.expr]]:
    for node in scope.body:
        if isinstance(node, ast.AnnAssign) and node.value is not None and isinstance(node.target, ast.Name):
            yield node.target.id, node.value
        elif isinstance(node, ast.Assign) and len(node.targets) == 1 and isinstance(node.targets[0], ast.Name):
            yield node.targets[0].id, node.value


def _constants(tree: ast.Module, names: Mapping[str, Any], path: Path) -> dict[str, Any]:
    """Module-level names that are readable; others (compiled patterns, aliases of types) are none of our business."""
    found: dict[str, Any] = {}
    for name, node in _assignments(tree):
        try:
            found[name] = _literal(node, {**names, **found}, path)
        except SyntaxError:
            continue
    return found


def _literal(node: ast.expr, names: Mapping[str, Any], path: Path) -> Any:
    """The value of a literal: constants, tuples, lists, dicts, names of such, and calls of `_SPEAKABLE` with literal arguments."""
    match node:
        case ast.Constant(value):
            return value
        case ast.Tuple(items):
            return tuple(_literal(i, names, path) for i in items)
        case ast.List(items):
            return [_literal(i, names, path) for i in items]
        case ast.Dict(keys, items) if None not in keys:
            return {_literal(k, names, path): _literal(v, names, path) for k, v in zip(keys, items, strict=True) if k}
        case ast.UnaryOp(ast.USub(), ast.Constant(int() | float() as value)):
            return -value
        case ast.Name(name) if name in names:
            return names[name]
        case ast.Call(ast.Name(name), args, keywords) if name in _SPEAKABLE and all(k.arg for k in keywords):
            given = {str(k.arg): _literal(k.value, names, path) for k in keywords}
            return _SPEAKABLE[name](*(_literal(a, names, path) for a in args), **given)
    raise SyntaxError(f"{path}:{node.lineno}: {ast.unparse(node)} is not a literal that can be read without importing")


def _problem_type(room: str, spec: Any) -> type[Any]:
    known = {p.name: p for p in modules(room).problems}
    if spec is None:
        return modules(room).problems[0]
    if isinstance(spec, str):
        name = spec.partition(":")[0].strip()
        if name not in known:
            raise unknown("problem", name, known)
        return known[name]
    if dataclasses.is_dataclass(spec) and not isinstance(spec, type) and hasattr(spec, "open"):
        return type(spec)
    raise bad_type("problem", spec, f"one of {', '.join(known)}, or a problem object of {room}")


def _problem_values(cls: type, spec: Any) -> dict[str, Any]:
    if spec is None:
        return {}
    if not isinstance(spec, str):
        return {field.name: getattr(spec, field.name) for field in dataclasses.fields(spec)}
    kinds = {knob.name: knob.kind for knob in knobs_of(cls)}
    values: dict[str, Any] = {}
    last = ""
    for piece in spec.partition(":")[2].split(",") if ":" in spec else ():
        key, equals, value = piece.partition("=")
        if kinds.get(last) == "text" and key.strip() not in kinds:  # a comma inside text, not between fields
            values[last] += f",{piece}"
            continue
        if not equals:
            raise bad_value("problem", spec, "name:key=value,key=value")
        last = key.strip()
        values[last] = value
    return values
