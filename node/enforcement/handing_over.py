"""What a member hands over itself: an answer to a consumer that asks no question of its own, as a file.

The member's own officer says for which agreement; nobody signed a request. So who asks is not authenticated (step 1 of
`node.enforcement.answer`), and everything else is as it is there: the agreement's lists and fields, no identifiers of
citizens, the policy in force, the guards, and the ledger before the data.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Self

import msgspec

from federation.contract.errors import CroceviaError
from federation.contract.graphql_request import GraphQLRequest
from federation.trust.consumers import EndUser
from federation.trust.quotas import count_request
from node.data.answer import Answer
from node.enforcement.answer import Node, prepare, require_wanted, scoped
from node.enforcement.caller import Caller, agreed
from node.enforcement.decide import RequestPlans
from node.enforcement.record import disclosure, refusal

DETAIL: Final = "handed over by the member itself"


@dataclass(frozen=True, slots=True)
class HandingOver:
    """A node that answers one agreement's consumer without being asked by it."""

    node: Node
    caller: Caller

    @classmethod
    def under(cls, node: Node, agreement_id: str, purpose: str) -> Self:
        """Begin to hand over; all its pages together are one request of the agreement's daily quota.

        Raises:
            AgreementError, PurposeNotAgreedError: the agreement does not allow it.
            QuotaExceededError: its requests of today are used up.
        """
        identity = node.identity
        members = identity.members.current()
        consumer = members.member(members.agreement(agreement_id).consumer)
        agreement, requested, basis = agreed(consumer, agreement_id, purpose, members, identity)
        count_request(agreement, identity.counters, identity.clock)
        nobody = GraphQLRequest("", None, None, {}, {})
        return cls(
            node,
            Caller(consumer, agreement, requested, basis, agreement.on_denied, nobody, "", None, (), EndUser()),
        )

    @property
    def plans(self) -> RequestPlans:
        """What the consumer may see."""
        return self.node.policy.of(self.caller.requested)

    async def answer(self, asked: GraphQLRequest) -> Answer:
        """Answer one query, recorded before it is returned.

        Raises:
            CroceviaError: it is refused; the refusal is recorded.
        """
        node, caller = self.node, self.caller
        try:
            node.journal.require_witnessed()
            document = node.documents.understood(asked.text)
            wanted = scoped(asked, caller, node)
            answered = (await prepare(document, asked, wanted, caller, node)).answer
            require_wanted(answered, caller)
            entry = msgspec.structs.replace(disclosure(caller, asked, answered, node), detail=DETAIL)
            await node.journal.record(entry, answered.subjects)
        except CroceviaError as refused:
            await node.journal.record(refusal(caller, refused, node))
            raise
        return answered
