"""Who asks the gateway: token, proof of possession and the consumer's signature over its request."""

from __future__ import annotations

from base64 import b64encode
from dataclasses import dataclass, field
from typing import Protocol

import msgspec

from federation.contract.clock import Clock, day_in_rome
from federation.contract.errors import ProofError, ReplayError, TokenReplayError
from federation.contract.members import Agreement, Member, MemberList
from federation.contract.messages import ConsumerRequest
from federation.contract.on_denied import OnDenied, wanted
from federation.shared.together import Together
from federation.trust.channel import require_peer
from federation.trust.consumers import ProvedRequest, Proving, forwarded_headers, prove
from federation.trust.counters import Counters
from federation.trust.http_messages import HttpRequest
from federation.trust.quotas import count_request
from federation.trust.rates import RateSettings, Standing, count_question
from federation.trust.replay import ReplayStore
from federation.trust.tokens import AccessTokens, DpopProof, require_possession, used_once, verify_dpop


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


class Caller(msgspec.Struct, frozen=True):
    """A consumer whose request is proved; `request` is what the nodes will verify themselves.

    `request_digest` names it; `on_denied` is the stricter of what the agreement and the request say; `standing` is what
    is left of the consumer's budget for the purpose; `client` is a voucher's, or empty.
    """

    consumer: Member
    agreement: Agreement
    purpose: str
    legal_basis: tuple[str, ...]
    on_denied: OnDenied
    request: ConsumerRequest
    request_digest: str
    standing: Standing
    client: str = ""


class Proved(msgspec.Struct, frozen=True):
    """A request whose signatures hold, of which nobody knows yet if it is new; `possession` is None for a bearer's."""

    request: HttpRequest
    by: ProvedRequest
    possession: DpopProof | None


async def authenticate(request: HttpRequest, members: MemberList, door: Doorkeeper, together: Together) -> Caller:
    """Prove who asks, see `proved`, and let it in, see `admitted`, with all that come at the same moment.

    Raises:
        AuthenticationError, AuthorisationError, RateLimitedError: see there.
    """
    known = proved(request, members, door)
    return await together.judge(lambda: admitted(known, members, door))


def proved(request: HttpRequest, members: MemberList, door: Doorkeeper) -> Proved:
    """Verify (1) token and signature, over the consumer's own channel where channels are TLS.

    Then (2) the proof of possession of the key that the token is bound to.

    Raises:
        AuthenticationError: each with a code of its own.
        AuthorisationError: the consumer, or the purpose of a voucher, is not on the member list.
    """
    by = prove(request, members, Proving(door.tokens, door.clock))  # (1)
    require_peer(request.peer, by.consumer.id)
    possession = None if by.bound_to is None else _possession(request, by.token, by.bound_to, door)  # (2)
    return Proved(request, by, possession)


def admitted(known: Proved, members: MemberList, door: Doorkeeper) -> Caller:
    """Require that (1) the proof of possession and (2) the request are used once.

    Then (3) that the agreement is active, for this purpose, and neither this minute's questions nor today's are
    used up.

    Raises:
        AuthenticationError: (1) or (2), each with a code of its own.
        AuthorisationError, RateLimitedError: (3).
    """
    request, by, proof = known.request, known.by, known.possession
    if proof is not None and not door.replay.first_time(*used_once(proof)):  # (1)
        raise TokenReplayError("DPoP proof was already used; make a new one with another `jti`")
    if not door.replay.first_time(by.once.namespace, by.once.name, by.once.until):  # (2)
        raise ReplayError("this signed request was already answered; sign it again with another nonce")
    agreement = members.agreement(by.agreement)  # (3)
    agreed = agreement.require(by.consumer.id, by.purpose, day_in_rome(door.clock.now()))
    standing = count_question(by.consumer.id, agreed.id, door.rates, door.counters, door.clock)
    count_request(agreement, door.counters, door.clock)
    on_denied = wanted(request.headers, agreement.on_denied)
    sent = as_sent(request)
    return Caller(
        consumer=by.consumer,
        agreement=agreement,
        purpose=agreed.id,
        legal_basis=agreed.bases,
        on_denied=on_denied,
        request=sent,
        request_digest=sent.digest(),
        standing=standing,
        client=by.client,
    )


def _possession(request: HttpRequest, token: str, key: str, door: Doorkeeper) -> DpopProof:
    dpop = request.headers.get("dpop")
    if dpop is None:
        raise ProofError("expected a header `DPoP` with a proof of possession (RFC 9449)")
    proof = verify_dpop(dpop, request.method, request.target_uri, door.clock, token)
    require_possession(key, proof)
    return proof


def as_sent(request: HttpRequest) -> ConsumerRequest:
    """Keep what others need to prove the request again; the proof of possession was for us alone."""
    headers = {name: request.headers[name] for name in forwarded_headers(request.headers)}
    return ConsumerRequest(request.method, request.target_uri, headers, b64encode(request.body).decode("ascii"))
