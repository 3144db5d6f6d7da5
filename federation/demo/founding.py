"""Founding a federation on one machine: keys for everybody, one composed graph, a signed member list.

Founding again keeps keys and registers and publishes a member list of a higher version.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

import msgspec

from federation.composition.compose import compose
from federation.composition.subgraph import Subgraph
from federation.composition.supergraph import Supergraph
from federation.contract.canonical import sha256_digest
from federation.contract.clock import Clock
from federation.contract.identifiers import DIRECTORY, MemberId
from federation.contract.members import Act, Agreement, KeyUse, Member, MemberList, Party, PublishedKey
from federation.demo.charter import Charter, CharterMember
from federation.demo.layout import HOST, Home, Ports, url
from federation.gateway.directory_subgraph import DIRECTORY_SDL
from federation.ledger.cosignature import Cosigner
from federation.ledger.names import ledger_origin, witness_name
from federation.ledger.note import Ed25519Signer
from federation.membership.settings import PUBLISHER, TIMESTAMP_KEY
from federation.trust.agreements import parties, sign_act, with_act
from federation.trust.keys import (
    LEDGER_KEY,
    MESSAGE_KEY,
    OFFICER_KEYS,
    WITNESS_KEY,
    SigningKey,
    ed25519_jwk,
    generate_ed25519,
    load_ed25519,
    publish,
    write_private,
)
from federation.trust.registry import ROOT_FILE
from federation.trust.repository import Repository
from federation.trust.trusted_list import API_FILE, SUPERGRAPH_FILE, schema_file

SUBJECTS_KEY = "subjects.key"
MASKS_KEY = "masks.key"
CURSORS_KEY = "cursors.key"
EXCHANGE_MASTER_KEY = "master.key"
_SECRET_BYTES = 32
_KEY_LIFE = timedelta(days=365)


@dataclass(frozen=True, slots=True)
class Founded:
    """What was published."""

    members: MemberList
    supergraph: Supergraph


def make_keys(home: Home, charter: Charter) -> None:
    """Make every key and secret that is not there yet, in files of mode 0600."""
    for operator in charter.operators:
        _ensure_ed25519(home.operators / f"{operator}.pem")
    _ensure_ed25519(home.keys(PUBLISHER) / TIMESTAMP_KEY)
    for party in ("gateway", "exchange", *(member.id for member in charter.members)):
        make_party_keys(home.keys(party))
    _ensure_secret(home.keys("exchange") / EXCHANGE_MASTER_KEY)


def make_party_keys(keys: Path) -> tuple[Path, ...]:
    """Make the keys of one party that are not there yet, and return the paths of all."""
    keys.mkdir(parents=True, exist_ok=True, mode=0o700)
    if not (keys / MESSAGE_KEY).exists():
        SigningKey.generate().save(keys / MESSAGE_KEY)
    _ensure_ed25519(keys / LEDGER_KEY)
    _ensure_ed25519(keys / WITNESS_KEY)
    for officer in OFFICER_KEYS:
        _ensure_ed25519(keys / officer)
    for secret in (SUBJECTS_KEY, MASKS_KEY, CURSORS_KEY):
        _ensure_secret(keys / secret)
    return tuple(sorted(path for path in keys.iterdir() if path.is_file()))


def publish_federation(home: Home, charter: Charter, ports: Ports, sdls: Mapping[str, str], clock: Clock) -> Founded:
    """Compose the graph, sign a member list of the next version, and write both to the registry.

    `sdls` are the schemas that the nodes publish, by member.

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
        gateway=_party(home, charter.federation, "gateway", url(ports.gateway) + "/graphql", now),
        exchange=_party(home, charter.federation, "exchange", url(ports.exchange), now),
        members=tuple(_member(home, member, ports, charter, now) for member in charter.members),
        agreements=tuple(_signed(home, agreement.agreement(), now) for agreement in charter.agreements),
        supergraph=sha256_digest(supergraph.sdl.encode()),
        api_schema=sha256_digest(supergraph.api_sdl.encode()),
    )
    documents = {SUPERGRAPH_FILE: supergraph.sdl.encode(), API_FILE: supergraph.api_sdl.encode()}
    schemas = {schema_file(member): sdl.encode() for member, sdl in {**sdls, DIRECTORY: DIRECTORY_SDL}.items()}
    publish_edition(home, charter, members, {**documents, **schemas}, clock)
    for name, content in documents.items():
        _write(home.registry / name, content)
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
    _settings(
        home.party("gateway"),
        ports.gateway,
        {"keys": "keys", "state": "state", "registry": "../registry"},
        '\n[demo]\npartners = ".."\nqueries = ' + _toml(str(queries)) + "\n",
    )
    registry = {"keys": "keys", "registry": "../registry", "staged": "../staged"}
    _settings(home.party(PUBLISHER), ports.publisher, registry)
    _settings(home.party("exchange"), ports.exchange, {"keys": "keys", "state": "state", "registry": "../registry"})
    for position, member in enumerate(charter.nodes()):
        values = {
            "member": member.id,
            "mapping": "node.yaml",
            **policies[member.id],
            "keys": "keys",
            "state": "state",
            "registry": "../registry",
        }
        _settings(home.party(member.id), ports.node(position), values)


def _composed(charter: Charter, ports: Ports, sdls: Mapping[str, str]) -> Supergraph:
    nodes = [
        Subgraph(member.id, url(ports.node(position)) + "/graphql", sdls[member.id])
        for position, member in enumerate(charter.nodes())
    ]
    return compose([*nodes, Subgraph(DIRECTORY, url(ports.gateway) + "/graphql", DIRECTORY_SDL)]).supergraph


def _member(home: Home, member: CharterMember, ports: Ports, charter: Charter, now: datetime) -> Member:
    signer = Ed25519Signer.of(ledger_origin(charter.federation, member.id), load_ed25519(_ledger_key(home, member.id)))
    witness = Cosigner.of(witness_name(charter.federation, member.id), load_ed25519(home.keys(member.id) / WITNESS_KEY))
    positions = {node.id: position for position, node in enumerate(charter.nodes())}
    return Member(
        id=member.id,
        name=member.name,
        kind=member.kind,
        area=member.area,
        keys=(*_message_keys(home, member.id, now), *_officer_keys(home, member.id, now)),
        endpoint=url(ports.node(positions[member.id])) + "/graphql" if member.node else None,
        ledger=str(signer.verifier) if member.node else None,
        witness=str(witness.verifier) if member.node else None,
    )


def _party(home: Home, federation: str, name: str, endpoint: str, now: datetime) -> Party:
    signer = Ed25519Signer.of(ledger_origin(federation, name), load_ed25519(_ledger_key(home, name)))
    return Party(MemberId(name), endpoint, _message_keys(home, name, now), str(signer.verifier))


def _signed(home: Home, agreement: Agreement, now: datetime) -> Agreement:
    """Let an officer of every party accept."""
    for member in parties(agreement):
        officer = load_ed25519(home.keys(member) / OFFICER_KEYS[0])
        agreement = with_act(agreement, sign_act(agreement, member, Act.ACCEPT, officer, now))
    return agreement


def _message_keys(home: Home, party: str, now: datetime) -> tuple[PublishedKey, ...]:
    key = SigningKey.load(home.keys(party) / MESSAGE_KEY)
    return (publish(key.public_jwk(), KeyUse.MESSAGE, now - timedelta(hours=1), now + _KEY_LIFE),)


def _officer_keys(home: Home, member: str, now: datetime) -> tuple[PublishedKey, ...]:
    jwks = (ed25519_jwk(load_ed25519(home.keys(member) / name)) for name in OFFICER_KEYS)
    return tuple(publish(jwk, KeyUse.OFFICER, now - timedelta(hours=1), now + _KEY_LIFE) for jwk in jwks)


def _ledger_key(home: Home, party: str) -> Path:
    return home.keys(party) / LEDGER_KEY


def _ensure_ed25519(path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    if not path.exists():
        generate_ed25519(path)


def _ensure_secret(path: Path) -> None:
    if not path.exists():
        write_private(path, secrets.token_bytes(_SECRET_BYTES))


def _settings(folder: Path, port: int, values: Mapping[str, str], more: str = "") -> None:
    lines = {"listen": f"{HOST}:{port}", "url": url(port), **values}
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "state").mkdir(exist_ok=True)
    _write(
        folder / "settings.toml",
        "".join(f"{key} = {_toml(value)}\n" for key, value in lines.items()).encode() + more.encode(),
    )


def _toml(text: str) -> str:
    return msgspec.json.encode(text).decode()  # a JSON string is a TOML basic string


def _write(path: Path, content: bytes) -> None:
    """Replace a file in one step, so that a reader sees the old or the new one."""
    partial = path.with_name(path.name + ".part")
    partial.write_bytes(content)
    partial.replace(path)
