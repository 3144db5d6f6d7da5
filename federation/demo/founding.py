"""Founding a federation on one machine: keys for everybody, one composed graph, a signed member list.

Founding again keeps keys and registers and publishes a member list of a higher version.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from federation.composition.compose import compose
from federation.composition.subgraph import Subgraph
from federation.composition.supergraph import Supergraph
from federation.contract.canonical import sha256_digest
from federation.contract.clock import Clock
from federation.contract.identifiers import DIRECTORY, MemberId
from federation.contract.members import Act, Agreement, Member, MemberList, Party
from federation.contract.settings_files import replace_file, toml_text
from federation.contract.settings_files import write_settings as write_settings_file
from federation.demo.charter import Charter, CharterMember
from federation.demo.layout import HOST, Home, Ports, url
from federation.directory.schema import DIRECTORY_SDL
from federation.ledger.cosignature import Cosigner
from federation.ledger.names import ledger_origin, witness_name
from federation.ledger.note import Ed25519Signer
from federation.membership.settings import PUBLISHER, TIMESTAMP_KEY
from federation.trust.agreements import parties, sign_act, with_act
from federation.trust.channel import AUTHORITY_CERTIFICATE, CHANNEL_CERTIFICATE, CHANNEL_KEY
from federation.trust.keys import (
    LEDGER_KEY,
    OFFICER_KEYS,
    WITNESS_KEY,
    load_ed25519,
)
from federation.trust.party_keys import ensure_ed25519, ensure_secret, make_party_keys, message_keys_of, officer_keys
from federation.trust.registry import ROOT_FILE
from federation.trust.repository import Repository
from federation.trust.trusted_list import API_FILE, SUPERGRAPH_FILE, schema_file

EXCHANGE_MASTER_KEY = "master.key"
_CHANNEL = f"""
[channel]
certificate = "keys/{CHANNEL_CERTIFICATE}"
key = "keys/{CHANNEL_KEY}"
authority = "keys/{AUTHORITY_CERTIFICATE}"
"""


@dataclass(frozen=True, slots=True)
class Founded:
    """What was published."""

    members: MemberList
    supergraph: Supergraph


def make_keys(home: Home, charter: Charter) -> None:
    """Make every key and secret that is not there yet, in files of mode 0600."""
    for operator in charter.operators:
        ensure_ed25519(home.operators / f"{operator}.pem")
    ensure_ed25519(home.keys(PUBLISHER) / TIMESTAMP_KEY)
    for party in ("gateway", "exchange", *(member.id for member in charter.members)):
        make_party_keys(home.keys(party))
    ensure_secret(home.keys("exchange") / EXCHANGE_MASTER_KEY)


def publish_federation(
    home: Home,
    charter: Charter,
    ports: Ports,
    sdls: Mapping[str, str],
    purposes: dict[str, dict[str, str]],
    clock: Clock,
) -> Founded:
    """Compose the graph, sign a member list of the next version, and write both to the registry.

    `sdls` are the schemas that the nodes publish, by member; `purposes` the names of purposes, by id and language.

    Raises:
        CompositionError: the schemas do not compose.
    """
    supergraph = _composed(charter, ports, sdls)
    now = clock.now()
    repository = Repository(home.registry, home.staged, clock)
    members = MemberList(
        federation=charter.federation,
        version=repository.next_version(),
        issued=now,
        gateway=_party(home, charter.federation, "gateway", ports.url(ports.gateway) + "/graphql", now),
        exchange=_party(home, charter.federation, "exchange", ports.url(ports.exchange), now),
        members=tuple(_member(home, member, ports, charter, now) for member in charter.members),
        agreements=tuple(accepted(home, agreement.agreement(), now) for agreement in charter.agreements),
        supergraph=sha256_digest(supergraph.sdl.encode()),
        api_schema=sha256_digest(supergraph.api_sdl.encode()),
        purposes=purposes,
    )
    documents = {SUPERGRAPH_FILE: supergraph.sdl.encode(), API_FILE: supergraph.api_sdl.encode()}
    schemas = {schema_file(member): sdl.encode() for member, sdl in {**sdls, DIRECTORY: DIRECTORY_SDL}.items()}
    publish_edition(home, charter, members, {**documents, **schemas}, clock)
    for name, content in documents.items():
        replace_file(home.registry / name, content)
    return Founded(members, supergraph)


def publish_edition(
    home: Home, charter: Charter, members: MemberList, documents: Mapping[str, bytes], clock: Clock
) -> None:
    """Let as many of the charter's operators as it takes sign an edition, and publish and stamp it."""
    repository = Repository(home.registry, home.staged, clock)
    operators = [load_ed25519(home.operators / f"{name}.pem") for name in charter.operators]
    timestamp = load_ed25519(home.keys(PUBLISHER) / TIMESTAMP_KEY)
    if not (home.registry / ROOT_FILE).exists():
        keys = [key.public_key() for key in operators]
        repository.stage_root(charter.federation, charter.threshold, keys, timestamp.public_key())
    repository.stage_list(members, documents)
    for operator in operators[: charter.threshold]:
        repository.sign(operator)
    repository.publish()
    stamp(home, clock)


def stamp(home: Home, clock: Clock) -> None:
    """Renew the registry's timestamp, as the publisher does."""
    Repository(home.registry, home.staged, clock).stamp(load_ed25519(home.keys(PUBLISHER) / TIMESTAMP_KEY))


def write_settings(
    home: Home, charter: Charter, ports: Ports, policies: Mapping[str, Mapping[str, str]], queries: Path
) -> None:
    """Write the settings file of every process.

    `policies` holds, by member, the settings that say where its policy comes from; `queries` the console's examples.
    """
    channel = _CHANNEL if ports.tls else ""
    examples = f'\n[demo]\npartners = ".."\nqueries = {toml_text(str(queries))}\n'
    common = {"keys": "keys", "state": "state", "registry": "../registry"}
    gateway = ("mutual = true\n" if ports.tls else "") + examples + channel
    _settings(home.party("gateway"), ports.gateway, ports.url(ports.gateway), common, gateway)
    registry = {"keys": "keys", "registry": "../registry", "staged": "../staged"}
    _settings(home.party(PUBLISHER), ports.publisher, url(ports.publisher), registry)
    _settings(home.party("exchange"), ports.exchange, ports.url(ports.exchange), common, channel)
    for position, member in enumerate(charter.nodes()):
        values = {"member": member.id, "mapping": "node.yaml", **policies[member.id], **common}
        port = ports.node(position)
        _settings(home.party(member.id), port, ports.url(port), values, channel)


def _composed(charter: Charter, ports: Ports, sdls: Mapping[str, str]) -> Supergraph:
    nodes = [
        Subgraph(member.id, ports.url(ports.node(position)) + "/graphql", sdls[member.id])
        for position, member in enumerate(charter.nodes())
    ]
    return compose([*nodes, Subgraph(DIRECTORY, ports.url(ports.gateway) + "/graphql", DIRECTORY_SDL)]).supergraph


def _member(home: Home, member: CharterMember, ports: Ports, charter: Charter, now: datetime) -> Member:
    signer = Ed25519Signer.of(
        ledger_origin(charter.federation, member.id), load_ed25519(home.keys(member.id) / LEDGER_KEY)
    )
    witness = Cosigner.of(witness_name(charter.federation, member.id), load_ed25519(home.keys(member.id) / WITNESS_KEY))
    positions = {node.id: position for position, node in enumerate(charter.nodes())}
    return Member(
        id=member.id,
        name=member.name,
        kind=member.kind,
        area=member.area,
        keys=(*message_keys_of(home.keys(member.id), now), *officer_keys(home.keys(member.id), now)),
        endpoint=ports.url(ports.node(positions[member.id])) + "/graphql" if member.node else None,
        ledger=str(signer.verifier) if member.node else None,
        witness=str(witness.verifier) if member.node else None,
    )


def _party(home: Home, federation: str, name: str, endpoint: str, now: datetime) -> Party:
    signer = Ed25519Signer.of(ledger_origin(federation, name), load_ed25519(home.keys(name) / LEDGER_KEY))
    return Party(MemberId(name), endpoint, message_keys_of(home.keys(name), now), str(signer.verifier))


def accepted(home: Home, agreement: Agreement, now: datetime) -> Agreement:
    """Return an agreement that an officer of every party accepted."""
    for member in parties(agreement):
        officer = load_ed25519(home.keys(member) / OFFICER_KEYS[0])
        agreement = with_act(agreement, sign_act(agreement, member, Act.ACCEPT, officer, now))
    return agreement


def _settings(folder: Path, port: int, origin: str, values: Mapping[str, str], more: str = "") -> None:
    (folder / "state").mkdir(parents=True, exist_ok=True)
    listening = {"listen": f"{HOST}:{port}", "url": origin}
    write_settings_file(folder / "settings.toml", {**listening, **values}, more)
