"""A platform outside that gives vouchers, and a member's client there; both as PDND and ModI have them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import msgspec
from joserfc import jws
from joserfc.jwk import ECKey, RSAKey
from typing_extensions import override

from federation.contract.canonical import canonical
from federation.contract.clock import epoch_seconds
from federation.contract.identifiers import MemberId
from federation.contract.members import MemberList, VoucherClient, VoucherIssuer, VoucherPurpose
from federation.trust.http_messages import HttpRequest
from federation.trust.pdnd import (
    EVIDENCE_HEADER,
    INTEGRITY_HEADER,
    IntegrityClaims,
    TrackingEvidence,
    digest_header,
    evidence_digest,
    sign_evidence,
    sign_integrity,
)
from tests.support.parties import GATEWAY_URL, PURPOSE, Parties

ISSUER, CLIENT_ID, PURPOSE_ID = "uat.interop.example", "client-7", "0d9f1a6e-purpose"
PLATFORM = RSAKey.generate_key(2048, auto_kid=False)
CLIENT = RSAKey.generate_key(2048, auto_kid=False)
STRANGER = RSAKey.generate_key(2048, auto_kid=False)


def public(key: RSAKey | ECKey, kid: str) -> dict[str, str]:
    """Return a public JWK."""
    return {name: str(value) for name, value in {**key.as_dict(private=False), "kid": kid}.items() if name != "key_ops"}


@dataclass(slots=True)
class WithPlatform(Parties):
    """The parties, of whom the consumer has a client at the platform."""

    body: bytes = b'{"query":"{ __typename }"}'
    purposes: tuple[VoucherPurpose, ...] = field(
        default_factory=lambda: (VoucherPurpose(PURPOSE_ID, "acc-1", PURPOSE),)
    )

    @override
    def current(self) -> MemberList:
        """Return the member list, with platform and client."""
        listed = Parties.current(self)
        client = VoucherClient(ISSUER, CLIENT_ID, (public(CLIENT, "client-1"),), self.purposes)
        members = tuple(
            msgspec.structs.replace(each, clients=(client,)) if each.id == MemberId("inprev") else each
            for each in listed.members
        )
        issuers = (VoucherIssuer(ISSUER, (public(PLATFORM, "platform-1"),)),)
        return msgspec.structs.replace(listed, members=members, voucher_issuers=issuers)

    def evidence(self, **changes: Any) -> str:
        """Return a tracking evidence."""
        now = epoch_seconds(self.clock)
        claims = {
            "iss": CLIENT_ID,
            "aud": GATEWAY_URL,
            "iat": now,
            "exp": now + 300,
            "jti": self.nonce(),
            "purpose_id": PURPOSE_ID,
            "user_id": "operator-12",
            "user_location": "office 3",
            "level": "LoA3",
            "dnonce": "1234567890123",
        }
        return sign_evidence(TrackingEvidence(**{**claims, **changes}), "client-1", CLIENT)

    def voucher(self, evidence: str | None = None, key: RSAKey = PLATFORM, **changes: Any) -> str:
        """Return a voucher, some claims changed; None takes one away."""
        now = epoch_seconds(self.clock)
        claims: dict[str, Any] = {
            "iss": ISSUER,
            "aud": [GATEWAY_URL],
            "sub": CLIENT_ID,
            "client_id": CLIENT_ID,
            "iat": now,
            "nbf": now,
            "exp": now + 600,
            "jti": self.nonce(),
            "purposeId": PURPOSE_ID,
            "digest": {"alg": "SHA256", "value": evidence_digest(evidence)} if evidence else None,
            **changes,
        }
        content = {name: value for name, value in claims.items() if value is not None}
        header = {"typ": "at+jwt", "alg": "RS256", "use": "sig", "kid": "platform-1"}
        registry = jws.JWSRegistry(algorithms=["RS256"], strict_check_header=False)
        return jws.serialize_compact(header, canonical(content), key, registry=registry)

    def asked(self, voucher: str, evidence: str | None = None, scheme: str = "Bearer", **changes: Any) -> HttpRequest:
        """Return a question with a voucher and ModI's signatures; `changes` are claims of the integrity signature."""
        now = epoch_seconds(self.clock)
        headers = {
            "authorization": f"{scheme} {voucher}",
            "content-type": "application/json",
            "content-encoding": "identity",
            "digest": digest_header(self.body),
        }
        signed = [{name: headers[name]} for name in ("digest", "content-type", "content-encoding")]
        claims = {
            "iss": CLIENT_ID,
            "sub": CLIENT_ID,
            "aud": GATEWAY_URL,
            "iat": now,
            "nbf": now,
            "exp": now + 120,
            "jti": self.nonce(),
            "signed_headers": signed,
            **changes,
        }
        key = claims.pop("key", CLIENT)
        headers[INTEGRITY_HEADER] = sign_integrity(IntegrityClaims(**claims), "client-1", key)
        if evidence:
            headers[EVIDENCE_HEADER] = evidence
        return HttpRequest("POST", GATEWAY_URL, headers, self.body)
