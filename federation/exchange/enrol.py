"""Enrolment: a member with a node gets its own pseudonyms of citizens whose codes it knows, and tells no code.

1. who: a member that runs a node, by its own signature, once
2. how much: within the day's number of messages
3. evaluate what is blinded, or issue pseudonyms for values (`federation.contract.enrolment`)
4. record how many were issued, before they leave
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field

from federation.contract.canonical import b64url
from federation.contract.clock import Clock, rfc3339
from federation.contract.enrolment import EnrolAnswer, EnrolRequest, EnrolStep
from federation.contract.entries import Entry, EntryKind
from federation.contract.members import Member, MemberList
from federation.exchange.convert import EXCHANGE, CurrentMembers, Recorder
from federation.linkage.enrolling import subject_of
from federation.linkage.oprf import blind_evaluate
from federation.linkage.suites import PseudonymSuite
from federation.trust.by_member import require_unused, signed_by_node
from federation.trust.channel import require_peer
from federation.trust.counters import Counters
from federation.trust.http_messages import HttpRequest
from federation.trust.quotas import count_message
from federation.trust.replay import ReplayStore


@dataclass(frozen=True, slots=True)
class Enrolment:
    """`key` is that of the oblivious function; `messages_a_day` bounds each member."""

    members: CurrentMembers
    replay: ReplayStore
    counters: Counters
    suite: PseudonymSuite
    key: int = field(repr=False)
    ledger: Recorder
    clock: Clock
    messages_a_day: int

    async def answer(self, request: HttpRequest) -> EnrolAnswer:
        """Take one step of an enrolment.

        Raises:
            AuthenticationError, AuthorisationError: (1).
            QuotaExceededError: (2).
            BadInputError: the request cannot be read.
            LedgerUnavailableError: (4); nothing is told.
        """
        member = self._member(request, self.members.current())  # (1)
        asked = EnrolRequest.parse(request.body)
        count_message("enrolment", member.id, self.messages_a_day, self.counters, self.clock)  # (2)
        values = asked.decoded()
        match asked.step:  # (3)
            case EnrolStep.EVALUATE:
                return EnrolAnswer(await asyncio.to_thread(self._evaluated, values))
            case EnrolStep.ISSUE:
                issued = tuple(str(self.suite.pseudonym(member.id, subject_of(each))) for each in values)
                await self.ledger.record(self._enrolled(member, len(issued)).to_bytes())  # (4)
                return EnrolAnswer(issued)

    def _member(self, request: HttpRequest, members: MemberList) -> Member:
        member, signed = signed_by_node(request, members, self.clock)
        require_peer(request.peer, member.id)
        require_unused(self.replay, signed)
        return member

    def _evaluated(self, elements: tuple[bytes, ...]) -> tuple[str, ...]:
        return tuple(b64url(blind_evaluate(self.key, each)) for each in elements)

    def _enrolled(self, member: Member, count: int) -> Entry:
        return Entry(
            kind=EntryKind.ENROLMENT,
            at=rfc3339(self.clock.now()),
            writer=EXCHANGE,
            consumer=member.id,
            subjects=count,
        )
