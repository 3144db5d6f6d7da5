"""Who asks, and what they signed: the first step of every answer.

A request reaches a node through the gateway, carrying the consumer's own, or straight from the consumer. Either way the
node believes only what the consumer signed (docs/adr/0002).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from federation.contract.clock import Clock, day_in_rome
from federation.contract.errors import AddresseeError, AgreementError, ReplayError
from federation.contract.graphql_request import GraphQLRequest, Limits
from federation.contract.identifiers import MemberId
from federation.contract.members import Agreement, Member, MemberList, PublishedKey
from federation.contract.messages import (
    EXTENSION,
    NodeRequestExtension,
    TranslationStatement,
    read_node_request,
    request_digest,
)
from federation.contract.on_denied import OnDenied, wanted
from federation.contract.trusted_documents import trusted
from federation.trust.channel import require_peer
from federation.trust.consumers import EndUser, Proving, prove
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
    """Which node this is, and by what it judges signatures; `tokens` accepts those made for this node."""

    member: MemberId
    members: CurrentMembers
    tokens: AccessTokens
    replay: ReplayStore
    counters: Counters
    clock: Clock


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


def authenticate(request: HttpRequest, asked: GraphQLRequest, identity: Identity, limits: Limits) -> Caller:
    """Prove who asks.

    (1) The gateway's signature, and (2) that it is new; (3) the consumer's token or voucher and its signature; (4) the
    agreement; (5) that it lists the consumer's document, if it lists any; (6) the exchange's statements.

    Raises:
        AuthenticationError: (1) to (3) and (6), each with a code of its own.
        AuthorisationError, QuotaExceededError: (4).
        PersistedDocumentError: (5).
        RegistryStaleError: there is no valid member list.
    """
    members = identity.members.current()
    extension = asked.extensions.get(EXTENSION)
    relayed = None if extension is None else read_node_request(extension)
    own = request if relayed is None else HttpRequest.of_consumer(relayed.consumer_request)
    if relayed is not None:
        _require_sender(request, members.gateway.keys, identity)  # (1) (2)
        require_peer(request.peer, members.gateway.id)
        if own.target_uri != members.gateway.endpoint:
            raise AddresseeError("the consumer's request was not made to this federation's gateway")
    proved = prove(own, members, Proving(identity.tokens, identity.clock))  # (3)
    if relayed is None:
        require_peer(request.peer, proved.consumer.id)
    # A relayed request's nonce is for the gateway to watch: one question may need several fetches from one node.
    if relayed is None and not identity.replay.first_time(proved.once.namespace, proved.once.name, proved.once.until):
        raise ReplayError("this signed request was already answered")
    agreement, requested, basis = agreed(proved.consumer, proved.agreement, proved.purpose, members, identity)  # (4)
    operation = trusted(asked if relayed is None else GraphQLRequest.parse(own.body, limits), agreement)  # (5)
    digest = request_digest(own.headers)
    # One question may need several fetches from one node, and counts once.
    if identity.replay.first_time(f"counted:{agreement.id}", digest, proved.expires + SKEW):
        count_request(agreement, identity.counters, identity.clock)
    return Caller(
        consumer=proved.consumer,
        agreement=agreement,
        requested=requested,
        legal_basis=basis,
        on_denied=wanted(own.headers, agreement.on_denied),
        operation=operation,
        request_digest=digest,
        relayed=relayed,
        translations=() if relayed is None else _statements(relayed, identity, members),  # (6)
        end_user=proved.end_user,
    )


def _require_sender(request: HttpRequest, keys: tuple[PublishedKey, ...], identity: Identity) -> None:
    """Verify the signature first: ids in an unsigned request must not reach the replay store."""
    signed = verify_request(request, message_keys(keys, identity.clock.now()), identity.clock)
    if not identity.replay.first_time(f"nonce:{signed.keyid}", signed.nonce, signed.expires + SKEW):
        raise ReplayError("this signed request was already answered")


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
