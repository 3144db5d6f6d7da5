"""Who asks, and what they signed: the first step of every answer.

A request reaches a node through the gateway, carrying the consumer's own, or straight from the consumer. Either way the
node believes only what the consumer signed (docs/adr/0002).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Protocol

from federation.contract.clock import Clock, day_in_rome
from federation.contract.errors import AddresseeError, AgreementError, ReplayError
from federation.contract.graphql_request import GraphQLRequest, Limits
from federation.contract.identifiers import MemberId
from federation.contract.members import Agreement, Member, MemberList
from federation.contract.messages import (
    EXTENSION,
    NodeRequestExtension,
    TranslationStatement,
    read_node_request,
    request_digest,
)
from federation.contract.on_denied import OnDenied, wanted
from federation.contract.trusted_documents import trusted
from federation.shared.together import Together
from federation.trust.channel import require_peer
from federation.trust.consumers import EndUser, Once, ProvedRequest, Proving, prove
from federation.trust.counters import Counters
from federation.trust.http_messages import HttpRequest
from federation.trust.http_signatures import verify_request
from federation.trust.keys import message_keys
from federation.trust.quotas import count_request
from federation.trust.replay import ReplayStore
from federation.trust.tokens import SKEW, AccessTokens
from federation.trust.translations import verify_translation
from node.enforcement.decide import Requested
from node.policy.requesters import Requester


class CurrentMembers(Protocol):
    """The member list that this node acts on now."""

    def current(self) -> MemberList:
        """Return the list.

        Raises:
            RegistryStaleError: the last good one has expired.
        """
        ...


@dataclass(frozen=True, slots=True)
class Identity:
    """Which node this is, and by what it judges signatures; `tokens` accepts those made for this node.

    There is one in a process: `together` commits what all its questions must have remembered.
    """

    member: MemberId
    members: CurrentMembers
    tokens: AccessTokens
    replay: ReplayStore
    counters: Counters
    clock: Clock
    together: Together = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "together", Together(self.replay, self.counters))


@dataclass(frozen=True, slots=True)
class Caller:
    """A consumer whose request is proved: who, for what, under which agreement, with what exactly it signed.

    `operation` is the consumer's own; `relayed` is what the gateway says beside the node's operation, None when the
    consumer asks directly; `on_denied` is the stricter of what the agreement and the request say; `translations` are
    statements of the exchange whose signatures hold.
    """

    consumer: Member
    agreement: Agreement
    requested: Requested
    legal_basis: tuple[str, ...]
    on_denied: OnDenied
    operation: GraphQLRequest
    request_digest: str
    relayed: NodeRequestExtension | None
    translations: tuple[TranslationStatement, ...]
    end_user: EndUser


async def authenticate(request: HttpRequest, asked: GraphQLRequest, identity: Identity, limits: Limits) -> Caller:
    """Prove who asks, and let it in with all that come at the same moment.

    (1) The gateway's signature; (2) the consumer's token or voucher and its signature; (3) that the message is new;
    (4) the agreement; (5) that it lists the consumer's document, if it lists any; (6) today's quota; (7) the
    exchange's statements.

    Raises:
        AuthenticationError: (1) to (3) and (7), each with a code of its own.
        AuthorisationError: (4).
        PersistedDocumentError: (5).
        QuotaExceededError: (6).
        RegistryStaleError: there is no valid member list.
        UnavailableError: that the message was used could not be committed.
    """
    members = identity.members.current()
    proved = _proved(request, asked, members, identity, limits)  # (1) (2)
    admitted = await identity.together.judge(lambda: _admitted(proved, members, identity))  # (3) to (6)
    relayed = proved.relayed
    return Caller(
        consumer=proved.by.consumer,
        agreement=admitted.agreement,
        requested=admitted.requested,
        legal_basis=admitted.legal_basis,
        on_denied=wanted(proved.own.headers, admitted.agreement.on_denied),
        operation=admitted.operation,
        request_digest=proved.digest,
        relayed=relayed,
        translations=() if relayed is None else _statements(relayed, identity, members),  # (7)
        end_user=proved.by.end_user,
    )


@dataclass(frozen=True, slots=True)
class _Proved:
    """A message whose signatures hold, of which nobody knows yet if it is new.

    `own` is the consumer's request and `asked` what it says; `once` is what makes the message one message.
    """

    own: HttpRequest
    asked: GraphQLRequest
    digest: str
    by: ProvedRequest
    relayed: NodeRequestExtension | None
    once: Once


@dataclass(frozen=True, slots=True)
class _Admitted:
    """A message that was let in: what its agreement lets it ask, and with which document it asks."""

    agreement: Agreement
    requested: Requested
    legal_basis: tuple[str, ...]
    operation: GraphQLRequest


def _proved(
    request: HttpRequest, asked: GraphQLRequest, members: MemberList, identity: Identity, limits: Limits
) -> _Proved:
    """Verify (1) and (2); nothing is remembered, so that ids in unsigned messages reach no store."""
    extension = asked.extensions.get(EXTENSION)
    if extension is None:
        by = prove(request, members, Proving(identity.tokens, identity.clock))
        require_peer(request.peer, by.consumer.id)
        return _Proved(request, asked, request_digest(request.headers), by, None, by.once)
    relayed = read_node_request(extension)
    own = HttpRequest.of_consumer(relayed.consumer_request)
    signed = verify_request(request, message_keys(members.gateway.keys, identity.clock.now()), identity.clock)
    require_peer(request.peer, members.gateway.id)
    if own.target_uri != members.gateway.endpoint:
        raise AddresseeError("the consumer's request was not made to this federation's gateway")
    by = prove(own, members, Proving(identity.tokens, identity.clock))
    # The nonce of the consumer's request is for the gateway to watch: one question may need several fetches from here.
    once = Once(f"nonce:{signed.keyid}", signed.nonce, signed.expires + SKEW)
    return _Proved(own, GraphQLRequest.parse(own.body, limits), request_digest(own.headers), by, relayed, once)


def _admitted(proved: _Proved, members: MemberList, identity: Identity) -> _Admitted:
    """Let a message in, (3) to (6), by the stores and what is in memory alone: others wait meanwhile."""
    by, once = proved.by, proved.once
    if not identity.replay.first_time(once.namespace, once.name, once.until):
        raise ReplayError("this signed request was already answered")
    agreement, requested, basis = agreed(by.consumer, by.agreement, by.purpose, members, identity)
    operation = trusted(proved.asked, agreement)
    # Several fetches of one question count once; a consumer's own message was new a moment ago.
    if proved.relayed is None or identity.replay.first_time(
        f"counted:{agreement.id}", proved.digest, by.expires + SKEW
    ):
        count_request(agreement, identity.counters, identity.clock)
    return _Admitted(agreement, requested, basis, operation)


def agreed(
    consumer: Member, agreement_id: str, purpose_id: str, members: MemberList, identity: Identity
) -> tuple[Agreement, Requested, tuple[str, ...]]:
    """Return what an agreement lets a consumer ask here: requester attributes come from it and the signed member list.

    They come from nowhere else (policy R9), and from one `members` for the whole question.

    Raises:
        AgreementError: it is not this consumer's, not in force, or does not name this node.
        PurposeNotAgreedError: it does not name the purpose.
    """
    day = day_in_rome(identity.clock.now())
    agreement = members.agreement(agreement_id)
    purpose = agreement.require(consumer.id, purpose_id, day)
    provider = agreement.provider(identity.member)
    if provider is None:
        raise AgreementError(f"agreement `{agreement.id}` does not name `{identity.member}` as a provider")
    requester = Requester(consumer.kind, frozenset(purpose.bases), consumer.area)
    return agreement, Requested(requester, purpose.id, day, provider), purpose.bases


def _statements(
    relayed: NodeRequestExtension, identity: Identity, members: MemberList
) -> tuple[TranslationStatement, ...]:
    keys = message_keys(members.exchange.keys, identity.clock.now())
    return tuple(verify_translation(each, keys, identity.clock) for each in relayed.translations)
