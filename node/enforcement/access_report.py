"""Who looked: the citizen's report of this node, asked through the citizens' portal (GDPR art. 15).

The portal is a consumer like any other, with an agreement for one purpose that every provider signed. It asks by a
pseudonym that the exchange translated for this node, so no tax code travels.
"""

from __future__ import annotations

import asyncio
from datetime import datetime, timedelta
from typing import Any

from federation.contract.clock import Clock, rfc3339
from federation.contract.delegation import DELEGATED, read_delegation
from federation.contract.entries import Entry, EntryKind
from federation.contract.errors import PurposeNotAgreedError
from federation.contract.evidence import digest_of_leaves
from federation.contract.graphql_request import GraphQLRequest
from federation.contract.identifiers import MemberId
from federation.contract.members import MemberList
from node.enforcement.caller import Caller
from node.enforcement.scope import require_translated_keys
from node.journal.journal import Journal, RecordedAccess

PURPOSE = "access-report"
_CITIZEN = "Citizen"


async def report(
    asked: GraphQLRequest, caller: Caller, journal: Journal, member: MemberId, members: MemberList, clock: Clock
) -> dict[str, Any]:
    """Return every entry of this node about the citizen that the portal names, newest first, with its proof.

    `asked.variables["citizen"]` is this node's pseudonym of the citizen. Asking is recorded before the answer leaves,
    in an entry that commits to the entries shown: whoever passes them on cannot leave one out. Entries of a sealed
    purpose are held back for the days that its agreement says (docs/adr/0016).

    Raises:
        PurposeNotAgreedError: the caller's token is for another purpose.
        ScopeError: the exchange did not translate this citizen for this request.
        BadInputError: a delegation that is none.
        LedgerUnavailableError: the question cannot be recorded.
    """
    if caller.requested.purpose != PURPOSE:
        raise PurposeNotAgreedError(f"the access report is given for purpose `{PURPOSE}` only")
    citizen = str(asked.variables.get("citizen", ""))
    representation = {"__typename": _CITIZEN, "id": citizen}
    require_translated_keys([representation], caller.translations, member, PURPOSE, caller.request_digest)
    delegation = read_delegation(caller.operation.extensions)
    found = await asyncio.to_thread(journal.about, citizen)
    shown = [each for each in reversed(found) if not _is_sealed(each.entry, members, clock)]
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
        detail=DELEGATED if delegation else "",
        answer=digest_of_leaves(each.leaf for each in shown),
    )
    receipt = await journal.record(entry, {citizen: delegation.to_bytes() if delegation else b""})
    leaf = await asyncio.to_thread(journal.reader.leaf, receipt.index)
    asking = RecordedAccess(entry, receipt, leaf)
    return {"member": member, "accesses": [shown_access(each) for each in (asking, *shown)]}


def _is_sealed(entry: Entry, members: MemberList, clock: Clock) -> bool:
    """Say whether the entry's activity is one whose accesses are not shown yet."""
    days = members.sealed_days(entry.agreement, entry.purpose)
    return days > 0 and datetime.fromisoformat(entry.at) + timedelta(days=days) > clock.now()


def shown_access(recorded: RecordedAccess) -> dict[str, Any]:
    """Return an entry as the report shows it: the leaf, and the proof that it stands in the ledger."""
    return {
        "receipt": recorded.receipt,
        "leaf": recorded.leaf.decode(),
        "personal": recorded.personal.decode(),
    }
