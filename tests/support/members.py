"""Member lists for tests, signed by operators whose keys everybody knows."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from federation.contract.identifiers import MemberId
from federation.contract.members import MemberList, Party
from federation.trust.member_list import sign_member_list

NOW = datetime(2026, 11, 22, 10, tzinfo=UTC)
ONE, TWO, THREE, STRANGER = (Ed25519PrivateKey.from_private_bytes(bytes([number]) * 32) for number in range(4))


def members(version: int, minutes: int = 10, supergraph: str = "sha256:0") -> MemberList:
    """Return a list with nobody on it, good for some minutes from `NOW`."""
    return MemberList(
        federation="demo",
        version=version,
        issued=NOW,
        expires=NOW + timedelta(minutes=minutes),
        gateway=Party(id=MemberId("gateway"), endpoint="https://gateway.example/graphql", keys=()),
        exchange=Party(id=MemberId("exchange"), endpoint="https://exchange.example", keys=()),
        members=(),
        agreements=(),
        supergraph=supergraph,
        api_schema="sha256:0",
    )


def signed(version: int, minutes: int = 10, supergraph: str = "sha256:0") -> bytes:
    """Return such a list signed by two operators."""
    return sign_member_list(members(version, minutes, supergraph), [ONE, TWO])
