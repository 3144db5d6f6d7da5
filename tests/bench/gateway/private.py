"""The benchmark's federation with keys: who its parties are, for every process that plays one of them."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

from federation.contract.clock import SystemClock, epoch_seconds
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
from federation.trust.keys import (
    LEDGER_KEY,
    MESSAGE_KEY,
    SigningKey,
    generate_ed25519,
    publish,
    write_private,
)
from federation.trust.tokens import AccessClaims, Confirmation, issue_access_token
from tests.bench.gateway.workload import Workload

FEDERATION = "https://bench.example"
CONSUMER = MemberId("consumer")
PURPOSE = "benchmark"
AGREEMENT = "acc-1"
_COORDINATES = ("Query.topProducts", "Product.*", "Money.*", "Warehouse.*", "Review.*", "Author.*")


@dataclass(frozen=True, slots=True)
class Setting:
    """A folder with everybody's keys, the workload, and where gateway and subgraphs listen."""

    folder: Path
    work: Workload
    port: int
    subgraph_port: int

    @property
    def url(self) -> str:
        """The gateway's origin."""
        return f"http://127.0.0.1:{self.port}"

    def found(self) -> None:
        """Make the keys of all parties."""
        for party in ("gateway", "exchange", CONSUMER, *self.work.subgraphs):
            (self.folder / party).mkdir(parents=True, mode=0o700)
            SigningKey.generate().save(self.folder / party / MESSAGE_KEY)
        generate_ed25519(self.folder / "gateway" / LEDGER_KEY)
        write_private(self.folder / "gateway" / "subjects.key", secrets.token_bytes(32))

    def key(self, party: str) -> SigningKey:
        """Return a party's message key."""
        return SigningKey.load(self.folder / party / MESSAGE_KEY)

    def endpoint(self, name: str) -> str:
        """Return where a subgraph answers."""
        return f"http://127.0.1.{self.work.subgraphs.index(name) + 1}:{self.subgraph_port}/{self.work.name}/{name}"

    def members(self) -> MemberList:
        """Return the member list in force."""
        providers = tuple(AgreedProvider(MemberId(name), _COORDINATES) for name in self.work.subgraphs)
        today = datetime.now(UTC).date()
        agreement = Agreement(
            id=AGREEMENT,
            consumer=CONSUMER,
            providers=providers,
            purposes=(AgreedPurpose(PURPOSE, ("6.1.e",)),),
            valid_from=today - timedelta(days=1),
            valid_until=date(2099, 12, 31),
            state=AgreementState.ACTIVE,
        )
        return MemberList(
            federation=FEDERATION,
            version=1,
            issued=datetime.now(UTC),
            gateway=Party(MemberId("gateway"), self.url + "/graphql", (self._published("gateway"),)),
            exchange=Party(MemberId("exchange"), self.url, (self._published("exchange"),)),
            members=(
                Member(CONSUMER, {}, "national", "*", (self._published(CONSUMER),)),
                *(
                    Member(MemberId(name), {}, "national", "*", (self._published(name),), self.endpoint(name))
                    for name in self.work.subgraphs
                ),
            ),
            agreements=(agreement,),
            supergraph="sha256:0",
            api_schema="sha256:0",
        )

    def token(self) -> str:
        """Return an access token of the consumer."""
        now = epoch_seconds(SystemClock())
        claims = AccessClaims(
            issuer=FEDERATION,
            subject=CONSUMER,
            client_id=CONSUMER,
            audience=(self.url + "/graphql",),
            purpose=PURPOSE,
            agreement=AGREEMENT,
            jti=secrets.token_urlsafe(18),
            iat=now,
            exp=now + 600,
            confirmation=Confirmation(self.key(CONSUMER).kid),
        )
        return issue_access_token(claims, self.key("gateway"))

    def _published(self, party: str) -> PublishedKey:
        now = datetime.now(UTC)
        return publish(self.key(party).public_jwk(), KeyUse.MESSAGE, now - timedelta(days=1), now + timedelta(days=1))
