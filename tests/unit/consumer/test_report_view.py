"""A citizen reads names and sentences in Italian or English, never codes; what is not proved or missing stands out."""

from pathlib import Path

import msgspec
import pytest
from graphql import build_schema
from rich.console import Console

from federation.consumer.access import Access, AccessReport, disclosures
from federation.consumer.looks import laws, looks
from federation.consumer.report_view import render_report, report_json, shown_fields
from federation.consumer.words import Words
from federation.contract.decisions import FieldDecision
from federation.contract.delegation import Delegation, DelegationBasis
from federation.contract.entries import Entry, EntryKind
from federation.contract.identifiers import MemberId
from federation.contract.languages import Language
from federation.contract.members import MemberList
from federation.membership.purpose_names import read_purpose_names
from node.policy.forms import FormName
from tests.support.parties import Parties

SCHEMA = build_schema('''
type Citizen {
  """
  Given name.
  it: Il nome.
  """
  givenName: String
  """
  When the citizen was born.
  it: La data di nascita.
  """
  dateOfBirth: String
  "IPA code."
  office: String
  shoeSize: Int
}
"""
A postal address.
it: Un indirizzo.
"""
type Address { postCode: String }
type Query { address: Address citizen: Citizen }
''')
VOCABULARY = Path(__file__).parents[3] / "policies" / "vocabulary.yaml"

ENTRY = Entry(
    kind=EntryKind.DISCLOSURE,
    at="2026-11-22T03:14:15.926Z",
    writer=MemberId("c_m999"),
    consumer="inprev",
    purpose="benefit-assessment",
    legal_basis=("6.1.e",),
    decisions=(
        FieldDecision("Citizen.givenName", "clear", grants=("g",), law=("L. 328/2000",)),
        FieldDecision("Citizen.dateOfBirth", "year", grants=("g",), law=("L. 328/2000",)),
        FieldDecision("Citizen.taxCode", "deny"),
        FieldDecision("Citizen.id", "clear", join_key=True),
    ),
)
OWN = Entry(
    kind=EntryKind.REPORT,
    at="2026-11-22T09:00:00.000Z",
    writer=MemberId("c_m999"),
    consumer="portal",
    purpose="access-report",
    legal_basis=("6.1.c",),
    request_digest="sha256:1",
)


@pytest.fixture(scope="module")
def members() -> MemberList:
    listed = Parties().current()
    names = {"inprev": {"it": "Istituto della Previdenza", "en": "Social Security"}, "c_m999": {"it": "Borgoverde"}}
    named = tuple(msgspec.structs.replace(each, name=names.get(each.id, {})) for each in listed.members)
    return msgspec.structs.replace(listed, members=named, purposes=read_purpose_names(VOCABULARY.read_bytes()))


def printed(report: AccessReport, members: MemberList, language: Language = Language.ITALIAN) -> str:
    console = Console(width=160, no_color=True)
    with console.capture() as capture:
        console.print(render_report(report, Words(language, members, SCHEMA)))
    return capture.get()


def test_what_was_shown_and_by_which_law_comes_from_the_entry() -> None:
    assert shown_fields(ENTRY) == ["Citizen.givenName", "Citizen.dateOfBirth (year)"]
    assert laws([Access("c_m999", ENTRY, b"", proved=True)]) == ["L. 328/2000"]


def test_a_citizen_reads_names_purposes_and_fields_in_words(members: MemberList) -> None:
    text = printed(AccessReport((Access("c_m999", ENTRY, b"", proved=True),), ()), members)
    assert "22/11/2026 04:14:15  Istituto della Previdenza  ✓ provato" in text
    assert "ha interrogato Borgoverde" in text
    assert "perché: Verifica dei requisiti di una prestazione (GDPR 6.1.e)" in text
    assert "Su di te: il nome; la data di nascita (solo l'anno)" in text
    assert "inprev" not in text


def test_the_same_in_english_falls_back_to_codes_where_nothing_is_named(members: MemberList) -> None:
    access = Access("c_m999", ENTRY, b"", proved=True)
    text = printed(AccessReport((access,), ()), members, Language.ENGLISH)
    assert "Social Security  ✓ proved" in text
    assert "asked c_m999" in text
    assert "why: Assessment of a benefit" in text
    assert "given name; when the citizen was born (only the year)" in text


def test_every_form_of_the_policy_language_has_words_for_a_citizen(members: MemberList) -> None:
    words = Words(Language.ITALIAN, members, SCHEMA)
    masks = {form: words.masked(form) for form in FormName}
    assert masks.pop(FormName.CLEAR) == ""
    assert [form for form, said in masks.items() if form in said] == []
    assert words.masked("newer_form") == " (newer_form)"


def test_a_field_without_words_keeps_its_name_and_an_acronym_its_capitals(members: MemberList) -> None:
    decided = tuple(FieldDecision(f"Citizen.{name}", "clear") for name in ("office", "shoeSize", "gone"))
    access = Access("c_m999", msgspec.structs.replace(ENTRY, decisions=decided), b"", proved=True)
    words = Words(Language.ITALIAN, members, SCHEMA)
    assert (words.type("Address"), words.type("Gone")) == ("Un indirizzo", "Gone")
    told = words.told([access])
    assert told == {"Su di te": "IPA code; shoeSize; Citizen.gone"}


def test_entries_of_one_signed_question_are_one_look_and_others_are_not() -> None:
    signed = msgspec.structs.replace(ENTRY, request_digest="sha256:9")
    other = msgspec.structs.replace(signed, consumer="aslvs")
    entries = (("c_m999", signed), ("aslvs", signed), ("c_m999", signed), ("c_m999", other), ("c_m999", ENTRY))
    report = AccessReport(tuple(Access(member, entry, b"", proved=True) for member, entry in entries), ())
    found = looks(report)
    assert [(look.entry.consumer, list(look.holders())) for look in found.others] == [
        ("inprev", ["aslvs", "c_m999"]),
        ("aslvs", ["c_m999"]),
        ("inprev", ["c_m999"]),
    ]
    assert found.counts() == {"inprev": {"aslvs": 1, "c_m999": 2}, "aslvs": {"c_m999": 1}}
    assert found.own == ()


def test_the_citizens_own_questions_are_one_line_and_a_delegates_each_its_own(members: MemberList) -> None:
    later = msgspec.structs.replace(OWN, at="2026-11-23T09:00:00.000Z", request_digest="sha256:2")
    theirs = msgspec.structs.replace(OWN, request_digest="sha256:3")
    delegate = Delegation("v1.siv.portal.x", DelegationBasis.ATTORNEY)
    report = AccessReport(
        (
            Access("c_m999", later, b"", proved=True),
            Access("aslvs", later, b"", proved=True),
            Access("c_m999", OWN, b"", proved=True),
            Access("c_m999", theirs, b"", proved=True, delegation=delegate),
        ),
        (),
    )
    text = printed(report, members)
    assert "Tu: 2 volte, l'ultima il 23/11/2026 10:00:00" in text
    assert text.count("ha letto questo resoconto") == 1
    assert "in tua vece: procura" in text
    assert "Nessuno ha consultato" in printed(AccessReport((), ()), members)


def test_the_report_names_gaps_and_unproved_entries(members: MemberList) -> None:
    report = AccessReport(
        (Access("c_m999", ENTRY, b"", proved=False), Access("c_m999", OWN, b"", proved=False)),
        ("aslvs",),
        ("inprev",),
        {("inprev", "tax-assessment"): 90},
    )
    text = printed(report, members, Language.ENGLISH)
    assert "✗ not proved" in text
    assert text.count("✗ not proved") == 2
    assert "aslvs did not answer" in text
    assert "Social Security: entries were left out" in text
    assert "accesses of Social Security for Tax assessment show after 90 days" in text
    assert report_json(report)["accesses"][0]["proved"] is False
    assert list(disclosures(report)) == [report.accesses[0]]


def test_an_access_that_told_nothing_says_so(members: MemberList) -> None:
    bare = msgspec.structs.replace(ENTRY, decisions=())
    text = printed(AccessReport((Access("c_m999", bare, b"", proved=True),), ()), members)
    assert "nessun tuo dato comunicato" in text


def test_a_signal_of_change_is_no_question(members: MemberList) -> None:
    told = msgspec.structs.replace(ENTRY, kind=EntryKind.SIGNAL)
    text = printed(AccessReport((Access("c_m999", told, b"", proved=True),), ()), members)
    assert "è stato avvisato di modifiche presso Borgoverde" in text
    assert "ha interrogato" not in text
