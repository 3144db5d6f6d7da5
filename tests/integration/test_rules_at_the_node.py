"""The rules of the policy at a node of the demo: its register, its bundle, its decisions, its journal.

Each test runs twice: the register is the SQLite file of the demo, and its copy in PostgreSQL.
"""

from __future__ import annotations

import asyncio
import shutil
import sqlite3
from collections.abc import AsyncIterator
from contextlib import closing
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import msgspec
import pytest
from graphql import GraphQLObjectType, is_non_null_type

from federation.contract.entries import EntryKind
from federation.contract.errors import (
    AgreementError,
    BadInputError,
    DatabaseUnavailableError,
    FieldDeniedError,
    LedgerUnavailableError,
    ValidationError,
)
from federation.contract.identifiers import MemberId
from federation.contract.members import AgreedProvider, AgreementState
from federation.contract.on_denied import OnDenied
from node.data.answer import Answer
from node.demo.facts import Person
from node.demo.seed import SeedReport, read_truth, seed
from node.policy.bundle import Bundle, load_bundle
from tests.support.data import SEALER
from tests.support.nodes import (
    ASLVS,
    COOP,
    DAY,
    INPREV,
    NOBODY,
    SCHOOL,
    TAXES,
    USTAT,
    Asks,
    DemoMember,
    asked_node,
    open_demo_member,
    pseudonym,
)
from tests.support.parties import Parties
from tests.support.policies import ROOT, demo, folder_files
from tests.support.postgres import Server

pytestmark = pytest.mark.integration

LAURA_CODE = "BNCLRA84H57F257B"
LAURA = f'{{ citizen(by: {{taxCode: "{LAURA_CODE}"}}) {{ %s }} }}'
ENTITIES = "query($r: [_Any!]!) { _entities(representations: $r) { ... on Citizen { %s } } }"


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory) -> SeedReport:
    return seed(tmp_path_factory.mktemp("town"), 200, lambda _done, _wanted: None, pseudonym)


@pytest.fixture(scope="module")
def people(town: SeedReport) -> dict[str, str]:
    """The municipality's pseudonym of each documented person."""
    found: list[Person] = [person for person in read_truth(town.truth_file) if person.showcase]
    return {str(person.showcase): pseudonym("c_m999", person.subject_id) for person in found}


@pytest.fixture(scope="module")
def copied(postgres: Server, town: SeedReport) -> Server:
    """The register in PostgreSQL."""
    server = postgres.database("town")
    server.copy_register(register_of(town))
    return server


@pytest.fixture
def url(database: Server | None, request: pytest.FixtureRequest) -> str | None:
    """Where the register is; None is its own file."""
    return None if database is None else request.getfixturevalue("copied").url


@pytest.fixture
async def borgoverde(town: SeedReport, url: str | None) -> AsyncIterator[DemoMember]:
    member = open_demo_member(register_of(town).parent, demo("c_m999"), url)
    yield member
    await member.plane.database.close()


def changed(type_name: str, old: str, new: str) -> Bundle:
    """Return the municipality's bundle with one text of one document changed."""
    files = folder_files(ROOT / "policies" / "c_m999")
    path = f"types/{type_name}.yaml"
    before = files[path].decode()
    assert old in before
    return load_bundle(files | {path: before.replace(old, new).encode()})


def register_of(town: SeedReport) -> Path:
    return town.registers["c_m999"]


def counted(town: SeedReport, sql: str, *values: object) -> int:
    with closing(sqlite3.connect(register_of(town))) as connection:
        return int(connection.execute(sql, values).fetchone()[0])


def codes(answer: Answer) -> set[str]:
    return {error["extensions"]["code"] for error in answer.errors}


# --- the shape of the answer -----------------------------------------------------------------------------------------


async def test_r12_a_denied_field_is_null_with_its_path_and_one_message(
    borgoverde: DemoMember, people: dict[str, str]
) -> None:
    answer = await borgoverde.citizens(INPREV, [people["laura"]], "givenName hers: sex household { size }")
    [laura] = answer.data["_entities"]
    assert laura == {"givenName": "Laura", "hers": None, "household": {"size": 3}}
    [error] = answer.errors
    assert error == {
        "message": "the field is denied for this purpose",
        "path": ["_entities", 0, "hers"],
        "extensions": {"code": "FIELD_DENIED"},
    }


async def test_r12_reject_refuses_the_whole_and_names_every_denied_field(
    borgoverde: DemoMember, tmp_path: Path
) -> None:
    parties = Parties()
    parties.agreement = msgspec.structs.replace(parties.agreement, on_denied=OnDenied.REJECT)
    with asked_node(borgoverde, tmp_path, parties) as asked:
        with pytest.raises(FieldDeniedError) as refused:
            await asked.ask(LAURA % "givenName sex contactPoints { email }")
        assert set(refused.value.graphql()["extensions"]["coordinates"]) >= {"Citizen.sex", "Citizen.contactPoints"}
        assert (await asked.ask(LAURA % "givenName"))["data"] == {"citizen": {"givenName": "Laura"}}
        assert [entry.kind for entry in asked.entries()] == [EntryKind.REFUSAL, EntryKind.DISCLOSURE]


async def test_r13_a_protected_home_is_null_without_an_error(borgoverde: DemoMember, people: dict[str, str]) -> None:
    both = [people["giulia"], people["laura"]]
    answer = await borgoverde.citizens(INPREV, both, "residence { address { fullAddress } }")
    giulia, laura = answer.data["_entities"]
    assert giulia == {"residence": None}
    assert laura["residence"]["address"]["fullAddress"].startswith("Via dei Tigli")
    assert answer.errors == []
    alone = [await borgoverde.citizens(INPREV, [key], "residence { address { fullAddress } }") for key in both]
    assert alone[0].decisions == alone[1].decisions  # what is told about the decision is the same for both


def test_r14_every_governed_field_of_the_node_is_nullable(borgoverde: DemoMember) -> None:
    for name in borgoverde.decisions.bundle.types:
        kind = borgoverde.plane.schema.type_map[name]
        assert isinstance(kind, GraphQLObjectType)
        assert [field for field, declared in kind.fields.items() if is_non_null_type(declared.type)] == []


async def test_r14_a_key_that_the_agreement_leaves_out_leaves_its_object(
    borgoverde: DemoMember, people: dict[str, str]
) -> None:
    narrow = replace(INPREV, coordinates=("Citizen.givenName",))
    answer = await borgoverde.citizens(narrow, [people["laura"]], "id givenName familyName")
    assert answer.data["_entities"] == [{"id": None, "givenName": "Laura", "familyName": None}]
    assert [error["path"][-1] for error in answer.errors] == ["id", "familyName"]


PLAIN = "givenName sex dateOfBirth residence { municipality address { fullAddress } }"
SAME = {
    "alias": (ENTITIES % f"__typename {PLAIN}").replace("givenName", "givenName: givenName"),
    "fragment": ENTITIES % "...C" + f" fragment C on Citizen {{ {PLAIN} }}",
    "nested fragments": ENTITIES % "...A"
    + " fragment A on Citizen { givenName sex ...B }"
    + " fragment B on Citizen { dateOfBirth residence { ...R } }"
    + " fragment R on Residence { municipality address { ... on Address { fullAddress } } }",
    "inline fragments": ENTITIES % f"... {{ ... on Citizen {{ ... on _Entity {{ ... on Citizen {{ {PLAIN} }} }} }} }}",
    "directives": ENTITIES % PLAIN.replace("sex", "sex @include(if: true) taxCode @skip(if: true)"),
    "variables": (ENTITIES % PLAIN.replace("sex", "sex @skip(if: $no) taxCode @include(if: $no)")).replace(
        "$r: [_Any!]!", "$r: [_Any!]!, $no: Boolean = false"
    ),
    "repeated": ENTITIES % f"{PLAIN} sex {PLAIN}",
    "literals": '{ _entities(representations: [{__typename: "Citizen", id: "%s"}]) { ... on Citizen { '
    + PLAIN
    + " } } }",
    "several operations": "query Other { __typename } " + (ENTITIES % PLAIN).replace("query(", "query Asked(", 1),
}


@pytest.mark.parametrize("who", [INPREV, ASLVS, SCHOOL, USTAT, COOP, NOBODY], ids=lambda who: str(who.consumer))
@pytest.mark.parametrize("writing", SAME)
async def test_r15_however_a_question_is_written_the_decision_is_the_same(
    borgoverde: DemoMember, people: dict[str, str], writing: str, who: Asks
) -> None:
    key = people["giulia"]
    plain = await borgoverde.citizens(who, [key], PLAIN)
    query = SAME[writing].replace("%s", key)
    given = {"r": [{"__typename": "Citizen", "id": key}]} if "$r" in query else {}
    name = "Asked" if "query Asked" in query else None
    other = await borgoverde.ask(who, query, given, operation_name=name)
    for entity in other.data["_entities"]:
        if entity is not None:
            entity.pop("__typename", None)
    assert other.data == plain.data
    assert sorted(map(repr, other.errors)) == sorted(map(repr, plain.errors))
    assert set(other.decisions) == set(plain.decisions)


async def test_r15_what_would_answer_in_parts_is_refused(borgoverde: DemoMember) -> None:
    with pytest.raises(ValidationError):
        await borgoverde.ask(USTAT, "{ citizens { edges { ... @defer { node { sex } } } } }")


async def test_r16_lists_hold_visible_rows_only(
    borgoverde: DemoMember, town: SeedReport, people: dict[str, str]
) -> None:
    query = "{ citizens(first: 100) { __typename totalCount edges { __typename node { __typename sex } } } }"
    found = (await borgoverde.ask(USTAT, query)).data["citizens"]
    visible = counted(town, "SELECT count(*) FROM ANAGRAFE WHERE POS_ANAG = 'R' AND FL_TUTELA = 'N'")
    everybody = counted(town, "SELECT count(*) FROM ANAGRAFE")
    assert found["totalCount"] == visible < everybody
    assert len(found["edges"]) == min(100, visible)
    assert all(edge["node"]["__typename"] == "Citizen" for edge in found["edges"])
    hidden = await borgoverde.citizens(USTAT, [people["giulia"], "absent", people["laura"]], "__typename")
    assert hidden.data["_entities"] == [None, None, {"__typename": "Citizen"}]
    assert hidden.errors == []


async def test_r18_a_concrete_fragment_keeps_its_own_decision(
    borgoverde: DemoMember, town: SeedReport, people: dict[str, str]
) -> None:
    with closing(sqlite3.connect(register_of(town))) as connection:
        [case] = connection.execute("SELECT NUM_PRAT FROM PRATICHE LIMIT 1").fetchone()
        [service] = connection.execute("SELECT COD_SERV FROM SERVIZI LIMIT 1").fetchone()
    query = """query($r: [_Any!]!) { _entities(representations: $r) {
      __typename ... on Citizen { sex } ... on ServiceCase { title status } ... on PublicService { title } } }"""
    given = [
        {"__typename": "Citizen", "id": people["laura"]},
        {"__typename": "ServiceCase", "id": case},
        {"__typename": "PublicService", "id": service},
    ]
    answer = await borgoverde.ask(USTAT, query, {"r": given})
    citizen, its_case, its_service = answer.data["_entities"]
    assert citizen == {"__typename": "Citizen", "sex": "female"}
    assert its_case["title"] is None
    assert its_case["status"] is not None
    assert its_service["title"]
    assert [error["path"] for error in answer.errors] == [["_entities", 1, "title"]]


# --- what a schema tells ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("who", [COOP, NOBODY], ids=lambda who: str(who.consumer))
async def test_r20_introspection_and_sdl_tell_nothing_of_denied_fields(borgoverde: DemoMember, who: Asks) -> None:
    answer = await borgoverde.ask(who, "{ __schema { types { name fields { name } inputFields { name } } } }")
    sdl = (await borgoverde.ask(who, "{ _service { sdl } }")).data["_service"]["sdl"]
    fields = {
        f"{kind['name']}.{each['name']}" for kind in answer.data["__schema"]["types"] for each in kind["fields"] or ()
    }
    assert "Citizen.maritalStatus" not in fields
    assert "maritalStatus" not in sdl
    assert ("Citizen.givenName" in fields) is ("givenName" in sdl) is (who is COOP)


async def test_r20_no_error_suggests_a_name(borgoverde: DemoMember, tmp_path: Path) -> None:
    with asked_node(borgoverde, tmp_path, Parties()) as asked:
        for query in (
            "{ citizens { edges { node { maritalStatu } } } }",
            "{ citizen { id } }",
            "{ citizens(frist: 1) { totalCount } }",
            '{ citizens(where: {givenNam: {eq: "x"}}) { totalCount } }',
            "{ citizens(orderBy: [{sex: ASCENDING}]) { totalCount } }",
            "{ citizens { edges { node { ... on Citizn { id } } } } }",
        ):
            with pytest.raises(ValidationError) as refused:
                await asked.ask(query)
            assert "Did you mean" not in str(refused.value)
            assert not [word for word in ("maritalStatus", "givenName", "first") if word in str(refused.value)]


# --- inference -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "variables"),
    [
        ('(where: {givenName: {startsWith: "L"}})', {}),
        ("(where: $w)", {"w": {"not": {"familyName": {"eq": "Bianchi"}}}}),
        ("(where: $w)", {"w": {"and": [{"sex": {"eq": "female"}}, {"or": [{"givenName": {"in": []}}]}]}}),
        ("(orderBy: [{sex: ASC}, {familyName: DESC}])", {}),
    ],
)
@pytest.mark.parametrize("selected", ["totalCount", "edges { node { sex } }", "pageInfo { hasNextPage }"])
async def test_r21_naming_a_denied_field_is_denied_whatever_is_selected(
    borgoverde: DemoMember, arguments: str, variables: dict[str, Any], selected: str
) -> None:
    head = "query($w: CitizenWhere)" if variables else "query"
    answer = await borgoverde.ask(USTAT, f"{head} {{ citizens{arguments} {{ {selected} }} }}", variables)
    assert answer.data == {"citizens": None}
    assert codes(answer) == {"FIELD_DENIED"}
    assert borgoverde.watched.ran == []


async def test_r22_a_filter_sees_the_year_and_never_the_day(borgoverde: DemoMember, town: SeedReport) -> None:
    year, day = "1984", "1984-06-17"
    born = counted(
        town,
        "SELECT count(*) FROM ANAGRAFE WHERE POS_ANAG = 'R' AND FL_TUTELA = 'N' AND substr(DT_NASC, 1, 4) = ?",
        year,
    )
    assert born > 0

    async def count(condition: str) -> Any:
        query = f"{{ citizens(where: {{dateOfBirth: {{{condition}}}}}) {{ totalCount }} }}"
        return (await borgoverde.ask(USTAT, query)).data["citizens"]["totalCount"]

    assert await count(f'eq: "{year}"') == born
    assert await count(f'eq: "{day}"') == 0
    assert await count(f'startsWith: "{year}"') == born
    assert await count(f'startsWith: "{year}-06"') == 0
    assert await count(f'gt: "{year}", lt: "{day}"') == 0


async def test_r23_an_identifier_opens_one_exact_door(borgoverde: DemoMember, people: dict[str, str]) -> None:
    query = "query($by: CitizenKey!) { citizen(by: $by) { _k_id: id citizenship } }"
    found = await borgoverde.ask(TAXES, query, {"by": {"taxCode": LAURA_CODE}})
    assert found.data["citizen"] == {"_k_id": people["laura"], "citizenship": "ITA"}
    assert found.subjects == {people["laura"]}
    for shorter in (LAURA_CODE[:15], LAURA_CODE[:6] + "%", "", "%"):
        try:
            answer = await borgoverde.ask(TAXES, query, {"by": {"taxCode": shorter}})
        except BadInputError:
            continue
        assert answer.data["citizen"] is None
    for listing in ("{in: []}", '{startsWith: "B"}', '{gt: "A"}'):
        with pytest.raises(ValidationError):
            await borgoverde.ask(TAXES, f"{{ citizens(where: {{taxCode: {listing}}}) {{ totalCount }} }}")
    assert codes(await borgoverde.ask(NOBODY, query, {"by": {"taxCode": LAURA_CODE}})) == {"FIELD_DENIED"}


async def test_r24_a_cursor_serves_its_requester_purpose_and_bundle(borgoverde: DemoMember) -> None:
    query = """query($after: String) { citizens(first: 5, after: $after, orderBy: [{dateOfBirth: ASC}]) {
      pageInfo { endCursor hasPreviousPage } edges { node { dateOfBirth } } } }"""
    cursor = (await borgoverde.ask(USTAT, query)).data["citizens"]["pageInfo"]["endCursor"]
    here = (await borgoverde.ask(USTAT, query, {"after": cursor})).data["citizens"]
    assert here["pageInfo"]["hasPreviousPage"] is True
    later = borgoverde.of(changed("Citizen", "version: 1", "version: 2"))
    strangers = [(borgoverde, replace(USTAT, consumer="aslvs")), (borgoverde, INPREV), (later, USTAT)]
    for member, who in strangers:
        with pytest.raises(BadInputError, match="is not a cursor"):
            await member.ask(who, query, {"after": cursor})
    with pytest.raises(BadInputError, match="is not a cursor"):
        await borgoverde.ask(USTAT, query.replace("ASC", "DESC"), {"after": cursor})
    forged = SEALER.seal([1], ["ustat"])
    for other in (forged, cursor[:-4] + "AAAA", "", "1"):
        with pytest.raises(BadInputError):
            await borgoverde.ask(USTAT, query, {"after": other})


async def test_r28_an_error_of_the_database_tells_no_value_and_no_name(
    town: SeedReport, people: dict[str, str], tmp_path: Path
) -> None:
    folder = tmp_path / "c_m999"
    shutil.copytree(register_of(town).parent, folder)
    member = open_demo_member(folder, demo("c_m999"))
    with closing(sqlite3.connect(folder / "register.db")) as connection, connection:
        connection.execute("ALTER TABLE ANAGRAFE RENAME TO SOMEWHERE_ELSE")
    with pytest.raises(DatabaseUnavailableError) as raised:
        await member.citizens(INPREV, [people["laura"]], "givenName")
    shown = msgspec.json.encode(raised.value.graphql()).decode()
    assert not [word for word in ("ANAGRAFE", "SOMEWHERE", "NOME", people["laura"]) if word in shown]
    await member.plane.database.close()


async def test_r28_hidden_and_absent_are_one_answer(borgoverde: DemoMember, people: dict[str, str]) -> None:
    found = [await borgoverde.citizens(USTAT, [key], "sex citizenship givenName") for key in (people["giulia"], "v1")]
    assert found[0].data == found[1].data == {"_entities": [None]}
    assert found[0].errors == found[1].errors
    assert found[0].decisions == found[1].decisions
    assert found[0].subjects == found[1].subjects == frozenset()


async def test_r29_what_is_denied_is_never_read(borgoverde: DemoMember, people: dict[str, str]) -> None:
    fields = "sex contactPoints { email telephone } cases { title } interactions { topic }"
    await borgoverde.citizens(INPREV, [people["laura"]], fields)
    columns = ("SESSO", "RECAPITI", "EMAIL", "PRATICHE", "OGGETTO", "CONTATTI", "ARGOM")
    assert not [(sql, word) for sql, _ in borgoverde.watched.ran for word in columns if word in sql.upper()]


async def test_r29_hidden_and_absent_rows_are_asked_alike(borgoverde: DemoMember, people: dict[str, str]) -> None:
    for key in (people["giulia"], people["laura"], "nobody"):
        await borgoverde.citizens(USTAT, [key], "sex")
    assert len({sql for sql, _ in borgoverde.watched.ran}) == 1
    assert len(borgoverde.watched.ran) == 3


# --- federation ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("who", [INPREV, ASLVS, SCHOOL, USTAT, COOP, TAXES, NOBODY], ids=lambda who: str(who.purpose))
async def test_r30_a_representation_gives_no_more_than_a_direct_question(
    borgoverde: DemoMember, people: dict[str, str], who: Asks
) -> None:
    fields = "id givenName familyName dateOfBirth taxCode residence { municipality } household { size }"
    for key in (people["laura"], people["giulia"], people["sofia"]):
        direct = await borgoverde.ask(
            who, f"query($by: CitizenKey!) {{ citizen(by: $by) {{ {fields} }} }}", {"by": {"id": key}}
        )
        entity = await borgoverde.citizens(who, [key], fields)
        assert entity.data["_entities"] == [direct.data["citizen"]]
        assert entity.subjects == direct.subjects


async def test_r30_a_representation_brings_no_values_along(borgoverde: DemoMember, people: dict[str, str]) -> None:
    given = [{"__typename": "Citizen", "id": people["laura"], "sex": "told", "givenName": "Told"}]
    answer = await borgoverde.ask(INPREV, ENTITIES % "sex givenName", {"r": given})
    assert answer.data["_entities"] == [{"sex": None, "givenName": "Laura"}]


async def test_r30_a_key_that_is_masked_is_another_text_for_every_consumer(
    borgoverde: DemoMember, people: dict[str, str]
) -> None:
    found = [
        (await borgoverde.citizens(replace(USTAT, consumer=consumer), [people["laura"]], "id")).data["_entities"][0][
            "id"
        ]
        for consumer in ("ustat", "ustat", "other")
    ]
    assert found[0] == found[1] != found[2]
    assert people["laura"] not in found


# --- caching, change, audit ------------------------------------------------------------------------------------------


async def test_r35_no_requester_gets_what_was_prepared_for_another(
    town: SeedReport, borgoverde: DemoMember, people: dict[str, str]
) -> None:
    keys = [people[name] for name in ("laura", "giulia", "sofia")]
    fields = "givenName familyName dateOfBirth sex maritalStatus residence { municipality since }"
    asking = [(who, day) for who in (INPREV, ASLVS, SCHOOL, USTAT, COOP, TAXES) for day in (DAY, date(2028, 1, 1))]
    expected = []
    for who, day in asking:
        alone = open_demo_member(register_of(town).parent, demo("c_m999"))
        expected.append(await alone.citizens(who, keys, fields, day))
        await alone.plane.database.close()
    order = [*range(len(asking)), *reversed(range(len(asking)))]
    for number in order:
        who, day = asking[number]
        assert await borgoverde.citizens(who, keys, fields, day) == expected[number]
    assert len({str(answer.data) for answer in expected}) > 5


async def test_r36_one_question_sees_one_bundle_while_it_changes(borgoverde: DemoMember, tmp_path: Path) -> None:
    closed = changed("Citizen", "      maritalStatus: clear\n      residence: clear", "      residence: clear")
    fields = "givenName maritalStatus household { kinship } residence { municipality }"
    with asked_node(borgoverde, tmp_path, Parties()) as asked:
        parties = asked.parties
        coordinates = (*parties.agreement.providers[0].coordinates, "Household.*")
        provider = AgreedProvider(parties.agreement.providers[0].member, coordinates)
        parties.agreement = msgspec.structs.replace(parties.agreement, providers=(provider,))
        versions = {False: asked.node, True: replace(asked.node, policy=borgoverde.of(closed).decisions)}

        async def one(number: int) -> None:
            asked.node = versions[number % 2 == 1]
            found = await asked.ask(LAURA % fields)
            extension = found["extensions"]["crocevia"]
            laura = found["data"]["citizen"]
            swapped = extension["policy"]["digest"] == closed.digest
            assert laura["maritalStatus"] == (None if swapped else "married")
            assert extension["policy"]["revision"] == (2 if swapped else 1)
            forms = {each["coordinate"]: each["form"] for each in extension["decisions"]}
            assert forms["Citizen.maritalStatus"] == ("deny" if swapped else "clear")

        await asyncio.gather(*(one(number) for number in range(12)))
        digests = [entry.policy.digest for entry in asked.entries() if entry.policy is not None]
        assert digests.count(closed.digest) == 6
        assert digests.count(borgoverde.decisions.version.digest) == 6


async def test_r38_the_record_says_who_why_and_what_but_no_value(
    borgoverde: DemoMember, people: dict[str, str], tmp_path: Path
) -> None:
    with asked_node(borgoverde, tmp_path, Parties()) as asked:
        found = await asked.ask(LAURA % "givenName sex residence { address { fullAddress } }")
        assert found["data"]["citizen"]["givenName"] == "Laura"
        [entry] = asked.entries()
        [access] = asked.node.journal.about(people["laura"])
    assert (entry.kind, entry.consumer, entry.purpose, entry.agreement) == (
        EntryKind.DISCLOSURE,
        "inprev",
        "benefit-assessment",
        "acc-1",
    )
    assert entry.legal_basis == ("6.1.c", "6.1.e")
    assert entry.policy == borgoverde.decisions.version
    assert entry.subjects == 1
    assert access.entry == entry
    recorded = {each.coordinate: each for each in entry.decisions}
    assert recorded["Citizen.givenName"].grants == ("identity-for-benefits",)
    assert recorded["Citizen.givenName"].form == "clear"
    assert recorded["Citizen.sex"].form == "deny"
    written = entry.to_bytes().decode()
    assert not [value for value in ("Laura", "Tigli", "female", people["laura"]) if value in written]


async def test_r38_without_a_record_there_is_no_answer(borgoverde: DemoMember, tmp_path: Path) -> None:
    with asked_node(borgoverde, tmp_path, Parties()) as asked:
        await asked.ask(LAURA % "givenName")
        asked.files.disk.fails_at = "commit"
        with pytest.raises(LedgerUnavailableError) as refused:
            await asked.ask(LAURA % "givenName")
        assert "Laura" not in str(refused.value.graphql())


async def test_r40_retention_is_delivered_as_a_duty(borgoverde: DemoMember, tmp_path: Path) -> None:
    with asked_node(borgoverde, tmp_path, Parties()) as asked:
        found = await asked.ask(LAURA % "givenName sex")
    decided = {each["coordinate"]: each for each in found["extensions"]["crocevia"]["decisions"]}
    assert decided["Citizen.givenName"]["retain"] == "P180D"
    assert "retain" not in decided["Citizen.sex"]


async def test_r40_an_agreement_or_a_grant_that_ended_ends_what_was_prepared(
    borgoverde: DemoMember, people: dict[str, str], tmp_path: Path
) -> None:
    with asked_node(borgoverde, tmp_path, Parties()) as asked:
        await asked.ask(LAURA % "givenName")
        valid = asked.parties.agreement
        for ended in (
            msgspec.structs.replace(valid, valid_until=date(2026, 11, 21)),
            msgspec.structs.replace(valid, state=AgreementState.SUSPENDED),
        ):
            asked.parties.agreement = ended
            with pytest.raises(AgreementError):
                await asked.ask(LAURA % "givenName")
    shown = [
        (await borgoverde.citizens(INPREV, [people["laura"]], "givenName", day)).data["_entities"]
        for day in (date(2027, 12, 31), date(2028, 1, 1), date(2025, 12, 31))
    ]
    assert shown == [[{"givenName": "Laura"}], [None], [None]]


async def test_lists_are_as_long_as_the_agreement_says(borgoverde: DemoMember, tmp_path: Path) -> None:
    query = "query($first: Int!) { citizens(first: $first) { edges { node { __typename } } } }"
    with asked_node(borgoverde, tmp_path, Parties()) as asked:
        agreed = asked.parties.agreement
        coordinates = (*agreed.providers[0].coordinates, "Query.citizens")
        for longest in (100, 150, 7):
            provider = AgreedProvider(MemberId("c_m999"), coordinates, longest)
            asked.parties.agreement = msgspec.structs.replace(agreed, providers=(provider,))
            for unsaid in (query.replace("$first: Int!", "$first: Int"), query.replace("(first: $first)", "")):
                default = await asked.ask(unsaid.replace("($first: Int!)", ""), {})
                assert len(default["data"]["citizens"]["edges"]) == min(20, longest)
            found = await asked.ask(query, {"first": longest})
            assert len(found["data"]["citizens"]["edges"]) == longest
            with pytest.raises(BadInputError, match=f"`first` is from 0 to {longest} under this"):
                await asked.ask(query, {"first": longest + 1})
