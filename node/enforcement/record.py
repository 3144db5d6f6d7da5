"""What the journal says about a question: answered or refused, by whom asked, why, and what was decided."""

from __future__ import annotations

from typing import Protocol

import msgspec

from federation.contract.clock import rfc3339
from federation.contract.coverage import operation_digest
from federation.contract.entries import Entry, EntryKind
from federation.contract.errors import CroceviaError
from federation.contract.graphql_request import GraphQLRequest
from node.data.answer import Answer
from node.enforcement.caller import Caller, Identity
from node.enforcement.decide import Decisions


class Recording(Protocol):
    """What an entry needs to know about the node."""

    @property
    def identity(self) -> Identity:
        """Which node this is."""
        ...

    @property
    def policy(self) -> Decisions:
        """The bundle that decided."""
        ...


def disclosure(
    caller: Caller,
    asked: GraphQLRequest,
    answered: Answer,
    node: Recording,
    digest: str = "",
    kind: EntryKind = EntryKind.DISCLOSURE,
) -> Entry:
    """Return the entry of an answered question or mutation (R38): who, for what, by which law, which fields how.

    The number of subjects is recorded; who they are is kept beside the entry, under keys that can be destroyed.
    `digest` commits to the values, where the consumer asked for evidence.
    """
    return msgspec.structs.replace(
        _about(caller, node),
        kind=kind,
        operation_digest=operation_digest(asked.query or "", asked.operation_name),
        policy=node.policy.version,
        decisions=answered.decisions,
        subjects=len(answered.subjects),
        answer=digest,
    )


def refusal(caller: Caller | None, refused: CroceviaError, node: Recording) -> Entry:
    """Return the entry of a refused question; what an unproved caller says about itself is no evidence.

    A budget that was used up is named.
    """
    if caller is None:
        return _bare(node, refused.code)
    return msgspec.structs.replace(
        _about(caller, node),
        kind=EntryKind.REFUSAL,
        code=refused.code,
        detail=str(refused.extensions.get("budget", "")),
    )


def _bare(node: Recording, code: str) -> Entry:
    return Entry(kind=EntryKind.REFUSAL, at=rfc3339(node.identity.clock.now()), writer=node.identity.member, code=code)


def _about(caller: Caller, node: Recording) -> Entry:
    return msgspec.structs.replace(
        _bare(node, ""),
        trace_id=caller.relayed.trace_id if caller.relayed else "",
        consumer=caller.consumer.id,
        purpose=caller.requested.purpose,
        legal_basis=caller.legal_basis,
        agreement=caller.agreement.id,
        request_digest=caller.request_digest,
        end_user=caller.end_user.user,
        office=caller.end_user.office,
    )
