"""Who looked: the citizen's report of this node, asked through the citizens' portal (GDPR art. 15).

The portal is a consumer like any other, with an agreement for one purpose that every provider signed. It asks by a
pseudonym that the exchange translated for this node, so no tax code travels.
"""

from __future__ import annotations

import asyncio
from typing import Any

import msgspec

from federation.contract.clock import Clock, rfc3339
from federation.contract.entries import Entry, EntryKind
from federation.contract.errors import PurposeNotAgreedError
from federation.contract.graphql_request import GraphQLRequest
from federation.contract.identifiers import MemberId
from node.enforcement.caller import Caller
from node.enforcement.scope import require_translated_keys
from node.journal.journal import Journal, RecordedAccess

PURPOSE = "access-report"
_CITIZEN = "Citizen"


async def report(
    asked: GraphQLRequest, caller: Caller, journal: Journal, member: MemberId, clock: Clock
) -> dict[str, Any]:
    """Return every entry of this node about the citizen that the portal names, newest first, with its proof.

    `asked.variables["citizen"]` is this node's pseudonym of the citizen. Asking is recorded before the answer leaves.

    Raises:
        PurposeNotAgreedError: the caller's token is for another purpose.
        ScopeError: the exchange did not translate this citizen for this request.
        LedgerUnavailableError: the question cannot be recorded.
    """
    if caller.requested.purpose != PURPOSE:
        raise PurposeNotAgreedError(f"the access report is given for purpose `{PURPOSE}` only")
    citizen = str(asked.variables.get("citizen", ""))
    representation = {"__typename": _CITIZEN, "id": citizen}
    require_translated_keys([representation], caller.translations, member, PURPOSE, caller.request_digest)
    found = await asyncio.to_thread(journal.about, citizen)
    entry = Entry(
        kind=EntryKind.REPORT,
        at=rfc3339(clock.now()),
        writer=member,
        trace_id=caller.relayed.trace_id if caller.relayed else "",
        consumer=caller.consumer.id,
        purpose=PURPOSE,
        legal_basis=caller.legal_basis,
        agreement=caller.agreement.id,
        request_digest=caller.request_digest,
        subjects=1,
    )
    receipt = await journal.record(entry, (citizen,))
    return {
        "member": member,
        "accesses": [_access(each) for each in reversed(found)],
        "receipt": msgspec.to_builtins(receipt),
    }


def _access(recorded: RecordedAccess) -> dict[str, Any]:
    return {
        "entry": msgspec.to_builtins(recorded.entry),
        "receipt": msgspec.to_builtins(recorded.receipt),
        "leaf": recorded.leaf.decode(),
    }
