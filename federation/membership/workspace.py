"""The folder in which a federation's operators work, and the editions that they make in it.

```
operators/    keys of the operators who work on this machine; in production each has one machine and one key
registry/     what everybody may read
staged/       what waits for operators' signatures
publisher/    settings.toml, keys/timestamp.pem
gateway/      settings.toml, keys/, state/
exchange/     settings.toml, keys/, state/
```
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from federation.composition.compose import compose
from federation.composition.subgraph import Subgraph
from federation.contract.clock import Clock
from federation.contract.errors import BadInputError, NotFoundError
from federation.contract.identifiers import DIRECTORY, MemberId
from federation.contract.members import Agreement, MemberList, Party, VoucherIssuer
from federation.ledger.names import ledger_origin
from federation.ledger.note import Ed25519Signer
from federation.membership.admission import Edition, composed_edition
from federation.membership.settings import PUBLISHER, TIMESTAMP_KEY
from federation.trust.agreements import standing, terms_digest, with_act
from federation.trust.foreign_keys import PinnedKeys
from federation.trust.keys import LEDGER_KEY, generate_ed25519, load_ed25519
from federation.trust.party_keys import ensure_ed25519, ensure_secret, make_party_keys, message_keys_of
from federation.trust.registry import ROOT_FILE, FolderSource, read_root
from federation.trust.repository import Repository, Signatures
from federation.trust.trusted_list import MEMBERS_FILE, newest, schema_file

GATEWAY, EXCHANGE = "gateway", "exchange"
MASTER_KEY = "master.key"


@dataclass(frozen=True, slots=True)
class Addresses:
    """Where the federation's own processes are reached: origins, without a path."""

    gateway: str
    exchange: str
    publisher: str


@dataclass(frozen=True, slots=True)
class Workspace:
    """An operator's folder."""

    root: Path
    clock: Clock

    @property
    def repository(self) -> Repository:
        """The registry with its staging folder."""
        return Repository(self.root / "registry", self.root / "staged", self.clock)

    def current(self) -> Edition:
        """Return the newest edition, expired or not: the next one follows it.

        Raises:
            ConfigurationError: the folder holds no federation.
            CroceviaError: the registry in it does not verify.
        """
        folder = self.root / "registry"
        found = newest(read_root(folder), FolderSource(folder))
        documents = {name: content for name, content in found.files.items() if name != MEMBERS_FILE}
        return Edition(found.members, documents)

    def with_own_keys(self, members: MemberList) -> MemberList:
        """Return the list with the keys of gateway and exchange as their folders here hold them; rotation goes so."""
        changed = {}
        for party in (members.gateway, members.exchange):
            keys = self.root / party.id / "keys"
            if keys.exists():
                known = {key.kid: key for key in party.keys}
                found = tuple(known.get(key.kid, key) for key in message_keys_of(keys, self.clock.now()))
                changed[str(party.id)] = msgspec.structs.replace(party, keys=found)
        return msgspec.structs.replace(members, **changed)

    def stage(self, edition: Edition) -> None:
        """Stage an edition for signing; what was staged before is replaced.

        Raises:
            BadInputError: a root is staged that nobody published yet; it goes first.
        """
        if (self.root / "staged" / ROOT_FILE).exists():
            raise BadInputError("a new root is staged; sign and publish it first")
        self.repository.stage_list(edition.members, edition.documents)

    def sign(self, keys: Sequence[Ed25519PrivateKey]) -> tuple[Signatures, ...]:
        """Add signatures to what is staged, and return how far the signing is.

        Raises:
            NotFoundError: nothing is staged.
            BadInputError: a key is not an operator's.
        """
        for key in keys:
            self.repository.sign(key)
        return self.repository.standing()

    def publish(self) -> tuple[Signatures, ...]:
        """Publish what is staged, and stamp it where the timestamp's key is on this machine.

        Raises:
            NotFoundError, UndersignedListError: see `Repository.publish`.
        """
        done = self.repository.publish()
        key = self.root / PUBLISHER / "keys" / TIMESTAMP_KEY
        if key.exists():
            with suppress(NotFoundError):  # a root alone is nothing to stamp
                self.repository.stamp(load_ed25519(key))
        return done


def found(  # what a federation begins with
    work: Workspace,
    federation: str,
    addresses: Addresses,
    operators: Sequence[Ed25519PublicKey],
    threshold: int,
    directory_sdl: str,
) -> None:
    """Make the keys of the federation's own processes, and stage its first root and its first edition, without members.

    Raises:
        BadInputError: the folder holds a federation already.
        ConfigurationError: the threshold does not fit the operators.
    """
    if (work.root / "registry" / ROOT_FILE).exists():
        raise BadInputError(f"`{work.root}` holds a federation already; `crocevia federation status` shows it")
    timestamp = work.root / PUBLISHER / "keys" / TIMESTAMP_KEY
    ensure_ed25519(timestamp)
    for party in (GATEWAY, EXCHANGE):
        make_party_keys(work.root / party / "keys")
    ensure_secret(work.root / EXCHANGE / "keys" / MASTER_KEY)
    work.repository.stage_root(federation, threshold, operators, load_ed25519(timestamp).public_key())
    gateway = addresses.gateway + "/graphql"
    bare = MemberList(
        federation=federation,
        version=0,
        issued=work.clock.now(),
        gateway=_party(work, federation, GATEWAY, gateway),
        exchange=_party(work, federation, EXCHANGE, addresses.exchange),
        members=(),
        agreements=(),
        supergraph="",
        api_schema="",
    )
    graph = compose([Subgraph(DIRECTORY, gateway, directory_sdl)]).supergraph
    edition = composed_edition(Edition(bare, {schema_file(DIRECTORY): directory_sdl.encode()}), graph, work.clock)
    work.repository.stage_list(edition.members, edition.documents)


def make_operators(work: Workspace, number: int) -> list[Path]:
    """Make operators' keys on this machine, and return their files."""
    paths = [work.root / "operators" / f"operator-{index}.pem" for index in range(1, number + 1)]
    for path in paths:
        if not path.exists():
            path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            generate_ed25519(path)
    return paths


def without(edition: Edition, member: str, clock: Clock) -> Edition:
    """Return the next edition without a member: its keys count no more, its agreements end, its fields are gone.

    Raises:
        UnknownMemberError: nobody of that code is on the list.
        CompositionError: the others' schemas do not compose without it.
    """
    members = edition.members
    gone = members.member(member)
    left = tuple(each for each in members.members if each.id != gone.id)
    agreements = tuple(
        each for each in members.agreements if each.consumer != gone.id and each.provider(gone.id) is None
    )
    documents = {name: text for name, text in edition.documents.items() if name != schema_file(gone.id)}
    changed = msgspec.structs.replace(members, members=left, agreements=agreements)
    subgraphs = [Subgraph(each.id, each.endpoint, _schema(documents, each.id)) for each in left if each.endpoint]
    directory = Subgraph(DIRECTORY, members.gateway.endpoint, _schema(documents, DIRECTORY))
    return composed_edition(Edition(changed, documents), compose([*subgraphs, directory]).supergraph, clock)


def with_agreement(edition: Edition, agreement: Agreement, clock: Clock) -> Edition:
    """Return the next edition with an agreement, or with more acts on one that is published.

    Raises:
        UnknownMemberError: a party is not a member.
        BadInputError: its terms are others than those published under that id.
    """
    members = edition.members
    for member in (agreement.consumer, *(provider.member for provider in agreement.providers)):
        members.member(member)
    known = next((each for each in members.agreements if each.id == agreement.id), None)
    if known is not None:
        if terms_digest(known) != terms_digest(agreement):
            raise BadInputError(
                f"agreement `{agreement.id}` is published with other terms; other terms need another id"
            )
        for act in known.acts:
            agreement = with_act(agreement, act)
    refused = standing(agreement, members.members).refused
    if refused:
        raise BadInputError(f"{refused} signatures of agreement `{agreement.id}` are not of officers of its parties")
    others = tuple(each for each in members.agreements if each.id != agreement.id)
    return renewed(edition, clock, lambda old: msgspec.structs.replace(old, agreements=(*others, agreement)))


def with_platform(edition: Edition, issuer: str, jwks: bytes, clock: Clock) -> Edition:
    """Return the next edition, which accepts the vouchers that a platform signs with these keys, and no older ones.

    Raises:
        ConfigurationError: the key set cannot be used for RS256.
    """
    PinnedKeys.parse(jwks, "RS256")
    listed = msgspec.json.decode(jwks)["keys"]
    keys = tuple({name: value for name, value in jwk.items() if isinstance(value, str)} for jwk in listed)
    others = tuple(each for each in edition.members.voucher_issuers if each.issuer != issuer)
    issuers = (*others, VoucherIssuer(issuer, keys))
    return renewed(edition, clock, lambda old: msgspec.structs.replace(old, voucher_issuers=issuers))


def with_purpose_names(edition: Edition, names: dict[str, dict[str, str]], clock: Clock) -> Edition:
    """Return the next edition, in which purposes are called by these names."""
    return renewed(edition, clock, lambda old: msgspec.structs.replace(old, purposes=names))


def renewed(
    edition: Edition, clock: Clock, change: Callable[[MemberList], MemberList] = lambda members: members
) -> Edition:
    """Return the next edition with the same schemas: editions expire after a week, so somebody renews them."""
    changed = change(edition.members)
    version = edition.members.version + 1
    return Edition(msgspec.structs.replace(changed, version=version, issued=clock.now()), edition.documents)


def _party(work: Workspace, federation: str, name: str, endpoint: str) -> Party:
    keys = work.root / name / "keys"
    signer = Ed25519Signer.of(ledger_origin(federation, name), load_ed25519(keys / LEDGER_KEY))
    return Party(MemberId(name), endpoint, message_keys_of(keys, work.clock.now()), str(signer.verifier))


def _schema(documents: Mapping[str, bytes], member: str) -> str:
    return documents.get(schema_file(member), b"").decode("utf-8")
