"""A consumer, a gateway and a node with keys of their own, and a member list that knows them."""

from __future__ import annotations

from base64 import b64encode
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Any

import msgspec

from federation.contract.clock import FixedClock
from federation.contract.identifiers import MemberId
from federation.contract.members import (
    AgreedProvider,
    AgreedPurpose,
    Agreement,
    AgreementState,
    KeyUse,
    Member,
    MemberList,
    Party,
)
from federation.contract.messages import EXTENSION, ConsumerRequest, NodeRequestExtension, Translation
from federation.trust.http_messages import HttpRequest
from federation.trust.http_signatures import sign_request
from federation.trust.keys import SigningKey, publish
from federation.trust.tokens import AccessClaims, Confirmation, dpop_proof, issue_access_token, make_dpop

NOW = datetime(2026, 11, 22, 10, tzinfo=UTC)
FEDERATION = "https://test.example"
GATEWAY_URL = "https://gateway.example/graphql"
NODE_URL = "https://node.example/graphql"
EXCHANGE_URL = "https://exchange.example"
PURPOSE = "benefit-assessment"
COORDINATES = ("Query.citizen", "Citizen.*", "Residence.*", "Address.*")


@dataclass(slots=True)
class Parties:
    """Everybody's keys, one clock, and counters for nonces."""

    clock: FixedClock = field(default_factory=lambda: FixedClock(NOW))
    consumer: SigningKey = field(default_factory=SigningKey.generate)
    other: SigningKey = field(default_factory=SigningKey.generate)
    gateway: SigningKey = field(default_factory=SigningKey.generate)
    exchange: SigningKey = field(default_factory=SigningKey.generate)
    node: SigningKey = field(default_factory=SigningKey.generate)
    agreement: Agreement = field(
        default_factory=lambda: Agreement(
            id="acc-1",
            consumer=MemberId("inprev"),
            providers=(AgreedProvider(MemberId("c_m999"), COORDINATES),),
            purposes=(AgreedPurpose(PURPOSE, ("6.1.c", "6.1.e")),),
            valid_from=date(2026, 1, 1),
            valid_until=date(2026, 12, 31),
            state=AgreementState.ACTIVE,
        )
    )
    _nonces: int = 0

    def current(self) -> MemberList:
        """Return the member list."""
        return MemberList(
            federation=FEDERATION,
            version=1,
            issued=NOW,
            gateway=Party(MemberId("gateway"), GATEWAY_URL, (_published(self.gateway),)),
            exchange=Party(MemberId("exchange"), EXCHANGE_URL, (_published(self.exchange),)),
            members=(
                Member(MemberId("inprev"), {}, "national", "*", (_published(self.consumer),)),
                Member(MemberId("aslvs"), {}, "health", "3_12", (_published(self.other),)),
                Member(MemberId("c_m999"), {}, "municipality", "M999", (_published(self.node),), NODE_URL),
            ),
            agreements=(self.agreement,),
            supergraph="sha256:0",
            api_schema="sha256:0",
        )

    def nonce(self) -> str:
        """Return a nonce that was not used before."""
        self._nonces += 1
        return f"nonce-{self._nonces:016d}"

    def token(self, **changes: Any) -> str:
        """Return an access token of the consumer, with some claims changed."""
        now = int(self.clock.now().timestamp())
        claims = AccessClaims(
            issuer=FEDERATION,
            subject="inprev",
            client_id="inprev",
            audience=(GATEWAY_URL, EXCHANGE_URL, NODE_URL),
            purpose=PURPOSE,
            agreement="acc-1",
            jti=self.nonce(),
            iat=now,
            exp=now + 300,
            confirmation=Confirmation(self.consumer.kid),
        )
        return issue_access_token(msgspec.structs.replace(claims, **changes), self.gateway)

    def consumers(
        self, content: dict[str, Any], url: str = GATEWAY_URL, token: str | None = None, key: SigningKey | None = None
    ) -> HttpRequest:
        """Return a question that the consumer signed."""
        token = token or self.token()
        key = key or self.consumer
        headers = {"content-type": "application/json", "authorization": f"DPoP {token}"}
        bare = HttpRequest("POST", url, headers, msgspec.json.encode(content))
        signature = sign_request(bare, key, self.clock, self.nonce())
        proof = make_dpop(dpop_proof("POST", url, self.nonce(), self.clock, token), key)
        return msgspec.structs.replace(bare, headers={**headers, **signature, "dpop": proof})

    def relayed(
        self,
        content: dict[str, Any],
        own: HttpRequest,
        translations: tuple[Translation, ...] = (),
        key: SigningKey | None = None,
    ) -> HttpRequest:
        """Return what a gateway sends a node: `content`, with the consumer's own request `own`."""
        consumer = ConsumerRequest(own.method, own.target_uri, dict(own.headers), b64encode(own.body).decode("ascii"))
        extension = NodeRequestExtension(consumer, translations, "trace", 1000)
        body = msgspec.json.encode({**content, "extensions": {EXTENSION: extension}})
        bare = HttpRequest("POST", NODE_URL, {"content-type": "application/json"}, body)
        signature = sign_request(bare, key or self.gateway, self.clock, self.nonce())
        return msgspec.structs.replace(bare, headers={**bare.headers, **signature})


def _published(key: SigningKey) -> Any:
    return publish(key.public_jwk(), KeyUse.MESSAGE, NOW - timedelta(days=1), NOW + timedelta(days=30))
