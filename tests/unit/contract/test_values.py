"""Values of the contract are parsed once, print back to the same text, and refuse everything else."""

import json
from datetime import UTC, date, datetime, timedelta

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from federation.contract import errors
from federation.contract.canonical import b64url, canonical, from_b64url
from federation.contract.clock import FixedClock, day_in_rome, epoch_seconds, rfc3339
from federation.contract.coordinates import FieldCoordinate
from federation.contract.decisions import FieldDecision, PolicyVersion
from federation.contract.entries import Entry, EntryKind
from federation.contract.errors import AgreementError, BadInputError, CroceviaError, PurposeNotAgreedError
from federation.contract.identifiers import MemberId, Pseudonym, member_id
from federation.contract.members import (
    AgreedProvider,
    AgreedPurpose,
    Agreement,
    AgreementState,
    KeyUse,
    Party,
    PublishedKey,
)

NOT_COORDINATES = {
    "no dot": "Citizen",
    "no field": "Citizen.",
    "two dots": "Citizen.name.first",
    "a space": "Citizen. name",
}
NOT_PSEUDONYMS = {
    "a tax code": "RSSMRA80A01H501U",
    "no version": "siv.c_m999.AAAA",
    "other version": "v2.siv.c_m999.AAAA",
    "member in capitals": "v1.siv.C_M999.AAAA",
    "padding": "v1.siv.c_m999.AA==",
    "no token": "v1.siv.c_m999.",
    "trailing bits": "v1.siv.c_m999.AB",
}


@pytest.mark.parametrize("text", NOT_COORDINATES.values(), ids=NOT_COORDINATES.keys())
def test_text_that_is_not_a_coordinate_is_refused(text: str) -> None:
    with pytest.raises(BadInputError):
        FieldCoordinate.parse(text)


def test_a_coordinate_prints_as_it_was_read() -> None:
    assert str(FieldCoordinate.parse("Citizen.dateOfBirth")) == "Citizen.dateOfBirth"


@pytest.mark.parametrize("text", NOT_PSEUDONYMS.values(), ids=NOT_PSEUDONYMS.keys())
def test_text_that_is_not_a_pseudonym_is_refused_and_not_repeated(text: str) -> None:
    with pytest.raises(BadInputError) as refused:
        Pseudonym.parse(text)
    assert text not in str(refused.value)


@given(st.binary(min_size=1, max_size=128))
def test_a_pseudonym_prints_as_it_was_read(token: bytes) -> None:
    text = str(Pseudonym("siv", MemberId("c_m999"), token))
    assert str(Pseudonym.parse(text)) == text


@given(st.binary(max_size=64))
def test_base64url_reads_back(content: bytes) -> None:
    assert from_b64url(b64url(content)) == content


def test_canonical_json_sorts_by_utf16_and_drops_spaces() -> None:
    # RFC 8785 section 3.2.3: the published sorting example
    value = {"\u20ac": 1, "\r": 2, "\ufb33": 3, "1": 4, "\U0001f600": 5, "\x80": 6, "\u00f6": 7}
    assert list(json.loads(canonical(value))) == ["\r", "1", "\x80", "\u00f6", "\u20ac", "\U0001f600", "\ufb33"]


def test_what_json_cannot_say_is_refused() -> None:
    with pytest.raises(BadInputError):
        canonical({"instant": datetime(2026, 1, 1, tzinfo=UTC)})


def test_a_member_code_is_lower_case() -> None:
    assert member_id("c_m999") == "c_m999"
    with pytest.raises(BadInputError):
        member_id("C_M999")


@pytest.mark.parametrize(
    ("instant", "day"),
    [
        (datetime(2026, 6, 30, 21, 59, tzinfo=UTC), date(2026, 6, 30)),
        (datetime(2026, 6, 30, 22, 0, tzinfo=UTC), date(2026, 7, 1)),
        (datetime(2026, 12, 31, 23, 0, tzinfo=UTC), date(2027, 1, 1)),
    ],
)
def test_r7_a_day_begins_at_midnight_in_rome(instant: datetime, day: date) -> None:
    assert day_in_rome(instant) == day


def test_instants_print_in_utc_with_a_capital_z() -> None:
    clock = FixedClock(datetime(2026, 11, 22, 3, 14, 15, 926535, tzinfo=UTC))
    assert rfc3339(clock.now()) == "2026-11-22T03:14:15.926Z"
    assert epoch_seconds(clock) == 1795317255


def agreement(**changes: object) -> Agreement:
    fields: dict[str, object] = {
        "id": "acc-1",
        "consumer": MemberId("inprev"),
        "providers": (AgreedProvider(MemberId("c_m999"), ("Citizen.givenName", "Residence.*")),),
        "purposes": (AgreedPurpose("benefit-assessment", ("6.1.e",)),),
        "valid_from": date(2026, 1, 1),
        "valid_until": date(2026, 12, 31),
        "state": AgreementState.ACTIVE,
    }
    return Agreement(**{**fields, **changes})  # type: ignore[arg-type]  # fields are named above


def test_an_active_agreement_gives_its_purpose_with_the_legal_bases() -> None:
    agreed = agreement().require(MemberId("inprev"), "benefit-assessment", date(2026, 12, 31))
    assert agreed.bases == ("6.1.e",)


@pytest.mark.parametrize("state", [state for state in AgreementState if state is not AgreementState.ACTIVE])
def test_no_data_without_an_active_agreement(state: AgreementState) -> None:
    with pytest.raises(AgreementError, match=state.value):
        agreement(state=state).require(MemberId("inprev"), "benefit-assessment", date(2026, 5, 1))


@pytest.mark.parametrize("day", [date(2025, 12, 31), date(2027, 1, 1)])
def test_an_agreement_counts_only_within_its_validity(day: date) -> None:
    with pytest.raises(AgreementError, match="valid from"):
        agreement().require(MemberId("inprev"), "benefit-assessment", day)


def test_another_members_agreement_is_of_no_use() -> None:
    with pytest.raises(AgreementError, match="does not belong"):
        agreement().require(MemberId("aslvs"), "benefit-assessment", date(2026, 5, 1))


def test_a_purpose_that_was_not_agreed_is_refused_with_those_that_were() -> None:
    with pytest.raises(PurposeNotAgreedError, match="`benefit-assessment`"):
        agreement().require(MemberId("inprev"), "statistics", date(2026, 5, 1))


def test_a_provider_covers_named_fields_and_whole_types() -> None:
    provider = agreement().provider(MemberId("c_m999"))
    assert provider is not None
    assert provider.covers("Citizen", "givenName")
    assert provider.covers("Residence", "since")
    assert not provider.covers("Citizen", "taxCode")


def test_an_entry_reads_back_and_refuses_other_spellings() -> None:
    entry = Entry(
        kind=EntryKind.DISCLOSURE,
        at="2026-11-22T03:14:15.926Z",
        writer=MemberId("c_m999"),
        policy=PolicyVersion("sha256:00", 3),
        decisions=(FieldDecision("Citizen.givenName", "clear", grants=("identity",)),),
        subjects=1,
    )
    content = entry.to_bytes()
    assert Entry.parse(content) == entry
    with pytest.raises(errors.LedgerCorruptError, match="canonical"):
        Entry.parse(content.replace(b",", b", ", 1))


_TEXTS = st.text(max_size=20)
_DECISIONS = st.builds(
    FieldDecision,
    coordinate=_TEXTS,
    form=_TEXTS,
    grants=st.lists(_TEXTS, max_size=2).map(tuple),
    law=st.lists(_TEXTS, max_size=2).map(tuple),
    retain=st.none() | _TEXTS,
    conditional=st.booleans(),
    join_key=st.booleans(),
)
_ENTRIES = st.builds(
    Entry,
    kind=st.sampled_from(EntryKind),
    at=_TEXTS,
    writer=_TEXTS.map(MemberId),
    consumer=_TEXTS,
    policy=st.none() | st.builds(PolicyVersion, digest=_TEXTS, revision=st.integers(0, 2**53 - 1)),
    decisions=st.lists(_DECISIONS, max_size=3).map(tuple),
    subjects=st.integers(0, 2**53 - 1),
    detail=_TEXTS,
)


@given(_ENTRIES)
def test_entries_are_written_as_rfc_8785_has_it(entry: Entry) -> None:
    content = entry.to_bytes()
    assert content == canonical(msgspec.to_builtins(entry))
    assert Entry.parse(content) == entry


def every_error(base: type[CroceviaError] = CroceviaError) -> list[type[CroceviaError]]:
    return [base, *(found for child in base.__subclasses__() for found in every_error(child))]


def test_every_error_stands_in_the_tree_with_its_code_and_status() -> None:
    tree = errors.__doc__ or ""
    for error in every_error():
        if error is not CroceviaError and error.__module__ == errors.__name__:
            assert f"{error.__name__} " in tree
            line = next(line for line in tree.splitlines() if f" {error.__name__} " in line)
            assert error.code in line.split()
            assert str(int(error.status)) in line


def test_codes_are_unique() -> None:
    codes = [
        error.code for error in every_error() if error is not CroceviaError and error.__module__ == errors.__name__
    ]
    assert sorted(codes) == sorted(set(codes))


def test_a_problem_document_and_a_graphql_error_carry_one_code() -> None:
    refused = errors.RateLimitedError("too many requests", retryAfter=3)
    assert refused.problem()["code"] == refused.graphql()["extensions"]["code"] == "RATE_LIMITED"
    assert refused.problem()["retryAfter"] == 3


def test_a_key_counts_only_while_it_is_valid() -> None:
    start = datetime(2026, 1, 1, tzinfo=UTC)
    key = PublishedKey("k1", KeyUse.MESSAGE, {"kty": "EC"}, start, start + timedelta(days=1))
    party = Party(MemberId("gateway"), "http://localhost", (key,))
    assert party.key("k1", KeyUse.MESSAGE, start) is key
    assert party.key("k1", KeyUse.LEDGER, start) is None
    assert party.key("k1", KeyUse.MESSAGE, start + timedelta(days=2)) is None
