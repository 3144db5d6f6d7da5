"""An agreement between two members, each with two officers, and what their acts make of it."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from federation.contract.identifiers import MemberId
from federation.contract.members import (
    Act,
    AgreedProvider,
    AgreedPurpose,
    Agreement,
    AgreementState,
    KeyUse,
    Member,
)
from federation.trust.agreements import sign_act, with_act
from federation.trust.keys import ed25519_jwk, publish

NOW = datetime(2026, 11, 22, 10, tzinfo=UTC)
TAX, HEALTH, OTHER = MemberId("tax"), MemberId("health"), MemberId("other")
KEYS = {
    member: tuple(Ed25519PrivateKey.from_private_bytes(bytes([10 * number + officer]) * 32) for officer in (1, 2))
    for number, member in enumerate((TAX, HEALTH, OTHER), start=1)
}
DRAFT = Agreement(
    id="acc-1",
    consumer=TAX,
    providers=(AgreedProvider(HEALTH, ("Citizen.*",)),),
    purposes=(AgreedPurpose("benefit-assessment", ("6.1.e",)),),
    valid_from=date(2026, 1, 1),
    valid_until=date(2026, 12, 31),
    state=AgreementState.ACTIVE,
)


def member(name: MemberId) -> Member:
    published = tuple(
        publish(ed25519_jwk(key), KeyUse.OFFICER, NOW - timedelta(days=1), NOW + timedelta(days=30))
        for key in KEYS[name]
    )
    return Member(name, {}, "national", "*", published)


MEMBERS = tuple(member(name) for name in KEYS)


def after(*acts: tuple[Act, MemberId, int], agreement: Agreement = DRAFT) -> Agreement:
    """Return the agreement after acts one minute apart: what, by whom, by which officer (1 or 2)."""
    for minute, (act, name, officer) in enumerate(acts):
        signed = sign_act(agreement, name, act, KEYS[name][officer - 1], NOW + timedelta(minutes=minute))
        agreement = with_act(agreement, signed)
    return agreement


ACCEPTED = ((Act.ACCEPT, TAX, 1), (Act.ACCEPT, HEALTH, 1))
