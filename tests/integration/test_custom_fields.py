"""Fields that a member's own code resolves, on both databases: policy, batching, time, isolation, declarations."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import date
from enum import Enum
from pathlib import Path
from types import ModuleType
from typing import Any

import msgspec
import pytest
import strawberry
from typing_extensions import override

from federation.contract.decisions import PolicyVersion
from federation.contract.entries import EntryKind
from federation.contract.errors import BudgetExhaustedError, QueryTooComplexError
from federation.contract.identifiers import MemberId
from federation.contract.members import AgreedProvider
from node.data.custom import CustomField, CustomFields, Row
from node.data.mapping import Mapping as NodeMapping
from node.data.written import MappingError
from node.enforcement.decide import Decisions
from node.policy.bundle import Bundle, load_bundle
from node.subgraph.schema import NodeSchema
from node.vocabulary.directives import Category
from node.vocabulary.scalars import Banded, PartialDate
from node.vocabulary.terms import concept, entity
from node.vocabulary.terms import field as term
from tests.support.both import PURPOSE, On, ran
from tests.support.data import THING_MAPPING, Member, thing_vocabulary
from tests.support.nodes import AskedNode, DemoMember, WatchedDatabase, asked_node
from tests.support.parties import Parties
from tests.support.policies import FIELDS, INPS, bundle_of, document, files_of, grant

pytestmark = [pytest.mark.integration, pytest.mark.postgres]

ONTO = "https://member.example/onto/"
MAPPING = THING_MAPPING.replace("types:", "custom: things_elsewhere:FIELDS\ntypes:")
ROWS: list[dict[str, Any]] = [
    {"flag": True, "age": 30, "place": "a", "name": "Anna", "code": "A1"},
    {"flag": False, "age": 40, "place": "b", "name": "Bruno", "code": "B1"},
    {"flag": None, "age": None, "place": "a", "name": "Carla", "code": None},
]
LISTED = "{ things { edges { node { name %s } } } }"
FEW = LISTED.replace("things", "things(first: 2)")


class Fuel(Enum):
    """Of an engine."""

    petrol = 1
    electric = 2


@concept(ONTO + "Engine", "An engine.", "Un motore.")
class Engine:
    """What moves a vehicle."""

    fuel: strawberry.enum(Fuel) | None = term(ONTO + "fuel", Category.PUBLIC, "Its fuel.", "Il carburante.")  # type: ignore[valid-type]  # what it returns is the class


@concept(ONTO + "Vehicle", "A vehicle.", "Un veicolo.")
class Vehicle:
    """What somebody owns."""

    plate: str | None = term(ONTO + "plate", Category.IDENTIFIER, "Its plate.", "La targa.")
    first_seen: PartialDate | None = term(ONTO + "seen", Category.CASE, "When it was first seen.", "La prima volta.")
    engine: Engine | None = term(ONTO + "engine", Category.PUBLIC, "Its engine.", "Il motore.")
    stolen: strawberry.Private[bool | None] = None


class Broken(Vehicle):
    """A vehicle of which a part cannot be read."""

    @override
    def __getattribute__(self, name: str) -> Any:
        if name == "engine":
            raise OSError(name)
        return super().__getattribute__(name)


@dataclass
class Elsewhere:
    """The member's module: what it was asked, field by field, and how it answers."""

    asked: list[tuple[str, list[dict[str, Any]]]] = field(default_factory=list)
    closed: int = 0

    def answering(self, name: str, answer: Callable[[Row], Any]) -> Callable[[Sequence[Row]], Awaitable[Sequence[Any]]]:
        async def resolve(rows: Sequence[Row]) -> Sequence[Any]:
            self.asked.append((name, [dict(row) for row in rows]))
            await asyncio.sleep(0)
            return [answer(row) for row in rows]

        return resolve

    async def close(self) -> None:
        self.closed += 1


def custom(name: str, kind: Any, resolve: Any, *needs: str, **changes: Any) -> CustomField:
    declared = CustomField(
        on="Thing",
        name=name,
        type=kind,
        iri=ONTO + name,
        category=Category.INCOME,
        en="A field from elsewhere.",
        it="Un campo da altrove.",
        needs=needs,
        resolve=resolve,
    )
    return replace(declared, **changes)


@pytest.fixture
def elsewhere() -> Elsewhere:
    return Elsewhere()


@contextmanager
def module(elsewhere: Elsewhere, *fields: CustomField) -> Iterator[None]:
    """Let the mapping find a module that declares fields."""
    made = ModuleType("things_elsewhere")
    made.FIELDS = CustomFields(fields, elsewhere.close)  # type: ignore[attr-defined]  # that is how a module is made
    sys.modules["things_elsewhere"] = made
    try:
        yield
    finally:
        del sys.modules["things_elsewhere"]


VEHICLE_POLICY: dict[str, Any] = {
    "policy": "Vehicle",
    "version": 1,
    "owner": "officer@member.example",
    "attributes": {"stolen": "bool", "plate": "str"},
    "fields": {
        "plate": {"category": "identifier"},
        "firstSeen": {"category": "birth"},
        "engine": {"category": "income"},
    },
    "grants": [grant("v", {"plate": "clear", "firstSeen": "year", "engine": "clear"})],
    "prohibitions": [{"id": "stolen", "hide": "row", "rows": "row.stolen == true"}],
}
ENGINE_POLICY: dict[str, Any] = {
    **VEHICLE_POLICY,
    "policy": "Engine",
    "attributes": {},
    "fields": {"fuel": {"category": "income"}},
    "grants": [grant("e", {"fuel": "clear"})],
    "prohibitions": [],
}
SEEN: Any = PartialDate
VEHICLES: dict[str, list[Any]] = {
    "A1": [
        Vehicle(plate="AA111", first_seen=SEEN("2019-03-01"), engine=Engine(fuel=Fuel.electric), stolen=False),
        Vehicle(plate="AA222", stolen=True),
        Vehicle(plate="AA333"),
    ],
    "B1": [
        {"plate": "BB111", "first_seen": date(2020, 1, 2), "stolen": False},
        Vehicle(first_seen=SEEN("x"), stolen=False),
    ],
}


def policies(see: dict[str, object], prohibitions: Sequence[dict[str, Any]] = (), **others: dict[str, Any]) -> Bundle:
    fields = {**FIELDS, **{name: {"category": "income"} for name in see if name not in FIELDS}}
    thing = document([grant("g", see)], fields=fields, prohibitions=list(prohibitions))
    return load_bundle(files_of(thing, **{"types__Vehicle": VEHICLE_POLICY, "types__Engine": ENGINE_POLICY, **others}))


def asked(on: On, member: Member, query: str) -> Any:
    return on.run(member.ask(INPS, PURPOSE, query))


def nodes(answer: Any) -> list[Any]:
    return [edge["node"] for edge in answer.data["things"]["edges"]]


@contextmanager
def whole(member: Member, bundle: Bundle, folder: Path) -> Iterator[AskedNode]:
    """Serve a member by a whole node, with budgets and a ledger."""
    parties = Parties()
    provider = AgreedProvider(MemberId("c_m999"), ("Query.things", "Thing.*", "Vehicle.*"))
    parties.agreement = msgspec.structs.replace(parties.agreement, providers=(provider,))
    decisions = Decisions(bundle, PolicyVersion(bundle.digest, 1))
    demo = DemoMember(member.plane, decisions, WatchedDatabase(member.plane.database))
    with asked_node(demo, folder, parties) as node:
        yield node


def recorded(on: On, member: Member, bundle: Bundle, folder: Path, query: str) -> Any:
    """Ask a whole node, and return the entry of its ledger."""
    with whole(member, bundle, folder) as node:
        assert "errors" not in on.run(node.ask(query))
        [entry] = node.entries()
    return entry


# --- values -----------------------------------------------------------------------------------------------------------


def test_all_rows_of_an_answer_are_asked_once(on: On, elsewhere: Elsewhere) -> None:
    wealth = elsewhere.answering("wealth", lambda row: {"a": 100, "b": 250.5}[row["place"]])
    with (
        module(elsewhere, custom("wealth", Banded, wealth, "place")),
        on.things(policies({"name": "clear", "wealth": "clear"}), ROWS, MAPPING) as member,
    ):
        answer = asked(on, member, "{ things { edges { node { name wealth again: wealth } } } }")
        assert len(ran(member)) == 1
    assert [node["wealth"] for node in nodes(answer)] == ["100", "250.5", "100"]
    assert [node["again"] for node in nodes(answer)] == ["100", "250.5", "100"]
    # Anna and Carla live in one place: equal rows are one.
    assert elsewhere.asked == [("wealth", [{"place": "a"}, {"place": "b"}])]
    assert elsewhere.closed == 1


def test_it_is_decided_and_recorded_like_any_other_field(on: On, elsewhere: Elsewhere) -> None:
    wealth = elsewhere.answering("wealth", lambda row: 10 if row["name"] == "Anna" else 150)
    with module(elsewhere, custom("wealth", Banded, wealth, "name")):
        bundle = policies({"name": "clear", "wealth": {"band": [0, 100]}})
        with on.things(bundle, ROWS, MAPPING) as member:
            answer = asked(on, member, LISTED % "wealth")
    assert [node["wealth"] for node in nodes(answer)] == ["[0,100)", "[100,)", "[100,)"]
    [decision] = [each for each in answer.decisions if each.coordinate == "Thing.wealth"]
    assert (decision.form, decision.grants, decision.law) == ("band", ("g",), ("law for a test",))
    assert answer.subjects == {f"v1.siv.c_m999.{number}" for number in (1, 2, 3)}


def test_a_keyed_mask_is_made_with_the_nodes_key(on: On, elsewhere: Elsewhere) -> None:
    number = elsewhere.answering("number", lambda row: row["code"])
    with (
        module(elsewhere, custom("number", str, number, "code")),
        on.things(policies({"number": "hash", "code": "hash"}), ROWS, MAPPING) as member,
    ):
        [one, other, none] = nodes(asked(on, member, "{ things { edges { node { number code } } } }"))
    assert none == {"number": None, "code": None}
    assert len(one["number"]) == 32
    assert len({one["number"], one["code"], other["number"]}) == 3


def test_a_denied_field_is_never_asked(on: On, elsewhere: Elsewhere) -> None:
    wealth = elsewhere.answering("wealth", lambda _: 1)
    with module(elsewhere, custom("wealth", Banded, wealth, "code")):
        bundle = bundle_of(
            document([grant("g", {"name": "clear"})], fields={**FIELDS, "wealth": {"category": "income"}})
        )
        with on.things(bundle, ROWS, MAPPING) as member:
            answer = asked(on, member, LISTED % "wealth")
            assert '"code"' not in ran(member)[0].replace("things.code", "")
    assert [node["wealth"] for node in nodes(answer)] == [None, None, None]
    assert {error["extensions"]["code"] for error in answer.errors} == {"FIELD_DENIED"}
    assert elsewhere.asked == []


def test_a_row_that_is_denied_is_not_asked_about(on: On, elsewhere: Elsewhere) -> None:
    wealth = elsewhere.answering("wealth", lambda _: 1)
    with module(elsewhere, custom("wealth", Banded, wealth, "name", "flag", "age")):
        hiding = [{"id": "p", "fields": ["wealth"], "rows": "row.flag != true"}]
        bundle = policies({"name": "clear", "wealth": "clear"}, prohibitions=hiding)
        with on.things(bundle, ROWS, MAPPING) as member:
            answer = asked(on, member, LISTED % "wealth")
    assert [node["wealth"] for node in nodes(answer)] == ["1", None, None]
    assert answer.errors == []
    assert elsewhere.asked == [("wealth", [{"name": "Anna", "flag": True, "age": 30}])]


def test_what_is_no_value_of_its_type_is_null(on: On, elsewhere: Elsewhere) -> None:
    given = {"Anna": "much", "Bruno": None, "Carla": 3}
    with (
        module(elsewhere, custom("wealth", Banded, elsewhere.answering("wealth", lambda r: given[r["name"]]), "name")),
        on.things(policies({"name": "clear", "wealth": "clear"}), ROWS, MAPPING) as member,
    ):
        answer = asked(on, member, LISTED % "wealth")
    assert [node["wealth"] for node in nodes(answer)] == [None, None, "3"]
    assert answer.errors == []


def test_nobody_is_shown_among_persons_who_look_alike_in_a_custom_field(on: On, elsewhere: Elsewhere) -> None:
    wealth = elsewhere.answering("wealth", lambda _: 1)
    alike = {"aggregates": {"min_cell": 5, "over": ["name"], "generalise_k": {"k": 2, "quasi_identifiers": ["wealth"]}}}
    fields = {**FIELDS, "wealth": {"category": "income"}}
    counted = document([grant("g", {"name": "clear", "wealth": "clear"}, **alike)], fields=fields)
    with (
        module(elsewhere, custom("wealth", Banded, wealth, "name")),
        on.things(bundle_of(counted), ROWS, MAPPING) as member,
    ):
        assert nodes(asked(on, member, LISTED % "wealth")) == []
    assert elsewhere.asked == []


def test_the_ledger_says_that_it_was_disclosed_and_of_whom(on: On, elsewhere: Elsewhere, tmp_path: Path) -> None:
    wealth = elsewhere.answering("wealth", lambda _: 150)
    with module(elsewhere, custom("wealth", Banded, wealth, "name")):
        bundle = policies({"name": "clear", "wealth": {"band": [0, 100]}})
        with on.things(bundle, ROWS[:2], MAPPING) as member:
            entry = recorded(on, member, bundle, tmp_path, LISTED % "wealth")
    [recording] = [each for each in entry.decisions if each.coordinate == "Thing.wealth"]
    assert (recording.form, recording.grants, recording.retain) == ("band", ("g",), "P1Y")
    assert entry.subjects == 2
    assert "150" not in entry.to_bytes().decode()


def test_r29_a_value_may_be_asked_about_and_not_seen(on: On, elsewhere: Elsewhere) -> None:
    given = {"Anna": 100, "Bruno": 250.5, "Carla": None}
    resolve = elsewhere.answering("wealth", lambda row: given[row["name"]])
    hiding = [{"id": "p", "fields": ["wealth"], "rows": 'row.place == "b"'}]
    bundle = policies({"name": "clear", "wealth": "verify"}, prohibitions=hiding)
    with module(elsewhere, custom("wealth", Banded, resolve, "name")), on.things(bundle, ROWS, MAPPING) as member:
        answer = asked(on, member, LISTED % 'a: wealthMatches(value: "100") b: wealthMatches(value: "101")')
    assert [(node["a"], node["b"]) for node in nodes(answer)] == [(True, False), (None, None), (None, None)]
    assert answer.errors == []
    # Both guesses are one question, and Bruno's row, which denies it, is in none.
    assert elsewhere.asked == [("wealth", [{"name": "Anna"}, {"name": "Carla"}])]
    [decision] = [each for each in answer.decisions if each.coordinate == "Thing.wealth"]
    assert (decision.form, decision.grants) == ("verify", ("g",))


def test_guesses_of_a_custom_value_are_recorded_and_run_dry(on: On, elsewhere: Elsewhere, tmp_path: Path) -> None:
    wealth = custom("wealth", Banded, elsewhere.answering("wealth", lambda _: 150), "name")
    bundle = policies({"name": "clear", "wealth": "verify"})
    with (
        module(elsewhere, wealth),
        on.things(bundle, ROWS[:1], MAPPING) as member,
        whole(member, bundle, tmp_path) as node,
    ):
        for guess in range(5):
            on.run(node.ask(LISTED % f'wealthMatches(value: "{guess}")'))
        with pytest.raises(BudgetExhaustedError):
            on.run(node.ask(LISTED % 'wealthMatches(value: "150")'))
        entries = node.entries()
    [recording] = [each for each in entries[0].decisions if each.coordinate == "Thing.wealth"]
    assert (recording.form, recording.grants) == ("verify", ("g",))
    assert [entry.kind for entry in entries] == [EntryKind.DISCLOSURE] * 5 + [EntryKind.REFUSAL]


def test_r29_a_field_with_verify_is_not_shown_itself(on: On, elsewhere: Elsewhere) -> None:
    bundle = policies({"name": "clear", "wealth": "verify"})
    wealth = custom("wealth", Banded, elsewhere.answering("wealth", lambda _: 1), "name")
    with module(elsewhere, wealth), on.things(bundle, ROWS, MAPPING) as member:
        answer = asked(on, member, LISTED % "wealth")
    assert [node["wealth"] for node in nodes(answer)] == [None, None, None]
    assert {error["extensions"]["code"] for error in answer.errors} == {"FIELD_DENIED"}
    assert elsewhere.asked == []


def test_r29_an_age_of_a_custom_date_is_told_without_the_date(on: On, elsewhere: Elsewhere) -> None:
    given = {"Anna": "2008-05-01", "Bruno": "2008-05-02", "Carla": "2008"}
    resolve = elsewhere.answering("joined", lambda row: given[row["name"]])
    hiding = [{"id": "p", "fields": ["joined"], "rows": "row.age == 40"}]
    bundle = policies({"name": "clear", "joined": {"age_over": [17, 18]}}, prohibitions=hiding)
    with module(elsewhere, custom("joined", PartialDate, resolve, "name")), on.things(bundle, ROWS, MAPPING) as member:
        answer = asked(on, member, LISTED % "a: joinedReached(years: 18) b: joinedReached(years: 17)")
    # On 1 May 2026; Bruno's row denies it, and Carla's age is not known, which denies it, too.
    assert [(node["a"], node["b"]) for node in nodes(answer)] == [(True, True), (None, None), (None, None)]
    assert elsewhere.asked == [("joined", [{"name": "Anna"}])]
    [decision] = [each for each in answer.decisions if each.coordinate == "Thing.joined"]
    assert decision.form == "age_over"


@pytest.mark.parametrize("kind", [list[str], Vehicle])
def test_lists_and_objects_cannot_be_asked_about(on: On, elsewhere: Elsewhere, kind: Any) -> None:
    bundle = policies({"name": "clear", "wealth": "clear"})
    with module(elsewhere, custom("wealth", kind, wrong, "name")), on.things(bundle, ROWS, MAPPING) as member:
        mapping = NodeMapping.parse(MAPPING)
        asking = NodeSchema.build(thing_vocabulary(), mapping, frozenset({"Thing.wealthMatches"}))
    assert "wealthMatches" not in asking.published_sdl
    assert "wealth" in member.schema.published_sdl


# --- failures ---------------------------------------------------------------------------------------------------------


async def too_slow(rows: Sequence[Row]) -> Sequence[Any]:
    await asyncio.sleep(30)
    return rows


async def wrong(rows: Sequence[Row]) -> Sequence[Any]:
    raise KeyError(rows[0]["name"])


async def too_few(rows: Sequence[Row]) -> Sequence[Any]:
    return rows[1:]


@pytest.mark.parametrize("failing", [too_slow, wrong, too_few])
def test_a_field_that_fails_costs_itself_alone(
    on: On, elsewhere: Elsewhere, failing: Any, caplog: pytest.LogCaptureFixture
) -> None:
    good = custom("wealth", Banded, elsewhere.answering("wealth", lambda _: 7), "name")
    bad = custom("other", str, failing, "name", seconds=0.05)
    with (
        module(elsewhere, good, bad),
        on.things(policies({"name": "clear", "wealth": "clear", "other": "clear"}), ROWS, MAPPING) as member,
    ):
        answer = asked(on, member, LISTED % "wealth o: other")
    assert nodes(answer) == [{"name": name, "wealth": "7", "o": None} for name in ("Anna", "Bruno", "Carla")]
    assert [error["path"] for error in answer.errors] == [["things", "edges", at, "node", "o"] for at in range(3)]
    assert {error["extensions"]["code"] for error in answer.errors} == {"CUSTOM_FIELD_UNAVAILABLE"}
    assert "Anna" not in caplog.text + str(answer.errors)
    assert "`Thing.other` could not be resolved" in caplog.text


def test_a_row_that_fails_costs_itself_alone(on: On, elsewhere: Elsewhere) -> None:
    answer_of = {"Anna": 1, "Bruno": LookupError("not there"), "Carla": 3}
    resolve = elsewhere.answering("wealth", lambda row: answer_of[row["name"]])
    with (
        module(elsewhere, custom("wealth", Banded, resolve, "name")),
        on.things(policies({"name": "clear", "wealth": "clear"}), ROWS, MAPPING) as member,
    ):
        answer = asked(on, member, LISTED % "wealth")
    assert [node["wealth"] for node in nodes(answer)] == ["1", None, "3"]
    assert [error["path"] for error in answer.errors] == [["things", "edges", 1, "node", "wealth"]]


# --- objects ----------------------------------------------------------------------------------------------------------


def vehicles(elsewhere: Elsewhere) -> CustomField:
    return custom(
        "vehicles", list[Vehicle], elsewhere.answering("vehicles", lambda row: VEHICLES.get(row["code"], [])), "code"
    )


def test_objects_have_a_policy_of_their_own(on: On, elsewhere: Elsewhere) -> None:
    with (
        module(elsewhere, vehicles(elsewhere)),
        on.things(policies({"name": "clear", "vehicles": "clear"}), ROWS, MAPPING) as member,
    ):
        answer = asked(on, member, LISTED % "vehicles { plate firstSeen engine { fuel __typename } }")
    electric = {"fuel": "electric", "__typename": "Engine"}
    assert [node["vehicles"] for node in nodes(answer)] == [
        # A stolen vehicle is hidden, and one of which nobody says whether it is stolen.
        [{"plate": "AA111", "firstSeen": "2019", "engine": electric}],
        [{"plate": "BB111", "firstSeen": "2020", "engine": None}, {"plate": None, "firstSeen": None, "engine": None}],
        [],
    ]
    forms = {each.coordinate: each.form for each in answer.decisions}
    assert forms["Vehicle.firstSeen"] == "year"
    assert forms["Engine.fuel"] == "clear"


def test_a_denied_field_of_an_object_has_an_error_at_every_place(on: On, elsewhere: Elsewhere) -> None:
    denying = {**VEHICLE_POLICY, "grants": [grant("v", {"plate": "clear"})]}
    bundle = policies({"name": "clear", "vehicles": "clear"}, types__Vehicle=denying)
    with module(elsewhere, vehicles(elsewhere)), on.things(bundle, ROWS, MAPPING) as member:
        answer = asked(on, member, LISTED % "vehicles { firstSeen engine { fuel } }")
    assert nodes(answer)[0]["vehicles"] == [{"firstSeen": None, "engine": None}]
    assert ["things", "edges", 1, "node", "vehicles", 1, "firstSeen"] in [error["path"] for error in answer.errors]
    assert {error["extensions"]["code"] for error in answer.errors} == {"FIELD_DENIED"}


def inspected(elsewhere: Elsewhere, answer: Callable[[Row], Any] | None = None, **changes: Any) -> CustomField:
    """Declare a field that every vehicle has from another system, which knows it by its plate."""
    given = answer or (lambda row: row["plate"] and f"20{row['plate'][2:4]}-05-06")
    resolve = elsewhere.answering("inspected", given)
    return replace(custom("inspected", PartialDate, resolve, "plate", on="Vehicle"), **changes)


def vehicles_that_show(see: dict[str, object], *prohibitions: dict[str, Any]) -> Bundle:
    fields = {**VEHICLE_POLICY["fields"], "inspected": {"category": "income"}}
    hidden = [*VEHICLE_POLICY["prohibitions"], *prohibitions]
    known = {**VEHICLE_POLICY, "fields": fields, "grants": [grant("v", see)], "prohibitions": hidden}
    return policies({"name": "clear", "vehicles": "clear"}, types__Vehicle=known)


def test_objects_ask_for_a_field_of_their_own_once_for_all_of_them(on: On, elsewhere: Elsewhere) -> None:
    with (
        module(elsewhere, vehicles(elsewhere), inspected(elsewhere)),
        on.things(vehicles_that_show({"inspected": "year"}), [ROWS[0], *ROWS], MAPPING) as member,
    ):
        answer = asked(on, member, LISTED % "vehicles { inspected again: inspected }")
    year, none = {"inspected": "2011", "again": "2011"}, {"inspected": None, "again": None}
    assert [node["vehicles"] for node in nodes(answer)] == [[year], [year], [year, none], []]
    assert answer.errors == []
    # Equal objects are one; a hidden one, and one of which nobody says whether it is hidden, is not asked about.
    assert [name for name, _ in elsewhere.asked] == ["vehicles", "inspected"]
    assert elsewhere.asked[1][1] == [{"plate": "AA111"}, {"plate": "BB111"}, {"plate": None}]
    [decision] = [each for each in answer.decisions if each.coordinate == "Vehicle.inspected"]
    assert (decision.form, decision.grants, decision.law) == ("year", ("v",), ("law for a test",))


def test_r29_a_field_that_an_object_denies_is_never_asked(on: On, elsewhere: Elsewhere) -> None:
    with (
        module(elsewhere, vehicles(elsewhere), inspected(elsewhere)),
        on.things(vehicles_that_show({"plate": "clear"}), ROWS[:1], MAPPING) as member,
    ):
        answer = asked(on, member, LISTED % "vehicles { plate inspected }")
    assert nodes(answer)[0]["vehicles"] == [{"plate": "AA111", "inspected": None}]
    [error] = answer.errors
    assert error["path"] == ["things", "edges", 0, "node", "vehicles", 0, "inspected"]
    assert error["extensions"]["code"] == "FIELD_DENIED"
    assert [each.form for each in answer.decisions if each.coordinate == "Vehicle.inspected"] == ["deny"]
    assert [name for name, _ in elsewhere.asked] == ["vehicles"]


def test_r29_an_object_whose_row_denies_it_is_not_asked_about(on: On, elsewhere: Elsewhere) -> None:
    police = {"id": "p", "fields": ["inspected"], "rows": 'row.plate != "BB111"'}
    with (
        module(elsewhere, vehicles(elsewhere), inspected(elsewhere)),
        on.things(vehicles_that_show({"inspected": "clear"}, police), ROWS[:2], MAPPING) as member,
    ):
        answer = asked(on, member, LISTED % "vehicles { inspected }")
    assert nodes(answer)[0]["vehicles"] == [{"inspected": None}]
    assert nodes(answer)[1]["vehicles"][0] == {"inspected": "2011-05-06"}
    assert [rows for name, rows in elsewhere.asked if name == "inspected"] == [[{"plate": "BB111"}]]


def test_an_objects_field_that_fails_costs_itself_alone(on: On, elsewhere: Elsewhere) -> None:
    failing = inspected(elsewhere, lambda row: LookupError() if row["plate"] == "BB111" else "2011-05-06")
    with (
        module(elsewhere, vehicles(elsewhere), failing),
        on.things(vehicles_that_show({"plate": "clear", "inspected": "clear"}), ROWS[:2], MAPPING) as member,
    ):
        answer = asked(on, member, LISTED % "vehicles { plate i: inspected }")
    assert nodes(answer)[0]["vehicles"] == [{"plate": "AA111", "i": "2011-05-06"}]
    assert nodes(answer)[1]["vehicles"][0] == {"plate": "BB111", "i": None}
    [error] = answer.errors
    assert error["path"] == ["things", "edges", 1, "node", "vehicles", 0, "i"]
    assert error["extensions"]["code"] == "CUSTOM_FIELD_UNAVAILABLE"


def test_nothing_more_is_asked_of_objects_that_are_not_answered(on: On, elsewhere: Elsewhere) -> None:
    plates = [Vehicle(plate=f"AA11{number}", stolen=False) for number in range(150)]
    broken = [plates[0], Broken(plate="ZZ999", stolen=False)]
    many = elsewhere.answering("vehicles", lambda row: plates if row["name"] == "Anna" else broken)
    with (
        module(elsewhere, custom("vehicles", list[Vehicle], many, "name"), inspected(elsewhere)),
        on.things(vehicles_that_show({"inspected": "clear", "engine": "clear"}), ROWS[:2], MAPPING) as member,
    ):
        answer = asked(on, member, "{ things { edges { node { vehicles { inspected engine { fuel } } } } } }")
    [anna, bruno] = nodes(answer)
    assert bruno["vehicles"] is None
    [rows] = [rows for name, rows in elsewhere.asked if name == "inspected"]
    assert len(rows) == len(anna["vehicles"]) < len(plates)


def test_objects_of_objects_ask_in_their_turn(on: On, elsewhere: Elsewhere) -> None:
    former = elsewhere.answering("former", lambda row: [Vehicle(plate="CC171", stolen=False)] if row["plate"] else [])
    known = custom("former", list[Vehicle], former, "plate", "firstSeen", on="Vehicle")
    fields = {**VEHICLE_POLICY["fields"], "inspected": {"category": "income"}, "former": {"category": "income"}}
    grants = [grant("v", {"inspected": "clear", "former": "clear"})]
    bundle = policies(
        {"name": "clear", "vehicles": "clear"}, types__Vehicle={**VEHICLE_POLICY, "fields": fields, "grants": grants}
    )
    with (
        module(elsewhere, vehicles(elsewhere), inspected(elsewhere), known),
        on.things(bundle, ROWS[:1], MAPPING) as member,
    ):
        answer = asked(on, member, FEW % "vehicles { inspected former { inspected } }")
        with pytest.raises(QueryTooComplexError):  # lists of lists are counted before anything is asked
            asked(on, member, LISTED % "vehicles { inspected former { inspected } }")
    assert nodes(answer)[0]["vehicles"] == [{"inspected": "2011-05-06", "former": [{"inspected": "2017-05-06"}]}]
    assert [name for name, _ in elsewhere.asked] == ["vehicles", "inspected", "former", "inspected"]
    assert elsewhere.asked[2][1] == [{"plate": "AA111", "firstSeen": "2019-03-01"}]


def test_the_ledger_names_an_objects_field_and_its_form(on: On, elsewhere: Elsewhere, tmp_path: Path) -> None:
    with module(elsewhere, vehicles(elsewhere), inspected(elsewhere)):
        bundle = vehicles_that_show({"inspected": "year"})
        with on.things(bundle, ROWS[:2], MAPPING) as member:
            entry = recorded(on, member, bundle, tmp_path, LISTED % "vehicles { inspected }")
    [recording] = [each for each in entry.decisions if each.coordinate == "Vehicle.inspected"]
    assert (recording.form, recording.grants) == ("year", ("v",))
    assert "2011" not in entry.to_bytes().decode()


def test_a_type_of_which_no_row_may_be_seen_gives_nothing(on: On, elsewhere: Elsewhere) -> None:
    bundle = policies({"name": "clear", "vehicles": "clear"}, types__Vehicle={**VEHICLE_POLICY, "grants": []})
    with module(elsewhere, vehicles(elsewhere)), on.things(bundle, ROWS, MAPPING) as member:
        answer = asked(on, member, LISTED % "vehicles { plate }")
    assert [node["vehicles"] for node in nodes(answer)] == [[], [], []]


# --- the schema -------------------------------------------------------------------------------------------------------


def test_the_schema_says_the_category_of_every_field(on: On, elsewhere: Elsewhere) -> None:
    with module(elsewhere, vehicles(elsewhere)), on.things(policies({"vehicles": "clear"}), ROWS, MAPPING) as member:
        sdl = member.schema.published_sdl
        shown = asked(on, member, "{ _service { sdl } }").data["_service"]["sdl"]
    assert (
        'vehicles: [Vehicle!] @semantic(iri: "https://member.example/onto/vehicles") @privacy(category: "income"' in sdl
    )
    assert 'firstSeen: PartialDate @semantic(iri: "https://member.example/onto/seen") @privacy(category: "case"' in sdl
    assert "enum Fuel {\n  petrol\n  electric\n}" in sdl
    assert "stolen" not in sdl
    assert "type Vehicle" in shown


def test_r20_who_may_not_see_it_is_not_told_of_it(on: On, elsewhere: Elsewhere) -> None:
    with module(elsewhere, vehicles(elsewhere)), on.things(policies({"name": "clear"}), ROWS, MAPPING) as member:
        shown = asked(on, member, "{ _service { sdl } }").data["_service"]["sdl"]
    assert "ehicle" not in shown


@strawberry.type
class Uncategorised:
    """A type of which no field has a category."""

    word: str | None = None


@concept(ONTO + "Strict", "Strict.", "Severo.")
class Strict:
    """A type with a field that admits no null."""

    word: str = term(ONTO + "word", Category.PUBLIC, "A word.", "Una parola.")


@concept(ONTO + "AnswerGroup", "Named badly.", "Nome sbagliato.")
class AnswerGroup:
    """A type with a node's own ending."""

    word: str | None = term(ONTO + "word", Category.PUBLIC, "A word.", "Una parola.")


@entity(ONTO + "Keyed", "An entity.", "Un'entità.")
class Keyed:
    """A type with a key."""

    id: strawberry.ID | None = term(ONTO + "id", Category.IDENTIFIER, "Its key.", "La chiave.")


@concept(ONTO + "Computed", "Computed.", "Calcolato.")
class Computed:
    """A type with a resolver of its own."""

    word: str | None = term(ONTO + "word", Category.PUBLIC, "A word.", "Una parola.")

    @strawberry.field
    def other(self) -> str | None:
        """Return a word."""
        return self.word


REFUSED: dict[str, tuple[CustomField, str]] = {
    "a type without rows": (
        custom("x", str, wrong, on="Thng"),
        "no rows of `Thng` are mapped, and no field gives its objects; did you mean `Thing`?",
    ),
    "a field that is mapped": (custom("code", str, wrong), "`Thing.code` is mapped by `Thing`, too"),
    "no category": (custom("x", str, wrong, category="incme"), "`incme` is no category; did you mean `income`?"),
    "a need that nothing gives": (custom("x", str, wrong, "cod"), "needs `cod`, which `Thing` has neither as a field"),
    "a set": (custom("x", str, wrong, "tags"), "needs `tags`"),
    "no GraphQL type": (custom("x", object, wrong), "has a type that is no GraphQL type"),
    "no category inside": (custom("x", Uncategorised, wrong), "`Uncategorised.word` has no category"),
    "no null inside": (custom("x", Strict, wrong), "`Strict.word` must admit null"),
    "a resolver inside": (
        custom("x", Computed, wrong),
        "`Computed` has resolvers or arguments of its own; use a `CustomField` on `Computed`",
    ),
    "an entity": (custom("x", Keyed, wrong), "`Keyed` is an entity"),
    "a name of a node's own": (custom("x", AnswerGroup, wrong), "declares `AnswerGroup`"),
    "a field of a node's own": (custom("xMatches", str, wrong), "declares `Thing.xMatches`"),
    "another type than the vocabulary's": (
        custom("income", str, wrong, "name"),
        "gives `Thing.income` the type `String`, and the vocabulary says `Banded`",
    ),
    "lists of lists": (custom("x", list[list[str]], wrong), "is a list of lists"),
}


REFUSED_ON_OBJECTS: dict[str, tuple[CustomField, str]] = {
    "a field of the class": (custom("plate", str, wrong, on="Vehicle"), "`Vehicle.plate` is declared by its class"),
    "a need that no object has": (custom("x", str, wrong, "plat", on="Vehicle"), "needs `plat`, which `Vehicle` has"),
    "a field of a node's own": (custom("xMatches", str, wrong, on="Vehicle"), "declares `Vehicle.xMatches`"),
}


@pytest.mark.parametrize(("declared", "message"), REFUSED_ON_OBJECTS.values(), ids=REFUSED_ON_OBJECTS.keys())
def test_a_field_that_objects_cannot_have_is_refused(elsewhere: Elsewhere, declared: CustomField, message: str) -> None:
    with module(elsewhere, vehicles(elsewhere), declared), pytest.raises(MappingError) as refused:
        NodeSchema.build(thing_vocabulary(), NodeMapping.parse(MAPPING))
    assert message in str(refused.value)


@pytest.mark.parametrize(("declared", "message"), REFUSED.values(), ids=REFUSED.keys())
def test_a_declaration_that_cannot_be_served_is_refused(
    elsewhere: Elsewhere, declared: CustomField, message: str
) -> None:
    mapping = MAPPING.replace("income: income, ", "").replace(", income", "")
    with module(elsewhere, declared), pytest.raises(MappingError) as refused:
        NodeSchema.build(thing_vocabulary(), NodeMapping.parse(mapping))
    assert message in str(refused.value)
    assert str(refused.value).startswith("node.yaml:4: `custom` ")


def test_code_about_citizens_is_refused_where_nobody_may_see_who_is_known(elsewhere: Elsewhere) -> None:
    text = MAPPING.replace("Thing", "Citizen") + "directory: {broadcast: true}\n"
    declared = custom("code", str, wrong, on="Citizen")
    with module(elsewhere, declared), pytest.raises(MappingError, match=r"`Citizen\.code`: under `broadcast`"):
        NodeSchema.build(thing_vocabulary(), NodeMapping.parse(text))


@pytest.mark.parametrize("part", ["filter", "order", "groups", "measures"])
def test_lists_are_not_filtered_ordered_or_counted_by_a_custom_field(elsewhere: Elsewhere, part: str) -> None:
    text = MAPPING.replace("income: income, ", "")
    opened = f"    {part}: ["
    text = text.replace(", income", "").replace(opened, f"{opened}income, ")
    with module(elsewhere, custom("income", Banded, wrong)), pytest.raises(MappingError) as refused:
        NodeSchema.build(thing_vocabulary(), NodeMapping.parse(text))
    assert "names `income`, which `Thing` does not map" in str(refused.value)
    assert "only what it maps under `fields` can be filtered, ordered and counted by" in str(refused.value)


def test_a_field_of_the_vocabulary_may_be_custom(on: On, elsewhere: Elsewhere) -> None:
    text = MAPPING.replace("income: income, ", "").replace(", income", "")
    resolve = elsewhere.answering("income", lambda row: 20 if row["id"] == "1" else None)
    with (
        module(elsewhere, custom("income", Banded, resolve, "id")),
        on.things(policies({"name": "clear", "income": "clear"}), ROWS, text) as member,
    ):
        answer = asked(on, member, LISTED % "income")
    assert [node["income"] for node in nodes(answer)] == ["20", None, None]
