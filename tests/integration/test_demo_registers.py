"""The demo's five registers on both databases, asked through their mappings under their policies."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import AsyncIterator, Mapping
from datetime import date
from pathlib import Path

import pytest
from graphql import GraphQLObjectType, GraphQLSchema, get_named_type

from federation.contract.errors import DatabaseUnavailableError
from node.data.database import open_database
from node.data.mapping import DatabaseSettings
from node.data.statements import Statement
from node.demo.facts import Person
from node.demo.seed import SeedReport, read_truth, seed
from node.policy.requesters import Requester
from tests.support.data import Member, demo_member
from tests.support.policies import DEMO_MEMBERS, demo
from tests.support.postgres import Server

pytestmark = [pytest.mark.integration, pytest.mark.postgres]

DAY = date(2026, 11, 22)
INPREV = Requester("national", frozenset({"6.1.e"}), "*")
USTAT = Requester("statistics", frozenset({"6.1.e", "9.2.j"}), "*")
ASLVS = Requester("health", frozenset({"6.1.d", "9.2.c"}), "3_12")
SCHOOL = Requester("school", frozenset({"6.1.e"}), "M999")
COOP = Requester("social", frozenset({"6.1.e"}), "M999")
COMUNE = Requester("municipality", frozenset({"6.1.a"}), "M999")
PURPOSES = {
    "benefit-assessment": INPREV,
    "tax-assessment": INPREV,
    "statistics": USTAT,
    "emergency-care": ASLVS,
    "school-enrolment": SCHOOL,
    "social-support": COOP,
    "service-notices": COMUNE,
}


def pseudonym(member: str, subject: bytes) -> str:
    digest = hashlib.sha256(member.encode() + subject).digest()
    return f"v1.siv.{member}.{base64.urlsafe_b64encode(digest).rstrip(b'=').decode()}"


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory) -> SeedReport:
    return seed(tmp_path_factory.mktemp("town"), 200, lambda _done, _wanted: None, pseudonym)


@pytest.fixture(scope="module")
def people(town: SeedReport) -> dict[str, Person]:
    return {person.showcase: person for person in read_truth(town.truth_file) if person.showcase}


@pytest.fixture(scope="module")
def copied(postgres: Server, town: SeedReport) -> dict[str, str]:
    """The registers in PostgreSQL, by member."""
    found = {}
    for name in DEMO_MEMBERS:
        server = postgres.database(f"demo_{name}")
        server.copy_register(town.registers[name])
        found[name] = server.url
    return found


class Opening:
    """Opens the demo's members on one of the databases, and closes them."""

    def __init__(self, town: SeedReport, urls: Mapping[str, str]) -> None:
        self._town, self._urls = town, urls
        self.opened: list[Member] = []

    def __call__(self, name: str) -> Member:
        found = demo_member(self._town.registers[name].parent, demo(name), DAY, self._urls.get(name))
        self.opened.append(found)
        return found


@pytest.fixture
def urls(database: Server | None, request: pytest.FixtureRequest) -> dict[str, str]:
    """Where the registers are; none is their own files."""
    found: dict[str, str] = {} if database is None else request.getfixturevalue("copied")
    return found


@pytest.fixture
async def member(town: SeedReport, urls: dict[str, str]) -> AsyncIterator[Opening]:
    opening = Opening(town, urls)
    yield opening
    for each in opening.opened:
        await each.plane.close()


def everything(schema: GraphQLSchema, type_name: str, above: tuple[str, ...] = ()) -> str:
    """Select every field, down to types that stand above already."""
    kind = schema.type_map[type_name]
    assert isinstance(kind, GraphQLObjectType)
    parts = []
    for name, declared in kind.fields.items():
        below = get_named_type(declared.type)
        if isinstance(below, GraphQLObjectType):
            if below.name not in above:
                parts.append(f"{name} {{ {everything(schema, below.name, (*above, type_name))} }}")
        elif not declared.args:
            parts.append(name)
    return " ".join(parts)


@pytest.mark.parametrize("purpose", PURPOSES)
@pytest.mark.parametrize("name", DEMO_MEMBERS)
async def test_every_field_of_every_member_can_be_asked_at_once(
    member: Opening, people: dict[str, Person], name: str, purpose: str
) -> None:
    asked = member(name)
    fields = everything(asked.plane.schema, "Citizen")
    for person in people.values():
        await asked.entity(PURPOSES[purpose], purpose, pseudonym(name, person.subject_id), fields)


async def test_a_citizen_under_one_purpose(member: Opening, people: dict[str, Person]) -> None:
    asked = member("c_m999")
    laura = pseudonym("c_m999", people["laura"].subject_id)
    fields = """_k_id: id givenName dateOfBirth placeOfBirth { geographicName } maritalStatus
      residence { since address { fullAddress } } household { size members { givenName yearOfBirth } }
      contactPoints { email }"""
    found = await asked.entity(INPREV, "benefit-assessment", laura, fields)
    assert found == {
        "_k_id": laura,
        "givenName": "Laura",
        "dateOfBirth": "1984-06-17",
        "placeOfBirth": {"geographicName": "Modena"},
        "maritalStatus": "married",
        "residence": {"since": "2012-09-01", "address": {"fullAddress": "Via dei Tigli 12, 99010 Borgoverde, BV"}},
        "household": {
            "size": 3,
            "members": [
                {"givenName": "Paolo", "yearOfBirth": 1982},
                {"givenName": "Laura", "yearOfBirth": 1984},
                {"givenName": "Sofia", "yearOfBirth": 2014},
            ],
        },
        "contactPoints": None,
    }


async def test_a_protected_citizens_residence_is_hidden_but_from_an_emergency(
    member: Opening, people: dict[str, Person]
) -> None:
    asked = member("c_m999")
    giulia = pseudonym("c_m999", people["giulia"].subject_id)
    hidden = await asked.entity(INPREV, "benefit-assessment", giulia, "familyName residence { municipality }")
    assert hidden["residence"] is None
    assert hidden["familyName"]
    shown = await asked.entity(ASLVS, "emergency-care", giulia, "residence { municipality }")
    assert shown["residence"] == {"municipality": "M999"}
    assert await asked.entity(USTAT, "statistics", giulia, "sex") is None


async def test_who_lives_with_a_citizen_is_touched_too(member: Opening, people: dict[str, Person]) -> None:
    asked = member("c_m999")
    query = """query($r: [_Any!]!) {
      _entities(representations: $r) { ... on Citizen { household { members { givenName } } } } }"""
    given = [{"__typename": "Citizen", "id": pseudonym("c_m999", people["laura"].subject_id)}]
    answer = await asked.ask(INPREV, "benefit-assessment", query, {"r": given})
    family = {pseudonym("c_m999", people[name].subject_id) for name in ("laura", "paolo", "sofia")}
    assert answer.subjects == family


async def test_r23_only_the_policy_opens_a_look_up_by_tax_code(member: Opening, people: dict[str, Person]) -> None:
    asked = member("c_m999")
    query = "query($by: CitizenKey!) { citizen(by: $by) { citizenship } }"
    by_code = {"by": {"taxCode": "bnclra84h57f257b"}}
    found = await asked.ask(INPREV, "tax-assessment", query, by_code)
    assert found.data == {"citizen": {"citizenship": "ITA"}}
    assert found.subjects == {pseudonym("c_m999", people["laura"].subject_id)}
    unknown = await asked.ask(INPREV, "tax-assessment", query, {"by": {"taxCode": "RSSMRA80A01H501U"}})
    assert (unknown.data, unknown.errors) == ({"citizen": None}, [])
    region = Requester("region", frozenset({"6.1.c"}), "*")
    denied = await asked.ask(region, "emergency-care", query, by_code)
    assert denied.data == {"citizen": None}
    assert [error["path"] for error in denied.errors] == [["citizen"]]
    elsewhere = member("aslvs")
    closed = await elsewhere.ask(
        ASLVS, "emergency-care", "query($by: CitizenKey!) { citizen(by: $by) { id } }", by_code
    )
    assert closed.errors[0]["extensions"]["code"] == "FIELD_DENIED"
    for each in (asked, elsewhere):
        await each.plane.database.close()


async def test_introspection_and_sdl_show_the_requesters_part(member: Opening) -> None:
    asked = member("c_m999")
    query = '{ __type(name: "Citizen") { fields { name } } }'
    answer = await asked.ask(COOP, "social-support", query)
    names = {field["name"] for field in answer.data["__type"]["fields"]}
    assert "familyName" in names
    assert not names & {"taxCode", "maritalStatus"}
    service = (await asked.ask(COOP, "social-support", "{ _service { sdl } }")).data["_service"]["sdl"]
    assert "familyName" in service
    assert "maritalStatus" not in service


async def test_a_statement_is_compiled_once_for_other_keys_and_again_for_other_plans(member: Opening) -> None:
    asked = member("inprev")
    query = "query($r: [_Any!]!) { _entities(representations: $r) { ... on Citizen { isee } } }"
    plans = asked.plans(INPREV, "benefit-assessment")("Citizen")
    for key in ("a", "b"):
        await asked.ask(INPREV, "benefit-assessment", query, {"r": [{"__typename": "Citizen", "id": key}]})
    assert len(asked.plane._known) == 1
    await asked.ask(INPREV, "statistics", query, {"r": []})
    assert len(asked.plane._known) == 2
    assert plans is asked.plans(INPREV, "benefit-assessment")("Citizen")


def test_a_missing_database_is_named_with_the_way_out(tmp_path: Path) -> None:
    with pytest.raises(DatabaseUnavailableError, match=r"does not exist; check `database.url`"):
        open_database(DatabaseSettings("sqlite:///nothing.db", None, 5), tmp_path)
    (tmp_path / "text.db").write_text("this is no database at all, it is only text " * 50, encoding="utf-8")
    with pytest.raises(DatabaseUnavailableError) as raised:
        open_database(DatabaseSettings("sqlite:///text.db", None, 5), tmp_path)
    assert "only text" not in str(raised.value)


async def test_a_slow_statement_is_stopped(town: SeedReport) -> None:
    database = open_database(DatabaseSettings("sqlite:///register.db", None, 1), town.registers["aslvs"].parent)
    endless = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT count(*) FROM n"
    with pytest.raises(DatabaseUnavailableError):
        await database.rows(Statement(endless, {}, None), {})
    await database.close()
