"""Who made a consumer's request, by whichever of two proofs it carries; gateway, exchange and nodes judge it alike.

* The federation's own: an access token of its authorisation server, and the RFC 9421 signature by the key that the
  token is bound to.
* Italy's: a voucher of the platform (PDND), and `Agid-JWT-Signature` over the body (INTEGRITY_REST_02), with
  `Agid-JWT-TrackingEvidence` (AUDIT_REST_02) where the voucher names one. Whose the client is, and which purpose of
  which agreement its `purposeId` stands for, says the member list, which also holds the keys of platform and client.

What is left to the caller: whether the request is new (`once`), whether who sent it holds the key that the token is
bound to (`bound_to`), and whether the agreement is active.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Self

import msgspec

from federation.contract.canonical import canonical
from federation.contract.clock import Clock
from federation.contract.errors import AddresseeError, AgreementError, ProofError, TokenError
from federation.contract.members import Member, MemberList, VoucherClient, VoucherIssuer
from federation.contract.messages import INTEGRITY_SIGNATURE, TRACKING_EVIDENCE
from federation.contract.on_denied import HEADER as ON_DENIED
from federation.trust.foreign_keys import PinnedKeys
from federation.trust.http_messages import HttpRequest
from federation.trust.http_signatures import verify_request
from federation.trust.jose import read_part, unverified_payload
from federation.trust.keys import VerifyKey, message_keys
from federation.trust.pdnd import EvidenceError, Voucher, verify_evidence, verify_integrity, verify_voucher
from federation.trust.tokens import SKEW, AccessTokens, bearer_of


@dataclass(frozen=True, slots=True)
class EndUser:
    """Who is behind the request at the consumer, by the consumer's own signed word: evidence, never authority."""

    user: str = ""
    office: str = ""
    assurance: str = ""


class Once(msgspec.Struct, frozen=True):
    """What makes the request one request: for a replay store, after the signature held."""

    namespace: str
    name: str
    until: int


class ProvedRequest(msgspec.Struct, frozen=True):
    """A consumer's request whose signatures hold.

    `bound_to` is the thumbprint of the key whose possession a sender proves by DPoP, None where the voucher is a
    bearer's; `token` is the text of the access token or voucher; `expires` is when the proof stops counting (seconds
    since 1970).
    """

    consumer: Member
    agreement: str
    purpose: str
    once: Once
    expires: int
    token: str
    bound_to: str | None
    end_user: EndUser = EndUser()
    client: str = ""
    """The client of a voucher, whom answers are signed to as it signs questions; empty for our own tokens."""


class Proving(msgspec.Struct, frozen=True):
    """By what requests are proved: tokens for this party, and the time."""

    tokens: AccessTokens
    clock: Clock


def prove(request: HttpRequest, members: MemberList, proving: Proving) -> ProvedRequest:
    """Prove who made a request.

    Raises:
        AuthenticationError: token, key, signature, digest, freshness or evidence does not hold, each with its code.
        AuthorisationError: the consumer, or the purpose of a voucher, is not on the member list.
    """
    if INTEGRITY_SIGNATURE in request.headers:
        return _by_voucher(request, members, proving.clock)
    return _by_token(request, members, proving)


def _by_token(request: HttpRequest, members: MemberList, proving: Proving) -> ProvedRequest:
    """(1) The token; (2) the consumer's signature, by the key that the token is bound to and no other."""
    now = proving.clock.now()
    token = bearer_of(request.headers.get("authorization", ""))  # (1)
    claims = proving.tokens.verify(token, message_keys(members.gateway.keys, now))
    consumer = members.member(claims.consumer)
    known = message_keys(consumer.keys, now)

    def bound(kid: str) -> VerifyKey | None:
        if kid != claims.jkt:
            raise ProofError("the token is bound to another key than the one that signed the request")
        return known(kid)

    signed = verify_request(request, bound, proving.clock)  # (2)
    return ProvedRequest(
        consumer=consumer,
        agreement=claims.agreement,
        purpose=claims.purpose,
        once=Once(f"nonce:{signed.keyid}", signed.nonce, signed.expires + SKEW),
        expires=min(signed.expires, claims.exp),
        token=token,
        bound_to=claims.jkt,
    )


def _by_voucher(request: HttpRequest, members: MemberList, clock: Clock) -> ProvedRequest:
    """(1) Issuer and voucher; (2) whose client it is; (3) its signature; (4) the evidence; (5) what its purpose is."""
    audience = members.gateway.endpoint
    if request.target_uri != audience:  # nothing that is signed here names the target, so only one can be meant
        raise AddresseeError("a voucher is accepted at the federation's gateway only")
    token, is_bound = _voucher_text(request)
    issuer = _Issuer.of(token, members)  # (1)
    voucher = verify_voucher(token, issuer.name, audience, issuer.keys, clock)
    if (voucher.cnf is not None) != is_bound:
        raise ProofError("a voucher that is bound to a key comes as `DPoP`, another one as `Bearer`")
    consumer, client = _client(voucher, members)  # (2)
    keys = _pinned(canonical({"keys": client.keys}), client.algorithm)
    integrity = verify_integrity(request.headers, request.body, audience, keys, clock)  # (3)
    if integrity.iss != client.client_id:
        raise TokenError("integrity signature is by another client than the voucher")
    end_user = _end_user(request, voucher, audience, keys, clock)  # (4)
    agreed = next((each for each in client.purposes if each.purpose_id == voucher.purpose_id), None)  # (5)
    if agreed is None:
        raise AgreementError(f"`{consumer.id}` registered no agreement for the purpose of this voucher")
    return ProvedRequest(
        consumer=consumer,
        agreement=agreed.agreement,
        purpose=agreed.purpose,
        once=Once(f"integrity:{client.client_id}", integrity.jti, integrity.exp + SKEW),
        expires=min(integrity.exp, voucher.exp),
        token=token,
        bound_to=voucher.cnf.jkt if voucher.cnf else None,
        end_user=end_user,
        client=client.client_id,
    )


class _IssuerClaim(msgspec.Struct, frozen=True):
    iss: str


@dataclass(frozen=True, slots=True)
class _Issuer:
    name: str
    keys: PinnedKeys

    @classmethod
    def of(cls, token: str, members: MemberList) -> Self:
        """Find whom the voucher says it is from; whether that is so, its signature shows."""
        claimed = read_part(unverified_payload(token), _IssuerClaim, "claims").iss
        for issuer in members.voucher_issuers:
            if issuer.issuer == claimed:
                return cls(issuer.issuer, _issuer_keys(issuer))
        raise TokenError("voucher is of an issuer that this federation does not accept")


def _issuer_keys(issuer: VoucherIssuer) -> PinnedKeys:
    return _pinned(canonical({"keys": issuer.keys}), "RS256")


@lru_cache(maxsize=1_024)
def _pinned(jwks: bytes, algorithm: str) -> PinnedKeys:
    """Keys are read once: the same ones come with every request."""
    return PinnedKeys.parse(jwks, algorithm)


def _client(voucher: Voucher, members: MemberList) -> tuple[Member, VoucherClient]:
    for member in members.members:
        for client in member.clients:
            if client.issuer == voucher.iss and client.client_id == voucher.client_id:
                return member, client
    raise TokenError("voucher is of a client that no member registered")


def _voucher_text(request: HttpRequest) -> tuple[str, bool]:
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() not in {"bearer", "dpop"} or not token or " " in token:
        raise TokenError("expected `Authorization: Bearer` or `DPoP` with a voucher")
    return token, scheme.lower() == "dpop"


def _end_user(request: HttpRequest, voucher: Voucher, audience: str, keys: PinnedKeys, clock: Clock) -> EndUser:
    text = request.headers.get(TRACKING_EVIDENCE)
    if text is None:
        if voucher.digest is not None:
            raise EvidenceError("the voucher names a tracking evidence, and the request carries none")
        return EndUser()
    evidence = verify_evidence(text, voucher, audience, keys, clock)
    if evidence.iss != voucher.client_id:
        raise EvidenceError("tracking evidence is of another client than the voucher")
    return EndUser(evidence.user_id, evidence.user_location, evidence.assurance)


def forwarded_headers(headers: Any) -> tuple[str, ...]:
    """Return the names of the headers that others need to prove the request again."""
    if INTEGRITY_SIGNATURE in headers:
        names = ("authorization", "content-encoding", "content-type", "digest", INTEGRITY_SIGNATURE, TRACKING_EVIDENCE)
    else:
        names = ("authorization", "content-digest", "content-type", ON_DENIED, "signature", "signature-input")
    return tuple([name for name in names if name in headers])
