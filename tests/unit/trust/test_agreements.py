"""The state of an agreement follows from its officers' signed acts, and from nothing else."""

from __future__ import annotations

from datetime import date, timedelta

import msgspec
import pytest

from federation.contract.errors import BadInputError, SignatureError
from federation.contract.identifiers import MemberId
from federation.contract.members import (
    Act,
    AgreedProvider,
    AgreementState,
)
from federation.trust.agreements import judged, require_officer, sign_act, standing, terms_digest, with_act
from tests.support.agreements import ACCEPTED, DRAFT, HEALTH, KEYS, MEMBERS, NOW, OTHER, TAX, after, member
from tests.support.members import members as member_list

STATES: dict[str, tuple[tuple[tuple[Act, MemberId, int], ...], AgreementState, tuple[MemberId, ...]]] = {
    "nobody signed": ((), AgreementState.DRAFT, ()),
    "the consumer signed": (ACCEPTED[:1], AgreementState.PENDING, ()),
    "both signed": (ACCEPTED, AgreementState.ACTIVE, ()),
    "one officer suspends at once": ((*ACCEPTED, (Act.SUSPEND, HEALTH, 1)), AgreementState.SUSPENDED, (HEALTH,)),
    "the same officer twice is one": (
        (*ACCEPTED, (Act.SUSPEND, HEALTH, 1), (Act.SUSPEND, HEALTH, 1)),
        AgreementState.SUSPENDED,
        (HEALTH,),
    ),
    "a second officer countersigns": (
        (*ACCEPTED, (Act.SUSPEND, HEALTH, 1), (Act.SUSPEND, HEALTH, 2)),
        AgreementState.SUSPENDED,
        (),
    ),
    "one officer does not resume": (
        (*ACCEPTED, (Act.SUSPEND, HEALTH, 1), (Act.RESUME, HEALTH, 1)),
        AgreementState.SUSPENDED,
        (HEALTH,),
    ),
    "two officers resume": (
        (*ACCEPTED, (Act.SUSPEND, HEALTH, 1), (Act.RESUME, HEALTH, 1), (Act.RESUME, HEALTH, 2)),
        AgreementState.ACTIVE,
        (),
    ),
    "the other party does not resume it": (
        (*ACCEPTED, (Act.SUSPEND, HEALTH, 1), (Act.RESUME, TAX, 1), (Act.RESUME, TAX, 2)),
        AgreementState.SUSPENDED,
        (HEALTH,),
    ),
    "a resumption from before does not count": (
        (*ACCEPTED, (Act.RESUME, HEALTH, 1), (Act.SUSPEND, HEALTH, 1), (Act.RESUME, HEALTH, 2)),
        AgreementState.SUSPENDED,
        (HEALTH,),
    ),
    "one officer who ends it has suspended it": ((*ACCEPTED, (Act.END, TAX, 1)), AgreementState.SUSPENDED, (TAX,)),
    "two officers end it for ever": (
        (*ACCEPTED, (Act.END, TAX, 1), (Act.END, TAX, 2), (Act.RESUME, TAX, 1), (Act.RESUME, TAX, 2)),
        AgreementState.ENDED,
        (),
    ),
}


@pytest.mark.parametrize(("acts", "state", "flagged"), STATES.values(), ids=STATES.keys())
def test_the_state_follows_from_the_acts(
    acts: tuple[tuple[Act, MemberId, int], ...], state: AgreementState, flagged: tuple[MemberId, ...]
) -> None:
    found = standing(after(*acts), MEMBERS)
    assert (found.state, found.flagged, found.refused) == (state, flagged, 0)


def test_a_changed_term_takes_every_signature_away() -> None:
    for change in (
        {"daily_requests": 100_001},
        {"providers": (AgreedProvider(HEALTH, ("Citizen.*", "Disability.*")),)},
        {"providers": tuple(msgspec.structs.replace(each, longest_list=500) for each in DRAFT.providers)},
        {"valid_until": date(2030, 1, 1)},
        {"id": "acc-2"},
    ):
        changed = msgspec.structs.replace(after(*ACCEPTED), **change)
        found = standing(changed, MEMBERS)
        assert (found.state, found.refused, found.awaited) == (AgreementState.DRAFT, 2, (TAX, HEALTH))


def test_the_usual_length_of_lists_is_not_written_and_no_agreement_goes_beyond_the_ceiling() -> None:
    usual = AgreedProvider(HEALTH, ("Citizen.*",))
    assert msgspec.to_builtins(usual) == {"member": HEALTH, "coordinates": ("Citizen.*",)}
    written = msgspec.json.encode(msgspec.structs.replace(usual, longest_list=1_000))
    assert msgspec.json.decode(written, type=AgreedProvider).longest_list == 1_000
    for beyond in (b"0", b"1001"):
        with pytest.raises(msgspec.ValidationError, match="longestList"):
            msgspec.json.decode(written.replace(b"1000", beyond), type=AgreedProvider)


def test_operators_cannot_make_an_agreement_active_nor_hide_a_suspension() -> None:
    suspended = after(*ACCEPTED, (Act.SUSPEND, HEALTH, 1))
    listed = msgspec.structs.replace(member_list(1), members=MEMBERS, agreements=(DRAFT, suspended, after(*ACCEPTED)))
    states = [each.state for each in judged(listed).agreements]
    assert states == [AgreementState.DRAFT, AgreementState.SUSPENDED, AgreementState.ACTIVE]


def test_operators_may_publish_a_weaker_state() -> None:
    weaker = msgspec.structs.replace(after(*ACCEPTED), state=AgreementState.SUSPENDED)
    listed = msgspec.structs.replace(member_list(1), members=MEMBERS, agreements=(weaker,))
    assert judged(listed).agreements[0].state is AgreementState.SUSPENDED


def test_another_members_officer_and_an_expired_key_count_for_nothing() -> None:
    forged = sign_act(DRAFT, TAX, Act.ACCEPT, KEYS[OTHER][0], NOW)
    late = sign_act(DRAFT, TAX, Act.ACCEPT, KEYS[TAX][0], NOW + timedelta(days=31))
    found = standing(with_act(with_act(DRAFT, forged), late), MEMBERS)
    assert (found.state, found.refused) == (AgreementState.DRAFT, 2)


def test_only_parties_act_and_only_officers_sign() -> None:
    with pytest.raises(BadInputError, match="not a party"):
        sign_act(DRAFT, OTHER, Act.SUSPEND, KEYS[OTHER][0], NOW)
    require_officer(member(TAX), KEYS[TAX][1])
    with pytest.raises(SignatureError, match="officers' keys"):
        require_officer(member(TAX), KEYS[HEALTH][0])


def test_terms_are_everything_but_state_and_acts() -> None:
    assert terms_digest(after(*ACCEPTED)) == terms_digest(DRAFT)
    assert terms_digest(msgspec.structs.replace(DRAFT, on_denied="reject")) != terms_digest(DRAFT)
