"""Access tokens, client assertions and proofs of possession: who asks, for which one purpose, under which agreement.

OAuth 2.0 client credentials with `private_key_jwt` (RFC 7523), access tokens of type `at+jwt` (RFC 9068) bound to the
client's key by DPoP (RFC 9449). What is deliberately not checked here: whether a `jti` was used before
(`federation.trust.replay`) and whether agreement and purpose are active (the member list).
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field
from hashlib import sha256
from itertools import islice
from typing import Any, Literal, Self

import msgspec

from federation.contract.canonical import b64url
from federation.contract.clock import Clock, epoch_seconds
from federation.contract.errors import BadInputError, ProofError, SignatureError, TokenError, TokenExpiredError
from federation.contract.identifiers import MemberId, member_id
from federation.trust.jose import read_part, read_token, require_signature, sign_token
from federation.trust.keys import KeyLookup, MessageSigner, VerifyKey, known_key

SKEW = 30
"""Seconds by which two clocks may differ."""

MAX_ACCESS_LIFETIME = 600
MAX_ASSERTION_LIFETIME = 300
MAX_PROOF_AGE = 60
_MAX_NAME = 256
_CACHED = 10_000

ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
"""`client_assertion_type` of a token request (RFC 7523 section 2.2)."""


class Confirmation(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The key that a token is bound to, by its thumbprint (RFC 9449 section 6.1)."""

    jkt: str


class AccessClaims(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What an access token says (RFC 9068 section 2.2): one consumer, one purpose, one agreement, one key.

    Times are seconds since 1970. `audience` names every party that may accept it: gateway, exchange and nodes.
    """

    issuer: str = msgspec.field(name="iss")
    subject: str = msgspec.field(name="sub")
    client_id: str
    audience: tuple[str, ...] = msgspec.field(name="aud")
    purpose: str = msgspec.field(name="purposeId")
    agreement: str = msgspec.field(name="agreementId")
    jti: str
    iat: int
    exp: int
    confirmation: Confirmation = msgspec.field(name="cnf")

    @property
    def consumer(self) -> MemberId:
        """Return the member that asks."""
        return member_id(self.subject)

    @property
    def jkt(self) -> str:
        """Return the thumbprint of the key that must sign proofs and requests made with the token."""
        return self.confirmation.jkt


class ClientAssertion(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How a client proves itself to the authorisation server, and asks for one purpose (RFC 7523 section 3)."""

    issuer: str = msgspec.field(name="iss")
    subject: str = msgspec.field(name="sub")
    audience: str = msgspec.field(name="aud")
    purpose: str = msgspec.field(name="purposeId")
    agreement: str = msgspec.field(name="agreementId")
    jti: str
    iat: int
    exp: int

    @classmethod
    def fresh(cls, member: MemberId, audience: str, grant: tuple[str, str], jti: str, clock: Clock) -> Self:
        """Return an assertion of `member` made now for the token endpoint; `grant` is (purpose, agreement)."""
        now = epoch_seconds(clock)
        return cls(member, member, audience, grant[0], grant[1], jti, now, now + MAX_PROOF_AGE)

    @property
    def member(self) -> MemberId:
        """Return the client's member."""
        return member_id(self.subject)


class DpopProof(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """A proof of possession for one request (RFC 9449 section 4.2); `jkt` is taken from the header's key."""

    method: str = msgspec.field(name="htm")
    uri: str = msgspec.field(name="htu")
    jti: str
    iat: int
    token_hash: str = msgspec.field(name="ath", default="")
    nonce: str = ""
    jkt: str = ""


class _AccessHeader(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    typ: Literal["at+jwt"]
    alg: Literal["ES256"]
    kid: str


class _AssertionHeader(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    typ: Literal["JWT", "client-authentication+jwt"]
    alg: Literal["ES256"]
    kid: str


class _DpopHeader(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    typ: Literal["dpop+jwt"]
    alg: Literal["ES256"]
    jwk: dict[str, Any]


def issue_access_token(claims: AccessClaims, key: MessageSigner) -> str:
    """Sign an access token as the authorisation server."""
    return sign_token({"typ": "at+jwt", "kid": key.kid}, claims, key)


def verify_access_token(text: str, issuer: str, audience: str, keys: KeyLookup, clock: Clock) -> AccessClaims:
    """Verify an access token: (1) form, (2) key and signature, (3) issuer and audience, (4) one party, (5) time.

    Raises:
        TokenError: (1) to (4), or a life longer than `MAX_ACCESS_LIFETIME`.
        TokenExpiredError: (5).
    """
    header, payload = read_token(text, _AccessHeader)  # (1)
    require_signature(text, _known(keys, header.kid))  # (2)
    claims = read_part(payload, AccessClaims, "claims")
    if claims.issuer != issuer:  # (3)
        raise TokenError("access token is of another issuer")
    if audience not in claims.audience:
        raise TokenError("access token is for another audience")
    if claims.subject != claims.client_id:  # (4)
        raise TokenError("access token names two clients")
    _require_names(claims.subject, claims.purpose, claims.agreement, claims.jti, claims.jkt)
    _require_member(claims.subject)
    _require_time(claims.iat, claims.exp, MAX_ACCESS_LIFETIME, clock)  # (5)
    return claims


def issue_client_assertion(claims: ClientAssertion, key: MessageSigner) -> str:
    """Sign a client assertion as the client."""
    return sign_token({"typ": "JWT", "kid": key.kid}, claims, key)


def verify_client_assertion(
    text: str, audience: str, keys_of: Callable[[MemberId], KeyLookup], clock: Clock
) -> ClientAssertion:
    """Verify a client assertion for the token endpoint `audience`: as RFC 7523 section 3 lists it.

    `keys_of` finds the message keys of a member that names itself; unknown members have none.

    Raises:
        TokenError: malformed, unknown key, wrong signature, another audience, or a life over `MAX_ASSERTION_LIFETIME`.
        TokenExpiredError: outside its time.
    """
    header, payload = read_token(text, _AssertionHeader)
    claims = read_part(payload, ClientAssertion, "claims")
    _require_names(claims.purpose, claims.agreement, claims.jti)
    member = _require_member(claims.subject)  # not believed before the signature by this member's key
    require_signature(text, _known(keys_of(member), header.kid))
    if claims.issuer != claims.subject:
        raise TokenError("client assertion names two clients")
    if claims.audience != audience:
        raise TokenError("client assertion is for another audience")
    _require_time(claims.iat, claims.exp, MAX_ASSERTION_LIFETIME, clock)
    return claims


def make_dpop(proof: DpopProof, key: MessageSigner) -> str:
    """Sign a proof of possession; `proof` says method, target, jti and iat (`dpop_proof` makes one)."""
    claims = msgspec.structs.replace(proof, jkt="")
    return sign_token({"typ": "dpop+jwt", "jwk": key.public_jwk()}, claims, key)


def dpop_proof(  # the claims of a proof
    method: str, uri: str, jti: str, clock: Clock, access_token: str = "", nonce: str = ""
) -> DpopProof:
    """Return a proof made now for a request; at a resource, `access_token` is the token sent with it.

    `nonce` is the authorisation server's, at its token endpoint.
    """
    return DpopProof(method, uri, jti, epoch_seconds(clock), _token_hash(access_token), nonce)


def verify_dpop(text: str, method: str, uri: str, clock: Clock, access_token: str = "") -> DpopProof:
    """Verify a proof of possession (RFC 9449 section 4.3), and return it with its key's thumbprint.

    `uri` is the receiver's own address, without query and fragment, compared as it is spelled. At a resource
    `access_token` is the token that came with the request; at the token endpoint there is none.

    Raises:
        ProofError: whatever is wrong with it.
    """
    try:
        header, payload = read_token(text, _DpopHeader)
        key = known_key(header.jwk)
        require_signature(text, key)
        proof = read_part(payload, DpopProof, "claims")
        _require_names(proof.jti)
    except (TokenError, SignatureError) as error:
        raise ProofError(f"DPoP proof is not usable: {error.message}") from error
    if proof.jkt:
        raise ProofError("DPoP proof has a claim that is not known")
    if (proof.method, proof.uri) != (method, uri):
        raise ProofError("DPoP proof is for another method or target")
    if proof.token_hash != _token_hash(access_token):
        raise ProofError("DPoP proof is not for this access token")
    if not -SKEW <= epoch_seconds(clock) - proof.iat <= MAX_PROOF_AGE + SKEW:
        raise ProofError("DPoP proof was not made just now; check the clocks")
    return msgspec.structs.replace(proof, jkt=key.kid)


def used_once(proof: DpopProof) -> tuple[str, str, int]:
    """Return namespace, name and end of a proof for a replay store: `SKEW` longer than `verify_dpop` accepts it."""
    return f"dpop:{proof.jkt}", proof.jti, proof.iat + MAX_PROOF_AGE + 2 * SKEW


def require_possession(key: str, proof: DpopProof) -> None:
    """Refuse a proof by another key than the token is bound to, `key` by its thumbprint (RFC 9449 section 7.1).

    Raises:
        ProofError: another key.
    """
    if key != proof.jkt:
        raise ProofError("DPoP proof is by another key than the access token is bound to")


def bearer_of(authorization: str) -> str:
    """Return the access token of an `Authorization: DPoP …` header.

    Raises:
        TokenError: another scheme, or nothing behind it.
    """
    scheme, _, token = authorization.partition(" ")
    if scheme.lower() != "dpop" or not token or " " in token:
        raise TokenError("expected `Authorization: DPoP` with an access token")
    return token


@dataclass(slots=True)
class AccessTokens:
    """Verifies access tokens once and remembers them until they expire (a lookup instead of a signature).

    INVARIANT: a token counts only while the key that signed it is known; one that was withdrawn takes its tokens along.
    """

    issuer: str
    audience: str
    clock: Clock
    _verified: OrderedDict[bytes, tuple[str, AccessClaims]] = field(default_factory=OrderedDict, repr=False)

    def verify(self, text: str, keys: KeyLookup) -> AccessClaims:
        """Return the claims of a token.

        Raises:
            TokenError: see `verify_access_token`.
            TokenExpiredError: outside its time.
        """
        name = sha256(text.encode()).digest()
        found = self._verified.get(name)
        if found is not None:
            kid, known = found
            _known(keys, kid)
            if known.exp + SKEW < epoch_seconds(self.clock):
                del self._verified[name]
                raise TokenExpiredError("access token expired; ask for a new one")
            return known
        claims = verify_access_token(text, self.issuer, self.audience, keys, self.clock)
        self._verified[name] = (read_token(text, _AccessHeader)[0].kid, claims)
        self._forget()
        return claims

    def _forget(self) -> None:
        """Forget the oldest ones that expired: tokens live equally long, so that those behind them have not."""
        now = epoch_seconds(self.clock)
        for name, (_, claims) in list(islice(self._verified.items(), 2)):  # two for each new one: it never falls behind
            if len(self._verified) > _CACHED or claims.exp + SKEW < now:
                del self._verified[name]


def _known(keys: KeyLookup, kid: str) -> VerifyKey:
    key = keys(kid)
    if key is None:
        raise TokenError("token is signed by a key that is not known here, or not valid now")
    return key


def _require_member(text: str) -> MemberId:
    try:
        return member_id(text)
    except BadInputError as error:
        raise TokenError("token subject is not a member code") from error


def _require_names(*names: str) -> None:
    for name in names:
        if not 0 < len(name) <= _MAX_NAME:
            raise TokenError("token has a claim that is empty or too long")


def _require_time(iat: int, exp: int, life: int, clock: Clock) -> None:
    now = epoch_seconds(clock)
    if not 0 < exp - iat <= life:
        raise TokenError(f"expected a token that lives at most {life} seconds")
    if iat > now + SKEW:
        raise TokenExpiredError(f"token was made {iat - now} seconds in the future; check the clocks")
    if exp + SKEW < now:
        raise TokenExpiredError(f"token expired {now - exp} seconds ago; ask for a new one")


def _token_hash(access_token: str) -> str:
    """Return `ath` (RFC 9449 section 4.2), or nothing when no token comes with the proof."""
    return b64url(sha256(access_token.encode()).digest()) if access_token else ""
