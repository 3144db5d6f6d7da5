"""What happens to a question about changes at a node (step 4 of `node.enforcement.answer`).

1. who: through the gateway only, which gives each consumer its own pseudonyms; about this member
2. where: after the cursor that the consumer gives, which says that it took in what was before; or after what it took in
3. look: the events of the outbox, in order
4. decide: which of an event's fields the consumer may read, by the very SQL that decides questions; if none, the event
   is nobody's news
5. answer: names of types and fields, never a value; a name for each event that is the same whenever it is told again

Of what came to be, a field is told if it may be seen in any form. Of what changed, a field is told only if it may be
seen whole: what a mask shows may be what it was, and that something changed behind it is more than the mask tells.
What the member's own programs told of has no values: an example of each field's type is decided in their place, and
whether it would be seen whole is taken from the plan. Of types that the member declared itself any text is an example.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import msgspec
from graphql import DocumentNode, GraphQLEnumType, GraphQLObjectType, GraphQLScalarType, execute_sync, get_named_type

from federation.contract.canonical import b64url
from federation.contract.changes import MOST, OLDEST, ROOT
from federation.contract.clock import Clock, rfc3339
from federation.contract.coverage import AskedField
from federation.contract.decisions import FieldDecision
from federation.contract.errors import BadInputError, ScopeError
from federation.contract.graphql_request import GraphQLRequest
from federation.contract.identifiers import PERSON, MemberId
from node.data.answer import Answer
from node.data.attributes import attributes_of, of_type
from node.data.operation import Asker
from node.data.plane import DataPlane
from node.data.records import Record, decide_records
from node.data.selection import Selected
from node.enforcement.caller import Caller
from node.enforcement.decide import RequestPlans
from node.own.numbering import Place
from node.own.subscriptions import OLDEST as OLDEST_PLACE
from node.own.subscriptions import Happened, Looked, Subscriber, Subscriptions
from node.policy.forms import CLEAR
from node.vocabulary.scalars import SCALARS
from node.writing.kinds import Event

_QUERY: Final = "Query"
_MOST_LOOKED_AT: Final = 1_000
"""Events that one question looks at, told or not."""
_NONCE_BYTES: Final = 8
_EXAMPLES: Final[Mapping[str, Any]] = {
    **{scalar.name: scalar.example for scalar in SCALARS},
    "Int": 1,
    "Float": 1.5,
    "Boolean": True,
}


@dataclass(frozen=True, slots=True)
class Signalling:
    """What telling of changes needs besides a question's needs."""

    member: MemberId
    subscriptions: Subscriptions
    clock: Clock
    random: Callable[[int], bytes]


class _Arguments(msgspec.Struct, frozen=True):
    """Of `changes`, defaults filled in."""

    member: str
    after: str | None = None
    first: int | None = MOST


def asks_for_changes(wanted: frozenset[AskedField]) -> bool:
    """Say whether an operation asks for signals.

    Raises:
        BadInputError: it asks for something else too, or twice.
    """
    roots = [each for each in wanted if each.coordinate.type_name == _QUERY]
    found = [each for each in roots if each.coordinate.field_name == ROOT]
    if found and len(roots) > 1:
        raise BadInputError("`changes` stands in an operation of its own at a node, once")
    return bool(found)


async def tell_changes(
    document: DocumentNode,
    asked: GraphQLRequest,
    wanted: frozenset[AskedField],
    caller: Caller,
    plane: DataPlane,
    plans: RequestPlans,
    asker: Asker,
    signalling: Signalling,
) -> Answer:
    """Return the signals that a subscriber has not taken in.

    Raises:
        ScopeError: (1).
        BadInputError: (1), or a cursor that is not this subscriber's.
        ChangesGoneError: (3): what follows the cursor is no longer kept.
        DatabaseUnavailableError: the register or the own tables do not answer.
    """
    if caller.relayed is None:  # (1)
        raise ScopeError("changes are told through the gateway, in the asking member's own pseudonyms")
    given = next(each.arguments for each in wanted if each.coordinate.field_name == ROOT)
    arguments = msgspec.json.decode(given, type=_Arguments)
    first = MOST if arguments.first is None else arguments.first
    if arguments.member != signalling.member or not 0 < first <= MOST:
        raise BadInputError(f"`member` must be the member that is asked, and `first` from 1 to {MOST}")
    subscriber = Subscriber(caller.consumer.id, caller.agreement.id, caller.requested.purpose)
    cursors = _Cursors(subscriber, asker, signalling.random)
    looked = await signalling.subscriptions.look(  # (2) (3)
        subscriber, cursors.opened(arguments.after), _MOST_LOOKED_AT, rfc3339(signalling.clock.now())
    )
    deciding = _Deciding(caller, plane, plans, asker)
    told, end = await deciding.told(looked, first)  # (4)
    page = {
        "signals": [cursors.signal(event, names) for event, names in told],
        "cursor": cursors.after(end),
        "more": len(told) == first,
    }
    result = execute_sync(  # (5)
        plane.schema,
        document,
        root_value={ROOT: lambda _info, **_arguments: page},
        variable_values=dict(asked.variables),
        operation_name=asked.operation_name,
    )
    subjects = frozenset(event.subject for event, _ in told)
    return Answer(dict(result.data or {}), [], deciding.decisions(told), subjects)


@dataclass(frozen=True, slots=True)
class _Cursors:
    """Names of events and places that mean something to one subscriber at this node, and to nobody else.

    Two consumers that compare what they were told find nothing in common. A cursor never looks the same twice, so that
    nobody sees from it whether there were events that it was not told of.
    """

    subscriber: Subscriber
    asker: Asker
    random: Callable[[int], bytes]

    def opened(self, cursor: str | None) -> Place | None:
        if cursor is None:
            return None
        if cursor == OLDEST:
            return OLDEST_PLACE
        match self.asker.cursors.open(cursor, self._bound):
            case [int(seq), str(at), str()]:
                return Place(seq, at)
            case _:
                raise BadInputError("`after` is not a cursor of these changes")

    def after(self, place: Place) -> str:
        nonce = b64url(self.random(_NONCE_BYTES))
        return self.asker.cursors.seal([place.seq, place.at, nonce], self._bound)

    def signal(self, event: Happened, names: Sequence[str]) -> dict[str, Any]:
        return {
            "id": self.asker.cursors.seal([event.place.seq, event.place.at], ("change", self.subscriber.consumer)),
            "citizen": event.subject,
            "kind": event.kind,
            "type": event.type_name,
            "fields": list(names),
        }

    @property
    def _bound(self) -> tuple[str, ...]:
        return ("changes", self.subscriber.consumer, self.subscriber.agreement, self.subscriber.purpose)


_Told = tuple[tuple[Happened, tuple[str, ...]], ...]


@dataclass(slots=True)
class _Deciding:
    """Which fields of events one consumer may read, at this moment."""

    caller: Caller
    plane: DataPlane
    plans: RequestPlans
    asker: Asker
    _persons: dict[str, Mapping[str, object] | None] = field(default_factory=dict)
    _decided: dict[str, FieldDecision] = field(default_factory=dict)

    async def told(self, looked: Looked, most: int) -> tuple[_Told, Place]:
        """Return the first `most` events of which something may be told, and the last event that was decided."""
        told: list[tuple[Happened, tuple[str, ...]]] = []
        for begin in range(0, len(looked.events), MOST):  # what comes after the page is decided when it is asked for
            events = looked.events[begin : begin + MOST]
            names = await self._readable(events)
            for event in events:
                if names.get(event.place):
                    told.append((event, names[event.place]))
                    if len(told) == most:
                        return tuple(told), event.place
        return tuple(told), looked.end

    def decisions(self, told: _Told) -> tuple[FieldDecision, ...]:
        """Return the decisions about what is told, and of nothing else."""
        names = sorted({f"{event.type_name}.{name}" for event, fields in told for name in fields})
        return tuple(self._decided[name] for name in names)

    async def _readable(self, events: Sequence[Happened]) -> dict[Place, tuple[str, ...]]:
        """Return the fields of each event that may be told; one statement decides all events of a type."""
        by_type: defaultdict[str, list[tuple[Happened, Record]]] = defaultdict(list)
        for event in events:
            if self._may_be_reached(event.type_name) and (record := await self._record(event)) is not None:
                by_type[event.type_name].append((event, record))
        found: dict[Place, tuple[str, ...]] = {}
        for type_name, pairs in by_type.items():
            wanted = self._values(type_name, {name for event, _ in pairs for name in event.fields})
            records = [record for _, record in pairs]
            own = {each.type_name for each in wanted} - set(_EXAMPLES)
            decided = await decide_records(self.plane.schema, type_name, records, wanted, self.plans, self.asker, own)
            for each in decided.decisions:
                self._decided.setdefault(each.coordinate, each)
            for (event, record), seen in zip(pairs, decided.objects, strict=True):
                found[event.place] = tuple(
                    each.field for each in wanted if self._is_told(event, each, record, (seen or {}).get(each.field))
                )
        return found

    def _may_be_reached(self, type_name: str) -> bool:
        """Say whether the consumer may follow a relation that leads from a citizen to this type, if there is one."""
        kind, person = self.plane.schema.type_map.get(type_name), self.plane.schema.type_map.get(PERSON)
        if kind is None or not isinstance(person, GraphQLObjectType):
            return False
        leading = [name for name, each in person.fields.items() if get_named_type(each.type) is kind]
        fields = self.plans(PERSON).fields
        return not leading or any(fields[name].may_be_seen for name in leading if name in fields)

    async def _record(self, event: Happened) -> Record | None:
        """Return an event's record with what policies may test; None if the register no longer knows the citizen."""
        if event.subject not in self._persons:
            self._persons[event.subject] = await attributes_of(
                self.plane.prepared, self.plane.database, event.subject, self.caller.requested.day
            )
        person = self._persons[event.subject]
        if person is None:
            return None
        values = self._examples(event) if event.record is None else event.record
        return Record(values, of_type(self.plane.prepared, event.type_name, person), event.subject)

    def _examples(self, event: Happened) -> dict[str, Any]:
        wanted = self._values(event.type_name, set(event.fields))
        return {each.field: _EXAMPLES.get(each.type_name, "x") for each in wanted}

    def _is_told(self, event: Happened, wanted: Selected, record: Record, seen: object) -> bool:
        if wanted.field not in event.fields or seen is None:
            return False
        if event.kind == Event.CREATED:
            return True
        if event.record is None:
            return all(grant.form == CLEAR for grant in self.plans(event.type_name).fields[wanted.field].shown)
        scalar = get_named_type(wanted.type)
        assert isinstance(scalar, GraphQLScalarType | GraphQLEnumType)
        return bool(seen == scalar.coerce_output_value(record.values[wanted.field]))

    def _values(self, type_name: str, names: set[str]) -> tuple[Selected, ...]:
        kind = self.plane.schema.type_map[type_name]
        assert isinstance(kind, GraphQLObjectType)
        return tuple(
            Selected(name, name, {}, kind.fields[name].type, None, {})
            for name in sorted(names)
            if name in kind.fields
            and isinstance(get_named_type(kind.fields[name].type), GraphQLScalarType | GraphQLEnumType)
        )
