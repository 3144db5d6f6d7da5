"""Test suites: what an officer expects a policy to decide, as frozen values (policy section 1)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import TYPE_CHECKING

from federation.contract.clock import day_in_rome
from node.policy.conditions import Value, ValueType, admit
from node.policy.errors import nearest
from node.policy.findings import FindingCode, Place
from node.policy.forms import FormName
from node.policy.messages import message
from node.policy.reader import Reader, entries, entry, items, leaf, leaves, text_of
from node.policy.requesters import Requester
from node.policy.schemas import SUITE
from node.policy.shape import check_shape
from node.policy.yaml_tree import Leaf, plain

if TYPE_CHECKING:
    from node.policy.documents import TypeDocument
    from node.policy.vocabulary import Vocabulary
    from node.policy.yaml_tree import Tree


@dataclass(frozen=True, slots=True)
class Case:
    """One request for one row, and the forms in which its fields are expected; what is not listed is denied."""

    requester_name: str
    row_name: str
    requester: Requester
    purpose: str
    row: Mapping[str, Value | None]
    day: date
    consents: frozenset[str]
    see: Mapping[str, FormName]
    place: Place


@dataclass(frozen=True, slots=True)
class Suite:
    """The cases of one type."""

    type_name: str
    cases: tuple[Case, ...]
    place: Place


def read_suite(tree: Tree, types: Mapping[str, TypeDocument], vocabulary: Vocabulary, reader: Reader) -> Suite | None:
    """Read a suite; None if anything in it is wrong, all of which is reported.

    `types` holds the documents that could be read; a suite of another type has nothing to be tested against.
    """
    before = len(reader.findings)
    reader.findings.extend(check_shape(tree, SUITE))
    name = leaf(tree, "suite")
    document = types.get(text_of(name))
    if name is not None and document is None:
        said = message(
            "type `{name}` has no readable policy in this bundle{nearest}",
            name=text_of(name),
            nearest=nearest(text_of(name), types),
        )
        reader.report(name.place, FindingCode.TYPE_UNKNOWN, said)
    requesters = {key: _requester(found, vocabulary, reader) for key, found, _ in entries(entry(tree, "requesters"))}
    rows = {key: _row(found, document, reader) for key, found, _ in entries(entry(tree, "rows"))}
    day = _day(leaf(tree, "now"), reader)
    cases: list[Case] = []
    for found in items(entry(tree, "tests")):
        requester = reader.declared(leaf(found, "as"), message("requester"), requesters)
        row = reader.declared(leaf(found, "row"), message("row"), rows)
        purpose = reader.declared(leaf(found, "for"), message("purpose"), vocabulary.purposes)
        see = _see(found, document, reader)
        consents = _consents(entry(found, "consent"), vocabulary, reader)
        if requester in requesters and row in rows:
            own_day = leaf(found, "now")
            cases.append(
                Case(
                    requester_name=requester,
                    row_name=row,
                    requester=requesters[requester],
                    purpose=purpose,
                    row=rows[row],
                    day=day if own_day is None else _day(own_day, reader),
                    consents=consents,
                    see=see,
                    place=found.place,
                )
            )
    return None if len(reader.findings) > before else Suite(text_of(name), tuple(cases), tree.place)


def _requester(found: Tree, vocabulary: Vocabulary, reader: Reader) -> Requester:
    area = leaf(found, "area")
    return Requester(
        kind=reader.declared(leaf(found, "kind"), message("kind"), vocabulary.kinds),
        basis=frozenset(reader.all_declared(entry(found, "basis"), message("legal basis"), vocabulary.legal_bases)),
        area=None if area is None else text_of(area),
    )


def _row(found: Tree, document: TypeDocument | None, reader: Reader) -> dict[str, Value | None]:
    row: dict[str, Value | None] = {}
    attributes: Mapping[str, ValueType] = {} if document is None else document.of_a_row
    for name, value, place in entries(found):
        if name not in attributes:
            if document is not None:
                reader.unknown(place, message("row attribute"), name, attributes)
            continue
        written = plain(value)
        row[name] = None if written is None else admit(written, attributes[name])
        if written is not None and row[name] is None:
            said = message(
                "row attribute `{name}` has type `{type}`, got `{written}`",
                name=name,
                type=attributes[name],
                written=written,
            )
            reader.report(value.place, FindingCode.VALUE_INVALID, said)
    return row


def _see(found: Tree, document: TypeDocument | None, reader: Reader) -> dict[str, FormName]:
    known = {str(form) for form in FormName}
    see: dict[str, FormName] = {}
    for name, form, place in entries(entry(found, "see")):
        if document is not None and name not in document.fields:
            reader.unknown(place, message("field"), name, document.fields)
        if isinstance(form, Leaf) and reader.declared(form, message("form"), known) in known:
            see[name] = FormName(text_of(form))
    return see


def _consents(tree: Tree | None, vocabulary: Vocabulary, reader: Reader) -> frozenset[str]:
    """`true` is a valid record for every purpose; a list names the purposes that have one."""
    if isinstance(tree, Leaf):
        return frozenset(vocabulary.purposes) if tree.value is True else frozenset()
    return frozenset(reader.declared(found, message("purpose"), vocabulary.purposes) for found in leaves(tree))


def _day(found: Leaf | None, reader: Reader) -> date:
    """Read a day, or the day in Europe/Rome of an instant."""
    if found is None:
        return date.min
    if isinstance(found.value, date):
        return found.value
    text = text_of(found)
    try:
        return date.fromisoformat(text) if len(text) == len("2026-01-01") else day_in_rome(datetime.fromisoformat(text))
    except (ValueError, OverflowError):
        reader.report(
            found.place,
            FindingCode.VALUE_INVALID,
            message("`{text}` is neither a day nor an instant with a zone", text=text),
        )
        return date.min
