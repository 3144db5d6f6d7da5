"""What happens to a mutation at a node after scope and decisions (step 4 of `node.enforcement.answer`).

1. read: the input of every root holds its rules, and all roots are about one citizen
2. find: the exchange says who that is here, and the register knows them
3. look: what was written under these idempotency keys before
4. decide: the records, under the policy, are the answer (policy R41); what may not be seen is not told back
5. record: the write is in the journal, durably, before anything is written (`node.enforcement.answer`)
6. write: records, keys and events, in one transaction; all roots of one operation or none

A write that fails after (5) is followed in the journal by a refusal with its code. So is one that found at (6) that
somebody, such as the same writer in a second request, wrote the same under its key meanwhile; it begins again at (3),
and answers what was written. The register is never written: its own system takes the events from the outbox
(docs/adr, writes).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import msgspec
from graphql import DocumentNode

from federation.contract.canonical import sha256_digest
from federation.contract.clock import Clock, rfc3339
from federation.contract.coverage import operation_of
from federation.contract.errors import BadInputError, NotFoundError, ScopeError, WrittenInputError
from federation.contract.graphql_request import GraphQLRequest
from federation.contract.messages import TranslationStatement, named_digest
from node.data.answer import Answer
from node.data.attributes import attributes_of, of_type
from node.data.operation import Asker
from node.data.plane import DataPlane
from node.data.records import Record, decide_records
from node.data.selection import Selected, selected_writes
from node.enforcement.caller import Caller
from node.enforcement.decide import RequestPlans
from node.own.consents import Consents
from node.own.writes import Write, Writes
from node.writing.kinds import Kind, kind_of, require_key

_ARGUMENTS: Final = {name: (name,) for name in ("idempotencyKey", "input")}
"""What may be wrong of a mutation's arguments beside the fields of its input."""


@dataclass(frozen=True, slots=True)
class Writing:
    """What mutations need besides a question's needs."""

    writes: Writes
    consents: Consents
    clock: Clock


@dataclass(frozen=True, slots=True)
class _Root:
    """One mutation of an operation, its input checked."""

    selected: Selected
    kind: Kind
    given: Mapping[str, Any]
    key: str

    @property
    def citizen(self) -> str:
        """The citizen as the consumer named them."""
        return str(self.given["citizen"])


@dataclass(frozen=True, slots=True)
class PlannedWrites:
    """The answer of a mutation, and what remains to be done once it is recorded."""

    answer: Answer
    writes: tuple[Write, ...]
    unused: tuple[Write, ...]
    writing: Writing

    async def carry_out(self) -> bool:
        """Write (6); say whether the answer is what was written.

        Raises:
            IdempotencyError: meanwhile a key was used for another input.
            DatabaseUnavailableError: nothing was written.
        """
        done = await self.writing.writes.carry_out(self.writes, self.unused)
        self.writing.consents.forget()
        return done


async def nothing() -> bool:
    """What remains to be done of a question."""
    return True


def is_mutation(document: DocumentNode, asked: GraphQLRequest) -> bool:
    """Say whether the operation to run is a mutation."""
    return operation_of(document, asked.operation_name).operation.value == "mutation"


async def plan_writes(
    document: DocumentNode,
    asked: GraphQLRequest,
    caller: Caller,
    plane: DataPlane,
    plans: RequestPlans,
    asker: Asker,
    writing: Writing,
) -> PlannedWrites:
    """Return what a mutation will write and answer; nothing is written yet.

    Raises:
        WrittenInputError, BadInputError: (1).
        ScopeError, NotFoundError: (2).
        IdempotencyError: (3).
        DatabaseUnavailableError: the register or the own tables do not answer.
    """
    roots = [_root(each) for each in selected_writes(plane.schema, document, asked.operation_name, asked.variables)]
    subject = _translated({each.citizen for each in roots}, caller, plane.prepared.mapping.member)  # (1) (2)
    persons = await attributes_of(plane.prepared, plane.database, subject, caller.requested.day)
    if persons is None:
        raise NotFoundError("no file on this citizen is held here")
    at = rfc3339(writing.clock.now())
    writes = tuple(_write(each, caller, subject, at) for each in roots)
    earlier = await writing.writes.earlier(writes)  # (3)
    answer = Answer({}, [], (), frozenset({subject}))
    for root, made, known in zip(roots, writes, earlier, strict=True):  # (4)
        record = Record(known or made.record, of_type(plane.prepared, root.kind.type_name, persons), subject)
        answer = await _with(answer, root, record, plane, plans, asker)
    unused = tuple(write for write, known in zip(writes, earlier, strict=True) if known is None)
    return PlannedWrites(answer, writes, unused, writing)


def _root(selected: Selected) -> _Root:
    kind = kind_of(selected.field)
    given = {name: value for name, value in selected.arguments["input"].items() if value is not None}
    key = selected.arguments["idempotencyKey"]
    try:
        require_key(key)
        kind.check(given)
    except WrittenInputError as error:
        # Several roots of one operation may have a field of that name.
        field = str(error.extensions["field"])
        error.extensions["path"] = [selected.response_key, *_ARGUMENTS.get(field, ("input", field))]
        raise
    return _Root(selected, kind, given, key)


def _translated(named: set[str], caller: Caller, member: str) -> str:
    """Return this member's pseudonym of the one citizen whom the operation names.

    INVARIANT: the statement is of the exchange, about this very request, and its `named` is the digest of what the
    consumer signed, so that no gateway can let a write be about somebody else.

    Raises:
        BadInputError: the operation is about several citizens.
        ScopeError: asked without a gateway, or the exchange did not translate this citizen for this request.
    """
    if len(named) != 1:
        raise BadInputError("one operation writes about one citizen; send one operation for each")
    if caller.relayed is None:
        raise ScopeError("writing goes through the gateway, in the asking member's own pseudonyms")
    wanted = named_digest(tuple(named))
    for statement in caller.translations:
        if _is_for(statement, caller, member) and statement.named == wanted and statement.pids[0] is not None:
            return statement.pids[0]
    raise ScopeError("the citizen was not translated by the exchange for this request")


def _is_for(statement: TranslationStatement, caller: Caller, member: str) -> bool:
    return (
        statement.source == caller.consumer.id
        and len(statement.pids) == 1
        and statement.is_for(member, caller.requested.purpose, caller.request_digest)
    )


def _write(root: _Root, caller: Caller, subject: str, at: str) -> Write:
    return Write(
        mutation=root.kind.name,
        consumer=caller.consumer.id,
        idempotency_key=root.key,
        input_digest=sha256_digest(msgspec.json.encode(root.given, order="deterministic")),
        subject=subject,
        type_name=root.kind.type_name,
        event=root.kind.event.value,
        record=root.kind.record(root.given, at),
        at=at,
    )


async def _with(
    answer: Answer, root: _Root, record: Record, plane: DataPlane, plans: RequestPlans, asker: Asker
) -> Answer:
    """Return the answer with the record of one root as the requester may see it."""
    key = root.selected.response_key
    found = await decide_records(plane.schema, root.kind.type_name, [record], root.selected.below or (), plans, asker)
    errors = [{**error, "path": [key, *error["path"][1:]]} for error in found.errors]
    return Answer(
        {**answer.data, key: found.objects[0]},
        [*answer.errors, *errors],
        _merged([*answer.decisions, *found.decisions]),
        answer.subjects | found.subjects,
    )


def _merged(decisions: Sequence[Any]) -> tuple[Any, ...]:
    return tuple(dict.fromkeys(decisions))
