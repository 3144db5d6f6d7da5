"""The five registers, read through their mappings without joins or policies, give back the people as they were made.

The reader below is the plain meaning of a mapping: one row, one expression, one relation at a time.
"""

import sqlite3
from collections import defaultdict
from collections.abc import Mapping as MappingOf
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest
from graphql import GraphQLList, GraphQLObjectType

from node.data.expressions import (
    Age,
    Coalesce,
    Coded,
    Column,
    Concat,
    Constant,
    DateFormat,
    Day,
    Expression,
    Joined,
    JsonAt,
    Moment,
    OwnerAttribute,
    Trimmed,
    Truth,
    Typed,
    ValueSet,
)
from node.data.mapping import Mapping, Relation, Source
from node.demo.facts import CivilRecord, Person
from node.demo.records import SERVICES
from node.demo.seed import SeedReport, demo_files
from node.demo.truth import _EXEMPTIONS, _SCHOOLS
from node.vocabulary.schema import full_schema

TODAY = date(2026, 11, 22)
Row = MappingOf[str, Any]
Tree = Any


@dataclass(slots=True)
class RegisterReader:
    """Reads objects of the vocabulary out of a register, row by row."""

    mapping: Mapping
    tables: dict[str, list[Row]]
    _indexes: dict[tuple[str, tuple[str, ...]], dict[tuple[Any, ...], list[Row]]] = field(default_factory=dict)

    @classmethod
    def open(cls, member: str, report: SeedReport) -> "RegisterReader":
        text = (demo_files() / member / "node.yaml").read_text(encoding="utf-8")
        with sqlite3.connect(report.registers[member]) as connection:
            connection.row_factory = sqlite3.Row
            names = [name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
            tables: dict[str, list[Row]] = {
                name: [dict(row) for row in connection.execute(f"SELECT * FROM {name}")] for name in names
            }
        return cls(Mapping.parse(text), tables)

    def citizen(self, pseudonym: str) -> Tree:
        source = self.mapping.sources["Citizen"]
        assert source.table
        assert source.subject
        (row,) = self._rows(source.table, (source.subject,), (pseudonym,))
        return self.tree(source, row) | {
            name: self.value(expression, row) for name, expression in source.attributes.items()
        }

    def tree(self, source: Source, row: Row) -> Tree:
        found = {name: self.value(expression, row) for name, expression in source.fields.items()}
        if source.key and source.key.field == "id" and source.name != "Citizen":
            found["id"] = str(row[source.key.columns[0]])
        return found | {name: self._related(source, name, relation, row) for name, relation in source.relations.items()}

    def _related(self, source: Source, name: str, relation: Relation, row: Row) -> Tree:
        target = self.mapping.sources[relation.to]
        if target.table is None:
            return self.tree(target, row) if any(row[column] is not None for column in target.present) else None

        if relation.through:
            rows = self._joined(row, relation.join, relation.through.table)
            rows = [last for middle in rows for last in self._joined(middle, relation.through.then, target.table)]
        else:
            rows = self._joined(row, relation.join, target.table)
        for test in target.only:
            rows = [row for row in rows if (row[test.column] in test.values) is not test.negated]
        trees = [self.tree(target, row) for row in rows]
        for key in reversed(relation.order):
            trees.sort(key=lambda tree, key=key: tree[key.field], reverse=key.descending)  # type: ignore[misc]  # bound now
        declared = full_schema().type_map[source.type_name]
        assert isinstance(declared, GraphQLObjectType)
        return trees if isinstance(declared.fields[name].type, GraphQLList) else (trees[0] if trees else None)

    def _joined(self, row: Row, join: tuple[tuple[str, str], ...], table: str) -> list[Row]:
        return self._rows(table, tuple(there for _, there in join), tuple(row[here] for here, _ in join))

    def _rows(self, table: str, columns: tuple[str, ...], values: tuple[Any, ...]) -> list[Row]:
        if (table, columns) not in self._indexes:
            index: dict[tuple[Any, ...], list[Row]] = defaultdict(list)
            for row in self.tables[table]:
                index[tuple(row[column] for column in columns)].append(row)
            self._indexes[table, columns] = index
        return self._indexes[table, columns].get(values, [])

    def value(self, expression: Expression, row: Row) -> Any:
        match expression:
            case Column(name):
                return row[name]
            case Constant(value):
                return value
            case Concat(parts):
                values = [self.value(part, row) for part in parts]
                return None if None in values else "".join(str(value) for value in values)
            case Joined(parts, separator):
                return separator.join(str(v) for part in parts if (v := self.value(part, row)) not in (None, ""))
            case Trimmed(of):
                return self.value(of, row).strip()
            case Typed(of, _):
                return self.value(of, row)
            case Coded(of, words, otherwise):
                return dict(words).get(str(self.value(of, row)), otherwise)
            case Truth(of, true, false):
                text = str(self.value(of, row))
                return True if text in true else False if text in false else None
            case Day(of, form):
                return _day(self.value(of, row), form)
            case Moment(of, _, offset):
                local = datetime.strptime(self.value(of, row) + offset, "%Y%m%d%H%M%S%z")
                return local.astimezone(UTC).isoformat().replace("+00:00", "Z")
            case Age(of):
                day = self.value(of, row)
                if len(day) < 10:
                    return None
                return TODAY.year - int(day[:4]) - (TODAY.isoformat()[5:] < day[5:])
            case Coalesce() | JsonAt() | OwnerAttribute() | ValueSet():
                raise AssertionError("no mapping of the demo reads a citizen with these")


def _day(text: str | None, form: DateFormat) -> str | None:
    if text is None:
        return None
    match form:
        case DateFormat.YYYYMMDD | DateFormat.YYYYMM:
            year, month, day = text[:4], text[4:6], text[6:8]
        case DateFormat.DAY_FIRST:
            day, month, year = text.split("/")
        case _:
            year, month, day = [*text.split("-"), "", ""][:3]
    return "-".join(part for part in (year, month, day) if part and part != "00")


def _euro(amount: str | None) -> Decimal | None:
    return None if amount is None else Decimal(amount)


def _same(found: Tree, expected: Tree) -> None:
    """Compare what the expectation names; the register may hold more."""
    match expected:
        case dict():
            assert isinstance(found, dict)
            for name, value in expected.items():
                _same(found[name], value)
        case list():
            assert len(found) == len(expected)
            for one, other in zip(found, expected, strict=True):
                _same(one, other)
        case Decimal():
            assert Decimal(str(found)) == expected
        case _:
            assert found == expected
            assert type(found) is type(expected)


@pytest.fixture(scope="session")
def readers(seeded: SeedReport) -> dict[str, RegisterReader]:
    return {member: RegisterReader.open(member, seeded) for member in seeded.registers}


def test_the_municipality_gives_back_its_records(
    readers: dict[str, RegisterReader], people: list[Person], pseudonym_of: Any
) -> None:
    households: dict[int, list[CivilRecord]] = defaultdict(list)
    for person in people:
        if person.civil and person.civil.status == "resident":
            households[person.civil.household].append(person.civil)
    for person in people:
        if person.civil:
            found = readers["c_m999"].citizen(pseudonym_of("c_m999", person.subject_id))
            family = sorted(households[person.civil.household], key=lambda member: (member.born[:4], member.number))
            _same(found, _civil_tree(person.civil, family))


def _civil_tree(record: CivilRecord, family: list[CivilRecord]) -> Tree:
    home = record.home
    place = record.birthplace
    return {
        "taxCode": record.tax_code,
        "givenName": record.given_name,
        "familyName": record.family_name,
        "dateOfBirth": record.born,
        "placeOfBirth": place and {"geographicName": place.name, "geographicIdentifier": place.code},
        "sex": record.sex,
        "citizenship": record.citizenship,
        "maritalStatus": record.marital_status,
        "residency": record.status,
        "municipality": "M999",
        "protectedPerson": record.protected,
        "residence": {
            "municipality": "M999",
            "since": record.since,
            "until": record.until,
            "status": record.status,
            "address": {
                "fullAddress": f"{home.thoroughfare} {home.number}, {home.post_code} {home.town}, {home.province}",
                "thoroughfare": home.thoroughfare,
                "locatorDesignator": home.number,
                "postCode": home.post_code,
                "postName": home.town,
                "adminUnitL1": "IT",
                "adminUnitL2": home.province,
            },
        },
        "household": {
            "size": record.household_size,
            "kinship": record.kinship,
            "members": [
                {"givenName": member.given_name, "yearOfBirth": int(member.born[:4]), "kinship": member.kinship}
                for member in family
            ],
        },
        "contactPoints": [
            {
                "channel": contact.channel,
                "email": contact.email,
                "telephone": contact.telephone,
                "preferred": contact.preferred,
                "language": contact.language,
            }
            for contact in record.contacts
        ],
        "cases": [
            {
                "id": case.number,
                "title": case.title,
                "status": case.status,
                "openedOn": case.opened_on,
                "deadline": case.deadline,
                "service": {"id": case.service, "title": SERVICES[case.service]},
            }
            for case in record.cases
        ],
        "interactions": [
            {
                "channel": dealing.channel,
                "direction": dealing.direction,
                "topic": dealing.topic,
                "outcome": dealing.outcome,
                "at": dealing.at,
                "service": dealing.service and {"title": SERVICES[dealing.service]},
            }
            for dealing in record.dealings
        ],
    }


def test_the_health_authority_gives_back_its_records(
    readers: dict[str, RegisterReader], people: list[Person], pseudonym_of: Any
) -> None:
    for person in people:
        if record := person.health:
            found = readers["aslvs"].citizen(pseudonym_of("aslvs", person.subject_id))
            disability = record.disability
            expected = {
                "area": record.area,
                "protectedPerson": record.protected,
                "healthExemptions": [
                    {
                        "code": exemption.code,
                        "description": _EXEMPTIONS[exemption.code],
                        "validFrom": exemption.valid_from,
                        "validUntil": exemption.valid_until,
                    }
                    for exemption in record.exemptions
                ],
                "disability": disability
                and {
                    "recognised": disability.recognised,
                    "percentage": disability.percentage,
                    "recognisedOn": disability.recognised_on,
                },
            }
            _same(found, expected)


def test_social_security_gives_back_its_records(
    readers: dict[str, RegisterReader], people: list[Person], pseudonym_of: Any
) -> None:
    for person in people:
        if record := person.security:
            found = readers["inprev"].citizen(pseudonym_of("inprev", person.subject_id))
            benefits = sorted(record.benefits, key=lambda benefit: benefit.valid_from, reverse=True)
            expected = {
                "protectedPerson": record.protected,
                "isee": _euro(record.isee),
                "benefits": [
                    {
                        "id": benefit.number,
                        "kind": benefit.kind,
                        "status": benefit.status,
                        "amount": _euro(benefit.amount),
                        "validFrom": benefit.valid_from,
                        "validUntil": benefit.valid_until,
                    }
                    for benefit in benefits
                ],
                "contributions": [
                    {"year": year.year, "weeks": year.weeks, "employer": year.employer, "amount": _euro(year.amount)}
                    for year in record.contributions
                ],
            }
            _same(found, expected)


def test_the_school_gives_back_its_records(
    readers: dict[str, RegisterReader], people: list[Person], pseudonym_of: Any
) -> None:
    for person in people:
        if record := person.school:
            found = readers["istsc_bv01"].citizen(pseudonym_of("istsc_bv01", person.subject_id))
            expected = {
                "currentlyEnrolled": record.currently_enrolled,
                "enrolments": [
                    {
                        "schoolYear": year.school_year,
                        "grade": year.grade,
                        "status": year.status,
                        "mealService": year.meal_service,
                        "school": {
                            "id": year.school,
                            "prefLabel": _SCHOOLS[year.school][0],
                            "classification": _SCHOOLS[year.school][1],
                        },
                    }
                    for year in record.enrolments
                ],
            }
            _same(found, expected)


def test_the_cooperative_gives_back_its_records(
    readers: dict[str, RegisterReader], people: list[Person], pseudonym_of: Any
) -> None:
    for person in people:
        if record := person.support:
            found = readers["coop_ponte"].citizen(pseudonym_of("coop_ponte", person.subject_id))
            expected = {
                "activeProgramme": record.active,
                "supportProgrammes": [
                    {
                        "id": programme.number,
                        "kind": programme.kind,
                        "status": programme.status,
                        "startedOn": programme.started_on,
                        "endedOn": programme.ended_on,
                        "weeklyHours": programme.weekly_hours,
                        "notes": programme.notes,
                    }
                    for programme in record.programmes
                ],
            }
            _same(found, expected)
