"""Whom the gateway asks about a citizen: open files, agreed capacities, the consumer's own file, sensitive members."""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest

from federation.contract.clock import day_in_rome
from federation.contract.entries import Entry, EntryKind
from federation.contract.held_files import BUCKETS
from federation.contract.identifiers import DIRECTORY, MemberId
from federation.contract.members import Agreement, MemberList
from federation.demo.founding import EXCHANGE_MASTER_KEY
from federation.demo.layout import Home
from federation.directory.rows import HeldFile
from federation.linkage.siv import SivSuite
from federation.trust.keys import read_secret
from node.data.mapping import Mapping as NodeMapping
from node.data.written import MappingError
from node.demo.seed import TRUTH, read_truth
from tests.support.doors import BENEFITS, HEALTH, LAURA, NOBODY, codes
from tests.support.simulator import Simulator, simulated

pytestmark = [pytest.mark.integration, pytest.mark.asyncio(loop_scope="module")]

INPREV, COOPERATIVE = MemberId("inprev"), MemberId("coop_ponte")
LAURAS = "BNCLRA84H57F257B"
ISEE = "query($by: CitizenKey!) { citizen(by: $by) { givenName isee } }"
SUPPORT = "query($by: CitizenKey!) { citizen(by: $by) { givenName supportProgrammes { kind status notes } } }"


def name_of(home: Home, member: str, tax_code: str) -> str:
    suite = SivSuite(read_secret(home.keys("exchange") / EXCHANGE_MASTER_KEY))
    people = read_truth(home.root / TRUTH)
    return str(suite.pseudonym(MemberId(member), next(each.subject_id for each in people if each.tax_code == tax_code)))


def asked_members(federation: Simulator) -> set[str]:
    return {name for name, _, _ in federation.wire.heard} - {"exchange"}


async def told(
    federation: Simulator, query: str = ISEE, who: tuple[str, str] = BENEFITS, by: Any = None
) -> dict[str, Any]:
    federation.wire.heard.clear()
    return await federation.ask_gateway(*who, query, by or LAURA)


@pytest.fixture
def lauras_file(federation: Simulator) -> Any:
    """Let social security's file on Laura be of a capacity, until a day."""
    subject = name_of(federation.home, DIRECTORY, LAURAS)

    def held(capacity: str, since: date, until: date | None) -> None:
        row = HeldFile.parse(subject, INPREV, capacity, since, until)
        federation.process.directory.replace(INPREV, range(BUCKETS), [row])

    return held


@pytest.mark.asyncio(loop_scope="function")
async def test_a_member_whose_file_has_ended_or_not_begun_is_not_asked(federation: Simulator, lauras_file: Any) -> None:
    today = day_in_rome(federation.clock.now())
    day = timedelta(days=1)
    for since, until, is_asked in (
        (today - day, None, True),
        (today - day, today, True),
        (today - 2 * day, today - day, False),
        (today + day, None, False),
    ):
        lauras_file("insured", since, until)
        answer = await told(federation)
        assert ("inprev" in asked_members(federation)) is is_asked
        assert (answer["data"]["citizen"]["isee"] is not None) is is_asked
        assert answer["data"]["citizen"]["givenName"] == "Laura"
        assert "errors" not in answer


@pytest.mark.asyncio(loop_scope="function")
async def test_a_provider_is_asked_in_the_capacities_that_are_agreed(federation: Simulator, lauras_file: Any) -> None:
    lauras_file("insured", date(2020, 1, 1), None)
    for capacities, is_asked in ((("insured", "pensioner"), True), (("pensioner",), False)):

        def changed(agreement: Agreement, capacities: tuple[str, ...] = capacities) -> Agreement:
            providers = (
                msgspec.structs.replace(each, capacities=capacities) if each.member == INPREV else each
                for each in agreement.providers
            )
            return msgspec.structs.replace(agreement, providers=tuple(providers))

        federation.agree(*BENEFITS, changed)
        answer = await told(federation)
        assert ("inprev" in asked_members(federation)) is is_asked
        assert (answer["data"]["citizen"]["isee"] is not None) is is_asked
        assert "errors" not in answer


@pytest.mark.asyncio(loop_scope="function")
async def test_a_consumer_that_must_hold_a_file_is_refused_alike_without_one_and_about_nobody(
    federation: Simulator, lauras_file: Any
) -> None:
    federation.agree(*BENEFITS, lambda agreement: msgspec.structs.replace(agreement, holding=("insured", "pensioner")))
    lauras_file("insured", date(2020, 1, 1), None)
    assert (await told(federation))["data"]["citizen"]["isee"] is not None
    own = {"by": {"id": name_of(federation.home, "inprev", LAURAS)}}
    assert (await told(federation, by=own))["data"]["citizen"]["isee"] is not None
    lauras_file("applicant", date(2020, 1, 1), None)
    refused = [await told(federation), await told(federation, by=NOBODY)]
    refused.append(await told(federation, by=own))
    # By her pseudonym nobody at all is asked.
    assert asked_members(federation) == set()
    for answer in refused:
        assert answer["data"] == {"citizen": None}
        assert codes(answer) == {"NO_OPEN_FILE"}
    assert refused[0]["errors"] == refused[1]["errors"] == refused[2]["errors"]


@pytest.mark.asyncio(loop_scope="function")
@pytest.mark.parametrize("away", ["exchange", "aslvs"])
async def test_an_outage_does_not_tell_who_holds_no_file_whether_somebody_knows_the_citizen(
    federation: Simulator, lauras_file: Any, away: str
) -> None:
    def changed(agreement: Agreement) -> Agreement:
        second = next(each for each in agreement.providers if each.member == "aslvs")
        finding = msgspec.structs.replace(second, coordinates=(*second.coordinates, "Query.citizen", "Citizen.id"))
        providers = (finding if each.member == "aslvs" else each for each in agreement.providers)
        return msgspec.structs.replace(agreement, providers=tuple(providers), holding=("insured",))

    federation.agree(*BENEFITS, changed)
    lauras_file("applicant", date(2020, 1, 1), None)
    federation.wire.stopped.add(away)
    known, unknown = await told(federation), await told(federation, by=NOBODY)
    assert codes(known) == codes(unknown) == {"NO_OPEN_FILE"}
    assert known["errors"] == unknown["errors"]


# --- a member of a sensitive kind -------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Sensitive:
    """A federation in which the cooperative publishes no rows, and people whom it helps and does not know."""

    federation: Simulator
    helped: str
    unknown: str

    async def ask(self, tax_code: str, who: tuple[str, str] = BENEFITS) -> dict[str, Any]:
        return await told(self.federation, SUPPORT, who, {"by": {"taxCode": tax_code}})

    def told_by(self) -> dict[str, Any]:
        """Return what the cooperative's node answered last."""
        return next(content for name, _, content in reversed(self.federation.wire.heard) if name == COOPERATIVE)


def _people(home: Home) -> tuple[str, str]:
    """Return the tax codes of somebody whom the cooperative helps, and of somebody whom it does not know."""
    with closing(sqlite3.connect(home.root / "c_m999" / "register.db")) as town:
        residents = "SELECT COD_FISC FROM ANAGRAFE WHERE POS_ANAG = 'R' AND FL_TUTELA = 'N' ORDER BY ID_SOGG"
        names = {code: name_of(home, COOPERATIVE, code) for (code,) in town.execute(residents)}
    with closing(sqlite3.connect(home.root / COOPERATIVE / "register.db")) as register:
        known = dict(register.execute("SELECT pseudonimo, attivo FROM utenti"))
    helped = next(code for code, name in names.items() if known.get(name) == 1)
    return helped, next(code for code, name in names.items() if name not in known)


@asynccontextmanager
async def broadcasting(founded: Home, folder: Path) -> AsyncIterator[Sensitive]:
    home = Home(folder / "sensitive")
    shutil.copytree(founded.root, home.root)
    mapping = home.root / COOPERATIVE / "node.yaml"
    mapping.write_text(f"directory: {{broadcast: true}}\n{mapping.read_text(encoding='utf-8')}", encoding="utf-8")
    people = _people(home)
    async with simulated(home, folder / "home") as federation:

        def marked(members: MemberList) -> MemberList:
            listed = (msgspec.structs.replace(each, broadcast=each.id == COOPERATIVE) for each in members.members)
            return msgspec.structs.replace(members, members=tuple(listed))

        federation.publish(marked)
        federation.process.directory.replace(COOPERATIVE, range(BUCKETS), [])
        yield Sensitive(federation, *people)


@pytest.fixture
async def sensitive(founded: Home, tmp_path: Path) -> AsyncIterator[Sensitive]:
    async with broadcasting(founded, tmp_path) as found:
        yield found


def _comparable(answer: dict[str, Any]) -> Any:
    """Return everything that a consumer sees but what differs between any two answers."""
    seen = msgspec.json.decode(msgspec.json.encode(answer))
    seen["data"]["citizen"].pop("givenName", None)
    del seen["extensions"]["traceId"]
    privacy = seen["extensions"]["privacy"]
    for each in privacy["members"]:
        del each["receipt"]
    for listed in privacy.values():
        if isinstance(listed, list):
            listed.sort(key=msgspec.json.encode)  # they stand as they arrived
    return seen


@pytest.mark.asyncio(loop_scope="function")
async def test_nobody_sees_whom_a_member_of_a_sensitive_kind_knows(sensitive: Sensitive) -> None:
    """Emergency care is told of active programmes only: who has none any more is like anybody else."""
    active = await sensitive.ask(sensitive.helped, HEALTH)
    await sensitive.federation.write(COOPERATIVE, "UPDATE utenti SET attivo = 0")
    former, by_node_of_former = await sensitive.ask(sensitive.helped, HEALTH), sensitive.told_by()
    unknown, by_node_of_unknown = await sensitive.ask(sensitive.unknown, HEALTH), sensitive.told_by()
    assert active["data"]["citizen"]["supportProgrammes"] != []
    assert former["data"]["citizen"]["supportProgrammes"] == []
    assert _comparable(former) == _comparable(unknown)
    assert len(msgspec.json.encode(by_node_of_former)) == pytest.approx(
        len(msgspec.json.encode(by_node_of_unknown)), abs=8
    )
    assert asked_members(sensitive.federation) >= {"coop_ponte"}


@pytest.mark.asyncio(loop_scope="function")
async def test_denials_and_budgets_do_not_tell_either(sensitive: Sensitive) -> None:
    """Benefits may not see notes: who is told so is told so of everybody, and everybody stands in the ledger alike."""
    path = sensitive.federation.policy(COOPERATIVE, "Citizen")
    text = path.read_text(encoding="utf-8").replace("see: {id: clear, supportProgrammes: clear}", "see: {id: clear}")
    path.write_text(text, encoding="utf-8")
    await sensitive.federation.renew(COOPERATIVE)
    former, unknown = await sensitive.ask(sensitive.helped), await sensitive.ask(sensitive.unknown)
    assert _comparable(former) == _comparable(unknown)
    assert codes(unknown) == {"FIELD_DENIED"}
    reader = sensitive.federation.nodes[COOPERATIVE].reader
    recorded = [Entry.parse(each.entry) for each in reader.entries()]
    assert [each.subjects for each in recorded if each.kind is EntryKind.DISCLOSURE] == [1, 1]


@pytest.mark.asyncio(loop_scope="function")
async def test_a_member_of_a_sensitive_kind_is_not_asked_for_what_nobody_agreed_to_ask(sensitive: Sensitive) -> None:
    await told(sensitive.federation)
    assert "coop_ponte" not in asked_members(sensitive.federation)


async def test_a_mapping_says_that_everybody_is_asked_about_and_nothing_else() -> None:
    types = "types: {Citizen: {table: a, key: b, subject: b, fields: {givenName: c}}}"
    text = f'member: c_m999\ndatabase: {{url: "sqlite:///x.db"}}\n{types}\n'
    assert NodeMapping.parse(text + "directory: {broadcast: true}").broadcast
    assert not NodeMapping.parse(text + "directory: {of: Citizen, capacity: patient}").broadcast
    for wrong in ("{broadcast: false}", "{broadcast: true, of: Citizen, capacity: patient}"):
        with pytest.raises(MappingError, match=r"node\.yaml:4"):
            NodeMapping.parse(f"{text}directory: {wrong}")
