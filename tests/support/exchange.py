"""A small federation with an exchange, for tests: a gateway, two members, one agreement, everybody's keys."""

from __future__ import annotations

import secrets
from base64 import b64encode
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import msgspec

from federation.contract.clock import FixedClock
from federation.contract.entries import Entry
from federation.contract.errors import LedgerUnavailableError
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
    PublishedKey,
)
from federation.contract.messages import ConsumerRequest
from federation.exchange.convert import Exchange
from federation.exchange.messages import CONVERT_PATH, Conversion, ConvertRequest
from federation.linkage.siv import SivSuite
from federation.trust.http_messages import HttpRequest
from federation.trust.http_signatures import sign_request
from federation.trust.keys import SigningKey, publish
from federation.trust.replay import MemoryReplayStore
from federation.trust.tokens import AccessClaims, AccessTokens, Confirmation, issue_access_token

NOW = datetime(2026, 11, 22, 10, tzinfo=UTC)
GATEWAY, CONSUMER, EXCHANGE_KEY, STRANGER = (SigningKey.generate() for _ in range(4))
GATEWAY_URL, EXCHANGE_URL = "https://gateway.example/graphql", "https://exchange.example"
SUITE = SivSuite(bytes(range(32)))


def keys(key: SigningKey, now: datetime) -> tuple[PublishedKey, ...]:
    """Return a party's published message key, good for a day."""
    return (publish(key.public_jwk(), KeyUse.MESSAGE, now - timedelta(days=1), now + timedelta(days=1)),)


def member_list(state: AgreementState = AgreementState.ACTIVE, now: datetime = NOW) -> MemberList:
    """Return the federation; `ustat` may ask `inprev` and `aslvs` for benefit assessment."""

    def member(name: str, key: SigningKey) -> Member:
        return Member(id=MemberId(name), name={"it": name}, kind="national", area="*", keys=keys(key, now))

    agreement = Agreement(
        id="agr-1",
        consumer=MemberId("ustat"),
        providers=(AgreedProvider(MemberId("inprev"), ("Citizen.*",)), AgreedProvider(MemberId("aslvs"), ())),
        purposes=(AgreedPurpose("benefit-assessment", ("6.1.e",)),),
        valid_from=now.date() - timedelta(days=30),
        valid_until=now.date() + timedelta(days=30),
        state=state,
    )
    return MemberList(
        federation="demo",
        version=1,
        issued=now,
        gateway=Party(id=MemberId("gateway"), endpoint=GATEWAY_URL, keys=keys(GATEWAY, now)),
        exchange=Party(id=MemberId("exchange"), endpoint=EXCHANGE_URL, keys=keys(EXCHANGE_KEY, now)),
        members=(member("ustat", CONSUMER), member("inprev", STRANGER), member("aslvs", STRANGER)),
        agreements=(agreement,),
        supergraph="sha256:0",
        api_schema="sha256:0",
    )


@dataclass(slots=True)
class FixedMembers:
    """A member list that a test may replace."""

    members: MemberList

    def current(self) -> MemberList:
        """Return it."""
        return self.members


@dataclass(slots=True)
class MemoryRecorder:
    """A ledger that remembers its entries, and can be told to fail."""

    entries: list[Entry] = field(default_factory=list)
    works: bool = True

    async def record(self, entry: bytes) -> None:
        """Record the entry."""
        if not self.works:
            raise LedgerUnavailableError("disk is full")
        self.entries.append(Entry.parse(entry))


@dataclass(slots=True)
class World:
    """An exchange and what it stands on."""

    clock: FixedClock = field(default_factory=lambda: FixedClock(NOW))
    members: FixedMembers = field(default_factory=lambda: FixedMembers(member_list()))
    ledger: MemoryRecorder = field(default_factory=MemoryRecorder)

    def exchange(self) -> Exchange:
        """Return a new exchange."""
        tokens = AccessTokens("demo", EXCHANGE_URL, self.clock)
        replay = MemoryReplayStore(self.clock)
        return Exchange(self.members, tokens, replay, SUITE, EXCHANGE_KEY, self.ledger, self.clock)

    def token(self, **changes: object) -> str:
        """Return the consumer's access token, with some claims changed."""
        now = int(self.clock.now().timestamp())
        claims = AccessClaims(
            issuer="demo",
            subject="ustat",
            client_id="ustat",
            audience=(GATEWAY_URL, EXCHANGE_URL),
            purpose="benefit-assessment",
            agreement="agr-1",
            jti=secrets.token_hex(8),
            iat=now,
            exp=now + 300,
            confirmation=Confirmation(CONSUMER.kid),
        )
        return issue_access_token(msgspec.structs.replace(claims, **changes), GATEWAY)

    def consumer_request(
        self, token: str | None = None, key: SigningKey = CONSUMER, target: str = GATEWAY_URL
    ) -> ConsumerRequest:
        """Return what the consumer sent to the gateway."""
        headers = {"content-type": "application/json", "authorization": f"DPoP {token or self.token()}"}
        request = HttpRequest("POST", target, headers, b'{"query":"{ citizen { id } }"}')
        signed = {**headers, **sign_request(request, key, self.clock, secrets.token_urlsafe(16))}
        return ConsumerRequest("POST", target, signed, b64encode(request.body).decode())

    def asked(self, *conversions: Conversion, request: ConsumerRequest | None = None) -> HttpRequest:
        """Return the gateway's request for conversions."""
        return self.signed(ConvertRequest(request or self.consumer_request(), conversions, "trace-1").to_bytes())

    def signed(self, body: bytes, key: SigningKey = GATEWAY, url: str = EXCHANGE_URL) -> HttpRequest:
        """Return a request of the gateway with this body."""
        headers = {"content-type": "application/json"}
        bare = HttpRequest("POST", url + CONVERT_PATH, headers, body)
        nonce = secrets.token_urlsafe(16)
        return HttpRequest("POST", bare.target_uri, {**headers, **sign_request(bare, key, self.clock, nonce)}, body)
