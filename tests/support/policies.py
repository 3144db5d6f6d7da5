"""Bundles and generated conditions for the tests of the policy engine."""

from __future__ import annotations

from datetime import date
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import yaml
from hypothesis import strategies as st
from typing_extensions import override

from node.policy.bundle import Bundle, load_bundle
from node.policy.conditions import (
    INT_MAX,
    And,
    Compare,
    Comparison,
    Condition,
    In,
    Literal,
    Meets,
    Name,
    Not,
    Or,
    SetLiteral,
    ValueType,
)
from node.policy.requesters import Requester

if TYPE_CHECKING:
    from collections.abc import Mapping

ROOT: Final = Path(__file__).parents[2]
EXAMPLE: Final = ROOT / "tests" / "unit" / "policy" / "example"
DEMO_MEMBERS: Final = ("c_m999", "aslvs", "inprev", "istsc_bv01", "coop_ponte")

DAY: Final = date(2026, 5, 1)
VOCABULARY: Final[dict[str, Any]] = yaml.safe_load((EXAMPLE / "vocabulary.yaml").read_text(encoding="utf-8"))

INPS: Final = Requester("national", frozenset({"6.1.e"}), "058091")
LICEO: Final = Requester("school", frozenset({"6.1.e"}), "F205")
ER118: Final = Requester("health", frozenset({"6.1.d", "9.2.c"}), "F205")
ISTAT: Final = Requester("statistics", frozenset({"6.1.e", "9.2.j"}), "*")
COMUNE: Final = Requester("municipality", frozenset({"6.1.a"}), "F205")

ANNA: Final[Mapping[str, object]] = {
    "residency": "resident",
    "municipality": "F205",
    "age": 34,
    "protectedPerson": False,
}


def folder_files(folder: Path) -> dict[str, bytes]:
    """Return a folder's bundle files; a missing vocabulary is the parent's."""
    files = {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    files.setdefault("vocabulary.yaml", b"")
    if not files["vocabulary.yaml"]:
        files["vocabulary.yaml"] = (folder.parent / "vocabulary.yaml").read_bytes()
    return files


@cache
def example() -> Bundle:
    """Return the example of the specification."""
    return load_bundle(folder_files(EXAMPLE))


def demo_files(member: str) -> dict[str, bytes]:
    """Return the files of a demo member's bundle."""
    return folder_files(ROOT / "policies" / member)


@cache
def demo(member: str) -> Bundle:
    """Return a demo member's bundle."""
    return load_bundle(demo_files(member))


def grant(name: str, see: Mapping[str, object], **changes: object) -> dict[str, object]:
    """Return a grant as a document writes it, for national bodies and benefit assessment unless changed."""
    return {
        "id": name,
        "to": {"kind": ["national"]},
        "purpose": "benefit-assessment",
        "basis": ["6.1.e"],
        "law": "law for a test",
        "see": dict(see),
        "valid": {"from": "2026-01-01", "until": "2026-12-31"},
        "retain": "P1Y",
        **changes,
    }


FIELDS: Final[dict[str, object]] = {
    "name": {"category": "name"},
    "birth": {"category": "birth"},
    "income": {"category": "income"},
    "health": {"category": "health"},
    "code": {"category": "identifier", "lookup": "exact"},
}
ATTRIBUTES: Final = {"flag": "bool", "age": "int", "place": "str", "tags": "set<str>"}


def document(grants: list[dict[str, object]], **changes: object) -> dict[str, object]:
    """Return a type document of the type `Thing`."""
    return {
        "policy": "Thing",
        "version": 1,
        "owner": "officer@member.example",
        "attributes": ATTRIBUTES,
        "fields": FIELDS,
        "grants": grants,
        **changes,
    }


def files_of(
    thing: Mapping[str, object], *, vocabulary: Mapping[str, object] | None = None, **others: object
) -> dict[str, bytes]:
    """Return the files of a bundle of one type; other files by name, such as `invariants`."""
    files = {
        "vocabulary.yaml": written_yaml(VOCABULARY if vocabulary is None else vocabulary),
        "types/Thing.yaml": written_yaml(thing),
    }
    return files | {f"{name.replace('__', '/')}.yaml": written_yaml(content) for name, content in others.items()}


def bundle_of(thing: Mapping[str, object]) -> Bundle:
    """Return a bundle of one type."""
    return load_bundle(files_of(thing))


def written_yaml(value: object) -> bytes:
    return yaml.dump(value, Dumper=_NoAliases, sort_keys=False, allow_unicode=True).encode()


class _NoAliases(yaml.SafeDumper):
    """Writes equal values again instead of pointing at the first, since the loader refuses aliases."""

    @override
    def ignore_aliases(self, _data: object) -> bool:
        return True


# --- generated conditions ---

ROW_NAMES: Final = (
    Name("row.flag", ValueType.BOOL),
    Name("row.age", ValueType.INT),
    Name("row.place", ValueType.STR),
    Name("row.tags", ValueType.SET_STR),
)
KNOWN_NAMES: Final = (
    Name("requester.kind", ValueType.STR),
    Name("requester.area", ValueType.STR),
    Name("requester.basis", ValueType.SET_STR),
    Name("today", ValueType.STR),
    Name("purpose", ValueType.STR),
    Name("consent", ValueType.BOOL),
)
NAMES: Final = ROW_NAMES + KNOWN_NAMES
TYPES: Final = {name.dotted: name.type for name in NAMES}

_WORDS: Final = st.sampled_from(
    ["", "a", "b", "F205", "national", "school", "6.1.e", "2026-05-01", "à", "z\u0301", "\U0001d7d8"]
)
_TEXTS: Final = _WORDS | st.text(st.characters(exclude_characters='"\\', exclude_categories=("Cs", "Cc")), max_size=4)
_INTEGERS: Final = st.sampled_from([0, 1, 18, 19, INT_MAX]) | st.integers(0, INT_MAX)

SCALAR_LITERALS: Final = {
    ValueType.BOOL: st.booleans().map(Literal),
    ValueType.INT: _INTEGERS.map(Literal),
    ValueType.STR: _TEXTS.map(Literal),
}


def _named(type_: ValueType) -> st.SearchStrategy[Condition]:
    return st.sampled_from([name for name in NAMES if name.type is type_])


def _sets(type_: ValueType) -> st.SearchStrategy[Condition]:
    written = st.lists(SCALAR_LITERALS[type_], min_size=1, max_size=3).map(lambda found: SetLiteral(tuple(found)))
    return written | _named(ValueType.SET_STR) if type_ is ValueType.STR else written


def _operands(type_: ValueType) -> st.SearchStrategy[Condition]:
    return SCALAR_LITERALS[type_] | _named(type_)


_COMPARISONS: Final = st.sampled_from(tuple(Comparison))
_EQUALITIES: Final = st.sampled_from((Comparison.EQ, Comparison.NE))

LEAVES: Final[st.SearchStrategy[Condition]] = st.one_of(
    SCALAR_LITERALS[ValueType.BOOL],
    _named(ValueType.BOOL),
    st.builds(Compare, _COMPARISONS, _operands(ValueType.INT), _operands(ValueType.INT)),
    st.builds(Compare, _COMPARISONS, _operands(ValueType.STR), _operands(ValueType.STR)),
    st.builds(In, _operands(ValueType.STR), _sets(ValueType.STR)),
    st.builds(In, _operands(ValueType.INT), _sets(ValueType.INT)),
    st.builds(Meets, _sets(ValueType.STR), _sets(ValueType.STR)),
)


def _larger(parts: st.SearchStrategy[Condition]) -> st.SearchStrategy[Condition]:
    several = st.lists(parts, min_size=2, max_size=3).map(tuple)
    return st.one_of(
        st.builds(Not, parts),
        st.builds(And, several),
        st.builds(Or, several),
        st.builds(Compare, _EQUALITIES, parts, parts),
        st.builds(In, parts, _sets(ValueType.BOOL)),
    )


CONDITIONS: Final[st.SearchStrategy[Condition]] = st.recursive(LEAVES, _larger, max_leaves=8)

PRESENT: Final[dict[ValueType, st.SearchStrategy[object]]] = {
    ValueType.BOOL: st.booleans(),
    ValueType.INT: st.sampled_from([-1, 0, 17, 18, 19, INT_MAX]) | st.integers(-INT_MAX - 1, INT_MAX),
    ValueType.STR: _TEXTS,
    ValueType.SET_STR: st.frozensets(_TEXTS, max_size=3),
}
VALUES: Final = {type_: st.none() | found for type_, found in PRESENT.items()}
ENVIRONMENTS: Final = st.fixed_dictionaries({name.dotted: VALUES[name.type] for name in NAMES})
COMPLETE_ENVIRONMENTS: Final = st.fixed_dictionaries({name.dotted: PRESENT[name.type] for name in NAMES})
ANYTHING: Final = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=5)
    | st.binary(max_size=3)
    | st.lists(st.integers() | st.text(max_size=2), max_size=3)
    | st.dates()
)


def row_of(names: Mapping[str, object]) -> dict[str, object]:
    """Return the row part of an environment."""
    return {dotted.removeprefix("row."): value for dotted, value in names.items() if dotted.startswith("row.")}
