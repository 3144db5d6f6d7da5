"""Vouchers and message patterns of Italy's interoperability platform (PDND, ModI), accepted beside our own.

A PDND voucher takes the place of our access token; `Agid-JWT-Signature` (INTEGRITY_REST_02) that of the message
signature; `Agid-JWT-TrackingEvidence` (AUDIT_REST_02) says which user at the consumer is behind the request, and its
digest is in the voucher, so that it cannot be exchanged afterwards. What is deliberately not checked here: whether a
`jti` was used before, and whether the purpose is active.
"""

from __future__ import annotations

import re
from base64 import b64encode
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from hashlib import sha256
from http import HTTPStatus
from typing import Any, Literal

import msgspec
from joserfc import jws
from joserfc.jwk import ECKey, RSAKey

from federation.contract.canonical import canonical
from federation.contract.clock import Clock, epoch_seconds
from federation.contract.errors import AuthenticationError, DigestError, TokenError, TokenExpiredError
from federation.contract.messages import INTEGRITY_SIGNATURE, TRACKING_EVIDENCE
from federation.trust.foreign_keys import PinnedKeys
from federation.trust.jose import read_part, read_token, sign_token
from federation.trust.keys import MessageSigner
from federation.trust.tokens import SKEW, Confirmation

DIGEST_HEADER = "digest"
INTEGRITY_HEADER = INTEGRITY_SIGNATURE
EVIDENCE_HEADER = TRACKING_EVIDENCE
MAX_LIFETIME = 24 * 3_600
"""A voucher lives as long as its e-service allows, a day at most."""

MESSAGE_LIFETIME = 300

_HEX_DIGEST = re.compile(r"[0-9a-f]{64}")
_DNONCE = re.compile(r"[0-9]{13}")


class EvidenceError(AuthenticationError):
    """The tracking evidence is not the one that the voucher names, or is for another purpose."""

    code = "EVIDENCE_MISMATCH"
    status = HTTPStatus.UNAUTHORIZED


class VoucherDigest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The digest of the tracking evidence that was shown when the voucher was asked for."""

    alg: Literal["SHA256"]
    value: str


class Voucher(msgspec.Struct, frozen=True, rename="camel"):
    """A PDND voucher (RFC 9068); times are seconds since 1970. Claims that it does not name are the platform's own."""

    iss: str
    aud: tuple[str, ...] | str
    sub: str
    client_id: str = msgspec.field(name="client_id")
    iat: int
    nbf: int
    exp: int
    jti: str
    purpose_id: str
    producer_id: str = ""
    consumer_id: str = ""
    eservice_id: str = ""
    descriptor_id: str = ""
    digest: VoucherDigest | None = None
    cnf: Confirmation | None = None


class IntegrityClaims(msgspec.Struct, frozen=True, rename="camel", forbid_unknown_fields=True):
    """What an `Agid-JWT-Signature` signs; `signed_headers` is a list of single-key objects, or one object."""

    iss: str
    aud: tuple[str, ...] | str
    iat: int
    exp: int
    jti: str
    signed_headers: list[dict[str, str]] | dict[str, str] = msgspec.field(name="signed_headers")
    sub: str = ""
    nbf: int = 0
    request_digest: str = msgspec.field(name="request_digest", default="")

    def headers(self) -> dict[str, str]:
        """Return the signed headers by lower-case name.

        Raises:
            TokenError: a name stands twice.
        """
        parts = [self.signed_headers] if isinstance(self.signed_headers, dict) else self.signed_headers
        pairs = [(name.lower(), value) for part in parts for name, value in part.items()]
        if len(dict(pairs)) != len(pairs):
            raise TokenError("integrity signature signs a header twice")
        return dict(pairs)


class TrackingEvidence(msgspec.Struct, frozen=True, rename="camel", forbid_unknown_fields=True):
    """Who is behind the request at the consumer, by its own word: pseudonymous user, place, level of assurance."""

    iss: str
    aud: tuple[str, ...] | str
    iat: int
    exp: int
    jti: str
    purpose_id: str
    user_id: str = msgspec.field(name="userID")
    user_location: str
    dnonce: str = ""
    nbf: int = 0
    level: str = msgspec.field(name="LoA", default="")
    level_lower: str = msgspec.field(name="loa", default="")
    sub: str = ""

    @property
    def assurance(self) -> str:
        """Return the level of assurance under whichever of its two spellings it came."""
        return self.level or self.level_lower


class _VoucherHeader(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    typ: Literal["at+jwt"]
    alg: str
    kid: str
    use: Literal["sig"] = "sig"


class _MessageHeader(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    alg: str
    kid: str
    typ: Literal["JWT"] = "JWT"


def verify_voucher(text: str, issuer: str, audience: str, keys: PinnedKeys, clock: Clock) -> Voucher:
    """Verify a voucher for `audience`: (1) form, (2) key and signature, (3) issuer, audience, client, (4) time.

    Raises:
        TokenError: (1) to (3).
        TokenExpiredError: (4).
    """
    header, payload = read_token(text, _VoucherHeader)  # (1)
    _require_algorithm(header.alg, keys)
    keys.verify(text, header.kid)  # (2)
    voucher = read_part(payload, Voucher, "claims")
    if voucher.iss != issuer:  # (3)
        raise TokenError("voucher is of another issuer")
    _require_audience(voucher.aud, audience)
    if voucher.sub != voucher.client_id or not voucher.purpose_id:
        raise TokenError("voucher names two clients, or no purpose")
    if voucher.digest is not None and not _HEX_DIGEST.fullmatch(voucher.digest.value):
        raise TokenError("voucher has a digest that is not the hex of a SHA-256")
    _require_time(voucher.iat, voucher.nbf, voucher.exp, MAX_LIFETIME, clock)  # (4)
    return voucher


def digest_header(body: bytes) -> str:
    """Return the `Digest` header of INTEGRITY_REST: over the raw bytes of the body."""
    return f"SHA-256={b64encode(sha256(body).digest()).decode('ascii')}"


@dataclass(frozen=True, slots=True)
class AnswerSigner:
    """Signs answers to a platform's clients as they sign questions (INTEGRITY_REST_02); `issuer` names the signer."""

    issuer: str
    key: MessageSigner
    clock: Clock
    new_id: Callable[[], str]

    def headers(self, body: bytes, content_type: str, client: str, request_digest: str) -> dict[str, str]:
        """Return the headers of a signed answer to `client`, bound to the `Digest` of its request."""
        now, digest = epoch_seconds(self.clock), digest_header(body)
        claims = IntegrityClaims(
            iss=self.issuer,
            sub=self.issuer,
            aud=client,
            iat=now,
            nbf=now,
            exp=now + MESSAGE_LIFETIME,
            jti=self.new_id(),
            signed_headers=[{DIGEST_HEADER: digest}, {"content-type": content_type}, {"content-encoding": "identity"}],
            request_digest=request_digest,
        )
        signature = sign_token({"typ": "JWT", "kid": self.key.kid}, claims, self.key)
        return {DIGEST_HEADER: digest, "content-encoding": "identity", INTEGRITY_HEADER: signature}


def sign_integrity(claims: IntegrityClaims, kid: str, key: ECKey | RSAKey) -> str:
    """Return the value of `Agid-JWT-Signature` (INTEGRITY_REST_02); EC keys sign with ES256, RSA keys with RS256."""
    return _sign(claims, kid, key)


def sign_evidence(claims: TrackingEvidence, kid: str, key: ECKey | RSAKey) -> str:
    """Return the value of `Agid-JWT-TrackingEvidence` (AUDIT_REST_02)."""
    return _sign(claims, kid, key)


def verify_integrity(
    headers: Mapping[str, str], body: bytes, audience: str, keys: PinnedKeys, clock: Clock
) -> IntegrityClaims:
    """Verify INTEGRITY_REST_02 on a message: (1) signature, (2) addressee and time, (3) signed headers, (4) the body.

    A signed header must be in the message with that value; an absent `content-encoding` means `identity`.

    Raises:
        TokenError: (1), (2) or (3).
        TokenExpiredError: (2).
        DigestError: (4).
    """
    text = headers.get(INTEGRITY_HEADER, "")
    header, payload = read_token(text, _MessageHeader)  # (1)
    _require_algorithm(header.alg, keys)
    keys.verify(text, header.kid)
    claims = read_part(payload, IntegrityClaims, "claims")
    _require_audience(claims.aud, audience)  # (2)
    _require_time(claims.iat, claims.nbf or claims.iat, claims.exp, MESSAGE_LIFETIME, clock)
    present = {"content-encoding": "identity", **headers}
    signed = claims.headers()
    for name in ("digest", "content-type"):  # (3)
        if name not in signed:
            raise TokenError(f"integrity signature does not cover `{name}`")
    if any(present.get(name) != value for name, value in signed.items()):
        raise TokenError("integrity signature covers a header that the message does not have")
    if signed["digest"] != digest_header(body):  # (4)
        raise DigestError("body is not the one whose `Digest` was signed")
    return claims


def verify_evidence(text: str, voucher: Voucher, audience: str, keys: PinnedKeys, clock: Clock) -> TrackingEvidence:
    """Verify AUDIT_REST_02: (1) signature, (2) addressee and time, (3) the voucher's purpose, (4) the voucher's digest.

    Raises:
        TokenError: (1) or (2), or a claim is missing or malformed.
        TokenExpiredError: (2).
        EvidenceError: (3) or (4).
    """
    header, payload = read_token(text, _MessageHeader)  # (1)
    _require_algorithm(header.alg, keys)
    keys.verify(text, header.kid)
    evidence = read_part(payload, TrackingEvidence, "claims")
    _require_audience(evidence.aud, audience)  # (2)
    _require_time(evidence.iat, evidence.nbf or evidence.iat, evidence.exp, MAX_LIFETIME, clock)
    if not evidence.user_id or not evidence.user_location or not evidence.assurance:
        raise TokenError("tracking evidence lacks user, location or level of assurance")
    if evidence.dnonce and not _DNONCE.fullmatch(evidence.dnonce):
        raise TokenError("tracking evidence has a `dnonce` that is not 13 digits")
    if evidence.purpose_id != voucher.purpose_id:  # (3)
        raise EvidenceError("tracking evidence is for another purpose than the voucher")
    if voucher.digest is None or voucher.digest.value != evidence_digest(text):  # (4)
        raise EvidenceError("tracking evidence is not the one that the voucher names")
    return evidence


def evidence_digest(text: str) -> str:
    """Return what the voucher's `digest.value` says of a tracking evidence: hex SHA-256 of the whole JWT."""
    return sha256(text.encode()).hexdigest()


def _sign(claims: msgspec.Struct, kid: str, key: ECKey | RSAKey) -> str:
    algorithm = "ES256" if isinstance(key, ECKey) else "RS256"
    content: Any = {name: value for name, value in msgspec.to_builtins(claims).items() if value not in ("", 0)}
    header = {"alg": algorithm, "kid": kid, "typ": "JWT"}
    return jws.serialize_compact(header, canonical(content), key, algorithms=[algorithm])


def _require_algorithm(algorithm: str, keys: PinnedKeys) -> None:
    if algorithm != keys.algorithm:
        raise TokenError(f"expected a token signed with `{keys.algorithm}`")


def _require_audience(audiences: tuple[str, ...] | str, audience: str) -> None:
    if audience not in ((audiences,) if isinstance(audiences, str) else audiences):
        raise TokenError("token is for another audience")


def _require_time(iat: int, nbf: int, exp: int, life: int, clock: Clock) -> None:
    now = epoch_seconds(clock)
    if not 0 < exp - iat <= life:
        raise TokenError(f"expected a token that lives at most {life} seconds")
    if max(iat, nbf) > now + SKEW:
        raise TokenExpiredError(f"token begins {max(iat, nbf) - now} seconds in the future; check the clocks")
    if exp + SKEW < now:
        raise TokenExpiredError(f"token expired {now - exp} seconds ago; ask for a new one")
