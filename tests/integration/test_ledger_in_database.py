"""A ledger that several hosts write is one history: fenced in the database, and taken along from a host's file."""

from __future__ import annotations

import asyncio
import multiprocessing
import time
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from typer.testing import CliRunner

from federation.contract.clock import SystemClock
from federation.contract.errors import LedgerCorruptError, LedgerUnavailableError, UnavailableError
from federation.ledger.cosignature import Cosigner
from federation.ledger.database_store import DatabaseStore
from federation.ledger.database_subject_keys import DatabaseSubjectKeys
from federation.ledger.erasure import erase_subject
from federation.ledger.log import Ledger
from federation.ledger.place import (
    LEDGER_FILE,
    SUBJECTS_FILE,
    copy_to_files,
    open_store,
    open_store_to_read,
    open_subject_keys,
)
from federation.ledger.reader import LedgerReader
from federation.ledger.verify import verify_ledger, verify_subject_index
from federation.ledger.witness import Witness
from federation.ledger.witnessing import submission
from federation.shared.place import SharedPlace
from federation.shared.store import SECONDS
from node.server.db_commands import app
from tests.support.ledger import MEMBER_KEY, SIGNER, LedgerFiles, entry
from tests.support.postgres import Server
from tests.support.simulator import simulated

if TYPE_CHECKING:
    from federation.demo.layout import Home

pytestmark = [pytest.mark.integration, pytest.mark.postgres]
NAME = SIGNER.verifier.name
COSIGNER = Cosigner.of("aslvs.example/witness", Ed25519PrivateKey.from_private_bytes(bytes([9]) * 32))
SENT = 40


@pytest.fixture
def files(postgres: Server, tmp_path: Path) -> Iterator[LedgerFiles]:
    yield LedgerFiles(tmp_path, url=postgres.url)
    postgres.run("DROP SCHEMA IF EXISTS crocevia_ledger CASCADE")


def write_some(place: SharedPlace) -> list[int]:
    keys = open_subject_keys(place, MEMBER_KEY, bytes)
    ledger = Ledger.open(SIGNER, lambda: open_store(place, NAME), keys, bytes)
    with closing(keys), closing(ledger):
        return [ledger.append_blocking(entry(number), ["p"]).index for number in range(SENT)]


def test_three_hosts_write_one_history(files: LedgerFiles) -> None:
    with multiprocessing.get_context("spawn").Pool(3) as pool:
        written = [index for each in pool.map(write_some, [files.place] * 3) for index in each]
    assert sorted(written) == list(range(3 * SENT))
    with closing(open_store_to_read(files.place)) as store:
        assert verify_ledger(store, SIGNER.verifier).head.size == 3 * SENT


def test_a_writer_whose_session_ended_cannot_commit(files: LedgerFiles, postgres: Server) -> None:
    with closing(files.store()) as first, closing(files.store()) as second:
        first.begin()
        postgres.run(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
            "WHERE application_name = 'crocevia-ledger' AND state = 'idle in transaction'"
        )
        second.begin()
        with pytest.raises(LedgerUnavailableError):
            first.commit()
        second.rollback()
        with pytest.raises(LedgerUnavailableError, match="opened anew"):
            first.begin()


async def test_a_writer_that_stands_still_loses_its_place_and_the_next_one_goes_on(files: LedgerFiles) -> None:
    with closing(files.subject_keys()) as keys, closing(files.ledger(keys)) as ledger, closing(files.store()) as stuck:
        await ledger.append(entry(1))
        stuck.begin()
        began = time.monotonic()
        receipt = None
        while receipt is None:
            try:
                receipt = await ledger.append(entry(2))
            except LedgerUnavailableError:
                await asyncio.sleep(0.05)
        assert time.monotonic() - began < 3 * SECONDS
        assert receipt.index == 1
        with pytest.raises(LedgerUnavailableError):
            stuck.commit()
        with closing(files.to_read()) as store:
            assert verify_ledger(store, SIGNER.verifier).head.size == 2


async def test_what_is_verified_is_of_one_moment(files: LedgerFiles) -> None:
    with closing(files.subject_keys()) as keys, closing(files.ledger(keys)) as ledger:
        await ledger.append(entry(1))
        with closing(files.to_read()) as store:
            await ledger.append(entry(2))
            assert verify_ledger(store, SIGNER.verifier).head.size == 1


def test_a_database_that_does_not_answer_is_no_ledger(tmp_path: Path) -> None:
    nowhere = SharedPlace(tmp_path, f"postgresql://nobody@/none?host={tmp_path}", "ledger")
    for opening in (lambda: open_store(nowhere, NAME), lambda: open_subject_keys(nowhere, MEMBER_KEY, bytes)):
        with pytest.raises(LedgerUnavailableError):
            opening()


async def test_a_server_that_stops_is_no_record_and_one_that_comes_back_goes_on(
    files: LedgerFiles, postgres: Server
) -> None:
    end_all = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name LIKE 'crocevia-%'"
    with closing(files.subject_keys()) as keys, closing(files.ledger(keys)) as ledger:
        await ledger.append(entry(1), ["p"])
        await asyncio.to_thread(postgres.run, end_all)
        with pytest.raises(LedgerUnavailableError):
            await ledger.append(entry(2), ["p"])
        await asyncio.sleep(SECONDS / 2)
        assert await ledger.ready()
        assert (await ledger.append(entry(3), ["p"])).index == 1


@pytest.fixture
async def host(tmp_path: Path) -> SharedPlace:
    """A host with a ledger of 600 entries in a file."""
    place = SharedPlace(tmp_path)
    keys = open_subject_keys(place, MEMBER_KEY, bytes)
    ledger = Ledger.open(SIGNER, lambda: open_store(place, NAME), keys, bytes)
    with closing(keys), closing(ledger):
        await asyncio.gather(*(ledger.append(entry(number), ["p"] * (number % 2)) for number in range(600)))
    return place


def test_a_host_takes_its_ledger_along(host: SharedPlace, files: LedgerFiles) -> None:
    with closing(open_store_to_read(host)) as store:
        before = verify_ledger(store, SIGNER.verifier)
        notes = list(store.checkpoints())
    with ThreadPoolExecutor(2) as pool:  # two workers of the host start at once
        written = list(pool.map(write_some, [files.place] * 2))
    assert min(map(min, written)) == 600
    with closing(open_store_to_read(files.place)) as store:
        known = [before.head]
        after = verify_ledger(store, SIGNER.verifier, known)
        assert list(store.checkpoints())[: len(notes)] == notes
        assert after.head.size == 600 + 2 * SENT
        keys = open_subject_keys(files.place, MEMBER_KEY, bytes)
        assert verify_subject_index(store, keys.all()) == 300 + 2 * SENT
        keys.close()
    names = {path.name for path in host.state.iterdir()}
    assert {LEDGER_FILE + ".moved", SUBJECTS_FILE + ".moved"} <= names
    assert not {LEDGER_FILE, SUBJECTS_FILE} & names


def test_a_file_that_was_taken_along_before_is_only_put_aside(host: SharedPlace, files: LedgerFiles) -> None:
    content = (host.state / LEDGER_FILE).read_bytes()
    open_store(files.place, NAME).close()
    (host.state / LEDGER_FILE).write_bytes(content)  # as after a crash between the commit and the renaming
    open_store(files.place, NAME).close()
    assert not (host.state / LEDGER_FILE).exists()


def test_a_process_that_kept_the_files_open_adds_nothing_once_they_were_taken_along(
    host: SharedPlace, files: LedgerFiles
) -> None:
    with (
        closing(open_subject_keys(host, MEMBER_KEY, bytes)) as keys,
        closing(Ledger.open(SIGNER, lambda: open_store(host, NAME), keys, bytes)) as old,
    ):
        old.append_blocking(entry(1))
        open_store(files.place, NAME).close()
        open_subject_keys(files.place, MEMBER_KEY, bytes).close()
        for _ in range(2):  # the first fails on the open file, the next would make a new one
            with pytest.raises(LedgerUnavailableError):
                old.append_blocking(entry(2))
            assert "moved to the database: start this process with" in str(old.failure)
        for _ in range(2):
            with pytest.raises(LedgerUnavailableError):
                keys.of(["new"])
    assert not {LEDGER_FILE, SUBJECTS_FILE} & {path.name for path in host.state.iterdir()}


def test_what_is_recorded_while_a_subject_is_erased_is_not_kept_in_the_index(
    files: LedgerFiles, monkeypatch: pytest.MonkeyPatch
) -> None:
    with closing(files.subject_keys()) as keys, closing(files.ledger(keys)) as ledger, closing(files.store()) as store:
        ledger.append_blocking(entry(1), ["p"])
        destroy = DatabaseSubjectKeys.destroy

        def record_and_destroy(self: DatabaseSubjectKeys, pseudonym: str) -> bool:
            ledger.append_blocking(entry(2), [pseudonym])
            return destroy(self, pseudonym)

        monkeypatch.setattr(DatabaseSubjectKeys, "destroy", record_and_destroy)
        assert erase_subject("p", store, keys) == 2
        assert [lookup for *_, lookup in store.subject_rows()] == [b"", b""]


def test_a_key_that_another_host_destroys_between_is_made_again(
    files: LedgerFiles, monkeypatch: pytest.MonkeyPatch
) -> None:
    with closing(files.subject_keys()) as keys, closing(files.subject_keys()) as other:
        assert isinstance(keys, DatabaseSubjectKeys)
        keep, times = DatabaseSubjectKeys.keep, []

        def keep_and_lose_one(self: DatabaseSubjectKeys, rows: Iterable[tuple[bytes, bytes]]) -> None:
            keep(self, rows)
            times.append(1)
            if len(times) == 1:
                other.destroy("p")

        monkeypatch.setattr(DatabaseSubjectKeys, "keep", keep_and_lose_one)
        assert keys.of(["p", "q"]).keys() == {"p", "q"}
        assert len(times) == 2


def test_a_file_of_another_history_is_refused(host: SharedPlace, files: LedgerFiles) -> None:
    with closing(files.subject_keys()) as keys, closing(files.ledger(keys)) as ledger:
        ledger.append_blocking(entry(1))
    with pytest.raises(LedgerCorruptError, match="another history"):
        open_store(files.place, NAME)
    assert (host.state / LEDGER_FILE).exists()


async def test_a_witness_of_two_hosts_does_not_go_back(host: SharedPlace, files: LedgerFiles) -> None:
    logs = {NAME: [SIGNER.verifier]}
    with (
        closing(LedgerReader.of(open_store(host, NAME), SIGNER.verifier)) as reader,
        closing(Witness.open(host, COSIGNER, SystemClock())) as alone,
    ):
        assert alone.add_checkpoint(str(submission(reader, 0)), logs).status == 200
        with (
            closing(Witness.open(files.place, COSIGNER, SystemClock())) as one,
            closing(Witness.open(files.place, COSIGNER, SystemClock())) as other,
        ):
            for witness in (one, other):
                assert witness.add_checkpoint(str(submission(reader, 0)), logs).body == "600\n"
            assert other.checkpoint(NAME) is not None
        with pytest.raises(UnavailableError):  # its file was taken along
            alone.add_checkpoint(str(submission(reader, 600)), logs)


async def test_the_ledgers_tables_stay_whole(files: LedgerFiles) -> None:
    with closing(files.subject_keys()) as keys, closing(files.ledger(keys)) as ledger:
        await ledger.append(entry(1), ["p"])
    for table in ("entry", "checkpoint", "tile", "subject"):
        with pytest.raises(UnavailableError):
            files.run(f"TRUNCATE {table}")
    with closing(DatabaseStore.open(files.place, NAME)) as store:
        assert store.size() == 1


def test_a_copy_in_files_is_whole_and_goes_back_into_an_empty_database(
    host: SharedPlace, files: LedgerFiles, postgres: Server
) -> None:
    open_store(files.place, NAME).close()
    open_subject_keys(files.place, MEMBER_KEY, bytes).close()
    copy = host.state / "copy"
    copy.mkdir()
    copy_to_files(files.place, copy)
    postgres.run("DROP SCHEMA crocevia_ledger CASCADE")
    back = SharedPlace(copy, files.url, files.place.party)
    for place in (SharedPlace(copy), back):
        with closing(open_store(place, NAME)) as store, closing(open_subject_keys(place, MEMBER_KEY, bytes)) as keys:
            assert verify_ledger(store, SIGNER.verifier).head.size == 600
            assert verify_subject_index(store, keys.all()) == 300


@pytest.fixture
def shared(postgres: Server) -> str:
    """The address of a database of the test's own."""
    return postgres.database("several_hosts").url


async def test_a_federation_answers_from_a_database_and_is_backed_up(
    founded: Home, shared: str, tmp_path: Path
) -> None:
    query = "query($by: CitizenKey!) { citizen(by: $by) { givenName } }"
    async with simulated(founded, tmp_path / "home", shared=shared) as federation:
        asked = await federation.ask("c_m999", "service-notices", query, {"by": {"taxCode": "BNCLRA84H57F257B"}})
        assert asked.content["data"]["citizen"]["givenName"] == "Laura"
        settings = federation.home.party("c_m999") / "settings.toml"
        arguments = ["backup", "--settings", str(settings), "--to", str(tmp_path / "copy"), "--format", "json"]
        made = await asyncio.to_thread(CliRunner().invoke, app, arguments)
        assert made.exit_code == 0, made.exception
        verifier = federation.nodes["c_m999"].ledger.signer.verifier
        state = federation.home.party("c_m999") / "state"
        assert not (state / LEDGER_FILE).exists()
        for place in (SharedPlace(tmp_path / "copy"), SharedPlace(state, shared, "c_m999")):
            with closing(open_store_to_read(place)) as store:
                assert verify_ledger(store, verifier).head.size >= 1
