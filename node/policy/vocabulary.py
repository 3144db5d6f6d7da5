"""The closed world of a federation's policies: purposes, legal bases, categories, kinds of requesters."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import IntEnum
from typing import TYPE_CHECKING, Final

from node.policy.condition_parser import Scope
from node.policy.conditions import CONSENT, ROW, ValueType
from node.policy.errors import nearest
from node.policy.findings import FindingCode
from node.policy.messages import message
from node.policy.reader import branch, entries, entry, leaf, leaves, text_of

if TYPE_CHECKING:
    from node.policy.findings import Place
    from node.policy.reader import Reader
    from node.policy.yaml_tree import Tree

KIND: Final = "requester.kind"
BASIS: Final = "requester.basis"
AREA: Final = "requester.area"
TODAY: Final = "today"
PURPOSE: Final = "purpose"


class Sensitivity(IntEnum):
    """How much harm a disclosure may do, lowest first."""

    PUBLIC = 0
    INTERNAL = 1
    PERSONAL = 2
    CONFIDENTIAL = 3
    SPECIAL = 4


@dataclass(frozen=True, slots=True)
class Purpose:
    """Why somebody asks; a grant for a purpose covers its descendants (R5)."""

    name: str
    parent: str | None
    iri: str | None
    italian: str
    english: str


@dataclass(frozen=True, slots=True)
class Category:
    """What kind of data a field holds."""

    name: str
    sensitivity: Sensitivity
    iri: str | None
    art9: bool
    italian: str
    english: str


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """Everything a document may name."""

    purposes: Mapping[str, Purpose]
    legal_bases: Mapping[str, str]
    categories: Mapping[str, Category]
    kinds: tuple[str, ...]

    def lineage(self, purpose: str) -> tuple[str, ...]:
        """Return a purpose and its ancestors, nearest first; nothing for a purpose that does not exist."""
        line: list[str] = []
        name: str | None = purpose
        while name is not None and name in self.purposes and name not in line:
            line.append(name)
            name = self.purposes[name].parent
        return tuple(line)

    def covers(self, granted: str, asked: str) -> bool:
        """Say whether a grant for one purpose is a grant for another: the same, or a descendant (R5)."""
        return granted in self.lineage(asked)

    @property
    def special_bases(self) -> frozenset[str]:
        """The legal bases of art. 9(2), which special categories need besides one of art. 6 (R6)."""
        return frozenset(basis for basis in self.legal_bases if basis.startswith("9."))

    def scope(self, attributes: Mapping[str, ValueType]) -> Scope:
        """Return the names that the conditions of a document with these row attributes may use."""
        return Scope(
            types={
                **{f"{ROW}{name}": type_ for name, type_ in attributes.items()},
                KIND: ValueType.STR,
                AREA: ValueType.STR,
                BASIS: ValueType.SET_STR,
                TODAY: ValueType.STR,
                CONSENT: ValueType.BOOL,
                PURPOSE: ValueType.STR,
            },
            enumerated={
                KIND: frozenset(self.kinds),
                BASIS: frozenset(self.legal_bases),
                PURPOSE: frozenset(self.purposes),
            },
        )


def read_vocabulary(tree: Tree, reader: Reader) -> Vocabulary:
    """Read vocabulary.yaml; what is wrong is reported, what is right is kept so that documents can be checked."""
    purposes = {name: _purpose(name, found) for name, found, _ in entries(entry(tree, "purposes"))}
    for name, found, _ in entries(entry(tree, "purposes")):
        parent = leaf(found, "parent")
        if parent is not None:
            reader.declared(parent, message("purpose"), purposes)
            _refuse_cycle(name, purposes, parent.place, reader)
    return Vocabulary(
        purposes=purposes,
        legal_bases={name: text_of(leaf(branch(tree, "legal_bases"), name)) for name in _names(tree, "legal_bases")},
        categories={name: _category(name, found) for name, found, _ in entries(entry(tree, "categories"))},
        kinds=tuple(text_of(kind) for kind in leaves(entry(branch(branch(tree, "requester"), "kind"), "enum"))),
    )


def _names(tree: Tree, key: str) -> tuple[str, ...]:
    return tuple(name for name, _, _ in entries(entry(tree, key)))


def _purpose(name: str, found: Tree) -> Purpose:
    italian = text_of(leaf(found, "it"))
    return Purpose(
        name=name,
        parent=text_of(leaf(found, "parent")) or None,
        iri=text_of(leaf(found, "iri")) or None,
        italian=italian,
        english=text_of(leaf(found, "en")) or name.replace("-", " "),
    )


def _category(name: str, found: Tree) -> Category:
    sensitivity = text_of(leaf(found, "sensitivity")).upper()
    art9 = leaf(found, "art9")
    return Category(
        name=name,
        sensitivity=Sensitivity.__members__.get(sensitivity, Sensitivity.SPECIAL),
        iri=text_of(leaf(found, "iri")) or None,
        art9=art9 is not None and art9.value is True,
        italian=text_of(leaf(found, "it")) or name,
        english=text_of(leaf(found, "en")) or name,
    )


def _refuse_cycle(name: str, purposes: Mapping[str, Purpose], place: Place, reader: Reader) -> None:
    """Purposes form trees: following parents must never come back."""
    line = [name]
    parent = purposes[name].parent
    while parent is not None and parent in purposes:
        if parent == name:
            circle = " > ".join(f"`{step}`" for step in [*line, name])
            reader.report(place, FindingCode.PURPOSE_CYCLE, message("purposes form a circle: {circle}", circle=circle))
            return
        if parent in line:
            return  # a circle further up, reported there
        line.append(parent)
        parent = purposes[parent].parent


def unknown_purpose(text: str, known: Mapping[str, Purpose]) -> str:
    """Say that a purpose is unknown, and suggest the nearest known one."""
    return message("purpose `{name}` is not in the vocabulary{nearest}", name=text, nearest=nearest(text, known))
