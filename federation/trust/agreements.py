"""Acts of officers on agreements: who accepted, suspended, resumed or ended one, each signed over its exact terms.

An agreement's state is not what somebody says it is: it follows from the signed acts, so that not even the operators of
a federation together can make one that its parties did not sign. They may publish a weaker state than the acts prove,
never a stronger one.

* It is active once an officer of every party accepted: the consumer and each provider.
* One officer suspends, at once; until a second one of the same member signs too, the suspension is flagged.
* Two officers of the member that suspended resume it, and two of one party end it; one alone has suspended it.

A member that published one officer's key has one officer; where two are wanted, that one is enough.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final

import msgspec
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from federation.contract.canonical import b64url, canonical, from_b64url, sha256_digest
from federation.contract.errors import BadInputError, SignatureError
from federation.contract.identifiers import MemberId
from federation.contract.members import Act, Agreement, AgreementAct, AgreementState, KeyUse, Member, MemberList
from federation.trust.keys import ed25519_from_jwk, ed25519_jwk, thumbprint

_DOMAIN: Final = b"crocevia-agreement-act-v1\n"
_TWO = 2
_WEAKER: Final = (
    AgreementState.ENDED,
    AgreementState.SUSPENDED,
    AgreementState.DRAFT,
    AgreementState.PENDING,
    AgreementState.ACTIVE,
)


@dataclass(frozen=True, slots=True)
class Standing:
    """Where an agreement stands by its acts.

    `awaited` are the parties that have not accepted; `flagged` those whose suspension one officer alone signed;
    `refused` counts acts that do not verify and so count for nothing.
    """

    state: AgreementState
    awaited: tuple[MemberId, ...]
    flagged: tuple[MemberId, ...]
    refused: int


def parties(agreement: Agreement) -> tuple[MemberId, ...]:
    """Return who must accept: the consumer, then the providers."""
    return tuple(dict.fromkeys((agreement.consumer, *(provider.member for provider in agreement.providers))))


def terms_digest(agreement: Agreement) -> str:
    """Name the exact terms of an agreement, which are everything but its state and its acts (RFC 8785, SHA-256)."""
    terms = msgspec.to_builtins(agreement)
    del terms["state"], terms["acts"]
    for later in ("documents", "holding"):
        if not terms[later]:
            del terms[later]  # INVARIANT: what was signed before agreements could say so stays signed
    return sha256_digest(canonical(terms))


def sign_act(
    agreement: Agreement, member: MemberId, act: Act, key: Ed25519PrivateKey, at: datetime, note: str = ""
) -> AgreementAct:
    """Return an officer's act for a member; `note` is for people, and is signed too.

    Raises:
        BadInputError: the member is not a party.
    """
    if member not in parties(agreement):
        raise BadInputError(f"`{member}` is not a party of agreement `{agreement.id}`")
    unsigned = AgreementAct(act, member, at.replace(microsecond=0), thumbprint(ed25519_jwk(key)), "", note)
    signature = key.sign(_content(agreement, unsigned))
    return msgspec.structs.replace(unsigned, signature=b64url(signature))


def with_act(agreement: Agreement, act: AgreementAct) -> Agreement:
    """Return the agreement with one act more; the same act twice is one."""
    acts = tuple(sorted({*agreement.acts, act}, key=lambda each: (each.at, each.member, each.act, each.keyid)))
    return msgspec.structs.replace(agreement, acts=acts)


def standing(agreement: Agreement, members: Iterable[Member]) -> Standing:
    """Return where the agreement stands by the acts that verify with keys that its parties published."""
    officers = {member.id: _officers(member) for member in members}
    good = [act for act in agreement.acts if _verifies(agreement, act, officers.get(act.member, {}))]
    all_parties = parties(agreement)
    awaited = tuple(party for party in all_parties if not _did(good, party, Act.ACCEPT))
    holds = {party: _hold(good, party, min(_TWO, len(officers.get(party, {})))) for party in all_parties}
    flagged = tuple(party for party, (_, alone) in holds.items() if alone)
    states = {state for state, _ in holds.values()}
    refused = len(agreement.acts) - len(good)
    if AgreementState.ENDED in states:
        return Standing(AgreementState.ENDED, awaited, (), refused)
    if AgreementState.SUSPENDED in states:
        return Standing(AgreementState.SUSPENDED, awaited, flagged, refused)
    if not awaited:
        return Standing(AgreementState.ACTIVE, (), (), refused)
    state = AgreementState.DRAFT if len(awaited) == len(all_parties) else AgreementState.PENDING
    return Standing(state, awaited, (), refused)


def judged(members: MemberList) -> MemberList:
    """Return the list with every agreement in the weaker of the state it says and the one that its acts prove."""
    agreements = tuple(
        msgspec.structs.replace(each, state=_weaker(each.state, standing(each, members.members).state))
        for each in members.agreements
    )
    return msgspec.structs.replace(members, agreements=agreements)


def require_officer(member: Member, key: Ed25519PrivateKey) -> None:
    """Refuse a key that the member did not publish as an officer's.

    Raises:
        SignatureError: names what is missing.
    """
    if thumbprint(ed25519_jwk(key)) not in _officers(member):
        raise SignatureError(f"the key is not among the officers' keys that `{member.id}` published")


def _weaker(one: AgreementState, other: AgreementState) -> AgreementState:
    return min(one, other, key=_WEAKER.index)


def _hold(acts: list[AgreementAct], party: MemberId, two: int) -> tuple[AgreementState, bool]:
    """Return what a party's own acts make of the agreement, and whether one officer alone suspended it.

    Acts count in the order of their times; an officer who acts twice is one officer.
    """
    suspending, ending, resuming = set[str](), set[str](), set[str]()
    for act in acts:
        if act.member != party:
            continue
        match act.act:
            case Act.SUSPEND:
                suspending.add(act.keyid)
                resuming.clear()
            case Act.END:
                ending.add(act.keyid)
                resuming.clear()
            case Act.RESUME:
                resuming.add(act.keyid)
                if len(resuming) >= two:
                    suspending.clear()
                    ending.clear()
            case Act.ACCEPT:
                pass
        if len(ending) >= max(two, 1):
            return AgreementState.ENDED, False
    if suspending or ending:
        return AgreementState.SUSPENDED, len(suspending | ending) < two
    return AgreementState.ACTIVE, False


def _did(acts: Iterable[AgreementAct], party: MemberId, act: Act) -> bool:
    return any(each.member == party and each.act is act for each in acts)


def _officers(member: Member) -> Mapping[str, tuple[Ed25519PublicKey, datetime, datetime]]:
    """Return the officers' keys of a member; one that cannot be read verifies nothing."""
    found = {}
    for published in member.keys:
        if published.use is KeyUse.OFFICER:
            try:
                key = ed25519_from_jwk(dict(published.jwk))
            except SignatureError:
                continue
            if thumbprint(ed25519_jwk(key)) == published.kid:
                found[published.kid] = (key, published.not_before, published.not_after)
    return found


def _verifies(
    agreement: Agreement, act: AgreementAct, officers: Mapping[str, tuple[Ed25519PublicKey, datetime, datetime]]
) -> bool:
    """Tell whether an act is of an officer whose key was good then."""
    known = officers.get(act.keyid)
    if known is None:
        return False
    key, not_before, not_after = known
    try:
        key.verify(from_b64url(act.signature), _content(agreement, act))
    except (InvalidSignature, BadInputError):
        return False
    return not_before <= act.at <= not_after


def _content(agreement: Agreement, act: AgreementAct) -> bytes:
    said = msgspec.to_builtins(act)
    del said["signature"]
    return _DOMAIN + canonical({"agreement": agreement.id, "terms": terms_digest(agreement), **said})
