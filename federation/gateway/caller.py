"""Who asks the gateway: token, proof of possession and the consumer's signature over its request."""

from __future__ import annotations

from base64 import b64encode
from dataclasses import dataclass
from typing import Protocol

from federation.contract.clock import Clock, day_in_rome
from federation.contract.errors import ProofError, ReplayError, TokenReplayError
from federation.contract.members import Agreement, Member, MemberList
from federation.contract.messages import ConsumerRequest
from federation.trust.counters import Counters
from federation.trust.http_messages import HttpRequest
from federation.trust.http_signatures import verify_request
from federation.trust.keys import message_keys
from federation.trust.quotas import count_request
from federation.trust.replay import ReplayStore
from federation.trust.tokens import (
    MAX_PROOF_AGE,
    SKEW,
    AccessTokens,
    bearer_of,
    require_possession,
    verify_dpop,
)

_FORWARDED = ("authorization", "content-digest", "content-type", "signature", "signature-input")
"""What a node needs to verify the consumer's request again; the proof of possession was for us alone."""


class CurrentMembers(Protocol):
    """The member list that the gateway acts on now."""

    def current(self) -> MemberList:
        """Return the list.

        Raises:
            RegistryStaleError: the last good one has expired.
        """
        ...


@dataclass(frozen=True, slots=True)
class Doorkeeper:
    """By what the gateway judges those who ask."""

    tokens: AccessTokens
    replay: ReplayStore
    counters: Counters
    clock: Clock


@dataclass(frozen=True, slots=True)
class Caller:
    """A consumer whose request is proved; `request` is what the nodes will verify themselves."""

    consumer: Member
    agreement: Agreement
    purpose: str
    legal_basis: tuple[str, ...]
    request: ConsumerRequest


def authenticate(request: HttpRequest, members: MemberList, door: Doorkeeper) -> Caller:
    """Prove who asks.

    (1) The access token; (2) the proof of possession, used once; (3) the consumer's signature, by the key that the
    token is bound to, (4) made for one request; (5) the agreement, active, for this purpose, and not used up today.

    Raises:
        AuthenticationError: (1) to (4), each with a code of its own.
        AuthorisationError, QuotaExceededError: (5).
    """
    token = bearer_of(request.headers.get("authorization", ""))  # (1)
    claims = door.tokens.verify(token, message_keys(members.gateway.keys, door.clock.now()))
    dpop = request.headers.get("dpop")  # (2)
    if dpop is None:
        raise ProofError("expected a header `DPoP` with a proof of possession (RFC 9449)")
    proof = verify_dpop(dpop, request.method, request.target_uri, door.clock, token)
    require_possession(claims, proof)
    consumer = members.member(claims.consumer)
    signed = verify_request(request, message_keys(consumer.keys, door.clock.now()), door.clock)  # (3)
    if signed.keyid != claims.jkt:
        raise ProofError("the token is bound to another key than the one that signed the request")
    if not door.replay.first_time(f"dpop:{proof.jkt}", proof.jti, proof.iat + MAX_PROOF_AGE + 2 * SKEW):  # (4)
        raise TokenReplayError("DPoP proof was already used; make a new one with another `jti`")
    if not door.replay.first_time(f"nonce:{signed.keyid}", signed.nonce, signed.expires + SKEW):
        raise ReplayError("this signed request was already answered; sign it again with another nonce")
    agreement = members.agreement(claims.agreement)  # (5)
    agreed = agreement.require(consumer.id, claims.purpose, day_in_rome(door.clock.now()))
    count_request(agreement, door.counters, door.clock)
    return Caller(consumer, agreement, agreed.id, agreed.bases, _as_sent(request))


def _as_sent(request: HttpRequest) -> ConsumerRequest:
    headers = {name: request.headers[name] for name in _FORWARDED}
    return ConsumerRequest(request.method, request.target_uri, headers, b64encode(request.body).decode("ascii"))
