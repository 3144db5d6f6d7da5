"""Who asks the gateway: token, proof of possession and the consumer's signature over its request."""

from __future__ import annotations

from base64 import b64encode
from dataclasses import dataclass, field
from typing import Protocol

from federation.contract.clock import Clock, day_in_rome
from federation.contract.errors import ProofError, ReplayError, TokenReplayError
from federation.contract.members import Agreement, Member, MemberList
from federation.contract.messages import ConsumerRequest
from federation.contract.on_denied import OnDenied, wanted
from federation.trust.channel import require_peer
from federation.trust.consumers import Proving, forwarded_headers, prove
from federation.trust.counters import Counters
from federation.trust.http_messages import HttpRequest
from federation.trust.quotas import count_request
from federation.trust.rates import RateSettings, Standing, count_question
from federation.trust.replay import ReplayStore
from federation.trust.tokens import (
    MAX_PROOF_AGE,
    SKEW,
    AccessTokens,
    require_possession,
    verify_dpop,
)


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
    rates: RateSettings = field(default_factory=RateSettings)


@dataclass(frozen=True, slots=True)
class Caller:
    """A consumer whose request is proved; `request` is what the nodes will verify themselves.

    `on_denied` is the stricter of what the agreement and the request say; `standing` is what is left of the consumer's
    budget for the purpose; `client` is a voucher's, or empty.
    """

    consumer: Member
    agreement: Agreement
    purpose: str
    legal_basis: tuple[str, ...]
    on_denied: OnDenied
    request: ConsumerRequest
    standing: Standing
    client: str = ""


def authenticate(request: HttpRequest, members: MemberList, door: Doorkeeper) -> Caller:
    """Prove who asks.

    (1) Token and signature, over the consumer's own channel where channels are TLS; (2) the proof of possession of the
    key that the token is bound to, used once; (3) that the request was made once; (4) the agreement, active, for this
    purpose, and neither this minute's questions nor today's used up.

    Raises:
        AuthenticationError: (1) to (3), each with a code of its own.
        AuthorisationError, RateLimitedError: (4).
    """
    proved = prove(request, members, Proving(door.tokens, door.clock))  # (1)
    require_peer(request.peer, proved.consumer.id)
    if proved.bound_to is not None:  # (2)
        _require_possession(request, proved.token, proved.bound_to, door)
    if not door.replay.first_time(proved.once.namespace, proved.once.name, proved.once.until):  # (3)
        raise ReplayError("this signed request was already answered; sign it again with another nonce")
    agreement = members.agreement(proved.agreement)  # (4)
    agreed = agreement.require(proved.consumer.id, proved.purpose, day_in_rome(door.clock.now()))
    standing = count_question(proved.consumer.id, agreed.id, door.rates, door.counters, door.clock)
    count_request(agreement, door.counters, door.clock)
    on_denied = wanted(request.headers, agreement.on_denied)
    return Caller(
        proved.consumer, agreement, agreed.id, agreed.bases, on_denied, as_sent(request), standing, proved.client
    )


def _require_possession(request: HttpRequest, token: str, key: str, door: Doorkeeper) -> None:
    dpop = request.headers.get("dpop")
    if dpop is None:
        raise ProofError("expected a header `DPoP` with a proof of possession (RFC 9449)")
    proof = verify_dpop(dpop, request.method, request.target_uri, door.clock, token)
    require_possession(key, proof)
    if not door.replay.first_time(f"dpop:{proof.jkt}", proof.jti, proof.iat + MAX_PROOF_AGE + 2 * SKEW):
        raise TokenReplayError("DPoP proof was already used; make a new one with another `jti`")


def as_sent(request: HttpRequest) -> ConsumerRequest:
    """Keep what others need to prove the request again; the proof of possession was for us alone."""
    headers = {name: request.headers[name] for name in forwarded_headers(request.headers)}
    return ConsumerRequest(request.method, request.target_uri, headers, b64encode(request.body).decode("ascii"))
