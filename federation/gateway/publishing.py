"""A node says on whom it holds a file, and the reference directory takes it in (`federation.contract.held_files`).

1. who: a member that runs a node, by its own signature, once
2. how much: within the day's number of messages
3. compare: say what stands in the directory, as digests; or
4. translate: the exchange turns the node's pseudonyms into the directory's, on the node's own signed request
5. replace: what the node said before in these buckets is no more
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Protocol

from federation.contract.clock import Clock
from federation.contract.errors import BadInputError
from federation.contract.held_files import PublishAnswer, PublishedFile, PublishRequest, PublishStep
from federation.contract.identifiers import DIRECTORY
from federation.contract.members import Member, MemberList
from federation.contract.messages import ConsumerRequest, Translation
from federation.directory.directory import Directory
from federation.directory.rows import HeldFile
from federation.exchange.messages import MAX_PIDS, Conversion
from federation.gateway.caller import as_sent
from federation.gateway.pseudonyms import parts
from federation.trust.by_member import require_unused, signed_by_node
from federation.trust.channel import require_peer
from federation.trust.counters import Counters
from federation.trust.http_messages import HttpRequest
from federation.trust.quotas import count_message
from federation.trust.replay import ReplayStore


class CurrentMembers(Protocol):
    """The member list in force."""

    def current(self) -> MemberList:
        """Return it.

        Raises:
            RegistryStaleError: there is none that has not expired.
        """
        ...


@dataclass(frozen=True, slots=True)
class Publishing:
    """`convert` asks the exchange on behalf of a signed request; see `federation.gateway.pseudonyms.Exchange`.

    `messages_a_day` bounds each member.
    """

    members: CurrentMembers
    replay: ReplayStore
    counters: Counters
    directory: Directory
    convert: Callable[[ConsumerRequest, Sequence[Conversion]], Awaitable[Sequence[Translation]]]
    clock: Clock
    messages_a_day: int

    async def answer(self, request: HttpRequest) -> PublishAnswer:
        """Take in what a node says.

        Raises:
            AuthenticationError, AuthorisationError: (1).
            QuotaExceededError: (2).
            BadInputError: the request cannot be read, or names citizens by what is no pseudonym of the node.
            ExchangeUnavailableError: (4).
            DatabaseUnavailableError: the directory cannot be read or written; nothing changed.
        """
        member, signed = signed_by_node(request, self.members.current(), self.clock)  # (1)
        require_peer(request.peer, member.id)
        require_unused(self.replay, signed)
        count_message("publication", member.id, self.messages_a_day, self.counters, self.clock)  # (2)
        asked = PublishRequest.parse(request.body)
        match asked.step:
            case PublishStep.COMPARE:  # (3)
                return PublishAnswer(await asyncio.to_thread(self.directory.digests, member.id))
            case PublishStep.REPLACE:
                files = await self._translated(asked.files, member, request)  # (4)
                await asyncio.to_thread(self.directory.replace, member.id, asked.buckets, files)  # (5)
                return PublishAnswer()

    async def _translated(self, files: Sequence[PublishedFile], member: Member, request: HttpRequest) -> list[HeldFile]:
        conversions = [
            Conversion(member.id, DIRECTORY, tuple(each.citizen for each in part)) for part in parts(files, MAX_PIDS)
        ]
        translations = await self.convert(as_sent(request), conversions) if conversions else ()
        subjects = list(chain.from_iterable(each.statement.pids for each in translations))
        if None in subjects:
            raise BadInputError(f"file {subjects.index(None)} names its citizen by no pseudonym of `{member.id}`")
        return [
            HeldFile.parse(str(subject), member.id, each.capacity, each.since, each.until, each.mark_bytes())
            for subject, each in zip(subjects, files, strict=True)
        ]
