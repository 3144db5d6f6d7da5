"""The entities of one type, by key: from the register, from the member's own code, and of those who are nobody here."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

import msgspec

from federation.contract.identifiers import INTERNAL_PREFIX, PERSON
from node.data.custom import Asking, CustomCell
from node.data.custom_asking import found_by_key
from node.data.database import Database
from node.data.decisions import Path
from node.data.expressions import PlainType
from node.data.fetched import Arrival
from node.data.mapping import Key
from node.data.selection import TYPENAME, Selected
from node.data.shapes import Finishing
from node.data.statements import Statement

GIVEN_KEYS: Final = "given_keys"
"""The parameter of a statement that holds the keys asked for."""
_ONE_TEXT: Final = (PlainType.STR,)
_WHOLE: Final = re.compile(r"0|-?[1-9][0-9]{0,17}")  # so many digits fit 64 bits


@dataclass(frozen=True, slots=True)
class Nobody:
    """How a member of a sensitive kind answers, so that nobody sees whom it knows (docs/adr/0041).

    A citizen whom it does not know is answered like one of whom nothing is told: values are null and lists empty, and
    ledger and budgets have that it was asked. `lists` are the response keys of the lists that the policy may show; they
    are empty, too, where a row denies them.
    """

    selected: tuple[Selected, ...]
    lists: frozenset[str]

    def unknown(self, key: str, run: Finishing) -> dict[str, Any]:
        """Return what is answered of somebody who is not known or not shown."""
        run.touch([key])
        return {each.response_key: self._value(each, key) for each in self.selected}

    def known(self, found: Any) -> dict[str, Any]:
        """Return what is answered of somebody who is known."""
        told: dict[str, Any] = msgspec.json.decode(found) if isinstance(found, msgspec.Raw) else found
        told.update((key, []) for key in self.lists if told[key] is None)
        return told

    def _value(self, each: Selected, key: str) -> Any:
        if each.field == TYPENAME:
            return PERSON
        if each.response_key.startswith(INTERNAL_PREFIX):
            return key
        return [] if each.response_key in self.lists else None


@dataclass(frozen=True, slots=True)
class Batch:
    """The entities of one type, by key."""

    statement: Statement
    keys: Key
    arrival: Arrival
    denied: tuple[Path, ...]
    nobody: Nobody | None

    async def by_key(self, wanted: Iterable[str], database: Database, run: Finishing) -> Mapping[str | None, Any]:
        """Return the entities of the keys that exist and are visible; and of the others, where absence is hidden."""
        found = await self._found(wanted, database, run)
        hiding = self.nobody
        if hiding is None:
            return found
        return {key: hiding.known(found[key]) if key in found else hiding.unknown(key, run) for key in wanted}

    async def _found(self, wanted: Iterable[str], database: Database, run: Finishing) -> Mapping[str | None, Any]:
        keys = [parts for text in wanted if (parts := split_key(text, self.keys)) is not None]
        if not keys:
            return {}
        values = {**run.parameters, GIVEN_KEYS: msgspec.json.encode(keys).decode()}
        rows = await database.rows(self.statement, values)
        return dict(zip([row[0] for row in rows], self.arrival.objects(rows, 1, run), strict=True))


@dataclass(frozen=True, slots=True)
class ResolvedBatch:
    """The entities of one type that the member's own code finds."""

    cell: CustomCell
    denied: tuple[Path, ...]

    async def by_key(self, wanted: Iterable[str], _database: Database, run: Finishing) -> Mapping[str | None, Any]:
        """Return the entities of the keys that exist and are visible."""
        asking = Asking(run.keyed, run.subjects)
        found, failed = await found_by_key(self.cell, [*wanted], asking)
        run.questions += asking.questions
        run.unavailable.update((self.cell.field.coordinate, key) for key in failed)
        return found


def split_key(text: str, key: Key) -> str | int | list[str | int] | None:
    """Return the value of a key field's text, of several columns the values; None if it can be nobody's key."""
    if key.types == _ONE_TEXT:
        return text
    parts = text.split(key.separator) if len(key.columns) > 1 else [text]
    if len(parts) != len(key.columns):
        return None
    found: list[str | int] = []
    for part, kind in zip(parts, key.types, strict=True):
        if kind is not PlainType.INT:
            found.append(part)
        elif _WHOLE.fullmatch(part):
            found.append(int(part))
        else:
            return None
    return found if len(found) > 1 else found[0]


def asked_entity(representation: Any) -> tuple[str, str | None]:
    """Return type and key of a representation; every entity of the vocabulary has the key `id`."""
    if not isinstance(representation, dict):
        return "", None
    kind, key = representation.get("__typename"), representation.get("id")
    return str(kind), key if isinstance(key, str) else None
