"""Registries for tests, signed by operators whose keys everybody knows."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from functools import reduce
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from federation.contract.clock import FixedClock
from federation.contract.identifiers import MemberId
from federation.contract.members import Act, KeyUse, MemberList, Party
from federation.trust.agreements import parties, sign_act, with_act
from federation.trust.keys import ed25519_jwk
from federation.trust.keys import publish as publish_key
from federation.trust.repository import Repository

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from federation.contract.clock import Clock

NOW = datetime(2026, 11, 22, 10, tzinfo=UTC)
ONE, TWO, THREE, STRANGER, ONLINE = (Ed25519PrivateKey.from_private_bytes(bytes([number]) * 32) for number in range(5))
OPERATORS = (ONE, TWO, THREE)


def members(version: int, supergraph: str = "sha256:0") -> MemberList:
    """Return a list with nobody on it."""
    return MemberList(
        federation="demo",
        version=version,
        issued=NOW,
        gateway=Party(id=MemberId("gateway"), endpoint="https://gateway.example/graphql", keys=()),
        exchange=Party(id=MemberId("exchange"), endpoint="https://exchange.example", keys=()),
        members=(),
        agreements=(),
        supergraph=supergraph,
        api_schema="sha256:0",
    )


def repository(folder: Path, clock: Clock | None = None) -> Repository:
    """Return the registry in a folder, staged beside it."""
    return Repository(folder, folder.with_name(f"{folder.name}-staged"), clock or FixedClock(NOW))


def found(kept: Repository, federation: str = "demo", operators: Sequence[Ed25519PrivateKey] = OPERATORS) -> None:
    """Publish the first root: two of three operators must sign, or the one there is."""
    kept.stage_root(federation, min(2, len(operators)), [key.public_key() for key in operators], ONLINE.public_key())
    for operator in operators:
        kept.sign(operator)
    kept.publish()


def publish(
    kept: Repository,
    listed: MemberList,
    documents: Mapping[str, bytes] | None = None,
    signers: Sequence[Ed25519PrivateKey] = (ONE, TWO),
) -> None:
    """Publish an edition, and stamp it."""
    kept.stage_list(listed, documents or {})
    for signer in signers:
        kept.sign(signer)
    kept.publish()
    kept.stamp(ONLINE)


def registry_of(folder: Path, listed: MemberList, clock: Clock, documents: Mapping[str, bytes] | None = None) -> None:
    """Make a registry with one edition in a folder, whose agreements every party accepted."""
    kept = repository(folder, clock)
    found(kept, listed.federation)
    publish(kept, accepted(listed), documents)


def accepted(listed: MemberList) -> MemberList:
    """Return the list with an officer's key for each member, who accepts what the member is a party of."""
    begin, end = listed.issued - timedelta(days=1), listed.issued + timedelta(days=30)
    officer = publish_key(ed25519_jwk(ONE), KeyUse.OFFICER, begin, end)
    everybody = tuple(msgspec.structs.replace(each, keys=(*each.keys, officer)) for each in listed.members)
    agreements = []
    for agreement in listed.agreements:
        acts = [sign_act(agreement, party, Act.ACCEPT, ONE, listed.issued) for party in parties(agreement)]
        agreements.append(reduce(with_act, acts, agreement))
    return msgspec.structs.replace(listed, members=everybody, agreements=tuple(agreements))
