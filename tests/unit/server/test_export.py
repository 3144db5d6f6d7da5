"""A list is exported as one consumer may see it: whole or not at all, and in the ledger before it is in the file."""

from __future__ import annotations

import csv
import json
import stat
import tracemalloc
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import Any

import duckdb
import msgspec
import pytest
from typer.testing import CliRunner, Result

import crocevia
from federation.contract.entries import Entry, EntryKind
from federation.contract.errors import (
    AgreementError,
    CroceviaError,
    FieldDeniedError,
    PurposeNotAgreedError,
    ScopeError,
)
from federation.contract.graphql_request import GraphQLRequest
from federation.contract.identifiers import MemberId
from federation.contract.members import AgreedProvider
from node.data.answer import Answer
from node.demo.seed import seed
from node.enforcement.handing_over import DETAIL, HandingOver
from node.exporting.columns import Choice, Column, choose
from node.exporting.files import export_file
from node.exporting.run import run_export
from node.own.upgrading import require_current
from node.server.process import NodeProcess
from node.server.settings import NodeSettings
from tests.support.nodes import pseudonym
from tests.support.parties import COORDINATES, PURPOSE, Parties
from tests.support.policies import ROOT
from tests.support.postgres import Server
from tests.unit.server.conftest import publish

BENEFITS = ("--as", "national", "--for", PURPOSE, "--basis", "6.1.e")
STATISTICS = ("--as", "statistics", "--for", "statistics", "--basis", "6.1.e", "--basis", "9.2.j")
AGREED = ("Query.citizens", *COORDINATES)


@pytest.fixture(scope="module")
def register(database: Server | None, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A town of more than two pages, on each of the two databases."""
    folder = tmp_path_factory.mktemp("exported")
    seed(folder, 260, lambda _done, _wanted: None, pseudonym)
    if database is not None:
        database.database("exported").take_register(folder / "c_m999")
    return folder / "c_m999"


def export(register: Path, out: Path, *arguments: str, root: str = "citizens") -> Result:
    where = ("--mapping", str(register / "node.yaml"), "--policies", str(ROOT / "policies" / "c_m999"))
    return CliRunner().invoke(crocevia.app, ["export", root, "--out", str(out), *where, *arguments])


def names(folder: Path) -> list[str]:
    return sorted(each.name for each in folder.iterdir())


def rows_of(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as content:
        return list(csv.DictReader(content))


def test_r12_a_denied_column_is_not_in_the_file_and_said_to_be_denied(register: Path, tmp_path: Path) -> None:
    out = tmp_path / "citizens.csv"
    result = export(register, out, *BENEFITS, "--format", "json")
    assert result.exit_code == 0, result.output
    told = json.loads(result.stdout)
    assert (told["denied"], told["errors"]) == (["sex"], {})
    assert "not in the file: sex" in result.stderr
    rows = rows_of(out)
    assert len(rows) == told["rows"] > 200
    assert told["pages"] == 3
    assert list(rows[0]) == ["taxCode", "givenName", "familyName", "dateOfBirth", "citizenship", "maritalStatus"]
    assert len({row["taxCode"] for row in rows}) == len(rows)


def test_a_masked_column_holds_what_the_mask_leaves(register: Path, tmp_path: Path) -> None:
    out = tmp_path / "citizens.csv"
    result = export(register, out, *STATISTICS)
    assert result.exit_code == 0, result.output
    assert "not in clear: Citizen.dateOfBirth (year)" in result.stdout
    assert {len(row["dateOfBirth"]) for row in rows_of(out)} == {4}
    assert stat.S_IMODE(out.stat().st_mode) == 0o600


def test_a_consumer_who_may_see_no_citizen_gets_no_file(register: Path, tmp_path: Path) -> None:
    result = export(register, tmp_path / "none.csv", "--as", "school", "--for", "school-enrolment")
    assert (result.exit_code, names(tmp_path)) == (3, [])
    assert "FIELD_DENIED" in result.stderr


def test_parquet_and_ndjson_hold_the_same_rows(register: Path, tmp_path: Path) -> None:
    fields = ("--fields", "familyName,residence.address.postName,residence.since")
    for name in ("citizens.ndjson", "citizens.parquet"):
        assert export(register, tmp_path / name, *BENEFITS, *fields).exit_code == 0
    lines = [json.loads(line) for line in (tmp_path / "citizens.ndjson").read_text().splitlines()]
    with duckdb.connect() as connection:
        found = connection.read_parquet(str(tmp_path / "citizens.parquet")).fetchall()
    assert found == [tuple(line.values()) for line in lines]
    assert list(lines[0]) == ["familyName", "residence.address.postName", "residence.since"]
    assert names(tmp_path) == ["citizens.ndjson", "citizens.parquet"]


def test_a_filter_exports_what_it_finds(register: Path, tmp_path: Path) -> None:
    out = tmp_path / "single.csv"
    given = ("--fields", "maritalStatus", "--where", '{"maritalStatus": {"eq": "single"}}')
    assert export(register, out, *BENEFITS, *given).exit_code == 0
    assert {row["maritalStatus"] for row in rows_of(out)} == {"single"}


def test_r21_a_filter_by_a_denied_field_is_refused(register: Path, tmp_path: Path) -> None:
    out = tmp_path / "by-sex.csv"
    result = export(register, out, *BENEFITS, "--fields", "familyName", "--where", '{"sex": {"eq": "male"}}')
    assert (result.exit_code, names(tmp_path)) == (3, [])


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ("residence", "column `residence` is an object"),
        ("cases.status", "column `cases` is a list of objects"),
        ("residence.sinse", "column `residence.sinse` is no field of `Residence`; did you mean `since`?"),
        ("id", "column `id` is the node's own name of a citizen"),
        ("familyName.length", "column `familyName.length` is no field of `String`"),
    ],
)
def test_a_column_that_cannot_be_one_is_named(register: Path, tmp_path: Path, fields: str, message: str) -> None:
    result = export(register, tmp_path / "x.csv", *BENEFITS, "--fields", fields)
    assert (result.exit_code, names(tmp_path)) == (2, [])
    assert message in result.stderr


@pytest.mark.parametrize(
    ("out", "arguments", "root", "status"),
    [
        ("x.xlsx", BENEFITS, "citizens", 2),
        ("nowhere/x.csv", BENEFITS, "citizens", 2),
        ("x.csv", ("--for", PURPOSE), "citizens", 2),
        ("x.csv", (*BENEFITS, "--agreement", "acc-1"), "citizens", 2),
        ("x.csv", (*BENEFITS, "--where", "[]"), "citizens", 2),
        ("x.csv", (*BENEFITS, "--where", "{}"), "publicServices", 2),
        ("x.csv", BENEFITS, "citizen", 4),
    ],
)
def test_what_cannot_be_exported_is_refused_before_anything_is_read(
    register: Path, tmp_path: Path, out: str, arguments: Sequence[str], root: str, status: int
) -> None:
    assert export(register, tmp_path / out, *arguments, root=root).exit_code == status
    assert names(tmp_path) == []


def test_a_file_that_is_there_is_replaced_only_when_asked(register: Path, tmp_path: Path) -> None:
    out = tmp_path / "citizens.csv"
    out.write_text("mine")
    assert export(register, out, *BENEFITS).exit_code == 2
    assert out.read_text() == "mine"
    assert export(register, out, *BENEFITS, "--force").exit_code == 0
    assert len(rows_of(out)) > 200


COLUMNS = (Column(("a",), "String"), Column(("b",), "JSON"), Column(("c", "d"), "Int"))


def test_a_cell_is_the_value_a_list_is_json_and_null_is_empty(tmp_path: Path) -> None:
    with export_file(tmp_path / "x.csv", COLUMNS) as write:
        write([{"a": 'a "b", c', "b": ["x", "y"], "c": {"d": 7}}, {"a": None, "b": None, "c": None}])
    assert rows_of(tmp_path / "x.csv") == [
        {"a": 'a "b", c', "b": '["x","y"]', "c.d": "7"},
        {"a": "", "b": "", "c.d": ""},
    ]


async def test_an_export_that_fails_midway_leaves_the_old_file_and_no_part(tmp_path: Path) -> None:
    out = tmp_path / "x.csv"
    out.write_text("old")
    choice = Choice("things", COLUMNS[:1], (), None)

    async def ask(asked: GraphQLRequest) -> Answer:
        if asked.variables["after"] is not None:
            raise FieldDeniedError("the agreement ended meanwhile")
        return page(choice, [{"a": "1"}], more=True)

    with pytest.raises(FieldDeniedError), export_file(out, choice.columns) as write:
        await run_export(choice, ask, write, None, lambda _count: None)
    assert (out.read_text(), names(tmp_path)) == ("old", ["x.csv"])


async def test_memory_does_not_grow_with_the_list(tmp_path: Path) -> None:
    choice, row = Choice("things", COLUMNS[:1], (), None), {"a": "x" * 500}

    async def peak(pages: int) -> int:
        asked = 0

        async def ask(_: GraphQLRequest) -> Answer:
            nonlocal asked
            asked += 1
            return page(choice, [row] * 100, more=asked < pages)

        tracemalloc.start()
        with export_file(tmp_path / "x.ndjson", choice.columns) as write:
            done = await run_export(choice, ask, write, None, lambda _count: None)
        assert done.rows == pages * 100
        most = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return most

    assert await peak(200) < 1.5 * await peak(10)


def page(choice: Choice, rows: Sequence[dict[str, Any]], *, more: bool) -> Answer:
    """Return a page as a plane does, its objects as the database's own JSON."""
    edges = [{"node": msgspec.Raw(msgspec.json.encode(row))} for row in rows]
    info = {"hasNextPage": more, "endCursor": "next"}
    return Answer({choice.root: {"edges": edges, "pageInfo": info}}, [], (), frozenset())


# --- on a node's own settings -----------------------------------------------------------------------------------------


@pytest.fixture
async def process(
    request: pytest.FixtureRequest, settings: NodeSettings, parties: Parties, tmp_path: Path
) -> AsyncIterator[NodeProcess]:
    provider = AgreedProvider(MemberId("c_m999"), AGREED, longest_list=getattr(request, "param", 100))
    parties.agreement = msgspec.structs.replace(parties.agreement, providers=(provider,))
    publish(parties, tmp_path / "registry")
    opened = NodeProcess.open(settings, parties.clock)
    await opened.own.run(require_current)
    yield opened
    await opened.close()


def entries(process: NodeProcess) -> list[Entry]:
    return [Entry.parse(found.entry) for found in process.reader.entries()]


async def handed_over(process: NodeProcess, out: Path, *wanted: str) -> int:
    handing = HandingOver.under(process.node(), "acc-1", PURPOSE)
    plane = process.plane
    choice = choose(plane.schema, plane.shown(handing.plans), plane.entity_keys, "citizens", wanted)
    with export_file(out, choice.columns) as write:
        longest = handing.caller.requested.provider.longest_list
        return (await run_export(choice, handing.answer, write, None, lambda _count: None, longest)).rows


async def test_r38_every_page_is_in_the_ledger_with_its_citizens(process: NodeProcess, tmp_path: Path) -> None:
    rows = await handed_over(process, tmp_path / "x.csv", "taxCode", "familyName")
    (entry,) = entries(process)
    assert (entry.kind, entry.consumer, entry.purpose, entry.agreement) == (
        EntryKind.DISCLOSURE,
        "inprev",
        PURPOSE,
        "acc-1",
    )
    assert rows == len(rows_of(tmp_path / "x.csv"))
    assert (entry.subjects, entry.detail, entry.policy) == (rows, DETAIL, process.decisions.version)
    assert {each.coordinate for each in entry.decisions} == {"Citizen.taxCode", "Citizen.familyName"}


@pytest.mark.parametrize("process", [2], indirect=True)
async def test_pages_are_no_longer_than_the_agreement_allows(process: NodeProcess, tmp_path: Path) -> None:
    rows = await handed_over(process, tmp_path / "x.csv", "familyName")
    told = [entry.subjects for entry in entries(process)]
    assert rows == sum(told) > 2
    assert max(told) == 2


async def test_a_list_that_the_agreement_does_not_open_is_refused_and_recorded(
    process: NodeProcess,
) -> None:
    handing = HandingOver.under(process.node(), "acc-1", PURPOSE)
    with pytest.raises(FieldDeniedError, match=r"does not open Query\.publicServices"):
        await handing.answer(GraphQLRequest("{ publicServices { edges { cursor } } }", None, None, {}, {}))
    assert [(entry.kind, entry.code) for entry in entries(process)] == [(EntryKind.REFUSAL, "FIELD_DENIED")]


async def test_a_citizens_pseudonym_is_handed_to_nobody(process: NodeProcess) -> None:
    handing = HandingOver.under(process.node(), "acc-1", PURPOSE)
    with pytest.raises(ScopeError):
        await handing.answer(GraphQLRequest("{ citizens { edges { node { id } } } }", None, None, {}, {}))


@pytest.mark.parametrize(
    ("agreement", "purpose", "error"),
    [("acc-2", PURPOSE, AgreementError), ("acc-1", "statistics", PurposeNotAgreedError)],
)
def test_without_an_agreement_on_the_purpose_nothing_is_handed_over(
    process: NodeProcess, agreement: str, purpose: str, error: type[CroceviaError]
) -> None:
    with pytest.raises(error):
        HandingOver.under(process.node(), agreement, purpose)
