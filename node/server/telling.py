"""What the member's own programs changed in the register: they tell of it, so that subscribers are told.

A node does not watch a register. Whoever writes to it, an import or an application, hands over lines such as

    {"key": "batch-7-31", "citizen": "v1.siv.c_m999.…", "type": "ServiceCase", "kind": "updated", "fields": ["status"]}

without a value. `key` makes a line count once, however often it is handed over.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Final

import msgspec
from graphql import GraphQLObjectType, GraphQLSchema

from federation.contract.canonical import sha256_digest
from federation.contract.errors import BadInputError
from federation.contract.identifiers import MemberId, Pseudonym
from node.own.writes import TOLD, Write
from node.writing.kinds import Event, require_key

_MOST_FIELDS: Final = 100


class _Line(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    key: str
    citizen: str
    type: str
    kind: Event
    fields: tuple[str, ...]


def told_changes(lines: Iterable[bytes], member: MemberId, schema: GraphQLSchema, at: str) -> Iterator[Write]:
    """Yield the events of some lines.

    Args:
        lines: JSON objects, one a line.
        member: whose register changed; citizens are named by its pseudonyms.
        schema: what its node answers.
        at: RFC 3339 in UTC.

    Raises:
        BadInputError: names the first line that is none, and why; what came before it was yielded.
    """
    known = {
        name: frozenset(kind.fields) for name, kind in schema.type_map.items() if isinstance(kind, GraphQLObjectType)
    }
    for number, line in enumerate(lines, start=1):
        if line.strip():
            yield _told(line, number, member, known, at)


def _told(line: bytes, number: int, member: MemberId, known: Mapping[str, frozenset[str]], at: str) -> Write:
    try:
        found = msgspec.json.decode(line, type=_Line)
        require_key(found.key)
        citizen = Pseudonym.parse(found.citizen)
    except (msgspec.MsgspecError, BadInputError) as error:
        raise BadInputError(f"line {number}: {error}") from error
    if citizen.member != member:
        raise BadInputError(f"line {number}: `citizen` must be a pseudonym of `{member}`")
    if found.type not in known:
        raise BadInputError(f"line {number}: this node answers no type `{found.type}`")
    strange = sorted(set(found.fields) - known[found.type])
    if strange:
        raise BadInputError(f"line {number}: `{found.type}` has no field `{strange[0]}`")
    if not 0 < len(found.fields) <= _MOST_FIELDS:
        raise BadInputError(f"line {number}: `fields` must name 1 to {_MOST_FIELDS}")
    return Write(
        mutation=TOLD,
        consumer=member,
        idempotency_key=found.key,
        input_digest=sha256_digest(line.strip()),
        subject=found.citizen,
        type_name=found.type,
        event=found.kind.value,
        record={},
        at=at,
        fields=found.fields,
    )
