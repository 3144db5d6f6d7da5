"""Types with a key whose objects a member's own code finds: at one node, and where another member refers to them."""

from __future__ import annotations

import asyncio
import shutil
import sqlite3
import sys
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import asynccontextmanager, closing, contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import ModuleType
from typing import Any

import msgspec
import pytest
import strawberry

from federation.contract.clock import SystemClock
from federation.contract.entries import Entry, EntryKind
from federation.contract.errors import ThresholdError
from federation.demo.founding import publish_federation
from federation.demo.layout import Home
from node.data.custom import CustomEntity, CustomField, CustomFields, Row
from node.data.mapping import Mapping as NodeMapping
from node.data.mapping_file import read_mapping
from node.data.written import MappingError
from node.policy.bundle import Bundle, load_bundle
from node.subgraph.schema import NodeSchema
from node.vocabulary.directives import Category
from node.vocabulary.scalars import PartialDate
from node.vocabulary.schema import full_schema
from node.vocabulary.terms import concept, entity
from node.vocabulary.terms import field as term
from tests.support.both import PURPOSE, On, ran
from tests.support.data import THING_MAPPING, Member, thing_vocabulary
from tests.support.demo import demo_charter
from tests.support.doors import BENEFITS, LAURA
from tests.support.policies import FIELDS, INPS, document, files_of, grant
from tests.support.simulator import PORTS, Simulator, simulated

pytestmark = [pytest.mark.integration, pytest.mark.postgres]

ONTO = "https://member.example/onto/"
MAPPING = THING_MAPPING.replace("types:", "custom: vehicle_register:FIELDS\ntypes:")
OWNER = "v1.siv.c_m999.AAAA"


@entity(ONTO + "Vehicle", "A vehicle.", "Un veicolo.")
class Vehicle:
    """What a register of vehicles knows by its own number."""

    id: strawberry.ID | None = term(ONTO + "id", Category.IDENTIFIER, "Its number.", "Il numero.")
    plate: str | None = term(ONTO + "plate", Category.IDENTIFIER, "Its plate.", "La targa.")
    built_on: PartialDate | None = term(
        ONTO + "builtOn", Category.CASE, "When it was built.", "Quando è stato costruito."
    )
    stolen: strawberry.Private[bool | None] = False
    owner: strawberry.Private[str | None] = None


def vehicle(number: str, **more: Any) -> Vehicle:
    return Vehicle(**{"id": number, "plate": f"AA{number}", "built_on": "2008-05-01", "owner": OWNER, **more})


@dataclass
class VehicleRegister:
    """The register of vehicles, as the member's code asks it."""

    vehicles: dict[str, Any]
    asked: list[list[dict[str, Any]]] = field(default_factory=list)
    failing: BaseException | None = None

    async def by_id(self, rows: Sequence[Row]) -> Sequence[Any]:
        self.asked.append([dict(row) for row in rows])
        await asyncio.sleep(0)
        if self.failing is not None:
            raise self.failing
        return [self.vehicles.get(row["id"]) for row in rows]


@pytest.fixture
def register() -> VehicleRegister:
    return VehicleRegister(
        {"1": vehicle("1"), "2": vehicle("2", stolen=True), "3": vehicle("3", built_on="2019-01-01")}
    )


@contextmanager
def module(declared: CustomFields) -> Iterator[None]:
    made = ModuleType("vehicle_register")
    made.FIELDS = declared  # type: ignore[attr-defined]  # that is how a module is made
    sys.modules["vehicle_register"] = made
    try:
        yield
    finally:
        del sys.modules["vehicle_register"]


def found_by(register: VehicleRegister, *fields: CustomField, **more: Any) -> CustomFields:
    return CustomFields(fields, entities=(CustomEntity(type=Vehicle, resolve=register.by_id, **more),))


def vehicles_show(see: dict[str, object], **more: Any) -> Bundle:
    policy: dict[str, Any] = {
        "policy": "Vehicle",
        "version": 1,
        "owner": "officer@member.example",
        "attributes": {"stolen": "bool"},
        "fields": {
            "id": {"category": "identifier"},
            "plate": {"category": "identifier"},
            "builtOn": {"category": "birth"},
            "inspected": {"category": "birth"},
        },
        "grants": [grant("v", see)],
        "prohibitions": [{"id": "police", "hide": "row", "rows": "row.stolen == true"}],
        **more,
    }
    return load_bundle(files_of(document([grant("g", {"name": "clear"})], fields=FIELDS), types__Vehicle=policy))


CLEAR: dict[str, object] = {"id": "clear", "plate": "clear", "builtOn": "year"}


@contextmanager
def serving(on: On, declared: CustomFields, bundle: Bundle | None = None) -> Iterator[Member]:
    with module(declared), on.things(bundle or vehicles_show(CLEAR), [{"name": "Anna"}], MAPPING) as member:
        yield member


def asked(on: On, member: Member, fields: str, *keys: Any, kind: str = "Vehicle") -> Any:
    query = f"query($r: [_Any!]!) {{ _entities(representations: $r) {{ ... on {kind} {{ {fields} }} }} }}"
    return on.run(member.ask(INPS, PURPOSE, query, {"r": [{"__typename": kind, "id": key} for key in keys]}))


# --- one node ---------------------------------------------------------------------------------------------------------


def test_all_keys_of_a_question_are_asked_at_once_in_order_and_unknown_ones_are_null(
    on: On, register: VehicleRegister
) -> None:
    with serving(on, found_by(register)) as member:
        answer = asked(on, member, "id plate builtOn __typename", "3", "9", "1", "3", 7, "2")
        assert ran(member) == []
    one, three = (
        {"id": n, "plate": f"AA{n}", "builtOn": y, "__typename": "Vehicle"} for n, y in (("1", "2008"), ("3", "2019"))
    )
    # The second is nobody's key and the fifth none at all; the last is stolen, which hides it.
    assert answer.data["_entities"] == [three, None, one, three, None, None]
    assert answer.errors == []
    assert register.asked == [[{"id": "3"}, {"id": "9"}, {"id": "1"}, {"id": "2"}]]


def test_the_policy_decides_an_entity_of_code_as_any_other(on: On, register: VehicleRegister) -> None:
    hiding = [
        {"id": "young", "fields": ["plate"], "rows": "row.stolen != true", "when": 'purpose == "benefit-assessment"'}
    ]
    with serving(
        on, found_by(register), vehicles_show({"plate": "clear", "builtOn": "year"}, prohibitions=hiding)
    ) as member:
        answer = asked(on, member, "id plate", "1", "9")
    assert answer.data["_entities"] == [{"id": None, "plate": None}, None]
    assert [(error["path"], error["extensions"]["code"]) for error in answer.errors] == [
        (["_entities", 0, "id"], "FIELD_DENIED")
    ]
    assert {each.coordinate: each.form for each in answer.decisions} == {"Vehicle.id": "deny", "Vehicle.plate": "clear"}


def test_its_key_goes_to_the_gateway_apart_from_the_field(on: On, register: VehicleRegister) -> None:
    with serving(on, found_by(register), vehicles_show({"plate": "clear"})) as member:
        answer = asked(on, member, "_k_id: id plate", "1")
    assert answer.data["_entities"] == [{"_k_id": "1", "plate": "AA1"}]
    assert {(each.coordinate, each.join_key) for each in answer.decisions} == {
        ("Vehicle.id", True),
        ("Vehicle.plate", False),
    }


def test_nobody_is_asked_for_objects_that_no_rule_shows(on: On, register: VehicleRegister) -> None:
    with serving(on, found_by(register), vehicles_show(CLEAR, grants=[])) as member:
        answer = asked(on, member, "plate", "1")
    assert answer.data["_entities"] == [None]
    assert register.asked == []


def test_the_ledger_has_whom_the_objects_are_about(on: On, register: VehicleRegister) -> None:
    with serving(on, found_by(register, subject="owner")) as member:
        assert asked(on, member, "plate", "1", "3", "9").subjects == {OWNER}
        # Of what is hidden nothing was told, so nobody stands in the ledger.
        assert asked(on, member, "plate", "2").subjects == frozenset()


def test_an_object_about_somebody_by_anothers_word_is_not_told(
    on: On, register: VehicleRegister, caplog: pytest.LogCaptureFixture
) -> None:
    register.vehicles["1"] = vehicle("1", owner="v1.siv.inprev.AAAA")
    with serving(on, found_by(register, subject="owner")) as member:
        answer = asked(on, member, "plate", "1", "3")
    assert answer.data["_entities"] == [None, {"plate": "AA3"}]
    assert [error["path"] for error in answer.errors] == [["_entities", 0]]
    assert answer.errors[0]["extensions"]["code"] == "CUSTOM_FIELD_UNAVAILABLE"
    assert "inprev" not in caplog.text


def test_a_register_that_fails_costs_its_objects_alone(on: On, register: VehicleRegister) -> None:
    register.failing = OSError("AA1")
    with serving(on, found_by(register)) as member:
        answer = asked(on, member, "plate", "1", "3")
    assert answer.data["_entities"] == [None, None]
    assert [error["path"] for error in answer.errors] == [["_entities", 0], ["_entities", 1]]
    assert "AA1" not in str(answer.errors)


def inspections(answer: Callable[[Row], Any], asked_of: list[Any]) -> CustomField:
    async def resolve(rows: Sequence[Row]) -> Sequence[Any]:
        asked_of.append([dict(row) for row in rows])
        return [answer(row) for row in rows]

    return CustomField(
        on="Vehicle",
        name="inspected",
        type=PartialDate,
        iri=ONTO + "inspected",
        category=Category.BIRTH,
        en="When it was inspected.",
        it="Quando è stato revisionato.",
        needs=("plate",),
        resolve=resolve,
    )


def test_its_own_fields_may_come_from_yet_another_system(on: On, register: VehicleRegister) -> None:
    asked_of: list[Any] = []
    known = inspections(lambda row: OSError() if row["plate"] == "AA3" else "2025-02-03", asked_of)
    with serving(on, found_by(register, known), vehicles_show({"inspected": "month"})) as member:
        answer = asked(on, member, "inspected", "1", "3", "1")
    assert answer.data["_entities"] == [{"inspected": "2025-02"}, {"inspected": None}, {"inspected": "2025-02"}]
    assert [error["path"] for error in answer.errors] == [["_entities", 1, "inspected"]]
    assert asked_of == [[{"plate": "AA1"}, {"plate": "AA3"}]]


def test_a_custom_field_that_fails_says_so_below_an_entity_of_the_register(on: On, register: VehicleRegister) -> None:
    async def failing(rows: Sequence[Row]) -> Sequence[Any]:
        raise OSError(rows)

    wealth = replace(inspections(str, []), on="Thing", name="wealth", type=str, needs=("name",), resolve=failing)
    fields = {**FIELDS, "wealth": {"category": "income"}}
    bundle = load_bundle(files_of(document([grant("g", {"name": "clear", "wealth": "clear"})], fields=fields)))
    with serving(on, found_by(register, wealth), bundle) as member:
        answer = asked(on, member, "name w: wealth", "9", "1", kind="Thing")
    assert answer.data["_entities"] == [None, {"name": "Anna", "w": None}]
    assert [error["path"] for error in answer.errors] == [["_entities", 1, "w"]]
    assert answer.errors[0]["extensions"]["code"] == "CUSTOM_FIELD_UNAVAILABLE"


def test_r29_an_objects_age_is_asked_by_the_thresholds_that_the_policy_lists(on: On, register: VehicleRegister) -> None:
    known = inspections(lambda _: "2010-05-01", [])
    see: dict[str, object] = {"builtOn": {"age_over": [10, 18]}, "inspected": {"age_over": [16]}}
    with serving(on, found_by(register, known), vehicles_show(see)) as member:
        # On 1 May 2026.
        answer = asked(
            on,
            member,
            "a: builtOnReached(years: 18) b: builtOnReached(years: 10) c: inspectedReached(years: 16)",
            "1",
            "3",
        )
        plain = asked(on, member, "builtOn", "1")
        with pytest.raises(ThresholdError):
            asked(on, member, "builtOnReached(years: 17)", "1")
        sdl = member.schema.published_sdl
    assert answer.data["_entities"] == [{"a": True, "b": True, "c": True}, {"a": False, "b": False, "c": True}]
    assert {each.coordinate: each.form for each in answer.decisions} == {
        "Vehicle.builtOn": "age_over",
        "Vehicle.inspected": "age_over",
    }
    assert plain.data["_entities"] == [{"builtOn": None}]
    assert "builtOnReached(years: Int!): Boolean" in sdl


def test_an_object_that_may_be_about_nobody_is_not_guessed_at(on: On, register: VehicleRegister) -> None:
    with serving(on, found_by(register), vehicles_show({"plate": "verify"})) as member:
        assert "plateMatches" not in member.schema.published_sdl


@concept(ONTO + "Keyless", "No entity.", "Nessuna entità.")
class Keyless:
    """A type without a key."""

    word: str | None = term(ONTO + "word", Category.PUBLIC, "A word.", "Una parola.")


REFUSED: dict[str, tuple[dict[str, Any], str]] = {
    "no key": ({"type": Keyless}, "`Keyless` needs the key `id`; declare it with `entity`"),
    "no type": ({"type": str}, "`str` is no type; declare it with `entity`"),
    "no such subject": (
        {"subject": "ownr"},
        "`Vehicle` has no attribute `ownr`, which is to say whom it is about; did you",
    ),
}


@pytest.mark.parametrize(("changes", "message"), REFUSED.values(), ids=REFUSED.keys())
def test_an_entity_that_cannot_be_served_is_refused(
    register: VehicleRegister, changes: dict[str, Any], message: str
) -> None:
    with (
        module(found_by(register, **changes))
        if "type" not in changes
        else module(CustomFields(entities=(CustomEntity(resolve=register.by_id, **changes),))),
        pytest.raises(MappingError) as refused,
    ):
        NodeSchema.build(thing_vocabulary(), NodeMapping.parse(MAPPING))
    assert message in str(refused.value)


def test_a_type_has_rows_or_code_and_not_both(register: VehicleRegister) -> None:
    rows = "types:\n  Vehicle: {table: v, key: id, fields: {plate: plate}}"
    with module(found_by(register)), pytest.raises(MappingError, match="`Vehicle` has rows in the mapping, too"):
        NodeSchema.build(thing_vocabulary(), NodeMapping.parse(MAPPING.replace("types:", rows)))


# --- a federation -----------------------------------------------------------------------------------------------------

AGENCY, TOWN = "aslvs", "c_m999"
"""The agency's code finds vehicles; the town's register has parking permits for them, by their numbers."""
PERMITS = """
vocabulary:
  Vehicle:
    en: A vehicle.
    it: Un veicolo.
    iri: "https://member.example/onto/Vehicle"
    key: id
    fields:
      id: {type: ID, category: identifier, en: Its number., it: Il numero., iri: "https://member.example/onto/id"}
      permitZone: {type: String, category: case, en: Where it may park., it: Dove può parcheggiare.}
  Citizen:
    fields:
      vehicles: {type: "[Vehicle!]", category: relation, en: Their vehicles., it: I suoi veicoli.}
types:
  Vehicle:
    table: PERMESSI
    key: {field: id, column: VEICOLO}
    owner: {to: Citizen, join: {ID_SOGG: ID_SOGG}}
    fields: {permitZone: ZONA}
"""
VEHICLE_POLICY = """policy: Vehicle
version: 1
owner: privacy@member.example
fields: {id: {category: identifier}, %s}
grants:
  - id: vehicles-for-benefits
    to: {kind: [national]}
    purpose: social-benefit
    basis: ["6.1.c", "6.1.e"]
    law: "L. 328/2000 art. 25"
    see: {%s}
    valid: {from: 2026-01-01, until: 2099-12-31}
    retain: P180D
"""


def give_permits(home: Home) -> None:
    """Let the town know of vehicles that the agency's code finds."""
    mapping = home.root / TOWN / "node.yaml"
    text = mapping.read_text(encoding="utf-8").replace("types:\n", PERMITS.lstrip(), 1)
    text = text.replace(
        "    relations:\n", "    relations:\n      vehicles: {to: Vehicle, join: {ID_SOGG: ID_SOGG}}\n", 1
    )
    mapping.write_text(text, encoding="utf-8")
    with closing(sqlite3.connect(home.root / TOWN / "register.db")) as connection, connection:
        connection.execute("CREATE TABLE PERMESSI (VEICOLO TEXT PRIMARY KEY, ID_SOGG INTEGER, ZONA TEXT)")
        connection.execute(
            "INSERT INTO PERMESSI SELECT column1, ID_SOGG, column2 FROM ANAGRAFE,"
            " (VALUES ('1', 'A'), ('9', 'B'), ('3', 'C')) WHERE COD_FISC = 'BNCLRA84H57F257B'"
        )
    citizen = home.root / "policies" / TOWN / "types" / "Citizen.yaml"
    text = citizen.read_text(encoding="utf-8").replace("fields:\n", "fields:\n  vehicles: {category: relation}\n", 1)
    citizen.write_text(text.replace("    see:\n", "    see:\n      vehicles: clear\n", 1), encoding="utf-8")
    agency = home.root / AGENCY / "node.yaml"
    agency.write_text(f"custom: vehicle_register:FIELDS\n{agency.read_text(encoding='utf-8')}", encoding="utf-8")
    for member, governed, shown in (
        (TOWN, "permitZone: {category: case}", "permitZone: clear"),
        (
            AGENCY,
            "plate: {category: identifier}, builtOn: {category: case}",
            "plate: {partial: {prefix: 2, pad: '*', n: 5}}, builtOn: year",
        ),
    ):
        policy = home.root / "policies" / member / "types" / "Vehicle.yaml"
        policy.write_text(VEHICLE_POLICY % (governed, shown), encoding="utf-8")


def publish_again(home: Home) -> None:
    """Compose the members' schemas as they are now, and agree on the vehicles."""
    charter = demo_charter()
    sdls = {
        str(member.id): NodeSchema.build(full_schema(), read_mapping(home.root / member.id / "node.yaml")).published_sdl
        for member in charter.nodes()
    }
    agreements = tuple(
        msgspec.structs.replace(
            each,
            providers={
                m: (*c, "Vehicle.*", "Citizen.vehicles") if m in (TOWN, AGENCY) else c
                for m, c in each.providers.items()
            },
        )
        if each.consumer == BENEFITS[0]
        else each
        for each in charter.agreements
    )
    publish_federation(home, msgspec.structs.replace(charter, agreements=agreements), PORTS, sdls, {}, SystemClock())


@asynccontextmanager
async def with_vehicles(founded: Home, folder: Path, register: VehicleRegister) -> AsyncIterator[Simulator]:
    home = Home(folder / "with-vehicles")
    shutil.copytree(founded.root, home.root)
    with module(found_by(register, subject="owner")):
        give_permits(home)
        publish_again(home)
        async with simulated(home, folder / "home") as federation:
            yield federation


async def test_another_members_type_refers_to_an_entity_of_code(
    founded: Home, tmp_path: Path, register: VehicleRegister
) -> None:
    laura = "v1.siv-v1.aslvs.AAAA"
    register.vehicles = {"1": vehicle("1", owner=laura), "3": vehicle("3", owner=laura)}
    question = "query($by: CitizenKey!) { citizen(by: $by) { vehicles { permitZone plate builtOn } } }"
    async with with_vehicles(founded, tmp_path, register) as federation:
        answer = await federation.ask_gateway(*BENEFITS, question, LAURA)
        register.failing = OSError()
        failed = await federation.ask_gateway(*BENEFITS, question, LAURA)
        recorded = [Entry.parse(each.entry) for each in federation.nodes[AGENCY].reader.entries()]
    assert answer["data"]["citizen"]["vehicles"] == [
        {"permitZone": "A", "plate": "AA***", "builtOn": "2008"},
        {"permitZone": "C", "plate": "AA***", "builtOn": "2008"},
        {"permitZone": "B", "plate": None, "builtOn": None},
    ]
    assert register.asked[0] == [{"id": "1"}, {"id": "3"}, {"id": "9"}]
    masked = {(each["coordinate"], each["form"]) for each in answer["extensions"]["privacy"]["masked"]}
    assert masked == {("Vehicle.plate", "partial"), ("Vehicle.builtOn", "year")}
    assert {each["permitZone"] for each in failed["data"]["citizen"]["vehicles"]} == {"A", "B", "C"}
    assert "CUSTOM_FIELD_UNAVAILABLE" in {error["extensions"]["code"] for error in failed["errors"]}
    [disclosed, *_] = [each for each in recorded if each.kind is EntryKind.DISCLOSURE]
    assert disclosed.subjects == 1
