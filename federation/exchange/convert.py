"""The pseudonym exchange: translates what a consumer's own signed request makes necessary, and signs what it said."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Protocol

import msgspec

from federation.contract.clock import Clock, day_in_rome, epoch_seconds, rfc3339
from federation.contract.entries import Entry, EntryKind
from federation.contract.errors import (
    AddresseeError,
    BadInputError,
    CroceviaError,
    ScopeError,
    StaleSignatureError,
)
from federation.contract.evidence import citizen_handle
from federation.contract.held_files import PublishRequest, publish_address
from federation.contract.identifiers import DIRECTORY, MemberId, Pseudonym
from federation.contract.members import MemberList
from federation.contract.messages import Translation, TranslationStatement, named_digest
from federation.exchange.messages import Conversion, ConvertAnswer, ConvertRequest
from federation.linkage.suites import PseudonymSuite
from federation.trust.by_member import require_unused, signed_by_node
from federation.trust.channel import require_peer
from federation.trust.consumers import Proving, prove
from federation.trust.http_messages import HttpRequest
from federation.trust.http_signatures import SKEW, verify_request
from federation.trust.keys import MessageSigner, message_keys
from federation.trust.replay import ReplayStore
from federation.trust.tokens import AccessTokens
from federation.trust.translations import sign_translation

EXCHANGE = MemberId("exchange")
"""The name under which the exchange writes its ledger."""

_REMEMBERED = 4_096


class CurrentMembers(Protocol):
    """The member list in force."""

    def current(self) -> MemberList:
        """Return it.

        Raises:
            RegistryStaleError: there is none that has not expired.
        """
        ...


class Recorder(Protocol):
    """The exchange's own ledger."""

    async def record(self, entry: bytes) -> None:
        """Return once the entry is durable.

        Raises:
            LedgerUnavailableError: it is not.
        """
        ...


@dataclass(frozen=True, slots=True)
class Mandate:
    """What somebody's signed request allows until its signature expires: translations from and to some domains.

    `consumer` is who signed it; `purpose` and `agreement` are empty where a node publishes on whom it holds a file.
    Then `named` are the only pseudonyms that it is about.
    """

    consumer: MemberId
    sources: frozenset[MemberId]
    receivers: frozenset[MemberId]
    request_digest: str
    expires: int
    agreement: str = ""
    purpose: str = ""
    legal_basis: tuple[str, ...] = ()
    named: frozenset[str] | None = None

    def covers(self, conversion: Conversion) -> bool:
        """Say whether pseudonyms of one domain are needed in another, to do what was asked."""
        return conversion.source in self.sources and conversion.to in self.receivers


@dataclass(slots=True)
class Exchange:
    """A trust domain of its own: it knows opaque subject ids and no attribute, keeps no table, and records counts.

    `tokens` accepts access tokens whose audience is this exchange.
    """

    members: CurrentMembers
    tokens: AccessTokens
    replay: ReplayStore
    suite: PseudonymSuite
    signer: MessageSigner
    ledger: Recorder
    clock: Clock
    _mandates: OrderedDict[bytes, Mandate] = field(default_factory=OrderedDict, repr=False)

    async def answer(self, request: HttpRequest) -> ConvertAnswer:
        """Translate pseudonyms.

        (1) the gateway asks, once; (2) the consumer's request is its own, fresh, and under an active agreement, or a
        node's own publication to the directory;
        (3) each conversion is between domains that take part; (4) convert; (5) record counts; (6) sign.

        Raises:
            AuthenticationError: (1) or (2), each with a code of its own.
            AuthorisationError: (2) or (3).
            BadInputError: the request cannot be read.
            LedgerUnavailableError: (5); nothing is told.
        """
        members = self.members.current()
        self._require_gateway(request, members)  # (1)
        asked = ConvertRequest.parse(request.body)
        try:
            mandate = self._mandate(asked, members)  # (2)
            _require_domains(asked.conversions, mandate)  # (3)
        except CroceviaError as refusal:
            await self.ledger.record(self._refused(asked, refusal).to_bytes())
            raise
        statements = [self._convert(conversion, mandate) for conversion in asked.conversions]  # (4)
        await self.ledger.record(self._translated(asked, mandate, statements).to_bytes())  # (5)
        return ConvertAnswer(tuple(self._sign(statement) for statement in statements))  # (6)

    def _require_gateway(self, request: HttpRequest, members: MemberList) -> None:
        keys = message_keys(members.gateway.keys, self.clock.now())
        signed = verify_request(request, keys, self.clock)
        require_peer(request.peer, members.gateway.id)
        require_unused(self.replay, signed)

    def _mandate(self, asked: ConvertRequest, members: MemberList) -> Mandate:
        """Return what a signed request allows; a consumer's needs several conversions and is verified once."""
        if asked.consumer_request.target_uri == publish_address(members):
            return self._publishing(asked, members)
        name = sha256(b"%d\n" % members.version + msgspec.json.encode(asked.consumer_request)).digest()
        mandate = self._mandates.get(name)
        if mandate is None:
            mandate = self._mandates[name] = self._verified(asked, members)
            if len(self._mandates) > _REMEMBERED:
                self._mandates.popitem(last=False)
        if mandate.expires + SKEW < epoch_seconds(self.clock):
            raise StaleSignatureError("the consumer's request expired while it was being answered")
        return mandate

    def _verified(self, asked: ConvertRequest, members: MemberList) -> Mandate:
        request = HttpRequest.of_consumer(asked.consumer_request)
        if request.target_uri != members.gateway.endpoint:
            raise AddresseeError("the consumer's request was not made to this federation's gateway")
        proved = prove(request, members, Proving(self.tokens, self.clock))
        agreement = members.agreement(proved.agreement)
        purpose = agreement.require(proved.consumer.id, proved.purpose, day_in_rome(self.clock.now()))
        # Those with a part in answering: the consumer, the providers, and the directory that finds who holds a file.
        domains = frozenset({DIRECTORY, agreement.consumer, *(each.member for each in agreement.providers)})
        return Mandate(
            consumer=agreement.consumer,
            sources=domains,
            receivers=domains,
            request_digest=asked.consumer_request.digest(),
            expires=proved.expires,
            agreement=agreement.id,
            purpose=purpose.id,
            legal_basis=purpose.bases,
        )

    def _publishing(self, asked: ConvertRequest, members: MemberList) -> Mandate:
        """Return what a node's publication allows: its citizens' names in the directory, for the gateway alone.

        INVARIANT: nobody is told them but the gateway, or members could compare whom they know.
        """
        request = HttpRequest.of_consumer(asked.consumer_request)
        member, signed = signed_by_node(request, members, self.clock)
        return Mandate(
            consumer=member.id,
            sources=frozenset({member.id}),
            receivers=frozenset({DIRECTORY}),
            request_digest=asked.consumer_request.digest(),
            expires=signed.expires,
            named=frozenset(each.citizen for each in PublishRequest.parse(request.body).files),
        )

    def _convert(self, conversion: Conversion, mandate: Mandate) -> TranslationStatement:
        return TranslationStatement(
            source=conversion.source,
            to=conversion.to,
            purpose=mandate.purpose,
            request_digest=mandate.request_digest,
            pids=tuple(self._converted(pid, conversion, mandate) for pid in conversion.pids),
            issued_at=epoch_seconds(self.clock),
            named=_named(conversion, mandate),
            handles=conversion.handles,
        )

    def _converted(self, pid: str, conversion: Conversion, mandate: Mandate) -> str | None:
        """Return the pseudonym at the receiver; None when this one is not the source's, for whatever reason."""
        try:
            pseudonym = Pseudonym.parse(pid)
            if pseudonym.member != conversion.source or (mandate.named is not None and pid not in mandate.named):
                return None
            converted = str(self.suite.convert(pseudonym, conversion.to))
        except BadInputError:
            return None
        return citizen_handle(converted, mandate.request_digest) if conversion.handles else converted

    def _translated(self, asked: ConvertRequest, mandate: Mandate, statements: list[TranslationStatement]) -> Entry:
        """Return the record: between which domains and how many, never which (directory section 1)."""
        counts = [(statement, len(statement.pids) - statement.pids.count(None)) for statement in statements]
        return Entry(
            kind=EntryKind.TRANSLATION,
            at=rfc3339(self.clock.now()),
            writer=EXCHANGE,
            trace_id=asked.trace_id,
            consumer=mandate.consumer,
            purpose=mandate.purpose,
            legal_basis=mandate.legal_basis,
            agreement=mandate.agreement,
            request_digest=mandate.request_digest,
            subjects=sum(done for _, done in counts),
            detail=", ".join(f"{each.source} to {each.to}: {done} of {len(each.pids)}" for each, done in counts),
        )

    def _refused(self, asked: ConvertRequest, refusal: CroceviaError) -> Entry:
        return Entry(
            kind=EntryKind.REFUSAL,
            at=rfc3339(self.clock.now()),
            writer=EXCHANGE,
            trace_id=asked.trace_id,
            request_digest=asked.consumer_request.digest(),
            code=refusal.code,
        )

    def _sign(self, statement: TranslationStatement) -> Translation:
        return sign_translation(statement, self.signer)


def _named(conversion: Conversion, mandate: Mandate) -> str | None:
    if conversion.handles:
        return named_digest([citizen_handle(pid, mandate.request_digest) for pid in conversion.pids])
    return named_digest(conversion.pids) if conversion.source == mandate.consumer else None


def _require_domains(conversions: tuple[Conversion, ...], mandate: Mandate) -> None:
    for conversion in conversions:
        if not mandate.covers(conversion):
            raise ScopeError(f"this request gives `{conversion.source}` or `{conversion.to}` no part in being answered")
