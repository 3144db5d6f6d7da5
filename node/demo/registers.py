"""Writes the demo's people into five registers, each the way an Italian legacy system would: its own tables and codes.

The inverse of these functions is written by hand in `deploy/demo/<member>/node.yaml`; the demo's check compares what
comes back with the people themselves, so a mistake in either shows.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from typing import Final, TypeVar

from node.demo.facts import (
    MUNICIPALITY,
    CivilRecord,
    HealthRecord,
    Holding,
    Person,
    SchoolRecord,
    SecurityRecord,
    SupportRecord,
)

Value = str | int | float | None
Row = tuple[str, tuple[Value, ...]]
"""A table and the values of one row, in the order of its columns."""

_ITALIAN_TIME: Final = timezone(timedelta(hours=1))

_SEX: Final = {"male": "1", "female": "2"}
_CITIZENSHIP: Final = {
    "ITA": "100",
    "ALB": "201",
    "FRA": "215",
    "ROU": "235",
    "UKR": "243",
    "MDA": "254",
    "CHN": "314",
    "PHL": "323",
    "PAK": "344",
    "MAR": "436",
    "NGA": "443",
}
_MARITAL: Final = {"single": "1", "married": "2", "widowed": "3", "divorced": "4", "civil-partner": "6"}
_POSITION: Final = {"resident": "R", "emigrated": "E", "deceased": "D"}
_KINSHIP: Final = {"head": "1", "spouse": "2", "child": "3", "partner": "23"}
_CONTACT: Final = {"email": "1", "telephone": "2", "certified-email": "3"}
_CASE_STATUS: Final = {"open": "10", "waiting": "20", "closed": "80", "rejected": "90"}
_CHANNEL: Final = {
    "counter": "01.1.1",
    "call-centre": "03.2",
    "certified-email": "04.1",
    "email": "04.2",
    "app": "05.1",
}
_DIRECTION: Final = {"inbound": "E", "outbound": "U"}
_OUTCOME: Final = {"resolved": "R", "forwarded": "I", "waiting": "A"}
_PURPOSE: Final = {"service-notices": "AVV"}
_BENEFIT: Final = {
    "old-age-pension": "VO",
    "universal-child-allowance": "AUU",
    "inclusion-allowance": "ADI",
    "unemployment-benefit": "NASPI",
    "attendance-allowance": "IFREQ",
}
_BENEFIT_STATUS: Final = {"active": "1", "suspended": "2", "ended": "9"}
_ENROLMENT: Final = {"active": "F", "completed": "C", "transferred": "T", "withdrawn": "R"}
_SUPPORT_KIND: Final = {
    "home-help": "ass_dom",
    "job-placement": "ins_lav",
    "educational-support": "edu",
    "housing-support": "abit",
    "listening-desk": "ascolto",
}
_SUPPORT_STATUS: Final = {"active": "in corso", "ended": "chiuso"}


@dataclass(frozen=True, slots=True)
class Register:
    """A member's register: whose records it has, how it writes them, and in which capacities it knows a person."""

    member: str
    knows: Callable[[Person], bool]
    rows: Callable[[Person, str], Iterator[Row]]
    capacities: Callable[[Person], tuple[tuple[str, str], ...]]

    def holdings(self, person: Person) -> Iterator[Holding]:
        """Yield what the reference directory says about this register and a person."""
        for capacity, since in self.capacities(person):
            yield Holding(person.subject, self.member, capacity, since)


def _municipality(person: Person, pseudonym: str) -> Iterator[Row]:
    record = _present(person.civil)
    home = record.home
    if record.kinship == "head":
        yield ("FAMIGLIE", (record.household, _compact(record.since)))
    yield (
        "ANAGRAFE",
        (
            record.number,
            pseudonym,
            record.tax_code,
            record.family_name,
            record.given_name,
            record.born.replace("-", "").ljust(8, "0"),
            int(record.born[:4]),
            record.birthplace.code if record.birthplace else None,
            _SEX[record.sex],
            _CITIZENSHIP[record.citizenship],
            record.marital_status and _MARITAL[record.marital_status],
            _POSITION[record.status],
            _compact(record.since),
            _compact(record.until),
            MUNICIPALITY,
            home.thoroughfare,
            home.number,
            home.post_code,
            home.town,
            home.province,
            record.household,
            _KINSHIP[record.kinship],
            None if record.protected is None else "S" if record.protected else "N",
            record.household_size,
        ),
    )
    for contact in record.contacts:
        preferred = "S" if contact.preferred else "N"
        language = contact.language and contact.language.upper()
        yield (
            "RECAPITI",
            (None, record.number, _CONTACT[contact.channel], contact.email, contact.telephone, preferred, language),
        )
    for case in record.cases:
        opened, deadline = _compact(case.opened_on), _compact(case.deadline)
        yield (
            "PRATICHE",
            (case.number, record.number, case.service, case.title, _CASE_STATUS[case.status], opened, deadline),
        )
    for dealing in record.dealings:
        at = datetime.fromisoformat(dealing.at).astimezone(_ITALIAN_TIME).strftime("%Y%m%d%H%M%S")
        outcome = dealing.outcome and _OUTCOME[dealing.outcome]
        channel, direction = _CHANNEL[dealing.channel], _DIRECTION[dealing.direction]
        yield ("CONTATTI", (None, record.number, channel, direction, dealing.topic, outcome, at, dealing.service))
    for consent in record.consents:
        days = (_compact(consent.given), _compact(consent.withdrawn), _compact(consent.expires))
        yield ("CONSENSI", (None, record.number, _PURPOSE[consent.purpose], "c_m999", *days))


def _health(person: Person, pseudonym: str) -> Iterator[Row]:
    record = _present(person.health)
    code = f"VS{record.number:08}"
    yield (
        "ASSISTITI",
        (
            code,
            pseudonym,
            record.tax_code,
            record.family_name.upper(),
            record.given_name.upper(),
            _slashed(record.born),
            {"male": "M", "female": "F", None: None}[record.sex],
            record.area,
            int(record.protected),
            _slashed(record.since),
        ),
    )
    for exemption in record.exemptions:
        until = exemption.valid_until and _slashed(exemption.valid_until)
        yield ("ESENZIONI", (None, code, exemption.code, _slashed(exemption.valid_from), until))
    if record.disability is not None:
        outcome = "RIC" if record.disability.recognised else "NEG"
        when = record.disability.recognised_on.replace("-", "").ljust(6, "0")
        yield ("INVALIDITA", (code, outcome, record.disability.percentage, when))


def _social_security(person: Person, pseudonym: str) -> Iterator[Row]:
    record = _present(person.security)
    yield (
        "TSOG001",
        (
            record.number,
            pseudonym,
            record.tax_code,
            record.family_name.upper(),
            record.given_name.upper(),
            record.born,
            "1" if record.protected else "0",
            None if record.isee is None else float(record.isee),
        ),
    )
    for benefit in record.benefits:
        kind, status = _BENEFIT[benefit.kind], _BENEFIT_STATUS[benefit.status]
        days = (_compact(benefit.valid_from), _compact(benefit.valid_until))
        yield ("TPRE010", (benefit.number, record.number, kind, status, float(benefit.amount), *days))
    for year in record.contributions:
        yield ("TCON020", (None, record.number, year.year, year.weeks, year.employer, float(year.amount)))


def _school(person: Person, pseudonym: str) -> Iterator[Row]:
    record = _present(person.school)
    enrolled = "SI" if record.currently_enrolled else "NO"
    names = (record.family_name, record.given_name)
    yield ("ALUNNI", (record.number, pseudonym, record.tax_code, *names, _slashed(record.born), enrolled))
    for year in record.enrolments:
        meals = None if year.meal_service is None else "SI" if year.meal_service else "NO"
        row = (None, record.number, year.school_year, year.school, year.grade, _ENROLMENT[year.status], meals)
        yield ("ISCRIZIONI", row)
    for consent in record.consents:
        withdrawn, expires = (day and _slashed(day) for day in (consent.withdrawn, consent.expires))
        yield ("AUTORIZZAZIONI", (None, record.number, "MENSA", _slashed(consent.given), withdrawn, expires))


def _cooperative(person: Person, pseudonym: str) -> Iterator[Row]:
    record = _present(person.support)
    yield ("utenti", (record.number, pseudonym, record.initials, record.birth_year, int(record.active), record.since))
    for programme in record.programmes:
        yield (
            "progetti",
            (
                programme.number,
                record.number,
                _SUPPORT_KIND[programme.kind],
                _SUPPORT_STATUS[programme.status],
                programme.started_on,
                programme.ended_on,
                programme.weekly_hours,
                programme.notes,
            ),
        )


def _insured_as(record: SecurityRecord) -> tuple[tuple[str, str], ...]:
    insured = (("insured", record.since),)
    return (
        (*insured, ("beneficiary", min(benefit.valid_from for benefit in record.benefits)))
        if record.benefits
        else insured
    )


_Record = TypeVar("_Record", CivilRecord, HealthRecord, SecurityRecord, SchoolRecord, SupportRecord)


def _present(record: _Record | None) -> _Record:
    assert record is not None, "a register writes only the people it knows"
    return record


def _compact(day: str | None) -> str | None:
    return None if day is None else day.replace("-", "")


def _slashed(day: str) -> str:
    year, month, of_month = day.split("-")
    return f"{of_month}/{month}/{year}"


REGISTERS: Final = (
    Register(
        "c_m999",
        lambda person: person.civil is not None,
        _municipality,
        lambda person: (("resident", _present(person.civil).since),),
    ),
    Register(
        "aslvs",
        lambda person: person.health is not None,
        _health,
        lambda person: (("patient", _present(person.health).since),),
    ),
    Register(
        "inprev",
        lambda person: person.security is not None,
        _social_security,
        lambda person: _insured_as(_present(person.security)),
    ),
    Register(
        "istsc_bv01",
        lambda person: person.school is not None,
        _school,
        lambda person: (("pupil", _present(person.school).since),),
    ),
    Register(
        "coop_ponte",
        lambda person: person.support is not None,
        _cooperative,
        lambda person: (("beneficiary", _present(person.support).since),),
    ),
)
