"""Reading trees into values: every reader takes what is well formed, reports what is not, and goes on."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from typing import TYPE_CHECKING

from node.policy.condition_parser import parse_condition
from node.policy.errors import ConditionError, FormError, nearest
from node.policy.findings import MOST_FINDINGS, Finding, FindingCode, Place
from node.policy.forms import Form, parse_form
from node.policy.messages import message
from node.policy.yaml_tree import Branch, Items, Leaf, Tree, place_of, plain

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping

    from node.policy.condition_parser import Scope
    from node.policy.conditions import Condition


@dataclass(slots=True)
class Reader:
    """Collects findings while a document is read. A value of a wrong type is skipped: its schema reported it."""

    findings: list[Finding] = field(default_factory=list)

    def report(self, place: Place, code: FindingCode, message: str) -> None:
        """Add a finding, unless there are more already than anybody is told."""
        if not self._is_full:
            self.findings.append(Finding(place, code, message))

    @property
    def _is_full(self) -> bool:
        return len(self.findings) > MOST_FINDINGS

    def declared(self, leaf: Leaf | None, what: str, known: Collection[str]) -> str:
        """Return a text that must be one of `known`; report it otherwise, with the nearest right one."""
        text = text_of(leaf)
        if leaf is not None and isinstance(leaf.value, str) and text not in known:
            self.unknown(leaf.place, what, text, known)
        return text

    def unknown(self, place: Place, what: str, text: str, known: Collection[str]) -> None:
        """Report a name that is not declared."""
        if self._is_full:
            return  # the nearest names are the costly part
        self.report(
            place,
            FindingCode.NAME_UNKNOWN,
            message("{what} `{name}` is not declared{nearest}", what=what, name=text, nearest=nearest(text, known)),
        )

    def all_declared(self, tree: Tree | None, what: str, known: Collection[str]) -> tuple[str, ...]:
        """Return the texts of a list, each of which must be one of `known`."""
        return tuple(self.declared(leaf, what, known) for leaf in leaves(tree))

    def condition(self, tree: Tree | None, scope: Scope) -> Condition | None:
        """Read a condition; None if there is none or it is wrong, in which case its exact place is reported."""
        if not isinstance(tree, Leaf) or not isinstance(tree.value, str):
            return None
        try:
            return parse_condition(tree.value, scope)
        except ConditionError as error:
            # The place of the quoted text is known, not how YAML folded it: the offset counts inside the text.
            place = Place(tree.place.file, tree.place.line, tree.place.column + 1 + error.offset)
            self.report(
                place,
                FindingCode.CONDITION_INVALID,
                message("{problem} (at character {character})", problem=error.message, character=error.offset + 1),
            )
            return None

    def form(self, tree: Tree) -> Form | None:
        """Read a disclosure form; None if it is wrong, which is reported."""
        try:
            return parse_form(plain(tree))
        except FormError as error:
            self.report(place_of(tree, error.path), FindingCode.FORM_INVALID, error.message)
            return None

    def unique(self, seen: Mapping[str, Place], leaf: Leaf | None, what: str) -> None:
        """Report an id that another rule of the document already has."""
        text = text_of(leaf)
        if leaf is not None and text in seen:
            first = seen[text]
            self.report(
                leaf.place,
                FindingCode.ID_DUPLICATE,
                message("{what} `{name}` is there twice; the first is in {first}", what=what, name=text, first=first),
            )


def branch(tree: Tree | None, key: str) -> Branch | None:
    """Return the map under a key, if there is one."""
    found = entry(tree, key)
    return found if isinstance(found, Branch) else None


def entry(tree: Tree | None, key: str) -> Tree | None:
    """Return what stands under a key, if anything does."""
    return tree.entries.get(key) if isinstance(tree, Branch) else None


def entries(tree: Tree | None) -> Iterator[tuple[str, Tree, Place]]:
    """Yield key, value and place of the key of a map; nothing if it is no map."""
    if isinstance(tree, Branch):
        for key, value in tree.entries.items():
            yield key, value, tree.keys[key]


def items(tree: Tree | None) -> tuple[Tree, ...]:
    """Return the entries of a list; nothing if it is no list."""
    return tree.items if isinstance(tree, Items) else ()


def leaf(tree: Tree | None, key: str) -> Leaf | None:
    """Return the scalar under a key, if there is one."""
    found = entry(tree, key)
    return found if isinstance(found, Leaf) else None


def leaves(tree: Tree | None) -> tuple[Leaf, ...]:
    """Return the scalars of a list."""
    return tuple(item for item in items(tree) if isinstance(item, Leaf))


def text_of(found: Leaf | None) -> str:
    """Return a scalar's text; empty if there is none, which the schema reported."""
    return found.value if found is not None and isinstance(found.value, str) else ""


def number_of(found: Leaf | None) -> int:
    """Return a scalar's whole number; zero if there is none, which the schema reported."""
    return found.value if found is not None and type(found.value) is int else 0


def day_of(found: Leaf | None) -> date | None:
    """Return a scalar's day, quoted or not."""
    if found is None:
        return None
    if isinstance(found.value, date):
        return found.value
    try:
        return date.fromisoformat(text_of(found))
    except ValueError:
        return None
