"""Who looked: the citizen's report of this node, asked through the citizens' portal (GDPR art. 15).

The portal is a consumer like any other, with an agreement for one purpose that every provider signed. It asks by a
pseudonym that the exchange translated for this node, so no tax code travels.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from datetime import datetime, timedelta
from typing import Any

from federation.contract.clock import Clock, rfc3339
from federation.contract.delegation import DELEGATED, read_delegation
from federation.contract.entries import Entry, EntryKind
from federation.contract.errors import BadInputError, PurposeNotAgreedError
from federation.contract.evidence import digest_of_page
from federation.contract.graphql_request import GraphQLRequest
from federation.contract.identifiers import PERSON, MemberId
from federation.contract.members import MemberList
from node.enforcement.caller import Caller
from node.enforcement.scope import require_translated_keys
from node.journal.journal import Journal, RecordedAccess

PURPOSE = "access-report"

PAGE_BYTES = 4_000_000
"""Bytes of leaves and proofs in one answer, half of what a gateway reads at most; more is told from there on."""

_HASH_BYTES = 46
"""Bytes of one hash of a proof as it is written."""


async def report(
    asked: GraphQLRequest, caller: Caller, journal: Journal, member: MemberId, members: MemberList, clock: Clock
) -> dict[str, Any]:
    """Return the entries of this node about the citizen that the portal names, newest first, with their proofs.

    `asked.variables["citizen"]` is this node's pseudonym of the citizen; `before` the position below which entries are
    told, where the newest were told before. Asking is recorded before the answer leaves, in an entry that commits to
    the entries shown and to whether older ones are left: whoever passes them on cannot leave one out. Entries of a
    sealed purpose are held back for the days that its agreement says (docs/adr/0016).

    Raises:
        PurposeNotAgreedError: the caller's token is for another purpose.
        ScopeError: the exchange did not translate this citizen for this request.
        BadInputError: a delegation that is none, or a position that is none.
        LedgerUnavailableError: the question cannot be recorded.
    """
    if caller.requested.purpose != PURPOSE:
        raise PurposeNotAgreedError(f"the access report is given for purpose `{PURPOSE}` only")
    citizen = str(asked.variables.get("citizen", ""))
    representation = {"__typename": PERSON, "id": citizen}
    require_translated_keys([representation], caller.translations, member, PURPOSE, caller.request_digest)
    delegation = read_delegation(caller.operation.extensions)
    before = _position(asked.variables.get("before"))

    def told() -> tuple[list[RecordedAccess], bool]:
        return page(journal.about(citizen, before), lambda entry: _is_sealed(entry, members, clock))

    shown, more = await asyncio.to_thread(told)
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
        answer=digest_of_page((each.leaf for each in shown), before, more=more),
    )
    receipt = await journal.record(entry, {citizen: delegation.to_bytes() if delegation else b""})
    leaf = await asyncio.to_thread(journal.reader.leaf, receipt.index)
    asking = RecordedAccess(entry, receipt, leaf)
    return {"member": member, "accesses": [shown_access(each) for each in (asking, *shown)]}


def page(found: Iterable[RecordedAccess], is_sealed: Callable[[Entry], bool]) -> tuple[list[RecordedAccess], bool]:
    """Return as many entries as one answer holds, and whether others are left; sealed ones leave no hole."""
    shown: list[RecordedAccess] = []
    size = 0
    for each in found:
        if is_sealed(each.entry):
            continue
        proof = each.receipt
        size += len(each.leaf) + len(each.personal) + len(proof.checkpoint) + _HASH_BYTES * len(proof.inclusion)
        if shown and size > PAGE_BYTES:
            return shown, True
        shown.append(each)
    return shown, False


def _position(given: object) -> int | None:
    if given is None or (type(given) is int and given >= 0):
        return given
    raise BadInputError("`before` is a position in this node's ledger")


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
