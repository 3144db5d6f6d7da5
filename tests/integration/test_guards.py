"""Inference: guesses run dry, and what a policy keeps apart is not put together from several answers."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import msgspec
import pytest

from federation.contract.clock import FixedClock
from federation.contract.entries import EntryKind
from federation.contract.errors import BudgetExhaustedError, CombinationError, CountsOverlapError, ThresholdError
from federation.contract.identifiers import MemberId
from federation.contract.members import AgreedProvider, AgreedPurpose
from federation.shared.place import SharedPlace
from federation.trust.counters import SharedCounters
from node.demo.seed import seed
from node.enforcement.delivered import Apart, MemoryDelivered, SharedDelivered
from node.enforcement.guards import Budgets
from node.policy.bundle import Bundle, load_bundle
from tests.support.nodes import DAY, AskedNode, DemoMember, asked_node, open_demo_member, pseudonym
from tests.support.parties import Parties
from tests.support.policies import ROOT, demo, folder_files
from tests.support.postgres import Server

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator
    from pathlib import Path

    from node.enforcement.delivered import Delivered

pytestmark = pytest.mark.integration

LAURA = '{ citizen(by: {taxCode: "BNCLRA84H57F257B"}) { %s } }'
SOFIA = '{ citizen(by: {taxCode: "FRRSFO14E54F257M"}) { %s } }'
NOBODY = '{ citizen(by: {taxCode: "RSSMRA80A01H501U"}) { givenName } }'
KEPT_APART = """
never_together:
  - {id: who-and-when, fields: [givenName, familyName, dateOfBirth], to: {kind: [national]}}
"""


@pytest.fixture(scope="module")
def register(database: Server | None, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small town, on each of the two databases."""
    town = seed(tmp_path_factory.mktemp("town"), 20, lambda _done, _wanted: None, pseudonym)
    folder = town.registers["c_m999"].parent
    if database is not None:
        database.database("guarded").take_register(folder)
    return folder


@pytest.fixture
async def borgoverde(register: Path) -> AsyncIterator[DemoMember]:
    member = open_demo_member(register, demo("c_m999"))
    yield member
    await member.plane.database.close()


@pytest.fixture
def node(borgoverde: DemoMember, tmp_path: Path) -> Iterator[AskedNode]:
    with asked_node(borgoverde, tmp_path, Parties()) as asked:
        yield asked


def bound(node: AskedNode, budgets: Budgets) -> None:
    node.node = replace(node.node, guards=replace(node.node.guards, budgets=budgets))


def asks_for(node: AskedNode, purpose: str) -> None:
    agreed = AgreedPurpose(purpose, ("6.1.e",))
    node.parties.agreement = msgspec.structs.replace(node.parties.agreement, purposes=(agreed,))


def of_ages(node: AskedNode, form: object) -> dict[str, Any]:
    """Return what changes at a node whose policy gives a date of birth for tax assessment in this form."""
    files = folder_files(ROOT / "policies" / "c_m999")
    written = files["types/Citizen.yaml"].decode().replace("dateOfBirth: verify", f"dateOfBirth: {json.dumps(form)}")
    bundle = load_bundle(files | {"types/Citizen.yaml": written.encode()})
    return {"policy": replace(node.node.policy, bundle=bundle)}


def keeping_apart() -> Bundle:
    files = folder_files(ROOT / "policies" / "c_m999")
    files["types/Citizen.yaml"] += KEPT_APART.encode()
    return load_bundle(files)


async def test_guesses_of_one_field_of_one_citizen_run_dry(node: AskedNode) -> None:
    asks_for(node, "tax-assessment")
    for day in range(1, 6):
        found = await node.ask(LAURA % f'dateOfBirthMatches(value: "1984-06-0{day}")')
        assert found["data"]["citizen"] == {"dateOfBirthMatches": False}
    with pytest.raises(BudgetExhaustedError) as refused:
        await node.ask(LAURA % 'dateOfBirthMatches(value: "1984-06-17")')
    extensions = refused.value.graphql()["extensions"]
    assert (extensions["code"], extensions["budget"], extensions["limit"]) == ("BUDGET_EXHAUSTED", "probes-of-one", 5)
    assert 0 < extensions["retryAfter"] <= 86_400
    assert "1984" not in str(refused.value)
    assert [entry.kind for entry in node.entries()] == [EntryKind.DISCLOSURE] * 5 + [EntryKind.REFUSAL]
    assert (await node.ask(SOFIA % 'dateOfBirthMatches(value: "2014-05-14")'))["data"]["citizen"] is not None


async def test_a_search_for_an_age_by_halves_learns_which_thresholds_it_lies_between_and_no_more(
    node: AskedNode,
) -> None:
    """Laura was born on 17 June 1984; who may ask for 14, 18 and 65 learns that she is between 18 and 64."""
    node.node = replace(node.node, **of_ages(node, {"age_over": [14, 18, 65]}))
    asks_for(node, "tax-assessment")
    answers, refusals = {}, []
    for years in (50, 25, 37, 18, 14, 65, 43, 40, 41, 42):  # any search: what is not listed is refused, with what is
        try:
            answers[years] = (await node.ask(LAURA % f"dateOfBirthReached(years: {years})"))["data"]["citizen"]
        except ThresholdError as refused:
            refusals.append(refused.graphql()["extensions"])
    assert refusals == [{"code": "THRESHOLD_NOT_GRANTED", "thresholds": [14, 18, 65]}] * 7
    assert {years: found["dateOfBirthReached"] for years, found in answers.items()} == {14: True, 18: True, 65: False}


async def test_guesses_of_an_age_and_of_a_date_are_of_one_budget(node: AskedNode) -> None:
    bound(node, Budgets(probes_of_one=2))
    node.node = replace(node.node, **of_ages(node, {"age_over": [18]}))
    asks_for(node, "tax-assessment")
    for _ in range(2):
        await node.ask(LAURA % "dateOfBirthReached(years: 18)")
    with pytest.raises(BudgetExhaustedError):
        await node.ask(LAURA % "dateOfBirthReached(years: 18)")


async def test_thresholds_are_told_to_nobody_whose_grants_have_none(node: AskedNode) -> None:
    """Who may only confirm a date meets the denial of any other field (policy R20)."""
    asks_for(node, "tax-assessment")
    found = await node.ask(LAURA % "dateOfBirthReached(years: 21)")
    assert found["data"]["citizen"] == {"dateOfBirthReached": None}
    assert [error["extensions"]["code"] for error in found["errors"]] == ["FIELD_DENIED"]


async def test_guesses_in_one_question_are_counted_one_by_one(node: AskedNode) -> None:
    asks_for(node, "tax-assessment")
    guesses = " ".join(f'g{day}: dateOfBirthMatches(value: "1984-06-{day:02}")' for day in range(1, 11))
    with pytest.raises(BudgetExhaustedError):
        await node.ask(LAURA % guesses)
    with pytest.raises(BudgetExhaustedError):
        await node.ask(LAURA % 'dateOfBirthMatches(value: "1984-06-17")')


async def test_another_day_and_another_field_have_budgets_of_their_own(node: AskedNode) -> None:
    bound(node, Budgets(probes_of_one=1))
    asks_for(node, "tax-assessment")
    await node.ask(LAURA % 'dateOfBirthMatches(value: "1984-06-01")')
    await node.ask(LAURA % 'taxCodeMatches(value: "BNCLRA84H57F257B")')
    with pytest.raises(BudgetExhaustedError):
        await node.ask(LAURA % 'dateOfBirthMatches(value: "1984-06-02")')
    clock: FixedClock = node.parties.clock
    clock.instant += timedelta(days=1)
    await node.ask(LAURA % 'dateOfBirthMatches(value: "1984-06-02")')


async def test_r23_look_ups_that_name_nobody_run_dry(node: AskedNode) -> None:
    bound(node, Budgets(misses=2))
    for _ in range(2):
        assert (await node.ask(NOBODY))["data"] == {"citizen": None}
    refusals = []
    for lookup in (NOBODY, LAURA % "givenName"):  # a refusal of strangers only would say who is one
        with pytest.raises(BudgetExhaustedError) as refused:
            await node.ask(lookup)
        refusals.append(refused.value.graphql())
    assert refusals[0] == refusals[1]
    assert refusals[0]["extensions"]["budget"] == "misses"
    last = node.entries()[-1]
    assert (last.kind, last.code, last.detail) == (EntryKind.REFUSAL, "BUDGET_EXHAUSTED", "misses")


async def test_r23_look_ups_of_one_citizen_and_look_ups_in_all_are_bounded(node: AskedNode) -> None:
    bound(node, Budgets(lookups=4, lookups_of_one=2))
    for _ in range(2):
        await node.ask(LAURA % "givenName")
    for budget in ("lookups-of-one", "lookups-of-one", "lookups"):
        with pytest.raises(BudgetExhaustedError) as refused:
            await node.ask(LAURA % "givenName")
        assert refused.value.extensions["budget"] == budget


async def test_what_is_kept_apart_is_not_given_in_one_answer(borgoverde: DemoMember, tmp_path: Path) -> None:
    with asked_node(borgoverde.of(keeping_apart()), tmp_path, Parties()) as node:
        with pytest.raises(CombinationError) as refused:
            await node.ask(LAURA % "givenName familyName dateOfBirth")
        assert refused.value.extensions["coordinates"] == [
            "Citizen.dateOfBirth",
            "Citizen.familyName",
            "Citizen.givenName",
        ]
        assert [entry.code for entry in node.entries()] == ["COMBINATION_DENIED"]
        # The refusal told nothing, so it took nothing away.
        assert (await node.ask(LAURA % "givenName familyName"))["data"]["citizen"]["familyName"] == "Bianchi"


async def test_what_is_kept_apart_is_not_put_together_from_several_answers(
    borgoverde: DemoMember, tmp_path: Path
) -> None:
    with asked_node(borgoverde.of(keeping_apart()), tmp_path, Parties()) as node:
        await node.ask(LAURA % "givenName")
        await node.ask(LAURA % "dateOfBirth")
        with pytest.raises(CombinationError):
            await node.ask(LAURA % "familyName")
        await node.ask(SOFIA % "familyName")
        asks_for(node, "social-benefit")
        with pytest.raises(CombinationError):
            await node.ask(LAURA % "familyName")


async def test_a_denied_field_of_a_combination_is_not_learned(borgoverde: DemoMember, tmp_path: Path) -> None:
    with asked_node(borgoverde.of(keeping_apart()), tmp_path, Parties()) as node:
        asks_for(node, "tax-assessment")
        await node.ask(LAURA % "givenName dateOfBirth")
        asks_for(node, "benefit-assessment")
        await node.ask(LAURA % "familyName dateOfBirth")


@pytest.fixture(params=["memory", "sqlite"])
def delivered(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Delivered]:
    if request.param == "memory":
        yield MemoryDelivered()
        return
    store = SharedDelivered.open(SharedPlace(tmp_path))
    yield store
    store.close()


def apart(*told: str) -> Apart:
    return Apart("Citizen.three", frozenset(told), frozenset({"a", "b", "c"}))


def test_what_was_told_is_forgotten_after_a_year(delivered: Delivered) -> None:
    assert delivered.learn("inprev", ["p"], [apart("a", "b")], DAY) is None
    assert delivered.learn("inprev", ["p"], [apart("c")], DAY + timedelta(days=365)) == apart("c")
    assert delivered.learn("aslvs", ["p"], [apart("c")], DAY) is None
    assert delivered.learn("inprev", ["p"], [apart("c")], DAY + timedelta(days=366)) is None


def test_one_citizen_that_must_not_be_told_leaves_the_others_untold(delivered: Delivered) -> None:
    delivered.learn("inprev", ["p"], [apart("a", "b")], DAY)
    assert delivered.learn("inprev", ["q", "p"], [apart("c")], DAY) == apart("c")
    assert delivered.learn("inprev", ["q"], [apart("a", "b")], DAY) is None


def test_what_was_told_a_year_ago_is_kept_no_longer(tmp_path: Path) -> None:
    store = SharedDelivered.open(SharedPlace(tmp_path))
    for days in (0, 366):
        store.learn("inprev", [f"p{days}"], [apart("a")], DAY + timedelta(days=days))
    store.close()
    with closing(sqlite3.connect(tmp_path / "delivered.db")) as connection:
        assert connection.execute("SELECT count(*) FROM delivered").fetchone() == (1,)


def test_a_restart_forgets_nothing_and_the_file_names_no_citizen(tmp_path: Path) -> None:
    first = SharedDelivered.open(SharedPlace(tmp_path))
    first.learn("inprev", ["v1.siv.c_m999.anna"], [apart("a", "b")], DAY)
    first.close()
    second = SharedDelivered.open(SharedPlace(tmp_path))
    assert second.learn("inprev", ["v1.siv.c_m999.anna"], [apart("c")], DAY) == apart("c")
    second.close()
    assert b"anna" not in (tmp_path / "delivered.db").read_bytes()


def test_budgets_outlive_a_restart(tmp_path: Path) -> None:
    for expected in (1, 2, None):
        counters = SharedCounters.open(SharedPlace(tmp_path))
        assert counters.add("probes-of-one:inprev:p:x", DAY, 2) == expected
        counters.close()
    with sqlite3.connect(tmp_path / "counters.db") as connection:
        [(used,)] = connection.execute("SELECT used FROM counted").fetchall()
    connection.close()
    assert used == 2


def test_guards_have_safe_defaults() -> None:
    guards: dict[str, Any] = msgspec.to_builtins(Budgets())
    assert guards == {
        "lookups": 10_000,
        "lookups-of-one": 100,
        "misses": 500,
        "probes": 10_000,
        "probes-of-one": 5,
        "counts": 200,
        "least-difference": 10,
        "populations": 1,
    }


def counting() -> Bundle:
    """Let the consumer of the tests do what the statistics office does."""
    files = folder_files(ROOT / "policies" / "c_m999")
    files["types/Citizen.yaml"] = files["types/Citizen.yaml"].replace(b"kind: [statistics]", b"kind: [national]")
    return load_bundle(files)


async def test_r26_counts_that_differ_by_a_few_are_not_both_told(borgoverde: DemoMember, tmp_path: Path) -> None:
    parties = Parties()
    parties.agreement = msgspec.structs.replace(
        parties.agreement,
        providers=(AgreedProvider(MemberId("c_m999"), ("Query.citizens", "Citizen.*")),),
        purposes=(AgreedPurpose("statistics", ("6.1.e", "9.2.j")),),
    )
    with asked_node(borgoverde.of(counting()), tmp_path, parties) as node:
        bound(node, Budgets(least_difference=100))  # more than the town has
        counted = "{ citizens%s { groups(by: [sex]) { sex count } } }"
        first = await node.ask(counted % "")
        assert [each["count"] for each in first["data"]["citizens"]["groups"]]
        with pytest.raises(CountsOverlapError):
            await node.ask(counted % '(where: {dateOfBirth: {gt: "1940"}})')
        assert (await node.ask(counted % ""))["data"] == first["data"]
        last = node.entries()[-2]
        assert (last.kind, last.code) == (EntryKind.REFUSAL, "COUNTS_OVERLAP")


async def test_r26_questions_for_counts_run_dry(borgoverde: DemoMember, tmp_path: Path) -> None:
    parties = Parties()
    parties.agreement = msgspec.structs.replace(
        parties.agreement,
        providers=(AgreedProvider(MemberId("c_m999"), ("Query.citizens", "Citizen.*")),),
        purposes=(AgreedPurpose("statistics", ("6.1.e", "9.2.j")),),
    )
    with asked_node(borgoverde.of(counting()), tmp_path, parties) as node:
        bound(node, Budgets(counts=2))
        for _ in range(2):
            await node.ask("{ citizens { groups(by: [sex]) { count } } }")
        with pytest.raises(BudgetExhaustedError) as refused:
            await node.ask("{ citizens { groups(by: [sex]) { count } } }")
        assert refused.value.extensions["budget"] == "counts"
