"""The member list and the agreements in it: who belongs to the federation, with which keys, and who may ask whom what.

The list travels as canonical JSON in the operators' signed registry (`federation.trust.trusted_list` verifies it);
these are the values inside. A purpose or coordinate that no active agreement names is refused before any policy is
looked at.
"""

from __future__ import annotations

from datetime import date, datetime
from enum import StrEnum
from hashlib import sha256
from typing import Annotated, Any, Final

import msgspec

from federation.contract.errors import (
    AgreementError,
    BadInputError,
    PurposeNotAgreedError,
    UnknownMemberError,
)
from federation.contract.identifiers import MemberId
from federation.contract.on_denied import OnDenied

WITNESSES_EACH = 3
"""Witnesses of one ledger: two of three must have seen it (`federation.ledger.witness_rounds`)."""


class KeyUse(StrEnum):
    """What a published key may sign."""

    MESSAGE = "message"
    """Requests, answers, assertions and DPoP proofs (P-256)."""
    LEDGER = "ledger"
    """Ledger checkpoints (Ed25519)."""
    BUNDLE = "bundle"
    """Policy bundles (Ed25519)."""
    OFFICER = "officer"
    """Acts on agreements, one key for each officer (Ed25519)."""


class PublishedKey(msgspec.Struct, frozen=True, rename="camel", forbid_unknown_fields=True):
    """A public key of a party: `kid` is its RFC 7638 thumbprint, `jwk` holds public parameters only."""

    kid: str
    use: KeyUse
    jwk: dict[str, str]
    not_before: datetime
    not_after: datetime

    def valid_at(self, instant: datetime) -> bool:
        """Say whether signatures made at `instant` count."""
        return self.not_before <= instant <= self.not_after


class Party(msgspec.Struct, frozen=True, rename="camel", forbid_unknown_fields=True):
    """A process that signs for the federation itself: the gateway or the exchange; `ledger` as a member's."""

    id: MemberId
    endpoint: str
    keys: tuple[PublishedKey, ...]
    ledger: str | None = None

    def key(self, kid: str, use: KeyUse, instant: datetime) -> PublishedKey | None:
        """Return the party's key of that id and use if it is valid at `instant`."""
        return _find_key(self.keys, kid, use, instant)


class VoucherIssuer(msgspec.Struct, frozen=True, rename="camel", forbid_unknown_fields=True):
    """A platform outside whose vouchers are accepted (PDND), with its public keys as JWKs (RS256)."""

    issuer: str
    keys: tuple[dict[str, str], ...]


class VoucherPurpose(msgspec.Struct, frozen=True, rename="camel", forbid_unknown_fields=True):
    """What a platform's `purposeId` stands for here: a purpose of an agreement."""

    purpose_id: str
    agreement: str
    purpose: str


class VoucherClient(msgspec.Struct, frozen=True, rename="camel", forbid_unknown_fields=True):
    """A member's client at such a platform, with the public keys that it registered there."""

    issuer: str
    client_id: str
    keys: tuple[dict[str, str], ...]
    purposes: tuple[VoucherPurpose, ...]
    algorithm: str = "RS256"


class Member(msgspec.Struct, frozen=True, rename="camel", forbid_unknown_fields=True):
    """An administration or private partner. `endpoint` is its node's GraphQL URL; a member without one only asks.

    `kind` and `area` are what policies read as `requester.kind` and `requester.area`. `ledger` is the verifier key of
    its ledger in the C2SP signed-note form, `witness` the one with which its node cosigns other ledgers' heads.
    `broadcast` says that the directory has no rows of it and that it is asked about everybody.
    """

    id: MemberId
    name: dict[str, str]
    kind: str
    area: str
    keys: tuple[PublishedKey, ...]
    endpoint: str | None = None
    ledger: str | None = None
    witness: str | None = None
    clients: tuple[VoucherClient, ...] = ()
    broadcast: bool = False

    def key(self, kid: str, use: KeyUse, instant: datetime) -> PublishedKey | None:
        """Return the member's key of that id and use if it is valid at `instant`."""
        return _find_key(self.keys, kid, use, instant)


LONGEST_LIST: Final = 100
"""Elements of a list in one answer, unless an agreement says otherwise."""
LONGEST_AGREED_LIST: Final = 1_000
"""What no agreement goes beyond: more is read page by page, or exported."""


class AgreementState(StrEnum):
    """Where an agreement stands; only `ACTIVE` lets data flow."""

    DRAFT = "draft"
    PENDING = "pending"
    ACTIVE = "active"
    SUSPENDED = "suspended"
    ENDED = "ended"


class Act(StrEnum):
    """What an officer does to an agreement in the name of a party; `federation.trust.agreements` says what follows."""

    ACCEPT = "accept"
    SUSPEND = "suspend"
    RESUME = "resume"
    END = "end"


class AgreementAct(msgspec.Struct, frozen=True, rename="camel", forbid_unknown_fields=True):
    """One officer's signed act: `signature` is base64url, by the key `keyid`, over the act and the exact terms."""

    act: Act
    member: MemberId
    at: datetime
    keyid: str
    signature: str
    note: str = ""


class AgreedPurpose(msgspec.Struct, frozen=True, rename="camel", forbid_unknown_fields=True):
    """A purpose with the legal bases that the agreement records for it (GDPR art. 6 and 9, as `6.1.e`).

    Accesses for a sealed purpose, such as an investigation, show in the citizen's report after `sealed_days` days.
    """

    id: str
    bases: tuple[str, ...]
    sealed_days: int = 0


class AgreedProvider(msgspec.Struct, frozen=True, rename="camel", forbid_unknown_fields=True, omit_defaults=True):
    """What one provider agreed to be asked: field coordinates, or `Type.*` for every field of a type.

    `longest_list` is how many elements a list of one answer may have; `capacities` are those of the directory's files
    on which the provider is asked, empty for any. What is usual is not written, so that the digest of terms without it
    stays what was signed.
    """

    member: MemberId
    coordinates: tuple[str, ...]
    longest_list: Annotated[int, msgspec.Meta(ge=1, le=LONGEST_AGREED_LIST)] = LONGEST_LIST
    capacities: tuple[str, ...] = ()

    def covers(self, type_name: str, field_name: str) -> bool:
        """Say whether the agreement names the coordinate."""
        return f"{type_name}.{field_name}" in self.coordinates or f"{type_name}.*" in self.coordinates


class Agreement(msgspec.Struct, frozen=True, cache_hash=True, rename="camel", forbid_unknown_fields=True):
    """A consumer, the providers it may ask, for which purposes, which fields, and when.

    One agreement may bind several providers: the cross-agency view of one purpose is one request, and each party
    signs (docs/adr/0004). In force, `state` is never stronger than the `acts` prove.
    """

    id: str
    consumer: MemberId
    providers: tuple[AgreedProvider, ...]
    purposes: tuple[AgreedPurpose, ...]
    valid_from: date
    valid_until: date
    state: AgreementState
    daily_requests: int = 100_000
    on_denied: OnDenied = OnDenied.NULL
    """`null` answers the rest; `reject` refuses the whole operation when a field is denied (policy R12)."""
    acts: tuple[AgreementAct, ...] = ()
    documents: tuple[str, ...] = ()
    """The texts of the operations that may be asked; empty for any (`federation.contract.trusted_documents`)."""
    holding: tuple[str, ...] = ()
    """In which capacities the consumer must hold an open file on a citizen whom it names; empty where it need not."""

    def require(self, consumer: MemberId, purpose: str, day: date) -> AgreedPurpose:
        """Return the purpose as agreed.

        Raises:
            AgreementError: another consumer's agreement, not active, or outside its validity on `day`.
            PurposeNotAgreedError: the agreement does not name the purpose.
        """
        if self.consumer != consumer:
            raise AgreementError(f"agreement `{self.id}` does not belong to `{consumer}`")
        if self.state is not AgreementState.ACTIVE:
            raise AgreementError(f"agreement `{self.id}` is {self.state.value}", state=self.state.value)
        if not self.valid_from <= day <= self.valid_until:
            raise AgreementError(
                f"agreement `{self.id}` is valid from {self.valid_from} until {self.valid_until}",
                state="outside-validity",
            )
        for agreed in self.purposes:
            if agreed.id == purpose:
                return agreed
        known = ", ".join(f"`{agreed.id}`" for agreed in self.purposes)
        raise PurposeNotAgreedError(f"agreement `{self.id}` does not cover purpose `{purpose}`; it covers {known}")

    def provider(self, member: MemberId) -> AgreedProvider | None:
        """Return what `member` agreed to, or None when it is not a party."""
        return next((provider for provider in self.providers if provider.member == member), None)


class MemberList(msgspec.Struct, frozen=True, rename="camel", forbid_unknown_fields=True):
    """The whole federation at one version; `supergraph` and `api_schema` are digests (`sha256:…`) of published SDL.

    `purposes` are the names of purposes by language, for people; what a purpose allows is in agreements and policies.
    """

    federation: str
    version: int
    issued: datetime
    gateway: Party
    exchange: Party
    members: tuple[Member, ...]
    agreements: tuple[Agreement, ...]
    supergraph: str
    api_schema: str
    voucher_issuers: tuple[VoucherIssuer, ...] = ()
    purposes: dict[str, dict[str, str]] = {}

    @classmethod
    def parse(cls, content: bytes) -> MemberList:
        """Read a member list; signatures and expiry are checked by `federation.trust.trusted_list`.

        Raises:
            BadInputError: not a member list; the message names the place.
        """
        try:
            return msgspec.json.decode(content, type=cls)
        except (ValueError, RecursionError) as error:  # of msgspec, no UTF-8, or too deep
            raise BadInputError(f"member list cannot be read: {error}") from error

    def to_json(self) -> Any:
        """Return the list as JSON values, ready for `canonical`."""
        return msgspec.to_builtins(self)

    def member(self, member: str) -> Member:
        """Return the member of that code.

        Raises:
            UnknownMemberError: nobody of that code is on the list.
        """
        for known in self.members:
            if known.id == member:
                return known
        raise UnknownMemberError(f"`{member}` is not on the member list, version {self.version}")

    def agreement(self, agreement: str) -> Agreement:
        """Return the agreement of that id.

        Raises:
            AgreementError: the list has none.
        """
        for known in self.agreements:
            if known.id == agreement:
                return known
        raise AgreementError(f"agreement `{agreement}` is not on the member list, version {self.version}")

    def sealed_days(self, agreement: str, purpose: str) -> int:
        """Return for how many days accesses for this purpose under this agreement stay out of citizens' reports."""
        known = next((each for each in self.agreements if each.id == agreement), None)
        return next((each.sealed_days for each in known.purposes if each.id == purpose), 0) if known else 0

    def sealed_activities(self) -> dict[tuple[str, str], int]:
        """Return the days for which activities are sealed, by consumer and purpose: public, whoever asks."""
        return {
            (agreement.consumer, purpose.id): purpose.sealed_days
            for agreement in self.agreements
            for purpose in agreement.purposes
            if purpose.sealed_days
        }

    def ledgers(self) -> dict[str, str]:
        """Return the verifier keys of all published ledgers, by party."""
        parties: tuple[Party | Member, ...] = (self.gateway, self.exchange, *self.members)
        return {party.id: party.ledger for party in parties if party.ledger}

    def witnesses(self, party: str) -> dict[str, tuple[str, str]]:
        """Return who witnesses the ledger of `party`: key and origin of other members' nodes, by member.

        At most `WITNESSES_EACH`, the same for everybody who has this list: those whose hash with the party comes first,
        so that the work is spread evenly and moves little when a member joins or leaves.
        """
        able = [member for member in self.members if member.witness and member.endpoint and member.id != party]
        able.sort(key=lambda member: sha256(f"{party} {member.id}".encode()).digest())
        return {
            member.id: (member.witness or "", (member.endpoint or "").removesuffix("/graphql"))
            for member in able[:WITNESSES_EACH]
        }

    def member_name(self, member: str, language: str) -> str:
        """Return what a member is called in a language; its code where the list does not know."""
        known = next((each for each in self.members if each.id == member), None)
        return known.name.get(language, member) if known else member

    def purpose_name(self, purpose: str, language: str) -> str:
        """Return what a purpose is called in a language; its id where the list does not say."""
        return self.purposes.get(purpose, {}).get(language, purpose)

    def party(self, party: str) -> Party | Member:
        """Return whoever signs under that id: a member, the gateway or the exchange.

        Raises:
            UnknownMemberError: nobody does.
        """
        for known in (self.gateway, self.exchange):
            if known.id == party:
                return known
        return self.member(party)


def _find_key(keys: tuple[PublishedKey, ...], kid: str, use: KeyUse, instant: datetime) -> PublishedKey | None:
    return next((key for key in keys if key.kid == kid and key.use is use and key.valid_at(instant)), None)
